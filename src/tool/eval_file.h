/* tool/eval_file.h - one file of numbers through the detector `auto`, by its descriptor; a score for every row.
 *
 * What a row scores depends on the rows up to it and on nothing else: not on the file's name, length, or columns that
 * tell the answer. A row that has no score (the first 30, a missing value) gets 0. */
#ifndef FM_TOOL_EVAL_FILE_H
#define FM_TOOL_EVAL_FILE_H

#include "base/text.h"

#include <stdint.h>

typedef struct fm_eval_count {
    uint64_t rows, alarms; /* alarms: scores of 0.5 and more, in nab alone */
    uint64_t refused;      /* of events: records that are none, passed over */
} fm_eval_count;

/* The scores of the file at `path` as CSV, added to `out`. */
typedef int fm_eval_file(const char *path, fm_text *out, fm_eval_count *count, fm_error *error);

/* Columns timestamp and value, others ignored -> timestamp,value,anomaly_score, the first two as they stood. The score
 * is the detector's own, 0.5 an alarm. */
fm_eval_file fm_eval_nab;

/* Every column a series, but for the time and labels -> time,score. The score is the evidence, which has no silence; of
 * several series the root of the mean square, so that one that stands out is not lost among many. The time is the
 * column named timestamp, time, datetime, date or ts, else the row's number from 0. Ignored are columns named label,
 * labels, is_anomaly, anomaly. */
fm_eval_file fm_eval_series;

#endif
