/* kernels/feature/vwap.c - see the header. */
#include "kernels/feature/vwap.h"

#include "base/error.h"
#include "kernels/kernel.h"

#include <math.h>

extern const fm_kernel fm_kernel_vwap_deviation;

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_vwap_deviation);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    return fm_vwap_deviation_init(state, values[0], 0.0);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    double deviation[3];
    fm_vwap_deviation_score(state, ts_ns, in[0], deviation);
    out[0] = deviation[2];
    out[1] = deviation[0];
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_vwap_deviation_update(state, ts_ns, in[0], in[1]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    double deviation[3];
    fm_kernel_vwap_deviation.step(state, ts_ns, in, deviation);
    out[0] = deviation[2];
    out[1] = deviation[0];
}

static double step_vwap(void *state, int64_t ts_ns, const double *in)
{
    return fm_kernel_vwap_deviation.step_one[2](state, ts_ns, in);
}

static double step_deviation(void *state, int64_t ts_ns, const double *in)
{
    return fm_kernel_vwap_deviation.step_one[0](state, ts_ns, in);
}

const fm_kernel fm_kernel_vwap = {
    .name = "vwap",
    .summary = "Volume-weighted average price of the last window, and how far this trade is from it.",
    .source = "Berkowitz, Logue & Noser, J. Finance 43, 1988",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "price", .unit = "price", .help = "of the trade"},
                                 {.name = "size", .unit = "size", .help = "of the trade"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "vwap", .unit = "price", .usual = NAN, .help = "of the trades before this one"},
                           {.name = "deviation", .unit = "bp", .usual = 0, .help = "price over vwap, less 1"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_vwap, step_deviation},
    .warm_up = "from the second trade of a window",
    .cost = "~13 ns, 856 bytes",
};
