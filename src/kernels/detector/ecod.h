/* kernels/detector/ecod.h - how far out is x in the tails of its past, all series together?
 *
 * Each series is ranked in its own past, faded over `memory` events (kernels/common/ranks_from.h); the share of values
 * at or below x is the left tail probability, that at or above the right one, x included in both. Sums over the series:
 *   left = sum -log F_left, right = sum -log F_right, skewed = sum -log of the left one where the skewness is below 0,
 *   else of the right one;   score = the largest of the three, in nats (left before right before skewed when equal).
 * Skewness has the sign of a faded third moment: with w = min(rows, memory), d = x - mean, cut to ±8 sigma of the
 * past once two values differ, mean += d / w, variance += (d^2 (1 - 1/w) - variance) / w, third += (c^3 - third) / w
 * where c = d / sigma of the past. So a bad print moves neither for long.
 * p is the online conformal tail probability among the past scores (kernels/common/tail.h, with buckets of 4/5 nat).
 * Attribution: a1 … a8, the part of each series in the score's sum; parts add up to 1.
 *
 * Params  dims (1…8), memory (events).  Inputs x, x2 … x8.
 * Outputs score (nats), p, expected (unit of x; faded mean of x), ready (0 or 1), a1 … a8 (NaN beyond dims and while
 *         the score is 0). NaN and ready 0 until 30 rows are in. A row with a missing value changes nothing; time means
 *         nothing.
 * Error   ranks are those of a sketch: exact up to 96 different values, else a tail is within a factor of 1.25, 0.22
 *         nats a series; what lies between a value and the first one of its series is rounded to 24 bits. p rounds up
 *         to a bucket. Series are summed as if they were independent; p is calibrated whether they are or not.
 *         One series of several that is far out adds log(memory) nats at most, which the others' chance can hide:
 *         mahalanobis sees it, ecod sees what is moderately far out in many.
 * Source  Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu & G. Chen, "ECOD: unsupervised outlier detection using empirical
 *         cumulative distribution functions", IEEE TKDE (2022); there over a whole data set, here over the past.
 * Cost    ~130 ns a series; 320 bytes and 1,336 a series. */
#ifndef FM_KERNELS_DETECTOR_ECOD_H
#define FM_KERNELS_DETECTOR_ECOD_H

#include "kernels/common/ranks_from.h"
#include "kernels/common/tail.h"

typedef struct fm_ecod_series {
    double mean, variance, third;
    double precision; /* 1 / sigma; 0 while nothing varies */
    fm_ranks_from ranks;
} fm_ecod_series;

typedef struct fm_ecod {
    int64_t dims;
    double memory;
    int64_t count; /* rows */
    fm_tail tail;
    fm_ecod_series series[];
} fm_ecod;

#endif
