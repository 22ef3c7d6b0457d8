/* tests/unit/kernels/quantiles_test.c - exact quantiles of a window, and sketches of everything since the start. */
#include "series.h"

static test_state state;

static const fm_kernel *begin(const char *name, const double *params)
{
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_FEATURE, name);
    assert_non_null(kernel);
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    return kernel;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void a_rolling_quantile_is_that_of_the_sorted_window(void **unused)
{
    (void)unused;
    static double x[3000], sorted[33];
    static const double Q[] = {0.0, 0.25, 0.5, 0.99, 1.0};
    fm_random random;
    fm_random_seed(&random, 31);
    for (int k = 0; k < 15; k++) {
        double out[2], q = Q[k % 5];
        const fm_kernel *kernel = begin("rolling_quantile", (const double[]){q, 33});
        for (int i = 0; i < 3000; i++) {
            x[i] = k < 5 ? fm_random_normal(&random) : k < 10 ? (double)fm_random_below(&random, 5) - 2.0 : i % 100;
            kernel->step(state.bytes, i, &x[i], out);
            assert_true(isnan(out[0]) == (i < 33) && isnan(out[1]) == (i < 33));
            if (i < 33)
                continue;
            int below = 0, upto = 0;
            memcpy(sorted, &x[i - 33], sizeof(sorted));
            qsort(sorted, 33, sizeof(double), ascending);
            for (int j = 0; j < 33; j++) {
                below += sorted[j] < x[i];
                upto += sorted[j] <= x[i];
            }
            double place = q * 32.0;
            int low = place < 31.0 ? (int)place : 31;
            assert_near(out[0], sorted[low] + (place - low) * (sorted[low + 1] - sorted[low]), 1e-15);
            assert_near(out[1], (below + upto) / 66.0, 1e-15);
        }
    }
}

static void zeros_of_both_signs_are_equal(void **unused)
{
    (void)unused;
    double out[2];
    const fm_kernel *kernel = begin("rolling_quantile", (const double[]){0.5, 4});
    for (int i = 0; i < 50; i++)
        kernel->step(state.bytes, i, (const double[]){i % 3 == 0 ? -0.0 : 0.0}, out);
    assert_true(out[0] == 0.0 && out[1] == 0.5);
}

static void the_markers_of_p2_end_where_its_authors_saw_them(void **unused)
{
    (void)unused;
    static const double SEEN[] = {0.02,  0.15,  0.74, 3.39, 0.83, 22.37, 10.15, 15.43, 38.62, 15.92,
                                  34.60, 10.28, 1.47, 0.40, 0.05, 11.39, 0.27,  0.42,  0.09,  11.37};
    double out[1];
    const fm_kernel *kernel = begin("p2", (const double[]){0.5});
    for (int i = 0; i < 20; i++)
        kernel->step(state.bytes, i, &SEEN[i], out);
    kernel->score(state.bytes, 20, &SEEN[0], out);
    assert_near(out[0], 4.44, 0.002); /* table I of the paper */
}

/* Values in the order of a shape: 0 normal, 1 rising, 2 falling, 3 from both ends in turn, 4 heavy tails, 5 five
 * values, 6 uniform, 7 exponential. */
static double shaped(int shape, int i, int count, fm_random *random)
{
    double normal = fm_random_normal(random), unit = fm_random_unit(random);
    switch (shape) {
    case 0:
        return normal;
    case 1:
        return i;
    case 2:
        return -i;
    case 3:
        return i % 2 ? i : count - i;
    case 4:
        return fm_exp(4.0 * normal);
    case 5:
        return floor(5.0 * unit);
    case 6:
        return unit;
    default:
        return -(fm_log)(1.0 - unit);
    }
}

/* How far q is from the share of the values below the answer to the share at or below it. */
static double rank_error(const double *x, int count, double answer, double q)
{
    double below = 0, upto = 0;
    for (int i = 0; i < count; i++) {
        below += x[i] < answer;
        upto += x[i] <= answer;
    }
    return fmax(0.0, fmax(below / count - q, q - upto / count));
}

