/* kernels/feature/event_return.h - log return over the last `count` trades, however long they took.
 *
 * In event time of the market itself: a return over a hundred trades spreads alike in a calm and in a busy hour, which
 * a return over a minute does not.
 *
 * Params  count (events: trades).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs event_return (1): log of x over its value `count` trades before; 0.0001 is one basis point.
 * Warm-up from trade count + 1 on.
 * Error   relative 5e-16 for moves below 1/128, absolute 2e-16 * |log x| beyond.
 * Source  T. Ane & H. Geman, "Order flow, transaction clock, and normality of asset returns", J. Finance 55 (2000).
 * Cost    one division and a short series a trade; 16 + 8 * count bytes of state. */
#ifndef FM_KERNELS_FEATURE_EVENT_RETURN_H
#define FM_KERNELS_FEATURE_EVENT_RETURN_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_event_return {
    int64_t count;
    int64_t at;     /* place of the oldest */
    double price[]; /* `count` of them; NaN before they come */
} fm_event_return;
/* ffi:end */

#endif
