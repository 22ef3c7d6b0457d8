/* base/ring.c - positions only ever grow; a position modulo the size is an offset. Each side keeps its own positions on
 * its own cache lines, and looks at the other side's only when its last known value does not suffice. */
#include "base/ring.h"

#include "base/assert.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER_SIZE = 8 }; /* the message's size; keeps messages aligned to 8 */

struct fm_ring {
    char *base;
    size_t size;
    char space0[48];
    /* written by the producer */
    _Atomic size_t published;
    size_t reserved; /* >= published */
    size_t known_released;
    char space1[40];
    /* written by the consumer */
    _Atomic size_t released;
    size_t peeked; /* >= released */
    size_t known_published;
    char space2[40];
};

/* The same pages twice, one behind the other: a message that runs over the end runs on in the second mapping. */
static char *map_twice(size_t size)
{
    int fd = memfd_create("fmads-ring", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *base = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0)
        base = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base != MAP_FAILED) {
        if (mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
            mmap(base + size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
            munmap(base, 2 * size);
            base = MAP_FAILED;
        }
    }
    close(fd);
    return base == MAP_FAILED ? NULL : base;
}

int fm_ring_create(size_t size, fm_ring **out)
{
    size_t rounded = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MAX / 8)
        return FM_EINVAL;
    while (rounded < size)
        rounded *= 2;

    fm_ring *ring = aligned_alloc(64, sizeof(*ring));
    if (ring == NULL)
        return FM_ENOMEM;
    *ring = (fm_ring){.size = rounded};
    ring->base = map_twice(rounded);
    if (ring->base == NULL) {
        free(ring);
        return FM_ENOMEM;
    }
    *out = ring;
    return 0;
}

void fm_ring_destroy(fm_ring *ring)
{
    if (ring == NULL)
        return;
    munmap(ring->base, 2 * ring->size);
    free(ring);
}

size_t fm_ring_size(const fm_ring *ring)
{
    return ring->size;
}

void *fm_ring_reserve(fm_ring *ring, size_t size)
{
    if (FM_UNLIKELY(size > ring->size - HEADER_SIZE))
        return NULL;
    size_t whole = HEADER_SIZE + ((size + 7) & ~(size_t)7);
    if (ring->reserved + whole - ring->known_released > ring->size) {
        ring->known_released = atomic_load_explicit(&ring->released, memory_order_acquire);
        if (ring->reserved + whole - ring->known_released > ring->size)
            return NULL;
    }
    char *message = ring->base + (ring->reserved & (ring->size - 1));
    *(uint64_t *)message = size;
    ring->reserved += whole;
    return message + HEADER_SIZE;
}

void fm_ring_publish(fm_ring *ring)
{
    atomic_store_explicit(&ring->published, ring->reserved, memory_order_release);
}

void fm_ring_abort(fm_ring *ring)
{
    ring->reserved = atomic_load_explicit(&ring->published, memory_order_relaxed);
}

void *fm_ring_peek(fm_ring *ring, size_t *size)
{
    if (ring->peeked == ring->known_published) {
        ring->known_published = atomic_load_explicit(&ring->published, memory_order_acquire);
        if (ring->peeked == ring->known_published)
            return NULL;
    }
    char *message = ring->base + (ring->peeked & (ring->size - 1));
    *size = *(uint64_t *)message;
    size_t whole = HEADER_SIZE + ((*size + 7) & ~(size_t)7);
    FM_ASSERT(whole <= ring->known_published - ring->peeked);
    ring->peeked += whole;
    return message + HEADER_SIZE;
}

void fm_ring_release(fm_ring *ring)
{
    atomic_store_explicit(&ring->released, ring->peeked, memory_order_release);
}

void fm_ring_rewind(fm_ring *ring)
{
    size_t at = ring->reserved;
    if (at != atomic_load_explicit(&ring->published, memory_order_relaxed) || at != ring->peeked ||
        at != atomic_load_explicit(&ring->released, memory_order_relaxed))
        return;
    ring->reserved = ring->known_released = ring->peeked = ring->known_published = 0;
    atomic_store_explicit(&ring->published, 0, memory_order_relaxed);
    atomic_store_explicit(&ring->released, 0, memory_order_relaxed);
}

/* `released` is read first: `published` read later is never behind it, so the difference is never negative. */
size_t fm_ring_used(const fm_ring *ring)
{
    size_t released = atomic_load_explicit(&ring->released, memory_order_acquire);
    size_t published = atomic_load_explicit(&ring->published, memory_order_acquire);
    size_t used = published - released;
    return used < ring->size ? used : ring->size;
}

bool fm_ring_empty(const fm_ring *ring)
{
    return fm_ring_used(ring) == 0;
}
