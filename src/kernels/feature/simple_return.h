/* kernels/feature/simple_return.h - how far the series moved: x over its value before, less 1.
 *
 * What a holding gained; unlike log_return it does not add up over time, but it does over the holdings of a portfolio.
 * Before is the previous tick (window = 0), or the value in force `window` ago, which is kept in 32 slices: it is
 * between 31/32 and 32/32 of the window old. A silent stretch holds the last value.
 *
 * Params  window (s; 0 = the previous tick).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Output  simple_return (1): 0.0001 is one basis point.
 * Warm-up the second tick; with a window, once the series is a window old.
 * Error   relative 3e-16; exact difference for moves below a factor of 2.
 * Source  definition.
 * Cost    one division a tick; 16 bytes of state, 304 with a window. */
#ifndef FM_KERNELS_FEATURE_SIMPLE_RETURN_H
#define FM_KERNELS_FEATURE_SIMPLE_RETURN_H

#include "kernels/common/held.h"

/* ffi:begin */
typedef struct fm_simple_return {
    double window_s;
    double newest; /* x of the newest tick; NaN while empty */
    fm_held held;  /* exists only with a window */
} fm_simple_return;
/* ffi:end */

#endif
