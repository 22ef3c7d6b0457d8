/* kernels/feature/rolling_quantile.h - an exact quantile of the last events, and where x ranks among them.
 *
 * The events are the `count` before x. They are kept in order of value and in order of time: the oldest leaves, x takes
 * its place, and what lies between the two moves over by one.
 *
 * Params  q (1; 0.5 = the median), count (events).  Input x.
 * Outputs quantile (unit of x; between two values it is interpolated, type 7 of Hyndman & Fan), rank (1; the share of
 *         the events below x, equal ones counted half: 0.99 means x is above 99 % of them).
 * Warm-up count events.
 * Error   none but the interpolation's rounding.
 * Source  R. J. Hyndman & Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996).
 * Cost    three binary searches without branches and one move of up to count * 8 bytes an event; 48 + 16 * count bytes
 *         of state. */
#ifndef FM_KERNELS_FEATURE_ROLLING_QUANTILE_H
#define FM_KERNELS_FEATURE_ROLLING_QUANTILE_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_rolling_quantile {
    int64_t count;  /* events in the window */
    int64_t filled; /* events that are in */
    int64_t at;     /* place of the oldest */
    int64_t low;    /* the quantile lies between the low-th value and the next … */
    double part;    /* … at this part of the way */
    double per_count;
    uint64_t key[]; /* values in order, then values in time, as integers that order alike */
} fm_rolling_quantile;
/* ffi:end */

#endif
