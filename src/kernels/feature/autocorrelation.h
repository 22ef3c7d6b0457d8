/* kernels/feature/autocorrelation.h - does a move foretell the next? Correlation of returns `lag` ticks apart.
 *
 * Pairs (r_j-lag, r_j) of tick returns fade with event time (kernels/common/faded_pair.h). Below 0 prices bounce or
 * return, above 0 they trend; 0 is a random walk. z = correlation * sqrt(n), with n the effective number of pairs
 * (sum of weights squared over sum of squared weights), is about normal for a random walk.
 *
 * Params  half_life (s), lag (events).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs autocorrelation (-1 … 1), z (sigma). The return to the new x is in. NaN until 30 pairs are in, and while
 *         nothing moves.
 * Error   relative error below 1e-12; returns of changing volatility give z a spread above 1.
 * Source  definition; A. Lo & C. MacKinlay, "Stock market prices do not follow random walks", Review of Financial
 *         Studies 1 (1988).
 * Cost    ~25 ns a tick; 616 bytes of state. */
#ifndef FM_KERNELS_FEATURE_AUTOCORRELATION_H
#define FM_KERNELS_FEATURE_AUTOCORRELATION_H

#include "kernels/common/faded_pair.h"

#define FM_LAG_MAX 64

/* ffi:begin */
typedef struct fm_autocorrelation {
    double newest;   /* x; NaN while empty */
    int64_t lag, at; /* slot of the return `lag` ago, where the newest goes */
    fm_faded_pair pairs;
    double past[64]; /* returns; NaN where there is none yet */
} fm_autocorrelation;
/* ffi:end */

#endif
