/* ingest/format/cells.c - see the header. */
#include "ingest/format/cells.h"

#include "ingest/decode/time.h"
#include "ingest/format/new_york.h"

#include <strings.h>

#define MS_PER_DAY    86400000
#define TAIL_DECIMALS FM_SCALE_MAX

void fm_cell_kind(fm_draft *draft, fm_kind kind)
{
    draft->record->kind = (uint8_t)kind;
    draft->seen |= FM_FIELD_BIT(TYPE);
}

void fm_cell_symbol(fm_draft *draft, fm_slice cell)
{
    (void)fm_draft_key(draft, FM_FIELD_SYMBOL);
    fm_draft_text(draft, FM_FIELD_SYMBOL, cell, cell.data);
}

bool fm_cell_number(fm_draft *draft, fm_field field, fm_slice cell, fm_number *out)
{
    const char *end = cell.data + cell.size;
    (void)fm_draft_key(draft, field);
    if (fm_number_scan(cell.data, end, out) == end)
        return true;
    fm_draft_refuse(draft, field, 0, cell.data, NULL);
    return false;
}

void fm_cell_decimal(fm_draft *draft, fm_field field, fm_slice cell, int shift)
{
    fm_number number;
    if (!fm_cell_number(draft, field, cell, &number))
        return;
    number.exponent -= shift;
    fm_draft_number(draft, field, &number, cell.data);
}

/* Divides by ten until no more than `decimals` are left. */
static void round_number(fm_number *number, int decimals)
{
    unsigned last = 0;
    for (; number->exponent < -decimals && number->digits > 0; number->exponent++) {
        last = (unsigned)(number->digits % 10);
        number->digits /= 10;
    }
    number->digits += number->exponent == -decimals && last >= 5;
    if (number->digits == 0)
        number->exponent = 0;
}

/* A number of more than 19 digits is read again to its ninth decimal, if it is written without exponent. */
static bool cut_tail(fm_slice cell, fm_number *number)
{
    const char *point = memchr(cell.data, '.', cell.size), *end = cell.data + cell.size;
    if (!number->truncated || !point || end - point <= TAIL_DECIMALS || memchr(point, 'e', (size_t)(end - point)) ||
        memchr(point, 'E', (size_t)(end - point)))
        return false;
    return fm_number_scan(cell.data, point + 1 + TAIL_DECIMALS, number) && !number->truncated;
}

void fm_cell_rounded(fm_draft *draft, fm_field field, fm_slice cell, int shift, int kept, int decimals)
{
    fm_number number;
    if (!fm_cell_number(draft, field, cell, &number))
        return;
    bool tail = cut_tail(cell, &number);
    for (; number.exponent < 0 && number.digits % 10 == 0 && number.digits > 0; number.exponent++)
        number.digits /= 10;
    number.exponent -= shift;
    if ((tail || number.exponent < -kept) && !number.truncated)
        round_number(&number, decimals);
    fm_draft_number(draft, field, &number, cell.data);
}

bool fm_cell_missing(fm_slice cell)
{
    static const char *const words[] = {"", "nan", "na", "n/a", "null", "none"};
    for (size_t index = 0; index < sizeof words / sizeof *words; index++)
        if (cell.size == strlen(words[index]) && strncasecmp(cell.data, words[index], cell.size) == 0)
            return true;
    return false;
}

void fm_cell_name(fm_draft *draft, fm_field field, fm_slice cell)
{
    if (cell.size > 0 && fm_draft_key(draft, field))
        fm_draft_text(draft, field, cell, cell.data);
}

int64_t fm_cell_integer(fm_draft *draft, fm_field field, fm_slice cell, int64_t high, const char *reason)
{
    fm_number number;
    if (!fm_cell_number(draft, field, cell, &number))
        return -1;
    if (number.integer && !number.negative && number.exponent == 0 && number.digits <= (uint64_t)high)
        return (int64_t)number.digits;
    fm_draft_refuse(draft, field, 0, cell.data, reason);
    return -1;
}

void fm_cell_count(fm_draft *draft, fm_field field, uint64_t count)
{
    fm_number number = {.digits = count, .integer = true};
    (void)fm_draft_key(draft, field);
    fm_draft_number(draft, field, &number, NULL);
}

void fm_cell_ts(fm_draft *draft, int64_t ts_ns, fm_slice cell)
{
    (void)fm_draft_key(draft, FM_FIELD_TS);
    if (!fm_draft_ts_good(draft, (uint64_t)ts_ns))
        fm_draft_refuse(draft, FM_FIELD_TS, FM_ts_out_of_range, cell.data, "lies outside the years that are taken");
}

int64_t fm_cell_day_ms(fm_draft *draft, fm_slice cell)
{
    return fm_cell_integer(draft, FM_FIELD_TS, cell, FM_FILE_DAY_MS_MAX - 1, "is not milliseconds after midnight");
}

void fm_cell_ts_utc(fm_draft *draft, fm_slice cell, const fm_file_day *day)
{
    int64_t ms = fm_cell_day_ms(draft, cell);
    if (ms >= 0)
        fm_cell_ts(draft, (fm_days_from_civil(day->year, day->month, day->day) * MS_PER_DAY + ms) * FM_NS_PER_MS, cell);
}

void fm_cell_ts_new_york(fm_draft *draft, fm_slice cell, const fm_file_day *day)
{
    int64_t ms = fm_cell_day_ms(draft, cell);
    if (ms >= 0)
        fm_cell_ts(draft, fm_new_york_ns(day->year, day->month, day->day, ms), cell);
}
