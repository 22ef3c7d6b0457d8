/* base/histogram.h - durations in log-linear buckets: 32 a power of two, so any quantile is within 3.2 %. Plain bytes. */
#ifndef FM_BASE_HISTOGRAM_H
#define FM_BASE_HISTOGRAM_H

#include <stdint.h>

#define FM_HISTOGRAM_BUCKETS 1920 /* 0 .. 2^63 */

typedef struct fm_histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint64_t bucket[FM_HISTOGRAM_BUCKETS];
} fm_histogram;

void     fm_histogram_add(fm_histogram *histogram, uint64_t value);
void     fm_histogram_merge(fm_histogram *into, const fm_histogram *from);
uint64_t fm_histogram_quantile(const fm_histogram *histogram, double q); /* upper edge of its bucket, at most max; 0 when empty */

#endif
