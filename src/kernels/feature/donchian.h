/* kernels/feature/donchian.h - Donchian's channel: highest high and lowest low of the last bars, and where the close
 * is.
 *
 * The channel is that of the `count` bars before this one, so that a close can leave it. For a series without bars
 * there is rolling_extremes.
 *
 * Params  count (events: bars).  Inputs high, low, close; a bar with high < low is passed over.
 * Outputs upper, lower, middle (price), position (1; of the close: 0 = at the lower edge, 1 = at the upper, beyond
 *         either = a breakout; NaN while they are equal).
 * Warm-up `count` bars.
 * Error   none in the edges.
 * Source  R. Donchian's four-week rule, in P. J. Kaufman, "Trading Systems and Methods", Wiley (2013); M. van Herk,
 *         Pattern Recognition Letters 13 (1992), for the windows.
 * Cost    two comparisons and a division a bar; 56 + 16 * (count + 1) bytes of state. */
#ifndef FM_KERNELS_FEATURE_DONCHIAN_H
#define FM_KERNELS_FEATURE_DONCHIAN_H

#include "kernels/common/extremes.h"

/* ffi:begin */
typedef struct fm_donchian {
    int64_t missing;     /* bars until it is warm */
    fm_extremes channel; /* of count + 1 bars, the new one among them */
} fm_donchian;
/* ffi:end */

#endif
