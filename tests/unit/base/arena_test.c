/* tests/unit/base/arena_test.c */
#include "assert_near.h"

#include "base/arena.h"

#include <string.h>

static void allocations_are_aligned_zeroed_and_apart(void **unused)
{
    (void)unused;
    fm_arena arena;
    assert_int_equal(fm_arena_init(&arena, 1 << 20), 0);
    char *last_end = NULL;
    for (size_t i = 1; i < 200; i++) {
        size_t alignment = (size_t)1 << i % 8;
        char *data = fm_arena_alloc(&arena, i, alignment);
        assert_non_null(data);
        assert_int_equal((uintptr_t)data % (alignment < 8 ? 8 : alignment), 0);
        assert_true(last_end == NULL || data >= last_end);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(data[k], 0);
        memset(data, 0xff, i);
        last_end = data + i;
    }
    fm_arena_fini(&arena);
}

static void the_limit_is_kept_exactly(void **unused)
{
    (void)unused;
    fm_arena arena;
    assert_int_equal(fm_arena_init(&arena, 4096), 0);
    assert_null(fm_arena_alloc(&arena, 4097, 8));
    assert_null(fm_arena_alloc(&arena, SIZE_MAX, 8));
    assert_null(fm_arena_alloc(&arena, SIZE_MAX - 7, 8));
    assert_int_equal(arena.used, 0); /* a refusal takes nothing */
    assert_non_null(fm_arena_alloc(&arena, 4090, 8));
    assert_null(fm_arena_alloc(&arena, 1, 8));
    assert_non_null(fm_arena_alloc(&arena, 0, 8));
    fm_arena_fini(&arena);
}

static void a_reset_arena_is_zero_again(void **unused)
{
    (void)unused;
    fm_arena arena;
    assert_int_equal(fm_arena_init(&arena, 1 << 20), 0);
    for (int round = 0; round < 3; round++) {
        char *data = fm_arena_alloc(&arena, 1 << 19, 64);
        assert_non_null(data);
        for (int i = 0; i < 1 << 19; i += 511)
            assert_int_equal(data[i], 0);
        memset(data, 1, 1 << 19);
        fm_arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    fm_arena_fini(&arena);
    assert_null(arena.base);
    fm_arena_fini(&arena); /* twice does no harm */
}

static void a_generous_limit_costs_address_space_only(void **unused)
{
    (void)unused;
    fm_arena arena;
    assert_int_equal(fm_arena_init(&arena, (size_t)1 << 38), 0);
    char *data = fm_arena_alloc(&arena, (size_t)1 << 37, 8);
    assert_non_null(data);
    data[0] = data[((size_t)1 << 37) - 1] = 1;
    fm_arena_fini(&arena);
    assert_int_equal(fm_arena_init(&arena, 0), FM_EINVAL);
    assert_int_equal(fm_arena_init(&arena, SIZE_MAX), FM_EINVAL);
    assert_int_equal(fm_arena_init(&arena, (size_t)1 << 62), FM_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_zeroed_and_apart),
        cmocka_unit_test(the_limit_is_kept_exactly),
        cmocka_unit_test(a_reset_arena_is_zero_again),
        cmocka_unit_test(a_generous_limit_costs_address_space_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
