/* tests/unit/kernels/shape_test.c - autocorrelation, hurst, permutation_entropy, benford. */
#include "drive.h"

#define S FM_NS_PER_S

/* Returns r_j = phi * r_j-lag + noise, `count` of them, a second apart. */
static void walk(test_drive *drive, uint64_t seed, int count, double phi, int lag)
{
    fm_random random;
    double past[8] = {0}, x = 100.0;
    fm_random_seed(&random, seed);
    for (int i = 0; i < count; i++) {
        double *r = &past[i % lag];
        *r = phi * *r + 1e-4 * fm_random_normal(&random);
        drive_x(drive, S, x *= fm_exp(*r));
    }
}

static void autocorrelation_finds_what_was_planted_at_that_lag_and_no_other(void **unused)
{
    (void)unused;
    for (double phi = -0.6; phi < 0.7; phi += 0.3) {
        test_drive at = {0}, beside = {0};
        drive_start(&at, "autocorrelation", (double[]){4000, 3});
        drive_start(&beside, "autocorrelation", (double[]){4000, 2});
        walk(&at, 1, 20000, phi, 3);
        walk(&beside, 1, 20000, phi, 3);
        assert_near(at.out[0], phi, 0.03);
        assert_near(beside.out[0], 0.0, 0.04);
        assert_true(fabs(phi) < 0.1 || fabs(at.out[1]) > 20.0);
        drive_end(&at);
        drive_end(&beside);
    }
}

static void the_z_of_a_random_walk_is_normal(void **unused)
{
    (void)unused;
    double sum = 0.0, squares = 0.0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        test_drive drive = {0};
        drive_start(&drive, "autocorrelation", (double[]){200, 1});
        walk(&drive, seed, 1200, 0.0, 1);
        sum += drive.out[1];
        squares += drive.out[1] * drive.out[1];
        drive_end(&drive);
    }
    assert_near(sum / 300, 0.0, 0.2);
    assert_near(sqrt(squares / 300), 1.0, 0.12);
}

static void hurst_tells_a_walk_from_a_trend_and_from_a_bounce(void **unused)
{
    (void)unused;
    double sum = 0.0, squares = 0.0, phi[] = {0.5, -0.5};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        test_drive drive = {0};
        drive_start(&drive, "hurst", (double[]){1500, 7});
        walk(&drive, seed, 8000, 0.0, 1);
        sum += drive.out[0];
        squares += (drive.out[0] - 0.5) * (drive.out[0] - 0.5);
        drive_end(&drive);
    }
    assert_near(sum / 200, 0.4985, 0.003);
    assert_near(sqrt(squares / 200), 0.015, 0.003);
    for (int i = 0; i < 2; i++) {
        test_drive drive = {0};
        drive_start(&drive, "hurst", (double[]){1500, 7});
        walk(&drive, 3, 8000, phi[i], 1);
        assert_true(phi[i] > 0.0 ? drive.out[0] > 0.6 : drive.out[0] < 0.4);
        drive_end(&drive);
    }
}

static void noise_has_every_pattern_and_a_trend_one(void **unused)
{
    (void)unused;
    for (double order = 3; order <= 5; order++) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 4);
        drive_start(&drive, "permutation_entropy", (double[]){order, 4000});
        double patterns = order == 3 ? 6 : order == 4 ? 24 : 120, low = (patterns - 1) / (8000 * log(patterns));
        for (int i = 0; i < 5000; i++)
            drive_x(&drive, S, fm_random_normal(&random));
        assert_near(drive.out[0], 1.0 - low, low);
        assert_true(drive.out[1] == 0.0);
        for (int i = 0; i < 5000; i++)
            drive_x(&drive, S, i);
        assert_true(drive.out[0] == 0.0);
        assert_near(drive.out[1], 1.0 - 1.0 / patterns, 1e-12);
        for (int i = 0; i < 5000; i++) /* a loop of four values */
            drive_x(&drive, S, (double[]){1, 3, 2, 5}[i % 4]);
        assert_true(drive.out[0] < 2.0 / (log(patterns) / log(2.0)) + 1e-9);
        drive_end(&drive);
    }
}

static void only_the_order_of_values_makes_the_entropy(void **unused)
{
    (void)unused;
    test_drive plain = {0}, bent = {0};
    fm_random random;
    fm_random_seed(&random, 5);
    drive_start(&plain, "permutation_entropy", (double[]){4, 100});
    drive_start(&bent, "permutation_entropy", (double[]){4, 100});
    for (int i = 0; i < 1000; i++) {
        double x = fm_random_normal(&random);
        drive_x(&plain, S, x);
        drive_x(&bent, S, 1e6 * fm_exp(3 * x));
        assert_true(same_numbers(plain.out, bent.out, 2));
    }
    drive_end(&plain);
    drive_end(&bent);
}

/* Share of 400 blocks of 500 sizes whose p is below 0.05. */
static double benford_alarms(double (*size_of)(fm_random *random))
{
    test_drive drive = {0};
    fm_random random;
    int fired = 0;
    fm_random_seed(&random, 6);
    drive_start(&drive, "benford", (double[]){500});
    for (int i = 1; i <= 400 * 500; i++) {
        drive_x(&drive, S, size_of(&random));
        fired += i % 500 == 0 && drive.out[1] < 0.05;
    }
    drive_end(&drive);
    return fired / 400.0;
}

static double over_decades(fm_random *random)
{
    return fm_exp(2.302585092994046 * (6.0 * fm_random_unit(random) - 3.0));
}

static double made_up(fm_random *random)
{
    return 100.0 + 400.0 * fm_random_unit(random);
}

static void sizes_over_decades_follow_benford_and_made_up_ones_do_not(void **unused)
{
    (void)unused;
    assert_near(benford_alarms(over_decades), 0.05, 0.025);
    assert_true(benford_alarms(made_up) == 1.0);
}

static void the_first_digit_is_that_of_the_decimal_number(void **unused)
{
    (void)unused;
    for (int digit = 1; digit <= 9; digit++)
        for (int power = -90; power <= 90; power++)
            for (int below = 0; below < 2; below++) {
                test_drive drive = {0};
                char text[32];
                snprintf(text, sizeof(text), below ? "%d.99e%d" : "%de%d", digit, power);
                drive_start(&drive, "benford", (double[]){20});
                for (int i = 0; i < 20; i++)
                    drive_x(&drive, S, strtod(text, NULL));
                double e[10], chi2 = 0.0;
                for (int d = 1; d <= 9; d++) {
                    e[d] = 20 * log10(1 + 1.0 / d);
                    chi2 += (d == digit ? 20 - e[d] : e[d]) * (d == digit ? 20 - e[d] : e[d]) / e[d];
                }
                assert_near(drive.out[0], chi2, 1e-9);
                assert_int_equal((int)drive.out[2], digit);
                drive_end(&drive);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(autocorrelation_finds_what_was_planted_at_that_lag_and_no_other),
        cmocka_unit_test(the_z_of_a_random_walk_is_normal),
        cmocka_unit_test(hurst_tells_a_walk_from_a_trend_and_from_a_bounce),
        cmocka_unit_test(noise_has_every_pattern_and_a_trend_one),
        cmocka_unit_test(only_the_order_of_values_makes_the_entropy),
        cmocka_unit_test(sizes_over_decades_follow_benford_and_made_up_ones_do_not),
        cmocka_unit_test(the_first_digit_is_that_of_the_decimal_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
