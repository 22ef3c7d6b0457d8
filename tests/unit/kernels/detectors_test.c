/* tests/unit/kernels/detectors_test.c - the conformal tail, ewma_z, robust_z, page_hinkley. */
#include "assert_near.h"

#include "base/event.h"
#include "base/fmath.h"
#include "base/random.h"
#include "kernels/detector/ewma_z.h"
#include "kernels/detector/page_hinkley.h"
#include "kernels/detector/robust_z.h"

#include <stdlib.h>

#define S FM_NS_PER_S

static void tail_p_is_never_below_the_exact_rank_and_at_most_that_of_a_score_a_fifth_smaller(void **unused)
{
    (void)unused;
    enum { COUNT = 3000 };
    static double past[COUNT];
    fm_random random;
    fm_random_seed(&random, 31);
    fm_tail tail = {0};
    assert_true(fm_tail_p(&tail, fm_tail_bucket(5.0)) == 1.0);
    for (int i = 0; i < COUNT; i++) {
        double score = fm_exp(1.5 * fm_random_normal(&random)), p = fm_tail_p(&tail, fm_tail_bucket(score));
        int larger = 0, nearly = 0;
        for (int j = 0; j < i; j++) {
            larger += past[j] >= score;
            nearly += past[j] >= 0.8 * score;
        }
        assert_true(p >= (1.0 + larger) / (1.0 + i));
        assert_true(score < 0.0625 || score >= 3072.0 || p <= (1.0 + nearly) / (1.0 + i));
        past[i] = score;
        fm_tail_add(&tail, fm_tail_bucket(score));
    }
}

static void tail_p_keeps_its_promise_on_exchangeable_scores(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 32);
    fm_tail tail = {0};
    const double level[] = {0.1, 0.01, 0.001};
    int alarms[3] = {0};
    const int count = 300000;
    for (int i = 0; i < count; i++) {
        double p, score = fabs(fm_random_normal(&random) / (0.3 + fm_random_unit(&random))); /* heavy tails */
        p = fm_tail_p(&tail, fm_tail_bucket(score));
        for (int j = 0; j < 3; j++)
            alarms[j] += p <= level[j];
        fm_tail_add(&tail, fm_tail_bucket(score));
    }
    for (int j = 0; j < 3; j++)
        if (alarms[j] > count * level[j] + 4.0 * sqrt(count * level[j]))
            fail_msg("p <= %g came %d times in %d", level[j], alarms[j], count);
    assert_true(alarms[0] > count * 0.05);
}

static void tail_halves_its_counts_and_goes_on(void **unused)
{
    (void)unused;
    fm_tail tail = {0};
    for (unsigned i = 0; i < 3 * FM_TAIL_COUNT; i++) {
        fm_tail_add(&tail, i % 64);
        assert_true(tail.count < FM_TAIL_COUNT);
    }
    for (unsigned bucket = 1; bucket < 64; bucket++)
        assert_true(fm_tail_p(&tail, bucket) <= fm_tail_p(&tail, bucket - 1));
    assert_near(fm_tail_p(&tail, 32), 0.5, 1e-3);
    assert_near(fm_tail_p(&tail, 0), 1.0, 1e-4);
}

static void ewma_z_is_ready_after_thirty_values_and_expects_the_mean(void **unused)
{
    (void)unused;
    fm_ewma_z_detector detector;
    double out[4];
    assert_int_equal(fm_ewma_z_detector_init(&detector, 1e6, 8.0, 0.0), 0);
    for (int i = 0; i < 30; i++) {
        fm_ewma_z_detector_score(&detector, 1.0, out);
        assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]) && out[3] == 0.0);
        fm_ewma_z_detector_update(&detector, i, i % 2 == 0 ? 9.0 : 11.0);
    }
    fm_ewma_z_detector_score(&detector, 13.0, out);
    assert_near(out[0], 3.0, 1e-9);
    assert_near(out[1], 1.0, 1e-15); /* no score was ever seen */
    assert_near(out[2], 10.0, 1e-12);
    assert_true(out[3] == 1.0);
}

