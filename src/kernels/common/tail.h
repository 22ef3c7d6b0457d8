/* kernels/common/tail.h - how rare a score is among the scores before it: an online conformal p.
 *
 * p = (1 + number of past scores at least as large) / (1 + number of past scores), with ranks to a quarter of an octave: a score
 * counts as large as the lower edge of its bucket, so p is never smaller than the exact one and at most that of a score 25 % smaller.
 * Scores below 1/16 share a bucket, as do those above 2900. When 2^20 scores are in, all counts are halved: the past fades, and p is
 * at least 1e-6. On exchangeable scores P(p <= a) <= a (Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", 2005).
 * 256 bytes; asking costs a load, adding 16 vector additions. */
#ifndef FM_KERNELS_COMMON_TAIL_H
#define FM_KERNELS_COMMON_TAIL_H

#include <stdint.h>
#include <string.h>

#define FM_TAIL_BUCKETS 64
#define FM_TAIL_COUNT   (1u << 20)

/* ffi:begin */
typedef struct fm_tail {
    uint32_t at_least[64]; /* past scores in this bucket or a higher one; [0] counts all */
} fm_tail;
/* ffi:end */

/* Bucket of a score >= 0: exponent and two bits of the mantissa, which order as the numbers do. */
static inline int fm_tail_bucket(double score)
{
    uint64_t bits;
    memcpy(&bits, &score, sizeof(bits));
    int64_t bucket = (int64_t)(bits >> 50) - ((1023 - 4) * 4 - 1);
    return bucket < 0 ? 0 : bucket > FM_TAIL_BUCKETS - 1 ? FM_TAIL_BUCKETS - 1 : (int)bucket;
}

static inline double fm_tail_p(const fm_tail *tail, int bucket)
{
    return (1.0 + (double)tail->at_least[bucket]) / (1.0 + (double)tail->at_least[0]);
}

static inline void fm_tail_add(fm_tail *tail, int bucket)
{
    for (int i = 0; i < FM_TAIL_BUCKETS; i++)
        tail->at_least[i] += i <= bucket;
    if (__builtin_expect(tail->at_least[0] >= FM_TAIL_COUNT, 0))
        for (int i = 0; i < FM_TAIL_BUCKETS; i++)
            tail->at_least[i] /= 2;
}

#endif
