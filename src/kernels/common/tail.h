/* kernels/common/tail.h - how rare a score is among the scores before it: an online conformal p.
 *
 * p = (1 + number of past scores at least as large) / (1 + number of past scores), with ranks to a quarter of an
 * octave: a score counts as large as the lower edge of its bucket, so p is never smaller than the exact one and at
 * most that of a score 20 % smaller. Scores below 1/16 share a bucket, as do those from 3072 up. When 2^20 scores are
 * in, all counts are halved: the past fades, and p is at least 1e-6. On exchangeable scores P(p <= a) <= a (Vovk,
 * Gammerman & Shafer, "Algorithmic Learning in a Random World", 2005). 296 bytes; asking costs three loads and a
 * division, adding four vector additions. */
#ifndef FM_KERNELS_COMMON_TAIL_H
#define FM_KERNELS_COMMON_TAIL_H

#include <stdint.h>
#include <string.h>

#define FM_TAIL_BUCKETS 64
#define FM_TAIL_COUNT   (UINT64_C(1) << 20)

/* ffi:begin */
typedef struct fm_tail {
    uint64_t count;        /* past scores */
    uint32_t above[8];     /* past scores in higher groups than this one, of 8 buckets each */
    uint32_t at_least[64]; /* past scores in this bucket or a higher one of its group */
} fm_tail;
/* ffi:end */

/* Bucket of a score >= 0: exponent and two bits of the mantissa, which order as the numbers do. */
static inline unsigned fm_tail_bucket(double score)
{
    uint64_t bits;
    memcpy(&bits, &score, sizeof(bits));
    int32_t bucket = (int32_t)(bits >> 50) - ((1023 - 4) * 4 - 1);
    bucket &= ~(bucket >> 31); /* not below 0, without a branch that scores near 1/16 would make a guess */
    return bucket < FM_TAIL_BUCKETS ? (unsigned)bucket : FM_TAIL_BUCKETS - 1;
}

static inline double fm_tail_p(const fm_tail *tail, unsigned bucket)
{
    uint32_t larger = tail->above[bucket / 8] + tail->at_least[bucket];
    return (double)(int64_t)(1u + larger) / (double)(int64_t)(1u + tail->count);
}

static inline void fm_tail_halve(fm_tail *tail)
{
    for (int i = 0; i < 8; i++)
        tail->above[i] /= 2;
    for (int i = 0; i < FM_TAIL_BUCKETS; i++)
        tail->at_least[i] /= 2;
    tail->count /= 2;
}

/* Adds 1 to the first `count` of 8 counters, by two vector additions. */
static inline void fm_tail_count(uint32_t counter[8], unsigned count)
{
    typedef uint32_t four __attribute__((vector_size(16), aligned(4), may_alias));
    static const uint32_t one[16] = {1, 1, 1, 1, 1, 1, 1, 1};
    const uint32_t *add = &one[8 - count];
    *(four *)counter += *(const four *)add;
    *(four *)(counter + 4) += *(const four *)(add + 4);
}

/* Counts are halved when `most` scores are in: of a detector whose scores drift, as it learns. */
static inline void fm_tail_add_faded(fm_tail *tail, unsigned bucket, uint64_t most)
{
    unsigned group = bucket / 8;
    fm_tail_count(tail->above, group);
    fm_tail_count(&tail->at_least[8 * group], bucket % 8 + 1);
    if (__builtin_expect(++tail->count >= most, 0))
        fm_tail_halve(tail);
}

static inline void fm_tail_add(fm_tail *tail, unsigned bucket)
{
    fm_tail_add_faded(tail, bucket, FM_TAIL_COUNT);
}

#endif
