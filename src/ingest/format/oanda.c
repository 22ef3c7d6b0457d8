/* ingest/format/oanda.c - OANDA's bids and asks: ticks. */
#include "ingest/format/cells.h"

static void oanda_tick(fm_draft *draft, fm_file_reader *reader)
{
    const fm_slice *cell = reader->cell;
    fm_cell_kind(draft, FM_QUOTE);
    fm_cell_ts_utc(draft, cell[0], &reader->day);
    fm_cell_decimal(draft, FM_FIELD_BID, cell[1], 0);
    fm_cell_decimal(draft, FM_FIELD_ASK, cell[2], 0);
}

const fm_file_format fm_format_oanda_tick = {.name = "oanda-tick",
                                             .header = "time_ms,bid,ask",
                                             .needs = FM_FILE_SYMBOL | FM_FILE_DAY,
                                             .symbol_part = 2,
                                             .row = oanda_tick};
