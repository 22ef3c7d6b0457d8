/* ingest/format/lean.c - US equities as LEAN keeps them: prices in 1/10,000 USD, New York time. */
#include "ingest/format/cells.h"

#define DCENTS_SCALE 4 /* price_dcents is USD * 10,000 */

/* Hexadecimal text of at most 32 bits; empty is 0. Its bits are those of conditions.def. */
static void take_hex_conditions(fm_draft *draft, fm_slice cell)
{
    uint32_t bits = 0;
    bool good = cell.size <= 8;
    for (size_t index = 0; index < cell.size && good; index++) {
        unsigned c = (unsigned char)cell.data[index], letter = c | 0x20;
        good = c - '0' < 10u || letter - 'a' < 6u;
        bits = bits << 4 | (c - '0' < 10u ? c - '0' : letter - 'a' + 10);
    }
    (void)fm_draft_key(draft, FM_FIELD_CONDITIONS);
    if (good)
        draft->record->conditions = bits;
    else
        fm_draft_refuse(draft, FM_FIELD_CONDITIONS, 0, cell.data, "is not a hexadecimal number of 32 bits");
}

static void lean_trade(fm_draft *draft, fm_file_reader *reader)
{
    const fm_slice *cell = reader->cell;
    fm_cell_kind(draft, FM_TRADE);
    fm_cell_ts_new_york(draft, cell[0], &reader->day);
    fm_cell_decimal(draft, FM_FIELD_PRICE, cell[1], DCENTS_SCALE);
    fm_cell_decimal(draft, FM_FIELD_SIZE, cell[2], 0);
    fm_cell_name(draft, FM_FIELD_VENUE, cell[3]);
    take_hex_conditions(draft, cell[4]);
}

/* A side whose price is 0 is not in the row. */
static void take_side(fm_draft *draft, fm_field price, const fm_slice *cell)
{
    fm_number number;
    if (!fm_cell_number(draft, price, cell[0], &number))
        return;
    if (number.digits == 0) {
        fm_draft_null(draft, price);
        return;
    }
    fm_cell_decimal(draft, price, cell[0], DCENTS_SCALE);
    fm_cell_decimal(draft, price + 1, cell[1], 0);
}

static_assert(FM_FIELD_BID_SIZE == FM_FIELD_BID + 1 && FM_FIELD_ASK_SIZE == FM_FIELD_ASK + 1,
              "a side's size follows its price");

static void lean_quote(fm_draft *draft, fm_file_reader *reader)
{
    const fm_slice *cell = reader->cell;
    fm_cell_kind(draft, FM_QUOTE);
    fm_cell_ts_new_york(draft, cell[0], &reader->day);
    take_side(draft, FM_FIELD_BID, &cell[1]);
    take_side(draft, FM_FIELD_ASK, &cell[3]);
    fm_cell_name(draft, FM_FIELD_VENUE, cell[5]);
}

const fm_file_format fm_format_lean_trade = {.name = "lean-trade",
                                             .header = "time_ms,price_dcents,size,exchange,sale_condition,suspicious",
                                             .needs = FM_FILE_SYMBOL | FM_FILE_DAY,
                                             .symbol_part = 2,

                                             .row = lean_trade};

const fm_file_format fm_format_lean_quote = {
    .name = "lean-quote",
    .header = "time_ms,bid_price_dcents,bid_size,ask_price_dcents,ask_size,exchange,quote_condition,suspicious",
    .needs = FM_FILE_SYMBOL | FM_FILE_DAY,
    .symbol_part = 2,

    .row = lean_quote};
