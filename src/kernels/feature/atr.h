/* kernels/feature/atr.h - Wilder's average true range of bars: how far the price usually goes in a bar, gaps included.
 *
 * The true range of a bar is max(high, close before) - min(low, close before); that of the first is high - low. The
 * average is the plain mean of the first `count`, then average += (range - average) / count. The new bar is part of it.
 *
 * Params  count (events: bars).  Inputs high, low, close; a bar with high < low is passed over.
 * Outputs atr (price), true_range (price; of this bar), ratio (1; true_range / atr: an unusual bar is far above 1).
 * Warm-up atr after count bars, true_range at once; ratio NaN while atr is 0.
 * Error   relative 1e-15 a step, which fades like the average; an average below 1e-290 counts as 0.
 * Source  J. W. Wilder, "New Concepts in Technical Trading Systems", Trend Research (1978).
 * Cost    one division a bar; 40 bytes of state. */
#ifndef FM_KERNELS_FEATURE_ATR_H
#define FM_KERNELS_FEATURE_ATR_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_atr {
    double per_count; /* 1 / count */
    double keep;      /* 1 while the first mean is made, then 1 - 1 / count */
    double close;     /* of the newest bar; NaN before */
    double average;   /* while the first is made, sum over count */
    int64_t missing;  /* bars until it is warm */
} fm_atr;
int fm_atr_init(fm_atr *atr, double count); /* 0, or FM_EINVAL */
void fm_atr_step(fm_atr *atr, double high, double low, double close,
                 double out[3]); /* takes the bar in; average true range with it, its own, their ratio */
/* ffi:end */

#endif
