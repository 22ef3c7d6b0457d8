/* alert/redis_cursor.h - the small file that says how far Redis has got: one line, replaced whole. */
#ifndef FM_ALERT_REDIS_CURSOR_H
#define FM_ALERT_REDIS_CURSOR_H

#include "base/error.h"
#include "base/file.h"

#include <stdint.h>

/* 0 and *cursor, which is 0 when there is no file or it is of another incarnation or not ours: everything kept is then
 * published again, and the stream's ids show what it has already. */
int fm_redis_cursor_read(const fm_file_layer *layer, const char *path, uint64_t incarnation_ms,
                         uint64_t *cursor) FM_CHECKED;
int fm_redis_cursor_write(const fm_file_layer *layer, const char *path, uint64_t incarnation_ms,
                          uint64_t cursor) FM_CHECKED;

#endif
