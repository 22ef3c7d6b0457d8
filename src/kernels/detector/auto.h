/* kernels/detector/auto.h - the detector for a series that nobody configured: value by value, is this row unusual?
 *
 * x is divided by the first |x| that is not 0 and kept to 31 bits, so that a series times any constant scores the same.
 * Two views of it:
 *   Z  the normal score of its mid-rank r in its faded past: Phi^-1((below + equal/2 + 1/2) / (all + 1)), times
 *      all/60 while fewer than 60 rows are in, 0 for the first two. Only order counts: no spike can blind it.
 *   S  x - usual: `usual` is the mean of the half hour of the day (UTC) that the row lies in and, at half weight, of
 *      its two neighbours, each half hour over its last 5 rows or so (weight 1/5 a row, whatever day); before they hold
 *      a row, the mean of all, over 500. Size counts: a small value in place of a large one is seen though both are
 *      common.
 * Each view is also smoothed: m += (v - m) / w with w = 1 + w (1 - 2/(n + 1)), n = 5, 25, 125 rows. Each of the eight
 * streams (x and S themselves, Z and S smoothed) is ranked in its own past, faded over `memory` rows, for a two-sided
 * conformal p. Then
 *   evidence = mean of the eight -log p                               nats; about 1 on a calm series
 *   level    = max(0, evidence - budget * log(min(row + 1, horizon) / 1000))    row = rows before this one
 *   score    = level / (level + threshold), an alarm at 0.5 or more
 * An alarm silences the series for hold * min(row, horizon) rows after the last row whose level reaches `threshold`,
 * except for a level that exceeds the alarm's by `margin` or more. Two weaker levels, 0.93 and 0.86 of the threshold
 * (scores 0.482, 0.462), keep silences of their own, so that who takes a lower bound than 0.5 is told of an event once,
 * too; a silenced row shows at most 0.999 of the lowest level that is silent. For who wants no policy at all,
 * `evidence` is the output.
 *
 * Params  memory (rows), threshold (nats), margin (nats), hold (1), budget (nats), horizon (rows).  Input x.
 * Outputs score; p (share of past evidence as large, kernels/common/tail.h); expected (unit of x: `usual`); ready (0 or
 *         1); evidence (nats). NaN and ready 0 until 30 rows are in. A missing x changes nothing. Late = seen now.
 * Error   ranks are those of a sketch (kernels/common/ranks.h), which moves evidence by 0.22 nats at most; values
 *         that agree to 24 bits are one value. Times a power of two: the same to the bit; times another constant, too,
 *         but for a value whose 32nd bit that moves, which may step over an equal one. What comes once a week, or an
 *         hour later after a change of clocks, is new to it for some days.
 * Source  conformal anomaly detection: R. Laxhammar & G. Falkman, "Inductive conformal anomaly detection for
 *         sequential detection of anomalous sub-trajectories" (2015); p combined by the mean of logarithms:
 *         R. A. Fisher, "Statistical Methods for Research Workers" (1932). docs/quality.md tells how well it does and
 *         how the presets were chosen.
 * Cost    ~1 us a row: eight ranks, up to three logarithms, ten divisions. On every fourth row one of the sketches
 *         merges, never two: 0.7 us without, 2 us with. 11,632 bytes of state. */
#ifndef FM_KERNELS_DETECTOR_AUTO_H
#define FM_KERNELS_DETECTOR_AUTO_H

#include "kernels/common/ranks.h"
#include "kernels/common/tail.h"

/* ffi:begin */
typedef struct fm_auto {
    double memory, threshold, margin, hold, budget, horizon; /* the parameters */
    int64_t newest_ns;                                       /* INT64_MIN before the first row */
    int64_t seen;                                            /* rows */
    double unit;                                             /* 0 until a value differs from 0 */
    double mean;                                             /* of x in units, faded over 500 rows */
    double smooth_weight[3], smooth_z[3], smooth_s[3];       /* over 5, 25, 125 rows */
    double hold_until[3], level_last[3];                     /* of threshold, 0.93, 0.86: row; level of the alarm */
    double slot_mean[48], slot_count[48];                    /* half hours of the day */
    fm_tail tail;                                            /* of evidence */
    fm_ranks stream[8];                                      /* x, S, then Z and S smoothed over 5, 25, 125 rows */
} fm_auto;
int fm_auto_init(fm_auto *detector, const double params[6]); /* in the order above; 0, or FM_EINVAL */
void fm_auto_score(const fm_auto *detector, int64_t ts_ns, double x,
                   double out[5]);                               /* score, p, expected, ready, evidence */
void fm_auto_update(fm_auto *detector, int64_t ts_ns, double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
