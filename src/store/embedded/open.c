/* store/embedded/open.c - opening the SQLite file: checked, of a known schema, or set aside. */
#include "store/embedded/embedded.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x464d4144, CORRUPT_MAX = 1000 }; /* "FMAD" */

/* synchronous=NORMAL: a power cut may take the newest transactions with it, whole; the router's log brings them back.
 */
static const char SETTINGS[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;"
    "PRAGMA journal_size_limit=67108864;";

static const char SCHEMA[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE alerts("
    " router_sequence INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL,"
    " severity INTEGER NOT NULL,"
    " event_ns INTEGER NOT NULL,"
    " symbol TEXT NOT NULL,"
    " rule TEXT NOT NULL,"
    " domain TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX alerts_id ON alerts(id);"
    "CREATE INDEX alerts_symbol ON alerts(symbol);"
    "CREATE INDEX alerts_rule ON alerts(rule);"
    "CREATE INDEX alerts_domain ON alerts(domain);"
    "CREATE TABLE alert_bodies(router_sequence INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;"
    "CREATE TABLE cursors(name TEXT PRIMARY KEY, router_sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "PRAGMA application_id=1179468100;"
    "PRAGMA user_version=1;"
    "COMMIT;";

int fm_embedded_code(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return FM_ECORRUPT;
    case SQLITE_FULL:
        return FM_ENOSPC;
    case SQLITE_NOMEM:
        return FM_ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FM_EBUSY;
    default:
        return FM_EIO;
    }
}

static int fail_with(const fm_embedded *store, int sqlite_code, const char *what, fm_error *error)
{
    return fm_fail(error, fm_embedded_code(sqlite_code), "could not %s the store \"%s\": %s", what, store->path,
                   store->db != NULL ? sqlite3_errmsg(store->db) : sqlite3_errstr(sqlite_code));
}

static int read_number(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_OK || code == SQLITE_DONE ? SQLITE_ERROR : code;
}

/* One row "ok", or what is wrong. */
static int quick_check(fm_embedded *store, fm_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int result = 0;
    const char *said = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (said == NULL)
        result = fail_with(store, code, "check", error);
    else if (strcmp(said, "ok") != 0)
        result = fm_fail(error, FM_ECORRUPT, "could not use the store \"%s\": %s", store->path, said);
    sqlite3_finalize(statement);
    return result;
}

static int check_schema(fm_embedded *store, fm_error *error)
{
    int64_t version = 0, application = 0, tables = 0;
    int code = read_number(store->db, "PRAGMA user_version", &version);
    if (code == SQLITE_OK)
        code = read_number(store->db, "PRAGMA application_id", &application);
    if (code == SQLITE_OK)
        code = read_number(store->db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (code != SQLITE_OK)
        return fail_with(store, code, "read", error);
    if (tables == 0) {
        code = sqlite3_exec(store->db, SCHEMA, NULL, NULL, NULL);
        return code == SQLITE_OK ? 0 : fail_with(store, code, "make the tables of", error);
    }
    if (application != APPLICATION_ID || version != FM_EMBEDDED_SCHEMA) {
        fm_fail(error, FM_EVERSION, "could not use the store \"%s\": it has schema %lld, this build knows %d",
                store->path, (long long)version, FM_EMBEDDED_SCHEMA);
        if (error != NULL)
            snprintf(error->hint, sizeof error->hint,
                     "run the build that made it, or move the file aside: what the router's log keeps is stored again");
        return FM_EVERSION;
    }
    return 0;
}

int fm_embedded_open_file(fm_embedded *store, fm_error *error)
{
    int code = sqlite3_open_v2(
        store->path, &store->db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    int result = code == SQLITE_OK ? 0 : fail_with(store, code, "open", error);
    if (result == 0) {
        sqlite3_extended_result_codes(store->db, 1);
        sqlite3_busy_timeout(store->db, 2000); /* somebody looks into it with the sqlite3 tool */
        if ((code = sqlite3_exec(store->db, SETTINGS, NULL, NULL, NULL)) != SQLITE_OK)
            result = fail_with(store, code, "open", error);
    }
    if (result == 0)
        result = quick_check(store, error);
    if (result == 0)
        result = check_schema(store, error);
    for (int i = 0; result == 0 && i < FM_EMBEDDED_STATEMENTS; i++) {
        code = sqlite3_prepare_v3(store->db, fm_embedded_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statement[i],
                                  NULL);
        if (code != SQLITE_OK)
            result = fail_with(store, code, "use", error);
    }
    if (result < 0)
        fm_embedded_close_file(store);
    return result;
}

void fm_embedded_close_file(fm_embedded *store)
{
    for (int i = 0; i < FM_EMBEDDED_STATEMENTS; i++) {
        sqlite3_finalize(store->statement[i]);
        store->statement[i] = NULL;
    }
    sqlite3_close_v2(store->db);
    store->db = NULL;
}

int fm_embedded_set_aside(fm_embedded *store, const char *why)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char from[PATH_MAX], to[PATH_MAX];
    fm_embedded_close_file(store);
    int n = 1;
    for (; n < CORRUPT_MAX; n++) {
        snprintf(to, sizeof to, "%s.corrupt-%d", store->path, n);
        if (access(to, F_OK) != 0)
            break;
    }
    if (n == CORRUPT_MAX)
        return FM_ELIMIT;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(from, sizeof from, "%s%s", store->path, parts[i]);
        snprintf(to, sizeof to, "%s.corrupt-%d%s", store->path, n, parts[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return FM_EIO;
    }
    fm_log(FM_LOG_ERROR, "store_set_aside", "file", store->path, "why", why, "number", fm_log_int(n), NULL);
    return 0;
}
