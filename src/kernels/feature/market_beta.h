/* kernels/feature/market_beta.h - how much of a move is the market's, and what is left.
 *
 * Log returns of x and of the market over intervals of event time, aligned at multiples of the interval since 1970,
 * each from the last values of the interval before to those of its own; intervals without a record have none. beta is
 * the slope of x's returns on the market's, the past fading with event time (kernels/common/faded_pair.h). With r the
 * returns since the last interval's end, residual = r_x - beta * r_market; residual_z divides by the faded standard
 * deviation of the regression's residuals, so early in an interval it is rather too small. The first interval after a
 * night (kernels/common/slices.h) has no returns: what an instrument did overnight is not a move of ten seconds. A name
 * that trades once an hour needs intervals of half an hour, else every silence is a night.
 *
 * Params  interval (s), half_life (s).  Inputs x, market, > 0; a record without both is skipped.
 * Outputs beta (1), residual (log return; 0.001 is ten basis points), residual_z (sigma), r2 (0 … 1). NaN until 30
 *         intervals are in and the market moves; residual and residual_z also in the first interval after a night.
 * Error   relative error below 1e-10; standard error of beta sqrt((1 / r2 - 1) / n) of it. Short intervals draw beta
 *         down where x trades rarely (Epps): choose one in which both usually trade.
 * Source  W. Sharpe, "Capital asset prices: a theory of market equilibrium under conditions of risk", J. Finance 19
 *         (1964); T. Epps, "Comovements in stock prices in the very short run", J. American Statistical Association 74
 *         (1979).
 * Cost    ~11 ns a record; ~45 ns more an interval; 160 bytes of state. */
#ifndef FM_KERNELS_FEATURE_MARKET_BETA_H
#define FM_KERNELS_FEATURE_MARKET_BETA_H

#include "kernels/common/faded_pair.h"
#include "kernels/common/slices.h"

/* ffi:begin */
typedef struct fm_market_beta {
    fm_slices clock;                /* one slice: the interval */
    double x, market;               /* newest; NaN while empty */
    double x_before, market_before; /* at the end of the interval before; NaN: none, or a night ago */
    double beta, per_sd, r2;        /* of the closed intervals; NaN until they are 30 */
    fm_faded_pair returns;          /* x: the market's, y: x's */
} fm_market_beta;
/* ffi:end */

#endif
