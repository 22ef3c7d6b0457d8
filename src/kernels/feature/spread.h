/* kernels/feature/spread.h - how far apart the best bid and ask are.
 *
 * A quote that is locked (bid = ask), crossed, or has one side says nothing about the cost of trading: NaN, never 0 or
 * less.
 *
 * Inputs  bid, ask (price).  Outputs absolute (price), relative (bp of the mid).  No parameters, no state.
 * Source  definition.  Cost one division; 0 bytes of state. */
#ifndef FM_KERNELS_FEATURE_SPREAD_H
#define FM_KERNELS_FEATURE_SPREAD_H

/* ffi:begin */
double fm_spread(double bid, double ask);    /* price; NaN unless 0 < bid < ask */
double fm_spread_bp(double bid, double ask); /* of the mid */
/* ffi:end */

#endif
