/* tests/unit/kernels/season_test.c - holt_winters, seasonal_residual: the time of the day counts. */
#include "kinds.h"

#include "kernels/common/season.h"

#define DAY   86400
#define EVERY 300 /* seconds from event to event */

static void the_clock_of_a_period_begins_at_midnight_and_never_overflows(void **unused)
{
    (void)unused;
    fm_season season;
    fm_season_init(&season, DAY, 24);
    assert_true(fm_season_passes(&season, INT64_MIN));
    const struct {
        int64_t ts_ns, bucket;
    } CASES[] = {
        {0, 0},   {3599 * FM_NS_PER_S, 0},   {3600 * FM_NS_PER_S, 1},
        {-1, 23}, {-3600 * FM_NS_PER_S, 23}, {(int64_t)1399032000 * FM_NS_PER_S, 12}}; /* 2014-05-02 12:00 UTC */
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        fm_season_open(&season, CASES[i].ts_ns);
        assert_int_equal(fm_season_bucket(&season), CASES[i].bucket);
        assert_true(!fm_season_passes(&season, season.end_ns - 1) && fm_season_passes(&season, season.end_ns));
    }
    fm_season_open(&season, INT64_MAX);
    assert_in_range(fm_season_bucket(&season), 0, 23);
    fm_season_open(&season, INT64_MIN);
    assert_in_range(fm_season_bucket(&season), 0, 23);
}

/* Busy from 8 to 16 o'clock, calm else. */
static double day_level(int64_t ts_ns)
{
    int64_t hour = ts_ns / FM_NS_PER_S % DAY / 3600;
    return hour >= 8 && hour < 16 ? 50.0 : 10.0;
}

/* Feeds `days` days. */
static void feed_days(test_subject *subject, test_source *noise, int days, double trend)
{
    for (int i = 0; i < days * DAY / EVERY; i++) {
        subject_step_one(subject, day_level(subject->ts_ns) + trend * i * EVERY / DAY + source_next(noise));
        subject->ts_ns += (EVERY - 1) * FM_NS_PER_S;
    }
}

static void check_wrong_hour(const char *name, const setting *settings)
{
    test_source noise = source_of(NORMAL, 21);
    test_subject subject = {0};
    subject_start(&subject, name, settings);
    subject.ts_ns -= 12 * 3600 * FM_NS_PER_S; /* midnight */
    feed_days(&subject, &noise, 20, 0.0);
    subject.ts_ns += 3 * 3600 * FM_NS_PER_S; /* three o'clock */
    subject_step_one(&subject, 50.0);
    assert_true(fabs(subject_output(&subject, "expected") - 10.0) < 1.0);
    assert_true(subject_output(&subject, "score") > 15.0);
    if (subject_output(&subject, "p") > 0.003) /* the first days, when no hour was known, had large scores as well */
        fail_msg("%s: p is %g at a score of %g", name, subject_output(&subject, "p"),
                 subject_output(&subject, "score"));
    subject_step_one(&subject, 10.5);
    assert_true(subject_output(&subject, "score") < 2.0);
    subject.ts_ns += 9 * 3600 * FM_NS_PER_S; /* noon */
    subject_step_one(&subject, 50.0);
    assert_true(subject_output(&subject, "score") < 3.0);
    test_state_free(&subject.state);
}

static void what_is_common_at_noon_is_an_anomaly_at_three(void **unused)
{
    (void)unused;
    check_wrong_hour("holt_winters", (const setting[]){{"half_life", 86400}, {NULL, 0}});
    check_wrong_hour("seasonal_residual", NULL);
}

/* A week with a half-life of five days: the weight of past visits stays below 2, and the hours are known after two. */
static void a_bucket_is_known_after_two_visits_whatever_they_weigh(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 24);
    test_subject subject = {0};
    subject_start(&subject, "seasonal_residual",
                  (const setting[]){{"period", 7 * DAY}, {"buckets", 168}, {"half_life", 5 * DAY}, {NULL, 0}});
    feed_days(&subject, &noise, 14, 0.0);
    double apart = 0.0;
    for (int i = 0; i < 7 * DAY / EVERY; i++) {
        double level = day_level(subject.ts_ns);
        subject_step_one(&subject, level + source_next(&noise));
        subject.ts_ns += (EVERY - 1) * FM_NS_PER_S;
        assert_true(subject_output(&subject, "visits") == 2.0);
        apart += fabs(subject_output(&subject, "expected") - level) / (7 * DAY / EVERY);
    }
    assert_true(apart < 2.0); /* the mean of all hours is 17 from them */
    test_state_free(&subject.state);
}

