/* kernels/detector/half_space_trees.h - how thinly are the last events spread where the new one fell? Trees of halves.
 *
 * Every tree cuts the space of the inputs `depth` times in two, always in the middle of what is left of one input, and
 * counts how many of the last `count` events (the reference window) lie in each part. Where the new event falls into
 * a part with few of them it is unusual. The window being counted becomes the reference when it is full.
 *
 * Inputs    put on one scale (kernels/common/scaling.h, memory 4 * count events), then u = 65536 (z + 8) / 16, cut to
 *           0 … 65535: eight spreads to either side are the paper's [0, 1].
 * Ranges    of tree t, input j: s = (FM_MIX(8 t + j) >> 48) / 65536 and the range from s - 2 m to s + 2 m, where
 *           m = max(s, 1 - s). Of u in this range 16 binary digits y are taken: y = (u a >> 16) + b, where with
 *           M = max(S, 65536 - S), S = 65536 s, a = 2^30 / M and b = 32768 - 16384 S / M (whole parts).
 * Nodes     number 1 is the root, 2 n and 2 n + 1 are the halves of n. A node cuts its input in the middle, which is
 *           to ask for the next digit of that y. Four levels are a block of 15 nodes that share one random number,
 *           A = fm_mix_fast((1 + 4 t + g) << 40 | path), g = (level - 1) / 4, path = the digits asked above the
 *           block. Within a block the nodes, numbered from its own root, stand in the order 1 2 3, 4 8 9, 5 10 11,
 *           6 12 13, 7 14 15: the one that stands i-th (from 1) takes the 4 bits at 4 i of A and input
 *           (bits * dims / 16 + t) mod dims. So the structure is a function of the tree and held nowhere, whatever
 *           the number of instruments.
 * Masses    a block counts what ends in each of its 16 lowest parts, up to 255; the mass of a higher one is their
 *           sum. Blocks of levels 1 to 8 are all there; one of levels 9 to 12 or 13 to 16 lies in one of 32 places of
 *           its tree (the low 5 bits of A), which it may share with others.
 * score     1 / (8 m / 2^depth + 1/1024), m the mean over trees of mass * 2^level / count at the first node on the
 *           way down with a mass of count/10 or less, or at the last: the density there in units of an even spread.
 *           p: conformal (kernels/common/tail.h).
 *
 * Params    dims; trees; depth (levels); count (events of a window). Inputs x … x8.
 * Outputs   score (1/8 … 1024, which is where no event was), p, expected (always NaN), ready.
 * NaN       an event that lacks one of the `dims` inputs changes nothing; its outputs are NaN. NaN and ready 0 until a
 *           window is full.
 * Error     more than 255 in one lowest part of a block count as 255: dense parts look less dense than they are, and
 *           no score is below count / 2040. With more than 255 * 2^depth / 8 events a window (2,040 at 6 levels, 8,160
 *           at 8) a part eight times as dense as an even spread looks like one: take more levels, or fewer events.
 *           Shared places can only raise a mass, and only below level 8.
 * Quality   area under the ROC curve for a spike of 7 sigma in one of 8 series, a series going against the others, a
 *           shift of 4 sigma (tests/unit/kernels/planted.h): 25 trees of 8 levels, 250 events .935, .949, .767; the
 *           textbook's trees, told the true ranges beforehand: .952, .926, .802. 15 levels .938, .942, .853, textbook
 *           .946, .933, .832. At preset (500 events) .937, .956, .791.
 * Layout    a block is 3 times 16 bytes: the window that is the reference, the one being counted, and one that is
 *           being cleared, a few blocks an event, for the next; so no event pays for a swap. 25 trees of 8 levels
 *           touch 50 blocks, whose addresses do not depend on what is in them, so they are fetched side by side.
 * State     712 + 48 * trees * (1, 17, 49 or 81 for depth up to 4, 8, 12, 16) bytes: 21,112 at preset.
 * Cost      10 trees of 8 levels 220 ns, 25 of 8 490 ns, 25 of 15 1,150 ns; 25 of 8 with own masses for each of 1,000
 *           instruments in turn 860 ns.
 * Source    S. C. Tan, K. M. Ting & F. T. Liu, "Fast anomaly detection for streaming data" (IJCAI 2011). */
#ifndef FM_KERNELS_DETECTOR_HALF_SPACE_TREES_H
#define FM_KERNELS_DETECTOR_HALF_SPACE_TREES_H

#include "kernels/common/scaling.h"
#include "kernels/common/tail.h"

/* ffi:begin */
typedef struct fm_half_space_block {
    uint8_t mass[3][16]; /* window w is counted in mass[w mod 3] */
} fm_half_space_block;
typedef struct fm_half_space_trees {
    fm_scaling scaling;
    fm_tail tail;
    int32_t trees, depth, count;
    int32_t limit;        /* largest mass that ends the way down */
    int32_t filled;       /* events of the window being counted */
    int32_t block_count;  /* of all trees */
    int32_t cleared;      /* blocks cleared an event */
    int32_t plane;        /* window being counted, mod 3 */
    int64_t windows;      /* full ones */
    double unit;          /* 8 / (trees * count * 2^depth) */
    uint8_t input_of[16]; /* by 4 random bits: where the high byte of that input's digits is */
    uint8_t turn[8][16];  /* by tree mod dims: the inputs in the order of that tree, as byte places */
} fm_half_space_trees;    /* followed by the blocks: the first of each tree, then 16 a tree, then 32 a tree, twice */
/* ffi:end */

#endif
