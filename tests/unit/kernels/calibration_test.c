/* tests/unit/kernels/calibration_test.c - how often detectors cry wolf: on series without an anomaly, with nights and
 * with ties; and the presets and thresholds that the rules in the box use, on recorded days.
 *
 * EURUSD quotes of six days in May 2014 (the US jobs report of 2014-05-02 12:30 UTC among them) and US equity ticks of
 * two days in October 2013. Skipped by name where the recordings are not at hand; with CI=true that is a failure. */
#include "kinds.h"

static const char *const EURUSD[] = {"20140501", "20140502", "20140505", "20140506", "20140507", "20140508"};

typedef struct watch { /* one kernel with a threshold on one output, as a rule would have it */
    const char *kernel;
    double params[FM_KERNEL_PARAMS_MAX];
    int output;
    double threshold;
    int64_t cooldown_ns;
} watch;

typedef struct alerts {
    int count;
    int inside; /* of the span asked for */
} alerts;

static FILE *open_recording(const char *name)
{
    char path[1024], command[1100];
    const char *folder = getenv("FMADS_TESTDATA");
    if (folder != NULL)
        snprintf(path, sizeof(path), "%s/market/tick/%s.csv.gz", folder, name);
    else
        snprintf(path, sizeof(path), "%s/../shared/data/market/tick/%s.csv.gz", FMADS_SOURCE_DIR, name);
    FILE *probe = fopen(path, "rb");
    if (probe == NULL) {
        const char *ci = getenv("CI");
        if (ci != NULL && strcmp(ci, "true") == 0)
            fail_msg("no recording %s", path);
        print_message("skipped: no recording %s\n", path);
        skip();
    }
    fclose(probe);
    snprintf(command, sizeof(command), "gzip -dc '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    return pipe;
}

/* Inputs of a kernel from a row: "x" is the middle of columns 1 and 2, or column 1 alone for trades; size is column 2.
 */
static void inputs_of(const fm_kernel *kernel, const double *row, int trades, double *in)
{
    for (int i = 0; kernel->inputs[i].name != NULL; i++) {
        const char *name = kernel->inputs[i].name;
        if (strcmp(name, "event") == 0)
            in[i] = 1.0;
        else if (strcmp(name, "x") == 0)
            in[i] = trades ? row[1] : 0.5 * (row[1] + row[2]);
        else
            in[i] = strcmp(name, "bid") == 0 ? row[1] : row[2];
    }
}

/* Runs over one recording and counts the alerts, those in [from_s, to_s) after midnight apart. */
static alerts count_alerts(const char *name, int trades, const watch *rule, int64_t from_s, int64_t to_s)
{
    static _Alignas(64) unsigned char state[4096];
    char line[512];
    alerts found = {0};
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_FEATURE, rule->kernel);
    assert_non_null(kernel);
    memset(state, 0, sizeof(state));
    assert_int_equal(kernel->init(state, rule->params), 0);
    FILE *file = open_recording(name);
    int64_t quiet_until_ns = INT64_MIN;
    assert_non_null(fgets(line, sizeof(line), file));
    while (fgets(line, sizeof(line), file) != NULL) {
        double row[3] = {0}, in[FM_KERNEL_INPUTS_MAX], out[FM_KERNEL_OUTPUTS_MAX];
        char *at = line;
        for (int i = 0; i < 3; i++, at += *at == ',')
            row[i] = strtod(at, &at);
        int64_t ts_ns = (int64_t)row[0] * FM_NS_PER_MS;
        inputs_of(kernel, row, trades, in);
        kernel->step(state, ts_ns, in, out);
        if (!(fabs(out[rule->output]) > rule->threshold) || ts_ns < quiet_until_ns)
            continue;
        quiet_until_ns = ts_ns + rule->cooldown_ns;
        found.count++;
        found.inside += ts_ns >= from_s * FM_NS_PER_S && ts_ns < to_s * FM_NS_PER_S;
    }
    pclose(file);
    return found;
}

