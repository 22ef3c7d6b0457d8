/* kernels/detector/bocpd.c - see the header. */
#include "kernels/detector/bocpd.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/kernel.h"

#define WARM_COUNT   30
#define KAPPA        0.1
#define ALPHA        1.0
#define CLIP         8.0  /* sigma, for what enters the prior */
#define FAR          1e6  /* sigma */
#define NEGLECT      0.03 /* of the hazard: weight of an age that is dropped */
#define NEGLECT_MOST 3e-4

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 1800,
     .help = "age at which a value weighs one half in the prior of a new run"},
    {.name = "gap", .unit = "events", .low = 2, .high = 1e9, .preset = 1000, .help = "events from change to change"},
    {.name = "run", .unit = "events", .low = 10, .high = 1000, .preset = 200, .help = "oldest age told apart"},
    {.name = "recent", .unit = "events", .low = 0, .high = 100, .preset = 10, .help = "a run as old is a new one"},
    {0},
};

typedef struct sight { /* what x looks like */
    double x, total, score;
} sight;

static size_t state_size(const double *values)
{
    return sizeof(fm_bocpd) + ((size_t)values[2] + 1) * (sizeof(fm_bocpd_age) + sizeof(double));
}

static double *gammas(const fm_bocpd *detector)
{
    return (double *)(uintptr_t)&detector->age[detector->run + 1];
}

/* Gamma(1.5) / Gamma(1) is sqrt(pi) / 2; g(alpha + 1/2) = alpha / g(alpha), of which 1 / sqrt(pi) is a part here. */
static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_bocpd *detector = state;
    *detector = (fm_bocpd){.hazard = 1.0 / values[1], .run = (int64_t)values[2], .recent = values[3], .precision = NAN};
    double *gamma = gammas(detector);
    gamma[0] = 0.5;
    for (int64_t i = 0; i < detector->run; i++)
        gamma[i + 1] = (ALPHA + 0.5 * (double)i) / (3.14159265358979324 * gamma[i]);
    fm_faded_init(&detector->past, values[0]);
    return 0;
}

static double density(const fm_bocpd *detector, const fm_bocpd_age *age, double x)
{
    double kappa = KAPPA + age->values, q = 2.0 * age->beta * (kappa + 1.0) / kappa, apart = x - age->mean;
    double power = (fm_log)(1.0 + apart * apart / q) * (ALPHA + 0.5 + 0.5 * age->values);
    return gammas(detector)[(int64_t)age->values] / sqrt(q) * fm_exp(-power);
}

static unsigned bucket_of(double score)
{
    double place = (score + 8.0) * 1.25;
    return place < 0.0 ? 0 : place < FM_TAIL_BUCKETS ? (unsigned)place : FM_TAIL_BUCKETS - 1;
}

/* joint[i], unless NULL: weight times density of age i. */
static sight read(const fm_bocpd *detector, double x, double *joint, double out[6])
{
    bool ready = !isnan(detector->precision);
    sight seen = {.score = NAN};
    double expected = 0.0, run = 0.0, recent = 0.0;
    for (int i = 0; i < 6; i++)
        out[i] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    if (!ready)
        return seen;
    for (int64_t i = 0; i < detector->ages; i++)
        expected += detector->age[i].weight * detector->age[i].mean;
    out[2] = expected;
    if (isnan(x))
        return seen;
    double z = (x - detector->past.mean) * detector->precision;
    seen.x = fabs(z) <= FAR ? x : detector->past.mean + (z > 0.0 ? FAR : -FAR) / detector->precision;
    for (int64_t i = 0; i < detector->ages; i++) {
        const fm_bocpd_age *age = &detector->age[i];
        double value = age->weight * density(detector, age, seen.x);
        double next = age->values + 1.0 < (double)detector->run ? age->values + 1.0 : age->values;
        joint[i] = value;
        seen.total += value;
        run += value * next;
        recent += next <= detector->recent ? value : 0.0;
    }
    seen.score = fm_finite(detector->precision > 0.0 ? -(fm_log)(seen.total / detector->precision) : NAN);
    if (isnan(seen.score))
        return seen;
    out[0] = seen.score;
    out[1] = fm_tail_p(&detector->tail, bucket_of(seen.score));
    out[4] = detector->hazard + (1.0 - detector->hazard) * (recent / seen.total);
    out[5] = (1.0 - detector->hazard) * (run / seen.total);
    return seen;
}

