/* ingest/format/cells.h - cells into a draft, by the common rules (ingest/validate.h). Whatever a cell should be and is
 * not refuses the record, with the reason of its field. */
#ifndef FM_INGEST_FORMAT_CELLS_H
#define FM_INGEST_FORMAT_CELLS_H

#include "ingest/format/format.h"

void fm_cell_kind(fm_draft *draft, fm_kind kind);
void fm_cell_symbol(fm_draft *draft, fm_slice cell); /* instead of the reader's */

/* A whole cell as a number; false and refused when it is none. */
bool fm_cell_number(fm_draft *draft, fm_field field, fm_slice cell, fm_number *out);

/* The cell's number / 10^shift, as it is. */
void fm_cell_decimal(fm_draft *draft, fm_field field, fm_slice cell, int shift);

/* The same rounded, half away from zero: with more than `kept` decimals it is the tail of a float, and `decimals` of
 * them stay. */
void fm_cell_rounded(fm_draft *draft, fm_field field, fm_slice cell, int shift, int kept, int decimals);

/* Nothing, or nan, na, n/a, null, none in letters of any case: a value that is not there. */
bool fm_cell_missing(fm_slice cell);

/* A name, if there is one; an empty cell gives none. */
void fm_cell_name(fm_draft *draft, fm_field field, fm_slice cell);

/* An integer from 0 up to `high` of digits alone; -1 and refused when it is none: `reason` says what it is not. */
int64_t fm_cell_integer(fm_draft *draft, fm_field field, fm_slice cell, int64_t high, const char *reason);

/* A number that stands in no cell. */
void fm_cell_count(fm_draft *draft, fm_field field, uint64_t count);

/* Event time, when it is in the range that is taken. */
void fm_cell_ts(fm_draft *draft, int64_t ts_ns, fm_slice cell);

/* Milliseconds after midnight of the file's day, UTC or New York; -1 from the first when they are not of one day (of 25
 * hours, in November). */
int64_t fm_cell_day_ms(fm_draft *draft, fm_slice cell);
void fm_cell_ts_utc(fm_draft *draft, fm_slice cell, const fm_file_day *day);
void fm_cell_ts_new_york(fm_draft *draft, fm_slice cell, const fm_file_day *day);

#endif
