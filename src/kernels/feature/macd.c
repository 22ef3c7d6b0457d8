/* kernels/feature/macd.c - see the header. */
#include "kernels/feature/macd.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define AVERAGE_MIN 1e-290

static const fm_field params[] = {
    {.name = "fast", .unit = "events", .low = 1, .high = 10000, .preset = 12, .help = "length of the fast average"},
    {.name = "slow", .unit = "events", .low = 1, .high = 10000, .preset = 26, .help = "length of the slow average"},
    {.name = "signal", .unit = "events", .low = 1, .high = 10000, .preset = 9, .help = "length of their difference's"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_macd);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_macd *macd = state;
    *macd = (fm_macd){.fast = NAN, .missing = (int64_t)(values[1] + values[2])};
    for (int i = 0; i < 3; i++)
        macd->gain[i] = 2.0 / (values[i] + 1.0);
    return 0;
}

static inline void take(fm_macd *macd, double x)
{
    if (__builtin_expect(isnan(macd->fast), 0))
        macd->fast = macd->slow = x;
    macd->fast += macd->gain[0] * (x - macd->fast);
    macd->slow += macd->gain[1] * (x - macd->slow);
    macd->signal += macd->gain[2] * ((macd->fast - macd->slow) - macd->signal);
    if (__builtin_expect(fabs(macd->signal) < AVERAGE_MIN && macd->signal != 0.0, 0)) /* denormal numbers are slow */
        macd->signal = 0.0;
    macd->missing -= macd->missing > 0;
}

static inline void read(const fm_macd *macd, double *out)
{
    out[0] = out[1] = out[2] = NAN;
    if (__builtin_expect(macd->missing > 0, 0))
        return;
    out[0] = macd->fast - macd->slow;
    out[1] = macd->signal;
    out[2] = out[0] - out[1];
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable(in[0]))
        return;
    take(state, in[0]);
    read(state, out);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_macd moved = *(const fm_macd *)state;
    step(&moved, ts_ns, in, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    if (fm_usable(in[0]))
        take(state, in[0]);
}

FM_STEP_ONE(step_macd, 0)
FM_STEP_ONE(step_signal, 1)
FM_STEP_ONE(step_histogram, 2)

const fm_kernel fm_kernel_macd = {
    .name = "macd",
    .summary = "A fast average less a slow one, and its own average.",
    .source = "G. Appel, Technical Analysis: Power Tools for Active Investors, 2005",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "macd", .unit = "x", .usual = 0, .help = "fast average less slow average"},
                                  {.name = "signal", .unit = "x", .usual = 0, .help = "average of macd"},
                                  {.name = "histogram", .unit = "x", .usual = 0, .help = "macd less signal"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_macd, step_signal, step_histogram},
    .warm_up = "after slow + signal events",
    .cost = "~5 ns, 56 bytes",
};
