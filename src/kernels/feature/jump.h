/* kernels/feature/jump.h - is the newest return a jump, or can diffusion explain it?
 *
 * statistic = |r| / sigma with sigma^2 = mean of |r_j| |r_j-1| over the last `count` pairs of returns before r: bipower
 * variation, which one jump among them hardly moves. For a diffusion the largest of n such statistics follows, after
 * centring, a Gumbel law: with c = sqrt(2 / pi), C = sqrt(2 ln n) / c - (ln pi + ln ln n) / (2 c sqrt(2 ln n)) and
 * S = 1 / (c sqrt(2 ln n)),  p = 1 - exp(-exp(-(statistic - C) / S)).  p is the chance that the largest of n = `among`
 * ordinary returns is as large, so p < 0.01 fires once in 100 * among returns without a jump.
 *
 * Params  count (events; of the local volatility), among (events).  Input x, > 0.
 * Outputs statistic (sigma), p (0 … 1), volatility (1; sqrt(pi/2) sigma, of one return). NaN until count + 1 returns
 *         are in, and while nothing moves. A series of many equal prices (ticks) has a small sigma: of = mid, or a
 *         slower series, serves better.
 * Error   the law is that of returns normal but for volatility, and of n large: at n = 1000, p < 0.05 came for 5.5 %
 *         of 400 blocks of 1000 normal returns (tests/unit/kernels/volatility).
 * Source  S. Lee & P. Mykland, "Jumps in financial markets: a new nonparametric test and jump dynamics", Review of
 *         Financial Studies 21 (2008), definition 1 and lemma 1.
 * Cost    ~26 ns an event, of which two exponentials; 80 + 8 * count bytes of state. */
#ifndef FM_KERNELS_FEATURE_JUMP_H
#define FM_KERNELS_FEATURE_JUMP_H

#include "kernels/common/last.h"

#define FM_JUMP_COUNT_MAX 2000

/* ffi:begin */
typedef struct fm_jump {
    int64_t count;
    double newest;       /* x; NaN while empty */
    double move;         /* |return| to it; NaN before there is one */
    double centre, pace; /* C and 1 / S */
    double per_count;    /* 1 / count */
    fm_last products;
    double slot[]; /* of the products */
} fm_jump;
/* ffi:end */

#endif
