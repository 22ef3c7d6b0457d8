/* tests/unit/kernels/activity_test.c - waits, self-excitation, orders for a trade, cancels, lifetimes of quotes. */
#include "drive.h"

#define S FM_NS_PER_S

static int64_t wait_ns(fm_random *random, double mean_s)
{
    return (int64_t)(-1e9 * mean_s * fm_log(1.0 - fm_random_unit(random)));
}

static void a_wait_is_judged_by_the_waits_before(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 1);
    drive_start(&drive, "inter_arrival", (double[]){600});
    int long_ones = 0;
    for (int i = 0; i < 20000; i++) {
        drive_x(&drive, wait_ns(&random, 0.5), 1.0);
        long_ones += drive.out[1] > 4.6;
    }
    assert_near(drive.out[2], 0.5, 0.1);
    assert_near(long_ones / 20000.0, 0.01, 0.003); /* exp(-4.6) */
    drive_x(&drive, 30 * S, 1.0);
    assert_true(fabs(drive.out[0] - 30.0) < 1e-12 && drive.out[1] > 50.0);
    drive_x(&drive, 16 * 3600 * S, 1.0); /* a night */
    drive_x(&drive, S / 2, 1.0);
    assert_near(drive.out[2], 0.5, 0.1);
    drive_end(&drive);
}

/* Records of a Hawkes process with base rate mu and branching ratio n, for that many seconds. */
static void excite(test_drive *drive, fm_random *random, double mu, double n, double half_life, double length_s)
{
    double beta = 0.6931471805599453 / half_life, t = 0.0, excess = 0.0; /* thinning */
    int64_t begin_ns = drive->ts_ns;
    while (t < length_s) {
        double bound = mu + excess, wait = -fm_log(1.0 - fm_random_unit(random)) / bound;
        t += wait;
        excess *= fm_exp(-beta * wait);
        if (fm_random_unit(random) * bound > mu + excess)
            continue;
        excess += n * beta;
        drive_x(drive, begin_ns + (int64_t)(t * 1e9) - drive->ts_ns, 1.0);
    }
}

static void the_branching_ratio_of_a_hawkes_process_is_found(void **unused)
{
    (void)unused;
    double planted[] = {0.0, 0.3, 0.6, 0.8};
    for (int i = 0; i < 4; i++) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 2);
        drive_start(&drive, "hawkes", (double[]){1, 20000, 0});
        excite(&drive, &random, 2.0 * (1.0 - planted[i]), planted[i], 1.0, 60000);
        assert_near(drive.out[3], planted[i], 0.02);
        assert_near(drive.out[2] / 2.0, 1.0, 0.1);
        drive_end(&drive);
    }
}

static void a_burst_raises_the_intensity_and_a_pause_lowers_it(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 3);
    drive_start(&drive, "hawkes", (double[]){1, 3600, 0.5});
    excite(&drive, &random, 1.0, 0.5, 1.0, 3600);
    for (int i = 0; i < 100; i++)
        drive_x(&drive, S / 100, 1.0);
    assert_true(drive.out[1] > 10.0);
    drive_x(&drive, 20 * S, 1.0);
    assert_near(drive.out[1], 0.5, 0.01); /* what nobody called for */
    drive_end(&drive);
}

/* `count` orders, a tenth of a second apart, of those actions in turn. */
static void order(test_drive *drive, int count, const double *actions, int action_count)
{
    for (int i = 0; i < count; i++)
        drive_step(drive, S / 10, (double[]){actions[i % action_count], 1.0});
}

static void orders_for_a_trade_and_cancels_for_an_add_are_counted(void **unused)
{
    (void)unused;
    test_drive orders = {0}, cancels = {0};
    drive_start(&orders, "order_to_trade", (double[]){320});
    drive_start(&cancels, "cancel_ratio", (double[]){320});
    order(&orders, 10, (double[]){1, 3}, 2);
    assert_true(orders.out[0] == 10.0 && orders.out[2] == 0.0); /* none traded: as if one had */
    order(&orders, 90, (double[]){1, 2, 3, 4, 1, 3, 1, 1, 4}, 9);
    assert_near(orders.out[0], 80.0 / 20.0, 1e-12);
    order(&cancels, 100, (double[]){1, 1, 3, 2, 4}, 5);
    assert_near(cancels.out[0], 0.5, 1e-12);
    order(&cancels, 200, (double[]){1, 3}, 2); /* shown and withdrawn */
    assert_near(cancels.out[0], 120.0 / 140.0, 1e-12);
    assert_true(isnan(drive_step(&cancels, S, (double[]){5})) && isnan(drive_step(&cancels, S, (double[]){0})));
    drive_end(&orders);
    drive_end(&cancels);
}

static void fleeting_quotes_show_in_the_share_of_young_cancels(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 4);
    drive_start(&drive, "quote_lifetime", (double[]){60, 0.1});
    for (int i = 0; i < 2000; i++) /* log-normal around 5 s */
        drive_step(&drive, S / 10, (double[]){i % 2 ? 1 : 3, 5.0 * fm_exp(fm_random_normal(&random))});
    assert_near(drive.out[0] / 5.0, 1.0, 0.15);
    assert_true(drive.out[1] < 0.01);
    for (int i = 0; i < 600; i++) /* for a minute, half of the cancels after 10 ms */
        drive_step(&drive, S / 10, (double[]){3, i % 2 ? 0.01 : 5.0 * fm_exp(fm_random_normal(&random))});
    assert_true(drive.out[1] > 0.25 && drive.out[1] < 0.5);
    assert_true(drive.out[0] < 2.0);
    drive_end(&drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_is_judged_by_the_waits_before),
        cmocka_unit_test(the_branching_ratio_of_a_hawkes_process_is_found),
        cmocka_unit_test(a_burst_raises_the_intensity_and_a_pause_lowers_it),
        cmocka_unit_test(orders_for_a_trade_and_cancels_for_an_add_are_counted),
        cmocka_unit_test(fleeting_quotes_show_in_the_share_of_young_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
