/* tool/eval_file.c - see the header. */
#include "tool/eval_file.h"

#include "base/assert.h"
#include "kernels/kernel.h"
#include "tool/table.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#define ALARM 0.5

static const char *const TIME_NAMES[] = {"timestamp", "time", "datetime", "date", "ts", NULL};
static const char *const LABEL_NAMES[] = {"label", "labels", "is_anomaly", "anomaly", NULL};

typedef struct bank { /* one detector for each series of a file */
    const fm_kernel *kernel;
    int output; /* that is read */
    int count;
    size_t size; /* of one state */
    char *states;
} bank;

static int bank_init(bank *all, const char *output, int count, fm_error *error)
{
    double params[FM_KERNEL_PARAMS_MAX] = {0};
    all->kernel = fm_kernel_find(FM_KERNEL_DETECTOR, "auto");
    FM_ASSERT(all->kernel != NULL);
    all->output = fm_kernel_field_index(all->kernel->outputs, output);
    FM_ASSERT(all->output >= 0);
    for (int i = 0; all->kernel->params[i].name; i++)
        params[i] = all->kernel->params[i].preset;
    all->count = count;
    all->size = all->kernel->state_size(params);
    all->states = calloc((size_t)count, all->size);
    if (!all->states)
        return fm_fail(error, FM_ENOMEM, "no memory for %d series", count);
    for (int i = 0; i < count; i++)
        FM_TRY(all->kernel->init(all->states + (size_t)i * all->size, params));
    return 0;
}

static double bank_step(bank *all, int series, int64_t ts_ns, double x)
{
    double out[FM_KERNEL_OUTPUTS_MAX];
    all->kernel->step(all->states + (size_t)series * all->size, ts_ns, &x, out);
    return isnan(out[all->output]) ? 0.0 : out[all->output];
}

static int read_number(const fm_table *table, int column, double *out, fm_error *error)
{
    fm_slice cell = table->cell[column], name = table->name[column];
    if (fm_table_number(cell, out))
        return 0;
    return fm_table_fail(table, error, "column \"%.*s\": \"%.*s\" is not a number",
                         (int)(name.size < 64 ? name.size : 64), name.data, (int)(cell.size < 64 ? cell.size : 64),
                         cell.data);
}

static int read_time(const fm_table *table, int column, int64_t *ts_ns, fm_error *error)
{
    fm_slice cell = table->cell[column];
    if (fm_table_time(cell, ts_ns))
        return 0;
    return fm_table_fail(table, error, "\"%.*s\" is not a time", (int)(cell.size < 64 ? cell.size : 64), cell.data);
}

/* A cell as it stood. */
static void put_cell(fm_text *out, fm_slice cell)
{
    bool quote = memchr(cell.data, ',', cell.size) != NULL;
    fm_text_put(out, quote ? "\"" : "");
    fm_text_add(out, cell.data, cell.size);
    fm_text_put(out, quote ? "\"," : ",");
}

static int score_nab(fm_table *table, bank *all, fm_text *out, fm_eval_count *count, fm_error *error)
{
    int time = fm_table_column(table, "timestamp"), value = fm_table_column(table, "value"), result;
    if (time < 0 || value < 0)
        return fm_table_fail(table, error, "the header has no column \"%s\"", time < 0 ? "timestamp" : "value");
    FM_TRY(bank_init(all, "score", 1, error));
    fm_text_put(out, "timestamp,value,anomaly_score\n");
    while ((result = fm_table_next(table, error)) > 0) {
        int64_t ts_ns;
        double x;
        FM_TRY(read_time(table, time, &ts_ns, error));
        FM_TRY(read_number(table, value, &x, error));
        double score = bank_step(all, 0, ts_ns, x);
        put_cell(out, table->cell[time]);
        put_cell(out, table->cell[value]);
        fm_text_real(out, score);
        fm_text_put(out, "\n");
        count->rows++;
        count->alarms += score >= ALARM;
    }
    return result;
}

static int first_of(const fm_table *table, const char *const *names)
{
    for (; *names; names++) {
        int column = fm_table_column(table, *names);
        if (column >= 0)
            return column;
    }
    return -1;
}

static bool named(fm_slice name, const char *const *names)
{
    char text[32];
    for (; *names; names++)
        if (fm_slice_copy(name, text, sizeof(text)) && strcasecmp(text, *names) == 0)
            return true;
    return false;
}

static int score_series(fm_table *table, bank *all, fm_text *out, fm_eval_count *count, fm_error *error)
{
    int time = first_of(table, TIME_NAMES), series[FM_TABLE_CELLS_MAX], series_count = 0, result;
    for (int i = 0; i < table->column_count; i++)
        if (i != time && !named(table->name[i], LABEL_NAMES))
            series[series_count++] = i;
    if (series_count == 0)
        return fm_table_fail(table, error, "the header names no series beside time and labels");
    FM_TRY(bank_init(all, "evidence", series_count, error));
    fm_text_put(out, "time,score\n");
    for (uint64_t row = 0; (result = fm_table_next(table, error)) > 0; row++) {
        int64_t ts_ns = 0;
        double squares = 0.0, x;
        if (time >= 0)
            FM_TRY(read_time(table, time, &ts_ns, error));
        for (int i = 0; i < series_count; i++) {
            FM_TRY(read_number(table, series[i], &x, error));
            double evidence = bank_step(all, i, ts_ns, x);
            squares += evidence * evidence;
        }
        if (time >= 0)
            put_cell(out, table->cell[time]);
        else
            fm_text_printf(out, "%llu,", (unsigned long long)row);
        fm_text_real(out, sqrt(squares / series_count));
        fm_text_put(out, "\n");
        count->rows++;
    }
    return result;
}

typedef int scorer(fm_table *table, bank *all, fm_text *out, fm_eval_count *count, fm_error *error);

static int score_file(scorer *score, const char *path, fm_text *out, fm_eval_count *count, fm_error *error)
{
    bank all = {0};
    fm_table *table = calloc(1, sizeof(*table));
    if (!table)
        return fm_fail(error, FM_ENOMEM, "no memory to read \"%s\"", path);
    int result = fm_table_open(table, path, error);
    if (result >= 0)
        result = score(table, &all, out, count, error);
    fm_table_fini(table);
    free(table);
    free(all.states);
    return result;
}

int fm_eval_nab(const char *path, fm_text *out, fm_eval_count *count, fm_error *error)
{
    return score_file(score_nab, path, out, count, error);
}

int fm_eval_series(const char *path, fm_text *out, fm_eval_count *count, fm_error *error)
{
    return score_file(score_series, path, out, count, error);
}
