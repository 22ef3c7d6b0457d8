/* kernels/detector/seasonal_residual.h - is x unusual for this hour of the day, or of the week?
 *
 * The period is cut into `buckets` slices of event time (kernels/common/season.h): 86400 s and 24 for hours of the day,
 * 604800 s and 168 for hours of the week. Each bucket has a usual value and a usual spread. A visit to a bucket that
 * ends gives one sample of both: the mean of its values, and the mean of their distances from what was expected. Both
 * are faded means over the visits, a visit `half_life` old weighing one half. A bucket that had less than two visits
 * is judged by all values before x, faded by the same half-life: their mean, and the mean of their distances.
 * score = |x - usual| / sigma, with sigma = 1.2533 spread, which is that of a normal sample, at least `floor`; x is cut
 * to usual ± clip sigma before it enters, so neither a bad print nor one wild day makes the usual. p is the online
 * conformal tail probability among the past scores (kernels/common/tail.h).
 *
 * Params  period (s), buckets, half_life (s), clip (sigma), floor (unit of x; smallest sigma).  Input x.
 * Outputs score (sigma), p, expected (unit of x), ready (0 or 1), residual (unit of x; x - expected), visits (of this
 *         bucket that are over). NaN and ready 0 until 30 values are in and two differ (or floor > 0). A missing x
 *         changes nothing. Late = seen now.
 * Error   x should come back to the same values: volume, spread, |return|. A price wanders away from the usual of its
 *         hour: on a random walk p <= 0.1 came in 17 %, p <= 0.01 in 1.9 %. The calendar is UTC: after a change of
 *         clocks hours are an hour off until they have faded. p rounds up, to a quarter octave of the score, and is at
 *         least 1e-6.
 * Source  baselines by the time of day: J. Hochenbaum, O. Vallis & A. Kejariwal, "Automatic anomaly detection in the
 *         cloud via statistical learning", arXiv:1704.07706 (2017), with faded cut means in place of the medians of a
 *         whole history; cutting: P. Huber, "Robust estimation of a location parameter" (1964).
 * Cost    ~30 ns, at the end of a slice ~30 more; 472 bytes and 40 a bucket. */
#ifndef FM_KERNELS_DETECTOR_SEASONAL_RESIDUAL_H
#define FM_KERNELS_DETECTOR_SEASONAL_RESIDUAL_H

#include "kernels/common/season.h"
#include "kernels/common/tail.h"
#include "kernels/common/faded.h"

#define FM_SEASONAL_BUCKETS 672

typedef struct fm_seasonal_bucket {
    double weight;     /* faded count of visits */
    double mean;       /* usual value */
    double spread;     /* usual distance from it */
    int64_t newest_ns; /* end of the last visit */
    int64_t visits;    /* that are over */
} fm_seasonal_bucket;

typedef struct fm_seasonal_residual {
    fm_season clock;
    double clip, floor;
    fm_faded past;             /* of x, for buckets that are not known */
    fm_faded distances;        /* of the distances: its mean is their spread */
    int64_t count;             /* values seen */
    double inside, mean, away; /* values in the open slice, their mean and mean distance */
    fm_tail tail;
    fm_seasonal_bucket bucket[];
} fm_seasonal_residual;

#endif
