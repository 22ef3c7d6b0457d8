/* kernels/detector/calibrate.c - see the header. */
#include "kernels/detector/calibrate.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define LEVEL  0.02                /* of the weight beyond the threshold */
#define ENTRY  0.1                 /* times 1 / memory: p of the largest value that enters */
#define DECADE 0.43429448190325183 /* 1 / log 10 */

static const fm_field params[] = {
    {.name = "memory",
     .unit = "events",
     .low = 64,
     .high = 1e6,
     .preset = 10000,
     .help = "a value as many events ago weighs 1/e"},
    {.name = "method", .unit = "1", .low = 0, .high = 1, .preset = 1, .help = "0 conformal, 1 extreme values beyond"},
    {.name = "warm", .unit = "events", .low = 16, .high = 100000, .preset = 100, .help = "values until ready"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_calibrate);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_calibrate *calibrate = state;
    *calibrate = (fm_calibrate){.memory = values[0],
                                .method = (int64_t)values[1],
                                .warm = (int64_t)values[2],
                                .origin = NAN,
                                .median = NAN,
                                .most = NAN,
                                .tail = {.threshold = NAN}};
    fm_ranks_init(&calibrate->ranks, 16);
    return 0;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_calibrate *calibrate = state;
    bool ready = calibrate->count >= calibrate->warm;
    out[0] = out[1] = NAN;
    out[2] = ready ? calibrate->origin + calibrate->median : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = ready ? calibrate->origin + calibrate->tail.threshold : NAN;
    if (!ready || !fm_usable(in[0]))
        return;
    double v = in[0] - calibrate->origin;
    double p = fm_excess_told(&calibrate->tail, fm_ranks_of(&calibrate->ranks, fm_excess_float(v)), v, 1);
    out[0] = -DECADE * (fm_log)(p);
    out[1] = p;
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_calibrate *calibrate = state;
    if (!fm_usable(in[0]))
        return;
    if (calibrate->count++ == 0)
        calibrate->origin = in[0];
    double v = in[0] - calibrate->origin;
    v = v > calibrate->most ? calibrate->most : v;
    fm_ranks_add(&calibrate->ranks, fm_excess_float(v), (float)calibrate->memory);
    if (calibrate->ranks.waiting_count > 0)
        return;
    calibrate->median = fm_excess_median(&calibrate->ranks);
    if (calibrate->method == 0)
        return;
    fm_excess_fit(&calibrate->tail, &calibrate->ranks, LEVEL, 1);
    calibrate->most = fm_finite(fm_excess_quantile(&calibrate->tail, ENTRY / calibrate->memory));
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

const fm_kernel fm_kernel_calibrate = {
    .name = "calibrate",
    .summary = "How often a raw score is as large, as a probability; beyond what was seen by extreme values.",
    .source = "Vovk, Gammerman & Shafer 2005; Siffer et al., KDD 2017",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 3,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "a raw score; larger is stranger"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 0.3, .help = "-log10 p"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "probability of one as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "median of the past"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "limit", .unit = "x", .usual = NAN, .help = "where the fitted tail begins"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after `warm` values",
    .cost = "~100 ns, 1,384 bytes",
};
