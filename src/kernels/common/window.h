/* kernels/common/window.h - a window in event time over which several things are summed, and whether it is whole.
 *
 * The clock of slices.h and any number of sums beside it. The window is whole once 32 slices have opened since the
 * first tick: from then on a sum means something. 32 bytes, and 272 a sum. */
#ifndef FM_KERNELS_COMMON_WINDOW_H
#define FM_KERNELS_COMMON_WINDOW_H

#include "kernels/common/sums.h"

#include <stdbool.h>

/* ffi:begin */
typedef struct fm_window {
    fm_slices clock;
    int64_t whole_ns; /* the window is whole when the open slice ends behind it */
} fm_window;
/* ffi:end */

static inline void fm_window_init(fm_window *window, double window_s)
{
    fm_slices_init(&window->clock, window_s, FM_SLICES);
    window->whole_ns = INT64_MAX;
}

/* Opens the slice of ts_ns; `passed` is what fm_slices_passed said. */
static inline void fm_window_open(fm_window *window, fm_sums *sums, int count, int64_t ts_ns, int64_t passed)
{
    bool first = window->clock.end_ns == INT64_MIN;
    for (int i = 0; i < count; i++)
        fm_sums_close(&sums[i], window->clock.open, passed);
    fm_slices_open(&window->clock, ts_ns, passed, FM_SLICES);
    int64_t rest_ns = fm_slices_window_ns(&window->clock, FM_SLICES - 1);
    if (first && __builtin_add_overflow(window->clock.end_ns, rest_ns, &window->whole_ns))
        window->whole_ns = INT64_MAX;
}

/* Time moves to ts_ns; `count` sums with it. */
static inline void fm_window_advance(fm_window *window, fm_sums *sums, int count, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&window->clock, ts_ns);
    if (__builtin_expect(passed > 0, 0))
        fm_window_open(window, sums, count, ts_ns, passed);
}

static inline bool fm_window_whole(const fm_window *window)
{
    return window->clock.end_ns > window->whole_ns;
}

#endif
