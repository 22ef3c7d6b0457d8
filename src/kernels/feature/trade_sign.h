/* kernels/feature/trade_sign.h - who began the trade: the buyer or the seller.
 *
 * The feed's side, if it gives one; else the quote rule (above the middle of the quote bought, below it sold); at the
 * middle (but for the rounding of decimals, kernels/common/trade_sign.h), or while there is no quote, the tick rule
 * (above the last different price bought, below it sold).
 *
 * Inputs  price, bid, ask (NaN = not known), side (+1, -1; NaN = not known). A trade without a price is skipped.
 * Outputs sign (1 = bought, -1 = sold; NaN while nothing can be said), rule (1 = side, 2 = quote, 3 = tick).
 * Error   right for about 85 % of trades without a side (Ellis, Michaely & O'Hara 2000: 81 % on Nasdaq; Odders-White
 *         2000: 85 % on NYSE).
 * Source  C. Lee & M. Ready, "Inferring trade direction from intraday data", J. Finance 46 (1991).
 * Cost    some comparisons; 16 bytes of state. */
#ifndef FM_KERNELS_FEATURE_TRADE_SIGN_H
#define FM_KERNELS_FEATURE_TRADE_SIGN_H

#include "kernels/common/trade_sign.h"

#endif
