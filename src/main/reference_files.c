/* main/reference_files.c - see the header. Calendars are compiled here: the tz database is read once, and never again
 * for what is in a journal. */
#include "main/reference_files.h"

#include "base/assert.h"
#include "base/file.h"
#include "base/zone.h"
#include "engine/reference.h"
#include "store/embedded/json_rows.h"
#include "tool/table.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALENDAR_BYTES_MAX ((size_t)1 << 20)
#define ZONE_FROM_S        INT64_C(631152000) /* 1990: the first event time that is taken */
#define DAY_S              86400

static const char *const WEEKDAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* ---- calendars ---- */

typedef struct calendar_file {
    const char *path;
    fm_text *out;
    bool session[7];
} calendar_file;

static int bad_calendar(const calendar_file *file, fm_error *error, const char *what, const char *text)
{
    return fm_fail(error, FM_ESYNTAX, "\"%s\": %s \"%.40s\"", file->path, what, text != NULL ? text : "");
}

/* "09:30" in minutes; -1 when it is none. */
static int minutes_of(const char *text)
{
    int hours, minutes, used = 0;
    if (text == NULL || sscanf(text, "%2d:%2d%n", &hours, &minutes, &used) != 2 || text[used] != '\0' || hours < 0 ||
        hours > 24 || minutes < 0 || minutes > 59 || 60 * hours + minutes > 1440)
        return -1;
    return 60 * hours + minutes;
}

static bool day_of(const char *text, int64_t *day)
{
    int64_t ts_ns;
    if (text == NULL || strlen(text) != 10 || !fm_table_time(fm_slice_of(text), &ts_ns))
        return false;
    *day = ts_ns / (DAY_S * FM_NS_PER_S);
    return true;
}

static int put_zone(void *context, const char *const *cell, fm_error *error)
{
    calendar_file *file = context;
    fm_zone_offset *offset;
    uint32_t count;
    if (cell[0] == NULL)
        return bad_calendar(file, error, "it has no", "zone");
    FM_TRY(fm_zone_read(cell[0], ZONE_FROM_S, &offset, &count, error));
    for (uint32_t i = 0; i < count; i++)
        fm_text_printf(file->out, "offset %" PRId64 " %d\n", offset[i].from_s, offset[i].offset_s);
    free(offset);
    return 0;
}

static int put_session(void *context, const char *const *cell, fm_error *error)
{
    calendar_file *file = context;
    int weekday = 0, open = minutes_of(cell[1]), close = minutes_of(cell[2]);
    while (weekday < 7 && (cell[0] == NULL || strcmp(cell[0], WEEKDAYS[weekday]) != 0))
        weekday++;
    if (weekday == 7 || file->session[weekday])
        return bad_calendar(file, error, "days are sun, mon, …, each in one session, not", cell[0]);
    bool evening = cell[3] != NULL && cell[3][0] == '1';
    open -= evening ? 1440 : 0;
    if (minutes_of(cell[1]) < 0 || close < 0 || open >= close)
        return bad_calendar(file, error, "a session opens at HH:MM before it closes; not", cell[1]);
    file->session[weekday] = true;
    fm_text_printf(file->out, "session %d %d %d\n", weekday, open, close);
    return 0;
}

static int put_holiday(void *context, const char *const *cell, fm_error *error)
{
    calendar_file *file = context;
    int64_t day;
    if (!day_of(cell[0], &day))
        return bad_calendar(file, error, "a holiday is no YYYY-MM-DD:", cell[0]);
    fm_text_printf(file->out, "holiday %" PRId64 "\n", day);
    return 0;
}

static int put_half(void *context, const char *const *cell, fm_error *error)
{
    calendar_file *file = context;
    int64_t day;
    if (!day_of(cell[0], &day) || minutes_of(cell[1]) < 0)
        return bad_calendar(file, error, "a half day is no \"YYYY-MM-DD\": \"HH:MM\":", cell[0]);
    fm_text_printf(file->out, "half %" PRId64 " %d\n", day, minutes_of(cell[1]));
    return 0;
}

