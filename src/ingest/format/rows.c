/* ingest/format/rows.c - rows of the formats that others write, value by value through the common rules (validate.h).
 */
#include "ingest/format/format.h"
#include "ingest/format/new_york.h"

#include "ingest/decode/time.h"

const fm_file_format fm_file_formats[] = {
    {"oanda-tick", "time_ms,bid,ask"},
    {"lean-trade", "time_ms,price_dcents,size,exchange,sale_condition,suspicious"},
    {"lean-quote", "time_ms,bid_price_dcents,bid_size,ask_price_dcents,ask_size,exchange,quote_condition,suspicious"},
    {"fmads-csv", ""},
    {NULL, NULL},
};

#define DCENTS_SCALE 4 /* price_dcents is USD * 10,000 */

static void begin_kind(fm_draft *draft, fm_kind kind)
{
    draft->record->kind = (uint8_t)kind;
    draft->seen |= FM_FIELD_BIT(TYPE);
}

/* A whole cell as a number; false and refused when it is none. */
static bool cell_number(fm_draft *draft, fm_field field, fm_slice cell, fm_number *out)
{
    const char *end = cell.data + cell.size;
    (void)fm_draft_key(draft, field);
    if (fm_number_scan(cell.data, end, out) == end)
        return true;
    fm_draft_refuse(draft, field, 0, cell.data, NULL);
    return false;
}

/* Milliseconds after midnight; -1 and refused when they are not of one day (of 25 hours, in November). */
static int64_t cell_ms(fm_draft *draft, fm_slice cell)
{
    fm_number number;
    if (!cell_number(draft, FM_FIELD_TS, cell, &number))
        return -1;
    if (number.integer && !number.negative && number.exponent == 0 && number.digits < 90000000)
        return (int64_t)number.digits;
    fm_draft_refuse(draft, FM_FIELD_TS, 0, cell.data, "is not milliseconds after midnight");
    return -1;
}

static void take_ts(fm_draft *draft, int64_t ts_ns, const char *at)
{
    if (!fm_draft_ts_good(draft, (uint64_t)ts_ns))
        fm_draft_refuse(draft, FM_FIELD_TS, FM_ts_out_of_range, at, "lies outside the years that are taken");
}

static void take_new_york(fm_draft *draft, fm_slice cell, const fm_file_day *day)
{
    int64_t ms = cell_ms(draft, cell);
    if (ms >= 0)
        take_ts(draft, fm_new_york_ns(day->year, day->month, day->day, ms), cell.data);
}

static void take_decimal(fm_draft *draft, fm_field field, fm_slice cell, int decimals)
{
    fm_number number;
    if (!cell_number(draft, field, cell, &number))
        return;
    number.exponent -= decimals;
    fm_draft_number(draft, field, &number, cell.data);
}

static void take_venue(fm_draft *draft, fm_slice cell)
{
    if (cell.size > 0 && fm_draft_key(draft, FM_FIELD_VENUE))
        fm_draft_text(draft, FM_FIELD_VENUE, cell, cell.data);
}

static void oanda_tick(fm_draft *draft, const fm_slice *cell, const fm_file_day *day)
{
    begin_kind(draft, FM_QUOTE);
    int64_t ms = cell_ms(draft, cell[0]);
    if (ms >= 0)
        take_ts(draft, (fm_days_from_civil(day->year, day->month, day->day) * 86400000 + ms) * FM_NS_PER_MS,
                cell[0].data);
    take_decimal(draft, FM_FIELD_BID, cell[1], 0);
    take_decimal(draft, FM_FIELD_ASK, cell[2], 0);
}

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

static void lean_trade(fm_draft *draft, const fm_slice *cell, const fm_file_day *day)
{
    begin_kind(draft, FM_TRADE);
    take_new_york(draft, cell[0], day);
    take_decimal(draft, FM_FIELD_PRICE, cell[1], DCENTS_SCALE);
    take_decimal(draft, FM_FIELD_SIZE, cell[2], 0);
    take_venue(draft, cell[3]);
    take_hex_conditions(draft, cell[4]);
}

/* A side whose price is 0 is not in the row. */
static void take_lean_side(fm_draft *draft, fm_field price, const fm_slice *cell)
{
    fm_number number;
    if (!cell_number(draft, price, cell[0], &number))
        return;
    if (number.digits == 0) {
        fm_draft_null(draft, price);
        return;
    }
    take_decimal(draft, price, cell[0], DCENTS_SCALE);
    take_decimal(draft, price + 1, cell[1], 0);
}

static void lean_quote(fm_draft *draft, const fm_slice *cell, const fm_file_day *day)
{
    begin_kind(draft, FM_QUOTE);
    take_new_york(draft, cell[0], day);
    take_lean_side(draft, FM_FIELD_BID, &cell[1]);
    take_lean_side(draft, FM_FIELD_ASK, &cell[3]);
    take_venue(draft, cell[5]);
}

static_assert(FM_FIELD_BID_SIZE == FM_FIELD_BID + 1 && FM_FIELD_ASK_SIZE == FM_FIELD_ASK + 1,
              "a side's size follows its price");

const fm_file_shape fm_file_shapes[] = {
    {oanda_tick, 3, 1970},
    {lean_trade, 6, FM_NEW_YORK_FIRST_YEAR},
    {lean_quote, 8, FM_NEW_YORK_FIRST_YEAR},
    {NULL, 0, 0},
};
