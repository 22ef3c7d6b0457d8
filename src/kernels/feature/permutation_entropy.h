/* kernels/feature/permutation_entropy.h - how unforeseeable is the order of the last values?
 *
 * Each run of `order` values in a row has one of order! patterns: which is smallest, next, and so on; equal values rank
 * by time. Over the last `count` runs, entropy = -sum q log2 q / log2 order!  with q the share of a pattern: 1 where
 * all are alike frequent (noise), near 0 where the series repeats itself: a trend, a loop, an engine that prints. Only
 * the order of values matters, so no outlier and no monotone change of scale moves it.
 *
 * Params  order (1; 3 … 5), count (events).  Input x.
 * Outputs entropy (0 … 1), missing (0 … 1; share of patterns that did not come). The run that ends in the new x is
 *         in. NaN until count + order - 1 values are in.
 * Error   absolute error below 1e-12. Noise reads low by about (order! - 1) / (2 count ln order!).
 * Source  C. Bandt & B. Pompe, "Permutation entropy: a natural complexity measure for time series", Physical Review
 *         Letters 88 (2002).
 * Cost    ~42 ns a value, of which two logarithms unless a pattern replaces its like; 1312 + count bytes of state. */
#ifndef FM_KERNELS_FEATURE_PERMUTATION_ENTROPY_H
#define FM_KERNELS_FEATURE_PERMUTATION_ENTROPY_H

#include <stdint.h>

#define FM_PATTERN_COUNT_MAX 8000

/* ffi:begin */
typedef struct fm_permutation_entropy {
    int64_t count, order;
    int64_t at, filled;   /* in the ring of patterns */
    int64_t sum;          /* of n log2 n over the patterns, in units of 2^-36: nothing is rounded along */
    int64_t seen;         /* values in `recent` */
    double recent[5];     /* newest last */
    double whole;         /* log2 count */
    double scale;         /* 1 / log2 order! */
    int64_t different;    /* patterns with n > 0 */
    int64_t part[120];    /* of each pattern: n log2 n, in those units */
    uint16_t number[120]; /* n of each pattern */
    uint8_t pattern[];    /* of the last count runs */
} fm_permutation_entropy;
/* ffi:end */

#endif
