/* ingest/format/databento.c - Databento's CSV of order-by-order data (mbo) and of best prices with trades (mbp-1).
 *
 * Time is ts_event, the venue's. The rows of a snapshot tell there when each order was added, hours or days before and
 * in no order; what happens at ts_recv is the snapshot: so time never runs backwards, and ages of its orders are not
 * known anyway.
 *
 * The rows of one packet have one sequence: seq_index counts them. A snapshot's rows have those of their orders, which
 * tell nothing of the channel, and are left without. It begins by clearing the book, also where its own clear (action
 * R) is missing.
 *
 * Flags: 128 = last row of the venue's event, 32 = part of a snapshot. A trade's side is the aggressor's. */
#include "ingest/format/book_cells.h"

enum { LAST_OF_EVENT = 128, OF_SNAPSHOT = 32 };

/* Databento's own files write prices with nine decimals or as integers of 1e-9; those that lack its record header
 * (rtype) were written by others, as plain numbers. */
enum { FIXED_DECIMALS = 9 };

typedef struct databento {
    int16_t ts_recv, ts_event, publisher, action, side, price, size, order, flags, sequence, symbol;
    int16_t bid, ask, bid_size, ask_size; /* mbp-1 */
    bool fixed;
    bool in_snapshot; /* the row before */
    uint32_t seq_index;
    uint64_t sequence_before;
} databento;

static_assert(sizeof(databento) <= FM_FILE_MEMORY, "a reader has room for it");

static int16_t column_of(const fm_file_reader *reader, const char *name)
{
    return (int16_t)fm_file_column(reader, name);
}

static int begin_any(fm_file_reader *reader, fm_error *error)
{
    databento *at = (void *)reader->memory;
    (void)error;
    *at = (databento){.ts_recv = column_of(reader, "ts_recv"),
                      .ts_event = column_of(reader, "ts_event"),
                      .publisher = column_of(reader, "publisher_id"),
                      .action = column_of(reader, "action"),
                      .side = column_of(reader, "side"),
                      .price = column_of(reader, "price"),
                      .size = column_of(reader, "size"),
                      .order = column_of(reader, "order_id"),
                      .flags = column_of(reader, "flags"),
                      .sequence = column_of(reader, "sequence"),
                      .symbol = column_of(reader, "symbol"),
                      .bid = column_of(reader, "bid_px_00"),
                      .ask = column_of(reader, "ask_px_00"),
                      .bid_size = column_of(reader, "bid_sz_00"),
                      .ask_size = column_of(reader, "ask_sz_00"),
                      .fixed = fm_file_column(reader, "rtype") >= 0,
                      .sequence_before = FM_SEQ_ABSENT};
    if (at->symbol >= 0)
        reader->needs &= ~(uint32_t)FM_FILE_SYMBOL;
    return 0;
}

static bool has(const fm_file_reader *reader, const char *const *names)
{
    while (*names && fm_file_column(reader, *names) >= 0)
        names++;
    return *names == NULL;
}

static bool fits_mbo(const fm_file_reader *reader, fm_slice name)
{
    static const char *const columns[] = {"publisher_id", "action", "side",     "price", "size",
                                          "order_id",     "flags",  "sequence", NULL};
    (void)name;
    return has(reader, columns);
}

static bool fits_mbp(const fm_file_reader *reader, fm_slice name)
{
    static const char *const columns[] = {"publisher_id", "action",    "side",      "price",     "size",      "flags",
                                          "sequence",     "bid_px_00", "ask_px_00", "bid_sz_00", "ask_sz_00", NULL};
    (void)name;
    return has(reader, columns) && fm_file_column(reader, "bid_px_01") < 0;
}

static fm_slice cell_of(const fm_file_reader *reader, int column)
{
    return column >= 0 ? reader->cell[column] : (fm_slice){0};
}

