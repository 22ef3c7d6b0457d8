/* kernels/detector/holt_winters.h - is x far from its level, trend and season?
 *
 * The period is cut into `buckets` slices of event time (kernels/common/season.h). A slice that ends gives one sample
 * y, the mean of its values, so a burst has no more say than a quiet slice; h slices after the one before it (at most
 * `buckets`; slices without a value give no sample):
 *   e = y - (level + h trend + season[b]), cut to ±clip sigma
 *   level += h trend + alpha e,  trend += alpha beta e / h,  season[b] += gamma (1 - alpha) e.
 * The first period only collects: when it is over, level is the median of its samples, season[b] = y - level, trend 0.
 * A bucket that had no sample has no season; its first sample makes it, y - level - h trend, and level moves on by the
 * trend alone.
 * expected = level + h trend + season[b] (without the season where there is none); before the first period is over the
 * faded mean of x (kernels/common/faded.h). residual = x - expected; sigma = root of the faded mean of its squares;
 * score = |residual| / sigma. Before it enters a slice or the squares, x is cut to expected ± clip sigma, before the
 * first period is over to 4 times that. p is the online conformal tail probability among the past scores
 * (kernels/common/tail.h).
 *
 * Params  period (s), buckets, alpha, beta, gamma (1), half_life (s; of sigma and of the first mean), clip (sigma).
 *         Input x.
 * Outputs score (sigma), p, expected (unit of x), ready (0 or 1), season (unit of x; of this bucket, NaN where there is
 *         none), trend (unit of x a slice). NaN and ready 0 until 30 values are in and two differ; season and trend
 *         until a period is over. A missing x changes nothing. Late = seen now.
 * Error   the calendar is UTC: what keeps local time moves by an hour twice a year, and is learnt anew at the rate of
 *         gamma. p rounds up, to a quarter octave of the score, and is at least 1e-6.
 * Source  P. Winters, "Forecasting sales by exponentially weighted moving averages", Management Science 6 (1960), in
 *         the error form of R. Hyndman et al., "Forecasting with exponential smoothing" (2008); the cut: S. Gelper, R.
 *         Fried & C. Croux, "Robust forecasting with exponential and Holt-Winters smoothing", J. Forecasting 29 (2010).
 * Cost    ~45 ns, at the end of a slice ~20 more; 520 bytes and 8 a bucket. */
#ifndef FM_KERNELS_DETECTOR_HOLT_WINTERS_H
#define FM_KERNELS_DETECTOR_HOLT_WINTERS_H

#include "kernels/common/season.h"
#include "kernels/common/tail.h"
#include "kernels/common/faded.h"

#define FM_HOLT_WINTERS_BUCKETS 672

typedef struct fm_holt_winters {
    fm_season clock;
    double alpha, beta, gamma, clip;
    fm_faded past;       /* of x: expected until a period is over */
    fm_faded squares;    /* of the residual: its mean is sigma squared */
    int64_t count;       /* values seen */
    int64_t first;       /* number of the first slice */
    int64_t last;        /* number of the slice of the last sample */
    int64_t whole;       /* 1 once a period is over */
    double level, trend; /* trend a slice */
    double inside, mean; /* values in the open slice, their mean */
    fm_tail tail;
    double season[]; /* of each bucket; NaN = none. In the first period: its samples */
} fm_holt_winters;

#endif
