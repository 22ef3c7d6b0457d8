/* tests/unit/kernels/session_test.c - session_profile, and the features that look at other instruments. */
#include "drive.h"

#define S FM_NS_PER_S

#define SESSIONS 40
#define BUCKETS  13
#define BUCKET   30 /* minutes */

/* Volume in the shape of a U over the session. */
static double volume_at(fm_random *random, int minute)
{
    double from_middle = (minute - 195) / 195.0;
    return 1000.0 * fm_exp(1.5 * from_middle * from_middle + 0.3 * fm_random_normal(random));
}

/* Mean and standard deviation by the definition: daily means and variances, weights 2^(-age / days). */
static void define(double (*sum)[BUCKETS][2], int bucket, int sessions, double days, double *expected, double *sd)
{
    double weights = 0.0, mean = 0.0, squares = 0.0;
    for (int i = 0; i < sessions; i++) {
        double weight = exp2(-(sessions - 1 - i) / days);
        weights += weight;
        mean += weight * sum[i][bucket][0] / BUCKET;
    }
    mean /= weights;
    for (int i = 0; i < sessions; i++) {
        double day = sum[i][bucket][0] / BUCKET, variance = sum[i][bucket][1] / BUCKET - day * day;
        squares += exp2(-(sessions - 1 - i) / days) * (variance + (day - mean) * (day - mean));
    }
    *expected = mean;
    *sd = sqrt(squares / weights);
}

static void a_profile_is_the_weighted_past_of_its_bucket(void **unused)
{
    (void)unused;
    static double sum[SESSIONS][BUCKETS][2];
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 1);
    drive_start(&drive, "session_profile", (double[]){BUCKET, 10, 5});
    for (int session = 0; session < SESSIONS; session++)
        for (int minute = 0; minute < 390; minute++) {
            double x = volume_at(&random, minute), expected, sd, *entry = sum[session][minute / BUCKET];
            drive_step(&drive, (minute == 0 ? 1050 : 60) * S, (double[]){x, minute, 0});
            entry[0] += x;
            entry[1] += x * x;
            if (session < 5) {
                assert_true(isnan(drive.out[0]) && isnan(drive.out[1]) && isnan(drive.out[2]));
                continue;
            }
            define(sum, minute / BUCKET, session, 10, &expected, &sd);
            assert_near(drive.out[2], expected, 1e-12);
            assert_near(drive.out[0], x / expected, 1e-12);
            assert_near(drive.out[1], (x - expected) / sd, 1e-9);
            assert_near(drive.out[3], entry[0] / (minute % BUCKET + 1), 1e-12);
        }
    drive_end(&drive);
}

/* Sessions of volume, then x at that minute of the next: z of it. */
static double after_sessions(test_drive *drive, double x, int minute)
{
    fm_random random;
    fm_random_seed(&random, 2);
    for (int session = 0; session < 10; session++)
        for (int i = 0; i < 390; i++)
            drive_step(drive, 60 * S, (double[]){volume_at(&random, i), i, 0});
    for (int i = 0; i < minute; i++)
        drive_step(drive, 60 * S, (double[]){volume_at(&random, i), i, 0});
    drive_step(drive, 60 * S, (double[]){x, minute, 0});
    return drive->out[1];
}

static void what_is_usual_at_the_open_is_not_at_noon(void **unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++) {
        test_drive drive = {0};
        drive_start(&drive, "session_profile", (double[]){5, 20, 5});
        double z = after_sessions(&drive, 4500, i == 0 ? 2 : 195);
        assert_true(i == 0 ? fabs(z) < 2.0 : z > 8.0);
        drive_end(&drive);
    }
}

static void a_half_day_is_judged_and_not_learnt_and_a_late_record_begins_no_session(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "session_profile", (double[]){5, 20, 1});
    for (int session = 0; session < 3; session++)
        for (int minute = 0; minute < 200; minute++)
            drive_step(&drive, 60 * S, (double[]){session == 1 ? 900.0 : 100.0 + minute % 2, minute, session == 1});
    assert_near(drive.out[2], 100.6, 1e-12); /* minutes 195 … 199 of session 0 alone */
    double expected = drive.out[2];
    drive_step(&drive, S, (double[]){100, 190, 0}); /* late: still the bucket of minute 199 */
    assert_true(drive.out[2] == expected);
    assert_true(isnan(drive_step(&drive, S, (double[]){100, NAN, 0})));
    assert_true(isnan(drive_step(&drive, S, (double[]){100, 1440, 0})));
    drive_end(&drive);
}

