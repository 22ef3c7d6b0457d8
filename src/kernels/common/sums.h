/* kernels/common/sums.h - the sum of something over a window in event time.
 *
 * Closed slices are summed anew whenever one closes, so no rounding error is carried along; between two closings a
 * tick costs one addition. 304 bytes. */
#ifndef FM_KERNELS_COMMON_SUMS_H
#define FM_KERNELS_COMMON_SUMS_H

#include "kernels/common/slices.h"

/* ffi:begin */
typedef struct fm_sums {
    double closed;   /* sum of the slices that are closed */
    double newest;   /* sum of the open slice */
    double slot[32]; /* closed slices; that of the open one is 0 */
} fm_sums;
/* ffi:end */

/* `passed` slices are closed, the first of them is `open`; before fm_slices_open. */
static inline void fm_sums_close(fm_sums *sums, int64_t open, int64_t passed)
{
    sums->slot[open] = sums->newest;
    sums->newest = 0.0;
    int64_t cleared = passed < FM_SLICES ? passed : FM_SLICES;
    for (int64_t i = 1; i <= cleared; i++)
        sums->slot[(open + i) % FM_SLICES] = 0.0;
    sums->closed = fm_slices_sum(sums->slot);
}

static inline double fm_sums_total(const fm_sums *sums)
{
    return sums->closed + sums->newest;
}

#endif
