/* kernels/detector/hampel.h - is x far from the median of the last `count` values, in units of the median absolute
 * deviation? Hampel's identifier, exact.
 *
 * score = |x - median| / sigma, sigma = 1.4826 MAD of the last `count` values before x, at least `floor`. Up to half of
 * them may be garbage before either says something wrong. While more than half of them are one value, the usual state
 * of returns in ticks, the MAD is 0, and sigma = 1.4826 (share of the values that differ) (median of their distances),
 * in which half of those may be garbage; while all are equal, sigma stays what it was. p is the online conformal tail
 * probability among the past scores (kernels/common/tail.h). Counted in events: a burst fills the window with itself;
 * robust_z has a window in event time.
 *
 * Params  count (events), floor (unit of x; smallest sigma divided by).  Input x.
 * Outputs score (sigma), p, expected (unit of x; the median), ready (0 or 1). NaN and ready 0 until 16 values are in
 *         and two of them differ, or floor > 0. A missing x changes nothing; time means nothing.
 * Error   median and MAD are exact. p rounds up, to a quarter octave of the score, and is at least 1e-6.
 * Source  F. Hampel, "The influence curve and its role in robust estimation", JASA 69 (1974); conformal p: Vovk,
 *         Gammerman & Shafer, "Algorithmic Learning in a Random World" (2005).
 * Cost    four binary searches and two memmoves of half the window; ~150 ns at 100 events; 344 bytes + 16 an event. */
#ifndef FM_KERNELS_DETECTOR_HAMPEL_H
#define FM_KERNELS_DETECTOR_HAMPEL_H

#include "kernels/common/tail.h"

typedef struct fm_hampel {
    int64_t room; /* parameter `count` */
    double floor; /* smallest sigma */
    double median;
    double sigma;  /* NaN until warm and something varied */
    int64_t count; /* values in the window */
    int64_t next;  /* of `value`: where the next one goes, the oldest once the window is full */
    fm_tail tail;
    double value[]; /* `room` in order of arrival, then `room` in ascending order */
} fm_hampel;

#endif
