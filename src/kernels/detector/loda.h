/* kernels/detector/loda.h - how rare is the new event in many one-dimensional histograms of sparse random projections?
 *
 * A projection is a weighted sum of a few inputs; an event that breaks the bond between inputs lies far off in those
 * that subtract one from the other, though no input alone is unusual. Lightweight On-line Detector of Anomalies.
 *
 * Inputs    put on one scale (kernels/common/scaling.h, memory 4 * count events), single precision as all below.
 * Weights   cut k uses round(sqrt(dims)) inputs; of two it uses both, or else their bond would go unseen, but for every
 *           fourth cut (k mod 4 = 3), which uses one and so tells whose the surprise is. From the list 0, 1, … the i-th
 *           is swapped with the one fm_mix_below(fm_mix_at(1, 16 k + i), dims - i) places on; its weight is normal,
 *           fm_normal_quantile of ((fm_mix_at(2, 16 k + i) >> 11) + 1/2) / 2^53, and all are divided by the root of the
 *           sum of squares.
 * Histogram 32 bins: (y - centre) * scale + 16, cut to 0 … 31; y the projection, scale 3 over the mean distance from
 *           the centre (at least 0.001), both from the window before (at first 0 and 3). The window being counted
 *           becomes the reference when it has `count` events.
 * score     mean over cuts of f = log2((count + 16) / (c + 1/32)), c the events of the reference in the new one's
 *           bin: bits of surprise. p: conformal, among the past (score / 2)^4, so to a twentieth of the score.
 * a1 … a8   (mean of f over the n cuts that use the input - mean over the m that do not) / sqrt(1/n + 1/m), where
 *           above 0, as shares of their sum: the paper's one-sided test, with one variance for all cuts, which then
 *           cancels. With one input 1; NaN when none is above 0.
 * Few dims  with one, every cut is the same histogram: 4 cuts tell as much as 100. The broken bond of a pair shows only
 *           in cuts whose weights nearly cancel: of series of correlation .9975, the first 40 sigma of their difference
 *           away, none unusual by itself, p = .05 with 2 series, .06 with 3, .10 with 4. mahalanobis watches such bonds.
 *
 * Params    dims; cuts; count (events of a window).  Inputs x … x8.
 * Outputs   score (bits; 4 is usual), p, expected (always NaN), ready, a1 … a8 (NaN beyond dims).
 * NaN       an event that lacks one of the `dims` inputs changes nothing; its outputs are NaN. NaN and ready 0 until a
 *           window is full.
 * Quality   area under the ROC curve for a spike of 7 sigma in one of 8 series, a series going against the others, a
 *           shift of 4 sigma (tests/unit/kernels/planted.h), at preset: .980, .959, .957; the paper's detector with as
 *           many cuts, told the true scales beforehand, windows alike: .995, .966, .969. The input with the largest share
 *           is the planted one in all spikes and 2 of 3 breaks.
 * State     672 + 736 per 4 cuts + 4 * (count + 1, made even) bytes: 21,080 at preset.
 * Cost      ~470 ns at preset with 8 series; the last event of a window also clears a plane of 6 kB.
 * Source    T. Pevný, "Loda: lightweight on-line detector of anomalies", Machine Learning 102 (2016). */
#ifndef FM_KERNELS_DETECTOR_LODA_H
#define FM_KERNELS_DETECTOR_LODA_H

#include "kernels/common/scaling.h"
#include "kernels/common/tail.h"

/* ffi:begin */
typedef struct fm_loda_cuts { /* four projections */
    float weight[8][4];
    float centre[2][4], scale[2][4]; /* of the bins, by plane */
    float sum[4], distance[4];       /* of the window being counted: of y, and from its centre */
    uint16_t count[2][4][32];        /* events in a bin, by plane */
} fm_loda_cuts;
typedef struct fm_loda {
    fm_scaling scaling;
    fm_tail tail;
    int64_t windows; /* full ones */
    int32_t cuts, count;
    int32_t filled;             /* events of the window being counted */
    int32_t plane;              /* of it, 0 or 1 */
    double with[8], without[8]; /* weights of the sums of f over cuts that use the input, and that do not */
} fm_loda;                      /* followed by the cuts, then f by count of events, 0 … count */
/* ffi:end */

#endif
