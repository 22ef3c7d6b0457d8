/* tests/unit/kernels/ewma_test.c - the faded mean, and the arithmetic below it. */
#include "assert_near.h"

#include "base/error.h"
#include "base/event.h"
#include "base/fmath.h"
#include "base/random.h"
#include "kernels/common/fade.h"
#include "kernels/feature/ewma.h"

static void ewma_weighs_a_tick_one_half_life_old_at_one_half(void **unused)
{
    (void)unused;
    fm_ewma ewma;
    assert_int_equal(fm_ewma_init(&ewma, 60.0 * FM_NS_PER_S), 0);
    fm_ewma_update(&ewma, 0, 100.0);
    fm_ewma_update(&ewma, 60 * FM_NS_PER_S, 200.0);
    assert_near(ewma.mean, (0.5 * 100.0 + 200.0) / 1.5, 1e-12);
}

static void ewma_of_equal_times_is_the_plain_mean_and_variance(void **unused)
{
    (void)unused;
    fm_ewma ewma;
    assert_int_equal(fm_ewma_init(&ewma, 1e9), 0);
    for (int i = 1; i <= 9; i++)
        fm_ewma_update(&ewma, 5, i);
    assert_near(ewma.mean, 5.0, 1e-15);
    assert_near(ewma.sum_square / ewma.weight, 60.0 / 9.0, 1e-14);
    assert_near(fm_ewma_z(&ewma, 5.0 + sqrt(60.0 / 9.0)), 1.0, 1e-14);
}

static void z_is_nan_until_two_values_differ(void **unused)
{
    (void)unused;
    fm_ewma ewma;
    assert_int_equal(fm_ewma_init(&ewma, 1e9), 0);
    assert_true(isnan(fm_ewma_z(&ewma, 1.0)));
    for (int i = 0; i < 100; i++)
        fm_ewma_update(&ewma, i, 7.25);
    assert_true(isnan(fm_ewma_z(&ewma, 8.0)));
    fm_ewma_update(&ewma, 100, 7.5);
    assert_false(isnan(fm_ewma_z(&ewma, 8.0)));
    assert_true(isnan(fm_ewma_z(&ewma, NAN)));
    assert_true(isnan(fm_ewma_z(&ewma, INFINITY)));
}

static void a_quiet_night_fades_as_much_as_a_busy_one(void **unused)
{
    (void)unused;
    fm_ewma busy, quiet;
    assert_int_equal(fm_ewma_init(&busy, 1e9), 0);
    assert_int_equal(fm_ewma_init(&quiet, 1e9), 0);
    fm_ewma_update(&busy, 0, 1.0);
    fm_ewma_update(&quiet, 0, 1.0);
    double weight = 1.0;
    for (int i = 1; i <= 1000; i++) {
        fm_ewma_update(&busy, i * 10 * FM_NS_PER_MS, 3.0);
        weight = weight * fm_exp2(-0.01) + 1.0;
    }
    fm_ewma_update(&quiet, 10 * FM_NS_PER_S, 3.0);
    assert_near(quiet.weight, 1.0 + fm_exp2(-10.0), 1e-15);
    assert_near((3.0 - busy.mean) * busy.weight, (3.0 - quiet.mean) * quiet.weight, 1e-12); /* what is left of the 1 */
    assert_near(busy.weight, weight, 1e-12);
}

static void after_a_night_the_mean_is_new_and_sigma_is_not(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 5);
    fm_ewma ewma;
    assert_int_equal(fm_ewma_init(&ewma, 60e9), 0);
    for (int i = 0; i < 20000; i++) {
        int64_t ts_ns = i / 2000 * 64800 * FM_NS_PER_S + i * FM_NS_PER_S;
        double level = i / 2000 % 2 ? 300.0 : 100.0; /* a night moves it by 200 sigma */
        if (i > 2000 && i % 2000 > 0) {
            assert_true(fabs(fm_ewma_z(&ewma, level + fm_random_normal(&random))) < 8.0);
            assert_true(fabs(ewma.mean - level) < 4.0);
        }
        fm_ewma_update(&ewma, ts_ns, level + fm_random_normal(&random));
    }
}

static void a_half_life_that_is_not_positive_is_refused(void **unused)
{
    (void)unused;
    fm_ewma ewma;
    double wrong[] = {0.0, -1.0, NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 5; i++)
        assert_int_equal(fm_ewma_init(&ewma, wrong[i]), FM_EINVAL);
}

static void fading_by_the_series_and_by_the_table_agree_where_they_meet(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 3);
    for (int i = 0; i < 100000; i++) {
        double age = fm_random_unit(&random) * 0x1p-5;
        double difference = fm_fade(age) - fm_exp2(-age);
        if (fabs(difference) > 3.4e-16)
            fail_msg("2^-%.17g is off by %g", age, difference);
    }
    assert_true(fm_fade(0.0) == 1.0);
    assert_true(fm_fade(1.0) == 0.5);
    assert_true(fm_fade(1e300) == 0.0);
}

static void a_past_that_has_faded_away_leaves_no_negative_variance(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 4);
    fm_ewma ewma;
    assert_int_equal(fm_ewma_init(&ewma, 1.0), 0);
    for (int i = 0; i < 100000; i++) {
        fm_ewma_update(&ewma, (int64_t)i * FM_NS_PER_S, 1e6 + fm_random_unit(&random));
        assert_true(ewma.sum_square >= 0.0);
        assert_true(ewma.weight >= 1.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ewma_weighs_a_tick_one_half_life_old_at_one_half),
        cmocka_unit_test(ewma_of_equal_times_is_the_plain_mean_and_variance),
        cmocka_unit_test(z_is_nan_until_two_values_differ),
        cmocka_unit_test(a_quiet_night_fades_as_much_as_a_busy_one),
        cmocka_unit_test(after_a_night_the_mean_is_new_and_sigma_is_not),
        cmocka_unit_test(a_half_life_that_is_not_positive_is_refused),
        cmocka_unit_test(fading_by_the_series_and_by_the_table_agree_where_they_meet),
        cmocka_unit_test(a_past_that_has_faded_away_leaves_no_negative_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
