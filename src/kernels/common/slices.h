/* kernels/common/slices.h - the clock of a window in event time: 32 slices, the newest one open.
 *
 * A window of W is cut into slices of W/32 that lie on multiples of W/32 since 1970, whatever tick came first, so two
 * states fed with the same ticks agree. At any tick the window is the open slice and the 31 before it: it reaches back
 * between 31/32 W and W. A late tick counts as seen now; a gap closes every slice in it at once. Times need not be
 * sane: nothing overflows.
 *
 * Where more than half an hour, and more than four slices, hold no tick, the market is taken to have been closed: the
 * move since then is a night's, and whoever makes returns of slices leaves it out. For a name that trades less than
 * once in half an hour, take slices so long that four of them seldom pass without a trade. */
#ifndef FM_KERNELS_COMMON_SLICES_H
#define FM_KERNELS_COMMON_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#define FM_SLICES     32
#define FM_SLICES_FAR (INT64_C(1) << 20) /* "more slices than anything keeps" */

/* ffi:begin */
typedef struct fm_slices {
    int64_t width_ns; /* of one slice, >= 1 */
    int64_t end_ns;   /* event time at which the open slice ends; INT64_MIN before the first tick */
    int64_t open;     /* index of the open slice */
} fm_slices;
/* ffi:end */

static inline void fm_slices_init(fm_slices *slices, double window_s, int64_t count)
{
    int64_t width_ns = (int64_t)(window_s * 1e9) / count;
    *slices = (fm_slices){.width_ns = width_ns > 0 ? width_ns : 1, .end_ns = INT64_MIN};
}

/* Slices that a tick at ts_ns closes: 0 while the open one lasts, FM_SLICES_FAR at most (and at the first tick). */
static inline int64_t fm_slices_passed(const fm_slices *slices, int64_t ts_ns)
{
    if (__builtin_expect(ts_ns < slices->end_ns, 1))
        return 0;
    int64_t late_ns;
    if (slices->end_ns == INT64_MIN || __builtin_sub_overflow(ts_ns, slices->end_ns, &late_ns))
        return FM_SLICES_FAR;
    int64_t passed = late_ns < slices->width_ns ? 1 : late_ns / slices->width_ns + 1;
    return passed < FM_SLICES_FAR ? passed : FM_SLICES_FAR;
}

/* Whether the market was closed in the slices that a tick closes beside the open one. */
static inline bool fm_slices_night(const fm_slices *slices, int64_t passed)
{
    int64_t half_hour = INT64_C(1800000000000) / slices->width_ns;
    return passed == FM_SLICES_FAR || passed - 1 > (half_hour > 4 ? half_hour : 4);
}

/* Opens the slice that ts_ns lies in; `passed` is what fm_slices_passed said. */
static inline void fm_slices_open(fm_slices *slices, int64_t ts_ns, int64_t passed, int64_t count)
{
    int64_t end_ns;
    slices->open = (slices->open + passed) % count;
    if (passed < FM_SLICES_FAR) {
        if (__builtin_add_overflow(slices->end_ns, passed * slices->width_ns, &end_ns))
            end_ns = INT64_MAX;
    } else {
        int64_t inside_ns = ts_ns % slices->width_ns;
        inside_ns += inside_ns < 0 ? slices->width_ns : 0;
        if (__builtin_add_overflow(ts_ns, slices->width_ns - inside_ns, &end_ns))
            end_ns = INT64_MAX;
    }
    slices->end_ns = end_ns;
}

static inline int64_t fm_slices_window_ns(const fm_slices *slices, int64_t count)
{
    return slices->width_ns * count;
}

/* Sum of 32 slots, in an order that never changes. */
static inline double fm_slices_sum(const double slot[FM_SLICES])
{
    double lane[8] = {0};
    for (int i = 0; i < FM_SLICES; i += 8)
        for (int j = 0; j < 8; j++)
            lane[j] += slot[i + j];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

#endif
