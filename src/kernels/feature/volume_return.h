/* kernels/feature/volume_return.h - log return over the last `volume` traded, however long that took.
 *
 * Every unit traded has the price of its trade; x is compared with the price at which the unit traded that lies
 * `volume` back, this trade counted. The volume is cut into 32 slices that begin at its multiples from the first trade
 * on, and the price at which each boundary was traded is kept: the one compared with is between 31/32 and 32/32 of the
 * volume back. A trade that holds that boundary itself is compared with its own price: 0.
 *
 * Params  volume (size; must be given, since what is much differs from name to name).
 * Inputs  price, size; a trade without either, or of size 0, is skipped.
 * Output  volume_return (1): 0.0001 is one basis point.
 * Warm-up once `volume` has been traded.
 * Error   of the price compared with: none, but for the slices; of the logarithm: relative 5e-16 for moves below 1/128,
 *         absolute 2e-16 * |log price| beyond. A trade of more than a million slices starts a new count of slices.
 * Source  P. K. Clark, "A subordinated stochastic process model with finite variance for speculative prices",
 *         Econometrica 41 (1973).
 * Cost    two divisions and a short series a trade; 296 bytes of state. */
#ifndef FM_KERNELS_FEATURE_VOLUME_RETURN_H
#define FM_KERNELS_FEATURE_VOLUME_RETURN_H

#include "kernels/common/slices.h"

/* ffi:begin */
typedef struct fm_volume_return {
    double width; /* volume of a slice */
    double per_width;
    double inside;    /* volume in the open slice */
    int64_t open;     /* place of the open slice */
    int64_t missing;  /* boundaries until it is warm */
    double price[32]; /* at which the end of a slice was traded; that of the open one is a volume back */
} fm_volume_return;
/* ffi:end */

#endif
