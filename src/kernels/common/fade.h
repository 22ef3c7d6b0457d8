/* kernels/common/fade.h - 2^-age for ages that are mostly a small part of a half-life.
 *
 * Below 1/64 half-life the series of the exponential, seven terms, inline; beyond, fm_exp2. Relative error below
 * 3e-16. */
#ifndef FM_KERNELS_COMMON_FADE_H
#define FM_KERNELS_COMMON_FADE_H

#include "base/fmath.h"

#define FM_FADE_SOON 0x1p-6

/* 0 <= age < FM_FADE_SOON */
static inline double fm_fade_soon(double age)
{
    double r = age * 0.6931471805599453, r2 = r * r;
    return (1.0 - r) + r2 * ((1.0 / 2 - r * (1.0 / 6)) + r2 * ((1.0 / 24 - r * (1.0 / 120)) + r2 * (1.0 / 720)));
}

static inline double fm_fade(double age)
{
    return __builtin_expect(age < FM_FADE_SOON, 1) ? fm_fade_soon(age) : fm_exp2(-age);
}

#endif
