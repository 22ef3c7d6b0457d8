/* journal/dump.c - events as lines of JSON. */
#include "journal/dump.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef enum table_kind { DOMAINS, STREAMS, SOURCES, SERIES, TABLE_COUNT } table_kind;

typedef struct dump_entry {
    bool known;
    int8_t price_scale, size_scale;
    char text[2 * FM_NAME_MAX + 2];
    size_t text_size;
} dump_entry;

typedef struct dump_dictionary { /* of one partition */
    dump_entry *entries[TABLE_COUNT];
    uint32_t count[TABLE_COUNT];
} dump_dictionary;

typedef struct journal_dump {
    const fm_journal_dump_options *options;
    FILE *out;
    uint64_t lines;
    fm_text line;
    dump_dictionary of[FM_PARTITION_COUNT];
} journal_dump;

enum { ENTRIES_MAX = 1 << 20, LIMIT_REACHED = FM_ELIMIT };

static const char *const side_names[] = {"none", "buy", "sell"};
static const char *const phase_names[] = {"none", "open", "auction", "halt", "closed"};
static const char *const book_actions[] = {"none", "set", "delete", "clear"};
static const char *const order_actions[] = {"none", "add", "modify", "cancel", "execute", "fill", "clear"};
static const struct {
    uint32_t bit;
    const char *name;
} condition_names[] = {
#define CONDITION(bit, name, moves_last, counts_volume) {bit, #name},
#include "base/conditions.def"
#undef CONDITION
};

/* ---- dictionary ---- */

static dump_entry *entry_of(dump_dictionary *of, table_kind table, uint32_t index, bool make)
{
    if (index >= of->count[table]) {
        if (!make || index >= ENTRIES_MAX)
            return NULL;
        uint32_t count = index < 8 ? 16 : index * 2;
        dump_entry *entries = realloc(of->entries[table], count * sizeof(entries[0]));
        if (entries == NULL)
            return NULL;
        memset(entries + of->count[table], 0, (count - of->count[table]) * sizeof(entries[0]));
        of->entries[table] = entries;
        of->count[table] = count;
    }
    dump_entry *entry = &of->entries[table][index];
    return make || entry->known ? entry : NULL;
}

static fm_slice text_of(const fm_event *event)
{
    size_t there = (size_t)8 * event->extra_words, size = event->as.control.text_size;
    return (fm_slice){(const char *)(event + 1), size < there ? size : there};
}

static void learn(dump_dictionary *of, const fm_event *event)
{
    const fm_control *control = &event->as.control;
    static const struct {
        uint8_t kind;
        table_kind table;
    } tables[] = {{FM_DOMAIN, DOMAINS}, {FM_STREAM, STREAMS}, {FM_SOURCE, SOURCES}, {FM_SERIES, SERIES}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        dump_entry *made = event->kind == tables[i].kind ? entry_of(of, tables[i].table, control->index, true) : NULL;
        if (made == NULL)
            continue;
        fm_slice text = text_of(event);
        made->known = true;
        made->price_scale = control->price_scale;
        made->size_scale = control->size_scale;
        made->text_size = text.size < sizeof(made->text) ? text.size : sizeof(made->text) - 1;
        memcpy(made->text, text.data, made->text_size);
        made->text[made->text_size] = '\0';
    }
    dump_entry *series = event->kind == FM_SCALE ? entry_of(of, SERIES, control->index, false) : NULL;
    if (series != NULL) {
        series->price_scale = control->price_scale;
        series->size_scale = control->size_scale;
    }
}

/* ---- values ---- */

static void put_key(fm_text *line, const char *key)
{
    fm_text_printf(line, "%s\"%s\":", line->size > 1 ? "," : "", key);
}

static void put_int(fm_text *line, const char *key, int64_t value)
{
    put_key(line, key);
    fm_text_printf(line, "%" PRId64, value);
}

