/* base/ring.h - a bounded single-producer single-consumer ring of variable-length messages between two threads.
 *
 * The producer writes any number of messages and then publishes them at once, or takes them all back (a request is admitted whole
 * or refused whole). The consumer reads in place and then releases. Messages are 8-byte aligned and contiguous (the backing memory
 * is mapped twice, so a message never wraps). No locks; one release store a publish, one acquire load a peek. */
#ifndef FM_BASE_RING_H
#define FM_BASE_RING_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fm_ring fm_ring;

/* `size` is rounded up to a power of two of at least one page. FM_ENOMEM when the mapping is refused. */
int  fm_ring_create(size_t size, fm_ring **out) FM_CHECKED;
void fm_ring_destroy(fm_ring *ring);
size_t fm_ring_size(const fm_ring *ring);

/* Producer. `reserve` gives room for one message of `size` bytes (8-aligned), not yet seen by the consumer; NULL when full. */
void *fm_ring_reserve(fm_ring *ring, size_t size);
void  fm_ring_publish(fm_ring *ring); /* all reserved messages become visible */
void  fm_ring_abort(fm_ring *ring);   /* all reserved and not yet published messages are forgotten */

/* Consumer. `peek` gives the next message and its size, NULL when none; valid until `release`, which frees all peeked messages. */
void *fm_ring_peek(fm_ring *ring, size_t *size);
void  fm_ring_release(fm_ring *ring);

/* For a ring whose two sides are one thread: when it is empty it begins at its first byte again, so that only as much of its memory is
 * walked through as is ever in use at once. Nothing happens while messages are reserved, published or peeked. */
void fm_ring_rewind(fm_ring *ring);

/* Either side; exact for the own side, a bound for the other. */
size_t fm_ring_used(const fm_ring *ring);
bool   fm_ring_empty(const fm_ring *ring);

#endif
