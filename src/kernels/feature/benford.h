/* kernels/feature/benford.h - do the first digits of sizes look grown, or made up?
 *
 * Of amounts that spread over decades, a part log10(1 + 1/d) begins with the digit d. Over the last `count` sizes,
 * chi2 = sum (n_d - e_d)^2 / e_d  of the nine digits against that, and p = P(chi-square of 8 degrees >= chi2) =
 * exp(-chi2/2) (1 + h + h^2/2 + h^3/6), h = chi2/2. Sizes of one machine, or of wash trades, stand out. Sizes in round
 * lots do not follow the law: judge chi2 against its own past, not p.
 *
 * Params  count (events).  Input size, > 0; others are skipped.
 * Outputs chi2 (1), p (0 … 1), digit (1 … 9; the one that is furthest from its part). The size at hand is in. NaN
 *         until count sizes are in.
 * Error   a size within 1e-12 below a power of ten times a digit counts as at it. The smallest e_d is 0.046 count; p
 *         is good from count 100 on.
 * Source  F. Benford, "The law of anomalous numbers", Proceedings of the American Philosophical Society 78 (1938); K.
 *         Pearson, Philosophical Magazine 50 (1900).
 * Cost    ~40 ns a size, of which an exponential; 224 + count bytes of state. */
#ifndef FM_KERNELS_FEATURE_BENFORD_H
#define FM_KERNELS_FEATURE_BENFORD_H

#include <stdint.h>

#define FM_BENFORD_COUNT_MAX 8000

/* ffi:begin */
typedef struct fm_benford {
    int64_t count, at, filled;
    int32_t number[10];  /* of sizes by first digit; 0 is not used */
    double expected[10]; /* n_d that the law expects */
    double per_expected[10];
    uint8_t digit[]; /* of the last count sizes */
} fm_benford;
/* ffi:end */

#endif