static void ewma_z_gives_an_outlier_the_smallest_p_and_is_not_blinded(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 33);
    fm_ewma_z_detector detector;
    double out[4];
    assert_int_equal(fm_ewma_z_detector_init(&detector, 600.0, 8.0, 0.0), 0);
    for (int i = 0; i < 10000; i++)
        fm_ewma_z_detector_update(&detector, i * S / 10, fm_random_normal(&random));
    fm_ewma_z_detector_score(&detector, 50.0, out);
    assert_true(out[0] > 45.0 && out[1] < 1.1e-4);
    fm_ewma_z_detector_update(&detector, 1000 * S, 1e12);
    fm_ewma_z_detector_score(&detector, 50.0, out);
    assert_true(out[0] > 30.0); /* 0 if 1e12 had entered whole */
    fm_ewma_z_detector_update(&detector, 1000 * S, NAN);
    fm_ewma_z_detector_score(&detector, NAN, out);
    assert_true(isnan(out[0]) && isnan(out[1]) && out[3] == 1.0);
}

static void page_hinkley_sees_a_small_lasting_shift_that_ewma_z_does_not(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 34);
    fm_page_hinkley shift;
    fm_ewma_z_detector single;
    const double params[] = {1e5, 0.5, 50.0, 5.0, 0.0};
    double out[4], score_max = 0.0, single_max = 0.0;
    assert_int_equal(fm_page_hinkley_init(&shift, params), 0);
    assert_int_equal(fm_ewma_z_detector_init(&single, 1e5, 8.0, 0.0), 0);
    for (int i = 0; i < 5100; i++) {
        double x = fm_random_normal(&random) + (i >= 5000 ? 1.2 : 0.0); /* 1.2 sigma, a hundred times */
        fm_page_hinkley_score(&shift, x, out);
        if (i >= 5000)
            score_max = fmax(score_max, out[0]);
        else if (i > 100)
            assert_true(out[0] < 25.0);
        fm_ewma_z_detector_score(&single, x, out);
        single_max = fmax(single_max, i >= 5000 ? out[0] : 0.0);
        fm_page_hinkley_update(&shift, i * S, x);
        fm_ewma_z_detector_update(&single, i * S, x);
    }
    assert_true(score_max > 40.0);
    assert_true(single_max < 5.0);
}

static void page_hinkley_starts_anew_after_its_limit_and_one_outlier_is_no_shift(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 35);
    fm_page_hinkley detector;
    const double params[] = {1e5, 0.5, 20.0, 5.0, 0.0};
    double out[4];
    assert_int_equal(fm_page_hinkley_init(&detector, params), 0);
    for (int i = 0; i < 1000; i++)
        fm_page_hinkley_update(&detector, i * S, fm_random_normal(&random));
    fm_page_hinkley_score(&detector, 1e9, out);
    assert_true(out[0] < 20.0);
    int passed = 0;
    for (int i = 0; i < 10; i++) {
        fm_page_hinkley_score(&detector, 4.0, out);
        fm_page_hinkley_update(&detector, (1000 + i) * S, 4.0);
        if (out[0] > 20.0) {
            passed++;
            assert_true(detector.up == 0.0 && detector.down == 0.0);
        }
    }
    assert_true(passed >= 1 && passed <= 2);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(double), ascending);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static void robust_z_has_the_median_and_mad_of_the_last_values_of_its_slices(void **unused)
{
    (void)unused;
    enum { COUNT = 3000 };
    static double x[COUNT];
    static int64_t slice[COUNT];
    fm_random random;
    fm_random_seed(&random, 36);
    fm_robust_z detector;
    int64_t ts_ns = 500 * S;
    double out[4];
    assert_int_equal(fm_robust_z_init(&detector, 6.4, 0.0), 0);
    for (int i = 0; i < COUNT; i++) {
        ts_ns += (int64_t)fm_random_below(&random, i % 700 == 5 ? 9 * S : S / 12);
        x[i] = floor(20.0 * fm_random_normal(&random)) / 4.0; /* with ties */
        slice[i] = ts_ns / (S / 10);
        double sample[64], distance[64];
        int count = 0;
        for (int j = 0; j < i; j++)
            if (slice[j] > slice[i] - 64 && slice[j] < slice[i] && slice[j + 1] != slice[j])
                sample[count++] = x[j];
        fm_robust_z_score(&detector, ts_ns, x[i], out);
        if (count < 16) {
            assert_true(out[3] == 0.0 && isnan(out[0]));
        } else {
            double median = median_of(sample, count);
            for (int j = 0; j < count; j++)
                distance[j] = fabs(sample[j] - median);
            assert_near(out[2], median, 1e-15);
            assert_near(out[0], fabs(x[i] - median) / (1.482602218505602 * median_of(distance, count)), 1e-12);
        }
        fm_robust_z_update(&detector, ts_ns, x[i]);
    }
}

