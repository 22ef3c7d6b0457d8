/* ingest/file_format.h - market data files on disk to records, for `fmads replay` and `fmads eval`: gzip or plain, row
 * by row through a window of fixed size.
 *
 * The format is told from the file's first line (docs/records.md has the table, ingest/format/formats.def the list),
 * the symbol and the day from the file's name, where they do not stand in its rows. */
#ifndef FM_INGEST_FILE_FORMAT_H
#define FM_INGEST_FILE_FORMAT_H

#include "base/error.h"
#include "ingest/decode.h"

#include <stdint.h>

typedef struct fm_file_reader fm_file_reader;

typedef struct fm_file_counts { /* of what was read so far */
    uint64_t rows;              /* lines with something in them, but for the header */
    uint64_t silent;            /* of them, rows that hold no record in their format */
    uint64_t records;           /* good and refused; a row may hold several */
    uint64_t refused;           /* of them; and the end of a damaged file */
    uint64_t actions;           /* rows that name a dividend or a split, which no record tells yet */
} fm_file_counts;

const char *fm_file_format_name(uint32_t index); /* for --format; NULL behind the last */

/* `format` NULL = told from the first line. `symbol` and `date` (YYYYMMDD) NULL = from the file's name; where rows name
 * their symbol or day, those stand. */
int fm_file_reader_open(const char *path, const char *format, const char *symbol, const char *date,
                        fm_file_reader **out, fm_error *error) FM_CHECKED;
void fm_file_reader_close(fm_file_reader *reader);
const char *fm_file_reader_format(const fm_file_reader *reader); /* its name */

/* Times from 1970 on are taken; without it from 1990 on, as a server takes them. */
void fm_file_reader_take_old(fm_file_reader *reader);

/* Rows name their symbols: several instruments in one file. */
bool fm_file_reader_names_symbols(const fm_file_reader *reader);

/* Of values in several columns the symbol of each, in their order; nothing behind the last, and of other files. */
fm_slice fm_file_reader_series(const fm_file_reader *reader, uint32_t index);

/* 1: a record; record->row is its number in the file, from 1, counting those that are refused: the row's number where
 * each row holds one record. record->source is left empty. 0: the end. Negative: this record is refused; the error says
 * the row and why. */
int fm_file_reader_next(fm_file_reader *reader, fm_record *record, fm_error *error) FM_CHECKED;

uint64_t fm_file_reader_row(const fm_file_reader *reader); /* that the last answer was about, from 1 */
/* The time by which the row calls itself: when its bar began, midnight UTC of a daily bar's date, else the event time.
 */
int64_t fm_file_reader_named_ns(const fm_file_reader *reader);
bool fm_file_reader_more(const fm_file_reader *reader); /* that row holds records yet to come */
const fm_file_counts *fm_file_reader_counts(const fm_file_reader *reader);
uint64_t fm_file_reader_refused(const fm_file_reader *reader, int code); /* for that reason, of base/errors.def */
uint64_t fm_file_reader_bytes(const fm_file_reader *reader); /* compressed bytes read so far, for a progress bar */
uint64_t fm_file_reader_size(const fm_file_reader *reader);  /* compressed bytes in all */

#endif
