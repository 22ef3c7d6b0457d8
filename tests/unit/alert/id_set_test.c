/* tests/unit/alert/id_set_test.c - the set knows the newest ids and no others, however they collide. */
#include "alert/id_set.h"

#include "assert_near.h"
#include "base/random.h"

#include <stdlib.h>

/* Ids from a small space, some with equal low halves, so that they repeat and collide; against a plain list. */
static void it_holds_exactly_the_newest_ids(void **unused)
{
    (void)unused;
    static const uint64_t sizes[] = {1, 2, 3, 7, 64, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        fm_id_set set;
        assert_int_equal(fm_id_set_init(&set, sizes[s]), 0);
        fm_hash128 *list = calloc(sizes[s], sizeof *list);
        uint64_t count = 0;
        assert_non_null(list);
        fm_random random;
        fm_random_seed(&random, sizes[s]);
        for (int step = 0; step < 20000; step++) {
            fm_hash128 id = {fm_random_below(&random, sizes[s]), fm_random_below(&random, 3)};
            bool known = false;
            for (uint64_t i = 0; i < count; i++)
                known |= list[i].low == id.low && list[i].high == id.high;
            assert_int_equal(fm_id_set_has(&set, id), known);
            if (fm_random_below(&random, 2) == 0)
                continue;
            fm_id_set_add(&set, id);
            assert_true(fm_id_set_has(&set, id));
            if (known)
                continue;
            if (count == sizes[s]) {
                count--;
                for (uint64_t i = 0; i < count; i++)
                    list[i] = list[i + 1];
            }
            list[count++] = id;
        }
        free(list);
        fm_id_set_fini(&set);
    }
}

static void a_size_without_sense_is_refused(void **unused)
{
    (void)unused;
    fm_id_set set;
    assert_int_equal(fm_id_set_init(&set, 0), FM_EINVAL);
    assert_int_equal(fm_id_set_init(&set, (UINT64_C(1) << 30) + 1), FM_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_exactly_the_newest_ids),
        cmocka_unit_test(a_size_without_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
