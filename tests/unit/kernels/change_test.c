/* tests/unit/kernels/change_test.c - adwin, hampel, cusum, bocpd: what a change of level or a single outlier does to
 * them. */
#include "kinds.h"

#include "kernels/detector/adwin.h"
#include "kernels/detector/bocpd.h"

static void p_keeps_its_promise_on_series_of_every_kind(void **unused)
{
    (void)unused;
    check_calibrated("hampel", NULL, (const double[KINDS]){0.012, 0.012, 0.012, 0.015});
    check_calibrated("adwin", NULL, (const double[KINDS]){0.02, 0.02, 0.02, 0.02}); /* of 1,250 checks */
    check_calibrated("cusum", NULL, (const double[KINDS]){0.015, 0.015, 0.02, 0.02});
    check_calibrated("bocpd", NULL, (const double[KINDS]){0.012, 0.012, 0.012, 0.015});
}

static void p_keeps_its_promise_on_series_in_ticks(void **unused)
{
    (void)unused;
    check_calibrated_in_steps("hampel", NULL);
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

static void hampel_is_exact_over_the_last_events(void **unused)
{
    (void)unused;
    enum { ROWS = 3000, COUNT = 37 };
    static double x[ROWS];
    test_source noise = source_of(HEAVY, 1);
    test_subject hampel = {0};
    subject_start(&hampel, "hampel", (const setting[]){{"count", COUNT}, {NULL, 0}});
    for (int i = 0; i < ROWS; i++) {
        x[i] = floor(8.0 * source_next(&noise)) / 4.0; /* with ties */
        subject_step_one(&hampel, x[i]);
        if (i < 16)
            continue;
        double sample[COUNT], distance[COUNT];
        int count = i < COUNT ? i : COUNT;
        memcpy(sample, &x[i - count], (size_t)count * sizeof(double));
        double median = median_of(sample, count);
        for (int j = 0; j < count; j++)
            distance[j] = fabs(sample[j] - median);
        double sigma = 1.482602218505602 * median_of(distance, count);
        if (sigma > 0.0) {
            assert_near(subject_output(&hampel, "expected"), median, 1e-15);
            assert_near(subject_output(&hampel, "score"), fabs(x[i] - median) / sigma, 1e-12);
        }
    }
    test_state_free(&hampel.state);
}

static void hampel_answers_where_most_values_are_one(void **unused)
{
    (void)unused;
    for (test_kind kind = STEPS; kind <= HALVES; kind++) {
        test_source noise = source_of(kind, 3);
        test_subject hampel = {0};
        subject_start(&hampel, "hampel", NULL);
        for (int i = 0; i < 3000; i++) {
            subject_step_one(&hampel, i % 500 == 400 ? 1e9 : source_next(&noise));
            assert_true(i < 20 || subject_output(&hampel, "ready") == 1.0);
        }
        subject_step_one(&hampel, 10.0);
        assert_true(subject_output(&hampel, "score") > 5.0 && subject_output(&hampel, "score") < 60.0);
        for (int i = 0; i < 200; i++) /* all equal: sigma is kept */
            subject_step_one(&hampel, 1.0);
        subject_step_one(&hampel, 2.0);
        assert_true(subject_output(&hampel, "ready") == 1.0 && subject_output(&hampel, "score") > 1.0);
        test_state_free(&hampel.state);
    }
}

static void hampel_is_not_moved_by_a_third_of_garbage(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 2);
    test_subject hampel = {0};
    subject_start(&hampel, "hampel", NULL);
    for (int i = 0; i < 500; i++)
        subject_step_one(&hampel, i % 3 == 1 ? 1e9 : 100.0 + source_next(&noise));
    subject_step_one(&hampel, 110.0);
    assert_true(fabs(subject_output(&hampel, "expected") - 100.0) < 2.0);
    assert_true(subject_output(&hampel, "score") > 3.0 && subject_output(&hampel, "score") < 30.0);
    test_state_free(&hampel.state);
}

static void adwin_finds_a_shift_and_then_expects_the_new_level(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 3);
    test_subject adwin = {0};
    subject_start(&adwin, "adwin", NULL);
    for (int i = 0; i < 5000; i++)
        subject_step_one(&adwin, source_next(&noise));
    assert_true(subject_output(&adwin, "width") > 4500.0);
    int delay = delay_of(&adwin, &noise, 1.0, "change", 1.0);
    assert_in_range(delay, 0, 96);
    assert_true(subject_output(&adwin, "p") < 0.02);
    for (int i = 0; i < 600; i++)
        subject_step_one(&adwin, source_next(&noise) + 1.0);
    assert_true(fabs(subject_output(&adwin, "expected") - 1.0) < 0.25);
    assert_in_range((int)subject_output(&adwin, "width"), 500, 800);
    test_state_free(&adwin.state);
}

