/* kernels/detector/xstream.h - how thin is the past around the new event, at the width where it is thinnest? Chains.
 *
 * A half-space chain lays a grid over the series and their sums, and halves the bins of one of them a level. An event
 * far from all others is alone in wide bins, one beside a dense cluster only in narrow ones: the score takes the width
 * at which it stands out most, so no width has to be chosen. An event that breaks the bond between series is alone in
 * bins of a sum or a difference of them, though no series alone is unusual.
 *
 * Inputs    put on one scale (kernels/common/scaling.h, memory 4 * count events): z.
 *
 * Sums      as many as inputs; sum k is z of input k and, of each other input j, +z where fm_mix_at(1, 8 k + j) mod 6
 *           is 0, -z where it is 1, nothing else: the paper's sparse projections (a third of the inputs each), but
 *           none empty. They are put on one scale in the same way. Chains divide 2 dims features: the inputs, then
 *           the sums. The paper projects to fewer than it has, and the inputs are not among them; with eight at most
 *           nothing need be saved, and a spike of one input stays whole. u = 16384 z + 262144, whole part, 0 … 524288.
 *
 * Chain c   at level l = 1 … depth divides feature fm_mix_below(fm_mix_at(2, 16 c + l), 2 dims) into bins 4 spreads
 *           wide at its first turn in the chain (about half the range of a window), half as wide at each further one:
 *           at turn t = 0, 1, … bin = (u * 2^t + s mod 2^32) >> 16, with the feature's shift s = fm_mix_at(4, 16 c +
 *           feature) >> 48. As in the paper the shift is the same share of a bin at every width, so that the edges
 *           of narrow bins are not those of wide ones.
 *
 * Cells     the key of level l is the sum, over the features divided so far, of their latest bin times (the low half
 *           of fm_mix_at(2, 16 c + l') | 1), l' its level; the cell is the upper 6 bits of key times (the low half of
 *           fm_mix_at(3, 16 c + l) | 1), all mod 2^32: a count-min sketch of one row of 64 cells a level. Different
 *           bins may share a cell, which can only raise a count; the minimum over levels forgives most of it.
 *
 * score     log2(count + 1) + 1 - the mean over chains of the smallest of log2(1 + C) + l over levels, C the events of
 *           the reference (the last full window of `count` events) in the new one's cell of level l. In bits: how
 *           much thinner than if the window were spread evenly, from 0 (all in one bin) to log2(count + 1) (no event
 *           ever near). p: conformal, among the past (3/4 score)^4, so to a twentieth of the score.
 *
 * Params    dims; chains; depth (levels of a chain); count (events of a window). Inputs x … x8.
 *
 * Outputs   score (bits; 1.2 is usual), p, expected (always NaN), ready. None says which input it was: a cell is of
 *           several inputs at once, and the method does not tell their shares.
 *
 * NaN       an event that lacks one of the `dims` inputs changes nothing; its outputs are NaN. NaN and ready 0 until a
 *           window is full.
 *
 * Quality   area under the ROC curve for a spike of 7 sigma in one of 8 series, a series going against the others, a
 *           shift of 4 sigma (tests/unit/kernels/planted.h), at preset: .998, .957, .963; the paper's chains on 100
 *           sparse projections, told the true scales and ranges beforehand, exact counts, windows alike: 1.000, .968,
 *           .982 (mean of three drawings). 64 cells instead of exact counts cost 50 chains .000, .002, .003.
 *
 * Layout    a cell is 32 bits, three counts of 10: of the window that is the reference, of the one being counted, and
 *           one that is being cleared, a few cells an event, for the next; so no event pays for a swap. A window has
 *           1,000 events at most, so no count overflows.
 *
 * State     1,296 + 288 a chain + 256 * chains * depth bytes: 414,096 at preset.
 *
 * Cost      ~3,900 ns at preset with 8 series; with own cells for each of 64 instruments in turn, which then come from
 *           beyond the near caches, ~16,000 ns.
 *
 * Source    E. Manzoor, H. Lamba & L. Akoglu, "xStream: outlier detection in feature-evolving data streams" (KDD
 *           2018). */
#ifndef FM_KERNELS_DETECTOR_XSTREAM_H
#define FM_KERNELS_DETECTOR_XSTREAM_H

#include "kernels/common/scaling.h"
#include "kernels/common/tail.h"

#define FM_XSTREAM_LEVELS 16
#define FM_XSTREAM_CELLS  64 /* of a level */

/* ffi:begin */
typedef struct fm_xstream_chain { /* by level */
    uint32_t width[16];           /* 2^turn */
    uint32_t shift[16];
    uint32_t weight[16]; /* of the bin in the key */
    uint32_t spread[16]; /* of the key over the cells */
    uint8_t feature[16];
    uint8_t before[16]; /* level of the feature's turn before; 16 = none */
} fm_xstream_chain;
typedef struct fm_xstream {
    fm_scaling scaling, sum_scaling;
    fm_tail tail;
    double sign[8][8]; /* by sum and input: 1, -1, 0 */
    double usual;      /* log2(count + 1) + 1 */
    int64_t windows;   /* full ones */
    int32_t chains, depth, count;
    int32_t filled;  /* events of the window being counted */
    int32_t plane;   /* of it, 0 … 2 */
    int32_t cleared; /* cells cleared an event, a multiple of 4 */
} fm_xstream;        /* followed by the chains, then the cells by chain and level */
/* ffi:end */

#endif
