/* kernels/detector/context_novelty.h - was this value ever seen to follow what came before it?
 *
 * x becomes one of `levels` levels by where it stands in its own past, faded over `memory` rows: r = (below + equal/2 +
 * 1/2) / (all + 1) of kernels/common/ranks.h. The lowest level has r < 0.01, the highest r >= 0.99, the others share
 * the rest alike. A context is the levels of the last d rows, d = 0 … depth; for each is counted which level came next.
 * From the shortest context to the longest, each relies on the one before where it knows little:
 *   p[-1] = 1 / levels       p[d] = (times this level came + e p[d-1]) / (times the context came + e)
 *   score = -log p[depth]    nats          e = how many different levels came in the context, at least 1
 * where x lies within a quarter of its level from the next one, by rank, the greater p of the two counts, else a border
 * through the midst of like values would make news. So a value that is common may be news where it stands, and a spike
 * in its beat is none.
 *
 * At most `kept` contexts are held, a multiple of 4. Which four places may hold one is decided by its hash, and if none
 * of them does, the one not met for longest is given up. A context that came 512 times has its counts halved, rounded
 * down. Levels enter with what they were when they came.
 *
 * Params  levels (1), depth (rows), kept (contexts), memory (rows).  Input x.
 * Outputs score (nats); p: the online conformal tail of 4 score^2 (kernels/common/tail.h), which ranks scores from 1/8
 *         to 27 nats to 12 %; expected (unit of x): mean over the levels, by p[depth], of their mean, each faded over
 *         `memory` rows of that level; ready (0 or 1). NaN and ready 0 until 100 rows are in. A missing x changes
 *         nothing: rows are counted, not time.
 * Error   levels are those of a sketch, whose ranks are within a factor of 1.25 of the exact ones at the ends; counts
 *         are exact. Two contexts of one tag (31 bits) in the same four places are taken for one. Times and plus a
 *         constant: the same but for what rounding to 24 bits of (x - first x) does.
 * Source  after the idea of context anomalies: M. Smirnov, "Contextual Anomaly Detector, open source edition" (2016),
 *         and S. Ahmad et al., "Unsupervised real-time anomaly detection for streaming data" (2017); back-off as method
 *         C of A. Moffat, "Implementing the PPM data compression scheme" (1990).
 * Cost    a rank, depth + 1 contexts looked up twice, levels * depth multiplications, a logarithm: 0.45 us at the
 *         presets. State: 8 ceil((10 + 2 levels) / 8) kept + 1,920 bytes, 67,456 with the presets. */
#ifndef FM_KERNELS_DETECTOR_CONTEXT_NOVELTY_H
#define FM_KERNELS_DETECTOR_CONTEXT_NOVELTY_H

#include "kernels/common/ranks.h"
#include "kernels/common/tail.h"

#include <stddef.h>

#define FM_CONTEXT_LEVELS_MAX 16

typedef struct fm_context_novelty {
    int64_t levels, depth, kept;
    double memory;
    int64_t slot_size;   /* bytes */
    int64_t seen;        /* rows */
    double origin, unit; /* the first x, and the first distance from it; 0 until there is one */
    uint8_t past[8];     /* levels of the last rows, newest first */
    double level_mean[FM_CONTEXT_LEVELS_MAX], level_count[FM_CONTEXT_LEVELS_MAX]; /* of (x - origin) / unit */
    fm_tail tail;
    fm_ranks ranks;
    uint64_t slots[];
} fm_context_novelty;
size_t fm_context_novelty_size(const double params[4]); /* bytes */
int fm_context_novelty_init(fm_context_novelty *state,
                            const double params[4]); /* levels, depth, kept, memory; 0, or FM_EINVAL */
void fm_context_novelty_score(const fm_context_novelty *state, double x, double out[4]); /* score, p, expected, ready */
void fm_context_novelty_update(fm_context_novelty *state, double x);                     /* NaN is skipped */

#endif