static void adwin_keeps_its_bound_on_independent_values_and_one_outlier_is_no_change(void **unused)
{
    (void)unused;
    for (test_kind kind = NORMAL; kind <= HEAVY; kind++) {
        test_source noise = source_of(kind, 4);
        test_subject adwin = {0};
        int changes = 0;
        subject_start(&adwin, "adwin", (const setting[]){{"clock", 1}, {NULL, 0}});
        for (int i = 0; i < 20000; i++) {
            double x = source_next(&noise);
            subject_step_one(&adwin, i % 1000 == 999 ? 1e6 : x);
            changes += subject_output(&adwin, "change") > 0.0;
        }
        if (changes > 2)
            fail_msg("%d changes on a %s series without any", changes, KIND_NAME[kind]);
        test_state_free(&adwin.state);
    }
}

static void adwin_counts_every_value_of_its_window_once(void **unused)
{
    (void)unused;
    test_source noise = source_of(TIED, 5);
    test_subject adwin = {0};
    subject_start(&adwin, "adwin", (const setting[]){{"clock", 7}, {NULL, 0}});
    for (int i = 0; i < 20000; i++) {
        subject_step_one(&adwin, source_next(&noise));
        const fm_adwin *window = (const void *)adwin.state.bytes;
        int64_t counted = 0;
        for (int64_t row = 0; row < window->rows; row++)
            counted += window->size[row] << row;
        assert_int_equal(counted, window->width);
    }
    test_state_free(&adwin.state);
}

static void cusum_tells_a_shift_once_which_way_since_when_and_learns_the_level(void **unused)
{
    (void)unused;
    for (double shift = -3.0; shift <= 3.0; shift += 6.0) {
        test_source noise = source_of(NORMAL, 6);
        test_subject cusum = {0};
        subject_start(&cusum, "cusum", (const setting[]){{"limit", 12}, {NULL, 0}});
        for (int i = 0; i < 3000; i++) {
            subject_step_one(&cusum, source_next(&noise));
            assert_true(i < 300 || subject_output(&cusum, "change") == 0.0);
        }
        int changes = 0, delay = -1;
        for (int i = 0; i < 1000; i++) {
            subject_step_one(&cusum, source_next(&noise) + shift);
            if (subject_output(&cusum, "change") == 0.0)
                continue;
            changes++;
            delay = i;
            assert_true(subject_output(&cusum, "change") == copysign(1.0, shift));
            assert_true(fabs(subject_output(&cusum, "since") - i) <= 3.0); /* one event a second */
        }
        assert_int_equal(changes, 1);
        assert_in_range(delay, 3, 9); /* 12 / (3 - 0.5) is 4.8 */
        assert_true(fabs(subject_output(&cusum, "expected") - shift) < 0.5);
        test_state_free(&cusum.state);
    }
}

/* Changes that it reports in 300 values after a shift, and how far from the new level its mean is then. */
static int changes_after(const char *name, uint64_t seed, double shift, double *apart)
{
    test_source noise = source_of(NORMAL, seed);
    test_subject subject = {0};
    int changes = 0;
    subject_start(&subject, name, NULL);
    for (int i = 0; i < 1000 + (int)(seed % 32); i++)
        subject_step_one(&subject, source_next(&noise));
    for (int i = 0; i < 300; i++) {
        subject_step_one(&subject, source_next(&noise) + shift);
        changes += subject_output(&subject, "change") != 0.0;
    }
    *apart = fabs(subject_output(&subject, "expected") - shift);
    test_state_free(&subject.state);
    return changes;
}

static void a_shift_of_any_size_is_told_once(void **unused)
{
    (void)unused;
    static const char *const NAMES[] = {"cusum", "adwin"};
    static const double SHIFT[] = {2, 3, 5, 6, 8, -20, 100, 1000, -1e6};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof(SHIFT) / sizeof(SHIFT[0]); i++) {
            int once = 0;
            double apart, furthest = 0.0;
            for (uint64_t seed = 300; seed < 400; seed++) {
                once += changes_after(NAMES[k], seed, SHIFT[i], &apart) == 1;
                furthest = apart > furthest ? apart : furthest;
            }
            if (once < 97 || furthest > 0.6)
                fail_msg("%s: a shift of %g told once in %d of 100, mean off by %g\n", NAMES[k], SHIFT[i], once,
                         furthest);
        }
}

static void cusum_is_not_moved_by_the_unit_of_x(void **unused)
{
    (void)unused;
    test_source noise = source_of(TIED, 7);
    test_subject one = {0}, other = {0};
    subject_start(&one, "cusum", NULL);
    subject_start(&other, "cusum", NULL);
    for (int i = 0; i < 3000; i++) {
        double x = source_next(&noise);
        subject_step_one(&one, x);
        subject_step_one(&other, 1024.0 * x);
        assert_true(same_numbers(one.out, other.out, 2));
    }
    test_state_free(&one.state);
    test_state_free(&other.state);
}

