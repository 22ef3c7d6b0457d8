/* tool/market_file.c - see the header. */
#include "tool/market_file.h"

#include "ingest/decode/time.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_S  86400
#define NS     INT64_C(1000000000)
#define DCENTS 1e-4

typedef enum layout_kind { BARS, BID_BARS, QUOTES, SIDES, TRADES, POINTS } layout_kind;

static const struct layout {
    layout_kind kind;
    bool new_york;
    double unit;
    const char *name[6];
} LAYOUTS[] = {
    {BARS, false, 1.0, {"open", "high", "low", "close"}},
    {BARS, true, DCENTS, {"open_dcents", "high_dcents", "low_dcents", "close_dcents"}},
    {BID_BARS, false, 1.0, {"bid_open", "bid_high", "bid_low", "bid_close", "ask_close"}},
    {QUOTES, false, 1.0, {"bid", "ask"}},
    {SIDES, true, DCENTS, {"bid_price_dcents", "ask_price_dcents"}},
    {TRADES, true, DCENTS, {"price_dcents"}},
    {POINTS, false, 1.0, {NULL}},
};

/* Days of Sunday number `nth` (from 0) of a month; of the last one, counted from the month behind. */
static int64_t sunday(int year, int month, int nth)
{
    int64_t first = fm_days_from_civil(year, month, 1);
    return first + (10 - first % 7) % 7 + 7 * nth;
}

/* Seconds from New York's wall clock to UTC; by the rule of 1987 before 2007. Nothing trades at the hour it changes. */
static int64_t new_york_s(int64_t day, int year)
{
    bool new = year >= 2007;
    int64_t begin = new ? sunday(year, 3, 1) : sunday(year, 4, 0),
            end = new ? sunday(year, 11, 0) : sunday(year, 11, -1);
    return day >= begin && day < end ? 4 * 3600 : 5 * 3600;
}

/* "20140102", eight digits. */
static bool read_day(const char *text, size_t size, int *year, int64_t *day)
{
    if (size < 8)
        return false;
    int date = 0;
    for (int i = 0; i < 8; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        date = 10 * date + text[i] - '0';
    }
    int month = date / 100 % 100, of_month = date % 100;
    *year = date / 10000;
    if (of_month < 1 || of_month > fm_days_in_month(*year, month))
        return false;
    *day = fm_days_from_civil(*year, month, of_month);
    return true;
}

static bool read_time(fm_market_file *file, fm_slice cell)
{
    int year, hour, minute;
    int64_t day;
    char text[32];
    double ms;
    if (file->day_ns >= 0) {
        if (!fm_table_number(cell, &ms) || !(fabs(ms) < 1e9))
            return false;
        file->ts_ns = file->day_ns + (int64_t)ms * 1000000;
        return true;
    }
    if (cell.size != 14 || !read_day(cell.data, cell.size, &year, &day))
        return fm_table_time(cell, &file->ts_ns);
    if (!fm_slice_copy(cell, text, sizeof(text)) || sscanf(text + 8, " %2d:%2d", &hour, &minute) != 2)
        return false;
    int64_t seconds = day * DAY_S + hour * 3600 + minute * 60;
    if (LAYOUTS[file->layout].new_york && (hour > 0 || minute > 0))
        seconds += new_york_s(day, year);
    file->ts_ns = seconds * NS;
    return true;
}

static bool has_layout(fm_market_file *file, int layout)
{
    for (int i = 0; LAYOUTS[layout].name[i]; i++)
        if ((file->column[i] = fm_table_column(&file->table, LAYOUTS[layout].name[i])) < 0)
            return false;
    return true;
}

