/* tool/table.c - see the header. */
#include "tool/table.h"

#include "ingest/format/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

#define CHUNK (1u << 20)

int fm_table_fail(const fm_table *table, fm_error *error, const char *format, ...)
{
    char why[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    fm_fail(error, FM_ESYNTAX, "%s", why);
    if (error) {
        snprintf(error->file, sizeof(error->file), "%s", table->path);
        error->line = table->line;
    }
    return FM_ESYNTAX;
}

static int read_all(const char *path, fm_text *out, fm_error *error)
{
    gzFile file = gzopen(path, "rb");
    if (!file)
        return fm_fail_errno(error, FM_ENOTFOUND, "could not open \"%s\"", path);
    int result = 0, got, code;
    char *chunk = malloc(CHUNK);
    gzbuffer(file, CHUNK);
    while ((got = chunk ? gzread(file, chunk, CHUNK) : 0) > 0 && out->size <= FM_TABLE_BYTES_MAX)
        fm_text_add(out, chunk, (size_t)got);
    const char *why = gzerror(file, &code);
    if (!chunk)
        result = fm_fail(error, FM_ENOMEM, "could not read \"%s\": memory is full", path);
    else if (out->size > FM_TABLE_BYTES_MAX)
        result = fm_fail(error, FM_ELIMIT, "could not read \"%s\": it is larger than 1 GiB", path);
    else if (code == Z_ERRNO)
        result = fm_fail_errno(error, FM_EIO, "could not read \"%s\"", path);
    else if (code == Z_BUF_ERROR)
        result = fm_fail(error, FM_ESYNTAX, "could not read \"%s\": the gzip file is torn", path);
    else if (code != Z_OK && code != Z_STREAM_END)
        result = fm_fail(error, FM_ESYNTAX, "could not read \"%s\": %s", path, why);
    gzclose(file);
    free(chunk);
    return result;
}

/* The next line that is not empty, as cells; their number, 0 at the end. */
static int read_line(fm_table *table, fm_slice *cell, fm_error *error)
{
    const char *end = table->bytes.data + table->bytes.size, *from, *to;
    do {
        from = table->bytes.data + table->at;
        if (from == end)
            return 0;
        to = memchr(from, '\n', (size_t)(end - from));
        to = to ? to : end;
        table->at = (size_t)(to - table->bytes.data) + (to < end);
        table->line++;
        to -= to > from && to[-1] == '\r';
    } while (from == to);
    for (int count = 0;;) {
        if (count == FM_TABLE_CELLS_MAX)
            return fm_table_fail(table, error, "the line has more than %d cells", FM_TABLE_CELLS_MAX);
        bool quoted = from < to && *from == '"';
        const char *stop = memchr(from + quoted, quoted ? '"' : ',', (size_t)(to - from) - quoted);
        if (quoted && (!stop || (stop + 1 < to && stop[1] != ',')))
            return fm_table_fail(table, error, "a quote is not closed at the end of its cell");
        stop = stop ? stop : to;
        cell[count++] = (fm_slice){from + quoted, (size_t)(stop - from) - quoted};
        from = stop + quoted;
        if (from == to)
            return count;
        from++;
    }
}

int fm_table_open(fm_table *table, const char *path, fm_error *error)
{
    table->path = path;
    table->bytes = (fm_text){0};
    table->at = 0;
    table->line = 0;
    FM_TRY(read_all(path, &table->bytes, error));
    if (table->bytes.size >= 3 && memcmp(table->bytes.data, "\xef\xbb\xbf", 3) == 0)
        table->at = 3;
    int count = table->bytes.size > 0 ? read_line(table, table->name, error) : 0;
    FM_TRY(count);
    if (count == 0)
        return fm_table_fail(table, error, "the file is empty; a header line was expected");
    table->column_count = count;
    double number;
    bool header = false;
    for (int i = 0; i < count; i++)
        header = header || !fm_table_number(table->name[i], &number);
    return header ? 0 : fm_table_fail(table, error, "the first line names no column; a header line was expected");
}

void fm_table_fini(fm_table *table)
{
    fm_text_fini(&table->bytes);
}

int fm_table_next(fm_table *table, fm_error *error)
{
    int count = read_line(table, table->cell, error);
    if (count <= 0)
        return count;
    if (count != table->column_count)
        return fm_table_fail(table, error, "%d cells, but the header has %d", count, table->column_count);
    return 1;
}

static bool is(fm_slice cell, const char *word)
{
    return cell.size == strlen(word) && strncasecmp(cell.data, word, cell.size) == 0;
}

int fm_table_column(const fm_table *table, const char *name)
{
    for (int i = 0; i < table->column_count; i++)
        if (is(table->name[i], name))
            return i;
    return -1;
}

bool fm_table_number(fm_slice cell, double *out)
{
    static const char *const MISSING[] = {"", "nan", "na", "n/a", "null", "none"};
    char text[64], *end;
    while (cell.size > 0 && *cell.data == ' ')
        cell = (fm_slice){cell.data + 1, cell.size - 1};
    while (cell.size > 0 && cell.data[cell.size - 1] == ' ')
        cell.size--;
    for (size_t i = 0; i < sizeof(MISSING) / sizeof(MISSING[0]); i++)
        if (is(cell, MISSING[i])) {
            *out = NAN;
            return true;
        }
    if (!fm_slice_copy(cell, text, sizeof(text)) || strspn(text, "+-.0123456789eE") != cell.size)
        return false;
    double number = strtod(text, &end);
    if (end == text || *end != '\0')
        return false;
    *out = number;
    return true;
}

bool fm_table_time(fm_slice cell, int64_t *ts_ns)
{
    double number;
    if (fm_table_number(cell, &number)) {
        double size = fabs(number), unit = size < 1e11 ? 1e9 : size < 1e14 ? 1e6 : size < 1e17 ? 1e3 : 1.0;
        if (isnan(number) || size * unit > 9.2e18)
            return false;
        *ts_ns = size < 1e8 ? 0 : (int64_t)(number * unit);
        return true;
    }
    fm_file_time time;
    if (!fm_file_time_parse(cell, &time))
        return false;
    *ts_ns = time.utc_ns;
    return true;
}
