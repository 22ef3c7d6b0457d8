/* kernels/detector/ensemble.c - see the header. */
#include "kernels/detector/ensemble.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/cauchy.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define P_MIN  1e-15
#define P_MAX  0.99
#define PART   64.0                /* a test takes one part of so many of the wealth */
#define DECADE 0.43429448190325183 /* 1 / log 10 */
#define DAY_NS 86400e9

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "number of inputs"},
    {.name = "method", .unit = "1", .low = 0, .high = 2, .preset = 1, .help = "0 Fisher, 1 Cauchy, 2 Bonferroni"},
    {.name = "input", .unit = "1", .low = 0, .high = 1, .preset = 0, .help = "0 p-values, 1 raw scores"},
    {.name = "budget", .unit = "1/day", .low = 1e-3, .high = 1e6, .preset = 5, .help = "false alarms a day"},
    {.name = "silence", .unit = "s", .low = 0, .high = 31 * 86400.0, .preset = 300, .help = "after an alarm"},
    {.name = "memory",
     .unit = "events",
     .low = 64,
     .high = 1e6,
     .preset = 10000,
     .help = "a score as many events ago weighs 1/e"},
    {.name = "warm", .unit = "events", .low = 0, .high = 100000, .preset = 100, .help = "rows until ready"},
    {0},
};

typedef struct verdict {
    double p, alpha, wealth;
    bool silent, alarm;
    int64_t now_ns;
} verdict;

static size_t state_size(const double *values)
{
    size_t sketches = values[2] >= 1.0 ? (size_t)values[0] : 0;
    return sizeof(fm_ensemble) + sketches * sizeof(fm_ranks_from);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_ensemble *ensemble = state;
    *ensemble = (fm_ensemble){.dims = (int64_t)values[0],
                              .method = (int64_t)values[1],
                              .input = (int64_t)values[2],
                              .rate = values[3] / DAY_NS,
                              .most = values[3] / 24.0,
                              .wealth = values[3] / 24.0,
                              .silence_ns = (int64_t)(values[4] * 1e9),
                              .memory = values[5],
                              .warm = (int64_t)values[6],
                              .newest_ns = INT64_MIN,
                              .silent_until_ns = INT64_MIN};
    for (int64_t i = 0; i < ensemble->dims && ensemble->input == 1; i++)
        fm_ranks_from_init(&ensemble->ranks[i], (int32_t)(32 - 4 * i)); /* never two merges on one row */
    return 0;
}

/* How many inputs speak. */
static int heard_of(const fm_ensemble *ensemble, const double *in)
{
    int heard = 0;
    for (int64_t i = 0; i < ensemble->dims; i++)
        heard += fm_usable(in[i]);
    return heard;
}

static double p_of(const fm_ensemble *ensemble, int64_t i, double x)
{
    double p = ensemble->input == 1 ? fm_excess_rank_p(fm_ranks_from_of(&ensemble->ranks[i], x), 1) : x;
    return p < P_MIN ? P_MIN : p > P_MAX ? P_MAX : p;
}

/* -2 log of the product is chi-square of 2 n degrees. */
static double fisher(double nats, int64_t count)
{
    double sum = 0.0, term = 1.0;
    for (int64_t i = 0; i < count; i++) {
        sum += term;
        term *= nats / (double)(i + 1);
    }
    return sum * fm_exp(-nats);
}

/* The p of all that speak; cause and its share of the evidence. */
static double combine(const fm_ensemble *ensemble, const double *in, int heard, double *cause, double *share)
{
    double all = 0.0, most = 0.0, smallest = 1.0, cotangents = 0.0, n = (double)heard;
    for (int64_t i = 0; i < ensemble->dims; i++) {
        if (!fm_usable(in[i]))
            continue;
        double p = p_of(ensemble, i, in[i]), evidence = ensemble->method == 0 ? -(fm_log)(p) : 1.0 / p;
        if (evidence > most) {
            most = evidence;
            *cause = (double)(i + 1);
        }
        all += evidence;
        smallest = p < smallest ? p : smallest;
        if (ensemble->method == 1)
            cotangents += fm_cauchy_quantile(p);
    }
    *share = most / all;
    double p = ensemble->method == 0   ? fisher(all, heard)
               : ensemble->method == 1 ? fm_cauchy_p(cotangents / n)
                                       : n * smallest;
    return p < 1.0 ? p : 1.0;
}