static void p2_is_close_on_smooth_distributions(void **unused)
{
    (void)unused;
    static double x[10000];
    static const int SHAPE[] = {0, 6, 7};
    static const double Q[] = {0.1, 0.5, 0.9, 0.99};
    for (int k = 0; k < 12; k++) {
        double out[1];
        fm_random random;
        fm_random_seed(&random, 33);
        const fm_kernel *kernel = begin("p2", (const double[]){Q[k % 4]});
        for (int i = 0; i < 10000; i++) {
            x[i] = shaped(SHAPE[k / 4], i, 10000, &random);
            kernel->step(state.bytes, i, &x[i], out);
        }
        kernel->score(state.bytes, 0, &x[0], out);
        assert_true(rank_error(x, 10000, out[0], Q[k % 4]) <= 0.01);
    }
}

static void p2_of_0_and_1_is_the_minimum_and_the_maximum(void **unused)
{
    (void)unused;
    for (int q = 0; q < 2; q++) {
        double extreme = q == 0 ? INFINITY : -INFINITY, out[1];
        test_state_free(&state);
        fm_random random;
        fm_random_seed(&random, 35);
        const fm_kernel *kernel = begin("p2", (const double[]){q});
        for (int i = 0; i < 2000; i++) {
            double x = fm_random_normal(&random);
            kernel->step(state.bytes, i, &x, out);
            assert_true(i < 5 || out[0] == extreme);
            extreme = q == 0 ? fmin(x, extreme) : fmax(x, extreme);
        }
    }
}

#define MANY 200000

static void a_sketch_keeps_its_bound_in_whatever_order_values_come(void **unused)
{
    (void)unused;
    static double x[MANY];
    static const double Q[] = {0.0, 0.01, 0.5, 0.99}, ACCURACY[] = {0.01, 0.05};
    double worst = 0.0;
    for (int shape = 0; shape < 8; shape++)
        for (int k = 0; k < 8; k++) {
            double out[1], q = Q[k % 4], accuracy = ACCURACY[k / 4];
            fm_random random;
            fm_random_seed(&random, 34);
            const fm_kernel *kernel = begin("quantile_sketch", (const double[]){q, accuracy});
            for (int i = 0; i < MANY; i++) {
                x[i] = shaped(shape, i, MANY, &random);
                if (i == 1000 || i == 7777 || i == 50000 || i == MANY - 1) {
                    kernel->score(state.bytes, i, &x[i], out);
                    double error = rank_error(x, i, out[0], q) / accuracy;
                    worst = fmax(worst, error);
                    if (!(error <= 1.0))
                        fail_msg("shape %d, q %g, %d events: %g of the accuracy %g", shape, q, i, error, accuracy);
                }
                kernel->update(state.bytes, i, &x[i]);
            }
        }
    print_message("largest error of a rank: %.2f of the accuracy\n", worst);
}

static void a_sketch_is_exact_while_it_holds_all(void **unused)
{
    (void)unused;
    double out[1];
    const fm_kernel *kernel = begin("quantile_sketch", (const double[]){0.5, 0.01});
    for (int i = 0; i < 500; i++) {
        kernel->score(state.bytes, i, (const double[]){0.0}, out);
        if (i < 100)
            assert_true(isnan(out[0]));
        else
            assert_true(out[0] == (i + 1) / 2 - 1); /* of 0 … i - 1 */
        kernel->update(state.bytes, i, (const double[]){i});
    }
}

static void a_sketch_of_a_billion_would_fit(void **unused)
{
    (void)unused;
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_FEATURE, "quantile_sketch");
    assert_in_range(kernel->state_size((const double[]){0.5, 0.01}), 1000, 16384);
    assert_in_range(kernel->state_size((const double[]){0.5, 0.1}), 1000, 8192);
}

static int end(void **unused)
{
    (void)unused;
    test_state_free(&state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rolling_quantile_is_that_of_the_sorted_window),
        cmocka_unit_test(zeros_of_both_signs_are_equal),
        cmocka_unit_test(the_markers_of_p2_end_where_its_authors_saw_them),
        cmocka_unit_test(p2_of_0_and_1_is_the_minimum_and_the_maximum),
        cmocka_unit_test(p2_is_close_on_smooth_distributions),
        cmocka_unit_test(a_sketch_keeps_its_bound_in_whatever_order_values_come),
        cmocka_unit_test(a_sketch_is_exact_while_it_holds_all),
        cmocka_unit_test(a_sketch_of_a_billion_would_fit),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