static void check_gap(const char *name)
{
    test_source noise = source_of(NORMAL, 22);
    test_subject subject = {0};
    subject_start(&subject, name, NULL);
    feed_days(&subject, &noise, 10, 0.0);
    subject.ts_ns += 3 * DAY * FM_NS_PER_S; /* a long weekend */
    int strange = 0;
    for (int i = 0; i < DAY / EVERY; i++) {
        subject_step_one(&subject, day_level(subject.ts_ns) + source_next(&noise));
        subject.ts_ns += (EVERY - 1) * FM_NS_PER_S;
        strange += subject_output(&subject, "score") > 5.0;
    }
    assert_in_range(strange, 0, 2);
    test_state_free(&subject.state);
}

static void days_without_data_leave_the_season_as_it_was(void **unused)
{
    (void)unused;
    check_gap("holt_winters");
    check_gap("seasonal_residual");
}

static void holt_winters_follows_a_trend_which_a_baseline_does_not(void **unused)
{
    (void)unused;
    double away[2];
    for (int i = 0; i < 2; i++) {
        test_source noise = source_of(NORMAL, 23);
        test_subject subject = {0};
        subject_start(&subject, i == 0 ? "holt_winters" : "seasonal_residual", NULL);
        feed_days(&subject, &noise, 30, 5.0);
        away[i] = fabs(subject_output(&subject, "expected") - (day_level(subject.ts_ns) + 5.0 * 30));
        if (i == 0)
            assert_true(fabs(48.0 * subject_output(&subject, "trend") - 5.0) < 5.0);
        test_state_free(&subject.state);
    }
    assert_true(away[0] < 2.0 && away[1] > 5.0);
}

static void a_wild_day_does_not_make_the_usual(void **unused)
{
    (void)unused;
    test_source noise = source_of(NORMAL, 24);
    test_subject subject = {0};
    subject_start(&subject, "seasonal_residual", NULL);
    subject.ts_ns -= 12 * 3600 * FM_NS_PER_S;
    feed_days(&subject, &noise, 20, 0.0);
    for (int i = 0; i < DAY / EVERY; i++) {
        subject_step_one(&subject, 1e6);
        subject.ts_ns += (EVERY - 1) * FM_NS_PER_S;
    }
    subject_step_one(&subject, 10.0);
    assert_true(fabs(subject_output(&subject, "expected") - 10.0) < 1.5);
    test_state_free(&subject.state);
}

static void p_keeps_its_promise_on_series_of_every_kind(void **unused)
{
    (void)unused;
    const double most[KINDS] = {0.012, 0.012, 0.02, 0.02};
    const setting hours[] = {{"period", 3600}, {"half_life", 3600}, {NULL, 0}};
    check_calibrated("holt_winters", hours, most);
    check_calibrated("seasonal_residual", hours, most);
}

static void the_unit_of_x_does_not_matter(void **unused)
{
    (void)unused;
    static const char *const NAMES[] = {"holt_winters", "seasonal_residual"};
    for (int k = 0; k < 2; k++) {
        test_source noise = source_of(HEAVY, 25);
        test_subject one = {0}, other = {0};
        subject_start(&one, NAMES[k], (const setting[]){{"period", 60}, {NULL, 0}});
        subject_start(&other, NAMES[k], (const setting[]){{"period", 60}, {NULL, 0}});
        for (int i = 0; i < 2000; i++) {
            double x = source_next(&noise);
            subject_step_one(&one, x);
            subject_step_one(&other, x / 256.0);
            assert_true(same_numbers(one.out, other.out, 2));
        }
        test_state_free(&one.state);
        test_state_free(&other.state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_of_a_period_begins_at_midnight_and_never_overflows),
        cmocka_unit_test(what_is_common_at_noon_is_an_anomaly_at_three),
        cmocka_unit_test(a_bucket_is_known_after_two_visits_whatever_they_weigh),
        cmocka_unit_test(days_without_data_leave_the_season_as_it_was),
        cmocka_unit_test(holt_winters_follows_a_trend_which_a_baseline_does_not),
        cmocka_unit_test(a_wild_day_does_not_make_the_usual),
        cmocka_unit_test(p_keeps_its_promise_on_series_of_every_kind),
        cmocka_unit_test(the_unit_of_x_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
