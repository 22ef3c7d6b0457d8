/* kernels/feature/bollinger.c - see the header. */
#include "kernels/feature/bollinger.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define PAIRS   1
#define OUTPUTS 5

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 2, .high = 10000, .preset = 20, .help = "events in the window"},
    {.name = "width", .unit = "sigma", .low = 0.1, .high = 100, .preset = 2, .help = "of the bands to either side"},
    {0},
};

static size_t state_size(const double *values)
{
    return offsetof(fm_bollinger, laps) + fm_laps_size(values[0], PAIRS);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_bollinger *bands = state;
    bands->width = values[1];
    fm_laps_init(&bands->laps, values[0]);
    return 0;
}

static __attribute__((noinline)) void renew(fm_laps *laps)
{
    fm_laps_renew(laps, PAIRS);
}

/* Variance in two passes, the mean by pointer: for the event with which a value far away leaves. */
static __attribute__((noinline)) double two_passes(const fm_laps *laps, double x, double *mean)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < laps->count; i++)
        sum += i == laps->at ? 0.0 : laps->data[i] - x;
    sum *= laps->per_count;
    for (int64_t i = 0; i < laps->count; i++) {
        double distance = (i == laps->at ? 0.0 : laps->data[i] - x) - sum;
        squares += distance * distance;
    }
    *mean = x + sum;
    return squares * laps->per_count;
}

static inline __attribute__((always_inline)) void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_bollinger *bands = state;
    const fm_laps *laps = &bands->laps;
    double x = in[0];
    for (int i = 0; i < OUTPUTS; i++)
        out[i] = NAN;
    if (!fm_usable(x) || (!laps->full && laps->at + 1 < laps->count))
        return;
    __m128d lap[FM_LAPS_PAIRS_MAX], total[FM_LAPS_PAIRS_MAX];
    fm_laps_with(laps, x, PAIRS, lap, total);
    double a = _mm_cvtsd_f64(total[0]) * laps->per_count, mean = laps->anchor + a;
    double variance = _mm_cvtsd_f64(_mm_unpackhi_pd(total[0], total[0])) * laps->per_count - a * a;
    if (__builtin_expect(fm_laps_far(laps, total[0]), 0))
        variance = two_passes(laps, x, &mean);
    double half = bands->width * sqrt(variance);
    out[0] = mean;
    out[1] = mean + half;
    out[2] = mean - half;
    out[3] = half > 0.0 ? fm_finite(0.5 + 0.5 * (x - mean) / half) : NAN;
    out[4] = mean > 0.0 ? fm_finite(2.0 * half / mean) : NAN;
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    if (fm_usable(in[0]))
        fm_laps_add(&((fm_bollinger *)state)->laps, in[0], PAIRS, renew);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

FM_STEP_ONE(step_middle, 0)
FM_STEP_ONE(step_upper, 1)
FM_STEP_ONE(step_lower, 2)
FM_STEP_ONE(step_percent_b, 3)
FM_STEP_ONE(step_bandwidth, 4)

const fm_kernel fm_kernel_bollinger = {
    .name = "bollinger",
    .summary = "Bands around the mean of the last events, and where x lies between them.",
    .source = "J. Bollinger, Bollinger on Bollinger Bands, 2001",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "middle", .unit = "x", .usual = NAN, .help = "mean, x included"},
            {.name = "upper", .unit = "x", .usual = NAN, .help = "the band above"},
            {.name = "lower", .unit = "x", .usual = NAN, .help = "the band below"},
            {.name = "percent_b", .unit = "1", .usual = 0.5, .help = "0 = at the lower, 1 = at the upper"},
            {.name = "bandwidth", .unit = "1", .usual = NAN, .help = "(upper - lower) / middle"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_middle, step_upper, step_lower, step_percent_b, step_bandwidth},
    .warm_up = "with the count-th event",
    .cost = "~13 ns, 616 bytes at count = 20",
};
