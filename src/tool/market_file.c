/* tool/market_file.c - see the header. */
#include "tool/market_file.h"

#include <math.h>

#define ANY_SYMBOL "-" /* which one it is does not count */

int fm_market_file_open(fm_market_file *file, const char *path, fm_error *error)
{
    *file = (fm_market_file){.bid = NAN, .ask = NAN, .series_count = 1};
    FM_TRY(fm_file_reader_open(path, NULL, ANY_SYMBOL, NULL, &file->reader, error));
    fm_file_reader_take_old(file->reader);
    file->named = fm_file_reader_names_symbols(file->reader);
    for (int index = 0; fm_file_reader_series(file->reader, (uint32_t)index).size > 0; index++) {
        if (index == FM_MARKET_FILE_SERIES_MAX)
            return fm_fail(error, FM_ELIMIT, "\"%s\" has more than %d columns of prices", path,
                           FM_MARKET_FILE_SERIES_MAX);
        file->series_count = index + 1;
    }
    return 0;
}

void fm_market_file_fini(fm_market_file *file)
{
    fm_file_reader_close(file->reader);
}

static fm_market_record point_at(double price, double spread)
{
    return (fm_market_record){price, price, price, price, spread};
}

static double number_at(const fm_record *record, int index)
{
    return fm_decimal(record->number[index].mantissa, record->number[index].scale);
}

/* Sides of many venues: a middle only while both are there and fit each other. */
static fm_market_record quote_of(fm_market_file *file, const fm_record *record)
{
    double bid = number_at(record, 0), ask = number_at(record, 2);
    file->bid = isnan(bid) ? file->bid : bid;
    file->ask = isnan(ask) ? file->ask : ask;
    bool fit = file->ask >= 0.98 * file->bid && file->ask <= 1.1 * file->bid;
    return fit ? point_at(0.5 * (file->bid + file->ask), file->ask - file->bid) : point_at(NAN, NAN);
}

/* Of a bar behind the quote of its row the spread stays. */
static void take_record(fm_market_file *file, const fm_record *record)
{
    fm_market_record *into = &file->record[0];
    int series = 0;
    switch (record->kind) {
    case FM_BAR:
        *into = (fm_market_record){number_at(record, 0), number_at(record, 1), number_at(record, 2),
                                   number_at(record, 3), into->spread};
        return;
    case FM_QUOTE:
        *into = quote_of(file, record);
        return;
    case FM_TRADE:
        *into = point_at(number_at(record, 0), NAN);
        return;
    case FM_VALUE:
        while (series + 1 < file->series_count &&
               !fm_slice_equal(fm_file_reader_series(file->reader, (uint32_t)series), record->symbol))
            series++;
        file->record[series] = point_at(record->value, NAN);
        return;
    default:
        return;
    }
}

static bool has_price(const fm_market_file *file)
{
    for (int i = 0; i < file->series_count; i++)
        if (!isnan(file->record[i].close))
            return true;
    return false;
}

int fm_market_file_next(fm_market_file *file, fm_error *error)
{
    fm_record record;
    fm_error why = {0};
    for (int i = 0; i < file->series_count; i++)
        file->record[i] = point_at(NAN, NAN);
    for (;;) {
        int result = fm_file_reader_next(file->reader, &record, &why);
        if (result > 0) {
            take_record(file, &record);
            file->ts_ns = fm_file_reader_named_ns(file->reader);
            file->instrument = file->named ? record.symbol : FM_SLICE("");
        } else if (result == FM_EIO || result == FM_ECORRUPT || result == FM_encoding) {
            *error = why;
            return result;
        } else if (result < 0) {
            file->first = file->refused++ == 0 ? why : file->first;
        } else if (file->refused > 0 && file->refused == fm_file_reader_counts(file->reader)->records) {
            *error = file->first;
            return error->code;
        } else {
            return 0;
        }
        if (has_price(file) && !fm_file_reader_more(file->reader))
            return 1;
    }
}
