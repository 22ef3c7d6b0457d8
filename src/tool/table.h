/* tool/table.h - a CSV file of numbers, plain or gzip: a header line, then rows of as many cells.
 *
 * The whole file is read and inflated at once (1 GiB at most); cells point into it and stay valid until fini. Cells may
 * stand in double quotes; CR before LF, a byte order mark and empty lines are passed over. Whatever is wrong is told
 * with the file and the line. */
#ifndef FM_TOOL_TABLE_H
#define FM_TOOL_TABLE_H

#include "base/slice.h"
#include "base/text.h"

#define FM_TABLE_CELLS_MAX 4096
#define FM_TABLE_BYTES_MAX (UINT64_C(1) << 30)

typedef struct fm_table {
    const char *path; /* the caller's */
    fm_text bytes;
    size_t at;        /* of the next line */
    int line;         /* of the row read last, from 1 */
    int column_count; /* of the header */
    fm_slice name[FM_TABLE_CELLS_MAX], cell[FM_TABLE_CELLS_MAX];
} fm_table; /* large: not for the stack */

int fm_table_open(fm_table *table, const char *path, fm_error *error) FM_CHECKED; /* reads the header, too */
void fm_table_fini(fm_table *table);
int fm_table_next(fm_table *table, fm_error *error) FM_CHECKED; /* 1: a row is in `cell`; 0: the end */
int fm_table_column(const fm_table *table, const char *name);   /* its index, ASCII case aside; -1 = there is none */
int fm_table_fail(const fm_table *table, fm_error *error, const char *format, ...)
    FM_PRINTF(3, 4); /* FM_ESYNTAX about the line read last */

/* A decimal number; NaN for "", nan, na, null, none, in any case. False when it is something else. */
bool fm_table_number(fm_slice cell, double *out);

/* "2014-04-01 00:05:00" (UTC unless it says otherwise; T, fractions, an offset, no seconds, a date alone are taken
 * too), or a number: seconds, ms, us or ns since 1970 by its size; below 1e8 it counts rows and is no time: 0. False
 * when it is something else. */
bool fm_table_time(fm_slice cell, int64_t *ts_ns);

#endif
