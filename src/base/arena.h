/* base/arena.h - memory that grows by address only: a large range is reserved at start, pages are touched as they are used.
 *
 * An allocation is a pointer bump (8-byte or more alignment, zeroed), never a malloc; nothing is freed but all of it. */
#ifndef FM_BASE_ARENA_H
#define FM_BASE_ARENA_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct fm_arena {
    char  *base;
    size_t used;
    size_t size; /* the limit */
} fm_arena;

int   fm_arena_init(fm_arena *arena, size_t size) FM_CHECKED; /* reserves address space only; FM_ENOMEM */
void  fm_arena_fini(fm_arena *arena);
void *fm_arena_alloc(fm_arena *arena, size_t size, size_t alignment); /* zeroed; NULL when the limit is reached */
void  fm_arena_reset(fm_arena *arena); /* forgets everything; the pages go back to the system */

#endif
