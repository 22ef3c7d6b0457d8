/* kernels/feature/garman_klass.c - see the header. */
#include "kernels/feature/garman_klass.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define TWO_LOG_2_LESS_1 0.38629436111989061

static const fm_field params[] = {
    {.name = "count",
     .unit = "events",
     .low = 1,
     .high = FM_BARS_COUNT_MAX,
     .preset = 20,
     .help = "bars that the mean is made from"},
    {0},
};

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_bars_init(state, (int64_t)values[0]);
    return 0;
}

static bool usable(double open, double high, double low, double close)
{
    return fm_usable_price(low) && fm_usable_price(high) && open >= low && open <= high && close >= low &&
           close <= high;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = out[1] = out[2] = NAN;
    if (!usable(in[0], in[1], in[2], in[3]))
        return;
    double range = fm_log_ratio(in[1], in[2]), move = fm_log_ratio(in[3], in[0]);
    fm_bars_step(state, 0.5 * range * range - TWO_LOG_2_LESS_1 * move * move, out);
}

FM_ONE_STEP_COUNTED(fm_bars, fm_bars_size, FM_BARS_COUNT_MAX, 0)

const fm_kernel fm_kernel_garman_klass = {
    .name = "garman_klass",
    .summary = "Volatility a bar, from open, high, low and close of the last bars.",
    .source = "Garman & Klass, J. Business 53, 1980",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "open", .unit = "price", .help = "of the bar"},
                                 {.name = "high", .unit = "price", .help = "of the bar"},
                                 {.name = "low", .unit = "price", .help = "of the bar"},
                                 {.name = "close", .unit = "price", .help = "of the bar"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "volatility", .unit = "1", .usual = NAN, .help = "of one bar"},
                                  {.name = "variance", .unit = "1", .usual = NAN, .help = "its square"},
                                  {.name = "ratio",
                                   .unit = "1",
                                   .usual = 1,
                                   .help = "volatility of the newest bar over that of the bars before it"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after count bars; ratio one bar later",
    .cost = "~16 ns, 48 + 8 * count bytes",
};