static void put_count(fm_text *line, const char *key, uint64_t value)
{
    put_key(line, key);
    fm_text_printf(line, "%" PRIu64, value);
}

static void put_text(fm_text *line, const char *key, fm_slice text)
{
    put_key(line, key);
    fm_text_json(line, text);
}

/* integer / 10^scale, exactly; absent is left out. */
static void put_decimal(fm_text *line, const char *key, int64_t integer, int scale)
{
    if (integer == FM_ABSENT)
        return;
    if (scale < 0 || scale > FM_SCALE_MAX)
        scale = 0;
    put_key(line, key);
    char digits[32];
    uint64_t magnitude = integer < 0 ? (uint64_t)-integer : (uint64_t)integer;
    int size = snprintf(digits, sizeof(digits), "%0*" PRIu64, scale + 1, magnitude);
    fm_text_printf(line, "%s%.*s%s%s", integer < 0 ? "-" : "", size - scale, digits, scale > 0 ? "." : "",
                   digits + size - scale);
}

/* "first\0second" of a dictionary record, under two keys; an empty text is left out. */
static void put_names(fm_text *line, const char *first_key, const char *second_key, const char *text, size_t size)
{
    size_t first = strnlen(text, size);
    if (first > 0)
        put_text(line, first_key, (fm_slice){text, first});
    if (first + 1 < size && second_key != NULL)
        put_text(line, second_key, (fm_slice){text + first + 1, size - first - 1});
}

static void put_bits(fm_text *line, uint32_t conditions)
{
    if (conditions == 0)
        return;
    put_key(line, "conditions");
    const char *before = "[";
    for (size_t i = 0; i < sizeof(condition_names) / sizeof(condition_names[0]); i++) {
        if (!(conditions >> condition_names[i].bit & 1))
            continue;
        fm_text_printf(line, "%s\"%s\"", before, condition_names[i].name);
        before = ",";
    }
    fm_text_put(line, *before == '[' ? "[]" : "]");
}

static void put_true(fm_text *line, const char *key, bool value)
{
    if (!value)
        return;
    put_key(line, key);
    fm_text_put(line, "true");
}

/* A number that the journal holds, by its name; one without is left out. */
static void put_name(fm_text *line, const char *key, const char *const *names, size_t count, uint32_t value)
{
    if (value > 0 && value < count)
        put_text(line, key, fm_slice_of(names[value]));
}

/* ---- events ---- */

static void put_side(fm_text *line, const fm_event *event)
{
    put_name(line, "side", side_names, sizeof(side_names) / sizeof(side_names[0]), event->side);
}

static void put_bar(fm_text *line, const fm_event *event, int price_scale, int size_scale)
{
    put_decimal(line, "open", event->as.bar.open, price_scale);
    put_decimal(line, "high", event->as.bar.high, price_scale);
    put_decimal(line, "low", event->as.bar.low, price_scale);
    put_decimal(line, "close", event->as.bar.close, price_scale);
    if (event->extra_words * 8u < sizeof(fm_bar_rest))
        return;
    fm_bar_rest rest;
    memcpy(&rest, fm_event_bar_rest(event), sizeof(rest));
    put_int(line, "interval", rest.interval_ns);
    put_decimal(line, "volume", rest.volume, size_scale);
    put_decimal(line, "buy_volume", rest.buy_volume, size_scale);
    if (rest.trade_count != FM_SEQ_ABSENT)
        put_count(line, "trades", rest.trade_count);
}

typedef struct scales {
    int price, size;
} scales;

/* What levels and orders have in common. */
static void put_level(fm_text *line, const fm_event *event, int64_t price, int64_t size, scales of)
{
    put_side(line, event);
    put_decimal(line, "price", price, of.price);
    put_decimal(line, "size", size, of.size);
    put_true(line, "snapshot", event->flags & FM_FLAG_SNAPSHOT);
    put_true(line, "more", event->flags & FM_FLAG_MORE);
}

