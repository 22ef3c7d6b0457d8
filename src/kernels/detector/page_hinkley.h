/* kernels/detector/page_hinkley.h - has the level of x shifted? Small differences that all go one way add up.
 *
 * z = (x - mean) / sigma of the faded past (kernels/common/faded.h), cut to ±clip, so that one outlier is not a shift.
 * Two sums run: up = max(0, up + z - drift), down = max(0, down - z - drift); score is the larger one. When it passes
 * `limit` the change is reported, both sums start from 0 at the next value, and the mean goes on learning the new
 * level. p is the online conformal tail probability among the past scores (kernels/common/tail.h): as successive
 * scores share most of their sum, read it as a rank, not as the rate of an independent test.
 *
 * Params  half_life (s; of mean and sigma), drift (sigma), limit (sigma), clip (sigma), floor (unit of x; smallest
 *         sigma).  Input x.
 * Outputs score (sigma), p, expected (unit of x; the mean), ready (0 or 1). NaN and ready 0 until 30 values are in and
 *         two differ.
 * Error   p rounds up, to a quarter octave of the score, and is at least 1e-6.
 * Source  E. Page, "Continuous inspection schemes", Biometrika 41 (1954); D. Hinkley, "Inference about the
 *         change-point from cumulative sum tests", Biometrika 58 (1971).
 * Cost    three divisions, a root, a short series, four vector additions a tick; 408 bytes of state. */
#ifndef FM_KERNELS_DETECTOR_PAGE_HINKLEY_H
#define FM_KERNELS_DETECTOR_PAGE_HINKLEY_H

#include "kernels/common/tail.h"
#include "kernels/common/faded.h"

/* ffi:begin */
typedef struct fm_page_hinkley {
    fm_faded past;
    double drift, limit, clip; /* sigmas */
    double floor;              /* smallest sigma */
    double precision;          /* 1 / sigma; NaN until ready */
    double up, down;           /* the two sums, sigmas */
    int64_t count;             /* values seen */
    fm_tail tail;
} fm_page_hinkley;
/* params: half_life, drift, limit, clip, floor. 0, or FM_EINVAL */
int fm_page_hinkley_init(fm_page_hinkley *detector, const double params[5]);
void fm_page_hinkley_score(const fm_page_hinkley *detector, double x, double out[4]); /* score, p, expected, ready */
void fm_page_hinkley_update(fm_page_hinkley *detector, int64_t ts_ns, double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
