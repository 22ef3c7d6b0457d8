/* kernels/feature/rsi.h - Wilder's relative strength index: the share of the recent movement that was upward.
 *
 * 100 * up / (up + down), where up and down are averages of the rises and of the falls from event to event: plain means
 * of the first `count` changes, then average += (change - average) / count. The new x is part of it.
 *
 * Params  count (events).  Input x.
 * Output  rsi (1): 0 = only falls, 100 = only rises; above 70 is called overbought, below 30 oversold.
 * Warm-up count + 1 events; NaN too as long as x has never moved.
 * Error   relative 1e-15 a step, which fades like the averages; an average below 1e-290 counts as 0.
 * Source  J. W. Wilder, "New Concepts in Technical Trading Systems", Trend Research (1978).
 * Cost    one division an event; 48 bytes of state. */
#ifndef FM_KERNELS_FEATURE_RSI_H
#define FM_KERNELS_FEATURE_RSI_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_rsi {
    double per_count; /* 1 / count */
    double keep;      /* 1 while the first means are made, then 1 - 1 / count */
    double newest;    /* x of the newest event; NaN before */
    double up, down;  /* averages; while the first are made, sums over count */
    int64_t missing;  /* changes until it is warm */
} fm_rsi;
int fm_rsi_init(fm_rsi *rsi, double count); /* 0, or FM_EINVAL */
double fm_rsi_step(fm_rsi *rsi, double x);  /* takes x in and returns the index with it; NaN is skipped */
/* ffi:end */

#endif
