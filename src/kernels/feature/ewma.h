/* kernels/feature/ewma.h - mean and spread of an irregular series whose past fades with event time.
 *
 * Every tick enters with weight 1; a tick `half_life` older than the newest weighs one half. A quiet minute fades the
 * past as much as a busy one, which smoothing by tick count would get wrong. `feature.ewma{of = …, output = "z"}` is
 * the z of any other feature.
 *
 * So after a night the mean is that of the morning's ticks. Sigma is not, or the second tick would be thousands of
 * sigmas from the first: sigma^2 is the mean of d^2 (1 - 1 / weight), d the distance of a tick from the mean before it,
 * weights as above, but a silence fades them to one half at most. Without silences of over a half-life that is the
 * weighted variance.
 *
 * Params  half_life (s).  Input x.  Outputs mean (unit of x), z (sigmas of x from the mean; NaN until two values
 *         differ).
 * Source  T. Finch, "Incremental calculation of weighted mean and variance" (2009); weights 2^(-age/half_life).
 * Cost    one fm_exp2 (a short polynomial while ticks are close), two divisions, a root, some twenty
 *         multiply-adds a tick; the mean alone without the root and a division. 56 bytes of state; nothing allocated.
 * Error   relative error of mean and variance below 1e-12 (tests/golden/kernels); values beyond 1e100 count as
 *         missing. */
#ifndef FM_KERNELS_FEATURE_EWMA_H
#define FM_KERNELS_FEATURE_EWMA_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_ewma {
    double fade;          /* 1 / half-life in ns */
    double weight;        /* faded count of ticks; 0 while empty */
    int64_t soon_ns;      /* a tick that comes sooner than this after the newest fades the past by the short way */
    double mean;          /* unit of x. No two sums are neighbours: stored as one, the first would wait for the last */
    int64_t newest_ns;    /* event time of the newest tick; INT64_MIN while empty */
    double sum_square;    /* faded sum of squared distances, unit of x squared */
    double spread_weight; /* faded count of ticks in it */
} fm_ewma;
int fm_ewma_init(fm_ewma *ewma, double half_life_ns);        /* 0, or FM_EINVAL unless positive and finite */
double fm_ewma_z(const fm_ewma *ewma, double x);             /* sigmas from the mean; NaN until two values differ */
void fm_ewma_update(fm_ewma *ewma, int64_t ts_ns, double x); /* NaN is skipped; a late tick counts as seen now */
/* ffi:end */

#endif
