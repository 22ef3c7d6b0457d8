/* store/embedded/embedded.h - the SQLite store: what its two files share.
 *
 * Tables (schema 1, PRAGMA user_version):
 *   alerts       router_sequence (the row's own key), id, symbol, rule, domain, severity, event_ns: narrow, so that a
 * filter reads little alert_bodies router_sequence, json cursors      name, router_sequence An index on one column of
 * `alerts` is ordered by router_sequence within it, so a page of a filtered list is read from where the last one ended,
 * without sorting. */
#ifndef FM_STORE_EMBEDDED_H
#define FM_STORE_EMBEDDED_H

#include "store/store.h"

#include <limits.h>
#include <sqlite3.h>

#define FM_EMBEDDED_SCHEMA 1

typedef enum fm_embedded_statement {
    FM_EMBEDDED_BEGIN,
    FM_EMBEDDED_COMMIT,
    FM_EMBEDDED_ROLLBACK,
    FM_EMBEDDED_PUT_ALERT,
    FM_EMBEDDED_PUT_BODY,
    FM_EMBEDDED_PUT_CURSOR,
    FM_EMBEDDED_GET_CURSOR,
    FM_EMBEDDED_GET_ALERT,
    FM_EMBEDDED_LIST, /* by nothing, or by a time range or severity only */
    FM_EMBEDDED_LIST_SYMBOL,
    FM_EMBEDDED_LIST_RULE,
    FM_EMBEDDED_LIST_DOMAIN,
    FM_EMBEDDED_STATEMENTS
} fm_embedded_statement;

typedef struct fm_embedded {
    fm_store base;
    sqlite3 *db; /* NULL after a repair that failed; tried again at the next call */
    sqlite3_stmt *statement[FM_EMBEDDED_STATEMENTS];
    char path[PATH_MAX - 64];
} fm_embedded;

extern const char *const fm_embedded_sql[FM_EMBEDDED_STATEMENTS];

int fm_embedded_open_file(fm_embedded *store, fm_error *error) FM_CHECKED; /* FM_ECORRUPT, FM_EVERSION, FM_EIO */
void fm_embedded_close_file(fm_embedded *store);
int fm_embedded_set_aside(fm_embedded *store, const char *why) FM_CHECKED; /* closes, renames to .corrupt-<n> */
int fm_embedded_code(int sqlite_code);                                     /* 0, or ours */

#endif
