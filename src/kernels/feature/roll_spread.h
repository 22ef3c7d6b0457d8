/* kernels/feature/roll_spread.h - the spread that trades really pay, read from how their prices bounce.
 *
 * A price that goes between bid and ask by the toss of a coin has returns whose neighbours' covariance is -(s/2)^2, so
 * s = 2 sqrt(-cov(r_j, r_j-1)), here over the pairs of tick returns of the last window. Where the covariance is
 * positive (a trend, or no bounce) the spread is 0.
 *
 * Params  window (s).  Input price, of trades; of = anything else is not what the method is about.
 * Outputs spread (bp of the price), covariance (bp squared). NaN while fewer than 16 pairs are in the window.
 * Error   the window reaches back between 31/32 and 32/32 of its length. With n pairs and volatility sigma a trade, the
 *         standard error of the covariance is about sqrt((5 (s/2)^4 + 4 (s/2)^2 sigma^2 + sigma^4) / n).
 * Source  R. Roll, "A simple implicit measure of the effective bid-ask spread in an efficient market", J. Finance 39
 *         (1984).
 * Cost    ~13 ns a trade; 128 additions a slice; 1,136 bytes of state. */
#ifndef FM_KERNELS_FEATURE_ROLL_SPREAD_H
#define FM_KERNELS_FEATURE_ROLL_SPREAD_H

#include "kernels/common/window.h"

/* ffi:begin */
typedef struct fm_roll_spread {
    fm_window window;
    double newest;   /* price; NaN while empty */
    double move;     /* return to it, bp; NaN before there is one */
    fm_sums sums[4]; /* over pairs: products, newer returns, older returns, count */
} fm_roll_spread;
/* ffi:end */

#endif
