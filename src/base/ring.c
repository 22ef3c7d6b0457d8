/* base/ring.c - all of the ring but what each tick passes through, which is in the header. */
#include "base/ring.h"

#include "base/assert.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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
    *ring = (fm_ring){.size = rounded, .known_limit = rounded};
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

bool fm_ring_has_room(fm_ring *ring, size_t end)
{
    ring->known_limit = atomic_load_explicit(&ring->released, memory_order_acquire) + ring->size;
    return end <= ring->known_limit;
}

void fm_ring_publish(fm_ring *ring)
{
    atomic_store_explicit(&ring->published, ring->reserved, memory_order_release);
}

void fm_ring_abort(fm_ring *ring)
{
    ring->reserved = atomic_load_explicit(&ring->published, memory_order_relaxed);
}

size_t fm_ring_unpublished(const fm_ring *ring)
{
    return ring->reserved - atomic_load_explicit(&ring->published, memory_order_relaxed);
}

char *fm_ring_span(fm_ring *ring, size_t *size)
{
    if (ring->peeked == ring->known_published)
        ring->known_published = atomic_load_explicit(&ring->published, memory_order_acquire);
    *size = ring->known_published - ring->peeked;
    return *size > 0 ? ring->base + (ring->peeked & (ring->size - 1)) : NULL;
}

void fm_ring_skip(fm_ring *ring, size_t size)
{
    FM_ASSERT(size <= ring->known_published - ring->peeked);
    ring->peeked += size;
}

void *fm_ring_peek(fm_ring *ring, size_t *size)
{
    size_t left;
    char *at = fm_ring_span(ring, &left), *behind = at;
    if (at == NULL)
        return NULL;
    void *message = fm_ring_next(&behind);
    *size = *(uint64_t *)(void *)at;
    fm_ring_skip(ring, (size_t)(behind - at));
    return message;
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
    ring->reserved = ring->peeked = ring->known_published = 0;
    ring->known_limit = ring->size;
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
