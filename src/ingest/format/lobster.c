/* ingest/format/lobster.c - LOBSTER's message files: NASDAQ's orders, in New York time. Columns, without a header line:
 * seconds after midnight, type, order id, size, price * 10,000, side of the order (1 buy, -1 sell).
 *
 * Types: 1 added, 2 cancelled in part, 3 deleted, 4 executed, 5 a hidden order executed, 6 a cross, 7 halted (price
 * -1), quoted again (0) or trading again (1). An execution is a trade, whose aggressor is the other side, and then what
 * it does to the book. What rested before the file begins is not told: the book knows nothing of it. */
#include "ingest/format/book_cells.h"
#include "ingest/format/new_york.h"

#include "ingest/decode/time.h"

enum { TIME, TYPE, ORDER, SIZE, PRICE, DIRECTION, COLUMNS };
enum { PRICE_SCALE = 4, SECONDS_MAX = 90000 };

static bool is_number(fm_slice cell)
{
    fm_number number;
    return cell.size > 0 && fm_number_scan(cell.data, cell.data + cell.size, &number) == cell.data + cell.size;
}

static bool fits(const fm_file_reader *reader, fm_slice name)
{
    if (reader->column_count != COLUMNS || !fm_glob(FM_SLICE("*message*"), name))
        return false;
    for (uint32_t index = 0; index < COLUMNS; index++)
        if (!is_number(reader->column[index]))
            return false;
    return true;
}

static void take_time(fm_draft *draft, const fm_file_reader *reader)
{
    fm_number number;
    fm_slice cell = reader->cell[TIME];
    if (!fm_cell_number(draft, FM_FIELD_TS, cell, &number))
        return;
    uint64_t ns = number.digits;
    for (; number.exponent < -9 && ns > 0; number.exponent++)
        ns /= 10;
    for (; number.exponent > -9 && ns > 0 && ns < (uint64_t)SECONDS_MAX * FM_NS_PER_S; number.exponent--)
        ns *= 10;
    if (number.negative || ns >= (uint64_t)SECONDS_MAX * FM_NS_PER_S) {
        fm_draft_refuse(draft, FM_FIELD_TS, 0, cell.data, "is not seconds after midnight");
        return;
    }
    const fm_file_day *day = &reader->day;
    int64_t midnight_ns = fm_days_from_civil(day->year, day->month, day->day) * 86400 * FM_NS_PER_S;
    fm_cell_ts(draft, fm_new_york_of_wall_ns(midnight_ns + (int64_t)ns), cell);
}

static bool is(fm_slice cell, const char *text)
{
    return fm_slice_equal(cell, fm_slice_of(text));
}

static void take_side(fm_draft *draft, const fm_file_reader *reader, bool other)
{
    fm_slice cell = reader->cell[DIRECTION];
    if (is(cell, "1") || is(cell, "-1"))
        fm_cell_word(draft, FM_FIELD_SIDE, is(cell, "1") != other ? "buy" : "sell");
    else
        fm_draft_refuse(draft, FM_FIELD_SIDE, 0, cell.data, "is not 1 or -1");
}

static void trade(fm_draft *draft, const fm_file_reader *reader, bool has_side)
{
    fm_cell_kind(draft, FM_TRADE);
    if (has_side)
        take_side(draft, reader, true);
    fm_cell_decimal(draft, FM_FIELD_PRICE, reader->cell[PRICE], PRICE_SCALE);
    fm_cell_decimal(draft, FM_FIELD_SIZE, reader->cell[SIZE], 0);
}

static void order(fm_draft *draft, const fm_file_reader *reader, const char *action)
{
    fm_cell_order(draft, (fm_book_row){0}, action, reader->cell[ORDER]);
    take_side(draft, reader, false);
    fm_cell_decimal(draft, FM_FIELD_PRICE, reader->cell[PRICE], PRICE_SCALE);
    fm_cell_decimal(draft, FM_FIELD_SIZE, reader->cell[SIZE], 0);
}

static void status(fm_draft *draft, const fm_file_reader *reader)
{
    fm_slice price = reader->cell[PRICE];
    fm_cell_kind(draft, FM_STATUS);
    fm_cell_word(draft, FM_FIELD_PHASE, is(price, "-1") ? "halt" : is(price, "0") ? "auction" : "open");
}

static void lobster_row(fm_draft *draft, fm_file_reader *reader)
{
    fm_slice type = reader->cell[TYPE];
    char digit = type.size == 1 ? type.data[0] : '0';
    reader->parts = digit == '4' ? 2 : 1;
    if (digit == '1')
        order(draft, reader, "add");
    else if (digit == '2' || digit == '3') /* of a deletion too the size stands there: all that is left */
        order(draft, reader, "cancel");
    else if (digit == '4' && reader->part == 1)
        order(draft, reader, "execute");
    else if (digit == '4' || digit == '5' || digit == '6')
        trade(draft, reader, digit != '6');
    else if (digit == '7')
        status(draft, reader);
    else
        fm_draft_refuse(draft, FM_FIELD_TYPE, FM_type_unknown, type.data, "is not a type of LOBSTER's, 1 to 7");
    take_time(draft, reader);
    fm_cell_name(draft, FM_FIELD_VENUE, FM_SLICE("NASDAQ"));
}

const fm_file_format fm_format_lobster = {.name = "lobster",
                                          .header = "*",
                                          .needs = FM_FILE_SYMBOL | FM_FILE_DAY | FM_FILE_HEADLESS,
                                          .symbol_part = FM_FILE_ANY_PART,
                                          .fits = fits,
                                          .row = lobster_row};
