/* tool/report_series.h - what a report shows of one instrument of one file: its prices, its scores, its labelled
 * windows, and what a threshold makes of them. */
#ifndef FM_TOOL_REPORT_SERIES_H
#define FM_TOOL_REPORT_SERIES_H

#include "tool/report_labels.h"

typedef struct fm_report_points {
    int64_t *ts_ns;
    double *value; /* NaN = none */
    int count, capacity;
} fm_report_points;

typedef struct fm_report_found {
    bool found;
    int64_t alarm_ns; /* the first alarm in the window */
    double peak;      /* the largest score in it; 0 without a row */
} fm_report_found;

typedef struct fm_report_series {
    char *file, *instrument; /* instrument "" when the file holds one */
    fm_report_points price, score;
    const fm_label **label; /* those of this series */
    int label_count;
    fm_report_found *result; /* of each, by fm_report_judge */
    int probation; /* first rows of scores that do not count: of benchmark files 15 % of the rows, 750 at most; else 0
                    */
    int days;      /* UTC days with a row */
    int false_alarms;
    int64_t *false_ns; /* first rows of the false alarms */
} fm_report_series;

typedef struct fm_report_file {
    fm_report_series *series;
    int count;
} fm_report_file;

/* The prices of `data` and the scores of `scores`, with the labels of `file`. Benchmark files have the columns
 * timestamp and value, and a score of theirs the same and anomaly_score. */
int fm_report_file_read(const char *data, const char *scores, const char *file, const fm_labels *labels,
                        fm_report_file *out, fm_error *error) FM_CHECKED;
void fm_report_file_fini(fm_report_file *file);

/* Alarms are scores above the threshold. Outside of every window those that follow each other within `merge_ns` are one
 * false alarm; inside, the first finds the event. Fills result, false_alarms, false_ns. */
void fm_report_judge(fm_report_series *series, double threshold, int64_t merge_ns);

/* The lowest threshold at which the false alarms of all these series stay within `per_day` times their days. */
double fm_report_threshold(fm_report_series *const *series, int count, int64_t merge_ns, double per_day);

#endif
