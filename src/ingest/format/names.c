/* ingest/format/names.c - what the name of a file tells: class_what_SYMBOL_…_YYYYMMDD, or SYMBOL_venue_1m_…. */
#include "ingest/format/format.h"

#include "ingest/decode/time.h"

#define PARTS_MAX 16
#define YEAR_MIN  1970
#define YEAR_MAX  2200

fm_slice fm_file_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return fm_slice_of(slash ? slash + 1 : path);
}

fm_slice fm_file_name_part(fm_slice name, uint32_t index)
{
    const char *at = name.data, *end = at + name.size;
    for (;; at++) {
        const char *begin = at;
        while (at < end && *at != '_' && *at != '.')
            at++;
        if (index-- == 0)
            return (fm_slice){begin, (size_t)(at - begin)};
        if (at == end)
            return (fm_slice){0};
    }
}

static bool is(fm_slice text, const char *word)
{
    return fm_slice_equal(text, fm_slice_of(word));
}

static bool read_day(fm_slice text, fm_file_day *out)
{
    bool dashed = text.size == 10 && text.data[4] == '-' && text.data[7] == '-';
    char digit[8];
    if (text.size != 8 && !dashed)
        return false;
    memcpy(digit, text.data, 4);
    memcpy(digit + 4, text.data + 4 + dashed, 2);
    memcpy(digit + 6, text.data + 6 + 2 * dashed, 2);
    int value = 0;
    for (int index = 0; index < 8; index++) {
        if (digit[index] < '0' || digit[index] > '9')
            return false;
        value = value * 10 + (digit[index] - '0');
    }
    *out = (fm_file_day){value / 10000, value / 100 % 100, value % 100};
    return out->year >= YEAR_MIN && out->year <= YEAR_MAX && out->day >= 1 &&
           out->day <= fm_days_in_month(out->year, out->month);
}

/* "1m", "15m", "1h", "1d", "1s": at most four digits and a unit. */
static int64_t interval_of(fm_slice text)
{
    static const struct {
        char letter;
        int64_t unit_s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    int64_t value = 0;
    if (text.size < 2 || text.size > 5)
        return 0;
    for (size_t index = 0; index + 1 < text.size; index++) {
        if (text.data[index] < '0' || text.data[index] > '9')
            return 0;
        value = value * 10 + (text.data[index] - '0');
    }
    for (size_t index = 0; index < sizeof units / sizeof *units; index++)
        if (units[index].letter == text.data[text.size - 1])
            return value * units[index].unit_s * FM_NS_PER_S;
    return 0;
}

/* BTCUSDT-1m-2025-01: what stands before the interval; *interval_ns is it. Without one all of it. */
static fm_slice before_interval(fm_slice part, int64_t *interval_ns)
{
    const char *end = part.data + part.size;
    *interval_ns = 0;
    for (const char *dash = part.data; (dash = memchr(dash, '-', (size_t)(end - dash))) != NULL; dash++) {
        const char *next = memchr(dash + 1, '-', (size_t)(end - dash - 1));
        *interval_ns = interval_of((fm_slice){dash + 1, (size_t)((next ? next : end) - dash - 1)});
        if (*interval_ns > 0)
            return (fm_slice){part.data, (size_t)(dash - part.data)};
    }
    return part;
}

/* The symbol that the name tells, and whether it is an index. */
static fm_slice symbol_of(const fm_file_format *format, fm_slice name, bool *index)
{
    int64_t interval_ns;
    fm_slice first = before_interval(fm_file_name_part(name, 0), &interval_ns);
    *index = false;
    if (format->symbol_part != FM_FILE_ANY_PART)
        return fm_file_name_part(name, format->symbol_part);
    if (is(first, "LOBSTER"))
        return fm_file_name_part(name, 1);
    if (is(first, "eq") || is(first, "fx") || is(first, "cfd") || is(first, "crypto"))
        return fm_file_name_part(name, 2);
    *index = is(first, "IDX") && fm_file_name_part(name, 1).size > 0;
    return *index ? fm_file_name_part(name, 1) : first;
}

static bool take_symbol(fm_file_reader *reader, fm_slice name, const char *symbol)
{
    bool index = false;
    fm_slice part = symbol ? fm_slice_of(symbol) : symbol_of(reader->format, name, &index);
    reader->symbol[0] = '^';
    return fm_name_valid(part.data, part.size, 0x21) &&
           fm_slice_copy(part, reader->symbol + index, sizeof reader->symbol - index);
}

static bool take_day(fm_file_reader *reader, fm_slice name, const char *date)
{
    if (date)
        return read_day(fm_slice_of(date), &reader->day);
    for (uint32_t index = 0; index < PARTS_MAX; index++)
        if (read_day(fm_file_name_part(name, index), &reader->day))
            return true;
    return false;
}

int fm_file_read_name(fm_file_reader *reader, const char *path, const char *symbol, const char *date, fm_error *error)
{
    fm_slice name = fm_file_base_name(path);
    (void)before_interval(fm_file_name_part(name, 0), &reader->interval_ns);
    for (uint32_t index = 0; index < PARTS_MAX && reader->interval_ns == 0; index++)
        reader->interval_ns = interval_of(fm_file_name_part(name, index));
    if ((reader->needs & FM_FILE_SYMBOL) && !take_symbol(reader, name, symbol))
        fm_fail(error, FM_EINVAL, "could not tell the symbol of file \"%s\"", path);
    else if ((reader->needs & FM_FILE_DAY) && !take_day(reader, name, date))
        fm_fail(error, FM_EINVAL, "could not tell the date of file \"%s\"", path);
    else
        return 0;
    if (error)
        fm_slice_copy(FM_SLICE("name it like eq_trades_BAC_20131008.csv.gz, or give symbol and date (YYYYMMDD)"),
                      error->hint, sizeof error->hint);
    return FM_EINVAL;
}
