/* kernels/common/baseline.h - what is usual: a slow faded mean of samples taken at the end of slices, hard to blind.
 *
 * It ages with event time, but a silence counts for one window at most: markets close, and Monday's open shall be
 * judged by Friday, not by nothing. Once 16 samples are in, a sample is cut to `cut` times the larger of the mean and
 * a floor before it enters, so one spike cannot hide the next. Ready after 16 samples and `warm_ns` of such time. */
#ifndef FM_KERNELS_COMMON_BASELINE_H
#define FM_KERNELS_COMMON_BASELINE_H

#include "kernels/common/fade.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define FM_BASELINE_SAMPLES 16

/* ffi:begin */
typedef struct fm_baseline {
    double fade;    /* 1 / half-life in ns */
    double weight;  /* faded count of samples */
    double mean;    /* unit of the samples */
    int64_t count;  /* samples ever */
    int64_t age_ns; /* time that counted */
    int64_t warm_ns;
} fm_baseline;
/* ffi:end */

/* warm_up_s 0 = a quarter of the half-life */
static inline void fm_baseline_init(fm_baseline *baseline, double half_life_s, double warm_up_s)
{
    *baseline = (fm_baseline){.fade = 1e-9 / half_life_s};
    baseline->warm_ns = (int64_t)((warm_up_s > 0.0 ? warm_up_s : half_life_s / 4.0) * 1e9);
}

/* Time passes; then a sample enters, unless it is NaN. */
static inline void fm_baseline_add(fm_baseline *baseline, int64_t elapsed_ns, double sample, double cut, double floor)
{
    if (__builtin_add_overflow(baseline->age_ns, elapsed_ns, &baseline->age_ns))
        baseline->age_ns = INT64_MAX;
    if (isnan(sample))
        return;
    double limit = cut * (baseline->mean > floor ? baseline->mean : floor);
    if (baseline->count >= FM_BASELINE_SAMPLES && limit > 0.0 && sample > limit)
        sample = limit;
    baseline->weight = fm_fade((double)elapsed_ns * baseline->fade) * baseline->weight + 1.0;
    baseline->mean += (sample - baseline->mean) / baseline->weight;
    baseline->count++;
}

static inline bool fm_baseline_ready(const fm_baseline *baseline)
{
    return baseline->count >= FM_BASELINE_SAMPLES && baseline->age_ns >= baseline->warm_ns;
}

#endif