/* x joins a run. */
static void join(const fm_bocpd *detector, fm_bocpd_age *age, double x)
{
    if (age->values + 1.0 >= (double)detector->run) {
        double alpha = ALPHA + 0.5 * age->values;
        age->beta *= (alpha - 0.5) / alpha;
        age->values -= 1.0;
    }
    double kappa = KAPPA + age->values, apart = x - age->mean;
    age->mean += apart / (kappa + 1.0);
    age->beta += kappa * apart * apart / (2.0 * (kappa + 1.0));
    age->values += 1.0;
}

/* Every run is a value older; those that matter stay. */
static void grow(fm_bocpd *detector, const sight *seen, const double *joint)
{
    double old = (double)detector->run - 1.0, kept = detector->hazard, gain = (1.0 - detector->hazard) / seen->total;
    double neglect = detector->hazard * NEGLECT < NEGLECT_MOST ? detector->hazard * NEGLECT : NEGLECT_MOST;
    int64_t made = 0;
    for (int64_t i = 0; i < detector->ages; i++) {
        fm_bocpd_age age = detector->age[i];
        age.weight = joint[i] * gain;
        join(detector, &age, seen->x);
        if (made == 1 && age.values >= old && detector->age[0].values >= old) {
            kept -= detector->age[0].weight;
            age.weight += detector->age[0].weight;
            made = 0;
        }
        if (age.weight < neglect)
            continue;
        kept += age.weight;
        detector->age[made++] = age;
    }
    detector->ages = made;
    detector->age[made].weight = detector->hazard;
    for (int64_t i = 0; i <= made; i++)
        detector->age[i].weight /= kept;
}

/* A new run from the faded past; weights of others are there already. */
static void begin(fm_bocpd *detector)
{
    fm_bocpd_age *age = &detector->age[detector->ages++];
    double sigma = 1.0 / detector->precision;
    age->values = 0.0;
    age->mean = detector->past.mean;
    age->beta = sigma * sigma;
}

static void push(fm_bocpd *detector, int64_t ts_ns, double x, const sight *seen, const double *joint)
{
    double z = (x - detector->past.mean) * detector->precision;
    bool scored = !isnan(seen->score);
    if (FM_UNLIKELY(fabs(z) > CLIP))
        x = detector->past.mean + (z > 0.0 ? CLIP : -CLIP) / detector->precision;
    fm_faded_add(&detector->past, ts_ns, x);
    if (++detector->count < WARM_COUNT)
        return;
    detector->precision = fm_faded_precision(&detector->past, 0.0);
    if (isnan(detector->precision)) {
        detector->ages = 0;
        return;
    }
    if (scored) {
        fm_tail_add(&detector->tail, bucket_of(seen->score));
        grow(detector, seen, joint);
    } else {
        detector->ages = 0;
        detector->age[0].weight = 1.0;
    }
    begin(detector);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    double joint[1001];
    (void)ts_ns;
    read(state, fm_usable(in[0]) ? in[0] : NAN, joint, out);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    double joint[1001];
    bool usable = fm_usable(in[0]);
    sight seen = read(state, usable ? in[0] : NAN, joint, out);
    if (usable)
        push(state, ts_ns, in[0], &seen, joint);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[6];
    step(state, ts_ns, in, out);
}

const fm_kernel fm_kernel_bocpd = {
    .name = "bocpd",
    .summary = "Bayesian change points: surprise, probability of a new run, age of the current one.",
    .source = "Adams & MacKay, arXiv:0710.3742, 2007",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "nats", .usual = 1.4, .help = "surprise of x"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "mean of the predictive"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "change", .unit = "1", .usual = 0, .help = "probability of a new run"},
                                  {.name = "run", .unit = "events", .usual = NAN, .help = "expected age of the run"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 30 values of which two differ",
    .cost = "~1.2 us, 8,432 bytes",
};
