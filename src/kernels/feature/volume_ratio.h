/* kernels/feature/volume_ratio.h - what was traded in the last window, over what is traded in such a window usually.
 *
 * The usual volume is the faded mean of such windows, sampled at the end of each slice with a trade; a surge enters it
 * as at most 8 times the mean, and a silence longer than the window is no evidence (kernels/common/baseline.h,
 * surge.h). It knows no time of day: the open and the close are busier than the hour before, which is so on every day.
 *
 * Params  window (s), half_life (s), floor (size; smallest usual volume divided by), warm_up (s of event time, 0 =
 *         half_life/4).
 * Input   size (of a trade; NaN is skipped).
 * Outputs ratio (1; 1 = usual), volume (size), usual (size). The trade at hand is counted.
 * Error   the window reaches back between 31/32 and 32/32 of its length.
 * Source  definition; the guarded mean as in Croux, Gelper & Mahieu (2010).
 * Cost    additions and a division a trade; one fm_exp2 and 32 additions a slice; 352 bytes of state. */
#ifndef FM_KERNELS_FEATURE_VOLUME_RATIO_H
#define FM_KERNELS_FEATURE_VOLUME_RATIO_H

#include "kernels/common/surge.h"

/* ffi:begin */
typedef struct fm_volume_ratio {
    fm_surge sizes;
} fm_volume_ratio;
int fm_volume_ratio_init(fm_volume_ratio *ratio, double window_s, double half_life_s, double floor, double warm_up_s);
void fm_volume_ratio_score(const fm_volume_ratio *ratio, int64_t ts_ns, double size,
                           double out[3]);                                       /* ratio, volume, usual */
void fm_volume_ratio_update(fm_volume_ratio *ratio, int64_t ts_ns, double size); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
