/* ingest/format/tardis.c - Tardis.dev's CSV: best levels as a whole, changes of levels, trades, quotes. Time is the
 * exchange's.
 *
 * Changes with one local_timestamp came in one message: they are one event. What a snapshot does not name is gone: it
 * begins by clearing the book. */
#include "ingest/format/book_cells.h"

enum { EXCHANGE, SYMBOL, TIMESTAMP, LOCAL_TIMESTAMP, FIRST };

static void take_common(fm_draft *draft, const fm_file_reader *reader)
{
    fm_cell_name(draft, FM_FIELD_VENUE, reader->cell[EXCHANGE]);
    fm_cell_symbol(draft, reader->cell[SYMBOL]);
    fm_cell_ts_any(draft, reader->cell[TIMESTAMP]);
}

/* ---- book_snapshot_N: ask price, ask amount, bid price, bid amount, from the best on ---- */

typedef struct snapshot_memory {
    uint8_t given[FM_FILE_CELLS / 2]; /* columns of the prices that the row has, halved */
} snapshot_memory;

static_assert(sizeof(snapshot_memory) <= FM_FILE_MEMORY, "a reader has room for it");

static bool fits_snapshot(const fm_file_reader *reader, fm_slice name)
{
    (void)name;
    return reader->column_count >= FIRST + 4 && (reader->column_count - FIRST) % 4 == 0;
}

static void snapshot_row(fm_draft *draft, fm_file_reader *reader)
{
    snapshot_memory *memory = (void *)reader->memory;
    if (reader->part == 0) {
        for (uint32_t column = FIRST; column < reader->column_count; column += 2)
            if (reader->cell[column].size > 0)
                memory->given[reader->parts++ - 1] = (uint8_t)(column / 2);
        fm_cell_book_clear(draft, (fm_book_row){.more = reader->parts > 1, .snapshot = true});
    } else {
        uint32_t column = 2 * (uint32_t)memory->given[reader->part - 1];
        fm_book_row row = {.more = reader->part + 1 < reader->parts, .snapshot = true};
        fm_cell_level(draft, row, (column - FIRST) % 4 == 0 ? FM_SELL : FM_BUY, reader->cell[column],
                      reader->cell[column + 1]);
    }
    take_common(draft, reader);
}

/* ---- incremental_book_L2 ---- */

enum { IS_SNAPSHOT = FIRST, SIDE, PRICE, AMOUNT };

typedef struct changes_memory {
    bool within; /* the row before was not the last of its event */
} changes_memory;

static void changes_row(fm_draft *draft, fm_file_reader *reader)
{
    static const uint8_t key[] = {EXCHANGE, SYMBOL, LOCAL_TIMESTAMP, IS_SNAPSHOT};
    changes_memory *memory = (void *)reader->memory;
    fm_slice side = reader->cell[SIDE], told = reader->cell[IS_SNAPSHOT];
    fm_book_row row = {.more = fm_file_same_ahead(reader, key, sizeof key),
                       .snapshot = fm_slice_equal(told, FM_SLICE("true"))};
    if (reader->part == 0)
        reader->parts = row.snapshot && !memory->within ? 2 : 1;
    memory->within = row.more;
    if (reader->part + 1 < reader->parts)
        fm_cell_book_clear(draft, (fm_book_row){.more = true, .snapshot = true});
    else if (fm_slice_equal(side, FM_SLICE("bid")) || fm_slice_equal(side, FM_SLICE("ask")))
        fm_cell_level(draft, row, side.data[0] == 'b' ? FM_BUY : FM_SELL, reader->cell[PRICE], reader->cell[AMOUNT]);
    else
        fm_cell_level(draft, row, FM_SIDE_NONE, reader->cell[PRICE], reader->cell[AMOUNT]);
    take_common(draft, reader);
}

/* ---- trades ---- */

static void trade_row(fm_draft *draft, fm_file_reader *reader)
{
    fm_slice id = reader->cell[FIRST], side = reader->cell[FIRST + 1];
    fm_cell_kind(draft, FM_TRADE);
    fm_cell_name(draft, FM_FIELD_ID, id);
    if (fm_slice_equal(side, FM_SLICE("buy")) || fm_slice_equal(side, FM_SLICE("sell")))
        fm_cell_word(draft, FM_FIELD_SIDE, side.data[0] == 'b' ? "buy" : "sell");
    else if (!fm_slice_equal(side, FM_SLICE("unknown")))
        fm_draft_refuse(draft, FM_FIELD_SIDE, 0, side.data, "is not buy, sell or unknown");
    fm_cell_decimal(draft, FM_FIELD_PRICE, reader->cell[FIRST + 2], 0);
    fm_cell_decimal(draft, FM_FIELD_SIZE, reader->cell[FIRST + 3], 0);
    take_common(draft, reader);
}

/* ---- quotes ---- */

/* An empty price: nobody is on that side. */
static void take_side(fm_draft *draft, fm_field price, fm_slice price_cell, fm_slice size_cell)
{
    const fm_slice none = FM_SLICE("0");
    fm_cell_decimal(draft, price, price_cell.size > 0 ? price_cell : none, 0);
    fm_cell_decimal(draft, price + 1, price_cell.size > 0 ? size_cell : none, 0);
}

static void quote_row(fm_draft *draft, fm_file_reader *reader)
{
    const fm_slice *cell = &reader->cell[FIRST];
    fm_cell_kind(draft, FM_QUOTE);
    take_side(draft, FM_FIELD_ASK, cell[1], cell[0]);
    take_side(draft, FM_FIELD_BID, cell[2], cell[3]);
    take_common(draft, reader);
}

#define COMMON "exchange,symbol,timestamp,local_timestamp,"

const fm_file_format fm_format_tardis_snapshot = {
    .name = "tardis-book-snapshot", .header = COMMON "asks*", .fits = fits_snapshot, .row = snapshot_row};

const fm_file_format fm_format_tardis_changes = {.name = "tardis-incremental-book",
                                                 .header = COMMON "is_snapshot,side,price,amount",
                                                 .needs = FM_FILE_AHEAD,
                                                 .row = changes_row};

const fm_file_format fm_format_tardis_trades = {
    .name = "tardis-trades", .header = COMMON "id,side,price,amount", .row = trade_row};

const fm_file_format fm_format_tardis_quotes = {
    .name = "tardis-quotes", .header = COMMON "ask_amount,ask_price,bid_price,bid_amount", .row = quote_row};
