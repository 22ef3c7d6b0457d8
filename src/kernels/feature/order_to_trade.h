/* kernels/feature/order_to_trade.h - how many orders are sent for each that trades, over the last window.
 *
 * ratio = (adds + modifications + cancellations) / max(executions, 1). Venues cap it for each member; for an
 * instrument a high one says that much is shown and little meant.
 *
 * Params  window (s).  Input action.
 * Outputs ratio (1), orders, executions (events).
 * Error   the window reaches back between 31/32 and 32/32 of its length; counts are exact.
 * Source  Commission Delegated Regulation (EU) 2017/566 on the ratio of unexecuted orders to transactions, which
 *         counts a modification twice and subtracts one; here each message counts once and nothing is subtracted.
 * Cost    ~6 ns an order; 64 additions a slice; 576 bytes of state. */
#ifndef FM_KERNELS_FEATURE_ORDER_TO_TRADE_H
#define FM_KERNELS_FEATURE_ORDER_TO_TRADE_H

#include "kernels/common/window.h"

/* ffi:begin */
typedef struct fm_action_counts { /* the state of cancel_ratio too */
    fm_window window;
    fm_sums over_under[2]; /* what is counted above the line, and below it */
} fm_action_counts;
/* ffi:end */

/* Counts one more; ratio and both counts. */
static inline void fm_action_counts_step(fm_action_counts *counts, int64_t ts_ns, double over, double under,
                                         double out[3])
{
    fm_window_advance(&counts->window, counts->over_under, 2, ts_ns);
    counts->over_under[0].newest += over;
    counts->over_under[1].newest += under;
    out[1] = fm_sums_total(&counts->over_under[0]);
    out[2] = fm_sums_total(&counts->over_under[1]);
    out[0] = out[1] / (out[2] > 1.0 ? out[2] : 1.0);
}

#endif
