/* kernels/feature/quantile_sketch.h - a quantile of everything since the start, with a bound on its rank.
 *
 * A KLL sketch: values stand in levels, those of level h for 2^h events each, every level in order. When the sketch is
 * full, the lowest level that has reached its share is halved: of each two neighbours one, by a coin that is the same
 * for all, goes on to the next level; an odd one, the smallest, stays. The top level's share is k, that of the level
 * below a level 2/3 of its own (rounded up), 8 at least; when the top has reached k, a new one is put above it.
 * k = ceil((3.06 / accuracy)^1.1085), so the sketch is exact for the first k events.
 *
 * The answer is the smallest value with at least q of the weight at or below it. It is found anew with each event while
 * there is one level; then whenever the events have become more by accuracy / 4.
 *
 * Params  q (1; 0.5 = the median), accuracy (1; of the rank).  Input x.
 * Output  quantile (unit of x), of the events before x.
 * Warm-up 1 / accuracy events.
 * Error   with 99 % probability over the coins the rank of the answer is within accuracy of q, in whatever order the
 *         values came (sorted, reversed, zigzag): 3/4 of it are the sketch's,
 *         1/4 is the answer's age. 0.27 of it was the most seen on eight shapes and orders of 200,000 values
 *         (tests/unit/kernels/quantiles). The coins are those of the same seed in every state.
 * Source  Z. Karnin, K. Lang & E. Liberty, "Optimal quantile approximation in streams", FOCS 2016. The Apache
 *         DataSketches library measured an error of 2.296 / k^0.9723 (99 %, one quantile); for 3/4 of the accuracy that
 *         asks for k = (3.06 / accuracy)^1.0285, 360 at 0.01. The larger exponent here is a margin: k = 569 there.
 * Cost    ~70 ns an event at accuracy = 0.01, once in a while some microseconds; 15,672 bytes of state there. */
#ifndef FM_KERNELS_FEATURE_QUANTILE_SKETCH_H
#define FM_KERNELS_FEATURE_QUANTILE_SKETCH_H

#include <stdint.h>

#define FM_SKETCH_LEVELS 40 /* 2^39 * k events; what comes then is passed over */

/* ffi:begin */
typedef struct fm_quantile_sketch {
    double q, accuracy;
    int64_t count;   /* events */
    double quantile; /* NaN before the first event */
    int64_t due;     /* events at which the answer is found anew */
    int64_t coins;   /* tossed so far */
    int32_t k;
    int32_t room; /* values that may stand in the levels there are */
    int32_t level_count;
    int32_t begin[41]; /* first value of each level; the next level's first is behind its last */
    double value[];    /* filled from its end */
} fm_quantile_sketch;
/* ffi:end */

#endif
