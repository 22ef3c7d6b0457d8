/* kernels/detector/market_bars.h - the detector `market` on bars: whole ones tell more than their closes.
 *
 * As kernels/detector/market.h says, with open, high, low and close of the instrument's bars for a record: highs and
 * lows within the bar count for the range, its open for the opening. Bars shorter than `window` are joined, longer ones
 * pass as they are.
 *
 * Params  of market.  Inputs open, high, low, close (> 0).  Outputs of market.
 * NaN     a bar with a missing price changes nothing. Late = seen now.
 * Cost    of market; 10,024 bytes of state. */
#ifndef FM_KERNELS_DETECTOR_MARKET_BARS_H
#define FM_KERNELS_DETECTOR_MARKET_BARS_H

#include "kernels/detector/market.h"

extern const fm_kernel fm_kernel_market_bars; /* all there is: the functions are fm_market_… on records */

#endif
