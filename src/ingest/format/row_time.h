/* ingest/format/row_time.h - the time in the first column of a row, and how far apart rows are. */
#ifndef FM_INGEST_FORMAT_ROW_TIME_H
#define FM_INGEST_FORMAT_ROW_TIME_H

#include "ingest/format/clock.h"
#include "ingest/format/format.h"

/* What fm_file_time_parse reads, or milliseconds of the file's day, without a zone, when the format needs a day. */
bool fm_file_row_time(const fm_file_reader *reader, fm_slice cell, fm_file_time *out);

/* Of the row in `cell`; false and refused when it is no time, or none from 1970 to the last year that is taken. */
bool fm_cell_row_time(fm_draft *draft, const fm_file_reader *reader, fm_file_time *out);

/* How far apart rows are: the distance that is most frequent among the first rows (of two the shorter), or what the
 * file's name tells, if that is less: bars may be missing, but none overlap. Else a day where the row is named by a
 * date; 0 = none of it. The first column is the time. */
int64_t fm_file_interval(fm_file_reader *reader);

#endif
