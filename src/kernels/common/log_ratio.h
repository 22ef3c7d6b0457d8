/* kernels/common/log_ratio.h - log(x / past) of two prices that are mostly close.
 *
 * For a move below 1/128 the series of log(1 + d) with d = (x - past) / past, where the difference of two close
 * numbers is exact: the relative error is below 5e-16 however small the move, and there is no table to keep in the
 * cache. Beyond, the difference of two logarithms, absolute error below 2e-16 * |log x|. NaN in either gives NaN. */
#ifndef FM_KERNELS_COMMON_LOG_RATIO_H
#define FM_KERNELS_COMMON_LOG_RATIO_H

#include "base/fmath.h"

#include <math.h>

static inline double fm_log_ratio(double x, double past)
{
    double d = (x - past) / past;
    if (__builtin_expect(!(fabs(d) < 0x1p-7), 0))
        return fm_log(x) - fm_log(past);
    double d2 = d * d;
    double low = (1.0 - d * (1.0 / 2)) + d2 * (1.0 / 3 - d * (1.0 / 4));
    double high = (1.0 / 5 - d * (1.0 / 6)) + d2 * (1.0 / 7 - d * (1.0 / 8));
    return d * (low + d2 * d2 * high);
}

#endif
