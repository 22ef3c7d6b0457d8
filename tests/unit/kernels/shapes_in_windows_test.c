/* tests/unit/kernels/shapes_in_windows_test.c - matrix_profile, knn_shingle, spectral_residual: stretches of a series
 * against its earlier ones. */
#include "series.h"

#include "kernels/common/fft.h"

#define COUNT 6000

static double series[COUNT];

/* A wave of 40 rows and its second harmonic, with a little noise. */
static void make_waves(uint64_t seed, double noise)
{
    static double sine[40];
    for (int i = 0; i < 40; i++)
        sine[i] = sin(2.0 * 3.14159265358979323846 * i / 40.0);
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0; i < COUNT; i++)
        series[i] = 10.0 + sine[i % 40] + 0.5 * sine[2 * i % 40] + noise * fm_random_normal(&random);
}

static void make_walk(uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    double x = 100.0;
    for (int i = 0; i < COUNT; i++)
        series[i] = x += 0.01 * fm_random_normal(&random);
}

static const fm_kernel *kernel_of(const char *name)
{
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, name);
    assert_non_null(kernel);
    return kernel;
}

static double found[COUNT][FM_KERNEL_OUTPUTS_MAX];

/* Outputs of each row of the series, times `factor` plus `shift`. */
static void run_series(const char *name, const double *params, double factor, double shift)
{
    const fm_kernel *kernel = kernel_of(name);
    test_state state = {0};
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    for (int i = 0; i < COUNT; i++) {
        double in[FM_KERNEL_INPUTS_MAX] = {factor * series[i] + shift};
        kernel->step(state.bytes, i, in, found[i]);
    }
    test_state_free(&state);
}

/* The row of the largest score from `from` on. */
static int loudest(int from)
{
    int row = from;
    for (int i = from; i < COUNT; i++)
        row = found[i][0] > found[row][0] ? i : row;
    return row;
}

/* Square of the distance of two stretches, newest rows i and j, by the definition. */
static double distance(int i, int j, int m)
{
    double mean[2] = {0, 0}, square[2] = {0, 0}, sum = 0.0;
    const double *at[2] = {&series[i - m + 1], &series[j - m + 1]};
    for (int s = 0; s < 2; s++) {
        for (int k = 0; k < m; k++)
            mean[s] += at[s][k] / m;
        for (int k = 0; k < m; k++)
            square[s] += (at[s][k] - mean[s]) * (at[s][k] - mean[s]);
    }
    for (int k = 0; k < m; k++) {
        double apart = (at[0][k] - mean[0]) / sqrt(square[0]) - (at[1][k] - mean[1]) / sqrt(square[1]);
        sum += apart * apart;
    }
    return sqrt(m * sum);
}

static double nearest(int row, int m, int kept)
{
    double best = INFINITY;
    for (int k = (m + 1) / 2; k < (m + 1) / 2 + kept; k++)
        best = fmin(best, distance(row, row - k, m));
    return best;
}

static void matrix_profile_stays_within_1e_9_of_brute_force_over_thousands_of_rows(void **unused)
{
    (void)unused;
    make_walk(1);
    run_series("matrix_profile", (const double[]){50, 1000}, 1.0, 0.0);
    for (int row = 1200; row < COUNT; row += 97) {
        assert_near(found[row][0], nearest(row, 50, 1000), 1e-9);
        assert_near(found[row][0], distance(row, row - (int)found[row][4], 50), 1e-11);
    }
}

static void matrix_profile_forgets_prints_that_drown_all_others_an_eighth_of_kept_after_they_left(void **unused)
{
    (void)unused;
    make_walk(2);
    series[2000] = -1e12;
    series[2400] = 1e12;
    run_series("matrix_profile", (const double[]){50, 1000}, 1.0, 0.0);
    int left = 2400 + 1024 + 50;
    for (int row = 2450; row < COUNT; row += 31) {
        assert_near(found[row][0], distance(row, row - (int)found[row][4], 50), 1e-9);
        if (row > left + 1000 / 8)
            assert_near(found[row][0], nearest(row, 50, 1000), 1e-9);
    }
}

static void matrix_profile_bears_two_prints_a_million_steps_away(void **unused)
{
    (void)unused;
    make_walk(2);
    series[2000] = 1e4;
    series[2400] = 1e4;
    run_series("matrix_profile", (const double[]){50, 1000}, 1.0, 0.0);
    for (int row = 2300; row < COUNT; row += 29)
        assert_near(found[row][0], nearest(row, 50, 1000), 1e-3);
}

