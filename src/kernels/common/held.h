/* kernels/common/held.h - the value that a series had a window ago, an empty slice holding the value before it.
 *
 * Kept as the last value of each of 32 slices: the value returned was in force between 31/32 and 32/32 of the window
 * ago. NaN until the series is a window old. 288 bytes. */
#ifndef FM_KERNELS_COMMON_HELD_H
#define FM_KERNELS_COMMON_HELD_H

#include "kernels/common/slices.h"

#include <math.h>

/* ffi:begin */
typedef struct fm_held {
    fm_slices clock;
    double newest;      /* NaN before the first value */
    double closing[32]; /* last value of each slice; that of the open one is the value a window ago */
} fm_held;
/* ffi:end */

static inline void fm_held_init(fm_held *held, double window_s)
{
    fm_slices_init(&held->clock, window_s, FM_SLICES);
    held->newest = NAN;
    for (int i = 0; i < FM_SLICES; i++)
        held->closing[i] = NAN;
}

static inline void fm_held_close(fm_held *held, int64_t ts_ns, int64_t passed)
{
    int64_t filled = passed < FM_SLICES ? passed : FM_SLICES;
    for (int64_t i = 0; i < filled; i++)
        held->closing[(held->clock.open + i) % FM_SLICES] = held->newest;
    fm_slices_open(&held->clock, ts_ns, passed, FM_SLICES);
}

static inline double fm_held_past(const fm_held *held)
{
    return held->closing[held->clock.open];
}

#endif