static void take_price(fm_draft *draft, const fm_file_reader *reader, fm_field field, int column)
{
    const databento *at = (const void *)reader->memory;
    fm_slice cell = cell_of(reader, column);
    bool integer = at->fixed && !memchr(cell.data, '.', cell.size);
    fm_cell_decimal(draft, field, cell, integer ? FIXED_DECIMALS : 0);
}

/* Nothing, or the largest number: there is none. */
static bool no_price(fm_slice cell)
{
    return cell.size == 0 || fm_slice_equal(cell, FM_SLICE("9223372036854775807"));
}

/* Flags of the row; none stands for 0. */
static uint32_t flags_of(fm_draft *draft, const fm_file_reader *reader)
{
    fm_slice cell = reader->cell[((const databento *)(const void *)reader->memory)->flags];
    uint32_t flags = 0;
    bool good = cell.size <= 3;
    for (size_t index = 0; index < cell.size && good; index++) {
        good = cell.data[index] >= '0' && cell.data[index] <= '9';
        flags = flags * 10 + (uint32_t)(cell.data[index] - '0');
    }
    if (good && flags <= UINT8_MAX)
        return flags;
    fm_draft_refuse(draft, FM_FIELD_MORE, 0, cell.data, "is not the flags of a record");
    return 0;
}

static void take_sequence(fm_draft *draft, fm_file_reader *reader)
{
    databento *at = (void *)reader->memory;
    int64_t sequence =
        fm_cell_integer(draft, FM_FIELD_SEQ, reader->cell[at->sequence], UINT32_MAX, "is not a sequence");
    if (sequence < 0)
        return;
    at->seq_index = at->sequence_before == (uint64_t)sequence ? at->seq_index + 1 : 0;
    at->sequence_before = (uint64_t)sequence;
    fm_cell_count(draft, FM_FIELD_SEQ, at->sequence_before);
    fm_cell_count(draft, FM_FIELD_SEQ_INDEX, at->seq_index);
}

static void take_common(fm_draft *draft, fm_file_reader *reader, bool snapshot)
{
    static const char *const venues[] = {NULL, "GLBX", "XNAS", "XBOS", "XPSX", "BATS", "BATY", "EDGA", "EDGX", "XNYS"};
    const databento *at = (const void *)reader->memory;
    fm_slice publisher = reader->cell[at->publisher];
    unsigned digit = publisher.size == 1 ? (unsigned)(publisher.data[0] - '0') : 0;
    fm_cell_ts_any(draft, reader->cell[snapshot ? at->ts_recv : at->ts_event]);
    fm_cell_name(draft, FM_FIELD_VENUE,
                 digit > 0 && digit < sizeof venues / sizeof *venues ? fm_slice_of(venues[digit]) : publisher);
    if (at->symbol >= 0)
        fm_cell_symbol(draft, reader->cell[at->symbol]);
    if (!snapshot)
        take_sequence(draft, reader);
}

static void take_side(fm_draft *draft, fm_slice cell)
{
    if (fm_slice_equal(cell, FM_SLICE("B")))
        fm_cell_word(draft, FM_FIELD_SIDE, "buy");
    else if (fm_slice_equal(cell, FM_SLICE("A")))
        fm_cell_word(draft, FM_FIELD_SIDE, "sell");
    else if (!fm_slice_equal(cell, FM_SLICE("N")))
        fm_draft_refuse(draft, FM_FIELD_SIDE, 0, cell.data, "is not A, B or N");
}

static void trade(fm_draft *draft, const fm_file_reader *reader)
{
    const databento *at = (const void *)reader->memory;
    fm_cell_kind(draft, FM_TRADE);
    take_side(draft, reader->cell[at->side]);
    take_price(draft, reader, FM_FIELD_PRICE, at->price);
    fm_cell_decimal(draft, FM_FIELD_SIZE, reader->cell[at->size], 0);
}