static void bocpd_sees_a_new_level_and_a_new_spread(void **unused)
{
    (void)unused;
    for (int spread = 0; spread < 2; spread++) {
        test_source noise = source_of(NORMAL, 8);
        test_subject bocpd = {0};
        subject_start(&bocpd, "bocpd", NULL);
        int early = 0, late = 0, delay = -1;
        for (int i = 0; i < 2000; i++) {
            subject_step_one(&bocpd, source_next(&noise));
            early += i > 100 && subject_output(&bocpd, "change") > 0.5;
        }
        assert_true(subject_output(&bocpd, "run") > 120.0);
        for (int i = 0; i < 100; i++) {
            double x = source_next(&noise);
            subject_step_one(&bocpd, spread ? 5.0 * x : x + 3.0);
            late += subject_output(&bocpd, "change") > 0.5;
            delay = delay < 0 && late > 0 ? i : delay;
        }
        assert_true(early <= 2);
        assert_in_range(delay, 0, 12);
        double run = subject_output(&bocpd, "run");
        assert_true(run > 80.0 && run < 110.0); /* it began a hundred values ago */
        test_state_free(&bocpd.state);
    }
}

/* Whatever is believed of how often changes come, at the price of few ages. */
static void bocpd_learns_a_new_level_also_where_changes_are_rare(void **unused)
{
    (void)unused;
    static const double GAP[] = {100, 1000, 1e5, 1e6, 1e9};
    for (int i = 0; i < 5; i++)
        for (int seed = 0; seed < 10; seed++) {
            test_source noise = source_of(NORMAL, 200 + (uint64_t)seed);
            test_subject bocpd = {0};
            subject_start(&bocpd, "bocpd", (const setting[]){{"gap", GAP[i]}, {NULL, 0}});
            double ages = 0.0;
            for (int j = 0; j < 2000; j++) {
                subject_step_one(&bocpd, source_next(&noise));
                ages += ((const fm_bocpd *)(const void *)bocpd.state.bytes)->ages / 2000.0;
            }
            assert_true(ages < 60.0);
            for (int j = 0; j < 60; j++)
                subject_step_one(&bocpd, source_next(&noise) + 2.0);
            assert_true(fabs(subject_output(&bocpd, "expected") - 2.0) < 0.8);
            assert_true(subject_output(&bocpd, "run") < 100.0);
            test_state_free(&bocpd.state);
        }
}

static void bocpd_is_surprised_in_nats_of_the_normal_density_when_the_run_is_old(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 9);
    test_subject bocpd = {0};
    subject_start(&bocpd, "bocpd", (const setting[]){{"run", 1000}, {"half_life", 1e6}, {"gap", 1e6}, {NULL, 0}});
    double sum = 0.0;
    for (int i = 0; i < 4000; i++) {
        double x = source_next(&noise);
        subject_step_one(&bocpd, x);
        if (i < 2000)
            continue;
        double exact = 0.9189385332046727 + 0.5 * x * x; /* log sqrt(2 pi) */
        sum += fabs(subject_output(&bocpd, "score") - exact);
    }
    assert_true(sum / 2000 < 0.05);
    test_state_free(&bocpd.state);
}

static void bocpd_keeps_weights_that_come_to_one_and_no_more_ages_than_it_has_room_for(void **unused)
{
    (void)unused;
    test_source noise = source_of(BURSTY, 10);
    test_subject bocpd = {0};
    subject_start(&bocpd, "bocpd", (const setting[]){{"run", 20}, {"gap", 50}, {NULL, 0}});
    for (int i = 0; i < 5000; i++) {
        subject_step_one(&bocpd, source_next(&noise));
        const fm_bocpd *detector = (const void *)bocpd.state.bytes;
        double sum = 0.0;
        for (int64_t j = 0; j < detector->ages; j++) {
            sum += detector->age[j].weight;
            assert_true(j == 0 || detector->age[j].values < detector->age[j - 1].values);
        }
        assert_true(detector->ages <= 20 && (detector->ages == 0 || fabs(sum - 1.0) < 1e-12));
    }
    test_state_free(&bocpd.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_keeps_its_promise_on_series_of_every_kind),
        cmocka_unit_test(hampel_is_exact_over_the_last_events),
        cmocka_unit_test(p_keeps_its_promise_on_series_in_ticks),
        cmocka_unit_test(hampel_answers_where_most_values_are_one),
        cmocka_unit_test(hampel_is_not_moved_by_a_third_of_garbage),
        cmocka_unit_test(adwin_finds_a_shift_and_then_expects_the_new_level),
        cmocka_unit_test(adwin_keeps_its_bound_on_independent_values_and_one_outlier_is_no_change),
        cmocka_unit_test(adwin_counts_every_value_of_its_window_once),
        cmocka_unit_test(cusum_tells_a_shift_once_which_way_since_when_and_learns_the_level),
        cmocka_unit_test(a_shift_of_any_size_is_told_once),
        cmocka_unit_test(cusum_is_not_moved_by_the_unit_of_x),
        cmocka_unit_test(bocpd_sees_a_new_level_and_a_new_spread),
        cmocka_unit_test(bocpd_learns_a_new_level_also_where_changes_are_rare),
        cmocka_unit_test(bocpd_is_surprised_in_nats_of_the_normal_density_when_the_run_is_old),
        cmocka_unit_test(bocpd_keeps_weights_that_come_to_one_and_no_more_ages_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
