/* kernels/feature/cancel_ratio.h - how many orders are cancelled for each that is added, over the last window.
 *
 * ratio = cancels / max(adds, 1). Near 1 is usual where quotes are kept fresh; well above it the book is being
 * emptied, and a jump of both counts with ratio 1 is orders shown and withdrawn.
 *
 * Params  window (s).  Input action.
 * Outputs ratio (1), cancels, adds (events).
 * Error   the window reaches back between 31/32 and 32/32 of its length; counts are exact.
 * Source  J. Hasbrouck & G. Saar, "Technology and liquidity provision: the blurring of traditional definitions", J.
 *         Financial Markets 12 (2009), on orders withdrawn within seconds.
 * Cost    ~7 ns an order; 64 additions a slice; 576 bytes of state. */
#ifndef FM_KERNELS_FEATURE_CANCEL_RATIO_H
#define FM_KERNELS_FEATURE_CANCEL_RATIO_H

#include "kernels/feature/order_to_trade.h"

#endif
