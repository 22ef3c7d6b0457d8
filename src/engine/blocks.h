/* engine/blocks.h - memory for the states of instruments under one plan: slabs cut into blocks of a few sizes, one for each layout.
 *
 * A pool belongs to a plan and goes with it: rules that are reloaded all day leave nothing behind. Blocks are aligned to a cache line and
 * not zeroed. */
#ifndef FM_ENGINE_BLOCKS_H
#define FM_ENGINE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

typedef struct fm_block_slab {
    struct fm_block_slab *next;
    size_t size;
} fm_block_slab;

typedef struct fm_block_class { /* free blocks of one size */
    uint32_t size;
    void    *head;
} fm_block_class;

typedef struct fm_blocks {
    fm_block_slab  *slab; /* the newest is being cut */
    size_t          used; /* bytes of it */
    size_t          taken; /* bytes of all blocks that are out */
    fm_block_class *class;
    uint32_t        class_count, class_capacity;
} fm_blocks;

char *fm_blocks_take(fm_blocks *blocks, uint32_t size); /* aborts when memory is exhausted: engine.instruments_max is to be chosen for it */
void  fm_blocks_give(fm_blocks *blocks, char *block, uint32_t size);
void  fm_blocks_fini(fm_blocks *blocks); /* also those that are out */

#endif
