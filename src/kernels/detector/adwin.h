/* kernels/detector/adwin.h - has the mean of x changed? A window that grows while it has not and is cut when it has.
 *
 * The window is an exponential histogram: row r holds up to 5 buckets of 2^r values each (count, mean, sum of squared
 * distances); when a sixth comes, the two oldest of the row become one bucket of the next. Every `clock` events each
 * boundary between buckets with at least 5 values on both sides is a candidate for a cut into n0 old and n1 new values:
 *   ratio = |mean0 - mean1| / epsilon,   epsilon = sigma * (sqrt(2 L / m) + 2 L / (3 m)),
 *   1/m = 1/n0 + 1/n1,   L = log(2 log(n) / delta),   n, sigma: of the whole window.
 * score = the largest ratio. Above 1 the mean has changed: what is older than that cut is dropped, and the rest is
 * checked again until no ratio is above 1. (The original drops one bucket at a time, which comes to the same cut but
 * for ties and may take a hundred scans.)
 *
 * A value is cut to mean ± clip sigma of the last check before it enters, so that one bad print is not a change. More
 * than three in a row beyond half of that on one side are no bad prints: from the fourth on they enter as they are, and
 * when the change is found, the window begins with the first bucket behind the third. So a shift of any size is one
 * change. Right after a change no value is cut until the next check.
 *
 * Outputs tell what the last check said; an x that is scored has no part in it, it is checked within `clock` events.
 * p is the online conformal tail probability of that check's score among those of the checks before (see
 * kernels/common/tail.h). delta bounds the false alarms of a series of independent values; for an autocorrelated one
 * read p, not score > 1. The term 2/(3m) is the original's for values in 0…1, with sigma in place of their range.
 *
 * Params  delta (1), clock (events), clip (sigma).  Input x.
 * Outputs score (1; above 1 = change), p, expected (unit of x; mean of the window), ready (0 or 1), width (values in
 *         the window), change (1 at the first event after the check that found one, else 0). NaN and ready 0 until a
 *         check with 30 values of which two differ.
 * Error   of the window's mean and variance: rounding. The cut lies on a boundary of buckets, the window's width is
 *         known to 1/5 of the age of the change. At 5 * 2^28 values the oldest are forgotten.
 * Source  A. Bifet & R. Gavalda, "Learning from time-changing data with adaptive windowing", SIAM SDM (2007).
 * Cost    ~15 ns an event for the histogram, and each `clock` events ~10 ns a bucket (about 5 log2(width / 5) of them);
 *         3,304 bytes. */
#ifndef FM_KERNELS_DETECTOR_ADWIN_H
#define FM_KERNELS_DETECTOR_ADWIN_H

#include "kernels/common/tail.h"

#define FM_ADWIN_ROWS 28

typedef struct fm_adwin {
    double delta, clip;
    int64_t clock, due;        /* events between checks; until the next one */
    int64_t width;             /* values in the window */
    int64_t rows;              /* that hold a bucket, or held one */
    int64_t run;               /* newest values in a row that lie far above the mean; below: negative */
    double score, p;           /* of the last check; NaN until there is one */
    double change;             /* 1 or 0 */
    double mean, sigma;        /* of the window, at the last check */
    int64_t size[28];          /* buckets of each row */
    double bucket_mean[28][6]; /* oldest first */
    double bucket_square[28][6];
    fm_tail tail;
} fm_adwin;

#endif
