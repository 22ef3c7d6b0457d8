/* tool/market_file.h - recorded market data as records of prices: a CSV file, plain or gzip, of any of these layouts.
 *
 *   open,high,low,close                      bars; names in any order and case; others are passed over
 *   open_dcents,... price_dcents             the same, or trades, in 1/10,000: US equities, New York time
 *   bid_open,bid_high,bid_low,bid_close,ask_close   bars of the bid, with a spread
 *   bid,ask                                  quotes: a point at the middle, with a spread
 *   bid_price_dcents,ask_price_dcents        quotes of many venues, a side that is 0 stays as it was; New York time
 *   anything else                            every column beside the first a series of points
 *
 * The first column is the time: as in tool/table.h, or 20140102 13:00, or time_ms, the milliseconds of the day that
 * ends the file's name. A day's bar (00:00) is named by its date. A column Name tells whose record it is. */
#ifndef FM_TOOL_MARKET_FILE_H
#define FM_TOOL_MARKET_FILE_H

#include "kernels/detector/market.h"
#include "tool/table.h"

#define FM_MARKET_FILE_SERIES_MAX 16

typedef struct fm_market_file {
    fm_table table;
    int layout;
    int column[5]; /* of the layout's names */
    int name;      /* column Name, -1 = none */
    int series_count;
    int series[FM_MARKET_FILE_SERIES_MAX]; /* columns of points, where nothing else is known */
    int64_t day_ns;                        /* where time_ms begins; -1 = the time stands in the rows */
    double bid, ask;                       /* sides that stay */
    /* The row read last: a record for each series, NaN where there is none. */
    int64_t ts_ns;
    fm_slice instrument;
    fm_market_record record[FM_MARKET_FILE_SERIES_MAX];
} fm_market_file; /* large: not for the stack */

int fm_market_file_open(fm_market_file *file, const char *path, fm_error *error) FM_CHECKED;
void fm_market_file_fini(fm_market_file *file);
int fm_market_file_next(fm_market_file *file, fm_error *error) FM_CHECKED; /* 1, or 0 at the end */

#endif
