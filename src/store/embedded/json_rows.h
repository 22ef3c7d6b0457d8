/* store/embedded/json_rows.h - a JSON document asked in SQL: SQLite's json_each and operators -> and ->> over it.
 *
 *   SELECT value->>'file', value->>'start' FROM json_each(?1, '$.events')
 *
 * For files that a person wrote or a tool made, off the tick path: the document is bound to ?1. */
#ifndef FM_STORE_EMBEDDED_JSON_ROWS_H
#define FM_STORE_EMBEDDED_JSON_ROWS_H

#include "base/error.h"
#include "base/slice.h"

/* Calls `each` with the cells of every row as text, NULL where null, until it fails. FM_ESYNTAX when the document is no
 * JSON. */
int fm_json_rows(fm_slice json, const char *query, int (*each)(void *context, const char *const *cell, fm_error *error),
                 void *context, fm_error *error) FM_CHECKED;

#endif
