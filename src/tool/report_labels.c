/* tool/report_labels.c - see the header. */
#include "tool/report_labels.h"

#include "base/assert.h"
#include "base/file.h"
#include "store/embedded/json_rows.h"
#include "tool/table.h"

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

typedef struct reading {
    const char *path;
    fm_labels *labels;
} reading;

static char *copy_of(const char *text)
{
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
    labels->file[labels->file_count++] = copy_of(name);
}

static int time_of(const char *text, const char *path, int64_t *out, fm_error *error)
{
    if (text != NULL && fm_table_time(fm_slice_of(text), out))
        return 0;
    return fm_fail(error, FM_ESYNTAX, "\"%s\": \"%.40s\" is not a time", path, text != NULL ? text : "null");
}

/* Cells: file, instrument, start, end, at, kind, note, optional. */
static int add_row(void *context, const char *const *cell, fm_error *error)
{
    const reading *in = context;
    fm_labels *labels = in->labels;
    const char *file = cell[0] != NULL ? cell[0] : "";
    if (file[0] == '\0' || file[0] == '/' || strstr(file, "..") != NULL)
        return fm_fail(error, FM_EINVAL, "\"%s\": the file \"%.200s\" lies outside of the data folder", in->path, file);
    add_file(labels, file);
    if (cell[2] == NULL && labels->windows)
        return 0;
    fm_label label = {.optional = cell[7] != NULL && cell[7][0] == '1'};
    FM_TRY(time_of(cell[2], in->path, &label.start_ns, error));
    FM_TRY(time_of(cell[3], in->path, &label.end_ns, error));
    FM_TRY(time_of(cell[4], in->path, &label.at_ns, error));
    label.end_ns += labels->windows;
    label.file = copy_of(file);
    label.instrument = copy_of(cell[1]);
    label.kind = copy_of(cell[5]);
    label.note = copy_of(cell[6]);
    labels->label = realloc(labels->label, (size_t)(labels->count + 1) * sizeof(*labels->label));
    FM_ASSERT(labels->label != NULL);
    labels->label[labels->count++] = label;
    return 0;
}

int fm_labels_read(const char *path, fm_labels *out, fm_error *error)
{
    char *json = NULL;
    size_t size;
    *out = (fm_labels){0};
    int result = fm_file_read_all(&fm_file_system, path, LABELS_BYTES_MAX, &json, &size);
    if (result < 0)
        return fm_fail(error, result, "could not read \"%s\": %s", path, fm_error_text(result));
    reading in = {path, out};
    fm_error why = {0};
    out->windows = memmem(json, size, "\"events\"", 8) == NULL;
    result = fm_json_rows((fm_slice){json, size}, out->windows ? WINDOWS : EVENTS, add_row, &in, &why);
    free(json);
    if (result == FM_ESYNTAX && strstr(why.message, path) == NULL)
        result = fm_fail(error, FM_ESYNTAX, "could not read \"%s\": %s", path, why.message);
    else if (result < 0 && error != NULL)
        *error = why;
    else if (out->file_count == 0)
        result = fm_fail(error, FM_ENOTFOUND, "\"%s\" names no file", path);
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
