/* tests/unit/kernels/indicators_test.c - windows in events, and the indicators of technical analysis. */
#include "series.h"

#define COUNT 20

static test_state state;

static const fm_kernel *begin(const char *name, const double *params)
{
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_FEATURE, name);
    assert_non_null(kernel);
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    return kernel;
}

static void feed(const fm_kernel *kernel, int64_t ts_ns, const double *in, double *out)
{
    kernel->step(state.bytes, ts_ns, in, out);
}

static void extremes_are_those_of_the_last_events_and_of_no_other(void **unused)
{
    (void)unused;
    static double x[5000];
    fm_random random;
    fm_random_seed(&random, 21);
    for (int shape = 0; shape < 4; shape++) {
        const fm_kernel *kernel = begin("rolling_extremes", (const double[]){COUNT});
        for (int i = 0; i < 5000; i++) {
            double out[3], low = INFINITY, high = -INFINITY;
            x[i] = shape == 0 ? fm_random_normal(&random) : shape == 1 ? i : shape == 2 ? -i : (double)(i / 7 % 3);
            feed(kernel, i, &x[i], out);
            for (int j = i >= COUNT ? i - COUNT + 1 : 0; j <= i; j++) {
                low = fmin(low, x[j]);
                high = fmax(high, x[j]);
            }
            assert_true(out[0] == low && out[1] == high);
            assert_true(high > low ? out[2] == (x[i] - low) / (high - low) : isnan(out[2]));
        }
    }
}

static void a_wild_value_leaves_the_extremes_with_its_window(void **unused)
{
    (void)unused;
    double out[3];
    const fm_kernel *kernel = begin("rolling_extremes", (const double[]){COUNT});
    for (int i = 0; i < 100; i++)
        feed(kernel, i, (const double[]){i == 50 ? -1e100 : 5.0 + i % 2}, out);
    assert_true(out[0] == 5.0 && out[1] == 6.0);
}

static void rsi_is_100_when_all_rises_0_when_all_falls_and_50_between(void **unused)
{
    (void)unused;
    double out[1];
    for (int direction = -1; direction <= 1; direction++) {
        const fm_kernel *kernel = begin("rsi", (const double[]){14});
        for (int i = 0; i <= 2000; i++) {
            feed(kernel, i, (const double[]){direction == 0 ? 100.0 + i % 2 : 100.0 + direction * i}, out);
            assert_true(isnan(out[0]) == (i < 14));
        }
        assert_near(out[0], direction == 0 ? 50.0 : 50.0 + 50.0 * direction, direction == 0 ? 0.08 : 1e-15);
    }
}

static void rsi_knows_no_scale_and_no_level(void **unused)
{
    (void)unused;
    static test_state other;
    fm_random random;
    fm_random_seed(&random, 22);
    double a[1], b[1], x = 100.0;
    const fm_kernel *kernel = begin("rsi", (const double[]){14});
    test_state_copy(&other, &state);
    for (int i = 0; i < 1000; i++) {
        x += (double)fm_random_below(&random, 9) - 4.0;
        feed(kernel, i, &x, a);
        kernel->step(other.bytes, i, (const double[]){1024.0 * (x + 512.0)}, b);
        assert_true(same_numbers(a, b, 1));
    }
    test_state_free(&other);
}

static void rsi_of_a_series_that_stopped_moving_keeps_its_last_answer(void **unused)
{
    (void)unused;
    double out[1], before = NAN;
    const fm_kernel *kernel = begin("rsi", (const double[]){14});
    for (int i = 0; i < 5000; i++) {
        feed(kernel, i, (const double[]){i < 100 ? 100.0 + i % 3 : 100.0}, out);
        if (i == 101)
            before = out[0];
    }
    assert_near(out[0], before, 1e-9);
    for (int i = 0; i < 20000; i++)
        feed(kernel, i, (const double[]){100.0}, out);
    assert_true(isnan(out[0])); /* nothing is left of the movement */
}

