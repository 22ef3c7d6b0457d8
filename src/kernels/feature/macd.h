/* kernels/feature/macd.h - moving average convergence divergence: a fast average less a slow one, and its own average.
 *
 * average += 2 / (n + 1) * (x - average), which begins at the first x, with n = fast and n = slow; their difference is
 * averaged alike with n = signal, beginning at 0. The new x is part of all.
 *
 * Params  fast, slow, signal (events).  Input x.
 * Outputs macd, signal, histogram (unit of x): fast - slow, its average, their difference. A histogram that changes its
 *         sign is a crossing.
 * Warm-up slow + signal events.
 * Error   relative 1e-15 a step, which fades like the averages; an average of differences below 1e-290 counts as 0.
 * Source  G. Appel, "Technical Analysis: Power Tools for Active Investors", FT Prentice Hall (2005).
 * Cost    three multiply-adds an event; 56 bytes of state. */
#ifndef FM_KERNELS_FEATURE_MACD_H
#define FM_KERNELS_FEATURE_MACD_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_macd {
    double gain[3];            /* 2 / (n + 1) of fast, slow, signal */
    double fast, slow, signal; /* averages */
    int64_t missing;           /* events until it is warm */
} fm_macd;
/* ffi:end */

#endif
