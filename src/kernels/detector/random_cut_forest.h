/* kernels/detector/random_cut_forest.h - how soon would random cuts part the new event from the ones before it?
 *
 * Each tree holds a sample of past events and the boxes around them. A cut falls on an input in proportion to the
 * box's width there, so an event that lies outside of a box is likely to be parted from it, and it matters how near to
 * the root. The score is the expected displacement over all the cuts that might have been, not over one draw.
 *
 * Inputs    put on one scale (kernels/common/scaling.h, memory `count` events), then whole numbers v = 1024 z + 16384,
 *           0 … 32767.
 * Sample    the first `sample` events, then event n (from 0) enters tree t when 16 bits, those at 16 (t mod 4) of
 *           fm_mix_at(1, 32 n + t / 4), are below 65536 sample / min(n + 1, count): first an even sample of all events,
 *           then one in which the chance to be there fades with age, to 1/e after `count` events. It takes the place of
 *           a random one: with b = fm_mix_at(2 + t, n), that of slot fm_mix_below(fm_mix(b), sample), taken out first.
 * Insertion from the root down, step i = 1, 2, …: E_j = how far v_j is outside of the node's box, E their sum, R the
 *           sum of the box's widths, r = fm_mix_below(fm_mix(b + i), E + R). r < E: it is parted here, in the input
 *           j where the running sum of E_j passes r, r' what is left of r there: cut at v_j + r' if v_j is below the
 *           box, else at the box's upper end + r'; a new node holds both. Else the box grows to hold it, on to the
 *           half that v belongs to (right if above the cut). In a leaf with the same v it only counts.
 * score     log2(sample + 1) * mean over trees of s, made from the leaf that v leads to, up: a leaf at depth d (root
 *           0) with the same v, m times: s = (1 - m / (2 sample)) / (d + log2(m + 1)); with another: s = 1 / (d + 1).
 *           A node at depth d with p = E / (E + R): s = p / (d + 1) + (1 - p) s, up to the first box that v is in.
 *           Single precision.
 * a1 … a8   share of each input: what E_j / (E + R) / (d + 1) brought, carried up alike.
 *
 * Params    dims; trees; sample (events in a tree); count (events after which the past has faded to 1/e; from `sample`
 *           on).  Inputs x … x8.
 * Outputs   score (about 0.5 in the midst, 1 is usual, above 2 strange), p (conformal, among the past scores to the
 *           fourth, so to a twentieth of the score), expected (always NaN), ready, a1 … a8 (NaN beyond dims).
 * NaN       an event that lacks one of the `dims` inputs changes nothing; its outputs are NaN. NaN and ready 0 until
 *           `sample` events are in.
 * Error     the grid of v: a thousandth of a spread; beyond 16 spreads events look alike.
 * Quality   area under the ROC curve for a spike of 7 sigma in one of 8 series, a series going against the others, a
 *           shift of 4 sigma (tests/unit/kernels/planted.h), at preset: .999, .967, .985; the paper's forest of the
 *           same size with the largest displacement as the score: 1.000, .936, .992. The input with the largest
 *           share is the planted one in all spikes and 94 of 100 breaks. 20 trees of 128 events, a fifth of the
 *           state: .999, .952, .974, and 90 of 100 breaks.
 * State     552 + trees * (70 sample + 8) bytes: 896,952 at preset for each instrument, 9 GB for
 *           10,000 (20 trees of 128: 179,912 and 1.8 GB). The points lie in the leaves: 16 bytes each, as
 *           many as a store that trees share must have room for, and without its counts and its misses.
 * Cost      ~6 us at preset while the forest is in the cache; 40 us when 64 instruments take turns, whose 57 MB are
 *           not. A tenth of the trees learn an event, so no event costs much more than another.
 * Source    S. Guha, N. Mishra, G. Roy & O. Schrijvers, "Robust random cut forest based anomaly detection on streams"
 *           (ICML 2016); the expected score as in the authors' open forest of Amazon Web Services; the fading sample:
 *           C. C. Aggarwal, "On biased reservoir sampling in the presence of stream evolution" (VLDB 2006). */
#ifndef FM_KERNELS_DETECTOR_RANDOM_CUT_FOREST_H
#define FM_KERNELS_DETECTOR_RANDOM_CUT_FOREST_H

#include "kernels/common/scaling.h"
#include "kernels/common/tail.h"

/* ffi:begin */
typedef struct fm_cut_node { /* nodes 0 … sample - 1 part, the next `sample` are leaves, which lead to themselves */
    uint16_t input;
    uint16_t cut;      /* above it: right. In a leaf: how many events it stands for */
    uint16_t child[2]; /* left, right */
} fm_cut_node;
typedef struct fm_cut_box { /* of a node that parts */
    uint16_t low[8], high[8];
} fm_cut_box;
typedef struct fm_cut_tree { /* followed by 2 s nodes, s boxes, s points of 8 numbers, 2 s parents, s leaves by slot */
    uint16_t root, free_node, free_leaf, unused;
} fm_cut_tree;
typedef struct fm_random_cut_forest {
    fm_scaling scaling;
    fm_tail tail;
    int64_t events;
    int32_t trees, sample, count;
    int32_t tree_size;  /* bytes */
    double unit;        /* log2(sample + 1) / trees */
} fm_random_cut_forest; /* followed by the trees */
/* ffi:end */

#endif
