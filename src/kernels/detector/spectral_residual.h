/* kernels/detector/spectral_residual.h - does the newest value stick out once what is regular is taken away?
 *
 * Looked at are N places, N = `count` rounded up to a power of two: the newest N - 5 rows less their mean, and then 5
 * times what the rows before the newest let expect, so that the newest row does not lie at the edge:
 *   expected = x[5] + mean over i = 2 … 6 of 5 (x[1] - x[i]) / (i - 1)       x[i] = the row i before the newest
 * With F their Fourier transform and A_k = max(|F_k|, 1e-8 of the largest |F_k|),
 *   residual map = inverse transform of F_k / (A_{k-1} A_k A_{k+1})^(1/3)    k around the circle
 *   saliency     = |residual map|                                            at each place
 *   score        = saliency of the newest row / mean saliency of the 21 rows before it, at most 1000
 * which is the log amplitude less its moving average over three frequencies, phases kept: what a frequency shares with
 * its neighbours is taken away, and a row that does not fit the rest, a spike or the first of a step, stands out of
 * what is left. 1 is usual; the paper's score is this one less 1, and its threshold 3.
 *
 * Params  count (events).  Input x.
 * Outputs score (1); p: the online conformal tail of score^2 (kernels/common/tail.h), which ranks scores from 1/4 to 55
 *         to 12 %; expected (unit of x): as above; ready (0 or 1). NaN and ready 0 until N - 6
 *         rows are in. A missing x changes nothing. A constant series scores 0. If N < 32, as many rows as there are
 *         before the newest stand for the 21.
 * Error   the transform is exact to 1e-14 of the root of the sum of squares. Times and plus a constant: the same but
 *         for rounding.
 * Source  H. Ren et al., "Time-series anomaly detection service at Microsoft" (KDD 2019), the part before its network.
 * Cost    two transforms of N/2, N/2 logarithms and exponentials: 3.3 us for 128. State: 8 N + 312 bytes. */
#ifndef FM_KERNELS_DETECTOR_SPECTRAL_RESIDUAL_H
#define FM_KERNELS_DETECTOR_SPECTRAL_RESIDUAL_H

#include "kernels/common/tail.h"

#include <stddef.h>

typedef struct fm_spectral_residual {
    int64_t places; /* N, a power of two */
    int64_t seen;   /* rows */
    fm_tail tail;
    double ring[]; /* of N rows, row i at i % N */
} fm_spectral_residual;
size_t fm_spectral_residual_size(const double params[1]);                           /* bytes */
int fm_spectral_residual_init(fm_spectral_residual *state, const double params[1]); /* count; 0, or FM_EINVAL */
void fm_spectral_residual_score(const fm_spectral_residual *state, double x,
                                double out[4]);                          /* score, p, expected, ready */
void fm_spectral_residual_update(fm_spectral_residual *state, double x); /* NaN is skipped */

#endif
