/* kernels/feature/lead_lag.h - which moves first, the instrument or its market, and by how much?
 *
 * Log returns of both over intervals of event time (0 where nothing came), as in kernels/feature/market_beta.h. For
 * each lag k from -lags to lags intervals, the faded correlation about 0 of x's returns with the market's k intervals
 * before; lag is the k of the largest |correlation|, the smallest |k| of equals. Positive: the market leads. An
 * interval fades the past by 2^(-interval / half_life); of a silence `lags` intervals count, and the first interval
 * after a night (kernels/common/slices.h) does not.
 *
 * Params  interval (s; as in market_beta.h for a name that is often silent), lags (intervals each way), half_life (s).  Inputs x, market, > 0; a record without both is
 *         skipped.
 * Outputs lag (s), correlation (-1 … 1, at that lag), together (-1 … 1, at lag 0). NaN until 64 intervals are in, and
 *         while one does not move.
 * Error   a market whose price comes once a second is up to a second late, and seems to lag by that: take intervals of
 *         several seconds. Relative error below 1e-12. Of unrelated series |correlation| reaches about 2.5 / sqrt(n)
 *         with n = 1.44 half_life / interval: believe a lag only above that.
 * Source  the plain cross-correlation on a grid, as H. Stoll & R. Whaley, "The dynamics of stock index and stock index
 *         futures returns", J. Financial and Quantitative Analysis 25 (1990), looked for leads. An interval without a
 *         tick counts as no move, which weakens the correlation and lets the one that ticks more seem to lead. For
 *         irregular ticks there is an estimator of its own: F. de Jong & T. Nijman, "High frequency analysis of
 *         lead-lag relationships between financial markets", J. Empirical Finance 4 (1997).
 * Cost    ~5 ns a record; ~20 ns + 8 ns * lags more an interval; 800 bytes of state. */
#ifndef FM_KERNELS_FEATURE_LEAD_LAG_H
#define FM_KERNELS_FEATURE_LEAD_LAG_H

#include "kernels/common/slices.h"

#define FM_LEAD_LAGS_MAX 20

/* ffi:begin */
typedef struct fm_lead_lag {
    fm_slices clock;                /* one slice: the interval */
    double x, market;               /* newest; NaN while empty */
    double x_before, market_before; /* at the end of the interval before; NaN: none, or a night ago */
    double interval, keep;
    int64_t lags, intervals; /* counted ever */
    double lag, correlation, together;
    double x_square, market_square;       /* faded sums */
    double x_move[21], market_move[21];   /* newest first */
    double after_market[21], after_x[21]; /* faded sums of products at each lag */
} fm_lead_lag;
/* ffi:end */

#endif
