/* kernels/feature/p2.h - a quantile of everything since the start, from five markers.
 *
 * The P-square algorithm: markers at the minimum, the maximum, the quantile and half-way to either side are moved by a
 * parabola through their neighbours whenever they are a place or more from where they should be; by a line where the
 * parabola would leave their order. The quantile is that of the events before x; with q = 0 it is their minimum, with
 * q = 1 their maximum, exactly.
 *
 * Params  q (1; 0.5 = the median).  Input x.
 * Output  quantile (unit of x).
 * Warm-up five events.
 * Error   no bound: within 0.01 of the rank on smooth distributions that stay as they are (seen on uniform, normal and
 *         exponential samples of 10,000), far off for a series that trends or has gaps between its values; never
 *         further out than the third smallest or largest, unless q is 0 or 1. For a bound there is quantile_sketch,
 *         for the recent past rolling_quantile.
 * Source  R. Jain & I. Chlamtac, "The P-square algorithm for dynamic calculation of quantiles and histograms without
 *         storing observations", Communications of the ACM 28 (1985).
 * Cost    three comparisons of places, up to three parabolas; 112 bytes of state. */
#ifndef FM_KERNELS_FEATURE_P2_H
#define FM_KERNELS_FEATURE_P2_H

/* ffi:begin */
typedef struct fm_p2 {
    double count;     /* events */
    double height[5]; /* values at the markers; the first five events as they come, in order */
    double place[5];  /* how many events are at or below a marker */
    double share[3];  /* of the events, where markers 2 to 4 should be */
} fm_p2;
/* ffi:end */

#endif
