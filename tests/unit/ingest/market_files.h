/* tests/unit/ingest/market_files.h - files of market data made for a test, and their records as text. */
#ifndef FM_TESTS_INGEST_MARKET_FILES_H
#define FM_TESTS_INGEST_MARKET_FILES_H

#include "records.h"

#include "ingest/file_format.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/fmads-file-format-XXXXXX";
static char path[512];

static inline const char *write_file(const char *name, const char *content, size_t size, bool zipped)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (zipped) {
        gzFile file = gzopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(gzwrite(file, content, (unsigned)size), (int)size);
        assert_int_equal(gzclose(file), Z_OK);
    } else {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(content, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
    }
    return path;
}

/* All records as text, a line each. */
static inline void read_rows(line *out, const char *file, const char *format, const char *symbol, const char *date)
{
    fm_file_reader *reader;
    fm_error error;
    fm_record record;
    int result;
    out->used = 0;
    out->text[0] = 0;
    result = fm_file_reader_open(file, format, symbol, date, &reader, &error);
    if (result < 0) {
        line_add(out, "%s: %s", fm_error_name(result),
                 strstr(error.message, ": ") ? strstr(error.message, ": ") + 2 : error.message);
        return;
    }
    while ((result = fm_file_reader_next(reader, &record, &error)) != 0) {
        if (result > 0)
            line_record(out, &record);
        else
            line_add(out, "%s line %d", fm_error_name(result), error.line);
        line_add(out, "\n");
    }
    assert_int_equal(fm_file_reader_next(reader, &record, &error), 0);
    fm_file_reader_close(reader);
}

/* `format` must be what the file is told to be. */
static inline void assert_format_rows(const char *name, const char *format, const char *content, const char *expected)
{
    for (int zipped = 0; zipped < 2; zipped++) {
        line out;
        fm_file_reader *reader;
        fm_error error;
        read_rows(&out, write_file(name, content, strlen(content), zipped), NULL, NULL, NULL);
        assert_string_equal(out.text, expected);
        assert_int_equal(fm_file_reader_open(path, NULL, NULL, NULL, &reader, &error), 0);
        assert_string_equal(fm_file_reader_format(reader), format);
        fm_file_reader_close(reader);
        unlink(path);
    }
}

static inline int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **unused)
{
    (void)unused;
    return rmdir(folder);
}

#endif
