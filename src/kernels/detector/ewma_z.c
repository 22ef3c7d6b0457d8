/* kernels/detector/ewma_z.c - see the header. */
#include "kernels/detector/ewma_z.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 1800,
     .help = "age at which a value weighs one half"},
    {.name = "clip",
     .unit = "sigma",
     .low = 0,
     .high = 1e6,
     .preset = 8,
     .help = "how far a value may pull mean and sigma; 0 = any way"},
    {.name = "floor", .unit = "x", .low = 0, .high = 1e15, .preset = 0, .help = "smallest sigma divided by"},
    {0},
};

int fm_ewma_z_detector_init(fm_ewma_z_detector *detector, double half_life_s, double clip, double floor)
{
    FM_TRY(fm_kernel_check(params, (const double[]){half_life_s, clip, floor}));
    *detector = (fm_ewma_z_detector){.clip = clip > 0.0 ? clip : INFINITY, .floor = floor, .precision = NAN};
    fm_faded_init(&detector->past, half_life_s);
    return 0;
}

/* Returns the score, NaN while there is none. */
static inline __attribute__((always_inline)) double read(const fm_ewma_z_detector *detector, double x, double out[4])
{
    double score = fabs(x - detector->past.mean) * detector->precision;
    bool ready = !isnan(detector->precision);
    out[0] = score;
    out[1] = isnan(score) ? NAN : fm_tail_p(&detector->tail, fm_tail_bucket(score));
    out[2] = ready ? detector->past.mean : NAN;
    out[3] = ready ? 1.0 : 0.0;
    return score;
}

/* A usable x of that score enters. Sigma for the next one is made here, where nothing waits for it. */
static inline __attribute__((always_inline)) void push(fm_ewma_z_detector *detector, int64_t ts_ns, double x,
                                                       double score)
{
    if (FM_UNLIKELY(score > detector->clip)) {
        double reach = detector->clip / detector->precision;
        x = detector->past.mean + (x > detector->past.mean ? reach : -reach);
    }
    fm_faded_add(&detector->past, ts_ns, x);
    if (FM_LIKELY(++detector->count >= WARM_COUNT))
        detector->precision = fm_faded_precision(&detector->past, detector->floor);
    if (FM_LIKELY(!isnan(score)))
        fm_tail_add(&detector->tail, fm_tail_bucket(score));
}

void fm_ewma_z_detector_score(const fm_ewma_z_detector *detector, double x, double out[4])
{
    read(detector, fm_usable(x) ? x : NAN, out);
}

void fm_ewma_z_detector_update(fm_ewma_z_detector *detector, int64_t ts_ns, double x)
{
    double out[4];
    if (fm_usable(x))
        push(detector, ts_ns, x, read(detector, x, out));
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

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_LIKELY(fm_usable(in[0])))
        push(state, ts_ns, in[0], read(state, in[0], out));
    else
        read(state, NAN, out);
}

FM_STEP_ONE(step_score, 0)
FM_STEP_ONE(step_p, 1)

const fm_kernel fm_kernel_ewma_z = {
    .name = "ewma_z",
    .summary = "Distance of x from its faded mean, with a conformal p.",
    .source = "Finch 2009; Vovk, Gammerman & Shafer 2005",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 3,
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
    .step_one = {step_score, step_p},
    .warm_up = "after 30 values of which two differ (or floor > 0)",
    .cost = "~18 ns, 376 bytes",
};
