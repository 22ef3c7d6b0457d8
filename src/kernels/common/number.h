/* kernels/common/number.h - which numbers a kernel takes, and how it keeps its answers finite.
 *
 * Values beyond 1e100 count as missing: the square of the largest one times 1e18 ticks is still finite, so no input
 * can poison a sum for good. Prices are taken from 1e-100 on, so that no quotient of two overflows. Answers that are
 * not finite leave as NaN. */
#ifndef FM_KERNELS_COMMON_NUMBER_H
#define FM_KERNELS_COMMON_NUMBER_H

#include <emmintrin.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define FM_VALUE_MAX 1e100
#define FM_PRICE_MIN 1e-100

static inline bool fm_usable(double x)
{
    return fabs(x) <= FM_VALUE_MAX; /* false for NaN too */
}

static inline bool fm_usable_price(double price)
{
    return price >= FM_PRICE_MIN && price <= FM_VALUE_MAX;
}

static inline bool fm_usable_size(double size)
{
    return size >= 0.0 && size <= FM_VALUE_MAX;
}

/* A quote with two sides that are not crossed. A locked one has a middle, but no spread that means anything. */
static inline bool fm_usable_quote(double bid, double ask)
{
    return fm_usable_price(bid) && fm_usable_price(ask) && ask >= bid;
}

static inline double fm_finite(double x)
{
    return fabs(x) <= 1.7976931348623157e308 ? x : NAN;
}

/* x > 0 ? x : 0, in one instruction: where the sign of x is anybody's guess, a branch would be, too. */
static inline double fm_positive(double x)
{
    return _mm_cvtsd_f64(_mm_max_sd(_mm_set_sd(x), _mm_setzero_pd()));
}

/* newer - older without overflow, for times from anywhere in the int64 range. */
static inline int64_t fm_elapsed_ns(int64_t newer, int64_t older)
{
    int64_t elapsed;
    return __builtin_sub_overflow(newer, older, &elapsed) ? (newer > older ? INT64_MAX : INT64_MIN) : elapsed;
}

#endif
