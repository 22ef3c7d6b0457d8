/* kernels/detector/isolation_forest.h - how few random cuts set the new event apart from the last ones?
 *
 * Trees of random cuts over samples of the last `count` events. One tree is always being made anew, a bounded number
 * of points an event, and replaces the oldest when it is whole: no event pays for a forest, and none is older than
 * about trees * (levels + 1) * sample / 64 events.
 *
 * Inputs    put on one scale (kernels/common/scaling.h, memory `count` events), then whole numbers v = 1024 z + 16384,
 *           0 … 32767.
 * Tree b    (b = 0, 1, … in the order they were made; kept in place b mod trees) takes `sample` of the events kept, the
 *           i-th is fm_mix_below(fm_mix_at(1, 512 b + i), events kept) places from the start of a ring of `count`,
 *           drawn 64 an event, from the event on that finds `sample` kept; then its nodes are made in the order 1
 *           (root), 2, 3, … (2 n and 2 n + 1 below n), each event as many as it takes to handle 64 points or more.
 * Node n    r = fm_mix_at(2, 512 b + n). Of the inputs fm_mix_below(r, dims) and on, mod dims, the first whose smallest
 *           and largest value differ is cut: right if above cut = smallest + ((r & 0xffffffff) * (largest - smallest)
 *           >> 32). With one point, or all alike, it ends at its depth; so does all at level ceil(log2 sample).
 * score     2^(-h / c(sample)), h the mean over trees of depth + c(n) where the event ends among n points; c(n) =
 *           2 (ln(n - 1) + 0.5772156649) - 2 (n - 1) / n, c(2) = 1, c(1) = 0. 0.5 is usual, towards 1 strange.
 *
 * Params    dims; trees; sample (events in a tree); count (events kept, at least `sample`).  Inputs x … x8.
 * Outputs   score, p (conformal, among the past (2 score)^8, so to a fortieth of the score), expected (always NaN),
 *           ready.
 * NaN       an event that lacks one of the `dims` inputs changes nothing; its outputs are NaN. NaN and ready 0 until
 *           ten trees, or all, are made.
 * Quality   area under the ROC curve for a spike of 7 sigma in one of 8 series, a series going against the others, a
 *           shift of 4 sigma (tests/unit/kernels/planted.h), at preset: .903, .960, .881; the textbook's forest, made
 *           anew every 500 events from the last 2,000: .899, .956, .880.
 * Error     p is among scores of forests whose trees were others. On a series of two values, of which one came in 30 %,
 *           p <= 0.2 came in 29 % and p <= 0.1 in 14 %; on others with ties within 1.3 of the share.
 * State     15,936 + 2,048 a tree (a multiple of 4) + 16 count bytes: 252,736 at preset.
 * Cost      scoring ~850 ns at preset with 8 series, and the part of a tree ~350 ns more.
 * Source    F. T. Liu, K. M. Ting & Z.-H. Zhou, "Isolation forest" (ICDM 2008). */
#ifndef FM_KERNELS_DETECTOR_ISOLATION_FOREST_H
#define FM_KERNELS_DETECTOR_ISOLATION_FOREST_H

#include "kernels/common/scaling.h"
#include "kernels/common/tail.h"

/* ffi:begin */
typedef struct fm_isolation_node {
    uint16_t input, cut; /* above the cut: right */
} fm_isolation_node;
typedef struct fm_isolation_tree {
    fm_isolation_node node[256]; /* 1 … 2^levels - 1 */
    float length[256];           /* depth + c(n), by leaf */
} fm_isolation_tree;
typedef struct fm_isolation_forest {
    fm_scaling scaling;
    fm_tail tail;
    int64_t events;
    int64_t made; /* trees ever */
    int32_t trees, sample, count, levels;
    int32_t drawn;     /* points of the tree being made */
    int32_t next_node; /* that it waits for */
    double unit;       /* -1 / c(sample) */
    float c[257];
    float ended[512];              /* of nodes being made: their length once known, else -1 */
    uint16_t begin[512], end[512]; /* their points */
    uint16_t point[256][8], other[256][8];
    fm_isolation_tree making;
} fm_isolation_forest; /* followed by the trees, then the ring of points of 16 bytes */
/* ffi:end */

#endif
