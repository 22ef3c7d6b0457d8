/* alert/id_set.c - a bounded set of ids that forgets the oldest. */
#include "alert/id_set.h"

#include <stdlib.h>

int fm_id_set_init(fm_id_set *set, uint64_t ids_max)
{
    if (ids_max < 1 || ids_max > UINT64_C(1) << 30)
        return FM_EINVAL;
    uint64_t slots = 8;
    while (slots < ids_max * 2)
        slots *= 2;
    fm_hash128 *circle = calloc(ids_max, sizeof *circle);
    uint32_t *table = calloc(slots, sizeof *table);
    if (circle == NULL || table == NULL) {
        free(circle);
        free(table);
        return FM_ENOMEM;
    }
    *set = (fm_id_set){.circle = circle, .table = table, .mask = slots - 1, .ids_max = (uint32_t)ids_max};
    return 0;
}

void fm_id_set_fini(fm_id_set *set)
{
    free(set->circle);
    free(set->table);
    *set = (fm_id_set){0};
}

static uint64_t home_of(const fm_id_set *set, fm_hash128 id)
{
    uint64_t mixed = (id.low ^ (id.high << 1)) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed >> 32 ^ mixed) & set->mask;
}

/* The slot of the id, or the free slot where it would go. */
static uint64_t find(const fm_id_set *set, fm_hash128 id)
{
    uint64_t slot = home_of(set, id);
    while (set->table[slot] != 0) {
        fm_hash128 there = set->circle[set->table[slot] - 1];
        if (there.low == id.low && there.high == id.high)
            break;
        slot = (slot + 1) & set->mask;
    }
    return slot;
}

bool fm_id_set_has(const fm_id_set *set, fm_hash128 id)
{
    return set->table[find(set, id)] != 0;
}

/* Knuth, The Art of Computer Programming 3, 6.4, algorithm R: those behind the gap move into it unless that would put
 * them before home. */
static void remove_at(fm_id_set *set, uint64_t gap)
{
    uint64_t slot = gap;
    for (;;) {
        slot = (slot + 1) & set->mask;
        if (set->table[slot] == 0)
            break;
        uint64_t home = home_of(set, set->circle[set->table[slot] - 1]);
        if (((slot - home) & set->mask) < ((slot - gap) & set->mask))
            continue;
        set->table[gap] = set->table[slot];
        gap = slot;
    }
    set->table[gap] = 0;
}

void fm_id_set_add(fm_id_set *set, fm_hash128 id)
{
    if (fm_id_set_has(set, id))
        return;
    uint32_t position;
    if (set->count == set->ids_max) {
        position = set->oldest;
        remove_at(set, find(set, set->circle[position]));
        set->oldest = position + 1 == set->ids_max ? 0 : position + 1;
    } else {
        position = set->count++;
    }
    set->circle[position] = id;
    set->table[find(set, id)] = position + 1;
}