static void one_record_a_day_is_a_session_a_day(void **unused)
{
    (void)unused;
    for (int thin = 0; thin < 2; thin++) {
        test_drive drive = {0};
        drive_start(&drive, "session_profile", (double[]){5, 20, 2});
        for (int day = 0; day < 100; day++) { /* daily bars; a name that trades at 300 the one day, at 312 the next */
            int minute = thin ? 300 + day % 2 * 12 : 390, before = thin ? 300 + (day + 1) % 2 * 12 : 390;
            drive_step(&drive, (1440 + minute - before) * 60 * S, (double[]){10.0 + day % 3, minute, 0});
            assert_true(isnan(drive.out[2]) == (day < (thin ? 4 : 2)));
            assert_near(drive.out[3], 10.0 + day % 3, 1e-12); /* the level is this day's */
        }
        drive_end(&drive);
    }
}

static void a_late_record_of_the_session_before_counts_as_seen_now(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "session_profile", (double[]){5, 20, 1});
    for (int session = 0; session < 3; session++)
        for (int minute = 0; minute < 390; minute++)
            drive_step(&drive, (minute == 0 ? 1051 : 60) * S, (double[]){session, minute, 0});
    drive_step(&drive, 1051 * S, (double[]){7, 0, 0});
    double expected = drive.out[2];
    drive_step(&drive, -1000 * S, (double[]){9, 389, 0});
    assert_true(drive.out[2] == expected);
    assert_near(drive.out[3], 8, 1e-12);
    drive_step(&drive, 1060 * S, (double[]){8, 1, 0});
    assert_near(drive.out[3], 8, 1e-12); /* of three: still the same session */
    assert_true(drive.out[2] == expected);
    drive_end(&drive);
}

/* A market and an instrument of that beta with noise, ten records a second; the last move is the instrument's own. */
static void move_together(test_drive *drive, double beta, double noise, int count, double *x, double *market)
{
    fm_random random;
    fm_random_seed(&random, 3);
    *x = *market = 100.0;
    for (int i = 0; i < count; i++) {
        double r = 1e-4 * fm_random_normal(&random);
        *market *= fm_exp(r);
        *x *= fm_exp(beta * r + noise * 1e-4 * fm_random_normal(&random));
        drive_step(drive, S / 10, (double[]){*x, *market});
    }
}

static void beta_is_found_and_only_a_move_of_its_own_stands_out(void **unused)
{
    (void)unused;
    for (double planted = -1.0; planted < 2.0; planted += 0.8) {
        test_drive drive = {0};
        double x, market;
        drive_start(&drive, "market_beta", (double[]){1, 3600});
        move_together(&drive, planted, 0.5, 30000, &x, &market);
        assert_near(drive.out[0], planted, 0.05);
        assert_near(drive.out[3], planted * planted / (planted * planted + 0.25), 0.05);
        drive_step(&drive, S / 10, (double[]){x * fm_exp(planted * 0.01), market * fm_exp(0.01)});
        assert_true(fabs(drive.out[2]) < 5.0); /* 30 sigma, but the market's */
        drive_step(&drive, S / 10, (double[]){x * fm_exp(planted * 0.01 + 0.01), market * fm_exp(0.01)});
        assert_true(drive.out[2] > 40.0);
        assert_near(drive.out[1], 0.01, 1e-3);
        drive_end(&drive);
    }
}

