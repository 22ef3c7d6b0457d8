/* kernels/feature/order_to_trade.c - see the header. */
#include "kernels/feature/order_to_trade.h"

#include "base/error.h"
#include "kernels/common/one_step.h"
#include "kernels/common/order_action.h"

#include <math.h>

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_window_init(&((fm_action_counts *)state)->window, values[0]);
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_action(in[0]))
        return;
    double executed = in[0] == FM_ACTION_EXECUTE ? 1.0 : 0.0;
    fm_action_counts_step(state, ts_ns, 1.0 - executed, executed, out);
}

FM_ONE_STEP(fm_action_counts)
FM_STEP_ONE(step_ratio, 0)

const fm_kernel fm_kernel_order_to_trade = {
    .name = "order_to_trade",
    .summary = "Orders sent for each that trades, over the last window.",
    .source = "Commission Delegated Regulation (EU) 2017/566",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs =
        (const fm_field[]){
            {.name = "action", .unit = "1", .help = "1 add, 2 modify, 3 cancel, 4 execute; others are skipped"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "ratio", .unit = "1", .usual = NAN, .help = "orders for an execution"},
                           {.name = "orders", .unit = "events", .usual = NAN, .help = "added, modified, cancelled"},
                           {.name = "executions", .unit = "events", .usual = NAN, .help = "in the window"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_ratio},
    .warm_up = "from the first order",
    .cost = "~6 ns, 576 bytes",
};
