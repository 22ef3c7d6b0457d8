/* tests/unit/kernels/tails_test.c - the fitted tail, spot, calibrate, ecod, mahalanobis: how rare is what lies far out?
 */
#include "kinds.h"

#include "kernels/common/excess.h"
#include "kernels/detector/spot.h"

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
    check_calibrated("ecod", NULL, most);
    check_calibrated("mahalanobis", NULL, most);
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

static double magnitude(test_source *noise)
{
    return fabs(source_next(noise));
}

static void one_monstrous_score_does_not_blind_calibrate(void **unused)
{
    (void)unused;
    double p[2];
    for (int bad = 0; bad < 2; bad++) {
        test_source noise = source_of(NORMAL, 53);
        test_subject subject = {0};
        subject_start(&subject, "calibrate", NULL);
        for (int i = 0; i < 11000; i++)
            subject_step_one(&subject, bad && i == 10000 ? 1e6 : magnitude(&noise));
        subject.kernel->score(subject.state.bytes, 0, (const double[]){10.0}, subject.out);
        p[bad] = subject_output(&subject, "p");
        test_state_free(&subject.state);
    }
    if (!(p[0] < 1e-9 && p[1] < 30.0 * p[0]))
        fail_msg("p of 10 is %g, after a score of 1e6 %g", p[0], p[1]);
}

/* Whether it comes while there is a fit or before there is one. */
static void a_bad_print_at_the_start_does_not_open_the_limits_of_spot(void **unused)
{
    (void)unused;
    for (int depth = 0; depth <= 50; depth += 50)
        for (int at = depth; at < depth + 180; at += depth + 30) {
            test_source noise = source_of(NORMAL, 54);
            test_subject spot = {0};
            subject_start(&spot, "spot", (const setting[]){{"depth", depth}, {NULL, 0}});
            for (int i = 0; i < 1000; i++)
                subject_step_one(&spot, i == at ? 7000.0 : i == at + 1 ? -7000.0 : source_next(&noise));
            double upper = subject_output(&spot, "upper"), lower = subject_output(&spot, "lower");
            assert_true(upper > 3.0 && upper < 20.0 && lower < -3.0 && lower > -20.0); /* 4 is right */
            test_state_free(&spot.state);
        }
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

/* A sum that took the print away again would have lost the digits of all that is left. */
static void nothing_of_a_huge_print_is_left_in_the_drift_of_spot(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 53);
    test_subject subject = {0};
    subject_start(&subject, "spot", (const setting[]){{"depth", 50}, {NULL, 0}});
    for (int i = 0; i < 110; i++) {
        subject_step_one(&subject, i == 7 ? 1e20 : 100.0 + source_next(&noise));
        double drift = ((const fm_spot *)(const void *)subject.state.bytes)->drift;
        assert_true(i < 57 || fabs(drift - 100.0) < 1.0);
    }
    test_state_free(&subject.state);
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

/* A row of `dims` normal series, of which the first two move together: correlation 0.95. */
static void related(test_source *noise, int dims, double in[FM_KERNEL_INPUTS_MAX])
{
    for (int i = 0; i < dims; i++)
        in[i] = source_next(noise);
    in[1] = 0.95 * in[0] + sqrt(1.0 - 0.95 * 0.95) * in[1];
}

/* Feeds `rows` of five series; the last one is left in the outputs. */
static void feed_related(test_subject *subject, test_source *noise, int rows)
{
    double in[FM_KERNEL_INPUTS_MAX] = {0};
    for (int i = 0; i < rows; i++) {
        related(noise, 5, in);
        subject_step(subject, in);
    }
}

static void the_part_of_a_planted_series_is_the_largest(void **unused)
{
    (void)unused;
    static const char *const NAMES[] = {"ecod", "mahalanobis"};
    for (int k = 0; k < 2; k++) {
        test_source noise = source_of(NORMAL, 46);
        test_subject subject = {0};
        subject_start(&subject, NAMES[k], (const setting[]){{"dims", 5}, {NULL, 0}});
        feed_related(&subject, &noise, 3000);
        for (int planted = 2; planted < 5; planted++) {
            double in[FM_KERNEL_INPUTS_MAX] = {0}, sum = 0.0;
            related(&noise, 5, in);
            in[planted] = 12.0;
            subject.kernel->score(subject.state.bytes, subject.ts_ns, in, subject.out);
            for (int i = 0; i < 5; i++) {
                sum += subject.out[4 + i];
                if (i != planted)
                    assert_true(subject.out[4 + i] < 0.6 * subject.out[4 + planted]);
            }
            assert_near(sum, 1.0, 1e-12);
            assert_true(isnan(subject_output(&subject, "a6")));
            assert_true(k == 0 || subject_output(&subject, "p") < 0.005);
        }
        const double three[FM_KERNEL_INPUTS_MAX] = {0.0, 0.0, 12.0, 12.0, 12.0}; /* one rank of five adds too little */
        subject.kernel->score(subject.state.bytes, subject.ts_ns, three, subject.out);
        assert_true(subject_output(&subject, "p") < 0.002);
        test_state_free(&subject.state);
    }
}

static void mahalanobis_sees_two_that_always_moved_together_part(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 47);
    test_subject subject = {0};
    subject_start(&subject, "mahalanobis", (const setting[]){{"dims", 5}, {"shrink", 0.01}, {NULL, 0}});
    feed_related(&subject, &noise, 3000);
    const double together[FM_KERNEL_INPUTS_MAX] = {2.0, 2.0}, apart[FM_KERNEL_INPUTS_MAX] = {2.0, -2.0};
    subject.kernel->score(subject.state.bytes, subject.ts_ns, together, subject.out);
    assert_true(subject_output(&subject, "score") < 3.0);
    subject.kernel->score(subject.state.bytes, subject.ts_ns, apart, subject.out);
    assert_true(subject_output(&subject, "score") > 8.0 && subject_output(&subject, "p") < 0.001);
    assert_true(subject_output(&subject, "a1") + subject_output(&subject, "a2") > 0.9);
    test_state_free(&subject.state);
}