static void order(fm_draft *draft, const fm_file_reader *reader, fm_book_row row, const char *action)
{
    const databento *at = (const void *)reader->memory;
    fm_cell_order(draft, row, action, reader->cell[at->order]);
    take_side(draft, reader->cell[at->side]);
    if (!no_price(reader->cell[at->price]))
        take_price(draft, reader, FM_FIELD_PRICE, at->price);
    fm_cell_decimal(draft, FM_FIELD_SIZE, reader->cell[at->size], 0);
}

static void clear(fm_draft *draft, fm_book_row row)
{
    fm_cell_order(draft, row, "clear", FM_SLICE("0"));
}

static char action_of(const fm_file_reader *reader)
{
    const databento *at = (const void *)reader->memory;
    fm_slice cell = reader->cell[at->action];
    return cell.size == 1 ? cell.data[0] : 0;
}

static void mbo_row(fm_draft *draft, fm_file_reader *reader)
{
    static const struct {
        char letter;
        const char *name;
    } actions[] = {{'A', "add"}, {'C', "cancel"}, {'M', "modify"}, {'F', "fill"}};
    databento *at = (void *)reader->memory;
    const char letter = action_of(reader);
    const uint32_t flags = flags_of(draft, reader);
    const bool snapshot = flags & OF_SNAPSHOT;
    const fm_book_row row = {.more = !(flags & LAST_OF_EVENT), .snapshot = snapshot};
    if (reader->part == 0) {
        reader->parts = letter == 'N' ? 0 : snapshot && !at->in_snapshot && letter != 'R' ? 2 : 1;
        at->in_snapshot = snapshot;
    }
    if (reader->part + 1 < reader->parts) {
        clear(draft, (fm_book_row){.more = true, .snapshot = true});
    } else if (letter == 'T') {
        trade(draft, reader);
    } else if (letter == 'R') {
        clear(draft, row);
    } else {
        const char *name = NULL;
        for (size_t index = 0; index < sizeof actions / sizeof *actions; index++)
            if (actions[index].letter == letter)
                name = actions[index].name;
        order(draft, reader, row, name ? name : "");
    }
    take_common(draft, reader, snapshot);
}

/* A side of the best prices; none rests there when it has no price. */
static void best(fm_draft *draft, const fm_file_reader *reader, fm_field price, int price_column, int size_column)
{
    if (no_price(reader->cell[price_column])) {
        fm_cell_decimal(draft, price, FM_SLICE("0"), 0);
        fm_cell_decimal(draft, price + 1, FM_SLICE("0"), 0);
        return;
    }
    take_price(draft, reader, price, price_column);
    fm_cell_decimal(draft, price + 1, reader->cell[size_column], 0);
}

static void mbp_row(fm_draft *draft, fm_file_reader *reader)
{
    const databento *at = (const void *)reader->memory;
    const uint32_t flags = flags_of(draft, reader);
    if (action_of(reader) == 'T') {
        trade(draft, reader);
    } else {
        fm_cell_kind(draft, FM_QUOTE);
        best(draft, reader, FM_FIELD_BID, at->bid, at->bid_size);
        best(draft, reader, FM_FIELD_ASK, at->ask, at->ask_size);
    }
    take_common(draft, reader, flags & OF_SNAPSHOT);
}

const fm_file_format fm_format_databento_mbo = {.name = "databento-mbo",
                                                .header = "ts_recv,ts_event,*",
                                                .needs = FM_FILE_SYMBOL,
                                                .symbol_part = FM_FILE_ANY_PART,
                                                .fits = fits_mbo,
                                                .begin = begin_any,
                                                .row = mbo_row};

const fm_file_format fm_format_databento_mbp1 = {.name = "databento-mbp1",
                                                 .header = "ts_recv,ts_event,*",
                                                 .needs = FM_FILE_SYMBOL,
                                                 .symbol_part = FM_FILE_ANY_PART,
                                                 .fits = fits_mbp,
                                                 .begin = begin_any,
                                                 .row = mbp_row};
