/* kernels/feature/hawkes.h - how fast records come now, when each calls for more: a self-exciting intensity.
 *
 * intensity = mu + n * beta * S  with S = sum of 2^(-age / half_life) over the records before, beta = ln 2 / half_life,
 * n the branching ratio (the part of records that others called for) and mu = (1 - n) * expected, so that its mean is
 * the usual rate `expected`. Records are counted in windows of 8 half-lives; mean m and variance v of the counts fade
 * over `memory`, and expected = m / (8 half_life). Poisson records have v = m, those that call for others come in
 * clusters; where `branching` is 0, n in 0 … 0.95 solves what holds for such a process,
 *     v / m = 1 + n (2 - n) / (1 - n)^2 * (1 - (1 - exp(-k)) / k)  with k = (1 - n) * 8 ln 2.
 * The record at hand is not in its own intensity.
 *
 * Params  half_life (s; of the excitation), memory (s; half-life of what is usual), branching (0 = estimated).  Input
 *         event (1 on every record).
 * Outputs intensity (1/s), ratio (intensity / expected), expected (1/s), branching. NaN until 8 windows were seen
 *         whole. Of empty windows in a row 16 count: markets close.
 * Error   planted branching ratios of 0, 0.3, 0.6 and 0.8 are found within 0.01 from 60,000 half-lives
 *         (tests/unit/kernels/activity). A rate that drifts looks like branching.
 * Source  A. Hawkes, "Spectra of some self-exciting and mutually exciting point processes", Biometrika 58 (1971), whose
 *         covariance of counts is solved for n; S. Hardiman & J.-P. Bouchaud, "Branching-ratio approximation for the
 *         self-exciting Hawkes process", Physical Review E 90 (2014), for the limit of long windows.
 * Cost    ~10 ns a record; ~1 us more a window; 128 bytes of state. */
#ifndef FM_KERNELS_FEATURE_HAWKES_H
#define FM_KERNELS_FEATURE_HAWKES_H

#include "kernels/common/slices.h"

/* ffi:begin */
typedef struct fm_hawkes {
    fm_slices clock;              /* one slice: the window of a count */
    double fade;                  /* 1 / half-life in ns */
    double beta;                  /* 1/s */
    double per_s;                 /* 1 / length of a window */
    double keep;                  /* what a window leaves of those before */
    double given;                 /* branching ratio; 0 = estimated */
    double excited;               /* S at newest_ns */
    double weight, mean, squares; /* faded, of the counts of windows */
    double branching;             /* n */
    double counted;               /* records in the open window; NaN in the first, which is not whole */
    int64_t newest_ns;
    int64_t windows; /* ever */
} fm_hawkes;
/* ffi:end */

#endif