static int put_calendar(const char *path, const char *name, fm_text *out, fm_error *error)
{
    static const struct {
        const char *query;
        int (*put)(void *context, const char *const *cell, fm_error *error);
    } PARTS[] = {
        {"SELECT ?1->>'zone'", put_zone},
        {"SELECT day.value, part.value->>'open', part.value->>'close', part.value->>'evening_before'"
         " FROM json_each(?1,'$.sessions') AS part, json_each(part.value->'days') AS day",
         put_session},
        {"SELECT DISTINCT value FROM json_each(?1,'$.holidays') ORDER BY value", put_holiday},
        {"SELECT key, value FROM json_each(?1,'$.half_days') ORDER BY key", put_half},
    };
    char *json;
    size_t size;
    calendar_file file = {.path = path, .out = out};
    fm_error why = {0};
    int result = fm_file_read_all(&fm_file_system, path, CALENDAR_BYTES_MAX, &json, &size);
    if (result < 0)
        return fm_fail(error, result, "could not read \"%s\": %s", path, fm_error_text(result));
    fm_text_printf(out, "calendar %s\n", name);
    for (size_t i = 0; result >= 0 && i < sizeof(PARTS) / sizeof(PARTS[0]); i++)
        result = fm_json_rows((fm_slice){json, size}, PARTS[i].query, PARTS[i].put, &file, &why);
    free(json);
    if (result < 0)
        return fm_fail(error, result, "calendar \"%s\": %s", path, why.message);
    return 0;
}

static int is_json(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    for (size_t i = 0; i < size; i++) /* its name is a word of the text */
        if ((unsigned char)entry->d_name[i] <= ' ')
            return 0;
    return entry->d_name[0] != '.' && size > 5 && size <= 5 + FM_CALENDAR_NAME_MAX &&
           strcmp(entry->d_name + size - 5, ".json") == 0;
}

static int put_calendars(const char *folder, fm_text *out, fm_error *error)
{
    char path[PATH_MAX], name[FM_CALENDAR_NAME_MAX + 1];
    struct dirent **list;
    snprintf(path, sizeof(path), "%s/calendars", folder);
    int count = scandir(path, &list, is_json, alphasort), result = 0;
    if (count < 0)
        return errno == ENOENT ? 0 : fm_fail_errno(error, FM_EIO, "could not read the folder \"%s\"", path);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/calendars/%s", folder, list[i]->d_name);
        fm_slice_copy((fm_slice){list[i]->d_name, strlen(list[i]->d_name) - 5}, name, sizeof(name));
        if (result >= 0)
            result = put_calendar(path, name, out, error);
        free(list[i]);
    }
    free(list);
    return result;
}

/* ---- instruments and actions ---- */

typedef struct row { /* of either file */
    char symbol[FM_SYMBOL_MAX + 1];
    int64_t effective_ns;
    bool date; /* it is one: midnight in a zone that is not known yet */
    fm_text rest;
} row;

typedef struct rows {
    row *row;
    size_t count, capacity;
} rows;

static row *add_row(rows *all)
{
    if (all->count == all->capacity) {
        all->capacity = all->capacity ? 2 * all->capacity : 64;
        all->row = realloc(all->row, all->capacity * sizeof(row));
        FM_ASSERT(all->row != NULL);
    }
    all->row[all->count] = (row){0};
    return &all->row[all->count++];
}

static void free_rows(rows *all)
{
    for (size_t i = 0; i < all->count; i++)
        fm_text_fini(&all->row[i].rest);
    free(all->row);
}

static int by_symbol(const void *a, const void *b)
{
    const row *x = a, *y = b;
    int order = strcmp(x->symbol, y->symbol);
    return order != 0 ? order : (x->effective_ns > y->effective_ns) - (x->effective_ns < y->effective_ns);
}

static void sort_rows(rows *all)
{
    if (all->count > 0)
        qsort(all->row, all->count, sizeof(row), by_symbol);
}

