/* tool/report_series.c - see the header. */
#include "tool/report_series.h"

#include "base/assert.h"
#include "base/event.h"
#include "base/text.h"
#include "tool/market_file.h"
#include "tool/table.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_NS (86400 * FM_NS_PER_S)

static void add_point(fm_report_points *points, int64_t ts_ns, double value)
{
    if (points->count == points->capacity) {
        points->capacity = points->capacity ? 2 * points->capacity : 1024;
        points->ts_ns = realloc(points->ts_ns, (size_t)points->capacity * sizeof(*points->ts_ns));
        points->value = realloc(points->value, (size_t)points->capacity * sizeof(*points->value));
        FM_ASSERT(points->ts_ns != NULL && points->value != NULL);
    }
    points->ts_ns[points->count] = ts_ns;
    points->value[points->count++] = value;
}

static fm_report_series *series_of(fm_report_file *file, const char *name, fm_slice instrument)
{
    for (int i = 0; i < file->count; i++)
        if (fm_slice_equal(fm_slice_of(file->series[i].instrument), instrument))
            return &file->series[i];
    file->series = realloc(file->series, (size_t)(file->count + 1) * sizeof(*file->series));
    FM_ASSERT(file->series != NULL);
    fm_report_series *series = &file->series[file->count++];
    *series = (fm_report_series){
        .file = strdup(name), .instrument = strndup(instrument.data != NULL ? instrument.data : "", instrument.size)};
    FM_ASSERT(series->file != NULL && series->instrument != NULL);
    return series;
}

/* ---- reading ---- */

static int read_scores(const char *path, const char *name, const char *column, fm_report_file *out, fm_error *error)
{
    fm_table *table = calloc(1, sizeof(*table));
    FM_ASSERT(table != NULL);
    int result = fm_table_open(table, path, error);
    int time = result < 0 ? -1 : fm_table_column(table, "time_ns"),
        score = result < 0 ? -1 : fm_table_column(table, column);
    int instrument = result < 0 ? -1 : fm_table_column(table, "instrument");
    time = time >= 0 || result < 0 ? time : fm_table_column(table, "timestamp");
    if (result >= 0 && (time < 0 || score < 0))
        result = fm_fail(error, FM_ESYNTAX, "\"%s\" has no columns of time and \"%s\"", path, column);
    while (result >= 0 && (result = fm_table_next(table, error)) > 0) {
        int64_t ts_ns;
        double value;
        if (!fm_table_time(table->cell[time], &ts_ns) || !fm_table_number(table->cell[score], &value))
            result = fm_table_fail(table, error, "no time, or no score");
        else
            add_point(&series_of(out, name, instrument < 0 ? fm_slice_of("") : table->cell[instrument])->score, ts_ns,
                      value);
    }
    fm_table_fini(table);
    free(table);
    return result;
}

static int read_values(const char *path, const char *name, fm_report_file *out, fm_error *error)
{
    fm_table *table = calloc(1, sizeof(*table));
    FM_ASSERT(table != NULL);
    int result = fm_table_open(table, path, error);
    int time = result < 0 ? -1 : fm_table_column(table, "timestamp"),
        value = result < 0 ? -1 : fm_table_column(table, "value");
    if (result >= 0 && (time < 0 || value < 0))
        result = fm_fail(error, FM_ESYNTAX, "\"%s\" has no columns timestamp and value", path);
    while (result >= 0 && (result = fm_table_next(table, error)) > 0) {
        int64_t ts_ns;
        double x;
        if (!fm_table_time(table->cell[time], &ts_ns) || !fm_table_number(table->cell[value], &x))
            result = fm_table_fail(table, error, "no time, or no number");
        else
            add_point(&series_of(out, name, fm_slice_of(""))->price, ts_ns, x);
    }
    fm_table_fini(table);
    free(table);
    return result;
}

static int read_prices(const char *path, const char *name, fm_report_file *out, fm_error *error)
{
    fm_market_file *file = calloc(1, sizeof(*file));
    FM_ASSERT(file != NULL);
    int result = fm_market_file_open(file, path, error);
    while (result >= 0 && (result = fm_market_file_next(file, error)) > 0)
        add_point(&series_of(out, name, file->instrument)->price, file->ts_ns, file->record[0].close);
    fm_market_file_fini(file);
    free(file);
    return result;
}

static void link_labels(fm_report_file *file, const char *name, const fm_labels *labels)
{
    for (int s = 0; s < file->count; s++) {
        fm_report_series *series = &file->series[s];
        series->label = calloc((size_t)labels->count + 1, sizeof(*series->label));
        series->result = calloc((size_t)labels->count + 1, sizeof(*series->result));
        series->false_ns = calloc((size_t)series->score.count + 1, sizeof(*series->false_ns));
        FM_ASSERT(series->label != NULL && series->result != NULL && series->false_ns != NULL);
        for (int i = 0; i < labels->count; i++) {
            const fm_label *label = &labels->label[i];
            if (strcmp(label->file, name) == 0 &&
                (file->count == 1 || strcmp(label->instrument, series->instrument) == 0))
                series->label[series->label_count++] = label;
        }
        if (labels->windows)
            series->probation = (int)(0.15 * (series->score.count < 5000 ? series->score.count : 5000));
        int64_t day = INT64_MIN;
        for (int i = 0; i < series->score.count; i++) {
            series->days += series->score.ts_ns[i] / DAY_NS != day;
            day = series->score.ts_ns[i] / DAY_NS;
        }
    }
}

