/* tests/unit/kernels/ensemble_test.c - several p-values made one, and a budget of false alarms that is kept. */
#include "kinds.h"

#include "kernels/common/cauchy.h"

#include <math.h>

static void the_cauchy_tail_and_its_inverse_agree_with_the_mathematical_library(void **unused)
{
    (void)unused;
    for (double p = 1e-15; p < 0.999; p = p < 0.01 ? 1.3 * p : p + 0.00123) {
        double exact = 1.0 / tan(FM_PI * p);
        assert_true(fabs(fm_cauchy_quantile(p) - exact) <= 1e-13 * (fabs(exact) + 1.0));
        assert_true(fabs(fm_cauchy_p(fm_cauchy_quantile(p)) / p - 1.0) < 1e-13);
    }
    assert_true(fm_cauchy_quantile(0.5) == 0.0 && fm_cauchy_p(0.0) == 0.5);
}

static double combined(int method, int dims, const double in[FM_KERNEL_INPUTS_MAX], double *cause)
{
    test_subject subject = {0};
    subject_start(&subject, "ensemble", (const setting[]){{"dims", dims}, {"method", method}, {"warm", 0}, {NULL, 0}});
    subject_step(&subject, in);
    test_state_free(&subject.state);
    *cause = subject_output(&subject, "cause");
    return subject_output(&subject, "p");
}

static void known_combinations_come_out(void **unused)
{
    (void)unused;
    double cause;
    const double two[FM_KERNEL_INPUTS_MAX] = {0.05, 0.01}, one[FM_KERNEL_INPUTS_MAX] = {0.03};
    assert_near(combined(0, 2, two, &cause), 0.0005 * (1.0 - (fm_log)(0.0005)), 1e-15);
    assert_true(cause == 2.0);
    assert_near(combined(2, 2, two, &cause), 0.02, 1e-15);
    assert_near(combined(1, 2, two, &cause), 0.5 - atan(0.5 * (tan(0.45 * FM_PI) + tan(0.49 * FM_PI))) / FM_PI, 1e-14);
    for (int method = 0; method < 3; method++)
        assert_near(combined(method, 1, one, &cause), 0.03, 1e-14);
}

static void a_detector_that_is_not_ready_does_not_silence_the_others(void **unused)
{
    (void)unused;
    const double all[FM_KERNEL_INPUTS_MAX] = {0.05, 0.01},
                 gaps[FM_KERNEL_INPUTS_MAX] = {NAN, 0.05, INFINITY, 0.01, NAN};
    test_subject subject = {0};
    for (int method = 0; method < 3; method++) {
        double cause;
        assert_near(combined(method, 5, gaps, &cause), combined(method, 2, all, &cause), 1e-15);
        combined(method, 5, gaps, &cause);
        assert_true(cause == 4.0);
    }
    subject_start(&subject, "ensemble", (const setting[]){{"dims", 2}, {"input", 1}, {"warm", 10}, {NULL, 0}});
    for (int i = 0; i < 1000; i++) {
        subject_step(&subject, (const double[FM_KERNEL_INPUTS_MAX]){i % 7, i % 9 == 0 ? NAN : i % 11});
        assert_true(i < 10 || subject_output(&subject, "heard") == (i % 9 == 0 ? 1.0 : 2.0));
    }
    subject_step(&subject, (const double[FM_KERNEL_INPUTS_MAX]){NAN, 1e9});
    assert_true(subject_output(&subject, "p") < 0.002 && subject_output(&subject, "cause") == 2.0);
    subject_step(&subject, (const double[FM_KERNEL_INPUTS_MAX]){NAN, NAN});
    assert_true(isnan(subject_output(&subject, "p")) && subject_output(&subject, "ready") == 1.0);
    test_state_free(&subject.state);
}

/* Shares of p <= 0.01 of eight p-values that are independent (or all the same) and uniform. */
static double share_of(int method, int same)
{
    fm_random random;
    fm_random_seed(&random, 61);
    test_subject subject = {0};
    int below = 0;
    subject_start(&subject, "ensemble", (const setting[]){{"dims", 8}, {"method", method}, {NULL, 0}});
    for (int i = 0; i < 50100; i++) {
        double in[FM_KERNEL_INPUTS_MAX], first = fm_random_unit(&random);
        for (int j = 0; j < 8; j++)
            in[j] = same ? first : fm_random_unit(&random);
        subject_step(&subject, in);
        below += i >= 100 && subject_output(&subject, "p") <= 0.01;
    }
    test_state_free(&subject.state);
    return below / 50000.0;
}

