/* kernels/feature/move_z.h - the move over the last window, in sigmas of such moves in the last hours: the price spike
 * feature.
 *
 * The move is the log return against the value in force `window` ago (kernels/common/held.h), so a fall in a thousand
 * small steps counts as much as one gap. Sigma is the root of the faded mean of squared moves, sampled once a slice
 * (window/32) and not on every tick, else a burst of quotes would be a hundred witnesses of one move. It ages with
 * event time, a silence counting for one window at most; a squared move enters as at most 16 times the mean (4 sigma),
 * so one spike does not hide the next (kernels/common/baseline.h). `floor` is the smallest sigma: below it a move is
 * nothing that anyone would trade on, however quiet the night.
 *
 * Params  window (s), half_life (s), floor (bp), warm_up (s of event time, 0 = half_life/4).
 * Input   x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs z (sigma), move (1; 0.0001 is one basis point), sigma (1; of a move over the window).
 * Error   the window reaches back between 31/32 and 32/32 of its length. Moves overlap, so sigma has the precision of
 *         about half_life/window independent moves.
 * Source  Mean-zero faded variance as in RiskMetrics (1996); Winsorised as in C. Croux, S. Gelper & K. Mahieu, "Robust
 *         exponential smoothing of multivariate time series" (2010).
 * Cost    two divisions, a root and a short series a tick; one fm_exp2 a slice; 344 bytes of state. */
#ifndef FM_KERNELS_FEATURE_MOVE_Z_H
#define FM_KERNELS_FEATURE_MOVE_Z_H

#include "kernels/common/baseline.h"
#include "kernels/common/held.h"

/* ffi:begin */
typedef struct fm_move_z {
    fm_held held;
    fm_baseline square; /* faded mean of squared moves */
    double floor;       /* smallest variance */
} fm_move_z;
int fm_move_z_init(fm_move_z *move_z, double window_s, double half_life_s, double floor_bp,
                   double warm_up_s);                                                  /* 0, or FM_EINVAL */
void fm_move_z_score(const fm_move_z *move_z, int64_t ts_ns, double x, double out[3]); /* z, move, sigma */
void fm_move_z_update(fm_move_z *move_z, int64_t ts_ns, double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
