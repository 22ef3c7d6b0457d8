/* kernels/feature/trade_imbalance.h - bought less sold over all that was traded in the last window.
 *
 * The feed's side decides; a trade without one is classified by the tick test (above the last different price =
 * bought, below = sold), and counts only in the total while nothing can be said.
 *
 * Params  window (s).  Inputs price, size, side (+1 buy, -1 sell, NaN unknown). A trade without price or size is
 *         skipped.
 * Outputs imbalance (-1 … 1), net (size).
 * Error   the window reaches back between 31/32 and 32/32 of its length; the tick test is right for about 77 % of
 *         trades (the source).
 * Source  C. Lee & M. Ready, "Inferring trade direction from intraday data", J. Finance 46 (1991); K. Ellis, R.
 *         Michaely & M. O'Hara, "The accuracy of trade classification rules", J. Financial and Quantitative Analysis
 *         35 (2000).
 * Cost    some comparisons and a division a tick; 64 additions a slice; 584 bytes of state. */
#ifndef FM_KERNELS_FEATURE_TRADE_IMBALANCE_H
#define FM_KERNELS_FEATURE_TRADE_IMBALANCE_H

#include "kernels/common/sums.h"
#include "kernels/common/trade_sign.h"

/* ffi:begin */
typedef struct fm_trade_imbalance {
    fm_slices clock;
    fm_tick_rule tick;
    fm_sums net;   /* bought less sold */
    fm_sums gross; /* everything */
} fm_trade_imbalance;
int fm_trade_imbalance_init(fm_trade_imbalance *trades, double window_s); /* 0, or FM_EINVAL */
void fm_trade_imbalance_score(const fm_trade_imbalance *trades, int64_t ts_ns, const double trade[3], double out[2]);
void fm_trade_imbalance_update(fm_trade_imbalance *trades, int64_t ts_ns,
                               const double trade[3]); /* price, size, side */
/* ffi:end */

#endif