static void the_chi_square_of_mahalanobis_is_right_for_normal_series_and_any_number_of_them(void **unused)
{
    (void)unused;
    for (int dims = 1; dims <= 8; dims++) {
        test_source noise = source_of(NORMAL, 48);
        test_subject subject = {0};
        subject_start(
            &subject, "mahalanobis",
            (const setting[]){{"dims", dims}, {"method", 1}, {"half_life", 1e5}, {"shrink", 1e-4}, {NULL, 0}});
        int below[2] = {0};
        for (int i = 0; i < 20000; i++) {
            double in[FM_KERNEL_INPUTS_MAX] = {0};
            related(&noise, dims > 1 ? dims : 2, in);
            subject_step(&subject, in);
            if (i >= 2000) {
                below[0] += subject_output(&subject, "p") <= 0.1;
                below[1] += subject_output(&subject, "p") <= 0.01;
            }
        }
        assert_in_range(below[0], 1620, 1980); /* 1800 */
        assert_in_range(below[1], 130, 230);   /* 180 */
        test_state_free(&subject.state);
    }
}

static void mahalanobis_takes_series_that_are_the_same_or_do_not_vary(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 49);
    test_subject subject = {0};
    subject_start(&subject, "mahalanobis", (const setting[]){{"dims", 4}, {NULL, 0}});
    for (int i = 0; i < 2000; i++) {
        double x = source_next(&noise);
        subject_step(&subject, (const double[FM_KERNEL_INPUTS_MAX]){x, 3.0 * x, 7.0, -x});
        assert_true(i < 100 || subject_output(&subject, "score") < 6.0);
    }
    subject_step(&subject, (const double[FM_KERNEL_INPUTS_MAX]){1.0, 3.0, 7.0, 1.0});
    assert_true(subject_output(&subject, "score") > 5.0);
    assert_true(subject_output(&subject, "a4") > 0.5 && subject_output(&subject, "a3") == 0.0);
    test_state_free(&subject.state);
}

