/* script/memory.c - blocks in size classes over a bump pointer.
 *
 * Freed blocks wait in their class; large ones give their pages back. Nothing is merged: a script's own garbage is
 * short-lived, and the range of addresses is sixteen times the cap, which is more than the sum of all classes that one
 * growing block can pass through (four a doubling: 1 / (1 - 2^(-1/4)) < 6.3 times its last size). */
#include "script/memory.h"

#include "base/assert.h"

#include <string.h>
#include <sys/mman.h>

enum {
    SMALL_STEP = 16,
    SMALL_MAX = 512,
    SMALL_CLASSES = SMALL_MAX / SMALL_STEP,
    SMALL_MAX_LOG2 = 9,
    PAGE = 4096,
    LARGE = 65536,
    RESERVE = 16
};

static unsigned class_of(size_t size)
{
    if (size <= SMALL_MAX)
        return (unsigned)((size + SMALL_STEP - 1) / SMALL_STEP) - 1;
    unsigned log2 = 63 - (unsigned)__builtin_clzll(size - 1); /* 2^log2 < size <= 2^(log2+1) */
    unsigned quarter = (unsigned)((size - 1) >> (log2 - 2)) & 3;
    return SMALL_CLASSES + (log2 - SMALL_MAX_LOG2) * 4 + quarter;
}

static size_t class_size(unsigned index)
{
    if (index < SMALL_CLASSES)
        return (size_t)(index + 1) * SMALL_STEP;
    unsigned log2 = (index - SMALL_CLASSES) / 4 + SMALL_MAX_LOG2, quarter = (index - SMALL_CLASSES) % 4;
    return (size_t)(5 + quarter) << (log2 - 2);
}

int fm_memory_init(fm_memory *memory, size_t limit)
{
    size_t reserved = (limit * RESERVE + PAGE - 1) / PAGE * PAGE;
    void *base = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return FM_ENOMEM;
    *memory = (fm_memory){.base = base, .reserved = reserved, .limit = limit};
    return 0;
}

void fm_memory_fini(fm_memory *memory)
{
    if (memory->base)
        munmap(memory->base, memory->reserved);
    *memory = (fm_memory){0};
}

void fm_memory_reset(fm_memory *memory)
{
    if (memory->top)
        madvise(memory->base, (memory->top + PAGE - 1) / PAGE * PAGE, MADV_DONTNEED);
    memset(memory->free_block, 0, sizeof(memory->free_block));
    memory->top = memory->live = memory->peak = 0;
    memory->refused = false;
}

static void *take(fm_memory *memory, unsigned index)
{
    size_t size = class_size(index);
    if (memory->live + size > memory->limit) {
        memory->refused = true;
        return NULL;
    }
    void *block = memory->free_block[index];
    if (block) {
        memcpy(&memory->free_block[index], block, sizeof(void *));
    } else {
        if (memory->top + size > memory->reserved) {
            memory->refused = true;
            return NULL;
        }
        block = memory->base + memory->top;
        memory->top += size;
    }
    memory->live += size;
    if (memory->live > memory->peak)
        memory->peak = memory->live;
    return block;
}

static void give_back(fm_memory *memory, void *block, unsigned index)
{
    size_t size = class_size(index);
    if (size >= LARGE) { /* the first page keeps the list's link */
        uintptr_t from = ((uintptr_t)block + sizeof(void *) + PAGE - 1) / PAGE * PAGE,
                  to = ((uintptr_t)block + size) / PAGE * PAGE;
        if (to > from)
            madvise((char *)block + (from - (uintptr_t)block), to - from, MADV_DONTNEED);
    }
    memcpy(block, &memory->free_block[index], sizeof(void *));
    memory->free_block[index] = block;
    memory->live -= size;
}

void *fm_memory_allocate(void *context, void *block, size_t old_size, size_t new_size)
{
    fm_memory *memory = context;
    if (!block || old_size == 0)
        return new_size ? take(memory, class_of(new_size)) : NULL;
    unsigned old_class = class_of(old_size);
    if (new_size == 0) {
        give_back(memory, block, old_class);
        return NULL;
    }
    unsigned new_class = class_of(new_size);
    if (new_class == old_class)
        return block;
    void *moved = take(memory, new_class);
    if (!moved) {
        if (new_size > old_size)
            return NULL;
        memory->live -=
            class_size(old_class) - class_size(new_class); /* stays where it is; its tail is lost until the reset */
        return block;
    }
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    give_back(memory, block, old_class);
    return moved;
}
