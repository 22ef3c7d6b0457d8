/* ingest/format/reader.c - a market data file, gzip or plain, row by row through a window of fixed size. */
#include "ingest/format/format.h"

#include "ingest/decode/time.h"

#include <stdlib.h>
#include <sys/stat.h>

/* Moves what is left to the front and fills the rest of the window. */
static void fill(fm_file_reader *reader)
{
    memmove(reader->window, reader->window + reader->at, reader->used - reader->at);
    reader->used -= reader->at;
    reader->at = 0;
    while (!reader->ended && reader->used < FM_FILE_WINDOW) {
        int count = gzread(reader->file, reader->window + reader->used, (unsigned)(FM_FILE_WINDOW - reader->used));
        if (count <= 0) {
            int status;
            gzerror(reader->file, &status);
            reader->ended = true;
            reader->broken = status == Z_OK || status == Z_STREAM_END ? 0 : status == Z_ERRNO ? FM_EIO : FM_encoding;
            return;
        }
        reader->used += (size_t)count;
    }
}

/* Where the row at `at` ends, within what the window holds; NULL when its end is not there. */
static const char *row_end(const fm_file_reader *reader, const char *at)
{
    const char *end = reader->window + reader->used;
    if (reader->shape && reader->shape->row) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        return line ? line + 1 : reader->ended ? end : NULL;
    }
    const char *next = fm_csv_row_end(at, end);
    if (!next) /* an open quote: at the file's end the row is refused */
        return reader->ended ? end : NULL;
    return next < end || reader->ended || next[-1] == '\n' ? next : NULL;
}

static fm_slice trimmed(const char *begin, const char *end)
{
    while (end > begin && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    return (fm_slice){begin, (size_t)(end - begin)};
}

/* The next row with its line end. 1, 0 at the end, or FM_key_too_long when it does not fit in the window (it is passed
 * over). */
static int next_row(fm_file_reader *reader, fm_slice *out)
{
    for (;;) {
        const char *begin = reader->window + reader->at;
        const char *next = reader->at < reader->used ? row_end(reader, begin) : NULL;
        if (next) {
            reader->at = (size_t)(next - reader->window);
            *out = (fm_slice){begin, (size_t)(next - begin)};
            return 1;
        }
        if (reader->ended)
            return 0;
        if (reader->used - reader->at == FM_FILE_WINDOW)
            break;
        fill(reader);
    }
    *out = (fm_slice){0};
    for (;;) {
        const char *line = memchr(reader->window + reader->at, '\n', reader->used - reader->at);
        reader->at = line ? (size_t)(line + 1 - reader->window) : reader->used;
        if (line || reader->ended)
            return FM_key_too_long;
        fill(reader);
    }
}

static fm_slice base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return fm_slice_of(slash ? slash + 1 : path);
}

/* The part of a name between '_' and '.', from 0; empty when there are fewer. */
static fm_slice name_part(fm_slice name, int index)
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

static bool read_day(fm_slice text, fm_file_day *out)
{
    if (text.size != 8)
        return false;
    int value = 0;
    for (int index = 0; index < 8; index++) {
        if (text.data[index] < '0' || text.data[index] > '9')
            return false;
        value = value * 10 + (text.data[index] - '0');
    }
    *out = (fm_file_day){value / 10000, value / 100 % 100, value % 100};
    return out->day >= 1 && out->day <= fm_days_in_month(out->year, out->month);
}

/* Symbol and day, given or from the name: class_what_SYMBOL_…_YYYYMMDD. */
static int read_name(fm_file_reader *reader, const char *path, const char *symbol, const char *date, fm_error *error)
{
    fm_slice name = base_name(path), part = symbol ? fm_slice_of(symbol) : name_part(name, 2);
    bool has_day = date && read_day(fm_slice_of(date), &reader->day);
    for (int index = 0; !date && !has_day && index < 16; index++)
        has_day = read_day(name_part(name, index), &reader->day);
    if (!fm_name_valid(part.data, part.size, 0x21) || !fm_slice_copy(part, reader->symbol, sizeof reader->symbol)) {
        fm_fail(error, FM_EINVAL, "could not tell the symbol of file \"%s\"", path);
    } else if (!has_day) {
        fm_fail(error, FM_EINVAL, "could not tell the date of file \"%s\"", path);
    } else if (reader->day.year < reader->shape->first_year) {
        return fm_fail(error, FM_EINVAL, "could not read file \"%s\": the daylight rule of %d is not known", path,
                       reader->day.year);
    } else {
        return 0;
    }
    if (error)
        fm_slice_copy(FM_SLICE("name it like eq_trades_BAC_20131008.csv.gz, or give symbol and date (YYYYMMDD)"),
                      error->hint, sizeof error->hint);
    return FM_EINVAL;
}

