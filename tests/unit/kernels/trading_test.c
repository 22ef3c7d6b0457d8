/* tests/unit/kernels/trading_test.c - imbalance of queues, signs of trades, impact, illiquidity, spread, toxicity. */
#include "drive.h"

#define S FM_NS_PER_S

static void an_imbalance_is_one_when_only_one_side_waits(void **unused)
{
    (void)unused;
    static const char *const NAMES[] = {"queue_imbalance", "depth_imbalance"};
    for (int i = 0; i < 2; i++) {
        test_drive drive = {0};
        drive_start(&drive, NAMES[i], NULL);
        assert_near(drive_step(&drive, 0, (double[]){300, 100}), 0.5, 1e-15);
        assert_true(drive_step(&drive, 0, (double[]){5, 0}) == 1.0 && drive_step(&drive, 0, (double[]){0, 5}) == -1.0);
        assert_true(isnan(drive_step(&drive, 0, (double[]){0, 0})) && isnan(drive_step(&drive, 0, (double[]){-1, 5})));
        drive_end(&drive);
    }
}

static double sign_of(test_drive *drive, double price, double bid, double ask, double side)
{
    return drive_step(drive, S, (double[]){price, bid, ask, side});
}

static void a_trade_is_signed_by_its_side_then_the_quote_then_the_last_change(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "trade_sign", NULL);
    assert_true(isnan(sign_of(&drive, 100, NAN, NAN, NAN)));
    assert_true(sign_of(&drive, 100, 99, 101.5, NAN) == -1.0 && drive.out[1] == 2.0); /* below the middle */
    assert_true(sign_of(&drive, 101, 99, 101, NAN) == 1.0 && drive.out[1] == 2.0);
    assert_true(sign_of(&drive, 100, 99, 101, NAN) == -1.0 && drive.out[1] == 3.0); /* at the middle, and came down */
    assert_true(sign_of(&drive, 100, 101, 99, NAN) == -1.0 && drive.out[1] == 3.0); /* a crossed quote says nothing */
    assert_true(sign_of(&drive, 100.5, NAN, NAN, NAN) == 1.0 && drive.out[1] == 3.0);
    assert_true(sign_of(&drive, 99, 99, 101, 1.0) == 1.0 && drive.out[1] == 1.0);
    drive_end(&drive);
}

static void the_middle_of_decimals_is_the_middle(void **unused)
{
    (void)unused;
    for (double scale = 1.0; scale <= 1e8; scale *= 10.0) {
        test_drive drive = {0};
        drive_start(&drive, "trade_sign", NULL);
        sign_of(&drive, 1, NAN, NAN, NAN);
        for (int i = 20001; i < 30000; i++) {
            double bid = i / scale, ask = (i + 4) / scale, above = (i + 3) / scale, below = (i + 1) / scale;
            sign_of(&drive, bid, NAN, NAN, NAN);
            assert_true(sign_of(&drive, (i + 2) / scale, bid, ask, NAN) == 1.0 && drive.out[1] == 3.0);
            sign_of(&drive, ask, NAN, NAN, NAN);
            assert_true(sign_of(&drive, (i + 2) / scale, bid, ask, NAN) == -1.0 && drive.out[1] == 3.0);
            assert_true(sign_of(&drive, above, bid, ask, NAN) == 1.0 && drive.out[1] == 2.0);
            assert_true(sign_of(&drive, below, bid, ask, NAN) == -1.0 && drive.out[1] == 2.0);
        }
        drive_end(&drive);
    }
}

static void signed_volume_nets_what_the_quote_tells(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "signed_volume", (double[]){32});
    drive_step(&drive, 0, (double[]){101, 300, 99, 101, NAN});
    drive_step(&drive, S, (double[]){99, 100, 99, 101, NAN});
    assert_near(drive.out[0], 200, 1e-12);
    assert_near(drive.out[1], 0.5, 1e-12);
    drive_step(&drive, 32 * S, (double[]){99, 50, 99, 101, 1});
    assert_near(drive.out[0], 50, 1e-12); /* what is a window old has left */
    drive_end(&drive);
}

