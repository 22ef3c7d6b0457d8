/* kernels/feature/bollinger.h - Bollinger bands: the mean of the last events, and `width` standard deviations around
 * it.
 *
 * The window ends with x itself, as Bollinger has it; a z against the events before x is rolling_moments'.
 *
 * Params  count (events), width (sigma).  Input x.
 * Outputs middle (unit of x; mean of the last `count`), upper, lower (unit of x; middle -+ width * standard deviation,
 *         divided by count), percent_b (1; 0 = x at the lower band, 1 = at the upper; NaN while they are equal),
 *         bandwidth (1; (upper - lower) / middle; NaN unless middle > 0).
 * Warm-up `count` events, x among them.
 * Error   standard deviation 1e-15 * (4 * count + 64) at worst, 1e-15 where the mean moves by a few sigmas a window.
 * Source  J. Bollinger, "Bollinger on Bollinger Bands", McGraw-Hill (2001).
 * Cost    two divisions and a root an event, once in `count` events a pass over them; 136 + 24 * count bytes of state.
 */
#ifndef FM_KERNELS_FEATURE_BOLLINGER_H
#define FM_KERNELS_FEATURE_BOLLINGER_H

#include "kernels/common/laps.h"

/* ffi:begin */
typedef struct fm_bollinger {
    double width; /* sigmas */
    fm_laps laps; /* of one pair */
} fm_bollinger;
/* ffi:end */

#endif
