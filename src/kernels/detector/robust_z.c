/* kernels/detector/robust_z.c - see the header. */
#include "kernels/detector/robust_z.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/common/sorted.h"
#include "kernels/kernel.h"

#define SAMPLE     64
#define WARM_COUNT 16

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 3600, .help = "length of the window"},
    {.name = "floor", .unit = "x", .low = 0, .high = 1e15, .preset = 0, .help = "smallest sigma divided by"},
    {0},
};

int fm_robust_z_init(fm_robust_z *detector, double window_s, double floor)
{
    FM_TRY(fm_kernel_check(params, (const double[]){window_s, floor}));
    *detector = (fm_robust_z){.floor = floor, .newest = NAN, .median = NAN, .sigma = NAN};
    fm_slices_init(&detector->clock, window_s, SAMPLE);
    for (int i = 0; i < SAMPLE; i++)
        detector->slot[i] = NAN;
    return 0;
}

static void fit(fm_robust_z *detector)
{
    int64_t n = detector->count;
    if (n < WARM_COUNT) {
        detector->sigma = NAN;
        return;
    }
    detector->median = fm_sorted_median(detector->sorted, n);
    double sigma = fm_sorted_scale(detector->sorted, n, detector->median);
    sigma = sigma < detector->floor ? detector->floor : sigma;
    if (sigma > 0.0)
        detector->sigma = sigma;
}

static void advance(fm_robust_z *detector, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&detector->clock, ts_ns);
    if (passed == 0)
        return;
    int64_t open = detector->clock.open;
    if (!isnan(detector->newest)) {
        detector->slot[open] = detector->newest;
        fm_sorted_take(detector->sorted, &detector->count, detector->newest);
        detector->newest = NAN;
    }
    int64_t cleared = passed < SAMPLE ? passed : SAMPLE;
    for (int64_t i = 1; i <= cleared; i++) {
        double *slot = &detector->slot[(open + i) % SAMPLE];
        if (!isnan(*slot))
            fm_sorted_drop(detector->sorted, &detector->count, *slot);
        *slot = NAN;
    }
    fm_slices_open(&detector->clock, ts_ns, passed, SAMPLE);
    fit(detector);
}

static double read(const fm_robust_z *detector, double x, double out[4])
{
    double score = fm_finite(fabs(x - detector->median) / detector->sigma);
    out[0] = score;
    out[1] = isnan(score) ? NAN : fm_tail_p(&detector->tail, fm_tail_bucket(score));
    out[2] = isnan(detector->sigma) ? NAN : detector->median;
    out[3] = isnan(detector->sigma) ? 0.0 : 1.0;
    return score;
}

static void push(fm_robust_z *detector, double x, double score)
{
    if (!isnan(score))
        fm_tail_add(&detector->tail, fm_tail_bucket(score));
    detector->newest = x;
}

void fm_robust_z_score(const fm_robust_z *detector, int64_t ts_ns, double x, double out[4])
{
    fm_robust_z moved = *detector;
    advance(&moved, ts_ns);
    read(&moved, fm_usable(x) ? x : NAN, out);
}

void fm_robust_z_update(fm_robust_z *detector, int64_t ts_ns, double x)
{
    double out[4];
    if (!fm_usable(x))
        return;
    advance(detector, ts_ns);
    push(detector, x, read(detector, x, out));
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_robust_z);
}

static int init(void *state, const double *values)
{
    return fm_robust_z_init(state, values[0], values[1]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_robust_z_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_robust_z_update(state, ts_ns, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (!fm_usable(in[0])) {
        score(state, ts_ns, in, out);
        return;
    }
    advance(state, ts_ns);
    push(state, in[0], read(state, in[0], out));
}

FM_STEP_ONE(step_score, 0)
FM_STEP_ONE(step_p, 1)

const fm_kernel fm_kernel_robust_z = {
    .name = "robust_z",
    .summary = "Distance of x from the median of the last window, in MADs, with a conformal p.",
    .source = "Hampel, JASA 69, 1974; Vovk, Gammerman & Shafer 2005",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "distance from the median"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "median"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_score, step_p},
    .warm_up = "after 16 slices (quarters of the window at best) of which two values differ, or floor > 0",
    .cost = "~9 ns, 1384 bytes",
};
