/* tests/unit/kernels/change_test.c - adwin, hampel: what a change of level or a single outlier does to them. */
#include "kinds.h"

#include "kernels/detector/adwin.h"

static void p_keeps_its_promise_on_series_of_every_kind(void **unused)
{
    (void)unused;
    check_calibrated("hampel", NULL, (const double[KINDS]){0.012, 0.012, 0.012, 0.015});
    check_calibrated("adwin", NULL, (const double[KINDS]){0.02, 0.02, 0.02, 0.02}); /* of 1,250 checks */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_keeps_its_promise_on_series_of_every_kind),
        cmocka_unit_test(hampel_is_exact_over_the_last_events),
        cmocka_unit_test(hampel_is_not_moved_by_a_third_of_garbage),
        cmocka_unit_test(adwin_finds_a_shift_and_then_expects_the_new_level),
        cmocka_unit_test(adwin_keeps_its_bound_on_independent_values_and_one_outlier_is_no_change),
        cmocka_unit_test(adwin_counts_every_value_of_its_window_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
