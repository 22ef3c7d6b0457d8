/* alert/redis_cursor.c - keeping the cursor of Redis. */
#include "alert/redis_cursor.h"

#include "base/hash.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 128 };

static int format(char out[LINE_MAX_SIZE], uint64_t incarnation_ms, uint64_t cursor)
{
    int size = snprintf(out, LINE_MAX_SIZE, "fmads-redis-cursor 1 %" PRIu64 " %" PRIu64, incarnation_ms, cursor);
    return size +
           snprintf(out + size, LINE_MAX_SIZE - (size_t)size, " %08" PRIx32 "\n", fm_crc32c(0, out, (size_t)size));
}

int fm_redis_cursor_read(const fm_file_layer *layer, const char *path, uint64_t incarnation_ms, uint64_t *cursor)
{
    char *text = NULL;
    size_t size = 0;
    int result = fm_file_read_all(layer, path, LINE_MAX_SIZE, &text, &size);
    if (result == FM_ENOTFOUND) {
        *cursor = 0;
        return 0;
    }
    if (result < 0 && result != FM_ELIMIT)
        return result;

    uint64_t incarnation = 0, sequence = 0;
    char expected[LINE_MAX_SIZE] = "";
    if (result == 0 && sscanf(text, "fmads-redis-cursor 1 %" SCNu64 " %" SCNu64, &incarnation, &sequence) == 2)
        format(expected, incarnation, sequence);
    bool good = result == 0 && strcmp(text, expected) == 0;
    if (!good || incarnation != incarnation_ms)
        fm_log(FM_LOG_WARN, "redis_cursor_ignored", "file", path, "why",
               good ? "it is of another data directory" : "it is damaged", NULL);
    *cursor = good && incarnation == incarnation_ms ? sequence : 0;
    free(text);
    return 0;
}

int fm_redis_cursor_write(const fm_file_layer *layer, const char *path, uint64_t incarnation_ms, uint64_t cursor)
{
    char line[LINE_MAX_SIZE];
    int size = format(line, incarnation_ms, cursor);
    return fm_file_replace(layer, path, line, (size_t)size);
}
