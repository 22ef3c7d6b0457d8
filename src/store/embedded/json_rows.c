/* store/embedded/json_rows.c - see the header. */
#include "store/embedded/json_rows.h"

#include "base/assert.h"

#include <sqlite3.h>

#define CELLS_MAX 16

int fm_json_rows(fm_slice json, const char *query, int (*each)(void *context, const char *const *cell, fm_error *error),
                 void *context, fm_error *error)
{
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *row = NULL;
    int result = 0, step = SQLITE_ERROR;
    if (sqlite3_open_v2(":memory:", &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(sqlite, query, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_bind_text64(row, 1, json.data, json.size, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK) {
        FM_ASSERT(sqlite3_column_count(row) <= CELLS_MAX);
        while (result >= 0 && (step = sqlite3_step(row)) == SQLITE_ROW) {
            const char *cell[CELLS_MAX] = {NULL};
            for (int i = 0; i < sqlite3_column_count(row); i++)
                cell[i] = (const char *)sqlite3_column_text(row, i);
            result = each(context, cell, error);
        }
    }
    if (result >= 0 && step != SQLITE_DONE)
        result = fm_fail(error, FM_ESYNTAX, "%s", sqlite3_errmsg(sqlite));
    sqlite3_finalize(row);
    sqlite3_close(sqlite);
    return result;
}
