/* kernels/feature/cancel_ratio.c - see the header. */
#include "kernels/feature/cancel_ratio.h"

#include "base/error.h"
#include "kernels/common/one_step.h"
#include "kernels/common/order_action.h"

#include <math.h>

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 60, .help = "length of the window"},
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
    fm_action_counts_step(state, ts_ns, in[0] == FM_ACTION_CANCEL ? 1.0 : 0.0, in[0] == FM_ACTION_ADD ? 1.0 : 0.0, out);
}

FM_ONE_STEP(fm_action_counts)
FM_STEP_ONE(step_ratio, 0)

const fm_kernel fm_kernel_cancel_ratio = {
    .name = "cancel_ratio",
    .summary = "Orders cancelled for each that is added, over the last window.",
    .source = "Hasbrouck & Saar, J. Financial Markets 12, 2009",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs =
        (const fm_field[]){
            {.name = "action", .unit = "1", .help = "1 add, 2 modify, 3 cancel, 4 execute; others are skipped"}, {0}},
    .outputs = (const fm_field[]){{.name = "ratio", .unit = "1", .usual = 1, .help = "cancels for an add"},
                                  {.name = "cancels", .unit = "events", .usual = NAN, .help = "in the window"},
                                  {.name = "adds", .unit = "events", .usual = NAN, .help = "in the window"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_ratio},
    .warm_up = "from the first order",
    .cost = "~7 ns, 576 bytes",
};
