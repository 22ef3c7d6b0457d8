/* kernels/common/faded_pair.h - means, variances and covariance of two series whose past fades with event time.
 *
 * A pair that is a half-life older than the newest weighs one half, a silence fades the past to one half at most
 * (kernels/common/quiet_fade.h). Updating as in T. Finch, "Incremental calculation of
 * weighted mean and variance" (2009), for two. 80 bytes. */
#ifndef FM_KERNELS_COMMON_FADED_PAIR_H
#define FM_KERNELS_COMMON_FADED_PAIR_H

#include "kernels/common/quiet_fade.h"

#define FM_PAIR_SQUARES_MIN 1e-100 /* sums of squares from here up are variation */

/* ffi:begin */
typedef struct fm_faded_pair {
    double fade; /* 1 / half-life in ns */
    double weight, mean_x, mean_y;
    double weight_squares; /* faded sum of squared weights */
    double xx, yy, xy;     /* faded sums of products of the distances from the means */
    int64_t newest_ns;
    int64_t count; /* pairs ever */
} fm_faded_pair;
/* ffi:end */

static inline void fm_faded_pair_init(fm_faded_pair *pair, double half_life_s)
{
    *pair = (fm_faded_pair){.fade = 1e-9 / half_life_s, .newest_ns = INT64_MIN};
}

static inline void fm_faded_pair_add(fm_faded_pair *pair, int64_t ts_ns, double x, double y)
{
    double keep = fm_quiet_fade(&pair->newest_ns, ts_ns, pair->fade);
    double from_x = x - pair->mean_x, from_y = y - pair->mean_y;
    pair->weight = keep * pair->weight + 1.0;
    pair->weight_squares = keep * keep * pair->weight_squares + 1.0;
    pair->mean_x += from_x / pair->weight;
    pair->mean_y += from_y / pair->weight;
    pair->xx = keep * pair->xx + fm_positive(from_x * (x - pair->mean_x));
    pair->yy = keep * pair->yy + fm_positive(from_y * (y - pair->mean_y));
    pair->xy = keep * pair->xy + from_x * (y - pair->mean_y);
    pair->count++;
}

/* How many pairs of equal weight tell as much. */
static inline double fm_faded_pair_effective(const fm_faded_pair *pair)
{
    return pair->weight * pair->weight / pair->weight_squares;
}

/* y per x; NaN while x does not vary. */
static inline double fm_faded_pair_slope(const fm_faded_pair *pair)
{
    return pair->xx >= FM_PAIR_SQUARES_MIN ? fm_finite(pair->xy / pair->xx) : NAN;
}

/* -1 … 1; NaN while one does not vary. */
static inline double fm_faded_pair_correlation(const fm_faded_pair *pair)
{
    if (!(pair->xx >= FM_PAIR_SQUARES_MIN && pair->yy >= FM_PAIR_SQUARES_MIN))
        return NAN;
    double r = pair->xy / (sqrt(pair->xx) * sqrt(pair->yy));
    return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

#endif
