/* kernels/detector/mahalanobis.h - how far is a row of series from where they usually are together?
 *
 * Means and covariances fade with event time, a silence fading them to one half at most. With v_i = (x_i - mean_i) /
 * sigma_i, cut to ±1e6, and R = (1 - shrink) times the correlations, with ones on the diagonal, score = d = sqrt(v'
 * R^-1 v), so two series that always move together and suddenly do not are far out though neither is. Shrinking towards
 * no correlation keeps R invertible however alike the series are. A row of d > clip sqrt(dims) enters means and
 * covariances as far out as that, in its direction. A series that does not vary has no part (v = 0, no correlations).
 * method 0: p is the online conformal tail probability among the past scores (kernels/common/tail.h); method 1: that of
 * a chi-square with as many degrees of freedom as series vary, right for normal series and a half-life of many rows.
 * Attribution: what d^2 would lose without the series, u_i^2 / (R^-1)_ii with u = R^-1 v, over the sum of these: a1 …
 * a8 add up to 1.
 *
 * Params  dims (1…8), half_life (s), shrink (1), clip (sigma), method.  Inputs x, x2 … x8.
 * Outputs score (sigma), p, expected (unit of x; its mean), ready (0 or 1), a1 … a8 (NaN beyond dims and while the
 *         score is 0). NaN and ready 0 until 30 + 2 dims rows are in and one series varies. A row with a missing value
 *         changes nothing. Late = seen now.
 * Error   of d: 1e-10 at shrink 0.01 and more; it grows as 1 / shrink. p rounds up, to a quarter octave of the score
 *         (method 0), or to 1e-300 (method 1; relative error 1e-12 above).
 * Source  P. Mahalanobis, "On the generalised distance in statistics" (1936); shrinkage: O. Ledoit & M. Wolf, "A
 *         well-conditioned estimator for large-dimensional covariance matrices" (2004), with a given weight; by a
 *         Cholesky factor of R in each row, which no error is carried along in.
 * Cost    ~60 ns at one series, ~450 ns at eight; 936 bytes. */
#ifndef FM_KERNELS_DETECTOR_MAHALANOBIS_H
#define FM_KERNELS_DETECTOR_MAHALANOBIS_H

#include "kernels/common/tail.h"

typedef struct fm_mahalanobis {
    int64_t dims, method;
    double fade; /* 1 / half-life in ns */
    double shrink, clip;
    double weight; /* faded count of rows */
    double mean[8];
    double square[8][8]; /* faded sums of products of distances; lower triangle */
    int64_t newest_ns;
    int64_t count; /* rows */
    fm_tail tail;
} fm_mahalanobis;

#endif
