/* alert/latest_map.h - the newest value of each symbol, until somebody takes them all: bounded, in the order symbols
 * first came. */
#ifndef FM_ALERT_LATEST_MAP_H
#define FM_ALERT_LATEST_MAP_H

#include "base/error.h"
#include "store/redis.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct fm_latest_map {
    fm_redis_latest *latest; /* `count` of them; slices into `bytes` of the same position */
    struct fm_latest_bytes {
        char *data;
        size_t room;
    } * bytes;
    uint32_t *table; /* position + 1; 0 = free */
    uint64_t mask;
    uint32_t count, room;
} fm_latest_map;

int fm_latest_map_init(fm_latest_map *map, uint32_t room) FM_CHECKED;
void fm_latest_map_fini(fm_latest_map *map);
bool fm_latest_map_put(fm_latest_map *map,
                       const fm_redis_latest *latest); /* copies; false: full of other symbols (or of memory) */
void fm_latest_map_clear(fm_latest_map *map);          /* keeps the memory */

#endif
