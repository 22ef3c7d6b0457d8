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
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