/* Ten sessions of 4,000 s, half a day apart; every night x and the market move on their own, by 300 of their sigmas. */
static void what_a_night_brings_is_no_move_of_an_interval(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        double params[3];
        int output;
        double told;
    } CASES[] = {{"market_beta", {10, 7200}, 0, 0.8},
                 {"market_correlation", {3200}, 0, 0.848},
                 {"lead_lag", {10, 5, 7200}, 1, 0.848}};
    for (int k = 0; k < 3; k++) {
        test_drive drive = {0};
        fm_random random;
        fm_random_seed(&random, 6);
        double x = 100.0, market = 100.0, furthest = 0.0;
        drive_start(&drive, CASES[k].name, CASES[k].params);
        for (int day = 0; day < 10; day++) {
            for (int i = 0; i < 4000; i++) {
                double r = 1e-4 * fm_random_normal(&random);
                market *= fm_exp(r);
                x *= fm_exp(0.8 * r + 0.5e-4 * fm_random_normal(&random));
                drive_step(&drive, (i == 0 ? 43200 : 1) * S, (double[]){x, market});
                double apart = fabs(drive.out[CASES[k].output] - CASES[k].told);
                furthest = day > 0 && apart > furthest ? apart : furthest;
            }
            x *= day % 2 ? 0.97 : 1.03;
            market *= day % 3 ? 0.97 : 1.03;
        }
        if (furthest > 0.2)
            fail_msg("%s: off by %g", CASES[k].name, furthest);
        drive_end(&drive);
    }
}

static void correlation_is_found_and_lost(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    fm_random random;
    double x, market;
    drive_start(&drive, "market_correlation", (double[]){64});
    move_together(&drive, 1.0, 0.5, 3000, &x, &market);
    assert_near(drive.out[0], 1.0 / sqrt(1.25), 0.08);
    assert_true(drive.out[1] == 63.0);
    fm_random_seed(&random, 4);
    for (int i = 0; i < 700; i++)
        drive_step(&drive, S / 10,
                   (double[]){x *= fm_exp(1e-4 * fm_random_normal(&random)),
                              market *= fm_exp(1e-4 * fm_random_normal(&random))});
    assert_true(fabs(drive.out[0]) < 0.4);
    drive_end(&drive);
}

/* The instrument does what the market did `lead` seconds ago (the reverse, if negative); returns the lag found. */
static double found_lag(int lead, double *correlation)
{
    enum { LENGTH = 4000 };
    static double price[LENGTH];
    test_drive drive = {0};
    fm_random random;
    fm_random_seed(&random, 5);
    price[0] = 100.0;
    for (int i = 1; i < LENGTH; i++)
        price[i] = price[i - 1] * fm_exp(1e-4 * fm_random_normal(&random));
    drive_start(&drive, "lead_lag", (double[]){1, 5, 1800});
    for (int i = 10; i < LENGTH - 10; i++)
        drive_step(&drive, S, (double[]){price[i - lead] * fm_exp(2e-5 * fm_random_normal(&random)), price[i]});
    double lag = drive.out[0];
    *correlation = drive.out[1];
    drive_end(&drive);
    return lag;
}

static void who_leads_is_found_and_by_how_much(void **unused)
{
    (void)unused;
    for (int lead = -5; lead <= 5; lead++) {
        double correlation;
        assert_true(found_lag(lead, &correlation) == (double)lead);
        assert_true(correlation > 0.9);
    }
}

static void standing_out_of_the_sector_is_in_its_deviations(void **unused)
{
    (void)unused;
    test_drive drive = {0};
    drive_start(&drive, "cross_rank", NULL);
    assert_near(drive_step(&drive, 0, (double[]){-3, 1, 2, 0.05}), -2.0, 1e-15);
    assert_near(drive.out[1], 0.05, 1e-15);
    assert_true(isnan(drive_step(&drive, 0, (double[]){1, 1, 0, 1.5})) && isnan(drive.out[1]));
    drive_end(&drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_the_weighted_past_of_its_bucket),
        cmocka_unit_test(what_is_usual_at_the_open_is_not_at_noon),
        cmocka_unit_test(a_half_day_is_judged_and_not_learnt_and_a_late_record_begins_no_session),
        cmocka_unit_test(one_record_a_day_is_a_session_a_day),
        cmocka_unit_test(a_late_record_of_the_session_before_counts_as_seen_now),
        cmocka_unit_test(beta_is_found_and_only_a_move_of_its_own_stands_out),
        cmocka_unit_test(what_a_night_brings_is_no_move_of_an_interval),
        cmocka_unit_test(correlation_is_found_and_lost),
        cmocka_unit_test(who_leads_is_found_and_by_how_much),
        cmocka_unit_test(standing_out_of_the_sector_is_in_its_deviations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