/* Columns of the header, for a file of our own. */
static bool is_own(fm_slice header)
{
    const char *at = header.data, *end = at + header.size;
    while (at < end) {
        size_t size = fm_scan_cell(at, end);
        fm_field field = fm_field_of(at, size);
        if (field == FM_FIELD_TYPE || field == FM_FIELD_SYMBOL)
            return true;
        at += size + 1;
    }
    return false;
}

static int choose_format(fm_file_reader *reader, const char *path, const char *name, fm_slice header, fm_error *error)
{
    for (int index = 0; fm_file_formats[index].name; index++) {
        const fm_file_format *format = &fm_file_formats[index];
        bool fits = *format->header ? fm_slice_equal(header, fm_slice_of(format->header)) : is_own(header);
        if (name ? strcmp(name, format->name) != 0 : !fits)
            continue;
        if (!fits)
            return fm_fail(error, FM_EINVAL, "could not read file \"%s\" as %s: its header is \"%.*s\"", path, name,
                           (int)(header.size < 120 ? header.size : 120), header.data);
        reader->format = format;
        reader->shape = &fm_file_shapes[index];
        return 0;
    }
    if (name)
        fm_fail(error, FM_EINVAL, "could not read file \"%s\": no format is called \"%s\"", path, name);
    else
        fm_fail(error, FM_EINVAL, "could not tell the format of file \"%s\": its header is \"%.*s\"", path,
                (int)(header.size < 120 ? header.size : 120), header.data);
    if (error)
        fm_slice_copy(FM_SLICE("formats are oanda-tick, lean-trade, lean-quote and fmads-csv"), error->hint,
                      sizeof error->hint);
    return FM_EINVAL;
}

/* Reads the header, and by it the format. */
static int read_header(fm_file_reader *reader, const char *path, const char *format, const char *symbol,
                       const char *date, fm_error *error)
{
    fm_slice row;
    fill(reader);
    int result = next_row(reader, &row);
    if (result == 0 && reader->broken != 0)
        return fm_fail(error, reader->broken, "could not read file \"%s\": it is damaged", path);
    if (result <= 0)
        return fm_fail(error, FM_EINVAL, "could not read file \"%s\": %s", path,
                       result == 0 ? "it is empty" : "its first line has no end");
    fm_slice header = trimmed(row.data, row.data + row.size);
    if (header.size >= 3 && memcmp(header.data, "\xef\xbb\xbf", 3) == 0)
        header = (fm_slice){header.data + 3, header.size - 3};
    FM_TRY(choose_format(reader, path, format, header, error));
    fm_decoder_init(&reader->decoder, FM_FORMAT_CSV, row.data, row.size, &fm_decode_limits_preset);
    if (reader->shape->row)
        return read_name(reader, path, symbol, date, error);
    result = fm_csv_header(&reader->decoder);
    if (result < 0)
        return fm_fail(error, result, "could not read file \"%s\": %s", path, reader->decoder.error.message);
    return 0;
}

