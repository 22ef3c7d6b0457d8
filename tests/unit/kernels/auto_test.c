/* tests/unit/kernels/auto_test.c - the detector for a series that nobody configured. */
#include "series.h"

#include "kernels/detector/auto.h"

#define ROWS    4000
#define STEP_NS (300 * FM_NS_PER_S) /* rows of five minutes: 288 a day, 14 days */

static const double PRESETS[6] = {2000, 3.5, 3, 0.03, 0.5, 5000};

typedef double series(int row);
static double result[2][ROWS][5];

static double noise(int row)
{
    fm_random random;
    fm_random_seed(&random, 1000 + (uint64_t)row);
    return fm_random_normal(&random);
}

/* A smooth day, smallest at its ends. */
static double day(int row)
{
    double part = (double)(row % 288) / 288.0;
    return 16.0 * part * part * (1.0 - part) * (1.0 - part);
}

static double calm(int row)
{
    return 20.0 + 5.0 * day(row) + 0.3 * noise(row);
}

static double spiked(int row)
{
    return calm(row) + (row >= 3000 && row < 3012 ? 8.0 : 0.0);
}

static double flat_day(int row) /* one day in which the usual rise does not come */
{
    return row / 288 == 10 ? 20.0 + 0.3 * noise(row) : calm(row);
}

static double constant(int row)
{
    (void)row;
    return -7.25;
}

static void run_series(series *of, double factor, int64_t shift_ns, int rows, double out[][5])
{
    fm_auto detector;
    assert_int_equal(fm_auto_init(&detector, PRESETS), 0);
    for (int i = 0; i < rows; i++) {
        int64_t ts_ns = 1399032000 * FM_NS_PER_S + i * STEP_NS + shift_ns;
        double x = of(i) * factor;
        fm_auto_score(&detector, ts_ns, x, out[i]);
        fm_auto_update(&detector, ts_ns, x);
    }
}

static int alarms_in(double out[][5], int from, int to)
{
    int count = 0;
    for (int i = from; i < to; i++)
        count += out[i][0] >= 0.5;
    return count;
}

static void it_is_silent_until_30_rows_are_in(void **unused)
{
    (void)unused;
    run_series(calm, 1.0, 0, 40, result[0]);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(isnan(result[0][i][0]), i < 30);
        assert_int_equal(isnan(result[0][i][4]), i < 30);
        assert_true(result[0][i][3] == (i < 30 ? 0.0 : 1.0));
    }
}

static void a_spike_is_one_alarm_at_its_first_row(void **unused)
{
    (void)unused;
    run_series(spiked, 1.0, 0, ROWS, result[0]);
    run_series(calm, 1.0, 0, ROWS, result[1]);
    assert_true(result[0][3000][0] >= 0.5);
    assert_int_equal(alarms_in(result[0], 3000, 3000 + 120),
                     1); /* 0.03 of the rows seen: 90, after the last high row */
    assert_in_range(alarms_in(result[1], 600, ROWS), 0, 8);
    assert_true(result[0][3000][1] < 0.002 && result[0][3000][4] > 3.5);
}

static void a_silenced_row_stays_below_the_weakest_level(void **unused)
{
    (void)unused;
    run_series(spiked, 1.0, 0, ROWS, result[0]);
    int high = 0;
    for (int i = 3001; i < 3012; i++) {
        high += result[0][i][4] > 3.5 + 0.5 * 1.1; /* evidence of an alarm */
        assert_true(result[0][i][0] < 0.4625);
    }
    assert_true(high > 5);
}

static void what_does_not_come_at_its_hour_is_seen(void **unused)
{
    (void)unused;
    run_series(flat_day, 1.0, 0, ROWS, result[0]);
    assert_in_range(alarms_in(result[0], 2880, 2880 + 144), 1, 2);
    double usual = result[0][288 * 9 + 144][2]; /* of the days at noon */
    assert_near(usual, 25.0, 0.02);
}

static void a_prefix_scores_as_the_whole_does(void **unused)
{
    (void)unused;
    run_series(spiked, 1.0, 0, ROWS, result[0]);
    static const int CUTS[] = {1, 29, 31, 1777, 3005};
    for (int k = 0; k < 5; k++) {
        memset(result[1], 0, sizeof(result[1]));
        run_series(spiked, 1.0, 0, CUTS[k], result[1]);
        for (int i = 0; i < CUTS[k]; i++)
            assert_true(same_numbers(result[0][i], result[1][i], 5));
    }
}

