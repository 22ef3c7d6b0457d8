/* kernels/detector/calibrate.h - makes a probability of any raw score: how often is it as large?
 *
 * x is ranked among the values before it, faded over `memory` events (kernels/common/ranks.h), all less the first one,
 * so that small differences of large numbers are none of the rounding's.
 * method 0, conformal: p = (weight of past values at or above x, + 1) / (weight of all + 1). No assumption but that the
 *   values are exchangeable; p is never below 1 / (memory + 1).
 * method 1, extreme values: the same up to the largest past value; beyond it the generalised Pareto tail of
 *   kernels/common/excess.h if that is smaller, fitted anew every 32 events to what lies above the threshold that 2 %
 *   of the weight (at least 10) passes. So a score of ten times the largest one gets a smaller p than the largest, down
 *   to 1e-15. A value enters as one of p = 1 / (10 memory) at least: one monstrous score blinds it to no other.
 *
 * score = -log10 p: 3 is once in a thousand events.
 *
 * Params  memory (events), method, warm (events until ready).  Input x (larger is stranger).
 * Outputs score (decades), p, expected (unit of x; median of the past at the last merge), ready (0 or 1), limit (unit
 *         of x; threshold of the tail, NaN in method 0). NaN and ready 0 until `warm` values are in. A missing x
 *         changes nothing; time means nothing.
 * Error   ranks are those of a sketch, exact up to 96 different values, else a tail probability is within a factor of
 *         1.25; beyond the largest value that of the fit, which stands still for 32 events. What lies between a value
 *         and the first one is rounded to 24 bits; beyond 1e38 all are equal.
 * Source  V. Vovk, A. Gammerman & G. Shafer, "Algorithmic learning in a random world" (2005); A. Siffer et al.,
 *         "Anomaly detection in streams with extreme value theory", KDD (2017).
 * Cost    ~100 ns; 1,384 bytes. */
#ifndef FM_KERNELS_DETECTOR_CALIBRATE_H
#define FM_KERNELS_DETECTOR_CALIBRATE_H

#include "kernels/common/excess.h"

typedef struct fm_calibrate {
    double memory;
    int64_t method, warm;
    int64_t count; /* values seen */
    double origin; /* the first value; all below is less this */
    double median; /* NaN until there is one */
    double most;   /* larger values enter as this; NaN without a fit */
    fm_excess tail;
    fm_ranks ranks;
} fm_calibrate;

#endif
