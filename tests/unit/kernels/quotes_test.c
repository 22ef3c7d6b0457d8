/* tests/unit/kernels/quotes_test.c - mid, microprice, spread, spread_ratio, order_flow_imbalance. */
#include "assert_near.h"

#include "base/event.h"
#include "kernels/feature/microprice.h"
#include "kernels/feature/mid.h"
#include "kernels/feature/order_flow_imbalance.h"
#include "kernels/feature/spread.h"
#include "kernels/feature/spread_ratio.h"

#define S FM_NS_PER_S

static void a_crossed_or_one_sided_quote_has_no_middle_and_a_locked_one_no_spread(void **unused)
{
    (void)unused;
    assert_near(fm_mid(99.0, 101.0), 100.0, 1e-15);
    assert_near(fm_spread(99.0, 101.0), 2.0, 1e-15);
    assert_near(fm_spread_bp(99.0, 101.0), 200.0, 1e-15);
    assert_true(fm_mid(100.0, 100.0) == 100.0);
    assert_true(isnan(fm_spread(100.0, 100.0)) && isnan(fm_spread_bp(100.0, 100.0)));
    double wrong[][2] = {{101, 99}, {NAN, 99}, {99, NAN}, {0, 1}, {-1, 1}, {1, INFINITY}};
    for (int i = 0; i < 6; i++) {
        assert_true(isnan(fm_mid(wrong[i][0], wrong[i][1])));
        assert_true(isnan(fm_spread(wrong[i][0], wrong[i][1])));
        assert_true(isnan(fm_microprice(wrong[i][0], 1, wrong[i][1], 1)));
    }
}

static void microprice_leans_away_from_the_larger_size(void **unused)
{
    (void)unused;
    assert_near(fm_microprice(99, 10, 101, 10), 100.0, 1e-15);
    assert_near(fm_microprice(99, 30, 101, 10), 100.5, 1e-15); /* much is bid: nearer the ask */
    assert_near(fm_microprice(99, 0, 101, 10), 99.0, 1e-15);
    assert_near(fm_size_imbalance(30, 10), 0.5, 1e-15);
    assert_true(isnan(fm_microprice(99, 0, 101, 0)));
    assert_true(isnan(fm_microprice(99, -1, 101, 5)));
    assert_true(isnan(fm_size_imbalance(NAN, 5)));
}

/* Quotes of that spread (bp) every 100 ms; returns the last ratio. */
static double quote(fm_spread_ratio *ratio, int64_t *ts_ns, int count, double spread_bp)
{
    double out[3] = {NAN, NAN, NAN};
    for (int i = 0; i < count; i++) {
        *ts_ns += 100 * FM_NS_PER_MS;
        double half = 0.5e-4 * spread_bp * 100.0;
        fm_spread_ratio_score(ratio, *ts_ns, 100.0 - half, 100.0 + half, out);
        fm_spread_ratio_update(ratio, *ts_ns, 100.0 - half, 100.0 + half);
    }
    return out[0];
}

static void spread_ratio_reports_a_spread_that_stays_wide_and_not_a_flicker(void **unused)
{
    (void)unused;
    fm_spread_ratio ratio;
    int64_t ts_ns = 1399000000 * S;
    assert_int_equal(fm_spread_ratio_init(&ratio, 10.0, 3600.0, 0.0, 0.0), 0);
    assert_true(isnan(quote(&ratio, &ts_ns, 8990, 1.0))); /* not yet a quarter of the half-life */
    assert_near(quote(&ratio, &ts_ns, 2000, 1.0), 1.0, 1e-9);
    assert_true(quote(&ratio, &ts_ns, 1, 20.0) < 1.5);
    assert_true(quote(&ratio, &ts_ns, 1, 1.0) < 1.5); /* it stood for 100 ms of 10 s */
    quote(&ratio, &ts_ns, 100, 1.0);
    assert_true(quote(&ratio, &ts_ns, 110, 5.0) > 4.5);
}

static void spread_ratio_counts_a_quote_by_the_time_it_stood(void **unused)
{
    (void)unused;
    fm_spread_ratio ratio;
    int64_t ts_ns = 1000 * S;
    double out[3];
    assert_int_equal(fm_spread_ratio_init(&ratio, 32.0, 320.0, 0.0, 1.0), 0);
    for (int i = 0; i < 100; i++) { /* 3 s at 1 bp, 1 s at 5 bp */
        fm_spread_ratio_update(&ratio, ts_ns, 99.995, 100.005);
        fm_spread_ratio_update(&ratio, ts_ns + 3 * S, 99.975, 100.025);
        ts_ns += 4 * S;
    }
    fm_spread_ratio_score(&ratio, ts_ns, 99.995, 100.005, out);
    assert_near(out[1], 2.0, 1e-6);
    fm_spread_ratio_update(&ratio, ts_ns, 100.0, 100.0); /* locked: as if it had not come */
    fm_spread_ratio_update(&ratio, ts_ns, 100.1, 100.0);
    fm_spread_ratio_update(&ratio, ts_ns, NAN, 100.0);
    double again[3];
    fm_spread_ratio_score(&ratio, ts_ns, 99.995, 100.005, again);
    assert_true(again[1] == out[1]);
}

static void order_flow_follows_the_four_cases_of_the_paper(void **unused)
{
    (void)unused;
    fm_order_flow_imbalance flow;
    assert_int_equal(fm_order_flow_imbalance_init(&flow, 32.0), 0);
    static const struct {
        double quote[4], net, gross;
    } steps[] = {
        {{99, 10, 101, 10}, NAN, 0},   {{99, 15, 101, 10}, 5, 5}, /* 5 join the bid */
        {{99, 15, 101, 4}, 11, 11},                               /* 6 leave the ask */
        {{100, 7, 101, 4}, 18, 18},                               /* a better bid: all of it */
        {{99.5, 20, 101, 4}, 11, 25},                             /* the bid falls: what stood there is gone */
        {{99.5, 20, 100.5, 8}, 3, 33},                            /* a better ask */
        {{99.5, 20, 102, 1}, 11, 41},                             /* the ask is lifted */
        {{99.5, 20, 102, 1}, 11, 41},                             /* nothing changes */
    };
    for (int i = 0; i < 8; i++) {
        double out[2];
        fm_order_flow_imbalance_score(&flow, 100 * S + i, steps[i].quote, out);
        if (i == 0) {
            assert_true(isnan(out[0]) && isnan(out[1]));
        } else {
            assert_near(out[0], steps[i].net, 1e-15);
            assert_near(out[1], steps[i].net / steps[i].gross, 1e-15);
        }
        fm_order_flow_imbalance_update(&flow, 100 * S + i, steps[i].quote);
    }
    double out[2], one_sided[4] = {99.5, 20, NAN, 1};
    fm_order_flow_imbalance_score(&flow, 101 * S, one_sided, out);
    assert_true(isnan(out[0]));
    fm_order_flow_imbalance_score(&flow, 200 * S, steps[7].quote, out);
    assert_true(out[0] == 0.0 && isnan(out[1])); /* the window has gone by */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crossed_or_one_sided_quote_has_no_middle_and_a_locked_one_no_spread),
        cmocka_unit_test(microprice_leans_away_from_the_larger_size),
        cmocka_unit_test(spread_ratio_reports_a_spread_that_stays_wide_and_not_a_flicker),
        cmocka_unit_test(spread_ratio_counts_a_quote_by_the_time_it_stood),
        cmocka_unit_test(order_flow_follows_the_four_cases_of_the_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
