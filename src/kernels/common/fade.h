/* kernels/common/fade.h - 2^-age for ages that are mostly a small part of a half-life.
 *
 * Below 1/64 half-life a polynomial, inline: 1 and the interpolation of (2^-age - 1) / age in the five Chebyshev nodes
 * of that stretch, 5e-18 from it; beyond, fm_exp2. Relative error below 3e-16. */
#ifndef FM_KERNELS_COMMON_FADE_H
#define FM_KERNELS_COMMON_FADE_H

#include "base/fmath.h"

#define FM_FADE_SOON 0x1p-6

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