static bool is_word(fm_slice cell, size_t most)
{
    for (size_t i = 0; i < cell.size; i++)
        if (cell.data[i] <= ' ' || cell.data[i] > '~')
            return false;
    return cell.size <= most;
}

/* The cell of that column, " -" where there is none. */
static int put_word(const fm_table *table, const char *column, size_t most, fm_text *out, fm_error *error)
{
    int at = fm_table_column(table, column);
    fm_slice cell = at >= 0 ? table->cell[at] : (fm_slice){"", 0};
    if (!is_word(cell, most))
        return fm_table_fail(table, error, "\"%s\" must be at most %zu printable characters without spaces", column,
                             most);
    fm_text_put(out, " ");
    if (cell.size == 0)
        fm_text_put(out, "-");
    else
        fm_text_add(out, cell.data, cell.size);
    return 0;
}

static int take_symbol(const fm_table *table, row *out, fm_error *error)
{
    fm_slice cell = table->cell[fm_table_column(table, "symbol")];
    if (cell.size == 0 || !is_word(cell, FM_SYMBOL_MAX))
        return fm_table_fail(table, error, "a symbol must be 1 to %d printable characters without spaces",
                             FM_SYMBOL_MAX);
    fm_slice_copy(cell, out->symbol, sizeof(out->symbol));
    return 0;
}

static int take_instrument(const fm_table *table, rows *out, fm_error *error)
{
    row *one = add_row(out);
    FM_TRY(take_symbol(table, one, error));
    FM_TRY(put_word(table, "class", FM_REFERENCE_NAME_MAX, &one->rest, error));
    FM_TRY(put_word(table, "sector", FM_REFERENCE_NAME_MAX, &one->rest, error));
    FM_TRY(put_word(table, "market", FM_SYMBOL_MAX, &one->rest, error));
    return put_word(table, "calendar", FM_CALENDAR_NAME_MAX, &one->rest, error);
}

static int take_action(const fm_table *table, rows *out, fm_error *error)
{
    int effective = fm_table_column(table, "effective"), number = fm_table_column(table, "number");
    row *one = add_row(out);
    double value;
    FM_TRY(take_symbol(table, one, error));
    fm_slice time = effective >= 0 ? table->cell[effective] : (fm_slice){"", 0};
    if (!fm_table_time(time, &one->effective_ns) ||
        one->effective_ns == 0) /* 0: a number that counts no seconds, as 20200831 */
        return fm_table_fail(table, error, "\"effective\" is no time");
    one->date = time.size == 10 && time.data[4] == '-';
    FM_TRY(put_word(table, "what", 16, &one->rest, error));
    if (number >= 0 && table->cell[number].size > 0) {
        if (!fm_table_number(table->cell[number], &value))
            return fm_table_fail(table, error, "\"number\" is no number");
        fm_text_printf(&one->rest, " %.17g", value);
    } else {
        fm_text_put(&one->rest, " -");
    }
    return put_word(table, "to", FM_SYMBOL_MAX, &one->rest, error);
}

static int read_rows(const char *path, int (*take)(const fm_table *table, rows *out, fm_error *error), rows *out,
                     fm_error *error)
{
    if (access(path, F_OK) != 0)
        return 0;
    fm_table *table = calloc(1, sizeof(*table));
    FM_ASSERT(table != NULL);
    int result = fm_table_open(table, path, error);
    if (result >= 0 && fm_table_column(table, "symbol") < 0)
        result = fm_fail(error, FM_ESYNTAX, "\"%s\" has no column \"symbol\"", path);
    while (result >= 0 && (result = fm_table_next(table, error)) > 0)
        result = take(table, out, error);
    fm_table_fini(table);
    free(table);
    sort_rows(out);
    for (size_t i = 1; result >= 0 && i < out->count; i++)
        if (by_symbol(&out->row[i - 1], &out->row[i]) == 0)
            result = fm_fail(error, FM_EINVAL, "\"%s\" tells of \"%s\" twice%s", path, out->row[i].symbol,
                             out->row[i].effective_ns != 0 ? " at one time" : "");
    return result;
}