static void atr_counts_the_gap_between_bars(void **unused)
{
    (void)unused;
    double out[3];
    const fm_kernel *kernel = begin("atr", (const double[]){5});
    for (int i = 0; i < 10; i++)
        feed(kernel, i, (const double[]){101.0, 99.0, 100.0}, out);
    assert_near(out[0], 2.0, 1e-15);
    feed(kernel, 10, (const double[]){111.0, 110.0, 110.0}, out); /* opens 10 above the close */
    assert_near(out[1], 11.0, 1e-15);
    assert_near(out[0], 2.0 + 9.0 / 5.0, 1e-15);
    assert_near(out[2], 11.0 / 3.8, 1e-15);
    feed(kernel, 11, (const double[]){90.0, 91.0, 90.5}, out); /* high below low is no bar */
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
}

/* Mean, standard deviation, skewness, excess kurtosis in two passes, in extended precision. */
static void two_passes(const double *x, int count, double out[4])
{
    long double mean = 0, sum[5] = {0}; /* of the distance from the first value */
    for (int i = 0; i < count; i++)
        mean += x[i] - x[0];
    mean /= count;
    for (int i = 0; i < count; i++)
        for (int p = 2; p < 5; p++) {
            long double power = 1;
            for (int j = 0; j < p; j++)
                power *= x[i] - x[0] - mean;
            sum[p] += power / count;
        }
    out[0] = (double)(x[0] + mean);
    out[1] = (double)sqrtl(sum[2]);
    out[2] = (double)(sum[3] / (sum[2] * sqrtl(sum[2])));
    out[3] = (double)(sum[4] / (sum[2] * sum[2]) - 3);
}

static void moments_are_those_of_two_passes_also_far_from_zero(void **unused)
{
    (void)unused;
    static double x[4000];
    static const double LEVEL[] = {0.0, 100.0, 1e6, -1e9};
    fm_random random;
    fm_random_seed(&random, 23);
    for (int shape = 0; shape < 4; shape++) {
        double out[5], exact[4];
        const fm_kernel *kernel = begin("rolling_moments", (const double[]){COUNT, 0});
        for (int i = 0; i < 4000; i++) {
            x[i] = LEVEL[shape] + fm_random_normal(&random) * (i / 500 % 2 ? 1.0 : 1e3);
            feed(kernel, i, &x[i], out);
            assert_true(isnan(out[1]) == (i < COUNT));
            if (i < COUNT)
                continue;
            two_passes(&x[i - COUNT], COUNT, exact);
            for (int j = 0; j < 4; j++)
                assert_near(out[j], exact[j], 1e-10);
            assert_near(out[4], (x[i] - exact[0]) / exact[1], LEVEL[shape] == 0.0 ? 1e-10 : 1e-6);
        }
    }
}

static void a_wild_value_leaves_no_trace_in_the_moments(void **unused)
{
    (void)unused;
    static double x[400];
    double out[5], exact[4];
    for (int mode = 0; mode < 2; mode++) {
        const fm_kernel *kernel = begin("rolling_moments", (const double[]){COUNT, mode == 0 ? 0 : 1});
        for (int i = 0; i < 400; i++) {
            x[i] = i == 100 ? 1e60 : i == 101 ? -1e70 : 100.0 + 0.01 * (i * 7 % 13);
            feed(kernel, i * FM_NS_PER_S / 16, &x[i], out); /* 16 values in the window of a second */
        }
        two_passes(&x[399 - (mode == 0 ? COUNT : 16)], mode == 0 ? COUNT : 16, exact);
        for (int j = 0; mode == 0 && j < 4; j++)
            assert_near(out[j], exact[j], 1e-10);
        assert_near(out[0], 100.06, 0.02);
        assert_near(out[1], exact[1], 0.01);
    }
}