static void a_factor_changes_no_score_and_scales_what_is_expected(void **unused)
{
    (void)unused;
    static const double FACTORS[] = {1000.0, 1024.0, 0.001, 1e-60};
    run_series(spiked, 1.0, 0, ROWS, result[0]);
    for (int k = 0; k < 4; k++) {
        run_series(spiked, FACTORS[k], 0, ROWS, result[1]);
        for (int i = 30; i < ROWS; i++) {
            assert_near(result[1][i][0], result[0][i][0], 1e-9);
            assert_near(result[1][i][4], result[0][i][4], 1e-9);
            assert_near(result[1][i][2] / FACTORS[k], result[0][i][2], 1e-9);
        }
    }
}

static void whole_days_and_weeks_later_it_scores_the_same(void **unused)
{
    (void)unused;
    run_series(flat_day, 1.0, 0, ROWS, result[0]);
    for (int64_t days = -364 * 50; days <= 364 * 50; days += 364 * 25) {
        run_series(flat_day, 1.0, days * 86400 * FM_NS_PER_S, ROWS, result[1]);
        for (int i = 0; i < ROWS; i++)
            assert_true(same_numbers(result[0][i], result[1][i], 5));
    }
}

static void a_missing_value_is_as_if_the_row_were_not_there(void **unused)
{
    (void)unused;
    static const double MISSING[] = {NAN, INFINITY, -INFINITY, 1e101};
    run_series(calm, 1.0, 0, 500, result[0]);
    fm_auto detector;
    assert_int_equal(fm_auto_init(&detector, PRESETS), 0);
    for (int i = 0; i < 500; i++) {
        int64_t ts_ns = 1399032000 * FM_NS_PER_S + i * STEP_NS;
        double out[5], x = calm(i);
        fm_auto_score(&detector, ts_ns + 1, MISSING[i % 4], out);
        fm_auto_update(&detector, ts_ns + 1, MISSING[i % 4]);
        assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[4]) && isnan(out[2]) == (i < 30));
        fm_auto_score(&detector, ts_ns, x, out);
        assert_true(same_numbers(out, result[0][i], 5));
        fm_auto_update(&detector, ts_ns, x);
    }
}

static void a_constant_gives_no_evidence_at_all_and_its_end_an_alarm(void **unused)
{
    (void)unused;
    run_series(constant, 1.0, 0, ROWS, result[0]);
    for (int i = 30; i < ROWS; i++)
        assert_true(result[0][i][4] == 0.0 && result[0][i][0] < 0.35 && result[0][i][2] == -7.25);
    fm_auto detector;
    assert_int_equal(fm_auto_init(&detector, PRESETS), 0);
    double out[5];
    for (int i = 0; i <= 1000; i++) {
        fm_auto_score(&detector, i * STEP_NS, i == 1000 ? -7.26 : -7.25, out);
        fm_auto_update(&detector, i * STEP_NS, i == 1000 ? -7.26 : -7.25);
    }
    assert_true(out[0] >= 0.5);
}

static void zeros_first_take_the_unit_from_what_follows(void **unused)
{
    (void)unused;
    fm_auto detector;
    assert_int_equal(fm_auto_init(&detector, PRESETS), 0);
    double out[5];
    for (int i = 0; i < 200; i++) {
        double x = i < 100 ? 0.0 : 3e7 * (double)(i % 3);
        fm_auto_score(&detector, i * STEP_NS, x, out);
        fm_auto_update(&detector, i * STEP_NS, x);
        assert_true(i < 30 || isfinite(out[0]));
    }
    assert_true(detector.unit == 3e7);
}

static void no_two_sketches_merge_on_one_row(void **unused)
{
    (void)unused;
    fm_auto detector;
    assert_int_equal(fm_auto_init(&detector, PRESETS), 0);
    for (int i = 0; i < 1000; i++) {
        fm_auto_update(&detector, i * STEP_NS, noise(i));
        int merged = 0;
        for (int k = 0; k < 8; k++)
            merged += detector.stream[k].waiting_count == 0;
        assert_true(merged <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_silent_until_30_rows_are_in),
        cmocka_unit_test(a_spike_is_one_alarm_at_its_first_row),
        cmocka_unit_test(a_silenced_row_stays_below_the_weakest_level),
        cmocka_unit_test(what_does_not_come_at_its_hour_is_seen),
        cmocka_unit_test(a_prefix_scores_as_the_whole_does),
        cmocka_unit_test(a_factor_changes_no_score_and_scales_what_is_expected),
        cmocka_unit_test(whole_days_and_weeks_later_it_scores_the_same),
        cmocka_unit_test(a_missing_value_is_as_if_the_row_were_not_there),
        cmocka_unit_test(a_constant_gives_no_evidence_at_all_and_its_end_an_alarm),
        cmocka_unit_test(zeros_first_take_the_unit_from_what_follows),
        cmocka_unit_test(no_two_sketches_merge_on_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
