/* The allocator of a Lua state: blocks do not overlap, the cap holds, a smaller block always fits, a reset forgets all.
 */
#include "assert_near.h"
#include "script/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 512 };

static void blocks_keep_their_bytes_under_random_use(void **unused)
{
    (void)unused;
    fm_memory memory;
    assert_int_equal(fm_memory_init(&memory, 64u << 20), 0);
    struct {
        unsigned char *at;
        size_t size;
        unsigned char mark;
    } block[BLOCKS] = {0};
    uint64_t seed = 11;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t k = (uint32_t)(seed >> 40) % BLOCKS;
        size_t size = (seed >> 20) % 8 == 0 ? 0 : (size_t)1 << ((seed >> 30) % 18);
        size += size ? (seed >> 50) % size : 0;
        for (size_t j = 0; j < block[k].size; j += 1 + block[k].size / 8)
            assert_int_equal(block[k].at[j], block[k].mark);
        unsigned char *moved = fm_memory_allocate(&memory, block[k].at, block[k].size, size);
        assert_true(size == 0 || (moved && (uintptr_t)moved % 16 == 0));
        for (size_t j = 0; j < (size < block[k].size ? size : block[k].size); j += 1 + block[k].size / 8)
            assert_int_equal(moved[j], block[k].mark);
        block[k].at = moved;
        block[k].size = size;
        block[k].mark = (unsigned char)i;
        if (size)
            memset(moved, block[k].mark, size);
    }
    for (int k = 0; k < BLOCKS; k++)
        fm_memory_allocate(&memory, block[k].at, block[k].size, 0);
    assert_int_equal(memory.live, 0);
    fm_memory_fini(&memory);
}

static void the_limit_holds_and_shrinking_never_fails(void **unused)
{
    (void)unused;
    fm_memory memory;
    assert_int_equal(fm_memory_init(&memory, 1u << 20), 0);
    void *block[200];
    int count = 0;
    while (count < 200 && (block[count] = fm_memory_allocate(&memory, NULL, 0, 10000)))
        count++;
    assert_true(count > 80 && count < 105);
    assert_true(memory.refused);
    assert_true(memory.live <= memory.limit);
    memory.refused = false;
    assert_non_null(fm_memory_allocate(&memory, block[0], 10000, 9000));
    assert_non_null(fm_memory_allocate(&memory, block[1], 10000, 5000));
    assert_null(fm_memory_allocate(&memory, block[2], 10000, 100000));
    fm_memory_reset(&memory);
    assert_int_equal(memory.live, 0);
    assert_non_null(fm_memory_allocate(&memory, NULL, 0, 900000));
    fm_memory_fini(&memory);
}

static void one_growing_block_reaches_the_limit(void **unused)
{
    (void)unused;
    fm_memory memory;
    assert_int_equal(fm_memory_init(&memory, 8u << 20), 0);
    size_t size = 100;
    void *block = fm_memory_allocate(&memory, NULL, 0, size);
    for (;;) {
        void *larger = fm_memory_allocate(&memory, block, size, size + size / 50 + 1);
        if (!larger)
            break;
        block = larger;
        size += size / 50 + 1;
    }
    assert_true(size > 3u << 20); /* old and new exist side by side while one moves */
    fm_memory_fini(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_bytes_under_random_use),
        cmocka_unit_test(the_limit_holds_and_shrinking_never_fails),
        cmocka_unit_test(one_growing_block_reaches_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
