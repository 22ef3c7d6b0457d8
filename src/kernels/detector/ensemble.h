/* kernels/detector/ensemble.h - one verdict of several detectors, with a budget of false alarms that is kept.
 *
 * input 0: x … x8 are p-values; below 1e-15 they count as 1e-15, above 0.99 as 0.99 (a 1 would undo any evidence in
 *   method 1).
 * input 1: they are raw scores, larger is stranger, each ranked in its own past over `memory` events
 *   (kernels/common/ranks_from.h): p = (weight at or above, + 1) / (weight + 1).
 *
 * A missing one, of a detector that is not ready, is left out and the others speak. With n that speak (`heard`):
 *
 *   method 0, Fisher: -2 sum log p is chi-square of 2 n degrees: p = T (1 + l + l^2/2 + … + l^(n-1)/(n-1)!),
 *     l = -log T, T the product. For independent detectors; for related ones it is too small.
 *
 *   method 1, Cauchy: p = 1/2 - atan(mean of cot(pi p_i)) / pi. Right in the limit of small p however they are related,
 *     as is proved for p-values of scores that are normal in pairs.
 *
 *   method 2, Bonferroni: p = min(1, n smallest p). Never too small, however they are related.
 *
 * score = -log10 p. Attribution: `cause`, the number (1…8) of the input that carries most of it, the first of equal
 * ones, and `share`, its part: of the sum of -log p (method 0), of the sum of 1/p (methods 1 and 2).
 *
 * Alarms spend a budget: wealth grows by `budget` a day of event time, up to that of an hour, with which it also
 * begins; each event is tested at alpha = wealth / 64, which is taken from it, and p <= alpha is an alarm. So the
 * false alarms expected in any time are at most the wealth spent in it: `budget` a day, if the p-values are valid,
 * however events come and however tests depend on each other. (With fewer than 64 events an hour a part of it lapses.)
 * A test within `silence` of an alarm, or of an event that would have been one at that alarm's alpha, is not made and
 * spends nothing: one event is counted once.
 *
 * Params  dims (1…8), method, input, budget (alarms a day), silence (s), memory (events; input 1), warm (events).
 *         Inputs x, x2 … x8.
 * Outputs score (decades), p, expected (1; the alpha of this test, 0 while silent), ready (0 or 1), alarm (0 or 1),
 *         spent (alarms; false ones expected so far), cause (1…8), share (1), heard (1…8). NaN and ready 0 until
 *         `warm` rows are in. A row of missing values alone changes nothing. Late = seen now.
 * Error   of p: 1e-12 relative (methods 0, 2), 1e-9 (method 1). With budget 1 and 1e5 events a day alpha is 1e-5: only
 *         p-values that reach so far can raise an alarm (calibrate with method 1, or several in agreement).
 * Source  R. Fisher, "Statistical methods for research workers" (1932); Y. Liu & J. Xie, "Cauchy combination test: a
 *         powerful test with analytic p-value calculation under arbitrary dependency structures", JASA 115 (2020);
 *         spending: K. Lan & D. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983), D.
 *         Foster & R. Stine, "Alpha-investing", JRSS B 70 (2008), here without a reward for alarms, so that it bounds
 *         their number and not their share.
 * Cost    ~120 ns at two inputs, ~270 at eight; with input 1 ~100 more for each; 112 bytes, with input 1 1,304 more
 *         for each. */
#ifndef FM_KERNELS_DETECTOR_ENSEMBLE_H
#define FM_KERNELS_DETECTOR_ENSEMBLE_H

#include "kernels/common/ranks_from.h"

typedef struct fm_ensemble {
    int64_t dims, method, input;
    double memory;
    double rate, most; /* wealth a ns; the most of it */
    int64_t silence_ns, warm;
    double wealth, spent;    /* alarms */
    double level;            /* alpha of the last alarm */
    int64_t newest_ns;       /* INT64_MIN before the first row */
    int64_t silent_until_ns; /* INT64_MIN before the first alarm */
    int64_t count;           /* rows */
    fm_ranks_from ranks[];   /* of each input; none with input 0 */
} fm_ensemble;

#endif
