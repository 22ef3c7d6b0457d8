/* ingest/format/binance_depth.c - Binance's order books of futures (T_DEPTH): a snapshot, or changes of levels. Rows
 * with one last_update_id are one event; a change to quantity 0 takes the level away. */
#include "ingest/format/book_cells.h"

enum { SYMBOL, TIMESTAMP, FIRST_ID, LAST_ID, SIDE, UPDATE_TYPE, PRICE, QUANTITY, BEFORE };

typedef struct depth_memory {
    bool within;        /* the row before was not the last of its event */
    uint32_t seq_index; /* of the row, among those of its event */
} depth_memory;

static void take_change_id(fm_draft *draft, const fm_file_reader *reader, uint32_t seq_index)
{
    int64_t id = fm_cell_integer(draft, FM_FIELD_SEQ, reader->cell[LAST_ID], INT64_MAX, "is not an update id");
    if (id < 0)
        return;
    fm_cell_count(draft, FM_FIELD_SEQ, (uint64_t)id);
    fm_cell_count(draft, FM_FIELD_SEQ_INDEX, seq_index);
}

static void depth_row(fm_draft *draft, fm_file_reader *reader)
{
    static const uint8_t key[] = {SYMBOL, LAST_ID, UPDATE_TYPE};
    depth_memory *memory = (void *)reader->memory;
    fm_slice side = reader->cell[SIDE], type = reader->cell[UPDATE_TYPE];
    fm_book_row row = {.more = fm_file_same_ahead(reader, key, sizeof key),
                       .snapshot = fm_slice_equal(type, FM_SLICE("snap"))};
    if (reader->part == 0) {
        reader->parts = row.snapshot && !memory->within ? 2 : 1;
        memory->seq_index = memory->within ? memory->seq_index + 1 : 0;
    }
    memory->within = row.more;
    if (reader->part + 1 < reader->parts)
        fm_cell_book_clear(draft, (fm_book_row){.more = true, .snapshot = true});
    else if (fm_slice_equal(side, FM_SLICE("b")) || fm_slice_equal(side, FM_SLICE("a")))
        fm_cell_level(draft, row, side.data[0] == 'b' ? FM_BUY : FM_SELL, reader->cell[PRICE], reader->cell[QUANTITY]);
    else
        fm_cell_level(draft, row, FM_SIDE_NONE, reader->cell[PRICE], reader->cell[QUANTITY]);
    if (!row.snapshot && !fm_slice_equal(type, FM_SLICE("set")))
        fm_draft_refuse(draft, FM_FIELD_ACTION, 0, type.data, "is not snap or set");
    else if (!row.snapshot)
        take_change_id(draft, reader, memory->seq_index);
    fm_cell_symbol(draft, reader->cell[SYMBOL]);
    fm_cell_ts_any(draft, reader->cell[TIMESTAMP]);
    fm_cell_name(draft, FM_FIELD_VENUE, FM_SLICE("binance"));
    fm_cell_name(draft, FM_FIELD_CHANNEL, FM_SLICE("depth"));
}

const fm_file_format fm_format_binance_depth = {
    .name = "binance-depth",
    .header = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu",
    .needs = FM_FILE_AHEAD,
    .row = depth_row};
