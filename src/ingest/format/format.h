/* ingest/format/format.h - what a file format is: one fm_file_format in the file of its family, and a line in
 * formats.def.
 *
 * The format of a file is the first one of formats.def whose header pattern matches the file's first line and whose
 * `fits`, if it has one, agrees. Its `row` makes a record of a line, cell by cell with what cells.h offers; whatever is
 * wrong is left in the draft and refuses that record alone. A row of several records says how many in reader->parts
 * when part 0 is asked for, and is called once for each; one that holds none sets 0. What a format keeps from row to
 * row stands in reader->memory, zeros at first; it allocates nothing. */
#ifndef FM_INGEST_FORMAT_FORMAT_H
#define FM_INGEST_FORMAT_FORMAT_H

#include "ingest/decode/machine.h"
#include "ingest/file_format.h"

#include <stdalign.h>
#include <zlib.h>

#define FM_FILE_WINDOW     (256 * 1024) /* bytes of the file, inflated, that are held at once; a row must fit */
#define FM_FILE_CELLS      256
#define FM_FILE_HEADER     4096
#define FM_FILE_MEMORY     512
#define FM_FILE_REASONS    256
#define FM_FILE_DAY_MS_MAX 90000000 /* of the day of 25 hours */

typedef struct fm_file_format fm_file_format;
typedef void fm_file_row(fm_draft *draft, fm_file_reader *reader);
typedef bool fm_file_fits(const fm_file_reader *reader, fm_slice name);
typedef int fm_file_begin(fm_file_reader *reader, fm_error *error);

enum {                       /* what a format needs or does */
       FM_FILE_SYMBOL = 1,   /* the symbol stands in the file's name, or is given */
       FM_FILE_DAY = 2,      /* and so the day */
       FM_FILE_HEADLESS = 4, /* the first line is a row */
       FM_FILE_LINES = 8,    /* rows are not cut at commas: `line` is all there is */
       FM_FILE_AHEAD = 16,   /* the row behind is looked at: fm_file_ahead */
};

struct fm_file_format {
    const char *name;   /* for --format */
    const char *header; /* the first line, as fm_glob takes it */
    uint32_t needs;
    uint32_t symbol_part; /* of the name, parted at '_' and '.', from 0; FM_FILE_ANY_PART */
    fm_file_fits *fits;   /* with the first line in `line` and `column`, and the file's name; or NULL */
    fm_file_begin *begin; /* before the name is read; or NULL */
    fm_file_row *row;     /* NULL: our own columns, read by the decoder of CSV */
    const void *layout;   /* what the formats of a family differ in */
};

/* The third part where the first is a class (eq, fx, cfd, crypto), else the first up to an interval
 * (BTCUSDT-1m-2025-01); LOBSTER_AAPL is AAPL, IDX_GSPC is ^GSPC. */
#define FM_FILE_ANY_PART UINT32_MAX

typedef struct fm_file_day {
    int year, month, day; /* 0 when the format needs none */
} fm_file_day;

struct fm_file_reader {
    /* Of the file. */
    const fm_file_format *format;
    uint32_t needs; /* the format's; `begin` may add and take */
    fm_file_day day;
    char symbol[FM_SYMBOL_MAX + 1];
    int64_t interval_ns;   /* that its name tells: "1m", "1h", "1d", "1s"; 0 = none */
    uint32_t series_count; /* columns from the second on that each are a symbol; `begin` sets it */
    uint32_t column_count; /* that every row must have */
    fm_slice column[FM_FILE_CELLS];
    alignas(8) char memory[FM_FILE_MEMORY]; /* the format's own */
    /* Of the row read last. */
    uint64_t row; /* from 1 */
    fm_slice line, cell[FM_FILE_CELLS];
    uint32_t part, parts; /* the record asked for, from 0, of so many */
    int64_t named_ns;     /* the time that names the row, when it is not the record's; FM_ABSENT before each row */
    /* What follows is the reader's affair. */
    fm_file_counts counts;
    uint64_t refused[FM_FILE_REASONS]; /* by fm_error_index */
    gzFile file;
    uint64_t size;      /* of the file */
    char path[256];     /* its end, for messages */
    fm_decoder decoder; /* fmads-csv; and its messages for all */
    char *window;
    size_t at, used; /* bytes of the window that are done, and that are filled */
    bool ended;      /* no more bytes come */
    bool whole;      /* the row in `line` was cut as it should */
    bool spaced;     /* interval_ns is settled */
    int broken;      /* why reading ended early; 0 = it did not */
    char header[FM_FILE_HEADER];
};

extern const fm_file_format *const fm_file_formats[]; /* ends with NULL */

/* formats.c: the format of the first line in reader->line, or the one called `name`. */
int fm_file_choose(fm_file_reader *reader, const char *path, const char *name, fm_error *error) FM_CHECKED;

/* names.c: symbol and day as given or as the file's name tells, and the interval. */
int fm_file_read_name(fm_file_reader *reader, const char *path, const char *symbol, const char *date,
                      fm_error *error) FM_CHECKED;
fm_slice fm_file_base_name(const char *path);
fm_slice fm_file_name_part(fm_slice name, uint32_t index); /* empty when there are fewer */

/* lines.c: rows through the window. 1: the next row with its line end; 0 at the end; FM_key_too_long when it does not
 * fit in the window (it is passed over). */
void fm_file_fill(fm_file_reader *reader);
int fm_file_next_row(fm_file_reader *reader, fm_slice *row) FM_CHECKED;
fm_slice fm_file_trimmed(fm_slice row); /* without its line end */

/* Before a row is read: it and the one behind it stand in the window, as far as the file has them. */
void fm_file_hold_ahead(fm_file_reader *reader);
fm_slice fm_file_ahead(const fm_file_reader *reader); /* the row behind the one read last; empty = there is none */

/* The column of that name, letter case aside; -1 = there is none. */
int fm_file_column(const fm_file_reader *reader, const char *name);

/* The cells of a line, which may stand in double quotes; their number, or 0 when a quote is not closed at the end of
 * its cell. Only FM_FILE_CELLS of them are kept. */
uint32_t fm_file_cut(fm_slice line, fm_slice *cell);

#endif
