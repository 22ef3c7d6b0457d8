/* tests/unit/kernels/tails_test.c - the fitted tail, spot, calibrate: how rare is what lies beyond what was seen? */
#include "kinds.h"

#include "kernels/common/excess.h"

#define MEMORY 1e6f

/* A sketch of `count` values by `next`. */
static void fill(fm_ranks *ranks, int count, double (*next)(fm_random *random))
{
    fm_random random;
    fm_random_seed(&random, 41);
    fm_ranks_init(ranks, 32);
    for (int i = 0; i < count; i++)
        fm_ranks_add(ranks, (float)next(&random), MEMORY);
}

static double exponential(fm_random *random)
{
    return -(fm_log)(1.0 - fm_random_unit(random));
}

/* P(X > x) = x^-3 */
static double pareto(fm_random *random)
{
    return fm_pow(1.0 - fm_random_unit(random), -1.0 / 3.0);
}

static double uniform(fm_random *random)
{
    return fm_random_unit(random);
}

static void a_fitted_tail_tells_smaller_probabilities_than_were_seen(void **unused)
{
    (void)unused;
    const int count = 6400; /* the smallest rank is 1.6e-4 */
    fm_ranks ranks;
    fm_excess tail;
    fill(&ranks, count, exponential);
    fm_excess_fit(&tail, &ranks, 0.02, 1);
    double p = fm_excess_p(&tail, -(fm_log)(1.6e-5));
    assert_true(p > 0.5e-5 && p < 16e-5);
    assert_true(tail.shape < 0.25);
    fill(&ranks, count, pareto);
    fm_excess_fit(&tail, &ranks, 0.02, 1);
    p = fm_excess_p(&tail, fm_pow(1.6e-5, -1.0 / 3.0));
    assert_true(p > 0.2e-5 && p < 8e-5);
    assert_true(fabs(tail.shape - 1.0 / 3.0) < 0.2);
    fill(&ranks, count, uniform);
    fm_excess_fit(&tail, &ranks, 0.02, -1);
    assert_true(tail.shape == 0.0); /* no tail is believed to end */
}

static void quantile_and_probability_of_a_tail_are_inverse_and_continuous(void **unused)
{
    (void)unused;
    for (double shape = 0.0; shape <= 0.91; shape += 0.1) {
        fm_excess tail = {.threshold = 5.0, .share = 0.02, .shape = shape, .scale = 2.0};
        assert_near(fm_excess_p(&tail, 5.0), 0.02, 1e-12);
        for (double p = 0.02; p > 1e-9; p /= 3.0)
            assert_near(fm_excess_p(&tail, fm_excess_quantile(&tail, p)) / p, 1.0, 1e-6);
    }
}

static void few_or_equal_values_have_no_tail(void **unused)
{
    (void)unused;
    fm_ranks ranks;
    fm_excess tail;
    fm_ranks_init(&ranks, 32);
    for (int i = 0; i < 320; i++)
        fm_ranks_add(&ranks, 7.0f, MEMORY);
    fm_excess_fit(&tail, &ranks, 0.02, 1);
    assert_true(isnan(tail.threshold));
    fm_ranks_init(&ranks, 8);
    for (int i = 0; i < 8; i++)
        fm_ranks_add(&ranks, (float)i, MEMORY);
    fm_excess_fit(&tail, &ranks, 0.02, 1);
    assert_true(isnan(tail.threshold));
}

static void p_keeps_its_promise_on_series_of_every_kind(void **unused)
{
    (void)unused;
    const double most[KINDS] = {0.012, 0.012, 0.015, 0.015};
    check_calibrated("spot", NULL, most);
    check_calibrated("spot", (const setting[]){{"depth", 0}, {NULL, 0}}, most);
    check_calibrated("calibrate", NULL, most);
    check_calibrated("calibrate", (const setting[]){{"method", 0}, {NULL, 0}}, most);
}

/* Shares of p at most 0.001 and 0.0001 in 400,000 independent values: the fit is not only right at its threshold. */
static void small_p_of_a_fitted_tail_come_as_often_as_they_say(void **unused)
{
    (void)unused;
    for (test_kind kind = NORMAL; kind <= HEAVY; kind++) {
        double share = share_below("calibrate", NULL, kind, 400000, 1e-3);
        if (!(share > 0.7e-3 && share < 1.4e-3))
            fail_msg("p <= 1e-3 in %g of a %s series", share, KIND_NAME[kind]);
        share = share_below("calibrate", NULL, kind, 400000, 1e-4);
        if (!(share > 0.1e-4 && share < 2e-4))
            fail_msg("p <= 1e-4 in %g of a %s series", share, KIND_NAME[kind]);
    }
}

