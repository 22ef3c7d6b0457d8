/* kernels/feature/order_flow_imbalance.h - net pressure on the best quotes over the last window.
 *
 * Every change of the best bid and ask is one contribution: size that joins or betters the bid and size that leaves
 * the ask push up, the reverse pushes down:  e = [b >= b'] q_b - [b <= b'] q_b' - [a <= a'] q_a + [a >= a'] q_a'  with
 * ' the quote before. Their sum explains most of the price change over seconds. `ratio` divides by the sum of |e|,
 * which makes instruments comparable.
 *
 * Params  window (s).  Inputs bid, bid_size, ask, ask_size; a quote with a side or a size missing, or crossed, is
 *         skipped.
 * Outputs imbalance (size), ratio (-1 … 1; NaN while nothing has changed).
 * Error   the window reaches back between 31/32 and 32/32 of its length.
 * Source  R. Cont, A. Kukanov & S. Stoikov, "The price impact of order book events", J. Financial Econometrics 12
 *         (2014), eq. 4.
 * Cost    some comparisons and a division a tick; 64 additions a slice; 600 bytes of state. */
#ifndef FM_KERNELS_FEATURE_ORDER_FLOW_IMBALANCE_H
#define FM_KERNELS_FEATURE_ORDER_FLOW_IMBALANCE_H

#include "kernels/common/sums.h"

/* ffi:begin */
typedef struct fm_order_flow_imbalance {
    fm_slices clock;
    double bid, bid_size, ask, ask_size; /* the quote before; bid is NaN while empty */
    fm_sums net;                         /* of e */
    fm_sums gross;                       /* of |e| */
} fm_order_flow_imbalance;
int fm_order_flow_imbalance_init(fm_order_flow_imbalance *flow, double window_s); /* 0, or FM_EINVAL */
void fm_order_flow_imbalance_score(const fm_order_flow_imbalance *flow, int64_t ts_ns, const double quote[4],
                                   double out[2]);
void fm_order_flow_imbalance_update(fm_order_flow_imbalance *flow, int64_t ts_ns,
                                    const double quote[4]); /* bid, its size, ask, … */
/* ffi:end */

#endif
