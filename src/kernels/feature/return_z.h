/* kernels/feature/return_z.h - one tick's log return in sigmas of the returns before it.
 *
 * Mean and variance of the tick returns fade with event time (kernels/common/faded.h). `floor` is the smallest sigma
 * divided by, so that a feed which stood still does not make its first cent an event; with floor 0 a series without
 * variance gives NaN. A return is cut to 8 sigma before it enters them, so a bad print does not hide what follows. A
 * tick's return knows nothing of a move made in many small steps: for that, see kernels/feature/move_z.h.
 *
 * Params  half_life (s), floor (bp).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs z (sigma), sigma (1; of one tick's log return), log_return (1).
 * Source  J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th ed. (1996), for fading variances.
 * Cost    three divisions, a root, two short series a tick; 72 bytes of state. */
#ifndef FM_KERNELS_FEATURE_RETURN_Z_H
#define FM_KERNELS_FEATURE_RETURN_Z_H

#include "kernels/common/faded.h"

/* ffi:begin */
typedef struct fm_return_z {
    fm_faded returns;
    double floor;  /* smallest sigma, as a log return */
    double newest; /* x of the newest tick; NaN while empty */
    int64_t count; /* returns seen */
} fm_return_z;
int fm_return_z_init(fm_return_z *return_z, double half_life_s, double floor_bp); /* 0, or FM_EINVAL */
void fm_return_z_score(const fm_return_z *return_z, double x, double out[3]);     /* z, sigma, log_return */
void fm_return_z_update(fm_return_z *return_z, int64_t ts_ns, double x);          /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
