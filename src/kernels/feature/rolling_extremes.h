/* kernels/feature/rolling_extremes.h - exact lowest and highest of the last `count` events, and where x lies between.
 *
 * The new x is one of them. For a window in event time there is rolling_min_max.
 *
 * Params  count (events).  Input x.
 * Outputs min, max (unit of x), position (0 = at the low, 1 = at the high; NaN while they are equal).
 * Warm-up at once, over the events there are.
 * Error   none.
 * Source  M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels",
 *         Pattern Recognition Letters 13 (1992).
 * Cost    three comparisons and a division an event, whatever comes; once in `count` events `count` more comparisons;
 *         1,648 bytes of state at count = 100 (32 + 16 * (count + 1)). */
#ifndef FM_KERNELS_FEATURE_ROLLING_EXTREMES_H
#define FM_KERNELS_FEATURE_ROLLING_EXTREMES_H

#include "kernels/common/extremes.h"

#endif
