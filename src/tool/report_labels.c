/* tool/report_labels.c - see the header. SQLite reads the JSON: it is linked anyway, and knows all of it. */
#include "tool/report_labels.h"

#include "base/assert.h"
#include "base/file.h"
#include "tool/table.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_BYTES_MAX (UINT64_C(64) << 20)

/* One row a window, and one without times for a file that has none. */
static const char EVENTS[] =
    "SELECT value->>'file', ifnull(value->>'instrument',''), value->>'start', value->>'end', ifnull(value->>'at', "
    "value->>'start'),"
    " ifnull(value->>'kind',''), ifnull(value->>'note',''), ifnull(value->>'optional',0) FROM json_each(?1,'$.events')"
    " ORDER BY value->>'file', value->>'start'";
static const char WINDOWS[] =
    "SELECT file.key, '', span.value->>0, span.value->>1, span.value->>0, '', '', 0 FROM json_each(?1) AS file"
    " LEFT JOIN json_each(iif(json_type(file.value)='array', file.value, file.value->'windows')) AS span"
    " ORDER BY file.key, span.value->>0";

static char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    char *copy = strdup(text != NULL ? text : "");
    FM_ASSERT(copy != NULL);
    return copy;
}

static void add_file(fm_labels *labels, const char *name)
{
    if (labels->file_count > 0 && strcmp(labels->file[labels->file_count - 1], name) == 0)
        return;
    labels->file = realloc(labels->file, (size_t)(labels->file_count + 1) * sizeof(char *));
    FM_ASSERT(labels->file != NULL);
    labels->file[labels->file_count] = strdup(name);
    FM_ASSERT(labels->file[labels->file_count++] != NULL);
}

static int time_of(sqlite3_stmt *row, int column, const char *path, int64_t *out, fm_error *error)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    if (text != NULL && fm_table_time(fm_slice_of(text), out))
        return 0;
    return fm_fail(error, FM_ESYNTAX, "\"%s\": \"%.40s\" is not a time", path, text != NULL ? text : "null");
}

static int add_row(fm_labels *labels, sqlite3_stmt *row, const char *path, fm_error *error)
{
    const char *file = (const char *)sqlite3_column_text(row, 0);
    if (file == NULL || file[0] == '\0' || file[0] == '/' || strstr(file, "..") != NULL)
        return fm_fail(error, FM_EINVAL, "\"%s\": the file \"%.200s\" lies outside of the data folder", path,
                       file != NULL ? file : "");
    add_file(labels, file);
    if (sqlite3_column_type(row, 2) == SQLITE_NULL)
        return 0;
    fm_label label = {.optional = sqlite3_column_int(row, 7) != 0};
    FM_TRY(time_of(row, 2, path, &label.start_ns, error));
    FM_TRY(time_of(row, 3, path, &label.end_ns, error));
    FM_TRY(time_of(row, 4, path, &label.at_ns, error));
    label.end_ns += labels->windows;
    label.file = text_of(row, 0);
    label.instrument = text_of(row, 1);
    label.kind = text_of(row, 5);
    label.note = text_of(row, 6);
    labels->label = realloc(labels->label, (size_t)(labels->count + 1) * sizeof(*labels->label));
    FM_ASSERT(labels->label != NULL);
    labels->label[labels->count++] = label;
    return 0;
}

static int read_rows(sqlite3 *sqlite, const char *json, size_t size, const char *path, fm_labels *out, fm_error *error)
{
    sqlite3_stmt *row = NULL;
    int result = 0, step = SQLITE_DONE;
    out->windows = memmem(json, size, "\"events\"", 8) == NULL;
    if (sqlite3_prepare_v2(sqlite, out->windows ? WINDOWS : EVENTS, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_bind_text(row, 1, json, (int)size, SQLITE_STATIC) == SQLITE_OK)
        while (result >= 0 && (step = sqlite3_step(row)) == SQLITE_ROW)
            result = add_row(out, row, path, error);
    else
        step = SQLITE_ERROR;
    if (result >= 0 && step != SQLITE_DONE)
        result = fm_fail(error, FM_ESYNTAX, "could not read \"%s\": %s", path, sqlite3_errmsg(sqlite));
    sqlite3_finalize(row);
    if (result >= 0 && out->file_count == 0)
        result = fm_fail(error, FM_ENOTFOUND, "\"%s\" names no file", path);
    return result;
}

int fm_labels_read(const char *path, fm_labels *out, fm_error *error)
{
    char *json = NULL;
    size_t size;
    sqlite3 *sqlite = NULL;
    *out = (fm_labels){0};
    int result = fm_file_read_all(&fm_file_system, path, LABELS_BYTES_MAX, &json, &size);
    if (result < 0)
        return fm_fail(error, result, "could not read \"%s\": %s", path, fm_error_text(result));
    if (sqlite3_open_v2(":memory:", &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        result = fm_fail(error, FM_ENOMEM, "no memory to read \"%s\"", path);
    else
        result = read_rows(sqlite, json, size, path, out, error);
    sqlite3_close(sqlite);
    free(json);
    if (result < 0)
        fm_labels_fini(out);
    return result;
}

void fm_labels_fini(fm_labels *labels)
{
    for (int i = 0; i < labels->count; i++) {
        free(labels->label[i].file);
        free(labels->label[i].instrument);
        free(labels->label[i].kind);
        free(labels->label[i].note);
    }
    for (int i = 0; i < labels->file_count; i++)
        free(labels->file[i]);
    free(labels->label);
    free(labels->file);
    *labels = (fm_labels){0};
}