static void beyond_all_that_was_seen_extreme_values_tell_more_than_ranks(void **unused)
{
    (void)unused;
    double p[2][2];
    for (int method = 0; method < 2; method++) {
        test_source noise = source_of(NORMAL, 42);
        test_subject subject = {0};
        subject_start(&subject, "calibrate", (const setting[]){{"method", method}, {NULL, 0}});
        for (int i = 0; i < 4000; i++)
            subject_step_one(&subject, source_next(&noise));
        for (int i = 0; i < 2; i++) {
            subject.kernel->score(subject.state.bytes, 0, (const double[]){i == 0 ? 6.0 : 12.0}, subject.out);
            p[method][i] = subject_output(&subject, "p");
            assert_near(subject_output(&subject, "score"), -(fm_log)(p[method][i]) / (fm_log)(10.0), 1e-12);
        }
        test_state_free(&subject.state);
    }
    assert_true(p[0][0] == p[0][1] && p[0][0] > 2e-4);
    assert_true(p[1][0] < 1e-5 && p[1][1] < 0.01 * p[1][0]);
}

static void spot_has_the_limits_of_its_risk(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 43);
    test_subject spot = {0};
    int beyond = 0;
    subject_start(&spot, "spot", (const setting[]){{"depth", 0}, {"risk", 0.002}, {NULL, 0}});
    for (int i = 0; i < 50000; i++) {
        subject_step_one(&spot, source_next(&noise));
        beyond += subject_output(&spot, "score") > 1.0;
    }
    assert_in_range(beyond, 60, 140); /* 100 */
    assert_true(fabs(subject_output(&spot, "upper") - 3.09) < 0.2 && fabs(subject_output(&spot, "lower") + 3.09) < 0.2);
    test_state_free(&spot.state);
}

static void spot_with_drift_sees_a_jump_on_a_moving_level_and_follows_it(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 44);
    test_subject spot = {0};
    int early = 0, late = 0;
    subject_start(&spot, "spot", NULL);
    for (int i = 0; i < 5000; i++) {
        subject_step_one(&spot, 0.01 * i + source_next(&noise));
        early += subject_output(&spot, "p") < 1e-4;
    }
    assert_in_range(early, 0, 3);
    subject_step_one(&spot, 50.0 + 8.0);
    assert_true(subject_output(&spot, "p") < 1e-5 && subject_output(&spot, "score") > 1.5);
    for (int i = 0; i < 400; i++)
        subject_step_one(&spot, 70.0 + source_next(&noise));
    for (int i = 0; i < 100; i++) {
        subject_step_one(&spot, 70.0 + source_next(&noise));
        late += subject_output(&spot, "score") > 1.0;
    }
    assert_in_range(late, 0, 1);
    test_state_free(&spot.state);
}

static void spot_of_one_side_is_blind_on_the_other(void **unused)
{
    (void)unused;
    test_source noise = source_of(HEAVY, 45);
    test_subject spot = {0};
    subject_start(&spot, "spot", (const setting[]){{"depth", 0}, {"side", -1}, {NULL, 0}});
    for (int i = 0; i < 2000; i++)
        subject_step_one(&spot, source_next(&noise));
    spot.kernel->score(spot.state.bytes, 0, (const double[]){100.0}, spot.out);
    assert_true(subject_output(&spot, "p") > 0.99 && subject_output(&spot, "score") < 0.0);
    assert_true(isnan(subject_output(&spot, "upper")));
    spot.kernel->score(spot.state.bytes, 0, (const double[]){-100.0}, spot.out);
    assert_true(subject_output(&spot, "p") < 1e-4 && subject_output(&spot, "score") > 1.0);
    test_state_free(&spot.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fitted_tail_tells_smaller_probabilities_than_were_seen),
        cmocka_unit_test(quantile_and_probability_of_a_tail_are_inverse_and_continuous),
        cmocka_unit_test(few_or_equal_values_have_no_tail),
        cmocka_unit_test(p_keeps_its_promise_on_series_of_every_kind),
        cmocka_unit_test(small_p_of_a_fitted_tail_come_as_often_as_they_say),
        cmocka_unit_test(beyond_all_that_was_seen_extreme_values_tell_more_than_ranks),
        cmocka_unit_test(spot_has_the_limits_of_its_risk),
        cmocka_unit_test(spot_with_drift_sees_a_jump_on_a_moving_level_and_follows_it),
        cmocka_unit_test(spot_of_one_side_is_blind_on_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