static void matrix_profile_gives_a_planted_discord_the_largest_score(void **unused)
{
    (void)unused;
    make_waves(3, 0.05);
    for (int i = 4200; i < 4220; i++) /* half a wave, upside down: no value is new */
        series[i] = 20.0 - series[i];
    run_series("matrix_profile", (const double[]){50, 1000}, 1.0, 0.0);
    int row = loudest(500);
    assert_in_range(row, 4210, 4270);
    assert_true(found[row][0] > 2.0 * found[4100][0]);
    assert_true(found[row][1] < 1.5e-3);
    assert_true(found[4900][1] > 0.02);
}

static void matrix_profile_expects_what_a_repeated_shape_shows_next(void **unused)
{
    (void)unused;
    make_waves(4, 0.0);
    run_series("matrix_profile", (const double[]){50, 1000}, 3.0, -7.0);
    for (int i = 1000; i < COUNT; i++) {
        assert_near(found[i][2], 3.0 * series[i] - 7.0, 1e-9);
        assert_true(fmod(found[i][4], 40.0) == 0.0);
        assert_true(found[i][0] < 1e-9);
    }
}

static void matrix_profile_cares_neither_for_level_nor_for_unit(void **unused)
{
    (void)unused;
    static double plain[COUNT];
    make_walk(5);
    run_series("matrix_profile", (const double[]){50, 500}, 1.0, 0.0);
    for (int i = 0; i < COUNT; i++)
        plain[i] = found[i][0];
    run_series("matrix_profile", (const double[]){50, 500}, -512.0, 3e4);
    for (int i = 0; i < COUNT; i++)
        if (!isnan(plain[i]))
            assert_near(found[i][0], plain[i], 1e-7);
}

static void matrix_profile_answers_after_its_warm_up_and_takes_flat_stretches_as_alike(void **unused)
{
    (void)unused;
    make_walk(6);
    for (int i = 0; i < COUNT; i++)
        series[i] = i % 1000 < 200 ? 7.1 : i % 1000 < 700 ? 0.3 : series[i];
    run_series("matrix_profile", (const double[]){50, 2000}, 1.0, 0.0);
    assert_true(isnan(found[272][0]) && found[272][3] == 0.0 && found[273][3] == 1.0);
    assert_true(found[600][0] == 0.0 && found[600][2] == 0.3); /* flat, as were rows 0 to 199 */
    for (int i = 273; i < COUNT; i++) {
        assert_true(found[i][0] >= 0.0 && found[i][0] <= sqrt(50.0) + 1e-12); /* never further than from a flat one */
        assert_in_range(found[i][4], 25, 2024);
    }
}

static void matrix_profile_counts_rows_and_passes_over_missing_ones(void **unused)
{
    (void)unused;
    make_walk(7);
    const double params[] = {20, 100};
    const fm_kernel *kernel = kernel_of("matrix_profile");
    run_series("matrix_profile", params, 1.0, 0.0);
    test_state state = {0};
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    for (int i = 0; i < 1000; i++) {
        double out[FM_KERNEL_OUTPUTS_MAX] = {0};
        kernel->step(state.bytes, i, (const double[FM_KERNEL_INPUTS_MAX]){NAN}, out);
        assert_true(isnan(out[0]) && out[3] == found[i][3]);
        kernel->step(state.bytes, 50 * i, (const double[FM_KERNEL_INPUTS_MAX]){series[i]}, out);
        assert_true(same_numbers(out, found[i], 5));
    }
    test_state_free(&state);
}

/* Mean distance of the shingle that ends in `row` from the nearest of the kept ones, by the definition. */
static double nearest_shingles(int row, int length, int kept, int neighbours, bool centred)
{
    double best[32], sum = 0.0;
    int count = 0;
    for (int k = length; k < length + kept; k++) {
        double shift = 0.0, square = 0.0;
        for (int j = 0; j < length; j++)
            shift += centred ? (series[row - j] - series[row - k - j]) / length : 0.0;
        for (int j = 0; j < length; j++) {
            double difference = series[row - j] - series[row - k - j] - shift;
            square += difference * difference / length;
        }
        int at = count < neighbours ? count++ : square < best[count - 1] ? count - 1 : count;
        for (; at < count && at > 0 && best[at - 1] > square; at--)
            best[at] = best[at - 1];
        if (at < count)
            best[at] = square;
    }
    for (int i = 0; i < count; i++)
        sum += sqrt(best[i]) / count;
    return sum;
}

