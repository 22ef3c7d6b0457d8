/* kernels/feature/rolling_extremes.c - see the header. */
#include "kernels/feature/rolling_extremes.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 2, .high = 10000, .preset = 100, .help = "events in the window"},
    {0},
};

static size_t state_size(const double *values)
{
    return fm_extremes_size(values[0]);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_extremes_init(state, values[0]);
    return 0;
}

static inline __m128d pair_of(double x)
{
    return _mm_set_pd(-x, x);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double x = in[0];
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable(x))
        return;
    __m128d window = _mm_max_pd(pair_of(x), fm_extremes_past(state));
    double high = _mm_cvtsd_f64(window), low = -_mm_cvtsd_f64(_mm_unpackhi_pd(window, window));
    out[0] = low;
    out[1] = high;
    out[2] = (x - low) / (high - low); /* 0 / 0 while they are equal */
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    if (fm_usable(in[0]))
        fm_extremes_add(state, pair_of(in[0]));
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

FM_STEP_ONE(step_min, 0)
FM_STEP_ONE(step_max, 1)
FM_STEP_ONE(step_position, 2)

const fm_kernel fm_kernel_rolling_extremes = {
    .name = "rolling_extremes",
    .summary = "Extremes of the last events, and where x lies between them.",
    .source = "M. van Herk, Pattern Recognition Letters 13, 1992",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "min", .unit = "x", .usual = NAN, .help = "lowest, x included"},
                           {.name = "max", .unit = "x", .usual = NAN, .help = "highest, x included"},
                           {.name = "position", .unit = "1", .usual = NAN, .help = "0 = at the low, 1 = at the high"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_min, step_max, step_position},
    .warm_up = "at once; position when two values differ",
    .cost = "~6 ns, 1648 bytes at count = 100",
};
