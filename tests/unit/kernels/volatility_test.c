/* tests/unit/kernels/volatility_test.c - bipower_variation, jump, parkinson, garman_klass. */
#include "drive.h"

#define S FM_NS_PER_S

static void a_jump_is_told_from_volatility_by_bipower_variation(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 1);
    drive_start(&drive, "bipower_variation", (double[]){100});
    double x = 100.0;
    for (int i = 0; i < 3000; i++)
        drive_x(&drive, S / 10, x *= fm_exp(1e-4 * fm_random_normal(&random)));
    double calm = drive.out[1];
    assert_near(calm / (1e-4 * sqrt(1000)), 1.0, 0.05);
    assert_true(drive.out[2] < 0.1);
    drive_x(&drive, S / 10, x *= 1.01); /* a hundred sigma */
    for (int i = 0; i < 100; i++)
        drive_x(&drive, S / 10, x *= fm_exp(1e-4 * fm_random_normal(&random)));
    assert_near(drive.out[1] / calm, 1.0, 0.15);
    assert_true(drive.out[2] > 0.85);
    for (int i = 0; i < 2000; i++) /* and three times the volatility is no jump */
        drive_x(&drive, S / 10, x *= fm_exp(3e-4 * fm_random_normal(&random)));
    assert_near(drive.out[1] / calm, 3.0, 0.05);
    assert_true(drive.out[2] < 0.1);
    drive_end(&drive);
}

/* The share of blocks of 1000 normal returns in which p falls below the limit. */
static double false_alarms(double limit, uint64_t seed)
{
    enum { BLOCKS = 400 };
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, seed);
    drive_start(&drive, "jump", (double[]){270, 1000});
    double x = 100.0;
    int fired = 0;
    for (int block = -1; block < BLOCKS; block++) {
        double smallest = 1.0;
        for (int i = 0; i < 1000; i++) {
            drive_x(&drive, S, x *= fm_exp(1e-4 * fm_random_normal(&random)));
            smallest = drive.out[1] < smallest ? drive.out[1] : smallest;
        }
        fired += block >= 0 && smallest < limit;
    }
    drive_end(&drive);
    return (double)fired / BLOCKS;
}

static void the_p_of_a_jump_is_that_of_the_largest_of_many_returns(void **unused)
{
    (void)unused;
    assert_near(false_alarms(0.05, 1), 0.055, 0.02);
    assert_near(false_alarms(0.01, 2), 0.01, 0.01);
}

static void a_jump_is_found_at_any_scale_and_hides_no_second(void **unused)
{
    (void)unused;
    for (double sigma = 1e-6; sigma < 1e-2; sigma *= 100) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 3);
        drive_start(&drive, "jump", (double[]){100, 1000});
        double x = 100.0;
        for (int i = 0; i < 400; i++)
            drive_x(&drive, S, x *= fm_exp(sigma * fm_random_normal(&random)));
        assert_true(drive.out[1] > 0.01);
        assert_near(drive.out[2] / sigma, 1.0, 0.3);
        drive_x(&drive, S, x *= fm_exp(10 * sigma));
        assert_true(drive.out[1] < 1e-6);
        for (int i = 0; i < 5; i++)
            drive_x(&drive, S, x *= fm_exp(sigma * fm_random_normal(&random)));
        drive_x(&drive, S, x *= fm_exp(-10 * sigma));
        assert_true(drive.out[1] < 1e-4);
        drive_end(&drive);
    }
}

/* Bars of 4000 steps of a random walk whose sigma is 1 % a bar. */
static void make_bar(fm_random *random, double *price, double bar[4])
{
    bar[0] = bar[1] = bar[2] = *price;
    for (int i = 0; i < 4000; i++) {
        *price *= fm_exp(0.01 / sqrt(4000) * fm_random_normal(random));
        bar[1] = *price > bar[1] ? *price : bar[1];
        bar[2] = *price < bar[2] ? *price : bar[2];
    }
    bar[3] = *price;
}

static void ranges_of_bars_give_the_volatility_of_a_bar(void **unused)
{
    (void)unused;
    test_drive range = {0}, all = {0};
    fm_random random;
    double price = 100.0, bar[4];
    fm_random_seed(&random, 4);
    drive_start(&range, "parkinson", (double[]){300});
    drive_start(&all, "garman_klass", (double[]){300});
    for (int i = 0; i < 300; i++) {
        make_bar(&random, &price, bar);
        assert_true(isnan(range.out[0]) || i == 0);
        drive_step(&range, 60 * S, &bar[1]);
        drive_step(&all, 60 * S, bar);
    }
    assert_near(range.out[0] / 0.01, 1.0, 0.06);
    assert_near(all.out[0] / 0.01, 1.0, 0.06);
    double wild[4] = {100, 110, 90, 100};
    drive_step(&range, 60 * S, &wild[1]);
    drive_step(&all, 60 * S, wild);
    assert_true(range.out[2] > 10.0 && all.out[2] > 10.0);
    drive_end(&range);
    drive_end(&all);
}

static void an_impossible_bar_is_skipped(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "garman_klass", (double[]){1});
    double good[4] = {100, 101, 99, 100.5};
    double bad[][4] = {{100, 99, 101, 100}, {102, 101, 99, 100}, {100, 101, 99, 98}, {0, 1, 0, 1}, {NAN, 1, 1, 1}};
    double volatility = drive_step(&drive, S, good);
    assert_near(volatility * volatility / (0.5 * pow(log(101.0 / 99), 2) - (2 * log(2) - 1) * pow(log(1.005), 2)), 1.0,
                1e-12);
    for (int i = 0; i < 5; i++)
        assert_true(isnan(drive_step(&drive, S, bad[i])));
    drive_step(&drive, S, good);
    assert_near(drive.out[2], 1.0, 1e-12);
    drive_end(&drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jump_is_told_from_volatility_by_bipower_variation),
        cmocka_unit_test(the_p_of_a_jump_is_that_of_the_largest_of_many_returns),
        cmocka_unit_test(a_jump_is_found_at_any_scale_and_hides_no_second),
        cmocka_unit_test(ranges_of_bars_give_the_volatility_of_a_bar),
        cmocka_unit_test(an_impossible_bar_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
