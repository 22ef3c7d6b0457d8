/* script/memory.h - the memory of one Lua state: an allocator of its own over one range of addresses.
 *
 * A rule that is killed in the middle of anything leaves its Lua state behind in pieces. Because every byte of the
 * state lies in this range, and no lock and no list of the process's malloc is ever touched from Lua, the pieces are
 * dropped with one call (fm_memory_reset) and the process goes on. It counts what is live, so a cap holds for every
 * path by which a script can allocate. */
#ifndef FM_SCRIPT_MEMORY_H
#define FM_SCRIPT_MEMORY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FM_MEMORY_CLASSES 192 /* 16-byte steps to 512, then four sizes a doubling */

typedef struct fm_memory {
    char *base;
    size_t reserved; /* addresses; pages are touched as they are used */
    size_t top;      /* bytes of the range that were ever handed out */
    size_t limit;    /* live bytes at most */
    size_t live;
    size_t peak;  /* largest `live` since it was last set */
    bool refused; /* the limit was met since it was last cleared */
    void *free_block[FM_MEMORY_CLASSES];
} fm_memory;

int fm_memory_init(fm_memory *memory, size_t limit) FM_CHECKED; /* FM_ENOMEM when the range is refused */
void fm_memory_fini(fm_memory *memory);
void fm_memory_reset(fm_memory *memory); /* forgets every block; the pages go back to the system */

/* A lua_Alloc; `context` is the fm_memory. Making a block smaller never fails. */
void *fm_memory_allocate(void *context, void *block, size_t old_size, size_t new_size);

#endif
