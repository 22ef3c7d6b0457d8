/* engine/query_book.c - the order books of an instrument as JSON, and the figures of all books for the metrics. */
#include "engine/shard_internal.h"

#include "base/assert.h"

#include <stdlib.h>

typedef struct book_question {
    char domain[FM_NAME_MAX + 1], symbol[FM_SYMBOL_MAX + 1];
    uint32_t depth;
    fm_query_done done;
    void *context;
} book_question;

static void put_time(fm_text *out, const char *name, int64_t ts_ns)
{
    if (ts_ns == INT64_MIN)
        fm_text_printf(out, ",\"%s\":null", name);
    else
        fm_text_printf(out, ",\"%s\":%lld", name, (long long)ts_ns);
}

static void put_count(fm_text *out, const char *name, uint64_t value)
{
    fm_text_printf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void put_decimal(fm_text *out, const char *name, int64_t value, int scale)
{
    fm_text_printf(out, "\"%s\":", name);
    fm_text_real(out, fm_decimal(value, scale));
}

/* The best levels of a side, from the touch outwards. */
static void put_levels(fm_text *out, const char *name, const fm_series *series, const fm_order_book *book, fm_side side,
                       uint32_t depth)
{
    fm_text_printf(out, ",\"%s\":[", name);
    for (uint32_t at = 0; at < depth; at++) {
        const fm_book_level *level = fm_book_level_at(book, side, at);
        if (level == NULL)
            break;
        fm_text_put(out, at > 0 ? ",{" : "{");
        put_decimal(out, "price", level->price, series->price_scale);
        fm_text_put(out, ",");
        put_decimal(out, "size", level->size, series->size_scale);
        fm_text_printf(out, ",\"orders\":%u", level->orders);
        put_time(out, "since", level->since_ns);
        fm_text_put(out, "}");
    }
    fm_text_put(out, "]");
}

/* All of a side, and what was done to it since the last clear. */
static void put_side(fm_text *out, const char *name, const fm_series *series, const fm_book_side *side)
{
    fm_text_printf(out, ",\"%s\":{\"levels\":%u,", name, side->level_count);
    put_decimal(out, "size", side->size, series->size_scale);
    put_count(out, "adds", side->churn.adds);
    put_count(out, "modifies", side->churn.modifies);
    put_count(out, "cancels", side->churn.cancels);
    put_count(out, "executes", side->churn.executes);
    fm_text_put(out, "}");
}

static void put_degraded(fm_text *out, uint8_t degraded)
{
    static const char *const names[] = {"full", "gap", "unknown_order", "lost"};
    const char *comma = "";
    fm_text_put(out, ",\"degraded\":[");
    for (unsigned bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++) {
        if ((degraded >> bit & 1) == 0)
            continue;
        fm_text_printf(out, "%s\"%s\"", comma, names[bit]);
        comma = ",";
    }
    fm_text_put(out, "]");
}

static void put_counts(fm_text *out, const fm_book_counts *counts)
{
    fm_text_printf(out, ",\"counts\":{\"records\":%llu", (unsigned long long)counts->records);
    put_count(out, "events", counts->events);
    put_count(out, "clears", counts->clears);
    put_count(out, "unknown", counts->unknown);
    put_count(out, "passing", counts->passing);
    put_count(out, "duplicate", counts->duplicate);
    put_count(out, "malformed", counts->malformed);
    put_count(out, "other_form", counts->other_form);
    put_count(out, "left_out", counts->left_out);
    put_count(out, "crossed", counts->crossed);
    put_count(out, "locked", counts->locked);
    put_count(out, "gaps", counts->gaps);
    put_count(out, "backwards", counts->backwards);
    fm_text_put(out, "}");
}

static void put_book(fm_text *out, const fm_series *series, fm_slice venue, const fm_order_book *book, uint32_t depth)
{
    static const char *const forms[] = {"null", "\"levels\"", "\"orders\""};
    static const char *const crossings[] = {"apart", "locked", "crossed"};
    fm_text_put(out, "{\"venue\":");
    fm_text_json(out, venue);
    fm_text_printf(out, ",\"form\":%s", forms[book->form]);
    put_time(out, "ts", book->newest_ns);
    put_time(out, "cleared", book->cleared_ns);
    fm_text_printf(out, ",\"open\":%s,\"state\":\"%s\"", book->open ? "true" : "false", crossings[book->crossing]);
    put_degraded(out, book->degraded);
    put_levels(out, "bids", series, book, FM_BUY, depth);
    put_levels(out, "asks", series, book, FM_SELL, depth);
    fm_text_put(out, ",\"imbalance\":");
    fm_text_real(out, fm_book_imbalance(book, depth));
    fm_text_printf(out, ",\"orders\":%u", book->order_count);
    put_side(out, "bid_side", series, &book->side[0]);
    put_side(out, "ask_side", series, &book->side[1]);
    put_counts(out, &book->counts);
    fm_text_put(out, "}");
}

static void put_books(fm_text *out, const book_question *q, const fm_partition *partition, const fm_series *series)
{
    fm_text_put(out, "{\"symbol\":");
    fm_text_json(out, fm_slice_of(series->symbol));
    fm_text_put(out, ",\"domain\":");
    fm_text_json(out, fm_slice_of(q->domain));
    fm_text_put(out, ",\"items\":[");
    for (uint32_t i = 0; i < series->book_count; i++) {
        const fm_venue_book *one = series->book[i];
        const fm_stream_entry *venue = &partition->admission.stream[one->venue];
        fm_text_put(out, i > 0 ? "," : "");
        put_book(out, series, (fm_slice){venue->text, venue->venue_size}, &one->book, q->depth);
    }
    fm_text_put(out, "]}");
}

static void answer_books(void *context, fm_shard *shard)
{
    book_question *q = context;
    if (shard == NULL) {
        free(q);
        return;
    }
    fm_text out = {0};
    fm_slice symbol = fm_slice_of(q->symbol);
    const fm_partition *partition = &shard->partition[fm_partition_of(symbol)];
    const fm_series *series = fm_series_named(partition, fm_slice_of(q->domain), symbol);
    if (series != NULL)
        put_books(&out, q, partition, series);
    q->done(q->context, out.size > 0 ? 0 : FM_ENOTFOUND, (fm_slice){out.data, out.size});
    fm_text_fini(&out);
    free(q);
}

int fm_engine_books_json(fm_engine *engine, fm_slice domain, fm_slice symbol, uint32_t depth, fm_query_done done,
                         void *context)
{
    if (symbol.size == 0 || symbol.size > FM_SYMBOL_MAX || domain.size > FM_NAME_MAX || depth > FM_QUERY_DEPTH_MAX)
        return FM_EINVAL;
    book_question *q = calloc(1, sizeof(*q));
    FM_ASSERT(q != NULL);
    *q = (book_question){.depth = depth, .done = done, .context = context};
    fm_slice_copy(domain.size > 0 ? domain : FM_SLICE("live"), q->domain, sizeof(q->domain));
    fm_slice_copy(symbol, q->symbol, sizeof(q->symbol));
    int result = fm_shard_call(&engine->shard[fm_owner_of(engine, fm_partition_of(symbol))], answer_books, q);
    if (result < 0)
        free(q);
    return result;
}

/* ---- metrics ---- */

typedef struct book_sum {
    uint64_t books, degraded, crossed, orders, bytes, records, unknown, refused, left_out, crossings;
} book_sum;

static void add_book(book_sum *sum, const fm_order_book *book)
{
    const fm_book_counts *counts = &book->counts;
    sum->books++;
    sum->degraded += book->degraded != 0;
    sum->crossed += book->crossing != FM_BOOK_APART;
    sum->orders += book->order_count;
    sum->bytes += sizeof(fm_venue_book) + fm_book_bytes(book);
    sum->records += counts->records;
    sum->unknown += counts->unknown;
    sum->refused += counts->malformed + counts->other_form;
    sum->left_out += counts->left_out;
    sum->crossings += counts->crossed + counts->locked;
}

void fm_shard_renew_books(fm_shard *shard)
{
    book_sum sum = {0};
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = &shard->partition[p];
        for (uint32_t s = 0; s < partition->series_count; s++)
            for (uint32_t i = 0; i < partition->series[s]->book_count; i++)
                add_book(&sum, &partition->series[s]->book[i]->book);
    }
    fm_counters *counters = &shard->counters;
    fm_gauge(counters, FM_METRIC_BOOKS, sum.books);
    fm_gauge(counters, FM_METRIC_BOOKS_DEGRADED, sum.degraded);
    fm_gauge(counters, FM_METRIC_BOOKS_CROSSED, sum.crossed);
    fm_gauge(counters, FM_METRIC_BOOK_ORDERS, sum.orders);
    fm_gauge(counters, FM_METRIC_BOOK_BYTES, sum.bytes);
    fm_gauge(counters, FM_METRIC_BOOK_RECORDS, sum.records);
    fm_gauge(counters, FM_METRIC_BOOK_UNKNOWN, sum.unknown);
    fm_gauge(counters, FM_METRIC_BOOK_REFUSED, sum.refused);
    fm_gauge(counters, FM_METRIC_BOOK_LEFT_OUT, sum.left_out);
    fm_gauge(counters, FM_METRIC_BOOK_CROSSINGS, sum.crossings);
}
