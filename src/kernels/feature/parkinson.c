/* kernels/feature/parkinson.c - see the header. */
#include "kernels/feature/parkinson.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define FOUR_LOG_2 2.7725887222397811

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

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_price(in[1]) || in[1] > in[0])
        return;
    double range = fm_log_ratio(in[0], in[1]);
    fm_bars_step(state, range * range / FOUR_LOG_2, out);
}

FM_ONE_STEP_COUNTED(fm_bars, fm_bars_size, FM_BARS_COUNT_MAX, 0)

const fm_kernel fm_kernel_parkinson = {
    .name = "parkinson",
    .summary = "Volatility a bar, from the ranges of the last bars.",
    .source = "Parkinson, J. Business 53, 1980",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "high", .unit = "price", .help = "of the bar"},
                                 {.name = "low", .unit = "price", .help = "of the bar"},
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
    .cost = "~12 ns, 48 + 8 * count bytes",
};
