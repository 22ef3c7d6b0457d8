/* kernels/common/extremes.h - exact highest and lowest of the last `count` pairs, without a branch that data decides.
 *
 * Values are stored lap after lap. At the end of a lap each slot becomes the extremes of itself and the slots behind it
 * (M. van Herk, "A fast algorithm for local minimum and maximum filters", Pattern Recognition Letters 13, 1992), so a
 * window is what is left of the lap before, one slot, and what has come since, a running extreme: two comparisons a
 * value. A lap costs `count` more at its end, about a nanosecond each. A slot holds {high, -low}: one instruction
 * serves both. 32 + 16 * (count + 1) bytes. */
#ifndef FM_KERNELS_COMMON_EXTREMES_H
#define FM_KERNELS_COMMON_EXTREMES_H

#include <emmintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* ffi:begin */
typedef struct fm_extremes {
    int64_t count;    /* values that a window holds, the new one among them */
    int64_t at;       /* slot of the next value */
    double newest[2]; /* of this lap: high, -low; -infinity while empty */
    double slot[][2]; /* count + 1: before `at` values of this lap, behind it extremes of the last; the last is empty */
} fm_extremes;
/* ffi:end */

static inline size_t fm_extremes_size(double count)
{
    return offsetof(fm_extremes, slot) + ((size_t)count + 1) * 2 * sizeof(double);
}

static inline void fm_extremes_init(fm_extremes *extremes, double count)
{
    extremes->count = (int64_t)count;
    extremes->at = 0;
    extremes->newest[0] = extremes->newest[1] = -INFINITY;
    for (int64_t i = 0; i <= extremes->count; i++)
        extremes->slot[i][0] = extremes->slot[i][1] = -INFINITY;
}

/* Of the count - 1 values before the next one: {high, -low}. */
static inline __m128d fm_extremes_past(const fm_extremes *extremes)
{
    return _mm_max_pd(_mm_loadu_pd(extremes->slot[extremes->at + 1]), _mm_loadu_pd(extremes->newest));
}

static __attribute__((noinline)) void fm_extremes_lap(fm_extremes *extremes)
{
    __m128d behind = _mm_set1_pd(-INFINITY);
    _mm_storeu_pd(extremes->newest, behind);
    for (int64_t i = extremes->count - 1; i >= 0; i--) {
        behind = _mm_max_pd(behind, _mm_loadu_pd(extremes->slot[i]));
        _mm_storeu_pd(extremes->slot[i], behind);
    }
    extremes->at = 0;
}

/* {high, -low} enters. */
static inline void fm_extremes_add(fm_extremes *extremes, __m128d pair)
{
    _mm_storeu_pd(extremes->slot[extremes->at], pair);
    _mm_storeu_pd(extremes->newest, _mm_max_pd(pair, _mm_loadu_pd(extremes->newest)));
    if (__builtin_expect(++extremes->at == extremes->count, 0))
        fm_extremes_lap(extremes);
}

#endif