static verdict read(const fm_ensemble *ensemble, int heard, int64_t ts_ns, const double *in, double out[9])
{
    bool ready = ensemble->count >= ensemble->warm;
    verdict made = {.p = NAN, .now_ns = ts_ns > ensemble->newest_ns ? ts_ns : ensemble->newest_ns};
    for (int i = 0; i < 9; i++)
        out[i] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[5] = ready ? ensemble->spent : NAN;
    made.wealth = ensemble->wealth;
    if (ensemble->newest_ns != INT64_MIN)
        made.wealth += ensemble->rate * (double)fm_elapsed_ns(made.now_ns, ensemble->newest_ns);
    made.wealth = made.wealth < ensemble->most ? made.wealth : ensemble->most;
    if (!ready || heard == 0)
        return made;
    made.silent = made.now_ns < ensemble->silent_until_ns;
    made.p = combine(ensemble, in, heard, &out[6], &out[7]);
    made.alpha = made.silent ? 0.0 : made.wealth / PART;
    made.alarm = !made.silent && made.p <= made.alpha;
    out[0] = -DECADE * (fm_log)(made.p);
    out[1] = made.p;
    out[2] = made.alpha;
    out[4] = made.alarm ? 1.0 : 0.0;
    out[5] = ensemble->spent + made.alpha;
    out[8] = heard;
    return made;
}

static void push(fm_ensemble *ensemble, const double *in, const verdict *made)
{
    ensemble->newest_ns = made->now_ns;
    ensemble->wealth = made->wealth - made->alpha;
    ensemble->spent += made->alpha;
    ensemble->count++;
    if (made->alarm)
        ensemble->level = made->alpha;
    if (made->alarm || (made->silent && made->p <= ensemble->level))
        if (__builtin_add_overflow(made->now_ns, ensemble->silence_ns, &ensemble->silent_until_ns))
            ensemble->silent_until_ns = INT64_MAX;
    for (int64_t i = 0; i < ensemble->dims && ensemble->input == 1; i++)
        if (fm_usable(in[i]))
            fm_ranks_from_add(&ensemble->ranks[i], in[i], (float)ensemble->memory);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    read(state, heard_of(state, in), ts_ns, in, out);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    int heard = heard_of(state, in);
    verdict made = read(state, heard, ts_ns, in, out);
    if (heard > 0)
        push(state, in, &made);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[9];
    step(state, ts_ns, in, out);
}

const fm_kernel fm_kernel_ensemble = {
    .name = "ensemble",
    .summary = "One verdict of several detectors, with a budget of false alarms a day.",
    .source = "Fisher 1932; Liu & Xie, JASA 115, 2020; Lan & DeMets 1983",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .optional = true, .help = "the first p or score"},
                                 {.name = "x2", .unit = "any", .optional = true, .help = "p or score 2"},
                                 {.name = "x3", .unit = "any", .optional = true, .help = "p or score 3"},
                                 {.name = "x4", .unit = "any", .optional = true, .help = "p or score 4"},
                                 {.name = "x5", .unit = "any", .optional = true, .help = "p or score 5"},
                                 {.name = "x6", .unit = "any", .optional = true, .help = "p or score 6"},
                                 {.name = "x7", .unit = "any", .optional = true, .help = "p or score 7"},
                                 {.name = "x8", .unit = "any", .optional = true, .help = "p or score 8"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 0.4, .help = "-log10 p"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "of all inputs together"},
                                  {.name = "expected", .unit = "1", .usual = NAN, .help = "p that is an alarm now"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "alarm", .unit = "1", .usual = 0, .help = "1 at an alarm, else 0"},
                                  {.name = "spent", .unit = "1", .usual = NAN, .help = "false alarms expected so far"},
                                  {.name = "cause", .unit = "1", .usual = NAN, .help = "number of the main input"},
                                  {.name = "share", .unit = "1", .usual = NAN, .help = "its part of the evidence"},
                                  {.name = "heard", .unit = "1", .usual = NAN, .help = "inputs that spoke"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after `warm` rows",
    .cost = "~270 ns at eight inputs, 112 bytes",
};
