/* kernels/feature/parkinson.h - volatility from the ranges of bars: five times as exact as from their closes.
 *
 * variance = mean over the last `count` bars of ln(high / low)^2 / (4 ln 2), the newest one included. It is right for a
 * random walk without drift that is watched all the time; a bar of few trades has too small a range, and moves between
 * bars do not enter.
 *
 * Params  count (events: bars).  Inputs high, low; a bar with low > high or a price outside 1e-100 … 1e100 is skipped.
 * Outputs volatility (1; of one bar, 0.001 is ten basis points), variance (1), ratio (range of the newest bar over
 *         that of the bars before it, as roots of mean squares; NaN until they are `count`).
 * Error   standard error of the variance sqrt(0.407 / count) of it (the source); the sums carry no rounding along.
 * Source  M. Parkinson, "The extreme value method for estimating the variance of the rate of return", J. Business 53
 *         (1980).
 * Cost    ~12 ns a bar; 48 + 8 * count bytes of state. */
#ifndef FM_KERNELS_FEATURE_PARKINSON_H
#define FM_KERNELS_FEATURE_PARKINSON_H

#include "kernels/common/last.h"

#define FM_BARS_COUNT_MAX 1000

/* ffi:begin */
typedef struct fm_bars { /* the state of garman_klass too */
    int64_t count;
    double per_count; /* 1 / count */
    fm_last variance;
    double slot[]; /* variance of each bar */
} fm_bars;
/* ffi:end */

#define fm_bars_size(count) (sizeof(fm_bars) + (size_t)(count) * sizeof(double))

/* A bar of that variance enters: volatility, variance, ratio. */
static inline void fm_bars_step(fm_bars *bars, double variance, double out[3])
{
    double before = fm_last_full(&bars->variance) ? fm_last_sum(&bars->variance, bars->slot) * bars->per_count : 0.0;
    fm_last_add(&bars->variance, bars->slot, variance);
    out[0] = out[1] = out[2] = __builtin_nan("");
    if (!fm_last_full(&bars->variance))
        return;
    out[1] = fm_last_sum(&bars->variance, bars->slot) * bars->per_count;
    out[0] = __builtin_sqrt(out[1]);
    if (before > 1e-200)
        out[2] = __builtin_sqrt(variance / before);
}

static inline void fm_bars_init(fm_bars *bars, int64_t count)
{
    *bars = (fm_bars){.count = count, .per_count = 1.0 / (double)count};
    fm_last_init(&bars->variance, count);
}

#endif
