/* kernels/feature/rolling_moments.h - mean, spread and shape of the last events, and how far x is from them.
 *
 * The moments are those of the events before x, so that x does not vouch for itself: the last `count` of them, or, with
 * `window`, those of that event time. `feature.rolling_moments{of = …, output = "z"}` is a plain z-score.
 *
 * Params  count (events), window (s; 0 = by count).  Input x; values beyond 1e70 count as missing.
 * Outputs mean, std (unit of x; divided by the number of events), skew (1; m3 / m2^1.5), kurtosis (1; m4 / m2^2 - 3,
 *         0 for a normal distribution), z (sigmas of x from the mean). While all are equal std is 0, what divides by it
 *         is NaN.
 * Warm-up by count, once `count` events are in; by window, mean from the second event, the others once it holds 8.
 * Error   by count: variance 1e-15 * (4 * count + 64) at worst, 1e-15 where the mean moves by a few sigmas a window;
 *         skew and kurtosis 1e-15 * the same to the power 1.5 and 2. By window: that of Welford's method, 1e-15 * the
 *         number of events; it reaches back between 31/32 and 32/32 of its length.
 * Source  M. van Herk, Pattern Recognition Letters 13 (1992), for sums that are not subtracted from; P. Pebay, Sandia
 *         report 2008-6212, for slices that join.
 * Cost    by count: one division, one root and some forty multiply-adds an event, once in `count` events a pass over
 *         them; 144 + 40 * count bytes of state. By window: ~25 ns, 1,392 bytes. */
#ifndef FM_KERNELS_FEATURE_ROLLING_MOMENTS_H
#define FM_KERNELS_FEATURE_ROLLING_MOMENTS_H

#include "kernels/common/laps.h"
#include "kernels/common/moments.h"
#include "kernels/common/slices.h"

/* The state by window; that by count is an fm_laps of two pairs. */
/* ffi:begin */
typedef struct fm_rolling_moments {
    int64_t count; /* 0, which tells it from fm_laps */
    fm_slices clock;
    fm_moments closed;   /* of the slices that are closed */
    fm_moments open;     /* of the open one */
    fm_moments slot[32]; /* of closed slices; that of the open one is empty */
} fm_rolling_moments;
/* ffi:end */

#endif
