/* alert/latest_map.c - newest values by symbol. */
#include "alert/latest_map.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

int fm_latest_map_init(fm_latest_map *map, uint32_t room)
{
    uint64_t slots = 8;
    while (slots < (uint64_t)room * 2)
        slots *= 2;
    *map = (fm_latest_map){.mask = slots - 1, .room = room};
    map->latest = calloc(room, sizeof *map->latest);
    map->bytes = calloc(room, sizeof *map->bytes);
    map->table = calloc(slots, sizeof *map->table);
    if (map->latest == NULL || map->bytes == NULL || map->table == NULL) {
        fm_latest_map_fini(map);
        return FM_ENOMEM;
    }
    return 0;
}

void fm_latest_map_fini(fm_latest_map *map)
{
    for (uint32_t i = 0; map->bytes != NULL && i < map->room; i++)
        free(map->bytes[i].data);
    free(map->bytes);
    free(map->latest);
    free(map->table);
    *map = (fm_latest_map){0};
}

static fm_slice copy_to(char **at, fm_slice slice)
{
    fm_slice copy = {*at, slice.size};
    if (slice.size > 0)
        memcpy(*at, slice.data, slice.size);
    *at += slice.size;
    return copy;
}

static bool fill(fm_latest_map *map, uint32_t position, const fm_redis_latest *latest)
{
    size_t size = latest->symbol.size;
    for (uint32_t i = 0; i < latest->count; i++)
        size += latest->field[i].size + latest->text[i].size;
    struct fm_latest_bytes *bytes = &map->bytes[position];
    if (size > bytes->room) {
        char *grown = malloc(size * 2); /* the old bytes stay valid until the new ones are there */
        if (grown == NULL)
            return false;
        free(bytes->data);
        *bytes = (struct fm_latest_bytes){grown, size * 2};
    }
    char *at = bytes->data;
    fm_redis_latest *entry = &map->latest[position];
    entry->symbol = copy_to(&at, latest->symbol);
    for (uint32_t i = 0; i < latest->count; i++) {
        entry->field[i] = copy_to(&at, latest->field[i]);
        entry->text[i] = copy_to(&at, latest->text[i]);
    }
    entry->count = latest->count;
    return true;
}

bool fm_latest_map_put(fm_latest_map *map, const fm_redis_latest *latest)
{
    uint64_t slot = fm_hash_slice(latest->symbol) & map->mask;
    while (map->table[slot] != 0) {
        uint32_t position = map->table[slot] - 1;
        if (fm_slice_equal(map->latest[position].symbol, latest->symbol))
            return fill(map, position, latest);
        slot = (slot + 1) & map->mask;
    }
    if (map->count == map->room || !fill(map, map->count, latest))
        return false;
    map->table[slot] = ++map->count;
    return true;
}

void fm_latest_map_clear(fm_latest_map *map)
{
    if (map->count > 0)
        memset(map->table, 0, (map->mask + 1) * sizeof *map->table);
    map->count = 0;
}