static void the_units_of_its_series_leave_ecod_as_it_was(void **unused)
{
    (void)unused;
    test_source noise = source_of(HEAVY, 50);
    test_subject one = {0}, other = {0};
    subject_start(&one, "ecod", (const setting[]){{"dims", 3}, {NULL, 0}});
    subject_start(&other, "ecod", (const setting[]){{"dims", 3}, {NULL, 0}});
    for (int i = 0; i < 3000; i++) {
        double in[FM_KERNEL_INPUTS_MAX] = {source_next(&noise), source_next(&noise), source_next(&noise)};
        subject_step(&one, in);
        for (int j = 0; j < 3; j++)
            in[j] *= 1024.0 / (1 << j);
        subject_step(&other, in);
        assert_true(same_numbers(one.out, other.out, 2));
    }
    test_state_free(&one.state);
    test_state_free(&other.state);
}

static void small_moves_of_a_large_number_are_seen_by_ecod(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 51);
    test_subject subject = {0};
    subject_start(&subject, "ecod", NULL);
    for (int i = 0; i < 6000; i++)
        subject_step_one(&subject, 1e5 + 1e-4 * source_next(&noise));
    subject_step_one(&subject, 1e5 + 2e-3);
    assert_true(subject_output(&subject, "score") > 7.0 && subject_output(&subject, "p") < 1e-3);
    test_state_free(&subject.state);
}

static void small_differences_of_large_scores_are_seen_by_calibrate(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 54);
    test_subject subject = {0};
    subject_start(&subject, "calibrate", NULL);
    for (int i = 0; i < 3000; i++)
        subject_step_one(&subject, 1e5 + 1e-4 * source_next(&noise));
    subject_step_one(&subject, 1e5 + 2e-3);
    assert_true(subject_output(&subject, "p") < 1e-4);
    assert_true(fabs(subject_output(&subject, "expected") - 1e5) < 1e-4);
    test_state_free(&subject.state);
}

static void a_bad_print_does_not_move_what_ecod_expects(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 52);
    test_subject subject = {0};
    subject_start(&subject, "ecod", NULL);
    for (int i = 0; i < 2000; i++) {
        subject_step_one(&subject, i == 1000 ? 1e6 : 100.0 + source_next(&noise));
        assert_true(i < 100 || fabs(subject_output(&subject, "expected") - 100.0) < 0.5);
    }
    test_state_free(&subject.state);
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
        cmocka_unit_test(one_monstrous_score_does_not_blind_calibrate),
        cmocka_unit_test(a_bad_print_at_the_start_does_not_open_the_limits_of_spot),
        cmocka_unit_test(spot_has_the_limits_of_its_risk),
        cmocka_unit_test(spot_with_drift_sees_a_jump_on_a_moving_level_and_follows_it),
        cmocka_unit_test(nothing_of_a_huge_print_is_left_in_the_drift_of_spot),
        cmocka_unit_test(spot_of_one_side_is_blind_on_the_other),
        cmocka_unit_test(the_part_of_a_planted_series_is_the_largest),
        cmocka_unit_test(mahalanobis_sees_two_that_always_moved_together_part),
        cmocka_unit_test(the_chi_square_of_mahalanobis_is_right_for_normal_series_and_any_number_of_them),
        cmocka_unit_test(mahalanobis_takes_series_that_are_the_same_or_do_not_vary),
        cmocka_unit_test(the_units_of_its_series_leave_ecod_as_it_was),
        cmocka_unit_test(small_moves_of_a_large_number_are_seen_by_ecod),
        cmocka_unit_test(small_differences_of_large_scores_are_seen_by_calibrate),
        cmocka_unit_test(a_bad_print_does_not_move_what_ecod_expects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
