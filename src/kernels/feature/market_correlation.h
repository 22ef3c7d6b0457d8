/* kernels/feature/market_correlation.h - does the instrument still move with its market? Rolling correlation.
 *
 * The window is cut into 64 slices. Of each closed slice with a record, the log returns of x and of the market from the
 * last values before the slice to its last ones; their correlation, about their means. The first slice after a night
 * (kernels/common/slices.h) has no returns.
 *
 * Params  window (s; for a name that may be silent for more than half an hour at least 16 such waits, or each return is
 *         a night's and none counts).
 *         Inputs x, market, > 0; a record without both is skipped.
 * Outputs correlation (-1 … 1; NaN until the window holds 16 returns, and while one does not move), returns (how many
 *         the window holds).
 * Error   the window reaches back between 63/64 and 64/64 of its length; computed anew a slice, relative error below
 *         1e-12. Standard error (1 - correlation^2) / sqrt(returns): 0.13 of a full window of unrelated series.
 * Source  definition; T. Epps, J. American Statistical Association 74 (1979), on short slices.
 * Cost    ~5 ns a record; ~250 ns a slice; 1,096 bytes of state. */
#ifndef FM_KERNELS_FEATURE_MARKET_CORRELATION_H
#define FM_KERNELS_FEATURE_MARKET_CORRELATION_H

#include "kernels/common/slices.h"

#define FM_CORRELATION_SLICES 64

/* ffi:begin */
typedef struct fm_market_correlation {
    fm_slices clock;
    double x, market;                   /* newest; NaN while empty */
    double x_before, market_before;     /* before the open slice; NaN: none, or a night ago */
    double correlation, returns;        /* of the closed slices */
    double x_move[64], market_move[64]; /* of each closed slice; NaN = none */
} fm_market_correlation;
/* ffi:end */

#endif
