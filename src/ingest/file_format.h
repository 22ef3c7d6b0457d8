/* ingest/file_format.h - market data files on disk to records, for `fmads replay`: a table of formats, gzip or plain.
 *
 * oanda-tick  time_ms after midnight UTC, bid, ask; symbol and date from the file name (fx_ticks_EURUSD_oanda_20140502)
 * lean-trade  time_ms after midnight New York, price and size; conditions and venue; symbol and date from the name
 * (eq_trades_BAC_20131008) lean-quote  the same clock; bid or ask side of one venue, 0 = side not in the row fmads-csv
 * our own columns (decode.h), header line The format is told from the header line. The zone rule for New York is the US
 * daylight rule since 2007 (second Sunday of March, first Sunday of November), so no tz database is read. */
#ifndef FM_INGEST_FILE_FORMAT_H
#define FM_INGEST_FILE_FORMAT_H

#include "base/error.h"
#include "ingest/decode.h"

#include <stdint.h>

typedef struct fm_file_reader fm_file_reader;

typedef struct fm_file_format {
    const char *name;
    const char *header; /* its exact first line, "" for fmads-csv (any header with "type" or "symbol") */
} fm_file_format;

extern const fm_file_format fm_file_formats[]; /* ends with name NULL */

/* `format` NULL = told from the header. `symbol` and `date` (YYYYMMDD) NULL = from the file's name. */
int fm_file_reader_open(const char *path, const char *format, const char *symbol, const char *date,
                        fm_file_reader **out, fm_error *error) FM_CHECKED;
void fm_file_reader_close(fm_file_reader *reader);
const fm_file_format *fm_file_reader_format(const fm_file_reader *reader);

/* 1: a record (row number in record->row, from 1; record->source is left empty). 0: the end. Negative: this row is
 * refused. */
int fm_file_reader_next(fm_file_reader *reader, fm_record *record, fm_error *error) FM_CHECKED;

uint64_t fm_file_reader_bytes(const fm_file_reader *reader); /* compressed bytes read so far, for a progress bar */
uint64_t fm_file_reader_size(const fm_file_reader *reader);  /* compressed bytes in all */

#endif
