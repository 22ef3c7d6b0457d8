/* tests/unit/kernels/projections_test.c - loda and xstream: what they find, and whom loda blames. */
#include "planted.h"

static double out[PLANTED_ROWS][FM_KERNEL_OUTPUTS_MAX];

static void check_auc(const char *name, const double *params, const double least[PLANTED_KINDS])
{
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, name);
    planted_run(kernel, params, out);
    for (int kind = PLANTED_SPIKE; kind < PLANTED_KINDS; kind++) {
        double auc = planted_auc(out, (planted_kind)kind);
        if (getenv("FMADS_TELL") != NULL)
            printf("%s kind %d auc %.4f\n", name, kind, auc);
        if (auc < least[kind])
            fail_msg("%s: area under the curve %.4f for kind %d, not %g", name, auc, kind, least[kind]);
    }
}

static void loda_ranks_planted_anomalies_high_and_blames_the_spiking_input(void **unused)
{
    (void)unused;
    planted_make(1);
    check_auc("loda", (const double[]){8, 100, 500}, (const double[]){0, 0.96, 0.94, 0.92});
    double spike = planted_blamed(out, PLANTED_SPIKE);
    if (spike < 0.95)
        fail_msg("loda blames the right input in %.2f of the spikes", spike);
}

/* One input, one projection of it: the share is all its own. */
static void loda_of_one_series_blames_it_alone(void **unused)
{
    (void)unused;
    planted_make(3);
    planted_run(fm_kernel_find(FM_KERNEL_DETECTOR, "loda"), (const double[]){1, 10, 200}, out);
    for (int i = 300; i < PLANTED_ROWS; i++) {
        assert_true(out[i][3] == 1.0 && out[i][4] == 1.0);
        assert_true(isnan(out[i][5]));
    }
}

/* Series that always were together: the first goes to the other side, where each of them has often been. */
static void loda_sees_a_bond_of_few_series_break(void **unused)
{
    (void)unused;
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, "loda");
    for (int dims = 2; dims <= 4; dims++) {
        const double params[] = {dims, 100, 500};
        double in[FM_KERNEL_INPUTS_MAX] = {0}, told[FM_KERNEL_OUTPUTS_MAX], together;
        test_state state = {0};
        fm_random random;
        fm_random_seed(&random, 7);
        test_state_make(&state, kernel->state_size(params));
        assert_int_equal(kernel->init(state.bytes, params), 0);
        for (int i = 0; i < 8000; i++) {
            double common = fm_random_normal(&random);
            for (int j = 0; j < dims; j++)
                in[j] = common + 0.05 * fm_random_normal(&random);
            kernel->step(state.bytes, i, in, told);
        }
        for (int j = 0; j < dims; j++)
            in[j] = 1.0;
        kernel->score(state.bytes, 8000, in, told);
        together = told[0];
        in[0] = -1.0;
        kernel->score(state.bytes, 8000, in, told);
        assert_true(told[0] > together + 1.0 && told[1] < 0.15);
        in[0] = 8.0;
        kernel->score(state.bytes, 8000, in, told);
        assert_true(told[4] > 0.9 && told[1] < 0.03);
        test_state_free(&state);
    }
}

static void xstream_ranks_planted_anomalies_high(void **unused)
{
    (void)unused;
    planted_make(1);
    check_auc("xstream", (const double[]){8, 100, 15, 500}, (const double[]){0, 0.99, 0.95, 0.95});
}

/* From the density of all events in one place to no event ever near; and full windows of the largest size are
 * counted and cleared alike, one after another. */
static void xstream_goes_from_no_bits_to_those_of_an_empty_window(void **unused)
{
    (void)unused;
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, "xstream");
    const double params[] = {2, 10, 8, 1000}, same[FM_KERNEL_INPUTS_MAX] = {5.0, 7.0};
    const double apart[FM_KERNEL_INPUTS_MAX] = {6.0, 9.0};
    test_state state = {0};
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    for (int i = 0; i < 5000; i++) {
        double got[FM_KERNEL_OUTPUTS_MAX];
        kernel->step(state.bytes, 0, same, got);
        assert_true(i < 1000 ? isnan(got[0]) && got[3] == 0.0 : got[3] == 1.0);
        if (i >= 2000) /* the scale is known from the second event on: the first window holds one event elsewhere */
            assert_near(got[0], 0.0, 1e-12);
    }
    double got[FM_KERNEL_OUTPUTS_MAX];
    kernel->score(state.bytes, 0, apart, got);
    assert_true(got[0] > 0.9 * fm_log2(1001.0) && got[0] <= fm_log2(1001.0) + 1e-12 && got[1] < 0.001);
    test_state_free(&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loda_ranks_planted_anomalies_high_and_blames_the_spiking_input),
        cmocka_unit_test(loda_sees_a_bond_of_few_series_break),
        cmocka_unit_test(loda_of_one_series_blames_it_alone),
        cmocka_unit_test(xstream_ranks_planted_anomalies_high),
        cmocka_unit_test(xstream_goes_from_no_bits_to_those_of_an_empty_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
