/* kernels/common/moments.h - mean and central sums up to the fourth power: a value enters, two of them join.
 *
 * No sum of raw powers is kept, so nothing cancels however far the series is from 0; equal values give sums of exactly
 * 0. Values beyond 1e70 are refused: fourth powers of 1e18 of them are finite.
 *
 * Source  T. B. Terriberry, "Computing higher-order moments online" (2007); P. Pebay, "Formulas for robust, one-pass
 *         parallel computation of covariances and arbitrary-order statistical moments", Sandia report 2008-6212. */
#ifndef FM_KERNELS_COMMON_MOMENTS_H
#define FM_KERNELS_COMMON_MOMENTS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define FM_MOMENTS_VALUE_MAX    1e70
#define FM_MOMENTS_VARIANCE_MIN 1e-280 /* from here up it is variation: its reciprocal is finite */

/* ffi:begin */
typedef struct fm_moments {
    double count;
    double mean;
    double sum2, sum3, sum4; /* of (x - mean)^2, ^3, ^4 */
} fm_moments;
/* ffi:end */

static inline bool fm_moments_take(double x)
{
    return fabs(x) <= FM_MOMENTS_VALUE_MAX; /* false for NaN too */
}

static inline void fm_moments_add(fm_moments *moments, double x)
{
    double before = moments->count, count = before + 1.0;
    double distance = x - moments->mean, part = distance / count, part2 = part * part;
    double gain = distance * part * before;
    moments->count = count;
    moments->mean += part;
    moments->sum4 +=
        gain * part2 * (count * count - 3.0 * count + 3.0) + 6.0 * part2 * moments->sum2 - 4.0 * part * moments->sum3;
    moments->sum3 += gain * part * (count - 2.0) - 3.0 * part * moments->sum2;
    moments->sum2 += gain;
}

static inline fm_moments fm_moments_join(const fm_moments *a, const fm_moments *b)
{
    if (a->count == 0.0)
        return *b;
    if (b->count == 0.0)
        return *a;
    double count = a->count + b->count, per_count = 1.0 / count, apart = b->mean - a->mean;
    double share_a = a->count * per_count, share_b = b->count * per_count;
    double apart2 = apart * apart, spread = apart2 * a->count * share_b;
    fm_moments both = {.count = count, .mean = a->mean + apart * share_b, .sum2 = a->sum2 + b->sum2 + spread};
    both.sum3 = a->sum3 + b->sum3 + spread * apart * (share_a - share_b) +
                3.0 * apart * (share_a * b->sum2 - share_b * a->sum2);
    both.sum4 = a->sum4 + b->sum4 + spread * apart2 * (share_a * share_a - share_a * share_b + share_b * share_b) +
                6.0 * apart2 * (share_a * share_a * b->sum2 + share_b * share_b * a->sum2) +
                4.0 * apart * (share_a * b->sum3 - share_b * a->sum3);
    return both;
}

/* {standard deviation, skewness, excess kurtosis, sigmas of `distance`} from central means of powers. */
static inline void fm_moments_shape(double mean2, double mean3, double mean4, double distance, double out[4])
{
    out[0] = out[1] = out[2] = out[3] = NAN;
    if (__builtin_expect(!(mean2 >= FM_MOMENTS_VARIANCE_MIN), 0)) {
        out[0] = mean2 < FM_MOMENTS_VARIANCE_MIN ? 0.0 : NAN;
        return;
    }
    double per_variance = 1.0 / mean2, per_sigma = sqrt(per_variance);
    out[0] = mean2 * per_sigma;
    out[1] = mean3 * per_variance * per_sigma;
    out[2] = mean4 * per_variance * per_variance - 3.0;
    out[3] = distance * per_sigma;
}

#endif
