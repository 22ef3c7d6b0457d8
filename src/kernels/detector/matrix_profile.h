/* kernels/detector/matrix_profile.h - how far is the newest stretch of the series from anything seen before?
 *
 * The newest `length` rows, less their mean and over their norm, are compared with `kept` earlier stretches of that
 * length: those ending e, e + 1, … rows ago, e = ceil(length / 2), since closer ones share too much with it. Only the
 * shape counts, not its level nor its size. With c the correlation of two stretches of m rows,
 *   distance = sqrt(2 m (1 - c))          score = the smallest distance: 0 = seen before, sqrt(2 m) = like nothing
 * This is the left matrix profile: it looks back only, so a discord is seen when it is complete, the first of its kind
 * too. A flat stretch (norm <= 1e-10 |mean| sqrt(m), or 1e-100) is the zero vector: distance 0 to another one, sqrt(m)
 * to the rest.
 *
 * Kept for every lag is the covariance of the newest stretch with the one that ended so many rows ago; one row moves
 * it on by two multiplications. Rounding is bounded in two ways: eight of the covariances are made afresh each row, all
 * within kept / 8 rows, and the distance to the neighbour that they name is computed from the rows themselves.
 *
 * Params  length (events), kept (events).  Input x.
 * Outputs score (1); p: the online conformal tail of (score^2 / 4 m)^2 (kernels/common/tail.h), which ranks scores to
 *         4 %; expected (unit of x): what followed the neighbour of the stretch before x, brought to the mean and norm
 *         of that stretch; ready (0 or 1); neighbour_age (events): how many rows ago the neighbour ended, the latest of
 *         equal ones but for rounding. NaN and ready 0 until min(kept, 4 length) stretches can be compared
 *         with: length + e - 2 + that many rows, 273 with the presets. A missing x changes nothing: rows are counted,
 *         not time.
 * Error   the distance to neighbour_age is exact to 1e-12 of sqrt(m). Another stretch may be nearer by what rounding
 *         does to a correlation: below 1e-13 on a series without breaks; else 1e-16 times the sizes of the two breaks
 *         that were compared in the last kept / 8 rows, in norms of the newest stretch: two prints a million steps
 *         away move a score by less than 1e-3. Times and plus a constant: the same but for rounding.
 * Source  C.-C. M. Yeh et al., "Matrix profile I: all pairs similarity joins for time series" (ICDM 2016), with the
 *         update of Z. Zimmerman et al., "Matrix profile XIV: scaling time series motif discovery with GPUs to break a
 *         quintillion pairwise comparisons a day and beyond" (SoCC 2019); to look back only: Y. Lu et al., "Matrix
 *         profile XXIV: scaling time series anomaly detection to trillions of datapoints and ultra-fast arriving data
 *         streams" (KDD 2022).
 * Cost    three multiplications and four loads a stretch kept, two at a time: 1.5 us at the presets, 3.3 us when the
 *         state comes from beyond the second cache. State: 48 kept + 68 length + 368 bytes, 99,768 with the presets. */
#ifndef FM_KERNELS_DETECTOR_MATRIX_PROFILE_H
#define FM_KERNELS_DETECTOR_MATRIX_PROFILE_H

#include "kernels/common/tail.h"

#include <stddef.h>

#define FM_MATRIX_PROFILE_LENGTH_MAX 1024

typedef struct fm_matrix_profile {
    int64_t length, kept;
    int64_t first_lag; /* of the stretches compared with */
    int64_t size;      /* of each ring: all that a lag reaches */
    int64_t head;      /* place of the newest row; older ones follow it */
    int64_t seen;      /* rows */
    int64_t flat_row;  /* newest flat stretch that is old enough to be compared with; negative = none */
    int64_t fresh;     /* covariance that is made afresh next */
    int64_t neighbour; /* lag of the newest stretch's neighbour; 0 = none */
    fm_tail tail;
    double rings[]; /* x, mean, inverse norm, half step, deviations at both ends; then the covariances by lag */
} fm_matrix_profile;
size_t fm_matrix_profile_size(const double params[2]);                        /* bytes */
int fm_matrix_profile_init(fm_matrix_profile *state, const double params[2]); /* length, kept; 0, or FM_EINVAL */
void fm_matrix_profile_score(const fm_matrix_profile *state, double x,
                             double out[5]);                       /* score, p, expected, ready, neighbour_age */
void fm_matrix_profile_update(fm_matrix_profile *state, double x); /* NaN is skipped */

#endif
