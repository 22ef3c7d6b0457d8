/* engine/market.h - a record moves its instrument's prices: the last trade, the best quote of its venue, the consolidated best; its book.
 *
 * A quote record may hold one side; the absent side is unchanged, size 0 withdraws a side. An instrument that one venue quotes
 * has nothing to be in conflict with: its sides are the consolidated ones as they stand. That is inline here, as trades are: every
 * record goes through it. Several venues are market.c's. */
#ifndef FM_ENGINE_MARKET_H
#define FM_ENGINE_MARKET_H

#include "engine/fold_internal.h"

#include "base/assert.h"

#include <math.h>

typedef double fm_pair __attribute__((vector_size(16))); /* of a price and a size */

typedef struct fm_top_side { /* of a top */
    double  *price, *size;
    int64_t *ns;
} fm_top_side;

/* The top of the stream's venue; a new venue gets one, in the place of the longest silent when there is no room. */
__attribute__((noinline)) fm_top *fm_market_top(fm_fold *fold, const fm_partition *partition, fm_series *series, uint16_t stream);

/* A side of a quote that is unchanged, withdrawn, or of unknown size. */
__attribute__((noinline)) void fm_market_side(fm_top_side side, int64_t price, int64_t size, int64_t ts_ns, fm_pair unit);

/* Several venues: the best price among those not stale, and the size there. */
void fm_market_consolidate(const fm_fold *fold, fm_series *series, int64_t ts_ns);

/* Sale conditions of a trade that moves no last price, and of one whose size is no volume. */
#define CONDITION(bit, name, moves_last, counts_volume) | (moves_last ? 0u : 1u << bit)
static const uint32_t fm_moves_no_last = 0u
#include "base/conditions.def"
    ;
#undef CONDITION
#define CONDITION(bit, name, moves_last, counts_volume) | (counts_volume ? 0u : 1u << bit)
static const uint32_t fm_is_no_volume = 0u
#include "base/conditions.def"
    ;
#undef CONDITION

static inline double fm_unit_of(int8_t scale)
{
    FM_ASSERT((unsigned)scale < FM_POWERS_OF_TEN);
    return fm_powers_of_ten[scale];
}

/* fm_decimal, for several numbers of one scale. */
static inline double fm_in_units(int64_t integer, double unit)
{
    return FM_LIKELY(integer != FM_ABSENT) ? (double)integer / unit : (double)NAN;
}

static inline fm_pair fm_market_units(const fm_series *series)
{
    return (fm_pair){series->price_unit, series->size_unit};
}

static inline fm_on fm_market_trade(fm_series *series, const fm_event *event, double *in)
{
    const fm_trade *trade = &event->as.trade;
    fm_pair pair = (fm_pair){(double)trade->price, (double)trade->size} / fm_market_units(series);
    double price = FM_LIKELY(trade->price != FM_ABSENT) ? pair[0] : (double)NAN;
    double size = FM_LIKELY(trade->size != FM_ABSENT) ? pair[1] : (double)NAN;
    static const double side_of[] = {[FM_SIDE_NONE] = NAN, [FM_BUY] = 1.0, [FM_SELL] = -1.0};
    in[FM_INPUT_SIZE] = event->conditions & fm_is_no_volume ? NAN : size;
    in[FM_INPUT_SIDE] = event->side <= FM_SELL ? side_of[event->side] : NAN;
    if ((event->conditions & fm_moves_no_last) != 0)
        return FM_ON_TRADE;
    series->x_from = FM_X_TRADE;
    series->last_price = price;
    series->last_size = size;
    series->last_trade_ns = event->ts_ns;
    in[FM_INPUT_PRICE] = in[FM_INPUT_X] = price;
    return FM_ON_TRADE_X;
}

static_assert(FM_ABSENT == INT64_MIN, "0 and the absent one are the two numbers of which twice is 0");

static inline void fm_market_usual_side(fm_top_side side, int64_t price, int64_t size, int64_t ts_ns, fm_pair unit)
{
    if (FM_UNLIKELY((uint64_t)price << 1 == 0 || (uint64_t)size << 1 == 0)) {
        fm_market_side(side, price, size, ts_ns, unit);
        return;
    }
    fm_pair pair = (fm_pair){(double)price, (double)size} / unit;
    *side.ns = ts_ns > *side.ns ? ts_ns : *side.ns;
    *side.price = pair[0];
    *side.size = pair[1];
}

static inline void fm_market_best(fm_series *series, double bid, double ask, double bid_size, double ask_size)
{
    series->bid = bid;
    series->ask = ask;
    series->bid_size = bid_size;
    series->ask_size = ask_size;
}