/* 20,000 trades, four a second, whose price follows `impact` bp a unit bought, and noise. */
static void trade_with_impact(test_drive *drive, double impact, double unit)
{
    fm_random random;
    fm_random_seed(&random, 5);
    double price = 100.0;
    for (int i = 0; i < 20000; i++) {
        double side = fm_random_below(&random, 2) ? 1.0 : -1.0, size = (double)(1 + fm_random_below(&random, 100));
        price *= fm_exp(1e-4 * (impact * side * size + 0.3 * fm_random_normal(&random)));
        drive_step(drive, S / 4, (double[]){price, size * unit, NAN, NAN, side});
    }
}

static void kyle_lambda_finds_the_impact_of_a_unit(void **unused)
{
    (void)unused;
    double lambda[2];
    for (int i = 0; i < 2; i++) {
        test_drive drive = {0};
        drive_start(&drive, "kyle_lambda", (double[]){5, 3600});
        trade_with_impact(&drive, 0.02, i == 0 ? 1.0 : 1000.0);
        lambda[i] = drive.out[0];
        assert_true(drive.out[1] > 0.5);
        drive_end(&drive);
    }
    assert_near(lambda[0] / 0.02, 1.0, 0.1);
    assert_near(lambda[0] / lambda[1], 1000.0, 1e-9); /* shares or lots: bp a share or bp a lot */
}

static void a_thin_market_is_illiquid(void **unused)
{
    (void)unused;
    double illiquidity[2];
    for (int i = 0; i < 2; i++) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 6);
        drive_start(&drive, "amihud", (double[]){320});
        double price = 100.0;
        for (int j = 0; j < 4000; j++)
            drive_step(&drive, S, (double[]){price *= fm_exp(1e-4 * fm_random_normal(&random)), i == 0 ? 1000 : 10});
        illiquidity[i] = drive.out[0];
        drive_end(&drive);
    }
    assert_near(illiquidity[1] / illiquidity[0], 100.0, 1e-9);
    /* ten trades of a slice: sqrt(10) bp * sqrt(2 / pi) for a million in ten trades of 100,000 */
    assert_near(illiquidity[0] / (sqrt(10.0) * sqrt(2.0 / 3.14159265)), 1.0, 0.3);
}

/* A trade each 45 minutes: with slices as long as a quarter of that not every wait is a night. */
static void a_name_that_trades_rarely_needs_a_window_of_eight_waits(void **unused)
{
    (void)unused;
    for (int waits = 1; waits <= 8; waits += 7) {
        test_drive drive = {0};
        drive_start(&drive, "amihud", (double[]){2700 * waits});
        for (int i = 0; i < 100; i++)
            drive_step(&drive, 2700 * S, (double[]){i % 2 ? 100.0 : 101.0, 1000});
        assert_true(isnan(drive.out[0]) == (waits == 1));
        drive_end(&drive);
    }
}

static void a_morning_is_as_liquid_as_the_evening_before(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        double params[2];
    } CASES[] = {{"amihud", {1800}}, {"kyle_lambda", {10, 3600}}};
    for (int k = 0; k < 2; k++) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 9);
        drive_start(&drive, CASES[k].name, CASES[k].params);
        double price = 100.0, evening = NAN;
        for (int day = 0; day < 5; day++) {
            for (int i = 0; i < 6000; i++) {
                double side = fm_random_below(&random, 2) ? 1.0 : -1.0;
                price *= fm_exp(1e-4 * side);
                drive_step(&drive, (i == 0 ? 63000 : 4) * S, (double[]){price, 100, NAN, NAN, k == 0 ? 0.0 : side});
                if (day > 0 && i > 200 && i < 900)
                    assert_true(drive.out[0] < 4.0 * evening); /* the night would make it 200 times */
            }
            evening = drive.out[0];
            price *= day % 2 ? 0.97 : 1.03;
        }
        drive_end(&drive);
    }
}

