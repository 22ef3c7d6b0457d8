/* kernels/detector/cusum.h - has the level of x shifted, which way, since when, and where to? Page's two sums.
 *
 * z = (x - mean) / sigma of the faded past (kernels/common/faded.h), cut to ±clip. Two sums run: up = max(0, up + z -
 * drift), down = max(0, down - z - drift); score is the larger one, up when they are equal. p is the online conformal
 * tail probability among the past scores (kernels/common/tail.h): as successive scores share most of their sum, read it
 * as a rank.
 *
 * When the score passes `limit` the change is reported (`change` +1 or -1; `since`: how long ago the sum left 0), and
 * mean becomes the median of the last three x, however far they are, which weighs 2 values from then on: it follows the
 * next values as quickly as a mean of few does, while sigma stays and keeps its weight. In the 8 values after a change
 * both sums stay 0. So a shift is reported once, as page_hinkley, which learns the new level by fading, does not
 * promise; a second one within those 8 values is found after them.
 *
 * With drift k and limit h a shift by d sigma is found after about h / (d - k) values, and independent normal values
 * raise a false alarm once in about (e^b - b - 1) / (4 k^2) with b = 2 k (h + 1.166), 70,600 at the presets (Siegmund).
 *
 * Params  half_life (s; of mean and sigma), drift (sigma), limit (sigma), clip (sigma), floor (unit of x; smallest
 *         sigma).  Input x.
 * Outputs score (sigma), p, expected (unit of x; the mean), ready (0 or 1), change (-1, 0, +1), since (s). NaN and
 *         ready 0 until 30 values are in and two differ; since is NaN while the score is 0. Late = seen now.
 * Error   p rounds up, to a quarter octave of the score, and is at least 1e-6.
 * Source  E. Page, "Continuous inspection schemes", Biometrika 41 (1954); presets: D. Montgomery,
 *         "Introduction to statistical quality control" (2009), 9.1; D. Siegmund, "Sequential analysis" (1985).
 * Cost    as page_hinkley, ~35 ns; 456 bytes of state. */
#ifndef FM_KERNELS_DETECTOR_CUSUM_H
#define FM_KERNELS_DETECTOR_CUSUM_H

#include "kernels/common/tail.h"
#include "kernels/common/faded.h"

typedef struct fm_cusum {
    fm_faded past;
    double drift, limit, clip; /* sigmas */
    double floor;              /* smallest sigma */
    double precision;          /* 1 / sigma; NaN until ready */
    double sum[2];             /* up, down; sigmas */
    int64_t since_ns[2];       /* event time of the first value of each; meaningless at 0 */
    double level_weight;       /* faded count of values in the mean, since the last change */
    double newest[2];          /* x of the last two values, the newer one first */
    int64_t hold;              /* values in which the sums still stay 0 */
    int64_t count;             /* values seen */
    fm_tail tail;
} fm_cusum;

#endif