/* The venue's top has moved. True: the mid moves the default series. */
static inline bool fm_market_moved(fm_fold *fold, fm_series *series, const fm_top *top, const fm_event *event, double *in)
{
    if (FM_LIKELY(series->top_count == 1))
        fm_market_best(series, top->bid, top->ask, top->bid_size, top->ask_size);
    else
        fm_market_consolidate(fold, series, event->ts_ns);
    double bid = series->bid, ask = series->ask, bid_size = series->bid_size, ask_size = series->ask_size;
    double mid = ask > bid ? 0.5 * (bid + ask) : NAN; /* one side missing, locked or crossed: no mid */
    series->mid = mid;
    if (event->ts_ns > series->last_quote_ns)
        series->last_quote_ns = event->ts_ns;
    if (FM_UNLIKELY(bid >= ask)) { /* crossed or locked: the spread is missing */
        series->crossed++;
        fm_count(fold->config.counters, FM_METRIC_QUOTES_CROSSED, 1);
        bid = ask = bid_size = ask_size = NAN;
    }
    in[FM_INPUT_BID] = bid;
    in[FM_INPUT_ASK] = ask;
    in[FM_INPUT_BID_SIZE] = bid_size;
    in[FM_INPUT_ASK_SIZE] = ask_size;
    in[FM_INPUT_MID] = mid;
    if (series->x_from > FM_X_MID || isnan(mid))
        return false;
    series->x_from = FM_X_MID;
    in[FM_INPUT_X] = mid;
    return true;
}

static inline fm_on fm_market_quote(fm_fold *fold, const fm_partition *partition, fm_series *series, const fm_event *event, double *in)
{
    const fm_quote *quote = &event->as.quote;
    fm_top *top = series->top;
    if (FM_UNLIKELY(series->top_stream != event->stream))
        top = fm_market_top(fold, partition, series, event->stream);
    fm_pair unit = fm_market_units(series);
    fm_market_usual_side((fm_top_side){&top->bid, &top->bid_size, &top->bid_ns}, quote->bid, quote->bid_size, event->ts_ns, unit);
    fm_market_usual_side((fm_top_side){&top->ask, &top->ask_size, &top->ask_ns}, quote->ask, quote->ask_size, event->ts_ns, unit);
    return fm_market_moved(fold, series, top, event, in) ? FM_ON_QUOTE_X : FM_ON_QUOTE;
}

/* Bars, levels of books, orders: market_rare.c. */
__attribute__((noinline)) fm_on fm_market_bar(fm_series *series, const fm_event *event, double *in);
__attribute__((noinline)) fm_on fm_market_book(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_event *event, double *in);

/* What is told from elsewhere: the session of the calendar, the market, the sector. */
__attribute__((noinline)) void fm_market_told(fm_series *series, int64_t ts_ns, double *in);

/* A record whose prices mean nothing to kernels. */
static inline fm_on fm_market_none(fm_series *series, double in[FM_INPUT_COUNT])
{
    series->records++;
    for (int i = 0; i < FM_INPUT_COUNT; i++)
        in[i] = NAN;
    in[FM_INPUT_EVENT] = 1.0;
    return FM_ON_STATUS;
}

/* The record moves the instrument's prices; `in` gets the kernels' inputs by fm_input; returns which program it runs. */
static inline fm_on fm_market_apply(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_event *event,
                                    double in[FM_INPUT_COUNT])
{
    bool due = event->ts_ns < series->basis_ns || event->ts_ns >= series->due_ns;
    if (FM_UNLIKELY(due) && !fm_series_due(fold, partition, series, event->ts_ns))
        return fm_market_none(series, in);
    series->records++;
    if (event->ts_ns > series->newest_ns)
        series->newest_ns = event->ts_ns;
    in[FM_INPUT_EVENT] = 1.0;
    in[FM_INPUT_X] = in[FM_INPUT_PRICE] = in[FM_INPUT_SIZE] = in[FM_INPUT_SIDE] = NAN;
    if (event->kind == FM_QUOTE) {
        series->kinds |= 1u << FM_QUOTE;
        return fm_market_quote(fold, partition, series, event, in);
    }
    series->kinds |= (uint8_t)(1u << event->kind);
    const double bid = series->bid, ask = series->ask, bid_size = series->bid_size, ask_size = series->ask_size;
    in[FM_INPUT_BID] = bid;
    in[FM_INPUT_ASK] = ask;
    in[FM_INPUT_BID_SIZE] = bid_size;
    in[FM_INPUT_ASK_SIZE] = ask_size;
    in[FM_INPUT_MID] = series->mid;
    switch (event->kind) {
    case FM_TRADE:
        return fm_market_trade(series, event, in);
    case FM_VALUE:
        series->last_value = event->as.value.value;
        series->last_value_ns = event->ts_ns;
        if (series->x_from != FM_X_VALUE)
            return FM_ON_VALUE;
        in[FM_INPUT_X] = series->last_value;
        return FM_ON_VALUE_X;
    case FM_STATUS:
        series->phase = (uint8_t)event->as.status.phase;
        return FM_ON_STATUS;
    case FM_BAR:
        return fm_market_bar(series, event, in);
    case FM_BOOK:
    case FM_ORDER:
        return fm_market_book(fold, partition, series, event, in);
    default:
        return FM_ON_NOTHING;
    }
}

#endif
