/* store/embedded/alerts.c - alerts in SQLite: put in batches, listed page by page, found by id. */
#include "store/embedded/embedded.h"

#include "base/assert.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CROSS JOIN: `alerts` is the outer loop, always. ?1 before, ?2 from, ?3 to, ?4 severity, ?5 symbol, ?6 rule, ?7
 * domain, ?8 limit; an empty text is any. The unary + keeps a column out of the choice of an index, so that each
 * statement reads in the order of router_sequence and never sorts. */
#define LIST(symbol, rule, domain)                                                                                     \
    "SELECT a.router_sequence, b.json FROM alerts a CROSS JOIN alert_bodies b USING(router_sequence)"                  \
    " WHERE a.router_sequence < ?1 AND " symbol " AND " rule " AND " domain                                            \
    " AND +a.event_ns >= ?2 AND +a.event_ns < ?3 AND +a.severity >= ?4 ORDER BY a.router_sequence DESC LIMIT ?8"
#define ANY(column, number)   "(?" number " = '' OR +a." column " = ?" number ")"
#define EXACT(column, number) "a." column " = ?" number

const char *const fm_embedded_sql[FM_EMBEDDED_STATEMENTS] = {
    [FM_EMBEDDED_BEGIN] = "BEGIN IMMEDIATE",
    [FM_EMBEDDED_COMMIT] = "COMMIT",
    [FM_EMBEDDED_ROLLBACK] = "ROLLBACK",
    [FM_EMBEDDED_PUT_ALERT] = "INSERT INTO alerts(router_sequence, id, severity, event_ns, symbol, rule, domain) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                              " ON CONFLICT DO NOTHING",
    [FM_EMBEDDED_PUT_BODY] = "INSERT INTO alert_bodies(router_sequence, json) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
    [FM_EMBEDDED_PUT_CURSOR] =
        "INSERT INTO cursors(name, router_sequence) VALUES('router', ?1)"
        " ON CONFLICT(name) DO UPDATE SET router_sequence = max(router_sequence, excluded.router_sequence)",
    [FM_EMBEDDED_GET_CURSOR] = "SELECT router_sequence FROM cursors WHERE name = 'router'",
    [FM_EMBEDDED_GET_ALERT] =
        "SELECT b.json FROM alerts a CROSS JOIN alert_bodies b USING(router_sequence) WHERE a.id = ?1",
    [FM_EMBEDDED_LIST] = LIST(ANY("symbol", "5"), ANY("rule", "6"), ANY("domain", "7")),
    [FM_EMBEDDED_LIST_SYMBOL] = LIST(EXACT("symbol", "5"), ANY("rule", "6"), ANY("domain", "7")),
    [FM_EMBEDDED_LIST_RULE] = LIST(ANY("symbol", "5"), EXACT("rule", "6"), ANY("domain", "7")),
    [FM_EMBEDDED_LIST_DOMAIN] = LIST(ANY("symbol", "5"), ANY("rule", "6"), EXACT("domain", "7")),
};

static fm_embedded *embedded_of(fm_store *store)
{
    return (fm_embedded *)store;
}

/* Ends a call: a file that turned out to be damaged goes aside, and a new one is begun; the caller sees the failure,
 * asks for the cursor and writes again from the log. */
static int finish(fm_embedded *store, int result)
{
    if (result != FM_ECORRUPT)
        return result;
    if (fm_embedded_set_aside(store, "damage was found while using it") == 0 && fm_embedded_open_file(store, NULL) < 0)
        fm_log(FM_LOG_ERROR, "store_unusable", "file", store->path, NULL);
    return result;
}

static int ready(fm_embedded *store)
{
    return store->db != NULL ? 0 : fm_embedded_open_file(store, NULL);
}

static int run(fm_embedded *store, fm_embedded_statement which)
{
    sqlite3_stmt *statement = store->statement[which];
    int code = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    return fm_embedded_code(code == SQLITE_DONE || code == SQLITE_ROW ? reset : code);
}

