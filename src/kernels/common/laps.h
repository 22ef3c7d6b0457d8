/* kernels/common/laps.h - sums of powers over the last `count` values, to which nothing that left can cling.
 *
 * Values are stored lap after lap. At the end of a lap the sums of each slot and of those behind it are taken; a window
 * is then what is left of the lap before, one slot, and what has come since, running sums. Nothing is ever subtracted,
 * so a value of 1e60 is gone without a trace when it leaves, which running sums that subtract it are not. A lap costs
 * another `count` additions at its end.
 *
 * Powers are those of the distance from an anchor, a value of the window. Wherever the mean moves more than
 * sqrt(4 * count + 64) sigmas away from it, all is summed anew about the newest value: so the variance is good to
 * 1e-15 * (4 * count + 64), and a window of equal values has sums of exactly 0. Between two such times the spread must
 * shrink twofold at least, so it is rare whatever comes.
 *
 * `pairs` is 1 for powers 1 and 2, 2 for powers up to 4; always the same, a constant, so that loops unroll. 112 +
 * 16 * pairs bytes and 8 + 16 * pairs a value. */
#ifndef FM_KERNELS_COMMON_LAPS_H
#define FM_KERNELS_COMMON_LAPS_H

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FM_LAPS_PAIRS_MAX 2

/* ffi:begin */
typedef struct fm_laps {
    int64_t count;    /* values in the window */
    int64_t at;       /* slot of the next value */
    int64_t full;     /* 1 once `count` values are in */
    double per_count; /* 1 / count */
    double far;       /* the sum of squares must be this times the square of the sum at least */
    double anchor;    /* what distances are measured from */
    double newest[4]; /* sums of powers 1, 2 (, 3, 4) of this lap */
    double total[4];  /* of the window */
    double data[];    /* values, `count`; then sums of the last lap from each slot on, count + 1 times 2 * pairs */
} fm_laps;
/* ffi:end */

static inline size_t fm_laps_size(double count, size_t pairs)
{
    return offsetof(fm_laps, data) + ((size_t)count + ((size_t)count + 1) * 2 * pairs) * sizeof(double);
}

/* In zeroed memory. */
static inline void fm_laps_init(fm_laps *laps, double count)
{
    laps->count = (int64_t)count;
    laps->per_count = 1.0 / (double)laps->count;
    laps->far = laps->per_count * (1.0 + 1.0 / (4.0 * (double)laps->count + 64.0));
}

static inline void fm_laps_powers(double distance, int pairs, __m128d power[FM_LAPS_PAIRS_MAX])
{
    double square = distance * distance;
    power[0] = _mm_set_pd(square, distance);
    if (pairs == 2)
        power[1] = _mm_mul_pd(power[0], _mm_set1_pd(square));
}

/* A lap that is done ends; everything is summed anew about the newest value. */
static inline void fm_laps_renew(fm_laps *laps, int pairs)
{
    double *value = laps->data, *behind = laps->data + laps->count;
    __m128d power[FM_LAPS_PAIRS_MAX], sum[FM_LAPS_PAIRS_MAX] = {_mm_setzero_pd(), _mm_setzero_pd()};
    double anchor = laps->anchor = value[laps->at - 1];
    if (laps->at == laps->count) {
        laps->at = 0;
        laps->full = 1;
    }
    for (int64_t i = laps->count - 1; laps->full && i >= laps->at; i--) {
        fm_laps_powers(value[i] - anchor, pairs, power);
        for (int j = 0; j < pairs; j++) {
            sum[j] = _mm_add_pd(sum[j], power[j]);
            _mm_storeu_pd(&behind[2 * (i * pairs + j)], sum[j]);
        }
    }
    __m128d lap[FM_LAPS_PAIRS_MAX] = {_mm_setzero_pd(), _mm_setzero_pd()};
    for (int64_t i = 0; i < laps->at; i++) {
        fm_laps_powers(value[i] - anchor, pairs, power);
        for (int j = 0; j < pairs; j++)
            lap[j] = _mm_add_pd(lap[j], power[j]);
    }
    for (int j = 0; j < pairs; j++) {
        _mm_storeu_pd(&laps->newest[2 * j], lap[j]);
        _mm_storeu_pd(&laps->total[2 * j], _mm_add_pd(sum[j], lap[j]));
    }
}

/* Sums of the lap and of the window as they will be with x. */
static inline void fm_laps_with(const fm_laps *laps, double x, int pairs, __m128d lap[FM_LAPS_PAIRS_MAX],
                                __m128d total[FM_LAPS_PAIRS_MAX])
{
    const double *behind = laps->data + laps->count + 2 * pairs * (laps->at + 1);
    __m128d power[FM_LAPS_PAIRS_MAX];
    fm_laps_powers(x - laps->anchor, pairs, power);
    for (int j = 0; j < pairs; j++) {
        lap[j] = _mm_add_pd(_mm_loadu_pd(&laps->newest[2 * j]), power[j]);
        total[j] = _mm_add_pd(_mm_loadu_pd(&behind[2 * j]), lap[j]);
    }
}

/* Whether sums of the first pair are too far from their anchor to tell the spread. */
static inline bool fm_laps_far(const fm_laps *laps, __m128d first)
{
    double sum = _mm_cvtsd_f64(first), square = _mm_cvtsd_f64(_mm_unpackhi_pd(first, first));
    return sum * sum * laps->far > square;
}

/* x enters; `renew` is fm_laps_renew for the same pairs, out of line. */
static inline void fm_laps_add(fm_laps *laps, double x, int pairs, void (*renew)(fm_laps *))
{
    __m128d lap[FM_LAPS_PAIRS_MAX], total[FM_LAPS_PAIRS_MAX];
    fm_laps_with(laps, x, pairs, lap, total);
    for (int j = 0; j < pairs; j++) {
        _mm_storeu_pd(&laps->newest[2 * j], lap[j]);
        _mm_storeu_pd(&laps->total[2 * j], total[j]);
    }
    laps->data[laps->at++] = x;
    if (__builtin_expect(laps->at == laps->count || fm_laps_far(laps, total[0]), 0))
        renew(laps);
}

#endif
