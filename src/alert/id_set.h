/* alert/id_set.h - the ids that were told last: a bounded set of 128-bit ids; when it is full the oldest leaves.
 *
 * Open addressing with linear probing over a circle of ids in their order of arrival; removal shifts back, so there are
 * no tombstones and a lookup never degrades. 24 bytes an id, touched as it fills. One thread. */
#ifndef FM_ALERT_ID_SET_H
#define FM_ALERT_ID_SET_H

#include "base/error.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_id_set {
    fm_hash128 *circle; /* ids_max of them */
    uint32_t *table;    /* position in the circle + 1; 0 = free */
    uint64_t mask;      /* table slots - 1 */
    uint32_t ids_max;
    uint32_t count;
    uint32_t oldest; /* position in the circle */
} fm_id_set;

int fm_id_set_init(fm_id_set *set, uint64_t ids_max) FM_CHECKED; /* 1 .. 2^30; FM_EINVAL, FM_ENOMEM */
void fm_id_set_fini(fm_id_set *set);
bool fm_id_set_has(const fm_id_set *set, fm_hash128 id);
void fm_id_set_add(fm_id_set *set, fm_hash128 id); /* an id that is there stays where it is in the order */

#endif
