/* kernels/feature/roll_spread.c - see the header. */
#include "kernels/feature/roll_spread.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define PAIRS_MIN 16.0

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_roll_spread *roll = state;
    FM_TRY(fm_kernel_check(params, values));
    roll->newest = roll->move = NAN;
    fm_window_init(&roll->window, values[0]);
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_roll_spread *roll = state;
    fm_sums *sums = roll->sums;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    fm_window_advance(&roll->window, sums, 4, ts_ns);
    double move = 1e4 * fm_log_ratio(in[0], roll->newest);
    if (!isnan(roll->move)) {
        sums[0].newest += move * roll->move;
        sums[1].newest += move;
        sums[2].newest += roll->move;
        sums[3].newest += 1.0;
    }
    roll->newest = in[0];
    roll->move = move;
    double count = fm_sums_total(&sums[3]);
    if (count < PAIRS_MIN)
        return;
    double each = 1.0 / count;
    out[1] = each * fm_sums_total(&sums[0]) - each * fm_sums_total(&sums[1]) * (each * fm_sums_total(&sums[2]));
    out[0] = 2.0 * sqrt(fm_positive(-out[1]));
}

FM_ONE_STEP(fm_roll_spread)
FM_STEP_ONE(step_spread, 0)

const fm_kernel fm_kernel_roll_spread = {
    .name = "roll_spread",
    .summary = "Effective spread, from the bounce of trade prices.",
    .source = "Roll, J. Finance 39, 1984",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "price", .unit = "price", .help = "of the trade"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "spread", .unit = "bp", .usual = NAN, .help = "effective, of the price"},
                           {.name = "covariance", .unit = "bp2", .usual = NAN, .help = "of neighbouring returns"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_spread},
    .warm_up = "once 16 pairs of returns are in the window",
    .cost = "~13 ns, 1136 bytes",
};
