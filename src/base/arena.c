/* base/arena.c - one reserved range, a bump pointer, pages from the system on first touch. */
#include "base/arena.h"

#include "base/assert.h"

#include <sys/mman.h>
#include <unistd.h>

int fm_arena_init(fm_arena *arena, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size == 0 || size > SIZE_MAX - page)
        return FM_EINVAL;
    size = (size + page - 1) / page * page;

    /* NORESERVE: address space only, so that a generous limit costs nothing until it is used. */
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return FM_ENOMEM;
    *arena = (fm_arena){.base = base, .used = 0, .size = size};
    return 0;
}

void fm_arena_fini(fm_arena *arena)
{
    if (arena->base != NULL)
        munmap(arena->base, arena->size);
    *arena = (fm_arena){0};
}

void *fm_arena_alloc(fm_arena *arena, size_t size, size_t alignment)
{
    if (alignment < 8)
        alignment = 8;
    FM_ASSERT((alignment & (alignment - 1)) == 0);
    FM_ASSERT(alignment <= 4096); /* the base is aligned to a page */

    size_t start = (arena->used + alignment - 1) & ~(alignment - 1);
    if (start > arena->size || size > arena->size - start)
        return NULL;
    arena->used = start + size;
    return arena->base + start;
}

void fm_arena_reset(fm_arena *arena)
{
    if (arena->used > 0) {
        int result = madvise(arena->base, arena->size, MADV_DONTNEED); /* private pages read as zero afterwards */
        FM_ASSERT(result == 0);
    }
    arena->used = 0;
}
