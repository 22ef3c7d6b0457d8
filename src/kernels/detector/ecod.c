/* kernels/detector/ecod.c - see the header. */
#include "kernels/detector/ecod.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30
#define CLIP       8.0 /* sigma, in the moments */

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "number of series"},
    {.name = "memory",
     .unit = "events",
     .low = 64,
     .high = 1e6,
     .preset = 5000,
     .help = "a row as many events ago weighs 1/e"},
    {0},
};

static size_t state_size(const double *values)
{
    return sizeof(fm_ecod) + (size_t)values[0] * sizeof(fm_ecod_series);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_ecod *detector = state;
    detector->dims = (int64_t)values[0];
    detector->memory = values[1];
    for (int64_t i = 0; i < detector->dims; i++)
        fm_ranks_from_init(&detector->series[i].ranks, (int32_t)(32 - 4 * i)); /* never two merges on one row */
    return 0;
}

static bool usable(const fm_ecod *detector, const double *in)
{
    for (int64_t i = 0; i < detector->dims; i++)
        if (!fm_usable(in[i]))
            return false;
    return true;
}

static unsigned bucket_of(double score)
{
    double place = 1.25 * score;
    return place < FM_TAIL_BUCKETS ? (unsigned)place : FM_TAIL_BUCKETS - 1;
}

/* Surprise of each series in the largest sum, which is returned. */
static double surprise(const fm_ecod *detector, const double *in, double part[8])
{
    double nats[3][8], sum[3] = {0};
    for (int64_t i = 0; i < detector->dims; i++) {
        fm_rank rank = fm_ranks_from_of(&detector->series[i].ranks, in[i]);
        nats[0][i] = -(fm_log)(fm_excess_rank_p(rank, -1));
        nats[1][i] = -(fm_log)(fm_excess_rank_p(rank, 1));
        nats[2][i] = nats[detector->series[i].third < 0.0 ? 0 : 1][i];
        for (int j = 0; j < 3; j++)
            sum[j] += nats[j][i];
    }
    int most = sum[1] > sum[0];
    most = sum[2] > sum[most] ? 2 : most;
    memcpy(part, nats[most], (size_t)detector->dims * sizeof(double));
    return sum[most];
}

/* Returns the score, NaN while there is none. */
static double read(const fm_ecod *detector, bool asked, const double *in, double out[12])
{
    bool ready = detector->count >= WARM_COUNT;
    double part[8], score = NAN;
    for (int i = 0; i < 12; i++)
        out[i] = NAN;
    out[2] = ready ? detector->series[0].mean : NAN;
    out[3] = ready ? 1.0 : 0.0;
    if (!ready || !asked)
        return score;
    score = surprise(detector, in, part);
    out[0] = score;
    out[1] = fm_tail_p(&detector->tail, bucket_of(score));
    for (int64_t i = 0; i < detector->dims && score > 0.0; i++)
        out[4 + i] = part[i] / score;
    return score;
}

static void learn(fm_ecod_series *series, double x, double weight, float memory)
{
    double apart = x - series->mean, c = apart * series->precision;
    if (FM_UNLIKELY(fabs(c) > CLIP)) {
        c = c > 0.0 ? CLIP : -CLIP;
        apart = c / series->precision;
    }
    double moved = apart / weight;
    series->mean += moved;
    series->variance += (apart * (apart - moved) - series->variance) / weight;
    series->third += (c * c * c - series->third) / weight;
    series->precision = series->variance > 1e-280 ? 1.0 / sqrt(series->variance) : 0.0;
    fm_ranks_from_add(&series->ranks, x, memory);
}

static void push(fm_ecod *detector, const double *in, double score)
{
    if (!isnan(score))
        fm_tail_add(&detector->tail, bucket_of(score));
    detector->count++;
    double rows = (double)detector->count, weight = rows < detector->memory ? rows : detector->memory;
    for (int64_t i = 0; i < detector->dims; i++)
        learn(&detector->series[i], in[i], weight, (float)detector->memory);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    read(state, usable(state, in), in, out);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    bool asked = usable(state, in);
    double now = read(state, asked, in, out);
    if (asked)
        push(state, in, now);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[12];
    step(state, ts_ns, in, out);
}

const fm_kernel fm_kernel_ecod = {
    .name = "ecod",
    .summary = "How far out all series are in the tails of their past, and which one most.",
    .source = "Li et al., IEEE TKDE, 2022",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the first series"},
                                 {.name = "x2", .unit = "any", .help = "series 2"},
                                 {.name = "x3", .unit = "any", .help = "series 3"},
                                 {.name = "x4", .unit = "any", .help = "series 4"},
                                 {.name = "x5", .unit = "any", .help = "series 5"},
                                 {.name = "x6", .unit = "any", .help = "series 6"},
                                 {.name = "x7", .unit = "any", .help = "series 7"},
                                 {.name = "x8", .unit = "any", .help = "series 8"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "nats", .usual = 1.5, .help = "-log of the tails"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "faded mean of x"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "a1", .unit = "1", .usual = NAN, .help = "part of x in the score"},
                                  {.name = "a2", .unit = "1", .usual = NAN, .help = "part of x2 in the score"},
                                  {.name = "a3", .unit = "1", .usual = NAN, .help = "part of x3 in the score"},
                                  {.name = "a4", .unit = "1", .usual = NAN, .help = "part of x4 in the score"},
                                  {.name = "a5", .unit = "1", .usual = NAN, .help = "part of x5 in the score"},
                                  {.name = "a6", .unit = "1", .usual = NAN, .help = "part of x6 in the score"},
                                  {.name = "a7", .unit = "1", .usual = NAN, .help = "part of x7 in the score"},
                                  {.name = "a8", .unit = "1", .usual = NAN, .help = "part of x8 in the score"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 30 rows",
    .cost = "~130 ns a series, 1,656 bytes",
};