/* "a/b.csv.gz" -> "OUT/a/b" and the ending of scores. */
static int score_path(const char *scores, const char *file, bool windows, char path[PATH_MAX], fm_error *error)
{
    const char *end = strstr(file, ".csv");
    int stem = end != NULL ? (int)(end - file) : (int)strlen(file);
    if (snprintf(path, PATH_MAX, "%s/%.*s%s", scores, stem, file, windows ? ".csv" : ".scores.csv") >= PATH_MAX)
        return fm_fail(error, FM_ELIMIT, "the path \"%s/%s\" is too long", scores, file);
    return 0;
}

/* The labels may name "x.csv" where the folder has "x.csv.gz". */
static int data_path(const char *data, const char *file, char path[PATH_MAX], fm_error *error)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", data, file);
    if (size + 4 >= PATH_MAX)
        return fm_fail(error, FM_ELIMIT, "the path \"%s/%s\" is too long", data, file);
    if (access(path, F_OK) != 0)
        memcpy(path + size, ".gz", 4);
    return 0;
}

int fm_report_file_read(const char *data, const char *scores, const char *file, const fm_labels *labels,
                        fm_report_file *out, fm_error *error)
{
    char from[PATH_MAX], path[PATH_MAX];
    *out = (fm_report_file){0};
    FM_TRY(data_path(data, file, from, error));
    FM_TRY(score_path(scores, file, labels->windows, path, error));
    int result = labels->windows ? read_values(from, file, out, error) : read_prices(from, file, out, error);
    if (result >= 0)
        result = read_scores(path, file, labels->windows ? "anomaly_score" : "score", out, error);
    link_labels(out, file, labels);
    if (result < 0)
        fm_report_file_fini(out);
    return result;
}

void fm_report_file_fini(fm_report_file *file)
{
    for (int i = 0; i < file->count; i++) {
        fm_report_series *series = &file->series[i];
        free(series->file);
        free(series->instrument);
        free(series->price.ts_ns);
        free(series->price.value);
        free(series->score.ts_ns);
        free(series->score.value);
        free(series->label);
        free(series->result);
        free(series->false_ns);
    }
    free(file->series);
    *file = (fm_report_file){0};
}

/* ---- judging ---- */

void fm_report_judge(fm_report_series *series, double threshold, int64_t merge_ns)
{
    int64_t last_ns = 0;
    bool any = false;
    series->false_alarms = 0;
    memset(series->result, 0, (size_t)series->label_count * sizeof(*series->result));
    for (int i = series->probation; i < series->score.count; i++) {
        int64_t ts_ns = series->score.ts_ns[i];
        double score = series->score.value[i];
        bool inside = false;
        for (int k = 0; k < series->label_count; k++) {
            if (ts_ns < series->label[k]->start_ns || ts_ns >= series->label[k]->end_ns)
                continue;
            inside = true;
            fm_report_found *result = &series->result[k];
            result->peak = score > result->peak ? score : result->peak;
            if (score > threshold && !result->found)
                *result = (fm_report_found){true, ts_ns, result->peak};
        }
        if (inside || score <= threshold)
            continue;
        if (!any || ts_ns - last_ns > merge_ns)
            series->false_ns[series->false_alarms++] = ts_ns;
        any = true;
        last_ns = ts_ns;
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Merging makes the count not quite monotone in the threshold; the bisection is what the scorer does, too. */
double fm_report_threshold(fm_report_series *const *series, int count, int64_t merge_ns, double per_day)
{
    size_t rows = 0, unique = 0;
    int days = 0;
    for (int i = 0; i < count; i++) {
        rows += (size_t)series[i]->score.count;
        days += series[i]->days;
    }
    double *values = malloc((rows + 1) * sizeof(*values));
    FM_ASSERT(values != NULL);
    rows = 0;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < series[i]->score.count; j++)
            values[rows++] = series[i]->score.value[j];
    qsort(values, rows, sizeof(*values), ascending);
    for (size_t i = 0; i < rows; i++)
        if (i == 0 || values[i] > values[unique - 1])
            values[unique++] = values[i];
    size_t low = 0, high = unique > 0 ? unique - 1 : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int alarms = 0;
        for (int i = 0; i < count; i++) {
            fm_report_judge(series[i], values[middle], merge_ns);
            alarms += series[i]->false_alarms;
        }
        if (alarms > per_day * (days > 0 ? days : 1))
            low = middle + 1;
        else
            high = middle;
    }
    double threshold = unique > 0 ? values[low] : INFINITY;
    free(values);
    return threshold;
}