int fm_file_reader_open(const char *path, const char *format, const char *symbol, const char *date,
                        fm_file_reader **out, fm_error *error)
{
    fm_file_reader *reader = calloc(1, sizeof *reader);
    char *window = malloc(FM_FILE_WINDOW);
    int result = FM_ENOMEM;
    struct stat status;
    if (!reader || !window) {
        fm_fail(error, result, "could not open file \"%s\": out of memory", path);
        goto out;
    }
    size_t length = strlen(path), shown = sizeof reader->path - 1;
    memcpy(reader->path, length > shown ? path + length - shown : path, length > shown ? shown : length);
    result = stat(path, &status) < 0 ? FM_ENOTFOUND : !S_ISREG(status.st_mode) ? FM_EINVAL : 0;
    reader->file = result == 0 ? gzopen(path, "rb") : NULL;
    if (!reader->file) {
        result = result == FM_EINVAL
                     ? fm_fail(error, result, "could not open file \"%s\": it is not a regular file", path)
                     : fm_fail_errno(error, FM_ENOTFOUND, "could not open file \"%s\"", path);
        goto out;
    }
    reader->size = (uint64_t)status.st_size;
    reader->window = window;
    result = read_header(reader, path, format, symbol, date, error);
    if (result == 0) {
        *out = reader;
        return 0;
    }
out:
    if (reader && reader->file)
        gzclose(reader->file);
    free(window);
    free(reader);
    return result;
}

void fm_file_reader_close(fm_file_reader *reader)
{
    if (!reader)
        return;
    gzclose(reader->file);
    free(reader->window);
    free(reader);
}

const fm_file_format *fm_file_reader_format(const fm_file_reader *reader)
{
    return reader->format;
}

static int read_own(fm_file_reader *reader, fm_slice row, fm_record *record)
{
    fm_decoder *decoder = &reader->decoder;
    fm_decoder_window(decoder, row.data, row.data + row.size);
    return fm_csv_next(decoder, record);
}

static int read_other(fm_file_reader *reader, fm_slice row, fm_record *record)
{
    fm_slice line = trimmed(row.data, row.data + row.size), cell[FM_FILE_CELLS];
    const char *at = line.data, *end = line.data + line.size;
    uint32_t count = 0;
    for (;;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (count < FM_FILE_CELLS)
            cell[count] = (fm_slice){at, (size_t)((comma ? comma : end) - at)};
        count++;
        if (!comma)
            break;
        at = comma + 1;
    }
    if (count != reader->shape->cells)
        return fm_decoder_refuse(&reader->decoder, FM_column_count, FM_FIELD_NONE, line, NULL,
                                 "the row has more or fewer columns than the header");
    fm_draft draft;
    fm_draft_init(&draft, record, &reader->decoder.limits);
    (void)fm_draft_key(&draft, FM_FIELD_SYMBOL);
    record->symbol = fm_slice_of(reader->symbol);
    reader->shape->row(&draft, cell, &reader->day);
    int result = fm_draft_finish(&draft);
    return result > 0 ? result : fm_decoder_refuse_draft(&reader->decoder, &draft, line);
}

static int refuse(const fm_file_reader *reader, int code, const char *reason, fm_error *error)
{
    fm_fail(error, code, "row %llu: %s", (unsigned long long)reader->row, reason);
    if (error) {
        error->line = reader->row < INT32_MAX ? (int)reader->row + 1 : 0;
        fm_slice_copy(fm_slice_of(reader->path), error->file, sizeof error->file);
    }
    return code;
}

int fm_file_reader_next(fm_file_reader *reader, fm_record *record, fm_error *error)
{
    for (;;) {
        fm_slice row;
        int found = next_row(reader, &row);
        if (found == 0) {
            int broken = reader->broken;
            reader->broken = 0;
            return broken == 0 ? 0 : refuse(reader, broken, "the file is damaged or cut off behind it", error);
        }
        if (found > 0 && trimmed(row.data, row.data + row.size).size == 0)
            continue;
        reader->row++;
        if (found < 0)
            return refuse(reader, found, "the row is longer than 256 KiB", error);
        reader->decoder.scratch_used = 0;
        int result = reader->shape->row ? read_other(reader, row, record) : read_own(reader, row, record);
        if (result < 0)
            return refuse(reader, result, reader->decoder.error.message, error);
        record->row = reader->row;
        record->source = (fm_slice){0};
        return result;
    }
}

uint64_t fm_file_reader_bytes(const fm_file_reader *reader)
{
    z_off_t offset = gzoffset(reader->file);
    return offset < 0 ? 0 : (uint64_t)offset;
}

uint64_t fm_file_reader_size(const fm_file_reader *reader)
{
    return reader->size;
}