static void equal_values_have_no_spread_whatever_came_before(void **unused)
{
    (void)unused;
    double out[5];
    const fm_kernel *kernel = begin("rolling_moments", (const double[]){COUNT, 0});
    for (int i = 0; i < 500; i++) {
        feed(kernel, i, (const double[]){i < 250 ? 1e5 + 7.3 * (i % 17) : 1.1}, out);
        if (i >= 250 + COUNT)
            assert_true(out[0] == 1.1 && out[1] == 0.0 && isnan(out[2]) && isnan(out[4]));
    }
}

static void shape_knows_no_scale_and_no_level(void **unused)
{
    (void)unused;
    fm_random random;
    for (int window = 0; window < 2; window++) {
        double a[5], b[5];
        static test_state other;
        const fm_kernel *kernel = begin("rolling_moments", (const double[]){COUNT, window * 2.0});
        test_state_copy(&other, &state);
        fm_random_seed(&random, 24);
        for (int i = 0; i < 1000; i++) {
            double x = fm_random_normal(&random);
            feed(kernel, i * FM_NS_PER_S / 20, &x, a);
            kernel->step(other.bytes, i * FM_NS_PER_S / 20, (const double[]){-300.0 + 1000.0 * x}, b);
            for (int j = 2; i > COUNT && j < 5; j++)
                assert_near(a[j], b[j], 1e-9);
        }
        test_state_free(&other);
    }
}

static void welford_is_exact_a_million_sigmas_from_zero(void **unused)
{
    (void)unused;
    static double x[50000];
    double out[5], exact[4];
    fm_random random;
    fm_random_seed(&random, 25);
    const fm_kernel *kernel = begin("welford", NULL);
    for (int i = 0; i < 50000; i++) {
        x[i] = 1e6 + fm_random_normal(&random) * fm_random_unit(&random);
        feed(kernel, i, &x[i], out);
    }
    two_passes(x, 49999, exact);
    for (int j = 0; j < 4; j++)
        assert_near(out[j], exact[j], 1e-11);
    assert_near(out[3], 9.0 / 5.0 * 3.0 - 3.0, 0.2); /* E u^4 / (E u^2)^2 = 9/5 times that of the normal */
}

static void a_simple_return_is_what_a_holding_gained(void **unused)
{
    (void)unused;
    double out[1];
    const fm_kernel *kernel = begin("simple_return", (const double[]){0});
    feed(kernel, 0, (const double[]){100.0}, out);
    assert_true(isnan(out[0]));
    feed(kernel, 1, (const double[]){150.0}, out);
    assert_true(out[0] == 0.5);
    feed(kernel, 2, (const double[]){75.0}, out);
    assert_true(out[0] == -0.5);
    kernel = begin("simple_return", (const double[]){32});
    for (int i = 0; i <= 100; i++)
        feed(kernel, i * FM_NS_PER_S, (const double[]){100.0 + i}, out);
    assert_near(out[0], 200.0 / 168.0 - 1.0, 1e-15); /* the value in force when the slice 32 s ago ended */
}

static void an_event_return_looks_back_by_trades_and_not_by_time(void **unused)
{
    (void)unused;
    double out[1];
    const fm_kernel *kernel = begin("event_return", (const double[]){10});
    for (int i = 0; i < 50; i++) {
        feed(kernel, i * (int64_t)i * FM_NS_PER_S, (const double[]){fm_exp(0.001 * i)}, out);
        assert_true(isnan(out[0]) == (i < 10));
    }
    assert_near(out[0], 0.01, 1e-13);
}

static void a_volume_return_looks_back_by_volume_however_it_came(void **unused)
{
    (void)unused;
    for (int pieces = 1; pieces <= 4; pieces *= 2) { /* the same volume in one trade, two, four */
        double out[1];
        const fm_kernel *kernel = begin("volume_return", (const double[]){3200});
        for (int i = 0; i < 100; i++)
            for (int j = 0; j < pieces; j++)
                feed(kernel, i, (const double[]){fm_exp(0.001 * i), 100.0 / pieces}, out);
        assert_near(out[0], 0.031, 1e-13);
        feed(kernel, 100, (const double[]){2.0, 1e9}, out); /* all of the last 3200 have this price */
        assert_true(out[0] == 0.0);
    }
}

