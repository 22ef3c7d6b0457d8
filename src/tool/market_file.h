/* tool/market_file.h - recorded market data as prices for the detector `market`: a file of any format that
 * ingest/file_format.h reads, row by row.
 *
 * A row has the time that names it, so that labels which tell a bar by its begin find it. A quote is a point at the
 * middle, with its spread; a side that a row does not have stays as it was. Bars of bids beside asks have a spread. Of
 * values in several columns each is a series of its own. Rows that hold no price are passed over, refused ones are
 * counted. */
#ifndef FM_TOOL_MARKET_FILE_H
#define FM_TOOL_MARKET_FILE_H

#include "ingest/file_format.h"
#include "kernels/detector/market.h"

#define FM_MARKET_FILE_SERIES_MAX 16

typedef struct fm_market_file {
    fm_file_reader *reader;
    bool named; /* rows tell their instrument */
    int series_count;
    double bid, ask;  /* sides that stay */
    uint64_t refused; /* rows, or parts of them */
    fm_error first;   /* refusal */
    /* The row read last: a record for each series, NaN where there is none. */
    int64_t ts_ns;
    fm_slice instrument; /* that the row tells, or nothing; valid until the next row is read */
    fm_market_record record[FM_MARKET_FILE_SERIES_MAX];
} fm_market_file;

int fm_market_file_open(fm_market_file *file, const char *path, fm_error *error) FM_CHECKED;
void fm_market_file_fini(fm_market_file *file);

/* 1, or 0 at the end. Negative: the file is damaged, or no row of it is good. */
int fm_market_file_next(fm_market_file *file, fm_error *error) FM_CHECKED;

#endif