/* time_ms counts from midnight of the day at the end of the file's name: "..._20140501.csv.gz". */
static int find_day(fm_market_file *file, const char *path, fm_error *error)
{
    const char *from = strrchr(path, '_');
    int year;
    int64_t day;
    file->day_ns = -1;
    if (fm_table_column(&file->table, "time_ms") != 0)
        return 0;
    if (!from || !read_day(from + 1, strlen(from + 1), &year, &day))
        return fm_table_fail(&file->table, error,
                             "column \"time_ms\" wants a file name that ends in a day, as in \"x_20140501.csv\"");
    file->day_ns = (day * DAY_S + (LAYOUTS[file->layout].new_york ? new_york_s(day, year) : 0)) * NS;
    return 0;
}

int fm_market_file_open(fm_market_file *file, const char *path, fm_error *error)
{
    FM_TRY(fm_table_open(&file->table, path, error));
    while (!has_layout(file, file->layout))
        file->layout++;
    file->name = fm_table_column(&file->table, "name");
    file->series_count = 1;
    file->bid = file->ask = NAN;
    if (LAYOUTS[file->layout].kind == POINTS) {
        file->series_count = 0;
        for (int i = 1; i < file->table.column_count; i++) {
            if (i == file->name)
                continue;
            if (file->series_count == FM_MARKET_FILE_SERIES_MAX)
                return fm_table_fail(&file->table, error, "more than %d columns of prices", FM_MARKET_FILE_SERIES_MAX);
            file->series[file->series_count++] = i;
        }
        if (file->series_count == 0)
            return fm_table_fail(&file->table, error, "the header names no price beside the time");
    }
    return find_day(file, path, error);
}

void fm_market_file_fini(fm_market_file *file)
{
    fm_table_fini(&file->table);
}

static fm_market_record point_at(double price, double spread)
{
    return (fm_market_record){price, price, price, price, spread};
}

/* Sides of many venues: a middle only while both are there and fit each other. */
static fm_market_record read_sides(fm_market_file *file, const double *x)
{
    if (x[0] > 0.0)
        file->bid = x[0];
    if (x[1] > 0.0)
        file->ask = x[1];
    bool fit = file->ask >= 0.98 * file->bid && file->ask <= 1.1 * file->bid;
    return fit ? point_at(0.5 * (file->bid + file->ask), file->ask - file->bid) : point_at(NAN, NAN);
}

static int read_prices(fm_market_file *file, fm_error *error)
{
    const struct layout *layout = &LAYOUTS[file->layout];
    double x[FM_MARKET_FILE_SERIES_MAX] = {0};
    bool points = layout->kind == POINTS;
    for (int i = 0; points ? i < file->series_count : layout->name[i] != NULL; i++) {
        int column = points ? file->series[i] : file->column[i];
        fm_slice cell = file->table.cell[column];
        if (!fm_table_number(cell, &x[i]))
            return fm_table_fail(&file->table, error, "\"%.*s\" is not a price", (int)(cell.size < 64 ? cell.size : 64),
                                 cell.data);
        x[i] *= layout->unit;
        if (points)
            file->record[i] = point_at(x[i], NAN);
    }
    if (layout->kind == BARS)
        file->record[0] = (fm_market_record){x[0], x[1], x[2], x[3], NAN};
    else if (layout->kind == BID_BARS)
        file->record[0] = (fm_market_record){x[0], x[1], x[2], x[3], x[4] - x[3]};
    else if (layout->kind == QUOTES)
        file->record[0] = point_at(0.5 * (x[0] + x[1]), x[1] - x[0]);
    else if (layout->kind == SIDES)
        file->record[0] = read_sides(file, x);
    else if (layout->kind == TRADES)
        file->record[0] = point_at(x[0], NAN);
    return 0;
}

int fm_market_file_next(fm_market_file *file, fm_error *error)
{
    int result = fm_table_next(&file->table, error);
    if (result <= 0)
        return result;
    fm_slice cell = file->table.cell[0];
    if (!read_time(file, cell))
        return fm_table_fail(&file->table, error, "\"%.*s\" is not a time", (int)(cell.size < 64 ? cell.size : 64),
                             cell.data);
    file->instrument = file->name >= 0 ? file->table.cell[file->name] : (fm_slice){"", 0};
    FM_TRY(read_prices(file, error));
    return 1;
}
