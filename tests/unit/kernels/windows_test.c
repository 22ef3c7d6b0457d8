/* tests/unit/kernels/windows_test.c - the slices, rolling_min_max, event_rate, volume_ratio, vwap_deviation,
 * trade_imbalance. */
#include "assert_near.h"

#include "base/event.h"
#include "base/random.h"
#include "kernels/common/slices.h"
#include "kernels/feature/event_rate.h"
#include "kernels/feature/rolling_min_max.h"
#include "kernels/feature/trade_imbalance.h"
#include "kernels/feature/volume_ratio.h"
#include "kernels/feature/vwap_deviation.h"

#define S FM_NS_PER_S

static void slices_lie_on_multiples_of_their_width_whatever_came_first(void **unused)
{
    (void)unused;
    int64_t first[] = {0, 1, 99, -1, -100, -101, 12345678901};
    for (int i = 0; i < 7; i++) {
        fm_slices slices;
        fm_slices_init(&slices, 3200e-9, FM_SLICES);
        assert_int_equal(slices.width_ns, 100);
        assert_int_equal(fm_slices_passed(&slices, first[i]), FM_SLICES_FAR);
        fm_slices_open(&slices, first[i], FM_SLICES_FAR, FM_SLICES);
        assert_int_equal(slices.end_ns % 100, 0);
        assert_true(first[i] < slices.end_ns && first[i] >= slices.end_ns - 100);
        assert_int_equal(fm_slices_passed(&slices, slices.end_ns - 1), 0);
        assert_int_equal(fm_slices_passed(&slices, slices.end_ns), 1);
        assert_int_equal(fm_slices_passed(&slices, slices.end_ns + 99), 1);
        assert_int_equal(fm_slices_passed(&slices, slices.end_ns + 100), 2);
        assert_int_equal(fm_slices_passed(&slices, INT64_MIN), 0);
        assert_int_equal(fm_slices_passed(&slices, INT64_MAX), FM_SLICES_FAR);
    }
}

static void rolling_extremes_are_those_of_the_window_and_no_more(void **unused)
{
    (void)unused;
    enum { COUNT = 4000 };
    static double x[COUNT];
    static int64_t ts_ns[COUNT];
    fm_random random;
    fm_random_seed(&random, 21);
    fm_rolling_min_max rolling;
    assert_int_equal(fm_rolling_min_max_init(&rolling, 3.2), 0);
    for (int i = 0; i < COUNT; i++) {
        ts_ns[i] = (i > 0 ? ts_ns[i - 1] : 50 * S) + (int64_t)fm_random_below(&random, i % 500 == 3 ? 5 * S : S / 10);
        x[i] = fm_random_normal(&random);
        double out[3], inner[2] = {x[i], x[i]}, outer[2] = {x[i], x[i]};
        fm_rolling_min_max_score(&rolling, ts_ns[i], x[i], out);
        for (int j = 0; j < i; j++) {
            int64_t age_ns = ts_ns[i] - ts_ns[j];
            if (age_ns <= 31 * S / 10) {
                inner[0] = fmin(inner[0], x[j]);
                inner[1] = fmax(inner[1], x[j]);
            }
            if (age_ns <= 32 * S / 10) {
                outer[0] = fmin(outer[0], x[j]);
                outer[1] = fmax(outer[1], x[j]);
            }
        }
        assert_true(out[0] <= inner[0] && out[0] >= outer[0]); /* between 31/32 and 32/32 of the window */
        assert_true(out[1] >= inner[1] && out[1] <= outer[1]);
        assert_true(isnan(out[2]) || (out[2] >= 0.0 && out[2] <= 1.0));
        fm_rolling_min_max_update(&rolling, ts_ns[i], x[i]);
    }
}

static double events(fm_event_rate *rate, int64_t *ts_ns, int count, int64_t every_ns, double out[3])
{
    for (int i = 0; i < count; i++) {
        *ts_ns += every_ns;
        fm_event_rate_score(rate, *ts_ns, 1.0, out);
        fm_event_rate_update(rate, *ts_ns, 1.0);
    }
    return out[1];
}

static void event_rate_tells_rate_and_burst(void **unused)
{
    (void)unused;
    fm_event_rate rate;
    double out[3];
    int64_t ts_ns = 1399000000 * S;
    assert_int_equal(fm_event_rate_init(&rate, 10.0, 3600.0, 5.0, 0.0), 0);
    assert_true(isnan(events(&rate, &ts_ns, 90, S / 10, out)));
    assert_true(isnan(out[0])); /* the window has not been seen whole */
    assert_true(isnan(events(&rate, &ts_ns, 1000, S / 10, out)));
    assert_near(out[0], 10.0, 0.04);
    assert_near(events(&rate, &ts_ns, 9000, S / 10, out), 1.0, 0.04);
    assert_near(out[2], 10.0, 0.01);
    assert_near(events(&rate, &ts_ns, 1000, S / 100, out), 10.0, 0.5); /* ten times as fast for ten seconds */
    assert_true(events(&rate, &ts_ns, 9000, S / 100, out) < 10.0);     /* and it gets used to it */
}

static void event_rate_knows_that_ten_events_after_silence_are_no_burst(void **unused)
{
    (void)unused;
    fm_event_rate rate;
    double out[3];
    int64_t ts_ns = 1399000000 * S;
    assert_int_equal(fm_event_rate_init(&rate, 10.0, 3600.0, 5.0, 0.0), 0);
    events(&rate, &ts_ns, 400, 20 * S, out); /* the usual rate is 0.1/s, below the floor of 5/s */
    assert_true(events(&rate, &ts_ns, 20, S / 10, out) < 1.0);
    double before = rate.events.usual.mean;
    ts_ns += 16 * 3600 * S; /* a night */
    events(&rate, &ts_ns, 1, S, out);
    assert_true(rate.events.usual.mean < 1.1 * before && rate.events.usual.mean > before);
}

