/* engine/blocks.c - a bump pointer within a slab, a list of free blocks for each size. */
#include "engine/blocks.h"

#include "base/assert.h"
#include "engine/partition.h"

#include <stdlib.h>

enum { SLAB_BYTES = 1 << 20, LINE = 64 };

static uint32_t rounded(uint32_t size)
{
    return size == 0 ? LINE : (size + LINE - 1) & ~(uint32_t)(LINE - 1);
}

static fm_block_class *class_of(fm_blocks *blocks, uint32_t size)
{
    for (uint32_t i = 0; i < blocks->class_count; i++)
        if (blocks->class[i].size == size)
            return &blocks->class[i];
    blocks->class = fm_grow(blocks->class, &blocks->class_capacity, blocks->class_count + 1, sizeof(*blocks->class));
    blocks->class[blocks->class_count] = (fm_block_class){.size = size};
    return &blocks->class[blocks->class_count++];
}

char *fm_blocks_take(fm_blocks *blocks, uint32_t size)
{
    size = rounded(size);
    blocks->taken += size;
    fm_block_class *class = class_of(blocks, size);
    if (class->head != NULL) {
        char *block = class->head;
        class->head = *(void **)block;
        return block;
    }
    if (blocks->slab == NULL || blocks->used + size > blocks->slab->size) {
        size_t bytes = LINE + (size > SLAB_BYTES - LINE ? size : SLAB_BYTES - LINE); /* pages are touched as they are used */
        fm_block_slab *slab = aligned_alloc(LINE, bytes);
        FM_ASSERT(slab != NULL);
        *slab = (fm_block_slab){.next = blocks->slab, .size = bytes};
        blocks->slab = slab;
        blocks->used = LINE;
    }
    char *block = (char *)blocks->slab + blocks->used;
    blocks->used += size;
    return block;
}

void fm_blocks_give(fm_blocks *blocks, char *block, uint32_t size)
{
    if (block == NULL)
        return;
    size = rounded(size);
    fm_block_class *class = class_of(blocks, size);
    *(void **)block = class->head;
    class->head = block;
    blocks->taken -= size;
}

void fm_blocks_fini(fm_blocks *blocks)
{
    while (blocks->slab != NULL) {
        fm_block_slab *next = blocks->slab->next;
        free(blocks->slab);
        blocks->slab = next;
    }
    free(blocks->class);
    *blocks = (fm_blocks){0};
}
