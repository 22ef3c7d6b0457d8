/* alert/lane.h - one shard's way to the router: a ring, and behind it a list in memory for what the ring had no room
 * for.
 *
 * Order is kept: while anything is in the list the shard adds to the list only, and the router takes the list only when
 * it has found the ring empty. The list is bounded by what the shard has admitted: while it is in use
 * `fm_router_behind` makes requests be refused. */
#ifndef FM_ALERT_LANE_H
#define FM_ALERT_LANE_H

#include "alert/router_frame.h"
#include "base/ring.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct fm_lane_spilled fm_lane_spilled;

typedef struct fm_lane {
    fm_ring *ring;
    _Atomic bool spilling; /* set by the shard, cleared by the router, both under `lock` */
    pthread_mutex_t lock;
    fm_lane_spilled *first, **end; /* the list; under `lock` */
    fm_lane_spilled *pending;      /* the router's: taken from the list, older than anything in the ring */
    fm_lane_spilled *current;      /* the router's: given out last */
    uint64_t spilled_count;        /* the router's */
    uint64_t seen;                 /* the router's: alerts of this shard that are in its batch, logged or known */
    _Atomic uint64_t taken;
} fm_lane;

int fm_lane_init(fm_lane *lane, size_t ring_bytes) FM_CHECKED;
void fm_lane_fini(fm_lane *lane);

/* The shard. `spilling_count` is moved when the list begins; the router moves it back. */
void fm_lane_put(fm_lane *lane, const fm_routed_alert *alert, _Atomic uint32_t *spilling_count);

/* The router. The oldest frame not yet given out, or NULL; valid until the next call or the release. */
const fm_router_frame *fm_lane_next(fm_lane *lane, _Atomic uint32_t *spilling_count);
void fm_lane_release(fm_lane *lane);
bool fm_lane_empty(const fm_lane *lane);

#endif
