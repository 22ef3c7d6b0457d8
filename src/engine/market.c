/* engine/market.c - the best quotes of several venues, and the consolidated best.
 *
 * A side that its venue has not renewed for stale_venue_ns is left out of the consolidated best: on a day of BAC quotes from 12 venues
 * nearly every consolidated quote would be crossed else, and 13 % still if a venue's one side kept its other side fresh; side by side it is 6
 * of 570,000, with 17 % locked. */
#include "engine/market.h"

#include <string.h>

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
    } else if (series->top_capacity == 0) {
        series->top = &series->only_top;
        series->top_capacity = 1;
    } else if (series->top_count == series->top_capacity) {
        uint32_t capacity = series->top_capacity == 1 ? 4 : series->top_capacity * 2;
        fm_top *grown = fm_arena_alloc(&fold->arena, capacity * sizeof(fm_top), 8);
        FM_ASSERT(grown != NULL); /* sized for instruments_max; prices may not depend on how much memory there is */
        memcpy(grown, series->top, series->top_count * sizeof(fm_top));
        series->top = grown;
        series->top_capacity = capacity;
    }
    if (place == series->top_count)
        series->top_count++;
    series->top[place] = (fm_top){.bid = NAN, .bid_size = NAN, .ask = NAN, .ask_size = NAN, .bid_ns = INT64_MIN, .ask_ns = INT64_MIN, .venue = venue};
    return &series->top[place];
}

fm_top *fm_market_top(fm_fold *fold, const fm_partition *partition, fm_series *series, uint16_t stream)
{
    fm_top *top = top_of(fold, series, partition->admission.stream[stream].venue);
    if (top == series->top)
        series->top_stream = stream;
    return top;
}

void fm_market_side(fm_top_side side, int64_t price, int64_t size, int64_t ts_ns, fm_pair unit)
{
    if (price == FM_ABSENT)
        return;
    *side.ns = ts_ns > *side.ns ? ts_ns : *side.ns;
    bool withdrawn = size == 0 || price == 0;
    *side.price = withdrawn ? NAN : fm_in_units(price, unit[0]);
    *side.size = withdrawn ? NAN : fm_in_units(size, unit[1]);
}

void fm_market_consolidate(const fm_fold *fold, fm_series *series, int64_t ts_ns)
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
    fm_market_best(series, bid, ask, bid_size, ask_size);
}
