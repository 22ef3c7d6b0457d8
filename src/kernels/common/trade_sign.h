/* kernels/common/trade_sign.h - who began a trade: the buyer (+1), the seller (-1), or nobody knows (0).
 *
 * The feed's side, if it gives one; else the quote rule: above the middle of the quote bought, below it sold; at the
 * middle or without a quote the tick rule: above the last different price bought, below it sold. Prices are decimals
 * that were rounded to doubles, so a price counts as at the middle within 1e-12 of bid + ask, which is thousands of
 * roundings, and far less than a tick.
 *
 * Source  C. Lee & M. Ready, "Inferring trade direction from intraday data", J. Finance 46 (1991). */
#ifndef FM_KERNELS_COMMON_TRADE_SIGN_H
#define FM_KERNELS_COMMON_TRADE_SIGN_H

#include "kernels/common/number.h"

#define FM_TRADE_MIDDLE 1e-12

typedef enum fm_trade_rule { FM_TRADE_UNKNOWN, FM_TRADE_SIDE, FM_TRADE_QUOTE, FM_TRADE_TICK } fm_trade_rule;

/* ffi:begin */
typedef struct fm_tick_rule {
    double price; /* of the newest trade; 0 while empty */
    double sign;  /* direction of the last change of price; 0 before it */
} fm_tick_rule;
/* ffi:end */

/* A trade at that price comes; returns the direction by the tick rule. */
static inline double fm_tick_rule_next(fm_tick_rule *tick, double price)
{
    if (tick->price > 0.0 && price != tick->price)
        tick->sign = price > tick->price ? 1.0 : -1.0;
    tick->price = price;
    return tick->sign;
}

static inline double fm_trade_sign(double price, double side, double bid, double ask, double tick, fm_trade_rule *rule)
{
    *rule = FM_TRADE_SIDE;
    if (side == 1.0 || side == -1.0)
        return side;
    double off = (price - bid) - (ask - price);
    *rule = FM_TRADE_QUOTE;
    if (fm_usable_quote(bid, ask) && fabs(off) > FM_TRADE_MIDDLE * (bid + ask))
        return off > 0.0 ? 1.0 : -1.0;
    *rule = tick != 0.0 ? FM_TRADE_TICK : FM_TRADE_UNKNOWN;
    return tick;
}

#endif