static void robust_z_is_not_moved_by_a_window_with_a_third_of_garbage(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 37);
    fm_robust_z detector;
    double out[4];
    assert_int_equal(fm_robust_z_init(&detector, 64.0, 0.0), 0);
    for (int i = 0; i < 640; i++)
        fm_robust_z_update(&detector, i * S, i % 3 == 1 ? 1e9 : 100.0 + fm_random_normal(&random));
    fm_robust_z_score(&detector, 640 * S, 110.0, out);
    assert_true(fabs(out[2] - 100.0) < 2.0);
    assert_true(out[0] > 3.0 && out[0] < 30.0);
}

static void robust_z_answers_where_most_values_are_one(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 17);
    fm_robust_z detector;
    double out[4];
    assert_int_equal(fm_robust_z_init(&detector, 64.0, 0.0), 0);
    for (int i = 0; i < 5000; i++) {
        fm_robust_z_update(&detector, i * S, i % 100 == 7 ? 1e9 : floor(0.6 * fm_random_normal(&random) + 0.5));
        fm_robust_z_score(&detector, i * S, 10.0, out);
        assert_true(i < 30 || (out[3] == 1.0 && out[0] > 5.0));
    }
    for (int i = 5000; i < 5100; i++) /* all equal: sigma is kept */
        fm_robust_z_update(&detector, i * S, 1.0);
    fm_robust_z_score(&detector, 5100 * S, 2.0, out);
    assert_true(out[0] > 1.0 && out[2] == 1.0 && out[3] == 1.0);
}

static void robust_z_of_a_constant_is_nan_or_floored(void **unused)
{
    (void)unused;
    fm_robust_z bare, floored;
    double out[4];
    assert_int_equal(fm_robust_z_init(&bare, 64.0, 0.0), 0);
    assert_int_equal(fm_robust_z_init(&floored, 64.0, 0.5), 0);
    for (int i = 0; i < 100; i++) {
        fm_robust_z_update(&bare, i * S, 7.0);
        fm_robust_z_update(&floored, i * S, 7.0);
    }
    fm_robust_z_score(&bare, 100 * S, 8.0, out);
    assert_true(isnan(out[0]) && out[3] == 0.0);
    fm_robust_z_score(&floored, 100 * S, 8.0, out);
    assert_near(out[0], 2.0, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail_p_is_never_below_the_exact_rank_and_at_most_that_of_a_score_a_fifth_smaller),
        cmocka_unit_test(tail_p_keeps_its_promise_on_exchangeable_scores),
        cmocka_unit_test(tail_halves_its_counts_and_goes_on),
        cmocka_unit_test(ewma_z_is_ready_after_thirty_values_and_expects_the_mean),
        cmocka_unit_test(ewma_z_gives_an_outlier_the_smallest_p_and_is_not_blinded),
        cmocka_unit_test(page_hinkley_sees_a_small_lasting_shift_that_ewma_z_does_not),
        cmocka_unit_test(page_hinkley_starts_anew_after_its_limit_and_one_outlier_is_no_shift),
        cmocka_unit_test(robust_z_has_the_median_and_mad_of_the_last_values_of_its_slices),
        cmocka_unit_test(robust_z_is_not_moved_by_a_window_with_a_third_of_garbage),
        cmocka_unit_test(robust_z_answers_where_most_values_are_one),
        cmocka_unit_test(robust_z_of_a_constant_is_nan_or_floored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
