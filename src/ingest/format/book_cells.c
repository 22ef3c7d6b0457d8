/* ingest/format/book_cells.c - see the header. */
#include "ingest/format/book_cells.h"

#include "ingest/format/clock.h"

void fm_cell_word(fm_draft *draft, fm_field field, const char *word)
{
    (void)fm_draft_key(draft, field);
    fm_draft_text(draft, field, fm_slice_of(word), NULL);
}

static void begin(fm_draft *draft, fm_kind kind, fm_book_row row)
{
    fm_cell_kind(draft, kind);
    if (row.more)
        (void)fm_draft_key(draft, FM_FIELD_MORE);
    if (row.snapshot)
        (void)fm_draft_key(draft, FM_FIELD_SNAPSHOT);
}

void fm_cell_book_clear(fm_draft *draft, fm_book_row row)
{
    begin(draft, FM_BOOK, row);
    fm_cell_word(draft, FM_FIELD_ACTION, "clear");
}

void fm_cell_level(fm_draft *draft, fm_book_row row, fm_side side, fm_slice price, fm_slice size)
{
    begin(draft, FM_BOOK, row);
    fm_cell_word(draft, FM_FIELD_SIDE, side == FM_BUY ? "bid" : side == FM_SELL ? "ask" : "");
    fm_cell_decimal(draft, FM_FIELD_PRICE, price, 0);
    fm_cell_decimal(draft, FM_FIELD_SIZE, size, 0);
}

void fm_cell_order(fm_draft *draft, fm_book_row row, const char *action, fm_slice id)
{
    begin(draft, FM_ORDER, row);
    fm_cell_word(draft, FM_FIELD_ACTION, action);
    (void)fm_draft_key(draft, FM_FIELD_ORDER);
    fm_draft_text(draft, FM_FIELD_ORDER, id, id.data);
}

void fm_cell_ts_any(fm_draft *draft, fm_slice cell)
{
    fm_file_time time;
    if (fm_file_time_parse(cell, &time))
        fm_cell_ts(draft, time.utc_ns, cell);
    else
        fm_draft_refuse(draft, FM_FIELD_TS, 0, cell.data, "is not a time");
}

bool fm_file_same_ahead(const fm_file_reader *reader, const uint8_t *column, uint32_t count)
{
    fm_slice next[FM_FILE_CELLS];
    if (fm_file_cut(fm_file_ahead(reader), next) != reader->column_count)
        return false;
    for (uint32_t index = 0; index < count; index++)
        if (!fm_slice_equal(next[column[index]], reader->cell[column[index]]))
            return false;
    return true;
}