static void volume_ratio_is_one_at_usual_volume_and_one_block_does_not_become_usual(void **unused)
{
    (void)unused;
    fm_volume_ratio ratio;
    fm_random random;
    fm_random_seed(&random, 22);
    double out[3];
    int64_t ts_ns = 1399000000 * S;
    assert_int_equal(fm_volume_ratio_init(&ratio, 60.0, 3600.0, 0.0, 0.0), 0);
    for (int i = 0; i < 40000; i++) {
        ts_ns += (int64_t)fm_random_below(&random, S);
        double size = (double)(1 + fm_random_below(&random, 200));
        fm_volume_ratio_score(&ratio, ts_ns, size, out);
        fm_volume_ratio_update(&ratio, ts_ns, size);
        if (i > 20000 && !(out[0] > 0.5 && out[0] < 2.0))
            fail_msg("ratio %g on steady volume", out[0]);
    }
    double usual = out[2];
    fm_volume_ratio_score(&ratio, ts_ns, 1e6, out);
    assert_true(out[0] > 80.0);
    fm_volume_ratio_update(&ratio, ts_ns, 1e6);
    for (int i = 0; i < 140; i++) {
        ts_ns += S / 2;
        fm_volume_ratio_update(&ratio, ts_ns, 100.0);
    }
    fm_volume_ratio_score(&ratio, ts_ns, 100.0, out);
    assert_true(out[2] < 1.5 * usual);
}

static void vwap_is_that_of_the_trades_before_and_a_wrong_price_does_not_vouch_for_itself(void **unused)
{
    (void)unused;
    fm_vwap_deviation vwap;
    double out[3];
    assert_int_equal(fm_vwap_deviation_init(&vwap, 60.0, 0.0), 0);
    fm_vwap_deviation_score(&vwap, 0, 100.0, out);
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
    fm_vwap_deviation_update(&vwap, 0, 100.0, 300.0);
    fm_vwap_deviation_update(&vwap, S, 104.0, 100.0);
    fm_vwap_deviation_update(&vwap, S, 1.0, 0.0); /* size 0 and no size: no trade */
    fm_vwap_deviation_update(&vwap, S, 1.0, NAN);
    fm_vwap_deviation_score(&vwap, 2 * S, 202.0, out);
    assert_near(out[2], 101.0, 1e-14);
    assert_near(out[0], 10000.0, 1e-12);
    assert_near(out[1], 101.0 / sqrt(3.0), 1e-12);
    fm_vwap_deviation_score(&vwap, 3600 * S, 202.0, out);
    assert_true(isnan(out[2]));
}

static void vwap_sigma_survives_a_price_far_from_where_the_window_began(void **unused)
{
    (void)unused;
    fm_vwap_deviation vwap;
    double out[3];
    assert_int_equal(fm_vwap_deviation_init(&vwap, 60.0, 0.0), 0);
    for (int i = 0; i <= 200; i++) /* from 100 to 120, then +-1 bp for two windows */
        fm_vwap_deviation_update(&vwap, i * S, 100.0 + 0.1 * i, 1.0);
    for (int i = 0; i < 2400; i++) /* two at a time, so that the mean is 120 */
        fm_vwap_deviation_update(&vwap, 200 * S + i / 2 * S / 10, 120.0 * (1.0 + (i % 2 == 0 ? 1e-4 : -1e-4)), 1.0);
    fm_vwap_deviation_score(&vwap, 320 * S, 120.0 * (1.0 + 5e-4), out);
    assert_near(out[0], 5.0, 1e-9);
    assert_near(out[1], 5.0, 1e-6);
}

static void trade_imbalance_believes_the_feed_and_else_the_tick_test(void **unused)
{
    (void)unused;
    fm_trade_imbalance trades;
    assert_int_equal(fm_trade_imbalance_init(&trades, 60.0), 0);
    static const struct {
        double trade[3], net, gross;
    } steps[] = {
        {{100, 10, NAN}, 0, 10},                           /* nothing can be said */
        {{101, 10, NAN}, 10, 20}, {{101, 5, NAN}, 15, 25}, /* an equal price goes on in the direction */
        {{102, 5, -1}, 10, 30},   {{101, 20, NAN}, -10, 50}, {{101, 10, 1}, 0, 60},
    };
    for (int i = 0; i < 6; i++) {
        double out[2];
        fm_trade_imbalance_score(&trades, i * S, steps[i].trade, out);
        assert_near(out[1], steps[i].net, 1e-15);
        assert_near(out[0], steps[i].net / steps[i].gross, 1e-15);
        fm_trade_imbalance_update(&trades, i * S, steps[i].trade);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_lie_on_multiples_of_their_width_whatever_came_first),
        cmocka_unit_test(rolling_extremes_are_those_of_the_window_and_no_more),
        cmocka_unit_test(event_rate_tells_rate_and_burst),
        cmocka_unit_test(event_rate_knows_that_ten_events_after_silence_are_no_burst),
        cmocka_unit_test(volume_ratio_is_one_at_usual_volume_and_one_block_does_not_become_usual),
        cmocka_unit_test(vwap_is_that_of_the_trades_before_and_a_wrong_price_does_not_vouch_for_itself),
        cmocka_unit_test(vwap_sigma_survives_a_price_far_from_where_the_window_began),
        cmocka_unit_test(trade_imbalance_believes_the_feed_and_else_the_tick_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
