/* tests/unit/kernels/market_test.c - what a market's score depends on, and what it says. */
#include "series.h"

#include "kernels/detector/market.h"

#define ROWS      6000
#define CRASH     4000
#define PRINT     5000
#define MINUTE_NS (60 * FM_NS_PER_S)
#define WEEK_NS   (7 * 24 * 60 * MINUTE_NS)
#define MONDAY_NS (1399248000 * FM_NS_PER_S)

static const double PRESETS[6] = {60, 5000, 480, 20000, 3000, 4};
static double result[2][ROWS][5];

/* Bars of a minute: a random walk; a crash in one bar, a bad print in another, with a spread of its own. */
static void make_bars(fm_market_record bars[ROWS])
{
    fm_random random;
    fm_random_seed(&random, 11);
    double price = 100.0;
    for (int i = 0; i < ROWS; i++) {
        double open = price, up = 4e-4 * fabs(fm_random_normal(&random)), down = 4e-4 * fabs(fm_random_normal(&random));
        price *= fm_exp(5e-4 * fm_random_normal(&random) - (i == CRASH ? 0.05 : 0.0));
        bars[i] = (fm_market_record){open, (open > price ? open : price) * (1.0 + up),
                                     (open < price ? open : price) * (1.0 - down), price, 0.01 * price / 100.0};
        if (i == PRINT)
            bars[i].low *= 0.9;
    }
    bars[PRINT].close = bars[PRINT].open; /* all of it is taken back */
    bars[PRINT + 1].open = bars[PRINT].close;
}

static fm_market_record bars[ROWS];

static void run_bars(double factor, int64_t shift_ns, int rows, double out[][5])
{
    fm_market market;
    assert_int_equal(fm_market_init(&market, PRESETS), 0);
    for (int i = 0; i < rows; i++) {
        fm_market_record bar = {bars[i].open * factor, bars[i].high * factor, bars[i].low * factor,
                                bars[i].close * factor, bars[i].spread * factor};
        fm_market_step(&market, MONDAY_NS + i * MINUTE_NS + shift_ns, &bar, out[i]);
    }
}

static int setup(void **unused)
{
    (void)unused;
    make_bars(bars);
    run_bars(1.0, 0, ROWS, result[0]);
    return 0;
}

static void a_crash_and_a_bad_print_stand_out_and_are_told_apart(void **unused)
{
    (void)unused;
    for (int i = 100; i < ROWS; i++)
        assert_true(result[0][i][0] >= 0.0 &&
                    (result[0][i][0] < 2.0 || (i >= CRASH && i < CRASH + 5) || (i >= PRINT && i < PRINT + 5)));
    assert_true(result[0][CRASH][0] > 2.0);
    assert_true(result[0][CRASH][1] < 1e-3);
    assert_true(result[0][CRASH][4] == FM_MARKET_RANGE);
    assert_true(result[0][PRINT][4] == FM_MARKET_BAD_PRINT);
    assert_near(result[0][CRASH][2], bars[CRASH - 1].close, 1e-12);
}

static void a_spread_that_widens_is_told_as_one(void **unused)
{
    (void)unused;
    fm_market market;
    double out[5];
    assert_int_equal(fm_market_init(&market, PRESETS), 0);
    for (int i = 0; i < 3000; i++)
        fm_market_step(&market, MONDAY_NS + i * MINUTE_NS, &bars[i], out);
    fm_market_record wide = bars[3000];
    wide.spread *= 30.0;
    fm_market_score(&market, MONDAY_NS + 3000 * MINUTE_NS, &bars[3000], out);
    double calm = out[0];
    fm_market_score(&market, MONDAY_NS + 3000 * MINUTE_NS, &wide, out);
    assert_true(out[0] > calm + 0.5);
    assert_true(out[4] == FM_MARKET_SPREAD);
}

static void prices_times_a_constant_score_the_same(void **unused)
{
    (void)unused;
    static const double FACTORS[] = {1000.0, 1024.0, 0.37};
    for (int f = 0; f < 3; f++) {
        run_bars(FACTORS[f], 0, ROWS, result[1]);
        for (int i = 0; i < ROWS; i++)
            for (int k = 0; k < 5; k++)
                if (k != 2 && !(fabs(result[1][i][k] - result[0][i][k]) < 1e-9) && !isnan(result[0][i][k]))
                    fail_msg("row %d, output %d: %.17g, times %g %.17g", i, k, result[0][i][k], FACTORS[f],
                             result[1][i][k]);
    }
}

static void times_shifted_by_whole_weeks_score_the_same_to_the_bit(void **unused)
{
    (void)unused;
    run_bars(1.0, 53 * WEEK_NS, ROWS, result[1]);
    assert_memory_equal(result[1], result[0], sizeof(result[0]));
}

