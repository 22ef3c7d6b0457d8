/* kernels/feature/kyle_lambda.h - how far a unit of buying moves the price.
 *
 * Time is cut into intervals. For each interval with a trade, r is the log return from the last price before it to its
 * last price, in basis points, and q what was bought less what was sold in it (directions by
 * kernels/common/trade_sign.h). lambda is the slope of the regression of r on q, whose past fades with event time
 * (kernels/common/faded_pair.h): high in a market that a small order moves. The first interval after a night
 * (kernels/common/slices.h) has no r.
 *
 * Params  interval (s; for a name that may not trade for more than half an hour at least a quarter of such a wait, or
 *         each r is a night's and none counts), half_life (s).
 *         Inputs price, size, bid, ask, side (the last three may be NaN). A trade without
 *         price or size is skipped.
 * Outputs lambda (bp per unit of size), r2 (0 … 1; part of the variance of r that q explains). NaN until 16 intervals
 *         are in, or q does not vary.
 * Error   relative error below 1e-12 of the regression; its standard error is |lambda| sqrt((1 / r2 - 1) / n).
 * Source  A. Kyle, "Continuous auctions and insider trading", Econometrica 53 (1985): a price that is linear in signed
 *         volume. Regressed over intervals like J. Hasbrouck, "Trading costs and returns for U.S. equities", J. Finance
 *         64 (2009), who takes five minutes and the signed square root of value in place of volume.
 * Cost    ~10 ns a trade; ~40 ns more an interval; 152 bytes of state. */
#ifndef FM_KERNELS_FEATURE_KYLE_LAMBDA_H
#define FM_KERNELS_FEATURE_KYLE_LAMBDA_H

#include "kernels/common/faded_pair.h"
#include "kernels/common/slices.h"
#include "kernels/common/trade_sign.h"

/* ffi:begin */
typedef struct fm_kyle_lambda {
    fm_slices clock; /* one slice: the interval */
    fm_tick_rule tick;
    double before;     /* last price before the interval; NaN in the first one, and after a night */
    double flow;       /* bought less sold in the interval */
    double lambda, r2; /* of the closed intervals; NaN until they are 16 */
    fm_faded_pair moves;
} fm_kyle_lambda;
/* ffi:end */

#endif
