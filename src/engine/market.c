/* engine/market.c - last prices, the best quote of each venue, and the consolidated best.
 *
 * A quote record may hold one side; the absent side is unchanged, size 0 withdraws a side. A side that its venue has not renewed for
 * stale_venue_ns is left out of the consolidated best: on a day of BAC quotes from 12 venues nearly every consolidated quote would be
 * crossed else, and 13 % still if a venue's one side kept its other side fresh; side by side it is 6 of 570,000, with 17 % locked. An
 * instrument that one venue quotes has nothing to be in conflict with: its sides stay. */
#include "engine/fold_internal.h"

#include "base/assert.h"

#include <math.h>

enum {
#define CONDITION(bit, name, moves_last, counts_volume) last_##name = moves_last ? 0 : 1u << bit, volume_##name = counts_volume ? 0 : 1u << bit,
#include "base/conditions.def"
#undef CONDITION
};

static const uint32_t not_last = 0u
#define CONDITION(bit, name, moves_last, counts_volume) | (uint32_t)last_##name
#include "base/conditions.def"
#undef CONDITION
    ;
static const uint32_t not_volume = 0u
#define CONDITION(bit, name, moves_last, counts_volume) | (uint32_t)volume_##name
#include "base/conditions.def"
#undef CONDITION
    ;

static uint32_t apply_trade(fm_series *series, const fm_event *event, double *in)
{
    const fm_trade *trade = &event->as.trade;
    double price = fm_decimal(trade->price, series->price_scale);
    double size = fm_decimal(trade->size, series->size_scale);
    bool moves = (event->conditions & not_last) == 0;
    in[FM_INPUT_PRICE] = moves ? price : NAN;
    in[FM_INPUT_SIZE] = event->conditions & not_volume ? NAN : size;
    in[FM_INPUT_SIDE] = event->side == FM_BUY ? 1.0 : event->side == FM_SELL ? -1.0 : NAN;
    if (!moves)
        return FM_STEP_TRADE;
    series->has_trade = 1;
    series->last_price = price;
    series->last_size = size;
    series->last_trade_ns = event->ts_ns;
    in[FM_INPUT_X] = price;
    return FM_STEP_TRADE | FM_STEP_X;
}

static int64_t newest(const fm_top *top)
{
    return top->bid_ns > top->ask_ns ? top->bid_ns : top->ask_ns;
}

static fm_top *top_of(fm_fold *fold, fm_series *series, uint32_t venue)
{
    for (uint32_t i = 0; i < series->top_count; i++)
        if (series->top[i].venue == venue)
            return &series->top[i];
    uint32_t place = series->top_count;
    if (series->top_count == FM_VENUES_MAX) {
        place = 0;
        for (uint32_t i = 1; i < series->top_count; i++)
            if (newest(&series->top[i]) < newest(&series->top[place]))
                place = i;
    } else if (series->top_count == series->top_capacity) {
        uint32_t capacity = series->top_capacity == 0 ? 1 : series->top_capacity == 1 ? 4 : series->top_capacity * 2;
        fm_top *grown = fm_arena_alloc(&fold->arena, capacity * sizeof(fm_top), 8);
        FM_ASSERT(grown != NULL); /* sized for instruments_max; prices may not depend on how much memory there is */
        if (series->top_count > 0)
            memcpy(grown, series->top, series->top_count * sizeof(fm_top));
        series->top = grown;
        series->top_capacity = capacity;
    }
    if (place == series->top_count)
        series->top_count++;
    series->top[place] = (fm_top){.bid = NAN, .bid_size = NAN, .ask = NAN, .ask_size = NAN, .bid_ns = INT64_MIN, .ask_ns = INT64_MIN, .venue = venue};
    return &series->top[place];
}

static inline void set_side(double *price, double *size, int64_t *side_ns, int64_t new_price, int64_t new_size, int64_t ts_ns, const fm_series *series)
{
    if (new_price == FM_ABSENT)
        return;
    *side_ns = ts_ns > *side_ns ? ts_ns : *side_ns;
    if (new_size == 0 || new_price == 0) {
        *price = NAN;
        *size = NAN;
        return;
    }
    *price = fm_decimal(new_price, series->price_scale);
    *size = fm_decimal(new_size, series->size_scale);
}

