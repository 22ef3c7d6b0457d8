/* kernels/feature/garman_klass.h - volatility from open, high, low and close of bars: seven times as exact as closes.
 *
 * variance = mean over the last `count` bars of ln(high/low)^2 / 2 - (2 ln 2 - 1) ln(close/open)^2, the newest one
 * included. Right for a random walk without drift; moves between bars do not enter (as in kernels/feature/parkinson.h,
 * whose machine this is).
 *
 * Params  count (events: bars).  Inputs open, high, low, close; a bar whose open or close lies outside low … high, or
 *         with a price outside 1e-100 … 1e100, is skipped.
 * Outputs volatility (1; of one bar), variance (1), ratio (newest bar over the bars before it; NaN until they are
 *         `count`).
 * Error   standard error of the variance sqrt(0.27 / count) of it (the source).
 * Source  M. Garman & M. Klass, "On the estimation of security price volatilities from historical data", J. Business
 *         53 (1980).
 * Cost    ~16 ns a bar; 48 + 8 * count bytes of state. */
#ifndef FM_KERNELS_FEATURE_GARMAN_KLASS_H
#define FM_KERNELS_FEATURE_GARMAN_KLASS_H

#include "kernels/feature/parkinson.h"

#endif
