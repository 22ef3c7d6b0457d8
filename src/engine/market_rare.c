/* engine/market_rare.c - bars, levels of books and orders move an instrument's prices.
 *
 * An instrument has one book for each venue that sends one. When a venue's event ends (no FM_FLAG_MORE), the best levels of its book are that
 * venue's quote, whatever quotes it sends beside; within an event a book may be crossed for a moment, and nobody sees that. */
#include "engine/market.h"

#include <stdlib.h>

fm_on fm_market_bar(fm_series *series, const fm_event *event, double *in)
{
    const fm_bar *bar = &event->as.bar;
    double price = series->price_unit;
    in[FM_INPUT_OPEN] = fm_in_units(bar->open, price);
    in[FM_INPUT_HIGH] = fm_in_units(bar->high, price);
    in[FM_INPUT_LOW] = fm_in_units(bar->low, price);
    in[FM_INPUT_CLOSE] = fm_in_units(bar->close, price);
    in[FM_INPUT_VOLUME] = fm_in_units(fm_event_bar_rest(event)->volume, series->size_unit);
    series->last_close = in[FM_INPUT_CLOSE];
    if (series->x_from > FM_X_BAR)
        return FM_ON_BAR;
    series->x_from = FM_X_BAR;
    in[FM_INPUT_X] = in[FM_INPUT_CLOSE];
    return FM_ON_BAR_X;
}

/* ---- books ---- */

fm_order_book *fm_market_make_book(const fm_fold_config *config, fm_partition *partition, fm_series *series, uint32_t venue)
{
    series->book = fm_grow(series->book, &series->book_capacity, series->book_count + 1, sizeof(*series->book));
    fm_venue_book *made = calloc(1, sizeof(*made));
    FM_ASSERT(made != NULL);
    made->venue = venue;
    fm_book_init(&made->book, &config->book);
    series->book[series->book_count++] = made;
    partition->book_count++;
    return &made->book;
}

void fm_market_rescale_books(fm_series *series, int price_power, int size_power)
{
    for (uint32_t i = 0; i < series->book_count; i++)
        fm_book_rescale(&series->book[i]->book, price_power, size_power);
}

void fm_market_forget_books(fm_partition *partition, fm_series *series)
{
    partition->book_count -= series->book_count;
    for (uint32_t i = 0; i < series->book_count; i++) {
        fm_book_fini(&series->book[i]->book);
        free(series->book[i]);
    }
    free(series->book);
    series->book = NULL;
    series->book_count = series->book_capacity = 0;
}

/* A book takes more memory than a quote: those of FM_VENUES_MAX venues are kept, and the one longest silent makes room. NULL when the partition
 * may have no more. */
static fm_order_book *book_of(const fm_fold *fold, fm_partition *partition, fm_series *series, uint32_t venue)
{
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < series->book_count; i++) {
        if (series->book[i]->venue == venue)
            return &series->book[i]->book;
        if (series->book[i]->book.newest_ns < series->book[oldest]->book.newest_ns)
            oldest = i;
    }
    if (series->book_count < FM_VENUES_MAX && partition->book_count >= fold->config.books_max)
        return NULL;
    if (series->book_count < FM_VENUES_MAX)
        return fm_market_make_book(&fold->config, partition, series, venue);
    fm_venue_book *taken = series->book[oldest];
    fm_book_fini(&taken->book);
    fm_book_init(&taken->book, &fold->config.book);
    taken->venue = venue;
    return &taken->book;
}

/* The best levels as the venue's quote. */
static void quote_touch(const fm_order_book *book, fm_top *top, const fm_series *series, int64_t ts_ns)
{
    const fm_book_touch *bid = &book->touch[0], *ask = &book->touch[1];
    bool bids = bid->price != FM_ABSENT, asks = ask->price != FM_ABSENT;
    top->bid = fm_in_units(bid->price, series->price_unit);
    top->ask = fm_in_units(ask->price, series->price_unit);
    top->bid_size = bids ? fm_in_units(bid->size, series->size_unit) : NAN;
    top->ask_size = asks ? fm_in_units(ask->size, series->size_unit) : NAN;
    top->bid_ns = ts_ns > top->bid_ns ? ts_ns : top->bid_ns;
    top->ask_ns = ts_ns > top->ask_ns ? ts_ns : top->ask_ns;
}

static void show_order(const fm_book_change *change, const fm_series *series, double *in)
{
    in[FM_INPUT_ACTION] = change->action;
    in[FM_INPUT_ORDER_AGE] = fm_book_age_s(change);
    in[FM_INPUT_ORDER_SIZE] = fm_in_units(change->size, series->size_unit);
}

fm_on fm_market_book(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_event *event, double *in)
{
    fm_on on = event->kind == FM_BOOK ? FM_ON_BOOK : FM_ON_ORDER;
    fm_order_book *book = book_of(fold, partition, series, partition->admission.stream[event->stream].venue);
    if (FM_UNLIKELY(book == NULL)) {
        fm_count(fold->config.counters, FM_METRIC_BOOKLESS, 1);
        return on;
    }
    uint32_t did = fm_book_apply(book, event);
    if (did & FM_BOOK_ACTED) {
        show_order(&book->change, series, in);
        on = FM_ON_ORDER_ACTED;
    }
    if (!(did & FM_BOOK_ENDED))
        return on;
    fm_top *top = series->top;
    if (FM_UNLIKELY(series->top_stream != event->stream))
        top = fm_market_top(fold, partition, series, event->stream);
    quote_touch(book, top, series, event->ts_ns);
    in[FM_INPUT_BID_DEPTH] = fm_in_units(fm_book_depth(book, FM_BUY, FM_KERNEL_DEPTH_LEVELS), series->size_unit);
    in[FM_INPUT_ASK_DEPTH] = fm_in_units(fm_book_depth(book, FM_SELL, FM_KERNEL_DEPTH_LEVELS), series->size_unit);
    if (!(did & FM_BOOK_TOUCHED))
        return (fm_on)(on + 1);
    return (fm_on)(on + (fm_market_moved(fold, series, top, event, in) ? 3 : 2));
}

/* Spans last for hours: the calendar is asked when time has left the one that is known. */
static void find_session(fm_series *series, int64_t ts_ns)
{
    const fm_calendar *calendar = series->instrument != NULL ? series->instrument->calendar : NULL;
    if (calendar != NULL)
        series->session = fm_calendar_at(calendar, ts_ns);
    else
        series->session = (fm_calendar_span){.begin_ns = INT64_MIN, .end_ns = INT64_MAX};
}

void fm_market_told(fm_series *series, int64_t ts_ns, double *in)
{
    if (ts_ns < series->session.begin_ns || ts_ns >= series->session.end_ns)
        find_session(series, ts_ns);
    const fm_calendar_span *session = &series->session;
    in[FM_INPUT_SESSION_MINUTE] = session->open ? (double)((ts_ns - session->begin_ns) / (60 * FM_NS_PER_S)) : NAN;
    in[FM_INPUT_DAY_TYPE] = session->open ? (double)session->half_day : NAN;
    in[FM_INPUT_MARKET] = series->cross[FM_CROSS_OF_MARKET];
    in[FM_INPUT_SECTOR_MEAN] = series->cross[FM_CROSS_OF_MEAN];
    in[FM_INPUT_SECTOR_SD] = series->cross[FM_CROSS_OF_SPREAD];
    in[FM_INPUT_SECTOR_RANK] = series->cross[FM_CROSS_OF_RANK];
}
