/* kernels/feature/atr.c - see the header. */
#include "kernels/feature/atr.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define AVERAGE_MIN 1e-290

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 2, .high = 10000, .preset = 14, .help = "bars averaged over"},
    {0},
};

int fm_atr_init(fm_atr *atr, double count)
{
    FM_TRY(fm_kernel_check(params, &count));
    *atr = (fm_atr){.per_count = 1.0 / floor(count), .keep = 1.0, .close = NAN, .missing = (int64_t)count};
    return 0;
}

void fm_atr_step(fm_atr *atr, double high, double low, double close, double out[3])
{
    out[0] = out[1] = out[2] = NAN;
    if (!(fm_usable(high) && fm_usable(low) && fm_usable(close) && high >= low))
        return;
    /* NaN, before the first close, compares false: then the bar's own range is left. */
    double top = atr->close > high ? atr->close : high, bottom = atr->close < low ? atr->close : low;
    double range = top - bottom, next = atr->average * atr->keep + range * atr->per_count;
    if (__builtin_expect(next < AVERAGE_MIN && next > 0.0, 0)) /* denormal numbers are slow */
        next = 0.0;
    atr->average = next;
    atr->close = close;
    if (__builtin_expect(atr->missing > 0, 0) && --atr->missing == 0)
        atr->keep = 1.0 - atr->per_count;
    out[1] = range;
    if (__builtin_expect(atr->missing > 0, 0))
        return;
    out[0] = atr->average;
    out[2] = atr->average > 0.0 ? range / atr->average : NAN;
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_atr);
}

static int init(void *state, const double *values)
{
    return fm_atr_init(state, values[0]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_atr moved = *(const fm_atr *)state;
    fm_atr_step(&moved, in[0], in[1], in[2], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    double out[3];
    fm_atr_step(state, in[0], in[1], in[2], out);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_atr_step(state, in[0], in[1], in[2], out);
}

FM_STEP_ONE(step_atr, 0)
FM_STEP_ONE(step_range, 1)
FM_STEP_ONE(step_ratio, 2)

const fm_kernel fm_kernel_atr = {
    .name = "atr",
    .summary = "Average true range of bars, and this bar's range over it.",
    .source = "J. W. Wilder, New Concepts in Technical Trading Systems, 1978",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "high", .unit = "price", .help = "of the bar"},
                                 {.name = "low", .unit = "price", .help = "of the bar"},
                                 {.name = "close", .unit = "price", .help = "of the bar"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "atr", .unit = "price", .usual = NAN, .help = "average with this bar"},
                                  {.name = "true_range", .unit = "price", .usual = NAN, .help = "of this bar"},
                                  {.name = "ratio", .unit = "1", .usual = 1, .help = "true_range over atr"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_atr, step_range, step_ratio},
    .warm_up = "after count bars; true_range at once",
    .cost = "~5 ns, 40 bytes",
};
