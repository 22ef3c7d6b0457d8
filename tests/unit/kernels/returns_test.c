/* tests/unit/kernels/returns_test.c - log_return, return_z, move_z, realised_variance. */
#include "assert_near.h"

#include "base/event.h"
#include "base/fmath.h"
#include "base/random.h"
#include "kernels/common/log_ratio.h"
#include "kernels/feature/log_return.h"
#include "kernels/feature/move_z.h"
#include "kernels/feature/realised_variance.h"
#include "kernels/feature/return_z.h"

#define S FM_NS_PER_S

static void log_ratio_is_exact_for_small_moves_and_agrees_beyond(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 5);
    assert_true(fm_log_ratio(100.0, 100.0) == 0.0);
    assert_near(fm_log_ratio(1.0 + 0x1p-40, 1.0) / 0x1p-40, 1.0 - 0x1p-41, 1e-15);
    for (int i = 0; i < 100000; i++) {
        double past = 1.0 + 999.0 * fm_random_unit(&random), x = past * (0.98 + 0.04 * fm_random_unit(&random));
        if (fabs(fm_log_ratio(x, past) - (fm_log(x) - fm_log(past))) > 4e-15)
            fail_msg("log(%.17g / %.17g) is %.17g", x, past, fm_log_ratio(x, past));
    }
    assert_true(isnan(fm_log_ratio(NAN, 1.0)) && isnan(fm_log_ratio(1.0, NAN)));
}

static void log_return_is_against_the_tick_before(void **unused)
{
    (void)unused;
    fm_log_return log_return;
    assert_int_equal(fm_log_return_init(&log_return, 0.0), 0);
    assert_true(isnan(fm_log_return_score(&log_return, 0, 100.0)));
    fm_log_return_update(&log_return, 0, 100.0);
    assert_near(fm_log_return_score(&log_return, 0, 110.0), fm_log(1.1), 1e-15);
    fm_log_return_update(&log_return, 1, 0.0); /* no price: skipped */
    fm_log_return_update(&log_return, 1, -5.0);
    fm_log_return_update(&log_return, 1, NAN);
    assert_near(fm_log_return_score(&log_return, 1, 110.0), fm_log(1.1), 1e-15);
    assert_true(isnan(fm_log_return_score(&log_return, 1, 0.0)));
}

static void log_return_over_a_window_holds_the_value_of_an_empty_stretch(void **unused)
{
    (void)unused;
    fm_log_return log_return;
    assert_int_equal(fm_log_return_init(&log_return, 32.0), 0);
    fm_log_return_update(&log_return, 1000 * S, 100.0);
    assert_true(isnan(fm_log_return_score(&log_return, 1031 * S, 200.0))); /* not a window old */
    assert_near(fm_log_return_score(&log_return, 1032 * S, 200.0), fm_log(2.0), 1e-15);
    assert_near(fm_log_return_score(&log_return, 90000 * S, 200.0), fm_log(2.0), 1e-15); /* overnight */
    fm_log_return_update(&log_return, 90000 * S, 200.0);
    assert_near(fm_log_return_score(&log_return, 90031 * S, 200.0), fm_log(2.0), 1e-15);
    assert_near(fm_log_return_score(&log_return, 90032 * S, 200.0), 0.0, 1e-15);
}

static void the_window_reaches_back_between_31_and_32_of_32_parts(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 6);
    fm_log_return log_return;
    assert_int_equal(fm_log_return_init(&log_return, 3.2), 0);
    int64_t ts_ns = 77 * S;
    for (int i = 0; i < 20000; i++) { /* x is e^t, so the return tells the time of the value compared with */
        ts_ns += 1 + (int64_t)fm_random_below(&random, 2 * FM_NS_PER_MS);
        double x = fm_exp(1e-9 * (double)(ts_ns - 77 * S));
        double back = fm_log_return_score(&log_return, ts_ns, x);
        if (!isnan(back) && !(back >= 3.1 - 1e-9 && back <= 3.2 + 0.002 + 1e-9)) /* 2 ms: the value then in force */
            fail_msg("the window reaches back %.6f s", back);
        assert_true(i < 5000 || !isnan(back));
        fm_log_return_update(&log_return, ts_ns, x);
    }
}

static void return_z_does_not_let_a_bad_print_hide_what_follows(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 7);
    fm_return_z return_z;
    assert_int_equal(fm_return_z_init(&return_z, 600.0, 0.0), 0);
    double x = 100.0, out[3];
    for (int i = 0; i < 2000; i++) {
        x *= fm_exp(1e-4 * fm_random_normal(&random));
        fm_return_z_score(&return_z, x, out);
        assert_true((i <= 30) == isnan(out[0]));
        fm_return_z_update(&return_z, i * S / 10, x);
    }
    fm_return_z_score(&return_z, x * fm_exp(1e-3), out);
    assert_near(out[1], 1e-4, 0.1);
    assert_in_range((int)out[0], 9, 11);
    fm_return_z_update(&return_z, 201 * S, 2.0 * x);
    fm_return_z_update(&return_z, 202 * S, x);
    fm_return_z_score(&return_z, x * fm_exp(1e-3), out);
    assert_true(out[0] > 8.0); /* 0.2 if the bad print had entered whole */
}

