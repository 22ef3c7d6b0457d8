/* kernels/detector/ewma_z.h - is x far from its faded mean? The plainest detector, with a calibrated tail.
 *
 * score = |x - mean| / sigma, with mean and variance faded by event time (kernels/common/faded.h) and sigma at least
 * `floor`. A value is cut to mean ± clip sigma before it enters them, so an outlier does not hide the next. p is the
 * online conformal tail probability among the past scores (kernels/common/tail.h): no distribution is assumed, so it
 * holds for heavy tails as well.
 *
 * Params  half_life (s), clip (sigma; 0 = none), floor (unit of x).  Input x.
 * Outputs score (sigma), p, expected (unit of x), ready (0 or 1). NaN and ready 0 until 30 values are in and two of
 *         them differ.
 * Error   p rounds up, to a quarter octave of the score, and is at least 1e-6.
 * Source  Finch (2009) as in ewma; Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World" (2005).
 * Cost    three divisions, a root, a short series, four vector additions a tick; 376 bytes of state. */
#ifndef FM_KERNELS_DETECTOR_EWMA_Z_H
#define FM_KERNELS_DETECTOR_EWMA_Z_H

#include "kernels/common/tail.h"
#include "kernels/common/faded.h"

/* ffi:begin */
typedef struct fm_ewma_z_detector {
    fm_faded past;
    double clip;      /* sigmas; +infinity = none */
    double floor;     /* smallest sigma */
    double precision; /* 1 / sigma; NaN until ready */
    int64_t count;    /* values seen */
    fm_tail tail;
} fm_ewma_z_detector;
int fm_ewma_z_detector_init(fm_ewma_z_detector *detector, double half_life_s, double clip,
                            double floor); /* 0, or FM_EINVAL */
void fm_ewma_z_detector_score(const fm_ewma_z_detector *detector, double x,
                              double out[4]); /* score, p, expected, ready */
void fm_ewma_z_detector_update(fm_ewma_z_detector *detector, int64_t ts_ns,
                               double x); /* NaN is skipped; late = seen now */
/* ffi:end */

#endif
