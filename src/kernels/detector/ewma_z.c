/* kernels/detector/ewma_z.c - see the header. */
#include "kernels/detector/ewma_z.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30

static const fm_field params[] = {
    {.name = "half_life", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 1800,
     .help = "age at which a value weighs one half"},
    {.name = "clip", .unit = "sigma", .low = 0, .high = 1e6, .preset = 8,
     .help = "how far a value may pull mean and sigma; 0 = any way"},
    {.name = "floor", .unit = "x", .low = 0, .high = 1e15, .preset = 0, .help = "smallest sigma divided by"},
    {0},
};

int fm_ewma_z_detector_init(fm_ewma_z_detector *detector, double half_life_s, double clip, double floor)
{
    FM_TRY(fm_kernel_check(params, (const double[]){half_life_s, clip, floor}));
    *detector = (fm_ewma_z_detector){.clip = clip > 0.0 ? clip : INFINITY, .floor = floor};
    return fm_ewma_init(&detector->past, half_life_s * 1e9);
}

/* NaN until warm, and while nothing varies */
static double sigma_of(const fm_ewma_z_detector *detector)
{
    if (detector->count < WARM_COUNT)
        return NAN;
    double sigma = sqrt(detector->past.sum_square / detector->past.weight);
    sigma = sigma < detector->floor ? detector->floor : sigma;
    return sigma > 0.0 ? sigma : NAN;
}

static double read(const fm_ewma_z_detector *detector, double sigma, double x, double out[4])
{
    double score = fm_finite(fabs(x - detector->past.mean) / sigma);
    out[0] = score;
    out[1] = isnan(score) ? NAN : fm_tail_p(&detector->tail, fm_tail_bucket(score));
    out[2] = isnan(sigma) ? NAN : detector->past.mean;
    out[3] = isnan(sigma) ? 0.0 : 1.0;
    return score;
}

static void push(fm_ewma_z_detector *detector, int64_t ts_ns, double x, double sigma, double score)
{
    if (!isnan(score))
        fm_tail_add(&detector->tail, fm_tail_bucket(score));
    if (score > detector->clip) {
        double reach = detector->clip * sigma;
        x = detector->past.mean + (x > detector->past.mean ? reach : -reach);
    }
    detector->count++;
    fm_ewma_update(&detector->past, ts_ns, x);
}

void fm_ewma_z_detector_score(const fm_ewma_z_detector *detector, double x, double out[4])
{
    read(detector, sigma_of(detector), fm_usable(x) ? x : NAN, out);
}

void fm_ewma_z_detector_update(fm_ewma_z_detector *detector, int64_t ts_ns, double x)
{
    double out[4];
    if (!fm_usable(x))
        return;
    double sigma = sigma_of(detector);
    push(detector, ts_ns, x, sigma, read(detector, sigma, x, out));
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_ewma_z_detector);
}

static int init(void *state, const double *values)
{
    return fm_ewma_z_detector_init(state, values[0], values[1], values[2]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_ewma_z_detector_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_ewma_z_detector_update(state, ts_ns, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    double sigma = sigma_of(state);
    double x = fm_usable(in[0]) ? in[0] : NAN;
    double raw = read(state, sigma, x, out);
    if (!isnan(x))
        push(state, ts_ns, x, sigma, raw);
}

const fm_kernel fm_kernel_ewma_z = {
    .name = "ewma_z",
    .summary = "Distance of x from its faded mean, with a conformal p.",
    .source = "Finch 2009; Vovk, Gammerman & Shafer 2005",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "distance from the mean"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "faded mean"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 30 values of which two differ (or floor > 0)",
    .cost = "~18 ns, 320 bytes",
};
