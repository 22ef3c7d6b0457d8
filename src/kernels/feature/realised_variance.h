/* kernels/feature/realised_variance.h - how much the series has moved: the sum of squared tick returns over the last
 * window.
 *
 * The return to the new x is part of it. Nothing is annualised: `volatility` is the root, the size of a usual move
 * over the window. Bid-ask bounce of trade prices enters in full; of = mid avoids it.
 *
 * Params  window (s).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs variance (1; of log returns), volatility (1; 0.001 is ten basis points).
 * Error   the window reaches back between 31/32 and 32/32 of its length; each sum is made anew a slice, so rounding
 *         does not build up.
 * Source  T. Andersen, T. Bollerslev, F. Diebold & P. Labys, "Modeling and forecasting realized volatility",
 *         Econometrica 71 (2003).
 * Cost    one division, a short series and a root a tick; 32 additions a slice; 312 bytes of state. */
#ifndef FM_KERNELS_FEATURE_REALISED_VARIANCE_H
#define FM_KERNELS_FEATURE_REALISED_VARIANCE_H

#include "kernels/common/sums.h"

/* ffi:begin */
typedef struct fm_realised_variance {
    fm_slices clock;
    double newest;    /* x of the newest tick; NaN while empty */
    int64_t whole_ns; /* event time from which the window has been seen whole */
    fm_sums squares;
} fm_realised_variance;
int fm_realised_variance_init(fm_realised_variance *realised, double window_s); /* 0, or FM_EINVAL */
void fm_realised_variance_score(const fm_realised_variance *realised, int64_t ts_ns, double x, double out[2]);
void fm_realised_variance_update(fm_realised_variance *realised, int64_t ts_ns,
                                 double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
