/* kernels/detector/knn_shingle.h - how far is the newest shingle of the series from those most like it?
 *
 * A shingle is `shingle` rows in a row, newest last. The newest one is compared with `kept` earlier ones, those that
 * end L, L + 1, … rows ago, L = shingle, none of which shares a row with it. Two are apart by the root of the mean
 * square of the differences of their rows: with level = 1 each as it is, so that a level never seen is unusual, too,
 * which suits what keeps to a range (returns, spreads, rates); with level = 0 each less its mean, so that only a shape
 * and its size count, which suits a price.
 *   distance = mean over the `neighbours` nearest of how far they are apart           unit of x
 *   usual    = mean of the distances before, faded over `kept` rows; each enters as 8 times it at most once 16 are in
 *   score    = distance / usual, at most 1000; 0 when the distance is 0
 * So 1 is usual. Unlike a matrix profile's, shingles keep their size: a calm series that starts to swing as it never
 * did is seen, and one copy of an old anomaly does not hide the next.
 *
 * Params  shingle, kept, neighbours (events), level (0 or 1; less than 0.5 is 0).  Input x.
 * Outputs score (1); p: the online conformal tail of 16 score^2 (kernels/common/tail.h), which ranks scores from 1/16
 *         to 14 to 12 %; expected (unit of x): mean of what followed the neighbours of the shingle before x, brought to
 *         its mean if level = 0; ready (0 or 1); distance (unit of x); neighbour_age (events): how many rows ago the
 *         nearest one ended, the latest of equal ones but for rounding. NaN and ready 0 until
 *         min(kept, 4 max(shingle, neighbours)) shingles can be compared with: 2 shingle - 2 + that many rows, 118 with
 *         the presets. A missing x changes nothing.
 * Error   distances are moved on row by row, but made afresh within kept / 8 rows, and those of the neighbours found
 *         are computed from the rows: `distance` is exact to 1e-12 for these neighbours. Others may be nearer by the
 *         rounding of squares, 1e-16 of the largest square of a difference in the last kept / 8 rows. Times a constant:
 *         the same but for rounding.
 * Source  the conformal k nearest neighbours of E. Burnaev & V. Ishimtsev, "Conformalized density- and distance-based
 *         anomaly detection in time-series data" (2016), here with every earlier shingle as reference and the Euclidean
 *         distance in place of Mahalanobis'.
 * Cost    five loads, four multiplications a shingle kept, two at a time, then the neighbours: 1.9 us at the presets.
 *         State: 24 kept + 40 shingle + 512 bytes, 25,312 with the presets. */
#ifndef FM_KERNELS_DETECTOR_KNN_SHINGLE_H
#define FM_KERNELS_DETECTOR_KNN_SHINGLE_H

#include "kernels/common/tail.h"

#include <stddef.h>

#define FM_KNN_SHINGLE_MAX    256
#define FM_KNN_NEIGHBOURS_MAX 32

typedef struct fm_knn_shingle {
    int64_t shingle, kept, neighbours;
    double centred;                         /* rows of a shingle if each is taken less its mean, else 0 */
    int64_t size;                           /* of each ring */
    int64_t head;                           /* place of the newest row */
    int64_t seen;                           /* rows */
    int64_t fresh;                          /* square that is made afresh next */
    int64_t distances;                      /* that have been in `usual` */
    double usual;                           /* faded mean of them */
    int64_t nearest_count;                  /* of the newest shingle's neighbours */
    int32_t nearest[FM_KNN_NEIGHBOURS_MAX]; /* their lags */
    fm_tail tail;
    double rings[]; /* x, its first rows again, mean; then sums of squares by lag */
} fm_knn_shingle;
size_t fm_knn_shingle_size(const double params[4]); /* bytes */
int fm_knn_shingle_init(fm_knn_shingle *state,
                        const double params[4]); /* shingle, kept, neighbours, level; 0, or FM_EINVAL */
void fm_knn_shingle_score(const fm_knn_shingle *state, double x,
                          double out[6]);                    /* score, p, expected, ready, distance, neighbour_age */
void fm_knn_shingle_update(fm_knn_shingle *state, double x); /* NaN is skipped */

#endif
