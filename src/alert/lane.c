/* alert/lane.c - from one shard to the router, in order, without ever making the shard wait. */
#include "alert/lane.h"

#include "base/assert.h"

#include <stdlib.h>

struct fm_lane_spilled {
    fm_lane_spilled *next;
    fm_router_frame frame[]; /* one, with its texts */
};

int fm_lane_init(fm_lane *lane, size_t ring_bytes)
{
    fm_ring *ring;
    FM_TRY(fm_ring_create(ring_bytes, &ring));
    *lane = (fm_lane){.ring = ring};
    lane->end = &lane->first;
    pthread_mutex_init(&lane->lock, NULL);
    return 0;
}

static void free_list(fm_lane_spilled *list)
{
    while (list != NULL) {
        fm_lane_spilled *next = list->next;
        free(list);
        list = next;
    }
}

void fm_lane_fini(fm_lane *lane)
{
    free_list(lane->first);
    free_list(lane->pending);
    free(lane->current);
    fm_ring_destroy(lane->ring);
    pthread_mutex_destroy(&lane->lock);
}

static void spill(fm_lane *lane, const fm_routed_alert *alert, size_t size, _Atomic uint32_t *spilling_count)
{
    fm_lane_spilled *node = malloc(sizeof *node + size);
    FM_ASSERT(node != NULL); /* an alert is never dropped; the restart raises it again */
    fm_router_frame_put(node->frame, alert);
    node->next = NULL;
    pthread_mutex_lock(&lane->lock);
    *lane->end = node;
    lane->end = &node->next;
    if (!atomic_load_explicit(&lane->spilling, memory_order_relaxed)) {
        atomic_store_explicit(&lane->spilling, true, memory_order_release);
        atomic_fetch_add_explicit(spilling_count, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lane->lock);
}

void fm_lane_put(fm_lane *lane, const fm_routed_alert *alert, _Atomic uint32_t *spilling_count)
{
    size_t size = fm_router_frame_size(alert);
    void *room = NULL;
    if (!atomic_load_explicit(&lane->spilling, memory_order_acquire))
        room = fm_ring_reserve(lane->ring, size);
    if (room == NULL) {
        spill(lane, alert, size, spilling_count);
        return;
    }
    fm_router_frame_put(room, alert);
    fm_ring_publish(lane->ring);
}

static void take_list(fm_lane *lane, _Atomic uint32_t *spilling_count)
{
    pthread_mutex_lock(&lane->lock);
    if (fm_ring_empty(lane->ring)) {
        lane->pending = lane->first;
        lane->first = NULL;
        lane->end = &lane->first;
        atomic_store_explicit(&lane->spilling, false, memory_order_release);
        atomic_fetch_sub_explicit(spilling_count, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lane->lock);
}

const fm_router_frame *fm_lane_next(fm_lane *lane, _Atomic uint32_t *spilling_count)
{
    free(lane->current);
    lane->current = NULL;
    for (;;) {
        if (lane->pending != NULL) {
            lane->current = lane->pending;
            lane->pending = lane->current->next;
            lane->spilled_count++;
            return lane->current->frame;
        }
        size_t size;
        const fm_router_frame *frame = fm_ring_peek(lane->ring, &size);
        if (frame != NULL)
            return frame;
        fm_ring_release(lane->ring);
        if (!atomic_load_explicit(&lane->spilling, memory_order_acquire))
            return NULL;
        take_list(lane, spilling_count);
    }
}

void fm_lane_release(fm_lane *lane)
{
    free(lane->current);
    lane->current = NULL;
    fm_ring_release(lane->ring);
}

bool fm_lane_empty(const fm_lane *lane)
{
    return lane->pending == NULL && fm_ring_empty(lane->ring) &&
           !atomic_load_explicit(&lane->spilling, memory_order_acquire);
}