static void put_payload(fm_text *line, const fm_event *event, int price_scale, int size_scale)
{
    switch (event->kind) {
    case FM_TRADE:
        put_decimal(line, "price", event->as.trade.price, price_scale);
        put_decimal(line, "size", event->as.trade.size, size_scale);
        put_side(line, event);
        if (event->as.trade.id_hash != 0)
            put_count(line, "id_hash", event->as.trade.id_hash);
        if (event->as.trade.buyer != 0)
            put_count(line, "buyer", event->as.trade.buyer);
        if (event->as.trade.seller != 0)
            put_count(line, "seller", event->as.trade.seller);
        break;
    case FM_QUOTE:
        put_decimal(line, "bid", event->as.quote.bid, price_scale);
        put_decimal(line, "bid_size", event->as.quote.bid_size, size_scale);
        put_decimal(line, "ask", event->as.quote.ask, price_scale);
        put_decimal(line, "ask_size", event->as.quote.ask_size, size_scale);
        break;
    case FM_VALUE:
        put_key(line, "value");
        fm_text_real(line, event->as.value.value);
        break;
    case FM_STATUS:
        put_name(line, "phase", phase_names, sizeof(phase_names) / sizeof(phase_names[0]), event->as.status.phase);
        break;
    case FM_BAR:
        put_bar(line, event, price_scale, size_scale);
        break;
    case FM_BOOK:
        put_name(line, "action", book_actions, sizeof(book_actions) / sizeof(book_actions[0]), event->as.book.action);
        put_level(line, event, event->as.book.price, event->as.book.size, (scales){price_scale, size_scale});
        if (event->as.book.order_count != 0)
            put_count(line, "orders", event->as.book.order_count);
        break;
    case FM_ORDER:
        put_name(line, "action", order_actions, sizeof(order_actions) / sizeof(order_actions[0]), event->as.order.action);
        put_count(line, "order", event->as.order.order_id);
        put_level(line, event, event->as.order.price, event->as.order.size, (scales){price_scale, size_scale});
        if (event->as.order.account != 0)
            put_count(line, "account", event->as.order.account);
        break;
    default:
        break;
    }
}

static void put_origin(fm_text *line, dump_dictionary *of, const fm_event *event)
{
    if (!(event->flags & FM_FLAG_ORIGIN) || event->extra_words * 8u < sizeof(fm_origin))
        return;
    fm_origin origin;
    memcpy(&origin, fm_event_origin(event), sizeof(origin));
    dump_entry *source = entry_of(of, SOURCES, origin.source, false);
    if (origin.source != 0 && source != NULL)
        put_text(line, "src", (fm_slice){source->text, source->text_size});
    else if (origin.source != 0)
        put_count(line, "source", origin.source);
    if (origin.row != FM_SEQ_ABSENT)
        put_count(line, "n", origin.row);
    if (origin.seq_index != 0)
        put_count(line, "seq_index", origin.seq_index);
    if (origin.session_hash != 0)
        put_count(line, "session_hash", origin.session_hash);
}

static void put_data(fm_text *line, dump_dictionary *of, const fm_event *event)
{
    dump_entry *series = entry_of(of, SERIES, event->series, false),
               *stream = entry_of(of, STREAMS, event->stream, false);
    put_count(line, "series", event->series);
    if (series != NULL)
        put_names(line, "symbol", NULL, series->text, series->text_size);
    if (event->stream != 0 && stream != NULL)
        put_names(line, "venue", "channel", stream->text, stream->text_size);
    else if (event->stream != 0)
        put_count(line, "stream", event->stream);
    put_payload(line, event, series == NULL ? 0 : series->price_scale, series == NULL ? 0 : series->size_scale);
    put_bits(line, event->conditions);
    if (event->seq != FM_SEQ_ABSENT)
        put_count(line, "seq", event->seq);
    put_origin(line, of, event);
    put_true(line, "late", event->flags & FM_FLAG_LATE);
}