/* Alerts of one watch over the six EURUSD days; `jobs` gets those of 2014-05-02. */
static int count_eurusd(const watch *rule, alerts *jobs)
{
    int total = 0;
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof(name), "fx_ticks_EURUSD_oanda_%s", EURUSD[i]);
        alerts found = count_alerts(name, 0, rule, (12 * 60 + 29) * 60, (12 * 60 + 45) * 60);
        total += found.count;
        if (i == 1)
            *jobs = found;
    }
    return total;
}

static void move_z_sees_the_jobs_report_and_is_quiet_else_on_a_plateau_of_thresholds(void **unused)
{
    (void)unused;
    for (double threshold = 7.0; threshold <= 13.0; threshold += 1.5) {
        watch spike = {"move_z", {60, 3600, 1, 0}, 0, threshold, 15 * 60 * FM_NS_PER_S};
        alerts jobs;
        int total = count_eurusd(&spike, &jobs);
        if (jobs.inside < 1 || jobs.count - jobs.inside > 3 || total > 10)
            fail_msg("threshold %g: %d at the report, %d that day, %d in six days", threshold, jobs.inside, jobs.count,
                     total);
    }
}

static void spreads_and_bursts_on_eurusd_are_a_handful(void **unused)
{
    (void)unused;
    watch wide = {"spread_ratio", {10, 3600, 0, 0}, 0, 5.0, 15 * 60 * FM_NS_PER_S};
    watch burst = {"event_rate", {10, 3600, 5, 0}, 1, 8.0, 15 * 60 * FM_NS_PER_S};
    alerts jobs = {0};
    assert_in_range(count_eurusd(&wide, &jobs), 1, 6);
    assert_true(jobs.inside >= 1 && jobs.count - jobs.inside <= 1);
    assert_in_range(count_eurusd(&burst, &jobs), 1, 6);
    assert_true(jobs.inside >= 1 && jobs.count == jobs.inside);
}

static void volume_surges_and_quote_bursts_on_equities_are_a_handful_a_day(void **unused)
{
    (void)unused;
    static const char *const TRADES[] = {"eq_trades_BAC_20131008", "eq_trades_IBM_20131007", "eq_trades_SPY_20131007"};
    static const char *const QUOTES[] = {"eq_quotes_BAC_20131008", "eq_quotes_IBM_20131007"};
    watch surge = {"volume_ratio", {60, 3600, 0, 0}, 0, 10.0, 10 * 60 * FM_NS_PER_S};
    watch burst = {"event_rate", {10, 3600, 5, 0}, 1, 8.0, 10 * 60 * FM_NS_PER_S};
    /* The columns of a trade are time, price, size. */
    for (int i = 0; i < 3; i++)
        assert_in_range(count_alerts(TRADES[i], 1, &surge, 0, 0).count, 1, 4);
    for (int i = 0; i < 2; i++)
        assert_in_range(count_alerts(QUOTES[i], 0, &burst, 0, 0).count, 0, 4);
}

enum { DAYS = 8, TICKS = 2000, MORNING = 60 };

/* Whether it judges series x … x8, and not bars, or a market and its calendar. */
static bool judges_series(const fm_kernel *kernel)
{
    if (kernel->kind != FM_KERNEL_DETECTOR)
        return false;
    for (int i = 0; kernel->inputs[i].name != NULL; i++)
        if (kernel->inputs[i].name[0] != 'x')
            return false;
    return true;
}

/* Its trees are made anew, so past scores are no exact measure of new ones; the header tells how far off it is. */
static bool drifts(const fm_kernel *kernel)
{
    return strcmp(kernel->name, "isolation_forest") == 0;
}

/* Two series where it takes several; raw scores where it would take p-values. */
static const setting SEVERAL[] = {{"dims", 2}, {NULL, 0}}, SCORES[] = {{"dims", 2}, {"input", 1}, {NULL, 0}};

