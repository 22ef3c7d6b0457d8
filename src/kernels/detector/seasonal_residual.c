/* kernels/detector/seasonal_residual.c - see the header. */
#include "kernels/detector/seasonal_residual.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30
#define KNOWN      2                  /* visits that make a bucket known */
#define NORMAL     1.2533141373155003 /* sqrt(pi / 2): mean distance to sigma */

static const fm_field params[] = {
    {.name = "period", .unit = "s", .low = 1, .high = 366 * 86400.0, .preset = 86400, .help = "length of the season"},
    {.name = "buckets",
     .unit = "1",
     .low = 2,
     .high = FM_SEASONAL_BUCKETS,
     .preset = 24,
     .help = "slices that the period is cut into"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 10 * 366 * 86400.0,
     .preset = 10 * 86400.0,
     .help = "age at which a visit weighs one half"},
    {.name = "clip", .unit = "sigma", .low = 1, .high = 1e6, .preset = 5, .help = "how far a value may pull"},
    {.name = "floor", .unit = "x", .low = 0, .high = 1e15, .preset = 0, .help = "smallest sigma divided by"},
    {0},
};

typedef struct view { /* of x, by the past */
    double expected, sigma, residual, score, visits;
} view;

static size_t state_size(const double *values)
{
    return sizeof(fm_seasonal_residual) + (size_t)values[1] * sizeof(fm_seasonal_bucket);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_seasonal_residual *model = state;
    fm_season_init(&model->clock, values[0], (int64_t)values[1]);
    model->clip = values[3];
    model->floor = values[4];
    fm_faded_init(&model->distances, values[2]);
    fm_faded_init(&model->past, values[2]);
    return 0;
}

/* The open slice ends: a visit of its bucket is over. */
static void advance(fm_seasonal_residual *model, int64_t ts_ns)
{
    if (FM_LIKELY(!fm_season_passes(&model->clock, ts_ns)))
        return;
    if (model->inside > 0.0) {
        fm_seasonal_bucket *bucket = &model->bucket[fm_season_bucket(&model->clock)];
        int64_t end_ns = model->clock.end_ns;
        double keep =
            bucket->weight > 0.0 ? fm_fade((double)fm_elapsed_ns(end_ns, bucket->newest_ns) * model->past.fade) : 0.0;
        bucket->weight = keep * bucket->weight + 1.0;
        bucket->mean += (model->mean - bucket->mean) / bucket->weight;
        bucket->spread += (model->away - bucket->spread) / bucket->weight;
        bucket->newest_ns = end_ns;
        bucket->visits++;
    }
    fm_season_open(&model->clock, ts_ns);
    model->inside = model->mean = model->away = 0.0;
}

static view read(const fm_seasonal_residual *model, double x, double out[6])
{
    const fm_seasonal_bucket *bucket = &model->bucket[fm_season_bucket(&model->clock)];
    bool known = bucket->visits >= KNOWN;
    double spread = NORMAL * (known ? bucket->spread : model->distances.mean);
    view seen = {.expected = known ? bucket->mean : model->past.mean, .sigma = NAN, .visits = (double)bucket->visits};
    spread = spread < model->floor ? model->floor : spread;
    if (model->count >= WARM_COUNT && spread > 0.0)
        seen.sigma = spread;
    bool ready = !isnan(seen.sigma);
    seen.residual = model->count > 0 ? x - seen.expected : NAN;
    seen.score = fm_finite(fabs(seen.residual) / seen.sigma);
    out[0] = seen.score;
    out[1] = isnan(seen.score) ? NAN : fm_tail_p(&model->tail, fm_tail_bucket(seen.score));
    out[2] = ready ? seen.expected : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = ready ? seen.residual : NAN;
    out[5] = ready ? seen.visits : NAN;
    return seen;
}

/* A usable x enters the open slice. */
static void push(fm_seasonal_residual *model, int64_t ts_ns, double x, const view *seen)
{
    double reach = model->clip * seen->sigma, residual = seen->residual;
    if (FM_UNLIKELY(fabs(residual) > reach)) {
        residual = residual > 0.0 ? reach : -reach;
        x = seen->expected + residual;
    }
    if (!isnan(seen->score))
        fm_tail_add(&model->tail, fm_tail_bucket(seen->score));
    fm_faded_add(&model->past, ts_ns, x);
    model->inside += 1.0;
    model->mean += (x - model->mean) / model->inside;
    if (model->count++ == 0)
        return;
    fm_faded_add(&model->distances, ts_ns, fabs(residual));
    model->away += (fabs(residual) - model->away) / model->inside;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    _Alignas(8) unsigned char moved[sizeof(fm_seasonal_residual) + FM_SEASONAL_BUCKETS * sizeof(fm_seasonal_bucket)];
    const fm_seasonal_residual *model = state;
    if (fm_season_passes(&model->clock, ts_ns)) {
        memcpy(moved, state, sizeof(*model) + (size_t)model->clock.buckets * sizeof(fm_seasonal_bucket));
        advance((fm_seasonal_residual *)(void *)moved, ts_ns);
        model = (const fm_seasonal_residual *)(void *)moved;
    }
    read(model, fm_usable(in[0]) ? in[0] : NAN, out);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0]))) {
        score(state, ts_ns, in, out);
        return;
    }
    advance(state, ts_ns);
    view seen = read(state, in[0], out);
    push(state, ts_ns, in[0], &seen);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[6];
    if (fm_usable(in[0]))
        step(state, ts_ns, in, out);
}

const fm_kernel fm_kernel_seasonal_residual = {
    .name = "seasonal_residual",
    .summary = "Distance of x from what is usual at this time of the day or week.",
    .source = "Hochenbaum, Vallis & Kejariwal, arXiv:1704.07706, 2017; Huber 1964",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "distance from the usual"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "usual value at this time"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "residual", .unit = "x", .usual = 0, .help = "x less the usual value"},
                                  {.name = "visits", .unit = "1", .usual = NAN, .help = "of this bucket that are over"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 30 values of which two differ (or floor > 0); a bucket's own after two visits",
    .cost = "~30 ns, 1,432 bytes",
};
