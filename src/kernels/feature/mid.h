/* kernels/feature/mid.h - the middle of the best quote.
 *
 * Half the sum of bid and ask. A quote with one side, or crossed, has no middle: NaN. A locked one (bid = ask) has.
 *
 * Inputs  bid, ask (price).  Output mid (price).  No parameters, no state.
 * Source  definition.  Cost one addition, one multiplication; 0 bytes of state. */
#ifndef FM_KERNELS_FEATURE_MID_H
#define FM_KERNELS_FEATURE_MID_H

/* ffi:begin */
double fm_mid(double bid, double ask); /* NaN unless 0 < bid <= ask */
/* ffi:end */

#endif
