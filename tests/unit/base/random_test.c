/* tests/unit/base/random_test.c */
#include "assert_near.h"

#include "base/random.h"

static void the_generator_gives_the_published_stream(void **unused)
{
    (void)unused;
    /* xoshiro256** from state {1, 2, 3, 4}: the vector in its authors' and others' test suites */
    static const uint64_t expected[] = {11520u,
                                        0u,
                                        1509978240u,
                                        1215971899390074240u,
                                        1216172134540287360u,
                                        607988272756665600u,
                                        16172922978634559625u,
                                        8476171486693032832u,
                                        10595114339597558777u,
                                        2904607092377533576u};
    fm_random random = {{1, 2, 3, 4}};
    for (int i = 0; i < 10; i++)
        assert_true(fm_random_next(&random) == expected[i]);
}

static void a_seed_is_spread_by_splitmix64(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 0);
    assert_true(random.s[0] == 0xe220a8397b1dcdafu && random.s[1] == 0x6e789e6aa1b965f4u);
    assert_true(random.s[2] == 0x06c45d188009454fu && random.s[3] == 0xf88bb8a8724c81ecu);
}

static void below_stays_below_and_is_even(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 1);
    unsigned count[10] = {0};
    for (int i = 0; i < 100000; i++) {
        uint64_t value = fm_random_below(&random, 10);
        assert_true(value < 10);
        count[value]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 9500, 10500);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(fm_random_below(&random, 1), 0);
        assert_true(fm_random_below(&random, UINT64_C(3) << 62) < UINT64_C(3) << 62);
    }
}

/* With a bound of 3/4 of the range, taking remainders would make the lower third twice as likely as the rest. */
static void below_is_even_for_a_bound_near_the_range(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 8);
    int low = 0;
    for (int i = 0; i < 30000; i++)
        low += fm_random_below(&random, UINT64_C(3) << 62) < UINT64_C(1) << 62;
    assert_in_range(low, 9500, 10500);
}

static void unit_lies_from_zero_to_below_one(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 4);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double value = fm_random_unit(&random);
        assert_true(value >= 0.0 && value < 1.0);
        sum += value;
    }
    assert_near(sum / 100000, 0.5, 0.005);
    fm_random all_ones = {{0, UINT64_MAX, 0, 0}};
    assert_true(fm_random_unit(&all_ones) < 1.0);
}

static void normal_has_the_moments_of_a_normal(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 6);
    enum { COUNT = 200000 };
    double sum = 0, square = 0, cube = 0, fourth = 0;
    int beyond_two = 0;
    for (int i = 0; i < COUNT; i++) {
        double x = fm_random_normal(&random);
        assert_true(isfinite(x));
        sum += x;
        square += x * x;
        cube += x * x * x;
        fourth += x * x * x * x;
        beyond_two += fabs(x) > 2.0;
    }
    assert_near(sum / COUNT, 0.0, 0.01);
    assert_near(square / COUNT, 1.0, 0.015);
    assert_near(cube / COUNT, 0.0, 0.04);
    assert_near(fourth / COUNT, 3.0, 0.03);
    assert_near(beyond_two / (double)COUNT, 0.0455, 0.002);
}

/* Simulations and tests name seeds: the values behind a seed are part of the interface. */
static void a_seed_always_means_the_same_normals(void **unused)
{
    (void)unused;
    fm_random first, second;
    fm_random_seed(&first, 20140502);
    fm_random_seed(&second, 20140502);
    for (int i = 0; i < 1000; i++)
        assert_true(fm_random_normal(&first) == fm_random_normal(&second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_gives_the_published_stream),
        cmocka_unit_test(a_seed_is_spread_by_splitmix64),
        cmocka_unit_test(below_stays_below_and_is_even),
        cmocka_unit_test(below_is_even_for_a_bound_near_the_range),
        cmocka_unit_test(unit_lies_from_zero_to_below_one),
        cmocka_unit_test(normal_has_the_moments_of_a_normal),
        cmocka_unit_test(a_seed_always_means_the_same_normals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
