/* ingest/format/bybit.c - Bybit's order books as its public channel sends them, a JSON message a line:
 *
 *   {"topic":"orderbook.500.XRPUSDT","type":"snapshot","ts":1733011200691,"data":{"s":"XRPUSDT","b":[["1.9531","6203"],…],
 *    "a":[…],"u":…,"seq":…},"cts":…}
 *
 * A line is one event, a record a level. A snapshot begins by clearing the book; in a delta size 0 takes a level away.
 * Only what is used is looked for, by its key, outside of nested values; messages without levels hold no record. */
#include "ingest/format/book_cells.h"

typedef struct bybit_memory { /* of the line, bids and asks */
    uint32_t left[2];         /* levels that have not been told */
    uint32_t at[2];           /* where the next of them stands */
} bybit_memory;

static_assert(sizeof(bybit_memory) <= FM_FILE_MEMORY, "a reader has room for it");

/* What follows `"key":` in the line, to its end; empty when the key is not there. */
static fm_slice value_of(fm_slice line, const char *key)
{
    const char *end = line.data + line.size, *found = memmem(line.data, line.size, key, strlen(key));
    found = found ? found + strlen(key) : end;
    return (fm_slice){found, (size_t)(end - found)};
}

/* What stands in double quotes at the front. */
static fm_slice text_of(fm_slice value)
{
    const char *end = value.size > 0 && *value.data == '"' ? memchr(value.data + 1, '"', value.size - 1) : NULL;
    return end ? (fm_slice){value.data + 1, (size_t)(end - value.data - 1)} : (fm_slice){0};
}

/* Digits at the front. */
static fm_slice digits_of(fm_slice value)
{
    size_t size = 0;
    while (size < value.size && value.data[size] >= '0' && value.data[size] <= '9')
        size++;
    return (fm_slice){value.data, size};
}

/* ["price","size"] at the front: what follows it, and a comma; NULL when it stands there in another form. */
static const char *pair_of(const char *at, const char *end, fm_slice *price, fm_slice *size)
{
    if (at == end || *at != '[')
        return NULL;
    *price = text_of((fm_slice){at + 1, (size_t)(end - at - 1)});
    at = price->data ? price->data + price->size + 1 : end;
    if (at >= end || *at != ',')
        return NULL;
    *size = text_of((fm_slice){at + 1, (size_t)(end - at - 1)});
    at = size->data ? size->data + size->size + 1 : end;
    if (at >= end || *at != ']')
        return NULL;
    at++;
    return at < end && *at == ',' ? at + 1 : at;
}

/* How many levels stand behind the key; false when they have another form. */
static bool count_levels(fm_slice line, const char *key, uint32_t *begin, uint32_t *count)
{
    fm_slice value = value_of(line, key), price, size;
    const char *at = value.data, *end = value.data + value.size;
    *begin = (uint32_t)(at - line.data);
    *count = 0;
    for (; at < end && *at != ']'; (*count)++) {
        at = pair_of(at, end, &price, &size);
        if (!at)
            return false;
    }
    return value.size == 0 || at < end;
}

static bool begin_line(fm_file_reader *reader, bool snapshot)
{
    bybit_memory *memory = (void *)reader->memory;
    *memory = (bybit_memory){0};
    bool good = count_levels(reader->line, "\"b\":[", &memory->at[0], &memory->left[0]) &&
                count_levels(reader->line, "\"a\":[", &memory->at[1], &memory->left[1]);
    reader->parts = good ? memory->left[0] + memory->left[1] + snapshot : 1;
    return good;
}

static void take_level(fm_draft *draft, fm_file_reader *reader, fm_book_row row)
{
    bybit_memory *memory = (void *)reader->memory;
    int side = memory->left[0] > 0 ? 0 : 1;
    const char *end = reader->line.data + reader->line.size;
    fm_slice price = {0}, size = {0};
    const char *next = pair_of(reader->line.data + memory->at[side], end, &price, &size);
    memory->at[side] = (uint32_t)((next ? next : end) - reader->line.data);
    memory->left[side]--;
    fm_cell_level(draft, row, side == 0 ? FM_BUY : FM_SELL, price, size);
}

static void bybit_row(fm_draft *draft, fm_file_reader *reader)
{
    fm_slice line = reader->line, ts = digits_of(value_of(line, "\"ts\":"));
    bool snapshot = fm_slice_equal(text_of(value_of(line, "\"type\":")), FM_SLICE("snapshot"));
    if (reader->part == 0 && !begin_line(reader, snapshot))
        fm_draft_refuse(draft, FM_FIELD_PRICE, FM_malformed, line.data, "levels must be [\"price\",\"size\"]");
    fm_book_row row = {.more = reader->part + 1 < reader->parts, .snapshot = snapshot};
    if (reader->parts == 0)
        return;
    if (snapshot && reader->part == 0)
        fm_cell_book_clear(draft, row);
    else if (draft->code == 0)
        take_level(draft, reader, row);
    else
        fm_cell_kind(draft, FM_BOOK);
    fm_cell_symbol(draft, text_of(value_of(line, "\"s\":")));
    fm_cell_ts_any(draft, ts);
    fm_cell_name(draft, FM_FIELD_VENUE, FM_SLICE("bybit"));
    fm_cell_name(draft, FM_FIELD_CHANNEL, FM_SLICE("orderbook"));
}

const fm_file_format fm_format_bybit_book = {.name = "bybit-orderbook",
                                             .header = "{\"topic\":\"orderbook.*",
                                             .needs = FM_FILE_HEADLESS | FM_FILE_LINES,
                                             .row = bybit_row};
