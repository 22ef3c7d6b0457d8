/* kernels/common/faded.h - mean and spread of a past that fades with event time, for detectors.
 *
 * Every value enters with weight 1; one `half_life` older than the newest weighs one half. A silence fades the past to
 * one half at most (kernels/common/quiet_fade.h): a morning is judged by the evening before, whose sigma a single new
 * value does not replace. Updating as in T. Finch, "Incremental calculation of weighted mean and variance" (2009). 48
 * bytes. */
#ifndef FM_KERNELS_COMMON_FADED_H
#define FM_KERNELS_COMMON_FADED_H

#include "kernels/common/quiet_fade.h"

#include <stdbool.h>

/* Sums of squares from here up are variation: their reciprocal times any weight is finite. */
#define FM_SQUARES_MIN 1e-280

/* ffi:begin */
typedef struct fm_faded {
    double fade;       /* 1 / half-life in ns */
    double weight;     /* faded count of values; 0 while empty */
    int64_t soon_ns;   /* a value that comes sooner than this after the newest fades the past by the short way */
    double mean;       /* unit of x. No two sums are neighbours: stored as one, the first would wait for the last */
    int64_t newest_ns; /* event time of the newest value; INT64_MIN while empty */
    double sum_square; /* faded sum of squared distances, unit of x squared */
} fm_faded;
/* ffi:end */

/* half_life_s: positive and finite */
static inline void fm_faded_init(fm_faded *past, double half_life_s)
{
    *past =
        (fm_faded){.fade = 1e-9 / half_life_s, .soon_ns = fm_fade_soon_ns(1e9 * half_life_s), .newest_ns = INT64_MIN};
}

/* What the past weighs at ts_ns over what it weighed at the newest value, which the one at ts_ns becomes. */
static inline double fm_faded_age(fm_faded *past, int64_t ts_ns)
{
    int64_t newest_ns = past->newest_ns;
    if (__builtin_expect(fm_fades_soon(newest_ns, past->soon_ns, ts_ns), 1)) {
        past->newest_ns = ts_ns;
        return fm_fade_soon((double)(ts_ns - newest_ns) * past->fade);
    }
    return fm_quiet_fade(&past->newest_ns, ts_ns, past->fade);
}

/* A usable x enters. The quotient waits for no distance: on the way from one mean to the next lie a subtraction, a
 * product and a sum. */
static inline void fm_faded_add(fm_faded *past, int64_t ts_ns, double x)
{
    double keep = fm_faded_age(past, ts_ns), weight = keep * past->weight + 1.0, per_weight = 1.0 / weight;
    double distance = x - past->mean, step = distance * per_weight;
    double gain = distance * (distance - step); /* below 0 only by rounding, when the past has faded away */
    past->weight = weight;
    past->mean += step;
    past->sum_square = keep * past->sum_square + fm_positive(gain);
}

/* 1 / sigma, with sigma at least `floor`; NaN while nothing varies and floor is 0. One division and a root. */
static inline double fm_faded_precision(const fm_faded *past, double floor)
{
    if (past->sum_square < floor * floor * past->weight)
        return 1.0 / floor;
    return __builtin_expect(past->sum_square >= FM_SQUARES_MIN, 1) ? sqrt(past->weight / past->sum_square) : NAN;
}

#endif