static void bind_text(sqlite3_stmt *statement, int index, fm_slice text)
{
    sqlite3_bind_text64(statement, index, text.size > 0 ? text.data : "", text.size, SQLITE_STATIC, SQLITE_UTF8);
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool id_bytes(fm_slice id, unsigned char out[16])
{
    if (id.size != 32)
        return false;
    for (int i = 0; i < 16; i++) {
        int high = digit_of(id.data[2 * i]), low = digit_of(id.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static int put_one(fm_embedded *store, const fm_stored_alert *alert)
{
    unsigned char id[16];
    if (!id_bytes(alert->id, id))
        return FM_EINVAL;
    sqlite3_stmt *put = store->statement[FM_EMBEDDED_PUT_ALERT];
    sqlite3_bind_int64(put, 1, (sqlite3_int64)alert->router_sequence);
    sqlite3_bind_blob(put, 2, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(put, 3, alert->severity);
    sqlite3_bind_int64(put, 4, alert->event_ns);
    bind_text(put, 5, alert->symbol);
    bind_text(put, 6, alert->rule);
    bind_text(put, 7, alert->domain);
    int result = run(store, FM_EMBEDDED_PUT_ALERT);
    sqlite3_clear_bindings(put);
    if (result < 0 || sqlite3_changes(store->db) == 0)
        return result;
    sqlite3_stmt *body = store->statement[FM_EMBEDDED_PUT_BODY];
    sqlite3_bind_int64(body, 1, (sqlite3_int64)alert->router_sequence);
    bind_text(body, 2, alert->json);
    result = run(store, FM_EMBEDDED_PUT_BODY);
    sqlite3_clear_bindings(body);
    return result;
}

static int put_all(fm_embedded *store, const fm_stored_alert *alerts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        FM_TRY(put_one(store, &alerts[i]));
    sqlite3_bind_int64(store->statement[FM_EMBEDDED_PUT_CURSOR], 1, (sqlite3_int64)alerts[count - 1].router_sequence);
    FM_TRY(run(store, FM_EMBEDDED_PUT_CURSOR));
    return run(store, FM_EMBEDDED_COMMIT);
}

static int put_alerts(fm_store *base, const fm_stored_alert *alerts, uint32_t count)
{
    fm_embedded *store = embedded_of(base);
    if (count == 0)
        return 0;
    FM_TRY(ready(store));
    int result = run(store, FM_EMBEDDED_BEGIN);
    if (result == 0 && (result = put_all(store, alerts, count)) < 0 && !sqlite3_get_autocommit(store->db) &&
        run(store, FM_EMBEDDED_ROLLBACK) < 0)
        fm_log(FM_LOG_WARN, "store_rollback_failed", "file", store->path, NULL);
    return finish(store, result);
}

static int cursor(fm_store *base, uint64_t *router_sequence)
{
    fm_embedded *store = embedded_of(base);
    FM_TRY(ready(store));
    sqlite3_stmt *get = store->statement[FM_EMBEDDED_GET_CURSOR];
    int code = sqlite3_step(get);
    uint64_t found = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(get, 0) : 0;
    sqlite3_reset(get);
    int result = finish(store, fm_embedded_code(code));
    if (result == 0)
        *router_sequence = found;
    return result;
}

static sqlite3_stmt *bind_query(fm_embedded *store, const fm_alert_query *query)
{
    fm_embedded_statement which = query->symbol.size > 0   ? FM_EMBEDDED_LIST_SYMBOL
                                  : query->rule.size > 0   ? FM_EMBEDDED_LIST_RULE
                                  : query->domain.size > 0 ? FM_EMBEDDED_LIST_DOMAIN
                                                           : FM_EMBEDDED_LIST;
    sqlite3_stmt *list = store->statement[which];
    uint64_t before = query->before == 0 || query->before > INT64_MAX ? INT64_MAX : query->before;
    sqlite3_bind_int64(list, 1, (sqlite3_int64)before);
    sqlite3_bind_int64(list, 2, query->from_ns);
    sqlite3_bind_int64(list, 3, query->to_ns);
    sqlite3_bind_int64(list, 4, query->severity_min);
    bind_text(list, 5, query->symbol);
    bind_text(list, 6, query->rule);
    bind_text(list, 7, query->domain);
    sqlite3_bind_int64(list, 8, (sqlite3_int64)query->limit + 1); /* one more tells whether a page follows */
    return list;
}

static int list_alerts(fm_store *base, const fm_alert_query *query, fm_text *out, uint64_t *next)
{
    fm_embedded *store = embedded_of(base);
    if (query->limit < 1 || query->limit > 1000)
        return FM_EINVAL;
    FM_TRY(ready(store));
    size_t size_before = out->size;
    sqlite3_stmt *list = bind_query(store, query);
    uint32_t count = 0;
    uint64_t last = 0, following = 0;
    int code;
    fm_text_put(out, "[");
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        if (count == query->limit) {
            following = last;
            code = SQLITE_DONE;
            break;
        }
        last = (uint64_t)sqlite3_column_int64(list, 0);
        if (count++ > 0)
            fm_text_put(out, ",");
        const void *json = sqlite3_column_text(list, 1);
        fm_text_add(out, json, (size_t)sqlite3_column_bytes(list, 1));
    }
    sqlite3_reset(list);
    sqlite3_clear_bindings(list);
    int result = finish(store, fm_embedded_code(code));
    if (result < 0) {
        out->size = size_before;
        out->data[size_before] = '\0';
        return result;
    }
    fm_text_put(out, "]");
    *next = following;
    return 0;
}

static int get_alert(fm_store *base, fm_slice id, fm_text *out)
{
    fm_embedded *store = embedded_of(base);
    unsigned char bytes[16];
    if (!id_bytes(id, bytes))
        return FM_ENOTFOUND;
    FM_TRY(ready(store));
    sqlite3_stmt *get = store->statement[FM_EMBEDDED_GET_ALERT];
    sqlite3_bind_blob(get, 1, bytes, sizeof bytes, SQLITE_STATIC);
    int code = sqlite3_step(get);
    int result = code == SQLITE_DONE ? FM_ENOTFOUND : fm_embedded_code(code);
    if (result == 0) {
        const void *json = sqlite3_column_text(get, 0);
        fm_text_add(out, json, (size_t)sqlite3_column_bytes(get, 0));
    }
    sqlite3_reset(get);
    sqlite3_clear_bindings(get);
    return finish(store, result);
}

static void close_store(fm_store *base)
{
    fm_embedded_close_file(embedded_of(base));
    free(base);
}

int fm_store_open_embedded(const char *path, fm_store **out, fm_error *error)
{
    fm_embedded *store = calloc(1, sizeof *store);
    if (store == NULL)
        return fm_fail(error, FM_ENOMEM, "could not open the store \"%s\": out of memory", path);
    store->base = (fm_store){put_alerts, cursor, list_alerts, get_alert, close_store};
    if (!fm_slice_copy(fm_slice_of(path), store->path, sizeof store->path)) {
        free(store);
        return fm_fail(error, FM_EINVAL, "could not open the store: its path is too long");
    }
    fm_error why = {0};
    int result = fm_embedded_open_file(store, &why);
    if (result == FM_ECORRUPT && (result = fm_embedded_set_aside(store, why.message)) == 0)
        result = fm_embedded_open_file(store, &why);
    if (result < 0) {
        free(store);
        if (error != NULL)
            *error = why;
        return result;
    }
    *out = &store->base;
    return 0;
}