/* Several venues: the best price among those not stale, and the size there. */
static void consolidate(const fm_fold *fold, fm_series *series, int64_t ts_ns)
{
    double bid = NAN, bid_size = NAN, ask = NAN, ask_size = NAN;
    int64_t fresh_from = ts_ns - fold->config.stale_venue_ns;
    for (uint32_t i = 0; i < series->top_count; i++) {
        const fm_top *top = &series->top[i];
        bool bid_fresh = top->bid_ns >= fresh_from, ask_fresh = top->ask_ns >= fresh_from;
        if (bid_fresh && !isnan(top->bid) && !(top->bid <= bid)) {
            bid = top->bid;
            bid_size = top->bid_size;
        } else if (bid_fresh && top->bid == bid) {
            bid_size += top->bid_size;
        }
        if (ask_fresh && !isnan(top->ask) && !(top->ask >= ask)) {
            ask = top->ask;
            ask_size = top->ask_size;
        } else if (ask_fresh && top->ask == ask) {
            ask_size += top->ask_size;
        }
    }
    series->bid = bid;
    series->bid_size = bid_size;
    series->ask = ask;
    series->ask_size = ask_size;
}

static uint32_t apply_quote(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_event *event, double *in)
{
    const fm_quote *quote = &event->as.quote;
    fm_top *top = top_of(fold, series, partition->admission.stream[event->stream].venue);
    set_side(&top->bid, &top->bid_size, &top->bid_ns, quote->bid, quote->bid_size, event->ts_ns, series);
    set_side(&top->ask, &top->ask_size, &top->ask_ns, quote->ask, quote->ask_size, event->ts_ns, series);
    if (FM_LIKELY(series->top_count == 1)) {
        series->bid = top->bid;
        series->bid_size = top->bid_size;
        series->ask = top->ask;
        series->ask_size = top->ask_size;
    } else {
        consolidate(fold, series, event->ts_ns);
    }
    series->mid = series->ask > series->bid ? 0.5 * (series->bid + series->ask) : NAN; /* one side missing, locked or crossed: no mid */
    if (event->ts_ns > series->last_quote_ns)
        series->last_quote_ns = event->ts_ns;
    bool bad = series->bid >= series->ask; /* crossed or locked: the spread is missing */
    if (bad) {
        series->crossed++;
        fm_count(fold->config.counters, FM_METRIC_QUOTES_CROSSED, 1);
    }
    in[FM_INPUT_BID] = bad ? NAN : series->bid;
    in[FM_INPUT_BID_SIZE] = bad ? NAN : series->bid_size;
    in[FM_INPUT_ASK] = bad ? NAN : series->ask;
    in[FM_INPUT_ASK_SIZE] = bad ? NAN : series->ask_size;
    in[FM_INPUT_MID] = series->mid;
    if (series->has_trade || isnan(series->mid))
        return FM_STEP_QUOTE;
    in[FM_INPUT_X] = series->mid;
    return FM_STEP_QUOTE | FM_STEP_X;
}

uint32_t fm_market_apply(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_event *event, double in[FM_INPUT_OF + 1])
{
    for (int i = 0; i <= FM_INPUT_OF; i++)
        in[i] = NAN;
    in[FM_INPUT_EVENT] = 1.0;
    in[FM_INPUT_BID] = series->bid;
    in[FM_INPUT_BID_SIZE] = series->bid_size;
    in[FM_INPUT_ASK] = series->ask;
    in[FM_INPUT_ASK_SIZE] = series->ask_size;
    in[FM_INPUT_MID] = series->mid;
    series->records++;
    series->kinds |= (uint8_t)(1u << event->kind);
    if (event->ts_ns > series->newest_ns)
        series->newest_ns = event->ts_ns;
    switch (event->kind) {
    case FM_TRADE:
        return FM_STEP_ANY | apply_trade(series, event, in);
    case FM_QUOTE:
        return FM_STEP_ANY | apply_quote(fold, partition, series, event, in);
    case FM_VALUE:
        series->last_value = event->as.value.value;
        series->last_value_ns = event->ts_ns;
        in[FM_INPUT_X] = series->last_value;
        return FM_STEP_ANY | FM_STEP_X;
    case FM_STATUS:
        series->phase = (uint8_t)event->as.status.phase;
        return FM_STEP_ANY;
    default:
        return 0;
    }
}