static void bollinger_bands_are_those_of_two_passes_whatever_came_before(void **unused)
{
    (void)unused;
    static double x[3000];
    fm_random random;
    fm_random_seed(&random, 26);
    double out[5], exact[4];
    const fm_kernel *kernel = begin("bollinger", (const double[]){COUNT, 2});
    for (int i = 0; i < 3000; i++) {
        x[i] = 100.0 + fm_random_normal(&random) * (i / 400 % 2 ? 1e-3 : 1.0) + (i % 311 == 0 ? 1e9 : 0.0);
        feed(kernel, i, &x[i], out);
        assert_true(isnan(out[0]) == (i + 1 < COUNT));
        if (i + 1 < COUNT)
            continue;
        two_passes(&x[i + 1 - COUNT], COUNT, exact);
        assert_near(out[0], exact[0], 1e-12);
        assert_near((out[1] - out[2]) / (4.0 * exact[1]), 1.0, 1e-10);
        assert_near(out[3], (x[i] - out[2]) / (out[1] - out[2]), 1e-9);
    }
}

static void bands_of_equal_values_close(void **unused)
{
    (void)unused;
    double out[5];
    const fm_kernel *kernel = begin("bollinger", (const double[]){COUNT, 2});
    for (int i = 0; i < 200; i++) {
        feed(kernel, i, (const double[]){i < 100 ? 1e4 + i * 3.7 : 0.1}, out);
        if (i >= 100 + COUNT - 1)
            assert_true(out[0] == 0.1 && out[1] == 0.1 && out[2] == 0.1 && isnan(out[3]) && out[4] == 0.0);
    }
}

static void macd_of_a_steady_trend_is_its_slope_times_half_the_difference_of_lengths(void **unused)
{
    (void)unused;
    double out[3];
    const fm_kernel *kernel = begin("macd", (const double[]){12, 26, 9});
    for (int i = 0; i < 2000; i++) {
        feed(kernel, i, (const double[]){0.25 * i}, out);
        assert_true(isnan(out[0]) == (i < 34));
    }
    assert_near(out[0], 0.25 * (26.0 - 12.0) / 2.0, 1e-10); /* an average of n lags (n - 1) / 2 events behind */
    assert_near(out[2], 0.0, 1e-10);
}

static void a_close_outside_the_channel_is_a_breakout(void **unused)
{
    (void)unused;
    double out[4];
    const fm_kernel *kernel = begin("donchian", (const double[]){20});
    for (int i = 0; i < 60; i++) {
        feed(kernel, i, (const double[]){101.0, 99.0, 100.0}, out);
        assert_true(isnan(out[0]) == (i < 20));
    }
    assert_true(out[0] == 101.0 && out[1] == 99.0 && out[2] == 100.0 && out[3] == 0.5);
    feed(kernel, 60, (const double[]){104.0, 100.0, 103.0}, out);
    assert_true(out[0] == 101.0 && out[3] == 2.0); /* the bar is not part of what it breaks out of */
    feed(kernel, 61, (const double[]){102.0, 100.0, 101.5}, out);
    assert_true(out[0] == 104.0);
}

static void vwap_and_vwap_deviation_are_one(void **unused)
{
    (void)unused;
    static test_state other;
    test_market market;
    market_init(&market, 27);
    const fm_kernel *deviation = begin("vwap_deviation", (const double[]){5, 0});
    test_state_copy(&other, &state);
    const fm_kernel *kernel = begin("vwap", (const double[]){5});
    for (int i = 0; i < 3000; i++) {
        double a[2], b[3];
        test_row row = market_next(&market, kernel);
        feed(kernel, row.ts_ns, row.in, a);
        deviation->step(other.bytes, row.ts_ns, row.in, b);
        assert_true(same_numbers(&a[0], &b[2], 1) && same_numbers(&a[1], &b[0], 1));
    }
    test_state_free(&other);
}

