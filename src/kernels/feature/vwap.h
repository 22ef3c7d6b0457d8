/* kernels/feature/vwap.h - volume-weighted average price of the last window, and how far this trade is from it.
 *
 * vwap_deviation seen from the average: the same state, the same numbers, for who wants the price. The average is that
 * of the trades before this one.
 *
 * Params  window (s).  Inputs price, size; a trade without either, or of size 0, is skipped.
 * Outputs vwap (price), deviation (bp; price / vwap - 1).
 * Warm-up the second trade of a window.
 * Error   the window reaches back between 31/32 and 32/32 of its length; the average 1e-15.
 * Source  S. Berkowitz, D. Logue & E. Noser, "The total cost of transactions on the NYSE", J. Finance 43 (1988).
 * Cost    that of vwap_deviation; 856 bytes of state. */
#ifndef FM_KERNELS_FEATURE_VWAP_H
#define FM_KERNELS_FEATURE_VWAP_H

#include "kernels/feature/vwap_deviation.h"

#endif