static void combined_p_is_valid_where_the_method_says_so(void **unused)
{
    (void)unused;
    double fisher = share_of(0, 0), cauchy = share_of(1, 0), smallest = share_of(2, 0);
    assert_true(fisher > 0.0085 && fisher < 0.0115);
    assert_true(cauchy > 0.0085 && cauchy < 0.0115);
    assert_true(smallest > 0.008 && smallest < 0.0115);
    assert_true(share_of(1, 1) < 0.0115 && share_of(2, 1) < 0.003);
    assert_true(share_of(0, 1) > 0.03); /* too often, as the header warns */
}

/* Alarms in `days` of uniform p-values, an event each `gap_ms`. */
static int false_alarms(double budget, int days, int gap_ms, double *spent)
{
    fm_random random;
    fm_random_seed(&random, 62);
    test_subject subject = {0};
    int alarms = 0;
    subject_start(&subject, "ensemble", (const setting[]){{"dims", 2}, {"budget", budget}, {"silence", 0}, {NULL, 0}});
    int64_t end_ns = subject.ts_ns + (int64_t)days * 86400 * FM_NS_PER_S;
    while (subject.ts_ns < end_ns) {
        const double in[FM_KERNEL_INPUTS_MAX] = {fm_random_unit(&random), fm_random_unit(&random)};
        subject_step(&subject, in);
        subject.ts_ns += gap_ms * FM_NS_PER_MS - FM_NS_PER_S;
        alarms += subject_output(&subject, "alarm") > 0.0;
    }
    *spent = subject_output(&subject, "spent");
    test_state_free(&subject.state);
    return alarms;
}

static void the_budget_of_false_alarms_is_kept_and_used_whatever_the_rate_of_events(void **unused)
{
    (void)unused;
    static const int GAP_MS[] = {1000, 10000, 50000};
    for (int i = 0; i < 3; i++) {
        double spent;
        int alarms = false_alarms(20.0, 5, GAP_MS[i], &spent); /* 100 in all */
        assert_true(spent <= 100.0 + 20.0 / 24.0 && spent > 90.0);
        if (alarms < 60 || alarms > 140)
            fail_msg("%d alarms at one event in %d ms, %g were bought", alarms, GAP_MS[i], spent);
    }
}

static void an_event_that_goes_on_is_counted_once(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 63);
    test_subject subject = {0};
    int alarms = 0;
    subject_start(&subject, "ensemble", (const setting[]){{"dims", 3}, {"silence", 60}, {NULL, 0}});
    for (int i = 0; i < 5000; i++) {
        double in[FM_KERNEL_INPUTS_MAX] = {0.2 + 0.8 * fm_random_unit(&random), 0.5, 0.7};
        if (i >= 2000 && i < 3000)
            in[1] = i % 30 == 0 ? 1e-9 : 0.5; /* again and again, sooner than the silence ends */
        if (i == 4000)
            in[2] = 1e-9;
        subject_step(&subject, in);
        if (subject_output(&subject, "alarm") > 0.0) {
            assert_true(i == 2010 || i == 4000);
            assert_true(subject_output(&subject, "cause") == (i == 4000 ? 3.0 : 2.0));
            assert_true(subject_output(&subject, "share") > 0.99);
            alarms++;
        }
    }
    assert_int_equal(alarms, 2);
    test_state_free(&subject.state);
}

static void raw_scores_are_ranked_in_their_own_past(void **unused)
{
    (void)unused;
    test_source noise = source_of(HEAVY, 64);
    test_subject subject = {0};
    int below = 0;
    subject_start(&subject, "ensemble", (const setting[]){{"dims", 3}, {"input", 1}, {NULL, 0}});
    for (int i = 0; i < 20000; i++) {
        subject_step(&subject,
                     (const double[FM_KERNEL_INPUTS_MAX]){fabs(source_next(&noise)), 1e6 * fabs(source_next(&noise)),
                                                          fm_exp(source_next(&noise))});
        below += i >= 1000 && subject_output(&subject, "p") <= 0.01;
    }
    assert_in_range(below, 100, 250); /* 190 */
    subject_step(&subject, (const double[FM_KERNEL_INPUTS_MAX]){1.0, 1e12, 1.0});
    assert_true(subject_output(&subject, "cause") == 2.0 && subject_output(&subject, "p") < 0.001);
    test_state_free(&subject.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cauchy_tail_and_its_inverse_agree_with_the_mathematical_library),
        cmocka_unit_test(known_combinations_come_out),
        cmocka_unit_test(a_detector_that_is_not_ready_does_not_silence_the_others),
        cmocka_unit_test(combined_p_is_valid_where_the_method_says_so),
        cmocka_unit_test(the_budget_of_false_alarms_is_kept_and_used_whatever_the_rate_of_events),
        cmocka_unit_test(an_event_that_goes_on_is_counted_once),
        cmocka_unit_test(raw_scores_are_ranked_in_their_own_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
