/* kernels/feature/rolling_min_max.h - lowest and highest value of the last window, and where x lies between them.
 *
 * The extremes of each of 32 slices are kept; those of the closed ones are folded anew whenever a slice closes. The
 * new x is part of the window. An empty window holds x alone.
 *
 * Params  window (s).  Input x.
 * Outputs min, max (unit of x), position (0 = at the low, 1 = at the high; NaN while they are equal).
 * Error   the window reaches back between 31/32 and 32/32 of its length; the values themselves are exact.
 * Source  definition.
 * Cost    two comparisons and a division a tick; 64 comparisons a slice; 552 bytes of state. */
#ifndef FM_KERNELS_FEATURE_ROLLING_MIN_MAX_H
#define FM_KERNELS_FEATURE_ROLLING_MIN_MAX_H

#include "kernels/common/slices.h"

/* ffi:begin */
typedef struct fm_rolling_min_max {
    fm_slices clock;
    double low;                         /* of the whole window; +infinity while empty */
    double high;                        /* -infinity while empty */
    double slot_low[32], slot_high[32]; /* of each slice, the open one too */
} fm_rolling_min_max;
int fm_rolling_min_max_init(fm_rolling_min_max *rolling, double window_s); /* 0, or FM_EINVAL */
void fm_rolling_min_max_score(const fm_rolling_min_max *rolling, int64_t ts_ns, double x,
                              double out[3]); /* min, max, position */
void fm_rolling_min_max_update(fm_rolling_min_max *rolling, int64_t ts_ns,
                               double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
