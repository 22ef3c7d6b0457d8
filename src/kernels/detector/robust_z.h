/* kernels/detector/robust_z.h - is x far from the median of the last window, in units of the median absolute
 * deviation?
 *
 * Half of the window may be garbage before median and MAD say something wrong. The window is kept as 64 slices of
 * event time, each represented by its last value: a sample on a grid of time, in which a burst of ticks has no more
 * say than a quiet slice (and an empty slice none). score = |x - median| / (1.4826 MAD), the sigma of a normal sample,
 * at least `floor`. While more than half of the sample is one value, the usual state of ticks, the MAD is 0, and sigma
 * = 1.4826 (share of the values that differ) (median of their distances), in which half of those may be garbage; while
 * all are equal, sigma stays what it was. p is the online conformal tail probability among the past scores
 * (kernels/common/tail.h).
 *
 * Params  window (s), floor (unit of x; smallest sigma divided by).  Input x.
 * Outputs score (sigma), p, expected (unit of x; the median), ready (0 or 1). NaN and ready 0 until 16 slices have a
 *         value and two of them differ, or floor > 0; again NaN when fewer than 16 have one.
 * Error   median and MAD are exact for the up to 63 representatives in closed slices, which reach back between 63/64
 *         of the window and all of it; as an estimate of the whole window's median they have the standard error 1.25
 *         sigma / sqrt(63), i.e. 0.16 sigma on a normal series. p rounds up, to a quarter octave of the score, and is
 *         at least 1e-6.
 * Source  F. Hampel, "The influence curve and its role in robust estimation", JASA 69 (1974); Vovk, Gammerman & Shafer
 *         (2005).
 * Cost    two divisions and four vector additions a tick; about 100 ns a slice, to keep the sample sorted; 1384 bytes
 *         of state. */
#ifndef FM_KERNELS_DETECTOR_ROBUST_Z_H
#define FM_KERNELS_DETECTOR_ROBUST_Z_H

#include "kernels/common/slices.h"
#include "kernels/common/tail.h"

/* ffi:begin */
typedef struct fm_robust_z {
    fm_slices clock;
    double floor;  /* smallest sigma */
    double newest; /* last value of the open slice; NaN while it is empty */
    double median;
    double sigma;      /* NaN until warm and something varied */
    int64_t count;     /* representatives in `sorted` */
    double slot[64];   /* last value of each closed slice, NaN = empty */
    double sorted[64]; /* the same without the empty ones */
    fm_tail tail;
} fm_robust_z;
int fm_robust_z_init(fm_robust_z *detector, double window_s, double floor); /* 0, or FM_EINVAL */
void fm_robust_z_score(const fm_robust_z *detector, int64_t ts_ns, double x,
                       double out[4]);                                   /* score, p, expected, ready */
void fm_robust_z_update(fm_robust_z *detector, int64_t ts_ns, double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
