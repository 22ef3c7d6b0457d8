/* tests/unit/kernels/contexts_test.c - context_novelty, art: what follows what, and what a window is like. */
#include "kinds.h"

#define COUNT 8000

static double series[COUNT];
static double found[COUNT][FM_KERNEL_OUTPUTS_MAX];

/* Outputs of each row of the series, times `factor` plus `shift`. */
static void run_series(const char *name, const double *params, double factor, double shift)
{
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, name);
    assert_non_null(kernel);
    test_state state = {0};
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    for (int i = 0; i < COUNT; i++) {
        double in[FM_KERNEL_INPUTS_MAX] = {factor * series[i] + shift};
        kernel->step(state.bytes, i, in, found[i]);
    }
    test_state_free(&state);
}

static int loudest(int from)
{
    int row = from;
    for (int i = from; i < COUNT; i++)
        row = found[i][0] > found[row][0] ? i : row;
    return row;
}

/* How often p is at most `level` from row `from` on. */
static int alarms(int from, double level)
{
    int count = 0;
    for (int i = from; i < COUNT; i++)
        count += found[i][1] <= level;
    return count;
}

/* Seven values in turn, each of them as common as the others, on a little noise. */
static void make_turns(uint64_t seed)
{
    static const double TURN[7] = {1, 5, 2, 7, 3, 6, 4};
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0; i < COUNT; i++)
        series[i] = TURN[i % 7] + 0.05 * fm_random_normal(&random);
}

/* A spike of 5 in every 40th row, on noise. */
static void make_spikes(uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0; i < COUNT; i++)
        series[i] = 0.1 * fm_random_normal(&random) + (i % 40 == 0 ? 5.0 : 0.0);
}

static void make_noise(uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0; i < COUNT; i++)
        series[i] = fm_random_normal(&random);
}

static const double NOVELTY[] = {8, 4, 2048, 5000};

static void context_novelty_finds_a_common_value_where_it_never_stood_before(void **unused)
{
    (void)unused;
    make_turns(1);
    series[6002] = 2.0; /* in place of 7 */
    run_series("context_novelty", NOVELTY, 1.0, 0.0);
    assert_int_equal(loudest(300), 6002);
    assert_true(found[6002][0] > 3.0 * found[6009][0] && found[6002][1] < 2e-4);
}

static void context_novelty_takes_a_new_habit_for_usual_once_it_has_come_often(void **unused)
{
    (void)unused;
    make_turns(2);
    for (int i = 3; i + 2 < COUNT; i += 7) { /* 3 and 6 change places from row 4000 on */
        double third = series[i + 1];
        if (i < 4000)
            continue;
        series[i + 1] = series[i + 2];
        series[i + 2] = third;
    }
    run_series("context_novelty", NOVELTY, 1.0, 0.0);
    double first = 0.0, later = 0.0;
    for (int i = 4000; i < 4007; i++)
        first = fmax(first, found[i][0]);
    for (int i = 4700; i < 4707; i++)
        later = fmax(later, found[i][0]);
    assert_true(first > 4.0 && later < 0.5 * first);
}

static void context_novelty_raises_few_alarms_on_spikes_and_on_noise(void **unused)
{
    (void)unused;
    make_spikes(3);
    run_series("context_novelty", NOVELTY, 1.0, 0.0);
    assert_true(alarms(1000, 0.01) < 0.015 * (COUNT - 1000));
    make_noise(4);
    run_series("context_novelty", NOVELTY, 1.0, 0.0);
    assert_true(alarms(1000, 0.01) < 0.015 * (COUNT - 1000));
    assert_true(alarms(1000, 0.1) > 0.02 * (COUNT - 1000));
}

static void context_novelty_expects_what_comes_next_in_a_pattern(void **unused)
{
    (void)unused;
    make_turns(5);
    run_series("context_novelty", NOVELTY, 1.0, 0.0);
    double square = 0.0;
    for (int i = 4000; i < COUNT; i++)
        square += (found[i][2] - series[i]) * (found[i][2] - series[i]);
    assert_true(sqrt(square / (COUNT - 4000)) < 0.6); /* sigma of the pattern is 2 */
}

static void context_novelty_is_the_same_in_any_unit_and_at_any_level(void **unused)
{
    (void)unused;
    static double plain[COUNT];
    make_turns(6);
    run_series("context_novelty", NOVELTY, 1.0, 0.0);
    for (int i = 0; i < COUNT; i++)
        plain[i] = found[i][0];
    run_series("context_novelty", NOVELTY, 4096.0, 0.0);
    for (int i = 0; i < COUNT; i++)
        assert_true(same_numbers(&plain[i], &found[i][0], 1));
    run_series("context_novelty", NOVELTY, 0.01, 77.0);
    int other = 0;
    for (int i = 100; i < COUNT; i++)
        other += fabs(found[i][0] - plain[i]) > 1e-9;
    assert_true(other < COUNT / 50);
}

static void context_novelty_goes_on_when_contexts_come_and_go(void **unused)
{
    (void)unused;
    make_turns(7);
    for (int i = 3000; i < COUNT; i++) /* noise of a thousand contexts, then the pattern again */
        series[i] = i < 5000 ? 4.0 + 3.0 * fm_exp(-series[i]) * (i * 7919 % 13 - 6) : series[i];
    series[7003] = 2.0;
    run_series("context_novelty", (const double[]){8, 4, 64, 1000}, 1.0, 0.0);
    assert_true(found[6999][0] < 1.5 && found[7003][0] > 2.5);
    for (int i = 0; i < COUNT; i++)
        assert_true(i < 100 ? isnan(found[i][0]) : found[i][0] >= 0.0 && found[i][0] < 50.0);
}

