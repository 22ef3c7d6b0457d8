/* kernels/feature/hurst.h - does the series trend or return, over many scales at once? The Hurst exponent.
 *
 * Log returns are added up in blocks of 1, 2, 4 … 2^(scales - 1) ticks. With V_i the faded mean of the squares of the
 * blocks of scale i, V_i grows as 2^(2 H i): H is half the slope of log2 V_i on i by least squares, scale i with weight
 * 2^(-i/2), which is the inverse of its standard error. 0.5 is a random walk, below 0.5 prices return (bid-ask bounce
 * alone gives 0.3 and less), above they trend. A scale fades only as its blocks come, a silence to one half at most.
 *
 * Params  half_life (s), scales (1).  Input x, > 0; values outside 1e-100 … 1e100 count as missing.
 * Outputs hurst (0 … 1 for what is usual). NaN until the largest scale has 8 blocks, and while nothing moves.
 * Error   biased low, since the logarithm of a mean of few squares is low: by 0.002 on a random walk of 1500 ticks a
 *         half-life and 7 scales, where its standard deviation is 0.015 (tests/unit/kernels/shape). A drift of the mean
 *         counts as trend.
 * Source  M. Taqqu, V. Teverovsky & W. Willinger, "Estimators for long-range dependence: an empirical study", Fractals
 *         3 (1995), the aggregated variance method, on increments.
 * Cost    ~52 ns a tick, of which two logarithms on average; 528 bytes of state. */
#ifndef FM_KERNELS_FEATURE_HURST_H
#define FM_KERNELS_FEATURE_HURST_H

#include <stdint.h>

#define FM_HURST_SCALES_MAX 10

/* ffi:begin */
typedef struct fm_hurst_scale {
    double weight, mean; /* faded, of the squares of blocks */
    double half;         /* the first half of the next block; NaN = not begun */
    int64_t newest_ns;
} fm_hurst_scale;
typedef struct fm_hurst {
    double fade;   /* 1 / half-life in ns */
    double newest; /* x; NaN while empty */
    int64_t scales;
    int64_t largest; /* blocks of the largest scale, ever */
    double hurst;    /* NaN until there is one */
    int64_t newest_ns;
    fm_hurst_scale scale[10];
    double log_square[10]; /* log2 of the means */
    double slope[10];      /* what each log_square counts in H */
} fm_hurst;
/* ffi:end */

#endif
