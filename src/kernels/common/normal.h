/* kernels/common/normal.h - the quantile function of the normal distribution.
 *
 * Rational approximations of M. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
 * Statistics 37 (1988), relative error about 1e-16; odd about p = 1/2 to the bit, and 0 there. For p and 1 - p from
 * 1e-10 on, so that the far tail's third branch is not needed. Sixteen multiply-adds and a division; outside of 0.075
 * to 0.925 a logarithm and a root too. */
#ifndef FM_KERNELS_COMMON_NORMAL_H
#define FM_KERNELS_COMMON_NORMAL_H

#include "base/fmath.h"

#include <math.h>

static inline double fm_normal_polynomial(const double term[8], double x)
{
    double sum = term[7];
    for (int i = 6; i >= 0; i--)
        sum = sum * x + term[i];
    return sum;
}

/* NaN below p = 1e-10 and above 1 - 1e-10 */
static inline double fm_normal_quantile(double p)
{
    static const double centre_over[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                          1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                          3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double centre_under[8] = {1.0,
                                           4.2313330701600911252e1,
                                           6.8718700749205790830e2,
                                           5.3941960214247511077e3,
                                           2.1213794301586595867e4,
                                           3.9307895800092710610e4,
                                           2.8729085735721942674e4,
                                           5.2264952788528545610e3};
    static const double tail_over[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                        3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                        2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double tail_under[8] = {1.0,
                                         2.05319162663775882187e0,
                                         1.67638483018380384940e0,
                                         6.89767334985100004550e-1,
                                         1.48103976427480074590e-1,
                                         1.51986665636164571966e-2,
                                         5.47593808499534494600e-4,
                                         1.05075007164441684324e-9};
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * fm_normal_polynomial(centre_over, r) / fm_normal_polynomial(centre_under, r);
    }
    double outside = q < 0.0 ? p : 1.0 - p;
    if (!(outside >= 1e-10))
        return NAN;
    double r = sqrt(-(fm_log)(outside)) - 1.6;
    double z = fm_normal_polynomial(tail_over, r) / fm_normal_polynomial(tail_under, r);
    return q < 0.0 ? -z : z;
}

#endif
