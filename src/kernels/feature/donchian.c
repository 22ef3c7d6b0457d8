/* kernels/feature/donchian.c - see the header. */
#include "kernels/feature/donchian.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 1, .high = 10000, .preset = 20, .help = "bars in the channel"},
    {0},
};

static size_t state_size(const double *values)
{
    return offsetof(fm_donchian, channel) + fm_extremes_size(values[0] + 1.0);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_donchian *donchian = state;
    donchian->missing = (int64_t)values[0];
    fm_extremes_init(&donchian->channel, values[0] + 1.0);
    return 0;
}

static inline bool usable(const double *in)
{
    return fm_usable(in[0]) && fm_usable(in[1]) && fm_usable(in[2]) && in[0] >= in[1];
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_donchian *donchian = state;
    out[0] = out[1] = out[2] = out[3] = NAN;
    if (!usable(in) || donchian->missing > 0)
        return;
    __m128d edges = fm_extremes_past(&donchian->channel);
    double upper = _mm_cvtsd_f64(edges), lower = -_mm_cvtsd_f64(_mm_unpackhi_pd(edges, edges));
    out[0] = upper;
    out[1] = lower;
    out[2] = 0.5 * (upper + lower);
    out[3] = fm_finite((in[2] - lower) / (upper - lower));
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_donchian *donchian = state;
    if (!usable(in))
        return;
    fm_extremes_add(&donchian->channel, _mm_set_pd(-in[1], in[0]));
    donchian->missing -= donchian->missing > 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

FM_STEP_ONE(step_upper, 0)
FM_STEP_ONE(step_lower, 1)
FM_STEP_ONE(step_middle, 2)
FM_STEP_ONE(step_position, 3)

const fm_kernel fm_kernel_donchian = {
    .name = "donchian",
    .summary = "Highest high and lowest low of the last bars, and where the close is between them.",
    .source = "R. Donchian's four-week rule, in P. J. Kaufman, Trading Systems and Methods, 2013",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "high", .unit = "price", .help = "of the bar"},
                                 {.name = "low", .unit = "price", .help = "of the bar"},
                                 {.name = "close", .unit = "price", .help = "of the bar"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "upper", .unit = "price", .usual = NAN, .help = "highest high of the bars before"},
                           {.name = "lower", .unit = "price", .usual = NAN, .help = "lowest low of the bars before"},
                           {.name = "middle", .unit = "price", .usual = NAN, .help = "half-way between"},
                           {.name = "position", .unit = "1", .usual = NAN, .help = "below 0 or above 1: a breakout"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_upper, step_lower, step_middle, step_position},
    .warm_up = "after count bars",
    .cost = "~9 ns, 392 bytes at count = 20",
};