/* A wave of 40 rows with noise. */
static void make_waves(uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0; i < COUNT; i++)
        series[i] = 10.0 + sin(2.0 * 3.14159265358979323846 * i / 40.0) + 0.05 * fm_random_normal(&random);
}

static const double ART[] = {20, 128, 2000, 0.05};

static void art_finds_a_window_that_no_prototype_is_like(void **unused)
{
    (void)unused;
    make_waves(11);
    for (int i = 6010; i < 6030; i++)
        series[i] = 10.0; /* half a wave left out: no value is new */
    run_series("art", ART, 1.0, 0.0);
    assert_in_range(loudest(1000), 6010, 6050);
    assert_true(found[loudest(1000)][1] < 4e-4);
}

static void art_takes_for_known_what_came_once(void **unused)
{
    (void)unused;
    make_waves(12);
    for (int i = 0; i < 10; i++)
        series[5000 + i] = series[5400 + i] = 14.0 - 0.2 * i;
    run_series("art", ART, 1.0, 0.0);
    double first = 0.0, again = 0.0;
    for (int i = 5000; i < 5010; i++) {
        first = fmax(first, found[i][0]);
        again = fmax(again, found[i + 400][0]);
    }
    assert_in_range(loudest(1000), 5000, 5010);
    assert_true(first > 2.0 * found[5000][4] && again < 0.5 * first);
}

static void art_raises_few_alarms_on_spikes_and_on_noise(void **unused)
{
    (void)unused;
    make_spikes(13);
    run_series("art", ART, 1.0, 0.0);
    assert_true(alarms(1000, 0.01) < 0.015 * (COUNT - 1000));
    make_noise(14);
    run_series("art", ART, 1.0, 0.0);
    assert_true(alarms(1000, 0.01) < 0.015 * (COUNT - 1000));
    assert_true(alarms(1000, 0.1) > 0.03 * (COUNT - 1000)); /* scores fall while prototypes are learned */
}

static void p_of_art_keeps_its_promise_in_the_long_run(void **unused)
{
    (void)unused;
    for (test_kind kind = NORMAL; kind <= HALVES; kind++) {
        assert_true(share_below("art", NULL, kind, 60000, 0.1) < 0.105);
        assert_true(share_below("art", NULL, kind, 60000, 0.01) < 0.0105);
        assert_true(share_below("art", NULL, kind, 60000, 0.001) < 0.0013);
    }
}

static void art_expects_the_step_that_followed_its_prototype(void **unused)
{
    (void)unused;
    make_waves(15);
    run_series("art", ART, 1.0, 0.0);
    double square = 0.0, still = 0.0;
    for (int i = 4000; i < COUNT; i++) {
        square += (found[i][2] - series[i]) * (found[i][2] - series[i]);
        still += (series[i - 1] - series[i]) * (series[i - 1] - series[i]);
    }
    assert_true(square < 0.7 * still);
}

static void art_is_the_same_in_any_unit_and_at_any_level(void **unused)
{
    (void)unused;
    static double plain[COUNT];
    make_waves(16);
    run_series("art", ART, 1.0, 0.0);
    for (int i = 0; i < COUNT; i++)
        plain[i] = found[i][0];
    assert_true(isnan(plain[149]) && found[149][3] == 0.0 && !isnan(plain[150]) && found[150][3] == 1.0);
    run_series("art", ART, 4096.0, 0.0);
    for (int i = 0; i < COUNT; i++)
        assert_true(same_numbers(&plain[i], &found[i][0], 1));
    run_series("art", ART, 1.0, -10.0);
    for (int i = 150; i < COUNT; i++)
        assert_near(found[i][0], plain[i], 1e-6);
}

static void art_has_a_vigilance_that_follows_how_much_the_series_moves(void **unused)
{
    (void)unused;
    make_waves(17);
    run_series("art", ART, 1.0, 0.0);
    double calm = found[COUNT - 1][4];
    make_noise(18);
    run_series("art", ART, 1.0, 0.0);
    assert_true(calm > 0.02 && found[COUNT - 1][4] > 2.0 * calm && found[COUNT - 1][4] <= 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_novelty_finds_a_common_value_where_it_never_stood_before),
        cmocka_unit_test(context_novelty_takes_a_new_habit_for_usual_once_it_has_come_often),
        cmocka_unit_test(context_novelty_raises_few_alarms_on_spikes_and_on_noise),
        cmocka_unit_test(context_novelty_expects_what_comes_next_in_a_pattern),
        cmocka_unit_test(context_novelty_is_the_same_in_any_unit_and_at_any_level),
        cmocka_unit_test(context_novelty_goes_on_when_contexts_come_and_go),
        cmocka_unit_test(art_finds_a_window_that_no_prototype_is_like),
        cmocka_unit_test(art_takes_for_known_what_came_once),
        cmocka_unit_test(art_raises_few_alarms_on_spikes_and_on_noise),
        cmocka_unit_test(p_of_art_keeps_its_promise_in_the_long_run),
        cmocka_unit_test(art_expects_the_step_that_followed_its_prototype),
        cmocka_unit_test(art_is_the_same_in_any_unit_and_at_any_level),
        cmocka_unit_test(art_has_a_vigilance_that_follows_how_much_the_series_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
