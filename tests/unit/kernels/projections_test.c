/* tests/unit/kernels/projections_test.c - loda: what it finds, and whom it blames. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loda_ranks_planted_anomalies_high_and_blames_the_spiking_input),
        cmocka_unit_test(loda_of_one_series_blames_it_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
