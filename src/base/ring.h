/* base/ring.h - a bounded single-producer single-consumer ring of variable-length messages between two threads.
 *
 * The producer writes any number of messages and then publishes them at once, or takes them all back (a request is admitted whole
 * or refused whole). The consumer reads in place and then releases. Messages are 8-byte aligned and contiguous (the backing memory
 * is mapped twice, so a message never wraps). No locks; one release store a publish, one acquire load a peek. */
#ifndef FM_BASE_RING_H
#define FM_BASE_RING_H

#include "base/assert.h"
#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FM_RING_HEADER 8 /* before each message: its size; keeps messages aligned to 8 */

/* Complete only because a message in is part of the tick path: nobody else looks inside. Positions only ever grow; a
 * position modulo the size is an offset. Each side keeps its own positions on its own cache lines, and looks at the other side's only when
 * its last known value does not suffice. */
typedef struct fm_ring {
    char *base;
    size_t size;
    char space0[48];
    /* written by the producer */
    _Atomic size_t published;
    size_t reserved; /* >= published */
    size_t known_limit; /* reserved may grow up to here */
    char space1[40];
    /* written by the consumer */
    _Atomic size_t released;
    size_t peeked; /* >= released */
    size_t known_published;
    char space2[40];
} fm_ring;

/* `size` is rounded up to a power of two of at least one page. FM_ENOMEM when the mapping is refused. */
int  fm_ring_create(size_t size, fm_ring **out) FM_CHECKED;
void fm_ring_destroy(fm_ring *ring);
size_t fm_ring_size(const fm_ring *ring);

/* Producer. `reserve` gives room for one message of `size` bytes (8-aligned), not yet seen by the consumer; NULL when full. */
static inline void *fm_ring_reserve(fm_ring *ring, size_t size);
void   fm_ring_publish(fm_ring *ring); /* all reserved messages become visible */
void   fm_ring_abort(fm_ring *ring);   /* all reserved and not yet published messages are forgotten */
size_t fm_ring_unpublished(const fm_ring *ring); /* bytes of them, with a header each */

/* Consumer. `peek` gives the next message and its size, NULL when none; valid until `release`, which frees all peeked messages. */
void *fm_ring_peek(fm_ring *ring, size_t *size);
void  fm_ring_release(fm_ring *ring);

/* The same for many: all that is published and not peeked yet, one message behind the other, each with its FM_RING_HEADER; NULL when none. `skip`
 * peeks whole messages of it by their bytes. */
char *fm_ring_span(fm_ring *ring, size_t *size);
void  fm_ring_skip(fm_ring *ring, size_t size);
static inline void *fm_ring_next(char **at) /* the message at *at, which moves behind it */
{
    char *message = *at + FM_RING_HEADER;
    *at = message + ((*(uint64_t *)(void *)*at + 7) & ~(uint64_t)7);
    return message;
}

/* For a ring whose two sides are one thread: when it is empty it begins at its first byte again, so that only as much of its memory is
 * walked through as is ever in use at once. Nothing happens while messages are reserved, published or peeked. */
void fm_ring_rewind(fm_ring *ring);

/* Either side; exact for the own side, a bound for the other. */
size_t fm_ring_used(const fm_ring *ring);
bool   fm_ring_empty(const fm_ring *ring);

/* ---- the tick path ---- */

bool fm_ring_has_room(fm_ring *ring, size_t end); /* up to that position? Looks at what the consumer has released */

static inline void *fm_ring_reserve(fm_ring *ring, size_t size)
{
    size_t at = ring->reserved, end = at + FM_RING_HEADER + ((size + 7) & ~(size_t)7);
    if (FM_UNLIKELY(size > SIZE_MAX / 2 || (end > ring->known_limit && !fm_ring_has_room(ring, end))))
        return NULL;
    char *message = ring->base + (at & (ring->size - 1));
    *(uint64_t *)(void *)message = size;
    ring->reserved = end;
    return message + FM_RING_HEADER;
}

#endif
