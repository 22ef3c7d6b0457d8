/* kernels/detector/spot.h - is x beyond what its tails allow? Extreme value theory on a stream, with or without drift.
 *
 * v = x - drift, drift the mean of the last `depth` values before x (DSPOT), or 0 when depth is 0 (SPOT: for series
 * that stand still, such as returns). v is ranked among the values before it, faded over `memory` events
 * (kernels/common/ranks.h); the outermost 2 % of either side (at least a weight of 10) make a generalised Pareto tail,
 * fitted anew every 32 events (kernels/common/excess.h).
 *
 * p of a side is that of the rank up to the outermost past v, and beyond it that of the tail if smaller. side 0 takes
 * both, p = min(1, 2 smaller); 1 the upper, -1 the lower alone. `upper` and `lower` are drift plus the v of which the
 * tail says `risk` (with side 0 half of it on each side). score = distance of x from expected over that of the limit on
 * its side: above 1 is rarer than `risk`.
 *
 * A v of a score above 2, once there is a fit, enters ranks and drift as one of 2, so no bad print makes the tail or
 * moves the drift far. (To cut at the limit, or to leave anomalies out as the original does, would make the tail too
 * short, ever more so.)
 *
 * Params  depth (events; 0 = SPOT), risk (1), side (0 both, 1 up, -1 down), memory (events), warm (events).  Input x.
 * Outputs score (1), p, expected (unit of x; drift + median of v), ready (0 or 1), upper, lower (unit of x; NaN on a
 *         side that is not asked). NaN and ready 0 until depth + warm values are in and the tails that are asked have a
 *         fit. A missing x changes nothing; time means nothing.
 * Error   that of the sketch (a factor of 1.25 in p) and of the fit; values that agree to 24 bits are one. Between two
 *         fits, 32 events, limits stand still.
 * Source  A. Siffer, P.-A. Fouque, A. Termier & C. Largouet, "Anomaly detection in streams with extreme value theory",
 *         KDD (2017). There all normal peaks since a threshold that was fixed at the start are kept and fitted by
 *         maximum likelihood (Grimshaw); here the sketch forgets, the threshold follows, and probability weighted
 *         moments need no iteration.
 * Cost    ~120 ns; 1,472 bytes and 8 for each of `depth`. */
#ifndef FM_KERNELS_DETECTOR_SPOT_H
#define FM_KERNELS_DETECTOR_SPOT_H

#include "kernels/common/excess.h"
#include "kernels/common/last.h"

typedef struct fm_spot {
    double risk, memory;
    int64_t depth, warm, side;
    int64_t count;          /* values seen */
    double drift;           /* mean of the last `depth` values; 0 when depth is 0 */
    double median;          /* of v */
    double high, low;       /* v at the limits; NaN until there are */
    fm_excess upper, lower; /* of v and of -v */
    fm_ranks ranks;         /* of v */
    fm_last last;           /* the last `depth` values */
    double slot[];          /* of `last` */
} fm_spot;

#endif