/* A symbol that is named gets a row of which nothing else is told, behind its own one if it has one. */
static void add_named(rows *instruments, const char *symbol)
{
    row *one = add_row(instruments);
    fm_slice_copy(fm_slice_of(symbol), one->symbol, sizeof(one->symbol));
    one->effective_ns = 1;
    fm_text_put(&one->rest, " - - - -");
}

/* Of each symbol the first row. */
static void keep_first(rows *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++)
        if (kept > 0 && strcmp(all->row[kept - 1].symbol, all->row[i].symbol) == 0)
            fm_text_fini(&all->row[i].rest);
        else
            all->row[kept++] = all->row[i];
    all->count = kept;
}

/* Symbols with actions, and markets that instruments are compared with. */
static void complete(rows *instruments, const rows *actions)
{
    size_t told = instruments->count;
    char market[FM_SYMBOL_MAX + 1];
    for (size_t i = 0; i < actions->count; i++)
        if (i == 0 || strcmp(actions->row[i].symbol, actions->row[i - 1].symbol) != 0)
            add_named(instruments, actions->row[i].symbol);
    for (size_t i = 0; i < told; i++)
        if (sscanf(instruments->row[i].rest.data, "%*s %*s %64s", market) == 1 && strcmp(market, "-") != 0)
            add_named(instruments, market);
    sort_rows(instruments);
    keep_first(instruments);
}

/* Midnight of a date in the zone of the instrument's calendar, whose name ends its row. */
static int64_t local_midnight(const fm_reference_set *calendars, const row *instrument, int64_t effective_ns)
{
    const char *name = strrchr(instrument->rest.data, ' ') + 1;
    for (uint32_t i = 0; i < calendars->calendar_count; i++)
        if (strcmp(calendars->calendar[i].name, name) == 0)
            return fm_calendar_utc_s(&calendars->calendar[i], effective_ns / FM_NS_PER_S) * FM_NS_PER_S;
    return effective_ns;
}

static void put_rows(const rows *instruments, const rows *actions, const fm_reference_set *calendars, fm_text *out)
{
    size_t a = 0;
    for (size_t i = 0; i < instruments->count; i++) {
        const row *instrument = &instruments->row[i];
        fm_text_printf(out, "instrument %s%s\n", instrument->symbol, instrument->rest.data);
        for (; a < actions->count && strcmp(actions->row[a].symbol, instrument->symbol) == 0; a++) {
            int64_t ts_ns = actions->row[a].effective_ns;
            ts_ns = actions->row[a].date ? local_midnight(calendars, instrument, ts_ns) : ts_ns;
            fm_text_printf(out, "action %" PRId64 "%s\n", ts_ns, actions->row[a].rest.data);
        }
    }
}

static int put_instruments(const char *folder, fm_text *out, fm_error *error)
{
    char path[2][PATH_MAX];
    rows instruments = {0}, actions = {0};
    fm_reference_set *calendars = NULL;
    snprintf(path[0], sizeof(path[0]), "%s/instruments.csv", folder);
    snprintf(path[1], sizeof(path[1]), "%s/actions.csv", folder);
    int result = fm_reference_parse((fm_slice){out->data, out->size}, &calendars, error);
    if (result >= 0)
        result = read_rows(path[0], take_instrument, &instruments, error);
    if (result >= 0)
        result = read_rows(path[1], take_action, &actions, error);
    if (result >= 0) {
        complete(&instruments, &actions);
        put_rows(&instruments, &actions, calendars, out);
    }
    fm_reference_free(calendars);
    free_rows(&instruments);
    free_rows(&actions);
    return result;
}

int fm_reference_files_read(const char *folder, fm_text *out, fm_error *error)
{
    fm_text_put(out, FM_REFERENCE_HEAD);
    if (folder[0] == '\0')
        return 0;
    FM_TRY(put_calendars(folder, out, error));
    return put_instruments(folder, out, error);
}
