/* kernels/feature/log_return.h - how far the series moved: log of x over its value before.
 *
 * Before is the previous tick (window = 0), or the value in force `window` ago, which is kept in 32 slices: it is
 * between 31/32 and 32/32 of the window old. A silent stretch holds the last value, so the first tick after a night
 * gives the overnight return.
 *
 * Params  window (s; 0 = the previous tick).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Output  log_return (1): 0.0001 is one basis point.
 * Error   relative 5e-16 for moves below 1/128, absolute 2e-16 * |log x| beyond.
 * Cost    one division and a short series a tick; 16 bytes of state, 312 with a window. */
#ifndef FM_KERNELS_FEATURE_LOG_RETURN_H
#define FM_KERNELS_FEATURE_LOG_RETURN_H

#include "kernels/common/held.h"

#include <stdint.h>

/* ffi:begin */
typedef struct fm_log_return {
    double window_s;
    double newest; /* x of the newest tick; NaN while empty */
    fm_held held;  /* exists only with a window */
} fm_log_return;
int fm_log_return_init(fm_log_return *log_return, double window_s); /* 0, or FM_EINVAL outside 0 … 31 days */
double fm_log_return_score(const fm_log_return *log_return, int64_t ts_ns, double x); /* NaN until there is a past */
void fm_log_return_update(fm_log_return *log_return, int64_t ts_ns, double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
