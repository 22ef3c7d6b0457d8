/* kernels/common/sorted.h - a small sample kept in ascending order: its median, and how far values lie from there.
 *
 * fm_sorted_scale is the MAD as a sigma. Where more than half of the sample is one value, as ticks are, the MAD is 0;
 * then the scale is the share of the values that differ times the median of their distances, as a sigma: what differs
 * may be garbage to a half as well, which a mean of the distances would not bear.
 *
 * The sample is the caller's array and count. Taking and dropping cost a binary search and a memmove; the k-th smallest
 * distance from a centre is found by a binary search in the two runs of distances, below and above it, that a sorted
 * sample is. All of it exact. No value may be NaN; one that is dropped must be in. */
#ifndef FM_KERNELS_COMMON_SORTED_H
#define FM_KERNELS_COMMON_SORTED_H

#include <stdint.h>
#include <string.h>

#define FM_SORTED_NORMAL 1.482602218505602 /* 1 / (third quartile of the normal distribution): MAD to sigma */

/* Index of the first that is not below x; `count` when there is none. */
static inline int64_t fm_sorted_find(const double *sorted, int64_t count, double x)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline void fm_sorted_take(double *sorted, int64_t *count, double x)
{
    int64_t at = fm_sorted_find(sorted, *count, x);
    memmove(&sorted[at + 1], &sorted[at], (size_t)(*count - at) * sizeof(double));
    sorted[at] = x;
    ++*count;
}

static inline void fm_sorted_drop(double *sorted, int64_t *count, double x)
{
    int64_t at = fm_sorted_find(sorted, *count, x);
    --*count;
    memmove(&sorted[at], &sorted[at + 1], (size_t)(*count - at) * sizeof(double));
}

static inline double fm_sorted_median(const double *sorted, int64_t count)
{
    return 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]);
}

/* The k-th smallest (from 0) distance from the centre: how many of the k + 1 nearest lie below it is searched. */
static inline double fm_sorted_distance(const double *sorted, int64_t count, double centre, int64_t k)
{
    int64_t right = fm_sorted_find(sorted, count, centre), take = k + 1;
    int64_t low = take - (count - right), high = right < take ? right : take;
    low = low > 0 ? low : 0;
    while (low < high) { /* from below: the smallest number whose next one is no nearer than the last one from above */
        int64_t below = (low + high) / 2;
        if (centre - sorted[right - 1 - below] < sorted[right + take - below - 1] - centre)
            low = below + 1;
        else
            high = below;
    }
    double from_below = low > 0 ? centre - sorted[right - low] : 0.0;
    double from_above = low < take ? sorted[right + take - low - 1] - centre : 0.0;
    return from_below > from_above ? from_below : from_above;
}

/* Median absolute deviation as the sigma of a normal sample. */
static inline double fm_sorted_sigma(const double *sorted, int64_t count, double median)
{
    return FM_SORTED_NORMAL * 0.5 *
           (fm_sorted_distance(sorted, count, median, (count - 1) / 2) +
            fm_sorted_distance(sorted, count, median, count / 2));
}

/* That, or where it is 0 the scale by the values that differ; 0 only if all are equal. */
static inline double fm_sorted_scale(const double *sorted, int64_t count, double median)
{
    double sigma = fm_sorted_sigma(sorted, count, median);
    if (__builtin_expect(sigma > 0.0, 1))
        return sigma;
    int64_t below = fm_sorted_find(sorted, count, median), equal = below;
    while (equal < count && sorted[equal] == median)
        equal++;
    equal -= below;
    int64_t differ = count - equal;
    if (differ == 0)
        return 0.0;
    return FM_SORTED_NORMAL * 0.5 *
           (fm_sorted_distance(sorted, count, median, equal + (differ - 1) / 2) +
            fm_sorted_distance(sorted, count, median, equal + differ / 2)) *
           ((double)differ / (double)count);
}

#endif
