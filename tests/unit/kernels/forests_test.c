/* tests/unit/kernels/forests_test.c - half_space_trees, random_cut_forest, isolation_forest: what they find, and what
 * they do not mind.
 */
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

/* p <= 0.05 comes on ordinary rows hardly more often than it says, and on a good share of the spikes. */
static void check_p(const char *name, double share)
{
    int alarms[PLANTED_KINDS] = {0}, rows[PLANTED_KINDS] = {0};
    for (int i = PLANTED_CLEAN; i < PLANTED_ROWS; i++) {
        rows[planted[i].kind]++;
        alarms[planted[i].kind] += out[i][1] <= 0.05;
    }
    if (alarms[PLANTED_NONE] > 0.055 * rows[PLANTED_NONE])
        fail_msg("%s: %d false alarms in %d", name, alarms[PLANTED_NONE], rows[PLANTED_NONE]);
    if (alarms[PLANTED_SPIKE] < share * rows[PLANTED_SPIKE])
        fail_msg("%s: p <= 0.05 on %d of %d spikes", name, alarms[PLANTED_SPIKE], rows[PLANTED_SPIKE]);
}

static void half_space_trees_rank_planted_anomalies_high(void **unused)
{
    (void)unused;
    planted_make(1);
    check_auc("half_space_trees", (const double[]){8, 25, 8, 250}, (const double[]){0, 0.91, 0.93, 0.74});
    check_auc("half_space_trees", (const double[]){8, 25, 15, 250}, (const double[]){0, 0.91, 0.93, 0.77});
    check_auc("half_space_trees", (const double[]){8, 25, 8, 500}, (const double[]){0, 0.91, 0.93, 0.77});
    check_p("half_space_trees", 0.2);
}

static void check_blame(const char *name, double spikes, double breaks)
{
    double spike = planted_blamed(out, PLANTED_SPIKE), against = planted_blamed(out, PLANTED_BREAK);
    if (spike < spikes || against < breaks)
        fail_msg("%s blames the right input in %.2f of the spikes, %.2f of the breaks", name, spike, against);
}

static void random_cut_forest_ranks_planted_anomalies_high_and_blames_the_right_input(void **unused)
{
    (void)unused;
    planted_make(1);
    check_auc("random_cut_forest", (const double[]){8, 50, 256, 2560}, (const double[]){0, 0.99, 0.95, 0.95});
    check_p("random_cut_forest", 0.95);
    check_blame("random_cut_forest", 0.97, 0.85);
}

static void isolation_forest_ranks_planted_anomalies_high(void **unused)
{
    (void)unused;
    planted_make(1);
    check_auc("isolation_forest", (const double[]){8, 100, 256, 2000}, (const double[]){0, 0.86, 0.93, 0.82});
}

/* Scales are learnt: eight series in other units, with powers of two between, score the same. */
static void scores_do_not_depend_on_units(void **unused)
{
    (void)unused;
    static double before[PLANTED_ROWS][FM_KERNEL_OUTPUTS_MAX];
    static const char *const name[] = {"half_space_trees", "random_cut_forest", "isolation_forest"};
    for (size_t k = 0; k < sizeof(name) / sizeof(name[0]); k++) {
        const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, name[k]);
        double params[FM_KERNEL_PARAMS_MAX];
        params_of(kernel, 0, params);
        params[0] = 8;
        planted_make(2);
        planted_run(kernel, params, before);
        for (int i = 0; i < PLANTED_ROWS; i++)
            for (int j = 0; j < PLANTED_DIMS; j++)
                planted[i].in[j] *= j % 2 == 0 ? 1024.0 : 0.125;
        planted_run(kernel, params, out);
        for (int i = 0; i < PLANTED_ROWS; i++)
            if (!same_numbers(before[i], out[i], fm_kernel_field_count(kernel->outputs)))
                fail_msg("%s: row %d scores differently in other units", name[k], i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_space_trees_rank_planted_anomalies_high),
        cmocka_unit_test(random_cut_forest_ranks_planted_anomalies_high_and_blames_the_right_input),
        cmocka_unit_test(isolation_forest_ranks_planted_anomalies_high),
        cmocka_unit_test(scores_do_not_depend_on_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