static const setting *settings_of(const fm_kernel *kernel)
{
    if (fm_kernel_field_index(kernel->params, "dims") < 0)
        return NULL;
    return fm_kernel_field_index(kernel->params, "input") < 0 ? SEVERAL : SCORES;
}

/* How many p are at most 0.01 and 0.001 in the mornings of days of independent values, a night of 18 hours between. */
static void mornings_of(const fm_kernel *kernel, int below[2])
{
    test_subject subject = {0};
    fm_random random;
    fm_random_seed(&random, 77);
    subject_start(&subject, kernel->name, settings_of(kernel));
    below[0] = below[1] = 0;
    for (int day = 0; day < DAYS; day++) {
        for (int i = 0; i < TICKS; i++) {
            double x = fm_random_normal(&random), other = 0.5 * x + fm_random_normal(&random);
            subject_step(&subject, (double[FM_KERNEL_INPUTS_MAX]){100.0 + x, 50.0 + other});
            subject.ts_ns += 9 * FM_NS_PER_S;
            for (int level = 0; day >= 3 && i < MORNING && level < 2; level++)
                below[level] += subject.out[1] <= (level == 0 ? 0.01 : 0.001);
        }
        subject.ts_ns += (int64_t)18 * 3600 * FM_NS_PER_S;
    }
    test_state_free(&subject.state);
}

static void a_morning_is_no_anomaly(void **unused)
{
    (void)unused;
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++) {
        int below[2];
        if (!judges_series(*kernel))
            continue;
        mornings_of(*kernel, below); /* 3 and 0.3 are due */
        if (below[0] > 10 || below[1] > 2)
            fail_msg("%s: p <= 0.01 in %d of 300 morning ticks, p <= 0.001 in %d", (*kernel)->name, below[0], below[1]);
    }
}

/* Independent values with ties: returns in ticks, counts, a yes or no, and half zeros. */
static double tied(fm_random *random, int kind)
{
    double x = fm_random_normal(random), product = fm_random_unit(random), count = 0.0;
    switch (kind) {
    case 0:
        return floor(0.6 * x + 0.5);
    case 1: /* Poisson of mean 1 */
        for (; product > 0.36787944117144233; count += 1.0)
            product *= fm_random_unit(random);
        return count;
    case 2:
        return product < 0.3;
    default:
        return product < 0.5 ? 0.0 : x;
    }
}

static void ties_make_no_anomalies(void **unused)
{
    (void)unused;
    static const double LEVEL[] = {0.2, 0.1, 0.01, 0.001};
    enum { COUNT = 20000, LEVELS = 4 };
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++)
        for (int kind = 0; kind < 4 && judges_series(*kernel) && !drifts(*kernel); kind++) {
            test_subject subject = {0};
            fm_random random;
            fm_random_seed(&random, 78 + kind);
            subject_start(&subject, (*kernel)->name, settings_of(*kernel));
            int below[LEVELS] = {0};
            for (int i = 0; i < COUNT; i++) {
                subject_step(&subject, (double[FM_KERNEL_INPUTS_MAX]){tied(&random, kind), fm_random_normal(&random)});
                for (int level = 0; i >= COUNT / 10 && level < LEVELS; level++)
                    below[level] += subject.out[1] <= LEVEL[level];
            }
            test_state_free(&subject.state);
            for (int level = 0; level < LEVELS; level++) {
                double share = below[level] / (0.9 * COUNT), due = LEVEL[level];
                if (share > 1.3 * due + 3.0 * sqrt(due / (0.9 * COUNT)))
                    fail_msg("%s: p <= %g in %g of ties of kind %d", (*kernel)->name, due, share, kind);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_morning_is_no_anomaly),
        cmocka_unit_test(ties_make_no_anomalies),
        cmocka_unit_test(move_z_sees_the_jobs_report_and_is_quiet_else_on_a_plateau_of_thresholds),
        cmocka_unit_test(spreads_and_bursts_on_eurusd_are_a_handful),
        cmocka_unit_test(volume_surges_and_quote_bursts_on_equities_are_a_handful_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