static void twap_weighs_a_value_by_how_long_it_stood(void **unused)
{
    (void)unused;
    double out[2];
    const fm_kernel *kernel = begin("twap", (const double[]){32});
    feed(kernel, 0, (const double[]){100.0}, out);
    assert_true(isnan(out[0]));
    for (int i = 0; i < 1000; i++) /* a burst at one moment weighs nothing */
        feed(kernel, 3 * FM_NS_PER_S, (const double[]){500.0 + i}, out);
    feed(kernel, 3 * FM_NS_PER_S, (const double[]){200.0}, out);
    assert_near(out[0], 100.0, 1e-15);
    feed(kernel, 4 * FM_NS_PER_S, (const double[]){150.0}, out);
    assert_near(out[0], (3.0 * 100.0 + 200.0) / 4.0, 1e-15);
    assert_near(out[1], 1e4 * (150.0 / 125.0 - 1.0), 1e-12);
}

static void what_stood_before_the_window_is_gone_and_a_silence_holds_its_value(void **unused)
{
    (void)unused;
    for (int gap_s = 10; gap_s <= 100000; gap_s *= 10) {
        double out[2], held = gap_s < 31 ? gap_s : 31.0;
        const fm_kernel *kernel = begin("twap", (const double[]){32});
        feed(kernel, 0, (const double[]){100.0}, out);
        feed(kernel, FM_NS_PER_S / 2, (const double[]){200.0}, out);
        feed(kernel, FM_NS_PER_S / 2 + gap_s * FM_NS_PER_S, (const double[]){300.0}, out);
        double hundreds = gap_s < 31 ? 0.5 : 0.0, two_hundreds = gap_s < 31 ? held : 31.5;
        assert_near(out[0], (100.0 * hundreds + 200.0 * two_hundreds) / (hundreds + two_hundreds), 1e-14);
    }
}

static int end(void **unused)
{
    (void)unused;
    test_state_free(&state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes_are_those_of_the_last_events_and_of_no_other),
        cmocka_unit_test(a_wild_value_leaves_the_extremes_with_its_window),
        cmocka_unit_test(rsi_is_100_when_all_rises_0_when_all_falls_and_50_between),
        cmocka_unit_test(rsi_knows_no_scale_and_no_level),
        cmocka_unit_test(rsi_of_a_series_that_stopped_moving_keeps_its_last_answer),
        cmocka_unit_test(atr_counts_the_gap_between_bars),
        cmocka_unit_test(moments_are_those_of_two_passes_also_far_from_zero),
        cmocka_unit_test(a_wild_value_leaves_no_trace_in_the_moments),
        cmocka_unit_test(equal_values_have_no_spread_whatever_came_before),
        cmocka_unit_test(shape_knows_no_scale_and_no_level),
        cmocka_unit_test(welford_is_exact_a_million_sigmas_from_zero),
        cmocka_unit_test(a_simple_return_is_what_a_holding_gained),
        cmocka_unit_test(an_event_return_looks_back_by_trades_and_not_by_time),
        cmocka_unit_test(a_volume_return_looks_back_by_volume_however_it_came),
        cmocka_unit_test(bollinger_bands_are_those_of_two_passes_whatever_came_before),
        cmocka_unit_test(bands_of_equal_values_close),
        cmocka_unit_test(macd_of_a_steady_trend_is_its_slope_times_half_the_difference_of_lengths),
        cmocka_unit_test(a_close_outside_the_channel_is_a_breakout),
        cmocka_unit_test(vwap_and_vwap_deviation_are_one),
        cmocka_unit_test(twap_weighs_a_value_by_how_long_it_stood),
        cmocka_unit_test(what_stood_before_the_window_is_gone_and_a_silence_holds_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
