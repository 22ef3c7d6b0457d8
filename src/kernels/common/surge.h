/* kernels/common/surge.h - an amount over the last window against the faded average of such windows.
 *
 * The machine under event_rate and volume_ratio. The baseline takes a sample at the end of every slice in which
 * something happened, once the window has been seen whole: it is the usual amount of a window that is not silent. 400
 * bytes. */
#ifndef FM_KERNELS_COMMON_SURGE_H
#define FM_KERNELS_COMMON_SURGE_H

#include "kernels/common/baseline.h"
#include "kernels/common/sums.h"

#define FM_SURGE_CUT 8.0 /* a window enters the average as 8 times the average at most */

/* ffi:begin */
typedef struct fm_surge {
    fm_slices clock;
    fm_baseline usual;
    double floor; /* smallest average that is divided by */
    fm_sums sums;
} fm_surge;
/* ffi:end */

static inline void fm_surge_init(fm_surge *surge, double window_s, double half_life_s, double warm_up_s, double floor)
{
    fm_slices_init(&surge->clock, window_s, FM_SLICES);
    fm_baseline_init(&surge->usual, half_life_s, warm_up_s);
    surge->floor = floor;
}

static inline void fm_surge_advance(fm_surge *surge, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&surge->clock, ts_ns);
    if (passed == 0)
        return;
    if (surge->clock.end_ns != INT64_MIN) {
        int64_t counted = passed < FM_SLICES ? passed : FM_SLICES;
        bool whole = surge->usual.age_ns + surge->clock.width_ns >= fm_slices_window_ns(&surge->clock, FM_SLICES);
        double sample = whole ? fm_sums_total(&surge->sums) : NAN;
        fm_baseline_add(&surge->usual, counted * surge->clock.width_ns, sample, FM_SURGE_CUT, surge->floor);
    }
    fm_sums_close(&surge->sums, surge->clock.open, passed);
    fm_slices_open(&surge->clock, ts_ns, passed, FM_SLICES);
}

/* {amount of the window with the new one, that over the usual one, the usual one} */
static inline void fm_surge_read(const fm_surge *surge, double amount, double *total, double *ratio, double *usual)
{
    bool whole = surge->usual.age_ns >= fm_slices_window_ns(&surge->clock, FM_SLICES);
    *total = whole ? fm_sums_total(&surge->sums) + amount : NAN;
    *usual = fm_baseline_ready(&surge->usual) ? surge->usual.mean : NAN;
    double divisor = *usual < surge->floor ? surge->floor : *usual;
    *ratio = divisor > 0.0 ? *total / divisor : NAN;
}

#endif
