/* kernels/feature/twap.h - time-weighted average of the last window, and how far x is from it.
 *
 * A value stands from its tick to the next one, through gaps too, and weighs as long as it stood within the window; x
 * itself has not stood yet. Each slice of the window gets exactly the time that falls into it.
 *
 * Params  window (s).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs twap (unit of x), deviation (bp; x / twap - 1).
 * Warm-up the first tick later than the first.
 * Error   the window reaches back between 31/32 and 32/32 of its length; the average 1e-15, deviation 1e-11 bp.
 * Source  definition; as a benchmark of execution R. Kissell, "The Science of Algorithmic Trading and Portfolio
 *         Management", Academic Press (2013).
 * Cost    two divisions a tick; 64 additions a slice; 584 bytes of state. */
#ifndef FM_KERNELS_FEATURE_TWAP_H
#define FM_KERNELS_FEATURE_TWAP_H

#include "kernels/common/sums.h"

/* ffi:begin */
typedef struct fm_twap {
    fm_slices clock;
    int64_t newest_ns; /* event time up to which the newest value has been counted */
    double newest;     /* the value that stands */
    fm_sums time;      /* ns that values stood */
    fm_sums product;   /* of these and the values */
} fm_twap;
/* ffi:end */

#endif
