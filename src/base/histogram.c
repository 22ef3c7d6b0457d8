/* base/histogram.c - values below 64 have a bucket each; above, 32 buckets a power of two. */
#include "base/histogram.h"

#include "base/assert.h"

enum { SUB_BITS = 5, SUB_COUNT = 1 << SUB_BITS };

static unsigned bucket_of(uint64_t value)
{
    if (value < SUB_COUNT)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - SUB_BITS;
    return shift * SUB_COUNT + (unsigned)(value >> shift);
}

static uint64_t upper_edge(unsigned bucket)
{
    if (bucket < 2 * SUB_COUNT)
        return bucket;
    unsigned shift = bucket / SUB_COUNT - 1;
    uint64_t sub = bucket - shift * SUB_COUNT;
    return ((sub + 1) << shift) - 1; /* of the last bucket: 2^64 wraps to 0, minus 1 is the largest value */
}

void fm_histogram_add(fm_histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->max)
        histogram->max = value;
    unsigned bucket = bucket_of(value);
    FM_ASSERT(bucket < FM_HISTOGRAM_BUCKETS);
    histogram->bucket[bucket]++;
}

void fm_histogram_merge(fm_histogram *into, const fm_histogram *from)
{
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
    for (unsigned i = 0; i < FM_HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

uint64_t fm_histogram_quantile(const fm_histogram *histogram, double q)
{
    if (histogram->count == 0)
        return 0;
    double wanted = q * (double)histogram->count;
    uint64_t rank = wanted >= (double)histogram->count ? histogram->count : wanted > 0.0 ? (uint64_t)wanted : 0;
    if ((double)rank < wanted && rank < histogram->count)
        rank++;
    if (rank == 0)
        rank = 1;

    uint64_t seen = 0;
    for (unsigned i = 0; i < FM_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->bucket[i];
        if (seen >= rank)
            return upper_edge(i) < histogram->max ? upper_edge(i) : histogram->max;
    }
    return histogram->max;
}
