/* ingest/format/reader.c - a market data file, record by record. */
#include "ingest/format/format.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The columns stay when the window goes on. A first line that is longer, or has more of them, names none. */
static void take_columns(fm_file_reader *reader)
{
    if (reader->line.size > sizeof reader->header)
        return;
    memcpy(reader->header, reader->line.data, reader->line.size);
    reader->column_count = fm_file_cut((fm_slice){reader->header, reader->line.size}, reader->column);
    if (reader->column_count > FM_FILE_CELLS)
        reader->column_count = 0;
}

/* Reads the first line, and by it the format. */
static int read_first_line(fm_file_reader *reader, const char *path, const char *format, const char *symbol,
                           const char *date, fm_error *error)
{
    fm_slice row;
    fm_file_fill(reader);
    int result = fm_file_next_row(reader, &row);
    if (result == 0 && reader->broken != 0)
        return fm_fail(error, reader->broken, "could not read file \"%s\": it is damaged", path);
    if (result <= 0)
        return fm_fail(error, FM_EINVAL, "could not read file \"%s\": %s", path,
                       result == 0 ? "it is empty" : "its first line has no end");
    reader->line = fm_file_trimmed(row);
    if (reader->line.size >= 3 && memcmp(reader->line.data, "\xef\xbb\xbf", 3) == 0)
        reader->line = (fm_slice){reader->line.data + 3, reader->line.size - 3};
    take_columns(reader);
    FM_TRY(fm_file_choose(reader, path, format, error));
    fm_decoder_init(&reader->decoder, FM_FORMAT_CSV, row.data, row.size, &fm_decode_limits_preset);
    if (!reader->format->row) {
        result = fm_csv_header(&reader->decoder);
        return result < 0
                   ? fm_fail(error, result, "could not read file \"%s\": %s", path, reader->decoder.error.message)
                   : 0;
    }
    if (!(reader->needs & FM_FILE_LINES) && reader->column_count == 0)
        return fm_fail(error, FM_ELIMIT, "could not read file \"%s\": its header has more than %d columns or %d bytes",
                       path, FM_FILE_CELLS, FM_FILE_HEADER);
    if (reader->needs & FM_FILE_HEADLESS)
        reader->at = 0;
    if (reader->format->begin)
        FM_TRY(reader->format->begin(reader, error));
    return fm_file_read_name(reader, path, symbol, date, error);
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
    result = read_first_line(reader, path, format, symbol, date, error);
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

const char *fm_file_reader_format(const fm_file_reader *reader)
{
    return reader->format->name;
}

const fm_file_counts *fm_file_reader_counts(const fm_file_reader *reader)
{
    return &reader->counts;
}

uint64_t fm_file_reader_refused(const fm_file_reader *reader, int code)
{
    int index = fm_error_index(code);
    return index < 0 ? 0 : reader->refused[index];
}

uint64_t fm_file_reader_row(const fm_file_reader *reader)
{
    return reader->row;
}

int64_t fm_file_reader_named_ns(const fm_file_reader *reader)
{
    return reader->named_ns;
}

bool fm_file_reader_more(const fm_file_reader *reader)
{
    return reader->part + 1 < reader->parts;
}

void fm_file_reader_take_old(fm_file_reader *reader)
{
    reader->decoder.limits.ts_min_ns = 0;
}

bool fm_file_reader_names_symbols(const fm_file_reader *reader)
{
    return !(reader->needs & FM_FILE_SYMBOL) && reader->series_count == 0;
}

fm_slice fm_file_reader_series(const fm_file_reader *reader, uint32_t index)
{
    return index < reader->series_count ? reader->column[1 + index] : (fm_slice){0};
}

static int read_own(fm_file_reader *reader, fm_record *record)
{
    fm_decoder *decoder = &reader->decoder;
    fm_decoder_window(decoder, reader->line.data, reader->line.data + reader->line.size);
    return fm_csv_next(decoder, record);
}

static int read_part(fm_file_reader *reader, fm_record *record)
{
    if (!reader->whole)
        return fm_decoder_refuse(&reader->decoder, FM_column_count, FM_FIELD_NONE, reader->line, NULL,
                                 "the row has more or fewer columns than the header, or a quote that is not closed");
    fm_draft draft;
    fm_draft_init(&draft, record, &reader->decoder.limits);
    if (reader->needs & FM_FILE_SYMBOL) {
        (void)fm_draft_key(&draft, FM_FIELD_SYMBOL);
        record->symbol = fm_slice_of(reader->symbol);
    }
    reader->format->row(&draft, reader);
    if (reader->parts == 0)
        return 0;
    int result = fm_draft_finish(&draft);
    return result > 0 ? result : fm_decoder_refuse_draft(&reader->decoder, &draft, reader->line);
}

static int refuse(fm_file_reader *reader, int code, const char *reason, fm_error *error)
{
    bool headless = reader->needs & FM_FILE_HEADLESS;
    int index = fm_error_index(code);
    FM_ASSERT(index >= 0 && index < FM_FILE_REASONS);
    reader->refused[index]++;
    reader->counts.refused++;
    fm_fail(error, code, "row %llu: %s", (unsigned long long)reader->row, reason);
    if (error) {
        error->line = reader->row < INT32_MAX ? (int)reader->row + !headless : 0;
        fm_slice_copy(fm_slice_of(reader->path), error->file, sizeof error->file);
    }
    return code;
}

/* The next row that is not empty, into `line` and `cell`. */
static int read_line(fm_file_reader *reader)
{
    fm_slice row;
    int found;
    do {
        if (reader->needs & FM_FILE_AHEAD)
            fm_file_hold_ahead(reader);
        found = fm_file_next_row(reader, &row);
        if (found == 0)
            return 0;
    } while (found > 0 && fm_file_trimmed(row).size == 0);
    reader->row++;
    reader->counts.rows++;
    reader->part = 0;
    reader->parts = 1;
    reader->named_ns = FM_ABSENT;
    reader->whole = true;
    if (found > 0 && reader->format->row) {
        reader->line = fm_file_trimmed(row);
        if (!(reader->needs & FM_FILE_LINES))
            reader->whole = fm_file_cut(reader->line, reader->cell) == reader->column_count;
    } else {
        reader->line = row;
    }
    return found;
}

int fm_file_reader_next(fm_file_reader *reader, fm_record *record, fm_error *error)
{
    int result = 0;
    while (result == 0) {
        if (fm_file_reader_more(reader)) {
            reader->part++;
        } else {
            int found = read_line(reader);
            if (found == 0) {
                int broken = reader->broken;
                reader->broken = 0;
                return broken == 0 ? 0 : refuse(reader, broken, "the file is damaged or cut off behind it", error);
            }
            if (found < 0) {
                reader->counts.records++;
                return refuse(reader, found, "the row is longer than 256 KiB", error);
            }
        }
        reader->decoder.scratch_used = 0;
        result = reader->format->row ? read_part(reader, record) : read_own(reader, record);
        reader->counts.silent += result == 0;
    }
    reader->counts.records++;
    if (result < 0)
        return refuse(reader, result, reader->decoder.error.message, error);
    if (reader->named_ns == FM_ABSENT)
        reader->named_ns = record->ts_ns;
    record->row = reader->counts.records;
    record->source = (fm_slice){0};
    return result;
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
