/* kernels/feature/hawkes.c - see the header. */
#include "kernels/feature/hawkes.h"

#include "base/error.h"
#include "kernels/common/fade.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define HALF_LIVES    8.0 /* of a window */
#define WARM_WINDOWS  8
#define EMPTY_MAX     16
#define BRANCHING_MAX 0.95
#define LOG_2         0.6931471805599453

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 86400,
     .preset = 5,
     .help = "age at which a record calls for half as many others"},
    {.name = "memory",
     .unit = "s",
     .low = 1e-2,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which a count weighs one half in what is usual"},
    {.name = "branching",
     .unit = "1",
     .low = 0,
     .high = BRANCHING_MAX,
     .preset = 0,
     .help = "part of records that others called for; 0 = estimated"},
    {0},
};

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_hawkes *hawkes = state;
    *hawkes = (fm_hawkes){.fade = 1e-9 / values[0],
                          .beta = LOG_2 / values[0],
                          .per_s = 1.0 / (HALF_LIVES * values[0]),
                          .keep = fm_exp2(-HALF_LIVES * values[0] / values[1]),
                          .given = values[2],
                          .branching = values[2],
                          .counted = NAN,
                          .newest_ns = INT64_MIN};
    fm_slices_init(&hawkes->clock, HALF_LIVES * values[0], 1);
    return 0;
}

static void count_window(fm_hawkes *hawkes, double count)
{
    double distance = count - hawkes->mean;
    hawkes->weight = hawkes->keep * hawkes->weight + 1.0;
    hawkes->mean += distance / hawkes->weight;
    hawkes->squares = hawkes->keep * hawkes->squares + fm_positive(distance * (count - hawkes->mean));
    hawkes->windows++;
}

/* Variance over mean of the counts of a process with that branching ratio. */
static double dispersion(double n)
{
    double reach = (1.0 - n) * HALF_LIVES * LOG_2;
    return 1.0 + n * (2.0 - n) / ((1.0 - n) * (1.0 - n)) * (1.0 - (1.0 - fm_exp(-reach)) / reach);
}

/* The branching ratio of that dispersion, by bisection: it rises with n. */
static double branching_of(double wanted)
{
    double low = 0.0, high = BRANCHING_MAX;
    for (int i = 0; i < 44; i++) {
        double middle = 0.5 * (low + high);
        *(dispersion(middle) < wanted ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

/* A record at ts_ns lies in a new window. */
static void close_windows(fm_hawkes *hawkes, int64_t ts_ns, int64_t passed)
{
    if (!isnan(hawkes->counted))
        count_window(hawkes, hawkes->counted);
    if (hawkes->clock.end_ns != INT64_MIN) {
        int64_t empty = passed - 1 < EMPTY_MAX ? passed - 1 : EMPTY_MAX;
        for (int64_t i = 0; i < empty; i++)
            count_window(hawkes, 0.0);
        hawkes->counted = 0.0;
    }
    fm_slices_open(&hawkes->clock, ts_ns, passed, 1);
    if (hawkes->given > 0.0)
        return;
    double variance = hawkes->weight > 0.0 ? hawkes->squares / hawkes->weight : 0.0;
    hawkes->branching = variance > hawkes->mean ? branching_of(variance / hawkes->mean) : 0.0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_hawkes *hawkes = state;
    out[0] = out[1] = out[2] = out[3] = NAN;
    if (!fm_usable(in[0]) || in[0] == 0.0)
        return;
    int64_t passed = fm_slices_passed(&hawkes->clock, ts_ns);
    if (passed > 0)
        close_windows(hawkes, ts_ns, passed);
    if (ts_ns > hawkes->newest_ns) {
        hawkes->excited *= fm_fade((double)fm_elapsed_ns(ts_ns, hawkes->newest_ns) * hawkes->fade);
        hawkes->newest_ns = ts_ns;
    }
    double expected = hawkes->mean * hawkes->per_s, n = hawkes->branching;
    double intensity = (1.0 - n) * expected + n * hawkes->beta * hawkes->excited;
    hawkes->excited += 1.0;
    hawkes->counted += 1.0;
    if (hawkes->windows < WARM_WINDOWS)
        return;
    out[0] = intensity;
    out[1] = expected > 0.0 ? fm_finite(intensity / expected) : NAN;
    out[2] = expected;
    out[3] = n;
}

FM_ONE_STEP(fm_hawkes)
FM_STEP_ONE(step_intensity, 0)
FM_STEP_ONE(step_ratio, 1)

const fm_kernel fm_kernel_hawkes = {
    .name = "hawkes",
    .summary = "Intensity of records that call for others, against the usual rate.",
    .source = "Hawkes, Biometrika 58, 1971",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "event", .unit = "1", .help = "1 on every record"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "intensity", .unit = "1/s", .usual = NAN, .help = "records expected now"},
            {.name = "ratio", .unit = "1", .usual = 1, .help = "over the usual rate"},
            {.name = "expected", .unit = "1/s", .usual = NAN, .help = "the usual rate"},
            {.name = "branching", .unit = "1", .usual = NAN, .help = "part of records that others called for"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_intensity, step_ratio},
    .warm_up = "after 8 whole windows of 8 half-lives",
    .cost = "~10 ns, 128 bytes",
};
