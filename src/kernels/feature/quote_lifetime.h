/* kernels/feature/quote_lifetime.h - how long orders stand before they are cancelled, and how many hardly stand at all.
 *
 * typical = exp(faded mean of ln age) of cancelled orders: the middle of ages that spread over decades, which a few old
 * orders do not move. young_share = faded part of cancels younger than `young`: quotes that nobody could have hit.
 * A silence fades the past to one half at most (kernels/common/quiet_fade.h). Ages below a microsecond count as one.
 *
 * Params  half_life (s), young (s).  Inputs action, order_age (s). Only cancels count, the one at hand too; other
 *         actions let time pass.
 * Outputs typical (s), young_share (0 … 1). NaN until 16 cancels are in.
 * Error   relative error below 1e-12. The faded means of n cancels have a standard error of about sqrt(1.44 / n) of
 *         the spread of one, n those of a half-life.
 * Source  J. Hasbrouck & G. Saar, "Technology and liquidity provision: the blurring of traditional definitions", J.
 *         Financial Markets 12 (2009).
 * Cost    ~20 ns a cancel, of which a logarithm and an exponential; 56 bytes of state. */
#ifndef FM_KERNELS_FEATURE_QUOTE_LIFETIME_H
#define FM_KERNELS_FEATURE_QUOTE_LIFETIME_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_quote_lifetime {
    double fade;    /* 1 / half-life in ns */
    double young;   /* s */
    double weight;  /* faded count of cancels */
    double log_age; /* faded mean of ln age */
    double share;   /* faded part of young ones */
    int64_t newest_ns;
    int64_t count; /* cancels ever */
} fm_quote_lifetime;
/* ffi:end */

#endif
