/* kernels/feature/event_rate.h - records a second over the last window, and how many times the usual rate that is.
 *
 * The usual rate is the faded mean of such windows, sampled at the end of each slice in which anything came; a burst
 * enters it as at most 8 times the mean, and a silence longer than the window is no evidence
 * (kernels/common/baseline.h, surge.h). `floor` is the smallest usual rate divided by: ten quotes after a quiet minute
 * are not a burst.
 *
 * Params  window (s), half_life (s), floor (1/s), warm_up (s of event time, 0 = half_life/4).  Input event (1 on every
 *         record).
 * Outputs rate (1/s), ratio (1), usual (1/s). The record at hand is counted.
 * Error   the window reaches back between 31/32 and 32/32 of its length, so on average a rate reads 1.6 % low, as the
 *         usual one (sampled over whole windows) does not.
 * Source  definition; the guarded mean as in Croux, Gelper & Mahieu (2010).
 * Cost    additions and two divisions a record; one fm_exp2 and 32 additions a slice; 360 bytes of state. */
#ifndef FM_KERNELS_FEATURE_EVENT_RATE_H
#define FM_KERNELS_FEATURE_EVENT_RATE_H

#include "kernels/common/surge.h"

/* ffi:begin */
typedef struct fm_event_rate {
    fm_surge events;
    double per_s; /* 1 / window */
} fm_event_rate;
int fm_event_rate_init(fm_event_rate *rate, double window_s, double half_life_s, double floor_per_s, double warm_up_s);
void fm_event_rate_score(const fm_event_rate *rate, int64_t ts_ns, double event,
                         double out[3]); /* rate, ratio, usual */
void fm_event_rate_update(fm_event_rate *rate, int64_t ts_ns,
                          double event); /* NaN and 0 are skipped; late = seen now */
/* ffi:end */

#endif