static void return_z_floors_sigma(void **unused)
{
    (void)unused;
    fm_return_z flat, floored;
    double out[3];
    assert_int_equal(fm_return_z_init(&flat, 600.0, 0.0), 0);
    assert_int_equal(fm_return_z_init(&floored, 600.0, 2.0), 0);
    for (int i = 0; i < 100; i++) {
        fm_return_z_update(&flat, i * S, 50.0);
        fm_return_z_update(&floored, i * S, 50.0);
    }
    fm_return_z_score(&flat, 50.5, out);
    assert_true(isnan(out[0]));
    fm_return_z_score(&floored, 50.0 * fm_exp(1e-3), out);
    assert_near(out[0], 5.0, 1e-9);
}

/* A minute of ticks each second; returns the last z. */
static double walk(fm_move_z *move_z, fm_random *random, int64_t *ts_ns, double *x, int ticks, double drift)
{
    double out[3] = {NAN, NAN, NAN};
    for (int i = 0; i < ticks; i++) {
        *ts_ns += S;
        *x *= fm_exp(drift + 5e-5 * fm_random_normal(random));
        fm_move_z_score(move_z, *ts_ns, *x, out);
        fm_move_z_update(move_z, *ts_ns, *x);
    }
    return out[0];
}

static void move_z_sees_a_slide_in_small_steps_that_no_single_tick_shows(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 8);
    fm_move_z move_z;
    fm_return_z return_z;
    int64_t ts_ns = 1399000000 * S;
    double x = 100.0, out[3];
    assert_int_equal(fm_move_z_init(&move_z, 60.0, 3600.0, 0.1, 0.0), 0);
    assert_int_equal(fm_return_z_init(&return_z, 3600.0, 0.1), 0);
    assert_true(isnan(walk(&move_z, &random, &ts_ns, &x, 890, 0.0))); /* a quarter of the half-life */
    assert_true(fabs(walk(&move_z, &random, &ts_ns, &x, 7200, 0.0)) < 5.0);
    fm_move_z_score(&move_z, ts_ns, x, out);
    assert_near(out[2], 5e-5 * sqrt(60.0), 0.3);                      /* sigma of the sum of 60 steps */
    assert_true(walk(&move_z, &random, &ts_ns, &x, 60, 1e-4) > 10.0); /* 2 sigma a tick, 60 ticks long */
}

static void move_z_is_not_blinded_by_one_spike_and_samples_by_time(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 9);
    fm_move_z move_z;
    int64_t ts_ns = 1399000000 * S;
    double x = 100.0, out[3];
    assert_int_equal(fm_move_z_init(&move_z, 60.0, 3600.0, 0.1, 0.0), 0);
    walk(&move_z, &random, &ts_ns, &x, 7200, 0.0);
    double sigma = sqrt(move_z.square.mean);
    for (int i = 0; i < 10000; i++) { /* ten thousand ticks at +5 % within one slice are one sample at most */
        ts_ns += 100;
        fm_move_z_update(&move_z, ts_ns, 1.05 * x);
    }
    walk(&move_z, &random, &ts_ns, &x, 200, 0.0);
    assert_true(sqrt(move_z.square.mean) < 1.5 * sigma);
    fm_move_z_score(&move_z, ts_ns, 1.01 * x, out);
    assert_true(out[0] > 8.0);
}

static void move_z_judges_monday_by_friday(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 10);
    fm_move_z move_z;
    int64_t ts_ns = 1399000000 * S;
    double x = 100.0, out[3];
    assert_int_equal(fm_move_z_init(&move_z, 60.0, 3600.0, 0.1, 0.0), 0);
    walk(&move_z, &random, &ts_ns, &x, 7200, 0.0);
    double sigma = sqrt(move_z.square.mean);
    fm_move_z_score(&move_z, ts_ns + 48 * 3600 * S, 1.02 * x, out);
    assert_near(out[1], fm_log(1.02), 1e-12); /* the gap over the weekend is a move */
    assert_near(out[2] / sigma, 1.0, 0.05);
    assert_true(out[0] > 20.0);
}

static void realised_variance_sums_the_squares_of_the_window(void **unused)
{
    (void)unused;
    fm_realised_variance realised;
    double out[2], x = 100.0;
    assert_int_equal(fm_realised_variance_init(&realised, 32.0), 0);
    for (int64_t t = 0; t < 100; t++) { /* one tick in the middle of each slice */
        x *= fm_exp(t % 2 == 0 ? 1e-3 : -1e-3);
        fm_realised_variance_score(&realised, t * S + S / 2, x, out);
        assert_true((t < 32) == isnan(out[0]));
        if (t >= 32) {
            assert_near(out[0] * 1e6, 32.0, 1e-9);
            assert_near(out[1] * 1e3, sqrt(32.0), 1e-9);
        }
        fm_realised_variance_update(&realised, t * S + S / 2, x);
    }
    fm_realised_variance_score(&realised, 10000 * S, x, out);
    assert_true(out[0] == 0.0); /* nothing moved in an empty window */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_ratio_is_exact_for_small_moves_and_agrees_beyond),
        cmocka_unit_test(log_return_is_against_the_tick_before),
        cmocka_unit_test(log_return_over_a_window_holds_the_value_of_an_empty_stretch),
        cmocka_unit_test(the_window_reaches_back_between_31_and_32_of_32_parts),
        cmocka_unit_test(return_z_does_not_let_a_bad_print_hide_what_follows),
        cmocka_unit_test(return_z_floors_sigma),
        cmocka_unit_test(move_z_sees_a_slide_in_small_steps_that_no_single_tick_shows),
        cmocka_unit_test(move_z_is_not_blinded_by_one_spike_and_samples_by_time),
        cmocka_unit_test(move_z_judges_monday_by_friday),
        cmocka_unit_test(realised_variance_sums_the_squares_of_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