static void put_control(fm_text *line, dump_dictionary *of, const fm_event *event)
{
    const fm_control *control = &event->as.control;
    put_count(line, "index", control->index);
    if (event->kind == FM_SERIES || event->kind == FM_SCALE) {
        put_int(line, "price_scale", control->price_scale);
        put_int(line, "size_scale", control->size_scale);
    }
    uint32_t domain_index = event->kind == FM_SERIES ? control->domain : control->index;
    dump_entry *domain =
        event->kind == FM_SERIES || event->kind == FM_CLOCK ? entry_of(of, DOMAINS, domain_index, false) : NULL;
    if (domain != NULL)
        put_text(line, "domain", (fm_slice){domain->text, domain->text_size});
    if (event->kind == FM_KILL) {
        put_count(line, "at_sequence", control->at_sequence);
        if (control->at_timer > 0)
            put_count(line, "at_timer", control->at_timer);
    }
    fm_slice text = text_of(event);
    if (event->kind == FM_SERIES)
        put_names(line, "symbol", "venue", text.data, text.size);
    else if (event->kind == FM_STREAM)
        put_names(line, "venue", "channel", text.data, text.size);
    else if (event->kind == FM_KILL)
        put_names(line, "rule", "reason", text.data, text.size);
    else if (text.size > 0)
        put_text(line, "text", text);
}

static void put_event(journal_dump *dump, const fm_frame *frame, uint64_t sequence, const fm_event *event)
{
    fm_text *line = &dump->line;
    dump_dictionary *of = &dump->of[frame->partition];
    fm_text_clear(line);
    fm_text_put(line, "{");
    put_count(line, "partition", frame->partition);
    put_count(line, "sequence", sequence);
    put_text(line, "kind", fm_slice_of(fm_kind_name(event->kind)));
    put_int(line, "ts", event->ts_ns);
    put_int(line, "receive", frame->receive_ns);
    if (event->kind < FM_KIND_CONTROL)
        put_data(line, of, event);
    else
        put_control(line, of, event);
    fm_text_put(line, "}\n");
}

static int dump_frame(void *context, const fm_frame *frame)
{
    journal_dump *dump = context;
    const char *at = frame->events;
    for (uint32_t i = 0; i < frame->count; i++) {
        const fm_event *event = (const fm_event *)at; /* frames and events begin at multiples of 8 */
        uint64_t sequence = frame->first_sequence + i;
        at += fm_event_size(event);
        if (event->kind >= FM_KIND_CONTROL)
            learn(&dump->of[frame->partition], event);
        if (sequence < dump->options->from)
            continue;
        if (dump->lines == dump->options->limit)
            return LIMIT_REACHED;
        put_event(dump, frame, sequence, event);
        if (fwrite(dump->line.data, 1, dump->line.size, dump->out) != dump->line.size)
            return FM_EIO;
        dump->lines++;
    }
    return 0;
}

int fm_journal_dump(fm_journal *journal, const fm_journal_dump_options *options, FILE *out, fm_error *error)
{
    journal_dump *dump = calloc(1, sizeof(*dump));
    if (dump == NULL)
        return fm_fail(error, FM_ENOMEM, "no memory to print the journal");
    dump->options = options;
    dump->out = out;
    fm_error read_error = {0};
    int result = fm_journal_read(journal, options->partitions, NULL, dump_frame, dump, &read_error);
    if (result < 0 && read_error.code != 0 && error != NULL)
        *error = read_error;
    else if (result == LIMIT_REACHED)
        result = 0;
    else if (result == FM_EIO)
        result = fm_fail(error, FM_EIO, "could not print the journal: the output takes no more");
    fm_text_fini(&dump->line);
    for (int p = 0; p < FM_PARTITION_COUNT; p++) {
        for (int table = 0; table < TABLE_COUNT; table++)
            free(dump->of[p].entries[table]);
    }
    free(dump);
    return result;
}
