/* kernels/feature/welford.h - mean, spread and shape of everything since the start, and how far x is from it.
 *
 * The moments are those of the events before x. Nothing is forgotten: for a series that changes its level there are
 * ewma and rolling_moments.
 *
 * Params  none.  Input x; values beyond 1e70 count as missing.
 * Outputs mean, std (unit of x; divided by the number of events), skew (1; m3 / m2^1.5), kurtosis (1; m4 / m2^2 - 3,
 *         0 for a normal distribution), z (sigmas of x from the mean). While all are equal std is 0, what divides by it
 *         is NaN.
 * Warm-up mean from the second event on, the others once 8 are in.
 * Error   below 1e-11 after 50,000 events, also a million sigmas from 0 (tests/unit/kernels/indicators); a first x that
 *         lies n sigmas from the mean costs n * 1e-16.
 *
 * Source  B. P. Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4
 *         (1962); T. B. Terriberry, "Computing higher-order moments online" (2007); P. Pebay, Sandia report 2008-6212.
 *
 * Cost    three divisions, a root and some thirty multiply-adds an event; 48 bytes of state. */
#ifndef FM_KERNELS_FEATURE_WELFORD_H
#define FM_KERNELS_FEATURE_WELFORD_H

#include "kernels/common/moments.h"

/* ffi:begin */
typedef struct fm_welford {
    double anchor;      /* the first x */
    fm_moments moments; /* of the distances from it, which are exact where x itself is far from 0 */
} fm_welford;
/* ffi:end */

#endif
