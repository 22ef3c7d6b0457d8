/* kernels/detector/art.h - is the newest window like one of the prototypes that the series itself has made?
 *
 * Six features of the last `count` rows, x the newest: x, its step from the row before, the mean and the standard
 * deviation of the rows, x less the mean, and the mean of the newer rows less that of the floor(count / 2) older ones.
 * A feature f becomes u = 1/2 + d / 2 (s + |d|), d = f - m; m is its mean and s its mean |d| over the rows before, by
 * m += d / n, s += (|d| - s) / n, n = min(row, memory), with d cut to 8 s once 16 are in. So u is 1/4 or 3/4 at a usual
 * distance, and nears 0 or 1 without reaching them. The input is I = (u, 1 - u), twelve numbers whose sum is 6.
 *   match   = |min(I, w)| / 6, for a prototype w; |…| is the sum
 *   score   = 1 - the best match: 0 = as seen before, 1 = as far as can be
 *   limit   = mean of |u - u of the row before| / 6, over `memory` rows, kept within 0.02 … 0.25
 * Of the prototypes with 1 - match <= limit, the one with the largest |min(I, w)| / (0.001 + |w|) learns: w += rate
 * (min(I, w) - w), which makes it stand for a box of windows. If there is none, I becomes a prototype, in place of the
 * least used one if `kept` are there. Uses are counted, and halved every `memory` rows. So vigilance (1 - limit)
 * follows from how much the series moves from row to row, and what came once is no news the next time.
 *
 * Params  count (events), kept (prototypes), memory (rows), rate (1).  Input x.
 * Outputs score (1); p: the online conformal tail of 49152 score^4 (kernels/common/tail.h), which ranks scores from
 *         1/30 to 1/2 to 4 %, its counts halved whenever 4 memory are in, so at least 1 / (4 memory); expected (unit of
 *         x): the row before plus the mean of the steps that followed the prototype of that row, over the last 20 or
 *         so; ready (0 or 1); limit (1): a score above it makes a prototype. NaN and ready 0 until count + 130 rows are
 *         in, the first 30 of which make no prototypes. A missing x changes nothing: rows are counted, not time.
 *
 * Error   features are made afresh from the rows. Times and plus a constant: the same but for rounding. A value far off
 *         among the first 16 widens the scales until `memory` rows have passed some times. Scores fall while prototypes
 *         are learned and drift with the limit after that, so p is exact neither early nor late: on series of seven
 *         kinds (normal, heavy tails, bursts, ticks), rows 1,000 to 10,000, p <= 0.1 came in 4 to 12 %, p <= 0.01 in
 *         0.1 to 1.2 %; the 50,000 rows after that 7 to 10 % and 0.7 to 0.9 %, p <= 0.001 in 0.07 to 0.1 %.
 *
 * Source  G. Carpenter, S. Grossberg & D. Rosen, "Fuzzy ART: fast stable learning and categorization of analog patterns
 *         by an adaptive resonance system" (1991).
 * Cost    twelve minima a prototype, two at a time: 0.65 us at the presets. State: 128 kept + 8 count + 504 bytes,
 *         17,048 with the presets. */
#ifndef FM_KERNELS_DETECTOR_ART_H
#define FM_KERNELS_DETECTOR_ART_H

#include "kernels/common/tail.h"

#include <stddef.h>

#define FM_ART_FEATURES  6
#define FM_ART_COUNT_MAX 256

typedef struct fm_art_prototype {
    double weight[2 * FM_ART_FEATURES];
    double sum; /* of the weights */
    double uses;
    double step, steps; /* mean of the steps that followed, and how many it stands for */
} fm_art_prototype;
typedef struct fm_art {
    int64_t count, kept;
    double memory, rate;
    int64_t seen;                                          /* rows */
    int64_t prototypes;                                    /* made */
    int64_t newest;                                        /* that of the row before; negative = none */
    double moved;                                          /* mean distance from row to row, over 6 */
    double mean[FM_ART_FEATURES], spread[FM_ART_FEATURES]; /* of each feature */
    double before[FM_ART_FEATURES];                        /* u of the row before */
    fm_tail tail;
    double rings[]; /* the last `count` rows, row i at i % count; the prototypes */
} fm_art;
size_t fm_art_size(const double params[4]);                      /* bytes */
int fm_art_init(fm_art *state, const double params[4]);          /* count, kept, memory, rate; 0, or FM_EINVAL */
void fm_art_score(const fm_art *state, double x, double out[5]); /* score, p, expected, ready, limit */
void fm_art_update(fm_art *state, double x);                     /* NaN is skipped */

#endif
