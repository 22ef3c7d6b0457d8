/* kernels/feature/inter_arrival.h - how long since the last record, and how many times the usual wait that is.
 *
 * The usual wait is the faded mean of the waits before, a silence fading the past to one half at most
 * (kernels/common/quiet_fade.h). A wait enters it as at most 8 times the mean once 16 are in, so the night does not
 * make the morning look hurried. Of a Poisson process, ratio exceeds 7 once in 1100 records.
 *
 * Params  half_life (s).  Input event (1 on every record).
 * Outputs wait (s), ratio (1), expected (s). NaN at the first record; ratio and expected until 16 waits are in.
 * Error   a late record waited 0. Relative error of the mean below 1e-12.
 * Source  definition; R. Engle & J. Russell, "Autoregressive conditional duration", Econometrica 66 (1998), for why it
 *         tells.
 * Cost    ~9 ns a record; 40 bytes of state. */
#ifndef FM_KERNELS_FEATURE_INTER_ARRIVAL_H
#define FM_KERNELS_FEATURE_INTER_ARRIVAL_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_inter_arrival {
    double fade;         /* 1 / half-life in ns */
    double weight, mean; /* of the waits, s */
    int64_t newest_ns;   /* INT64_MIN while empty */
    int64_t count;       /* waits ever */
} fm_inter_arrival;
/* ffi:end */

#endif