static void knn_shingle_stays_within_1e_9_of_brute_force_over_thousands_of_rows(void **unused)
{
    (void)unused;
    for (int level = 0; level < 2; level++) {
        make_walk(11);
        series[2000] = series[2500] = 1e4; /* a million steps away */
        run_series("knn_shingle", (const double[]){20, 1000, 10, level}, 1.0, 0.0);
        for (int row = 1100; row < COUNT; row += 97)
            assert_near(found[row][4], nearest_shingles(row, 20, 1000, 10, level == 0), 1e-9);
    }
}

/* A spike of 5 in every 40th row, on noise. */
static void make_spikes(uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0; i < COUNT; i++)
        series[i] = 0.1 * fm_random_normal(&random) + (i % 40 == 0 ? 5.0 : 0.0);
}

static void knn_shingle_takes_spikes_in_their_beat_for_usual_and_sees_one_beside_it(void **unused)
{
    (void)unused;
    make_spikes(12);
    for (int i = 4215; i < 4221; i += 5)
        series[i] = 5.0; /* two more, 5 rows apart */
    run_series("knn_shingle", (const double[]){20, 1000, 10, 0}, 1.0, 0.0);
    int alarms = 0;
    for (int i = 1500; i < COUNT; i++)
        alarms += (i < 4215 || i > 4240) && found[i][1] < 0.002;
    assert_in_range(loudest(500), 4215, 4240);
    assert_true(found[4215][1] < 1e-3 && found[4215][0] > 5.0);
    assert_true(alarms <= 2 * (int)(0.002 * (COUNT - 1500)));
}

static void knn_shingle_sees_a_swing_of_a_new_size_though_not_of_a_new_shape(void **unused)
{
    (void)unused;
    make_waves(13, 0.05);
    for (int i = 4200; i < 4280; i++)
        series[i] = 10.0 + 3.0 * (series[i] - 10.0);
    run_series("knn_shingle", (const double[]){20, 1000, 10, 0}, 1.0, 0.0);
    assert_in_range(loudest(500), 4200, 4290);
    assert_true(found[loudest(500)][0] > 8.0);
}

static void knn_shingle_minds_a_level_only_if_told_to(void **unused)
{
    (void)unused;
    for (int level = 0; level < 2; level++) {
        make_waves(14, 0.05);
        for (int i = 4000; i < COUNT; i++)
            series[i] += 5.0;
        run_series("knn_shingle", (const double[]){20, 1000, 10, level}, 1.0, 0.0);
        assert_true(found[4010][0] > 4.0); /* the step itself is a new shape */
        assert_true(level == 1 ? found[4030][0] > 4.0 : found[4030][0] < 2.0);
    }
}

static void knn_shingle_expects_what_followed_its_likes_and_cares_not_for_the_unit(void **unused)
{
    (void)unused;
    static double plain[COUNT];
    make_waves(15, 0.01);
    run_series("knn_shingle", (const double[]){20, 1000, 10, 0}, 1.0, 0.0);
    for (int i = 0; i < COUNT; i++) {
        plain[i] = found[i][0];
        if (i > 1100)
            assert_true(fabs(found[i][2] - series[i]) < 0.06); /* noise 0.01; the wave goes from 8.6 to 11.4 */
    }
    run_series("knn_shingle", (const double[]){20, 1000, 10, 0}, -1024.0, 0.0);
    for (int i = 0; i < COUNT; i++)
        assert_true(same_numbers(&plain[i], &found[i][0], 1));
}

static void knn_shingle_answers_after_its_warm_up_and_a_constant_series_is_no_news(void **unused)
{
    (void)unused;
    for (int i = 0; i < COUNT; i++)
        series[i] = i == 3000 ? 7.2 : 7.1;
    run_series("knn_shingle", (const double[]){20, 1000, 10, 0}, 1.0, 0.0);
    assert_true(isnan(found[117][0]) && found[117][3] == 0.0 && found[118][3] == 1.0);
    for (int i = 118; i < COUNT; i++)
        assert_true(i >= 3000 && i < 3020 ? found[i][0] > 40.0 : found[i][0] == 0.0);
    assert_true(found[3000][0] == 1000.0);
}