static void roll_spread_reads_the_bounce_and_not_the_volatility(void **unused)
{
    (void)unused;
    for (double spread_bp = 4.0; spread_bp < 20.0; spread_bp *= 2.0) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 7);
        drive_start(&drive, "roll_spread", (double[]){10000});
        double middle = 100.0;
        for (int i = 0; i < 20000; i++) {
            double side = fm_random_below(&random, 2) ? 0.5e-4 : -0.5e-4;
            middle *= fm_exp(1e-4 * fm_random_normal(&random));
            drive_x(&drive, S, middle * (1.0 + side * spread_bp));
        }
        assert_near(drive.out[0] / spread_bp, 1.0, 0.05);
        drive_end(&drive);
    }
}

static void a_trend_has_no_bounce(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "roll_spread", (double[]){1000});
    double price = 100.0;
    for (int i = 0; i < 500; i++)
        drive_x(&drive, S, price *= i / 50 % 2 ? 1.001 : 0.999);
    assert_true(drive.out[0] == 0.0 && drive.out[1] > 0.0);
    drive_end(&drive);
}

/* 3000 trades of 100, bought with that chance, with sides or without; a bought one lifts the price. */
static double toxicity(double chance, bool told)
{
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 8);
    drive_start(&drive, "vpin", (double[]){2000, 50});
    double price = 100.0;
    for (int i = 0; i < 3000; i++) {
        double side = fm_random_unit(&random) < chance ? 1.0 : -1.0;
        price *= 1.0 + 1e-4 * side;
        drive_step(&drive, S, (double[]){price, 100, told ? side : NAN});
    }
    double vpin = drive.out[0];
    drive_end(&drive);
    return vpin;
}

static void vpin_rises_when_one_side_trades(void **unused)
{
    (void)unused;
    /* of 20 fair coins a bucket: E|bought - sold| / 20 = 0.176 */
    assert_near(toxicity(0.5, true), 0.176, 0.04);
    assert_near(toxicity(0.95, true), 0.9, 0.04);
    assert_near(toxicity(1.0, true), 1.0, 1e-12);
    assert_true(toxicity(0.95, false) > 1.3 * toxicity(0.5, false)); /* in bulk, with the price to tell */
}

static void one_trade_fills_many_buckets_and_a_monstrous_one_all_of_them(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "vpin", (double[]){100, 4});
    drive_step(&drive, S, (double[]){10, 50, -1});
    assert_true(isnan(drive_step(&drive, S, (double[]){10, 350, 1})) == 0);
    assert_near(drive.out[0], (0.0 + 1.0 + 1.0 + 1.0) / 4, 1e-12); /* half and half; then bought */
    assert_true(drive.out[1] == 1.0);
    drive_step(&drive, S, (double[]){10, 1e90, -1});
    assert_true(drive.out[0] == 1.0 && drive.out[1] == -1.0);
    drive_end(&drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_imbalance_is_one_when_only_one_side_waits),
        cmocka_unit_test(a_trade_is_signed_by_its_side_then_the_quote_then_the_last_change),
        cmocka_unit_test(the_middle_of_decimals_is_the_middle),
        cmocka_unit_test(signed_volume_nets_what_the_quote_tells),
        cmocka_unit_test(kyle_lambda_finds_the_impact_of_a_unit),
        cmocka_unit_test(a_thin_market_is_illiquid),
        cmocka_unit_test(a_name_that_trades_rarely_needs_a_window_of_eight_waits),
        cmocka_unit_test(a_morning_is_as_liquid_as_the_evening_before),
        cmocka_unit_test(roll_spread_reads_the_bounce_and_not_the_volatility),
        cmocka_unit_test(a_trend_has_no_bounce),
        cmocka_unit_test(vpin_rises_when_one_side_trades),
        cmocka_unit_test(one_trade_fills_many_buckets_and_a_monstrous_one_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
