/* kernels/common/cauchy.h - the upper tail of the Cauchy distribution and its inverse: cot(pi p), and back.
 *
 * Both by continued fractions of Lambert and Gauss after a reduction to [0, pi/4] and [0, 0.42]; relative error below
 * 1e-14, near p = 1/2 absolute. fm_cauchy_quantile(p) for p in (0, 1): the x that is passed with probability p;
 * fm_cauchy_p(x) for finite x.
 *
 * Source  F. Olver et al., "NIST handbook of mathematical functions" (2010), 4.21, 4.25. */
#ifndef FM_KERNELS_COMMON_CAUCHY_H
#define FM_KERNELS_COMMON_CAUCHY_H

#include <math.h>

#define FM_PI 3.14159265358979324

/* tan of z in [0, pi/4]: z / (1 - z^2 / (3 - z^2 / (5 - …))), from the tenth term up, without a division. */
static inline double fm_tangent(double z)
{
    double square = z * z, over = 1.0, under = 19.0;
    for (int i = 17; i >= 1; i -= 2) {
        double next = i * under - square * over;
        over = under;
        under = next;
    }
    return z * over / under;
}

static inline double fm_cauchy_quantile(double p)
{
    double q = p < 0.5 ? p : 1.0 - p;
    double x = q < 0.25 ? 1.0 / fm_tangent(FM_PI * q) : fm_tangent(FM_PI * (0.5 - q));
    return p < 0.5 ? x : -x;
}

/* atan of u in [0, 1], halved once: then u / (1 + u^2 / (3 + 4 u^2 / (5 + 9 u^2 / …))), fourteen terms. */
static inline double fm_arc_tangent(double u)
{
    double half = u / (1.0 + sqrt(1.0 + u * u)), square = half * half, over = 1.0, under = 29.0;
    for (int i = 14; i >= 1; i--) {
        double next = (2 * i - 1) * under + (double)(i * i) * square * over;
        over = under;
        under = next;
    }
    return 2.0 * half * over / under;
}

static inline double fm_cauchy_p(double x)
{
    double size = fabs(x);
    double p = size > 1.0 ? fm_arc_tangent(1.0 / size) / FM_PI : 0.5 - fm_arc_tangent(size) / FM_PI;
    return x > 0.0 ? p : 1.0 - p;
}

#endif