static void a_transform_is_the_sum_that_it_stands_for_and_finds_back(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 21);
    for (int count = 4; count <= FM_FFT_TURN; count *= 2) {
        double x[FM_FFT_TURN], back[FM_FFT_TURN], re[FM_FFT_TURN / 2 + 1], im[FM_FFT_TURN / 2 + 1], square = 0.0;
        for (int i = 0; i < count; i++) {
            x[i] = fm_random_normal(&random);
            square += x[i] * x[i];
        }
        double bound = 1e-15 * log2(count) * sqrt(square);
        fm_fft_real(x, count, re, im);
        for (int k = 0; k <= count / 2; k += 1 + count / 64) {
            long double sum_re = 0.0L, sum_im = 0.0L, turn = 2.0L * 3.14159265358979323846264338L;
            for (int j = 0; j < count; j++) {
                long double angle = turn * (long double)(j * k % count) / (long double)count;
                sum_re += x[j] * cosl(angle);
                sum_im -= x[j] * sinl(angle);
            }
            assert_true(fabs(re[k] - (double)sum_re) <= bound && fabs(im[k] - (double)sum_im) <= bound);
        }
        fm_fft_real_back(re, im, count, back);
        for (int i = 0; i < count; i++)
            assert_true(fabs(back[i] / (0.5 * count) - x[i]) <= bound);
    }
}

static void spectral_residual_gives_the_one_spike_in_a_season_the_largest_score(void **unused)
{
    (void)unused;
    make_waves(22, 0.1);
    series[4000] += 2.5;
    run_series("spectral_residual", (const double[]){128}, 1.0, 0.0);
    assert_int_equal(loudest(200), 4000);
    assert_true(found[4000][0] > 8.0 && found[4000][1] < 1e-3);
}

static void spectral_residual_answers_alike_in_any_unit_and_at_any_level(void **unused)
{
    (void)unused;
    static double plain[COUNT];
    make_waves(23, 0.1);
    run_series("spectral_residual", (const double[]){100}, 1.0, 0.0); /* 128 places */
    assert_true(isnan(found[121][0]) && found[121][3] == 0.0 && found[122][3] == 1.0);
    for (int i = 0; i < COUNT; i++)
        plain[i] = found[i][0];
    run_series("spectral_residual", (const double[]){128}, -1e-3, 4.0);
    for (int i = 122; i < COUNT; i++)
        assert_near(found[i][0], plain[i], 1e-6);
}

static void spectral_residual_expects_a_straight_line_to_go_on_and_finds_nothing_in_a_flat_one(void **unused)
{
    (void)unused;
    for (int i = 0; i < COUNT; i++)
        series[i] = i < 3000 ? 7.1 : 7.1 + 0.3 * (i - 3000);
    run_series("spectral_residual", (const double[]){64}, 1.0, 0.0);
    for (int i = 58; i < COUNT; i++) {
        assert_true(i > 3000 || found[i][0] == 0.0);
        if (i < 3000 || i > 3010)
            assert_near(found[i][2], series[i], 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrix_profile_stays_within_1e_9_of_brute_force_over_thousands_of_rows),
        cmocka_unit_test(matrix_profile_forgets_prints_that_drown_all_others_an_eighth_of_kept_after_they_left),
        cmocka_unit_test(matrix_profile_bears_two_prints_a_million_steps_away),
        cmocka_unit_test(matrix_profile_gives_a_planted_discord_the_largest_score),
        cmocka_unit_test(matrix_profile_expects_what_a_repeated_shape_shows_next),
        cmocka_unit_test(matrix_profile_cares_neither_for_level_nor_for_unit),
        cmocka_unit_test(matrix_profile_answers_after_its_warm_up_and_takes_flat_stretches_as_alike),
        cmocka_unit_test(matrix_profile_counts_rows_and_passes_over_missing_ones),
        cmocka_unit_test(knn_shingle_stays_within_1e_9_of_brute_force_over_thousands_of_rows),
        cmocka_unit_test(knn_shingle_takes_spikes_in_their_beat_for_usual_and_sees_one_beside_it),
        cmocka_unit_test(knn_shingle_sees_a_swing_of_a_new_size_though_not_of_a_new_shape),
        cmocka_unit_test(knn_shingle_minds_a_level_only_if_told_to),
        cmocka_unit_test(knn_shingle_expects_what_followed_its_likes_and_cares_not_for_the_unit),
        cmocka_unit_test(knn_shingle_answers_after_its_warm_up_and_a_constant_series_is_no_news),
        cmocka_unit_test(a_transform_is_the_sum_that_it_stands_for_and_finds_back),
        cmocka_unit_test(spectral_residual_gives_the_one_spike_in_a_season_the_largest_score),
        cmocka_unit_test(spectral_residual_answers_alike_in_any_unit_and_at_any_level),
        cmocka_unit_test(spectral_residual_expects_a_straight_line_to_go_on_and_finds_nothing_in_a_flat_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
