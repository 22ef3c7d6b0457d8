/* kernels/common/faded.h - the arithmetic of fm_ewma, inline, for the kernels that hold one. */
#ifndef FM_KERNELS_COMMON_FADED_H
#define FM_KERNELS_COMMON_FADED_H

#include "kernels/common/fade.h"
#include "kernels/common/number.h"
#include "kernels/feature/ewma.h"

#include <stdbool.h>

/* Sums of squares from here up are variation: their reciprocal times any weight is finite. */
#define FM_SQUARES_MIN 1e-280

/* Whether the tick at ts_ns comes soon after the newest, or with it: most do, and their fading is the short way. */
static inline bool fm_faded_soon(const fm_ewma *ewma, int64_t ts_ns)
{
    return ts_ns >= ewma->newest_ns && (uint64_t)ts_ns - (uint64_t)ewma->newest_ns < (uint64_t)ewma->soon_ns;
}

/* What the past weighs at ts_ns over what it weighed at the newest tick, which the tick at ts_ns becomes. */
static inline double fm_faded_age(fm_ewma *ewma, int64_t ts_ns)
{
    int64_t newest_ns = ewma->newest_ns;
    if (__builtin_expect(fm_faded_soon(ewma, ts_ns), 1)) {
        ewma->newest_ns = ts_ns;
        return fm_fade_soon((double)(ts_ns - newest_ns) * ewma->fade);
    }
    if (ts_ns <= newest_ns)
        return 1.0;
    ewma->newest_ns = ts_ns;
    return fm_fade((double)fm_elapsed_ns(ts_ns, newest_ns) * ewma->fade);
}

/* A value at that distance from the mean enters, once `weight` counts it. The quotient waits for no distance: on the
 * way from one mean to the next lie a subtraction, a product and a sum. */
static inline void fm_faded_enter(fm_ewma *ewma, double keep, double distance, double weight, double per_weight)
{
    double step = distance * per_weight;
    double gain = distance * (distance - step); /* below 0 only by rounding, when the past has faded away */
    ewma->weight = weight;
    ewma->mean += step;
    ewma->sum_square = keep * ewma->sum_square + fm_positive(gain);
}

/* A usable x enters. */
static inline void fm_faded_add(fm_ewma *ewma, int64_t ts_ns, double x)
{
    double keep = fm_faded_age(ewma, ts_ns), weight = keep * ewma->weight + 1.0;
    fm_faded_enter(ewma, keep, x - ewma->mean, weight, 1.0 / weight);
}

/* 1 / sigma, with sigma at least `floor`; NaN while nothing varies and floor is 0. One division and a root. */
static inline double fm_faded_precision(const fm_ewma *ewma, double floor)
{
    if (ewma->sum_square < floor * floor * ewma->weight)
        return 1.0 / floor;
    return __builtin_expect(ewma->sum_square >= FM_SQUARES_MIN, 1) ? sqrt(ewma->weight / ewma->sum_square) : NAN;
}

#endif
