/* kernels/feature/bipower_variation.h - how much the series has moved without its jumps, and which share was jumps.
 *
 * With r the tick returns of the last window, RV = sum r^2 holds everything, BV = pi/2 sum |r_j| |r_j-1| only what is
 * not a single large return: a jump meets two ordinary neighbours. jump_share = max(0, 1 - BV / RV). Bid-ask bounce of
 * trade prices enters in full, and many equal prices draw BV below the truth; of = mid avoids both.
 *
 * Params  window (s).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs variance (1; BV over the window), volatility (1; its root), jump_share (0 … 1; NaN while nothing moved).
 * Error   the window reaches back between 31/32 and 32/32 of its length; each sum is made anew a slice. On a random
 *         walk of n returns jump_share is about 0.3 / sqrt(n) by chance.
 * Source  O. Barndorff-Nielsen & N. Shephard, "Power and bipower variation with stochastic volatility and jumps",
 *         J. Financial Econometrics 2 (2004).
 * Cost    ~12 ns a tick; 64 additions a slice; 592 bytes of state. */
#ifndef FM_KERNELS_FEATURE_BIPOWER_VARIATION_H
#define FM_KERNELS_FEATURE_BIPOWER_VARIATION_H

#include "kernels/common/window.h"

/* ffi:begin */
typedef struct fm_bipower_variation {
    fm_window window;
    double newest; /* x; NaN while empty */
    double move;   /* |return| to it; NaN before there is one */
    fm_sums squares_products[2];
} fm_bipower_variation;
/* ffi:end */

#endif