static void a_prefix_scores_as_the_whole_and_a_copied_state_goes_on_alike(void **unused)
{
    (void)unused;
    memset(result[1], 0, sizeof(result[1]));
    run_bars(1.0, 0, ROWS / 2, result[1]);
    assert_memory_equal(result[1], result[0], sizeof(result[0]) / 2);
    fm_market market, copy;
    assert_int_equal(fm_market_init(&market, PRESETS), 0);
    for (int i = 0; i < ROWS; i++) {
        if (i % 777 == 0) {
            memcpy(&copy, &market, sizeof(copy));
            memset(&market, 0xa5, sizeof(market));
            memcpy(&market, &copy, sizeof(market));
        }
        fm_market_step(&market, MONDAY_NS + i * MINUTE_NS, &bars[i], result[1][i]);
    }
    assert_memory_equal(result[1], result[0], sizeof(result[0]));
}

static void a_missing_or_impossible_price_changes_nothing(void **unused)
{
    (void)unused;
    static const double BAD[] = {NAN, 0.0, -1.0, INFINITY, -INFINITY, 1e300};
    fm_market market, before;
    double out[5];
    assert_int_equal(fm_market_init(&market, PRESETS), 0);
    for (int i = 0; i < 500; i++)
        fm_market_step(&market, MONDAY_NS + i * MINUTE_NS, &bars[i], out);
    before = market;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        for (int field = 0; field < 4; field++) {
            fm_market_record bad = bars[500];
            memcpy((char *)&bad + (size_t)field * sizeof(double), &BAD[i], sizeof(double));
            fm_market_step(&market, MONDAY_NS + 500 * MINUTE_NS, &bad, out);
            assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]) && out[3] == 1.0);
            assert_memory_equal(&market, &before, sizeof(market));
        }
}

static void a_lone_wrong_print_among_ticks_is_nothing_and_two_are_something(void **unused)
{
    (void)unused;
    for (int prints = 1; prints <= 2; prints++) {
        fm_market market;
        double out[5], most = 0.0;
        assert_int_equal(fm_market_init(&market, PRESETS), 0);
        for (int i = 0; i < 20000; i++) {
            double price = bars[i / 4].close * (i >= 16002 && i < 16002 + prints ? 1.1 : 1.0);
            if (i / 4 >= CRASH - 4 && i < 16002)
                price = bars[CRASH - 5].close;
            fm_market_record tick = {price, price, price, price, NAN};
            fm_market_step(&market, MONDAY_NS + i * 15 * FM_NS_PER_S, &tick, out);
            if (i >= 16002 && i < 16004 && out[0] > most)
                most = out[0];
        }
        assert_true(prints == 1 ? most < 2.0 : most > 2.0);
    }
}

static void silence_is_odd_in_hours_that_are_busy_in_other_weeks_and_there_alone(void **unused)
{
    (void)unused;
    fm_market market;
    double out[5];
    int64_t ts_ns = 0;
    assert_int_equal(fm_market_init(&market, PRESETS), 0);
    assert_true(fm_market_silence(&market, MONDAY_NS) == 0.0);
    for (int week = 0; week < 3; week++) /* eight hours a day, five days a week */
        for (int day = 0; day < 5; day++)
            for (int minute = 0; minute < 480; minute++) {
                ts_ns = MONDAY_NS + week * WEEK_NS + (day * 1440 + 540 + minute) * MINUTE_NS;
                fm_market_step(&market, ts_ns, &bars[(week * 2400 + day * 480 + minute) % CRASH], out);
            }
    assert_true(fm_market_silence(&market, ts_ns + 9 * MINUTE_NS) == 0.0); /* after hours */
    for (int minute = 0; minute < 100; minute++) {
        ts_ns = MONDAY_NS + 3 * WEEK_NS + (540 + minute) * MINUTE_NS;
        fm_market_step(&market, ts_ns, &bars[minute], out);
    }
    assert_true(fm_market_silence(&market, ts_ns + MINUTE_NS) == 0.0);
    assert_true(fm_market_silence(&market, ts_ns + 9 * MINUTE_NS) > 2.5); /* only nights are as long */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_and_a_bad_print_stand_out_and_are_told_apart),
        cmocka_unit_test(a_spread_that_widens_is_told_as_one),
        cmocka_unit_test(prices_times_a_constant_score_the_same),
        cmocka_unit_test(times_shifted_by_whole_weeks_score_the_same_to_the_bit),
        cmocka_unit_test(a_prefix_scores_as_the_whole_and_a_copied_state_goes_on_alike),
        cmocka_unit_test(a_missing_or_impossible_price_changes_nothing),
        cmocka_unit_test(a_lone_wrong_print_among_ticks_is_nothing_and_two_are_something),
        cmocka_unit_test(silence_is_odd_in_hours_that_are_busy_in_other_weeks_and_there_alone),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
