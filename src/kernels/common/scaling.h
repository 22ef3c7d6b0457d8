/* kernels/common/scaling.h - up to eight series put on one scale online, for forests and projections.
 *
 * z = (x - centre) / spread, cut to ±16, where centre is a mean over the past `memory` events and spread the mean
 * distance from it. A value is judged by the events before it only and each event enters by the same few sums in the
 * same order, so the scale is causal and the same in every replay; no range is asked for beforehand. Robust: a value
 * enters as centre ± 8 spread at most, so a wrong print moves the scale by 8/memory of itself at most, while a series
 * that really moved to another scale drags it along, e-fold in about memory/7 events. While a series has not moved
 * (spread below 1e-12 of its centre) the first step it makes is ±16, and enters as it is.
 *
 * An event is taken when all `dims` inputs are numbers up to 1e100; inputs beyond `dims` mean nothing. 224 bytes;
 * reading ~8 ns, adding ~15 ns (four divisions of pairs). */
#ifndef FM_KERNELS_COMMON_SCALING_H
#define FM_KERNELS_COMMON_SCALING_H

#include "kernels/common/number.h"

#include <smmintrin.h>
#include <string.h>

#define FM_SCALING_DIMS  8
#define FM_SCALING_LIMIT 16.0 /* largest |z| */
#define FM_SCALING_REACH 8.0  /* spreads that an event may lie off when it enters */
#define FM_SCALING_STILL 1e-12

