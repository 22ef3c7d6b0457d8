/* kernels/feature/spread_ratio.h - the spread over the last seconds against what is usual: does liquidity evaporate?
 *
 * The spread of the last window is weighted by the time each quote stood, so a flicker of one quote counts as little
 * as it lasted. The usual one is the faded mean of such windows, sampled once a slice (kernels/common/baseline.h; a
 * sample enters as at most 4 times the mean). A quote that is locked, crossed or one-sided has no spread and counts as
 * missing: the last good one stays in force, for one window at most. A quote counts from the next one on, when it has
 * stood. `floor` is the smallest usual spread divided by.
 *
 * Params  window (s), half_life (s), floor (bp), warm_up (s of event time, 0 = half_life/4).  Inputs bid, ask.
 * Outputs ratio (1), spread (bp; of the window), usual (bp).
 * Error   the window reaches back between 31/32 and 32/32 of its length; a quote that stood over several slices is
 *         booked in the slice in which it ended, and as standing one window at most.
 * Source  Time-weighted quoted spread as in the market quality reports of SEC Rule 605 (17 CFR 242.600-605).
 * Cost    three divisions a tick; one fm_exp2 a slice; 640 bytes of state. */
#ifndef FM_KERNELS_FEATURE_SPREAD_RATIO_H
#define FM_KERNELS_FEATURE_SPREAD_RATIO_H

#include "kernels/common/baseline.h"
#include "kernels/common/sums.h"

/* ffi:begin */
typedef struct fm_spread_ratio {
    fm_slices clock;
    fm_baseline usual; /* bp */
    double floor;      /* bp */
    double newest;     /* spread in force, bp; NaN = none */
    int64_t since_ns;  /* since when */
    fm_sums product;   /* spread * time, bp * s */
    fm_sums time;      /* s */
} fm_spread_ratio;
int fm_spread_ratio_init(fm_spread_ratio *ratio, double window_s, double half_life_s, double floor_bp,
                         double warm_up_s);
void fm_spread_ratio_score(const fm_spread_ratio *ratio, int64_t ts_ns, double bid, double ask, double out[3]);
void fm_spread_ratio_update(fm_spread_ratio *ratio, int64_t ts_ns, double bid, double ask);
/* ffi:end */

#endif
