/* kernels/common/fade.h - 2^-age for ages that are mostly a small part of a half-life.
 *
 * Below 1/64 half-life a polynomial, inline: 1 and the interpolation of (2^-age - 1) / age in the five Chebyshev nodes
 * of that stretch, 5e-18 from it; beyond, fm_exp2. Relative error below 3e-16. */
#ifndef FM_KERNELS_COMMON_FADE_H
#define FM_KERNELS_COMMON_FADE_H

#include "base/fmath.h"

#include <stdbool.h>
#include <stdint.h>

#define FM_FADE_SOON 0x1p-6

/* A time in ns for which fm_fade_soon serves a half-life of so many. */
static inline int64_t fm_fade_soon_ns(double half_life_ns)
{
    double soon_ns = half_life_ns * FM_FADE_SOON;
    return soon_ns < 0x1p60 ? (int64_t)soon_ns : INT64_C(1) << 60;
}

/* Whether the tick at ts_ns comes soon after the newest, or with it: most do, and their fading is the short way. */
static inline bool fm_fades_soon(int64_t newest_ns, int64_t soon_ns, int64_t ts_ns)
{
    return ts_ns >= newest_ns && (uint64_t)ts_ns - (uint64_t)newest_ns < (uint64_t)soon_ns;
}

/* 0 <= age < FM_FADE_SOON */
static inline double fm_fade_soon(double age)
{
    double square = age * age;
    double low = 1.0 - age * 0.6931471805599451, middle = 0.24022650695820755 - age * 0.05550410820744387;
    double high = 0.00961804711608823 - age * 0.0013273539110396156;
    return low + square * (middle + square * high);
}

static inline double fm_fade(double age)
{
    return __builtin_expect(age < FM_FADE_SOON, 1) ? fm_fade_soon(age) : fm_exp2(-age);
}

#endif