/* The inputs of a kernel of several series. */
#define FM_SCALING_INPUTS                                                                                              \
    (const fm_field[])                                                                                                 \
    {                                                                                                                  \
        {.name = "x", .unit = "any", .help = "the first series"}, {.name = "x2", .unit = "any", .help = "the second"}, \
            {.name = "x3", .unit = "any", .help = "the third"}, {.name = "x4", .unit = "any", .help = "the fourth"},   \
            {.name = "x5", .unit = "any", .help = "the fifth"}, {.name = "x6", .unit = "any", .help = "the sixth"},    \
            {.name = "x7", .unit = "any", .help = "the seventh"}, {.name = "x8", .unit = "any", .help = "the eighth"}, \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/* The outputs a1 … a8 of such a kernel, for its table. */
#define FM_SCALING_SHARES                                                                                              \
    {.name = "a1", .unit = "1", .usual = NAN, .help = "share of x in the score"},                                      \
        {.name = "a2", .unit = "1", .usual = NAN, .help = "share of x2"},                                              \
        {.name = "a3", .unit = "1", .usual = NAN, .help = "share of x3"},                                              \
        {.name = "a4", .unit = "1", .usual = NAN, .help = "share of x4"},                                              \
        {.name = "a5", .unit = "1", .usual = NAN, .help = "share of x5"},                                              \
        {.name = "a6", .unit = "1", .usual = NAN, .help = "share of x6"},                                              \
        {.name = "a7", .unit = "1", .usual = NAN, .help = "share of x7"},                                              \
    {                                                                                                                  \
        .name = "a8", .unit = "1", .usual = NAN, .help = "share of x8"                                                 \
    }

/* ffi:begin */
typedef struct fm_scaling {
    double centre[8];
    double spread[8];  /* mean distance from the centre, unit of x */
    double inverse[8]; /* 1 / spread */
    double count;      /* events, at most `memory` */
    double memory;     /* events that the averages reach back */
    double rate;       /* 1 / count */
    int64_t dims;
} fm_scaling;
/* ffi:end */

static inline void fm_scaling_init(fm_scaling *scaling, int dims, double memory)
{
    *scaling = (fm_scaling){.memory = memory, .dims = dims};
    for (int i = 0; i < FM_SCALING_DIMS; i++)
        scaling->inverse[i] = 1e300;
}

/* Two of the inputs, those beyond `dims` as 0. */
static inline __m128d fm_scaling_pair(const fm_scaling *scaling, const double *in, int at)
{
    static const uint64_t keep[16] = {-UINT64_C(1), -UINT64_C(1), -UINT64_C(1), -UINT64_C(1),
                                      -UINT64_C(1), -UINT64_C(1), -UINT64_C(1), -UINT64_C(1)};
    __m128i mask = _mm_loadu_si128((const __m128i *)&keep[8 - scaling->dims + at]);
    return _mm_and_pd(_mm_loadu_pd(&in[at]), _mm_castsi128_pd(mask));
}

/* False, and no z, when an input is missing. */
static inline bool fm_scaling_read(const fm_scaling *scaling, const double *in, double z[FM_SCALING_DIMS])
{
    const __m128d sign = _mm_set1_pd(-0.0), most = _mm_set1_pd(FM_VALUE_MAX);
    const __m128d high = _mm_set1_pd(FM_SCALING_LIMIT), low = _mm_set1_pd(-FM_SCALING_LIMIT);
    __m128d usable = _mm_castsi128_pd(_mm_set1_epi32(-1));
    for (int i = 0; i < FM_SCALING_DIMS; i += 2) {
        __m128d x = fm_scaling_pair(scaling, in, i);
        usable = _mm_and_pd(usable, _mm_cmple_pd(_mm_andnot_pd(sign, x), most));
        x = _mm_sub_pd(x, _mm_loadu_pd(&scaling->centre[i]));
        x = _mm_mul_pd(x, _mm_loadu_pd(&scaling->inverse[i]));
        _mm_storeu_pd(&z[i], _mm_max_pd(_mm_min_pd(x, high), low));
    }
    return _mm_movemask_pd(usable) == 3;
}

/* z as whole numbers from 0 (-16 spreads) over 16384 (the centre) to 32767, eight of 16 bits; of unused inputs 16384.
 */
static inline __m128i fm_scaling_point(const double z[FM_SCALING_DIMS])
{
    __m128i pair[4];
    for (int i = 0; i < 4; i++) {
        __m128d at = _mm_mul_pd(_mm_loadu_pd(&z[2 * i]), _mm_set1_pd(1024.0));
        pair[i] = _mm_cvttpd_epi32(_mm_add_pd(at, _mm_set1_pd(16384.0)));
    }
    return _mm_packs_epi32(_mm_unpacklo_epi64(pair[0], pair[1]), _mm_unpacklo_epi64(pair[2], pair[3]));
}

/* An event for which fm_scaling_read was true enters. */
static inline void fm_scaling_add(fm_scaling *scaling, const double *in)
{
    const __m128d sign = _mm_set1_pd(-0.0), one = _mm_set1_pd(1.0), reach = _mm_set1_pd(FM_SCALING_REACH);
    const __m128d still = _mm_set1_pd(FM_SCALING_STILL), least = _mm_set1_pd(1e-300);
    if (scaling->count < scaling->memory) {
        scaling->count += 1.0;
        scaling->rate = 1.0 / scaling->count;
    }
    __m128d rate = _mm_set1_pd(scaling->rate);
    bool first = scaling->count == 1.0; /* and no distance yet */
    for (int i = 0; i < FM_SCALING_DIMS; i += 2) {
        __m128d centre = _mm_loadu_pd(&scaling->centre[i]), spread = _mm_loadu_pd(&scaling->spread[i]);
        __m128d apart = _mm_sub_pd(fm_scaling_pair(scaling, in, i), centre);
        __m128d floor = _mm_max_pd(_mm_mul_pd(_mm_andnot_pd(sign, centre), still), least);
        __m128d distance = _mm_andnot_pd(sign, apart);
        __m128d cut =
            _mm_blendv_pd(_mm_min_pd(distance, _mm_mul_pd(spread, reach)), distance, _mm_cmple_pd(spread, floor));
        __m128d signed_cut = _mm_or_pd(cut, _mm_and_pd(sign, apart));
        centre = _mm_add_pd(centre, _mm_mul_pd(signed_cut, rate));
        if (!first)
            spread = _mm_add_pd(spread, _mm_mul_pd(_mm_sub_pd(cut, spread), rate));
        _mm_storeu_pd(&scaling->centre[i], centre);
        _mm_storeu_pd(&scaling->spread[i], spread);
        floor = _mm_max_pd(_mm_mul_pd(_mm_andnot_pd(sign, centre), still), least);
        _mm_storeu_pd(&scaling->inverse[i], _mm_div_pd(one, _mm_max_pd(spread, floor)));
    }
}

/* Parts of eight inputs as shares of their sum: NaN beyond `dims`, and all when the sum is not above 0. */
static inline void fm_scaling_shares(const fm_scaling *scaling, const double part[FM_SCALING_DIMS], double *out)
{
    double sum = 0.0;
    for (int i = 0; i < scaling->dims; i++)
        sum += part[i];
    for (int i = 0; i < FM_SCALING_DIMS; i++)
        out[i] = i < scaling->dims && sum > 0.0 ? part[i] / sum : NAN;
}

#endif
