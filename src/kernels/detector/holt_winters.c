/* kernels/detector/holt_winters.c - see the header. */
#include "kernels/detector/holt_winters.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/common/sorted.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30
#define FIRST_CUT  4.0 /* times clip, while nothing is known of the season */

static const fm_field params[] = {
    {.name = "period", .unit = "s", .low = 1, .high = 366 * 86400.0, .preset = 86400, .help = "length of the season"},
    {.name = "buckets",
     .unit = "1",
     .low = 2,
     .high = FM_HOLT_WINTERS_BUCKETS,
     .preset = 48,
     .help = "slices that the period is cut into"},
    {.name = "alpha", .unit = "1", .low = 0, .high = 1, .preset = 0.2, .help = "rate at which the level is learnt"},
    {.name = "beta", .unit = "1", .low = 0, .high = 1, .preset = 0.05, .help = "rate of the trend, times alpha"},
    {.name = "gamma", .unit = "1", .low = 0, .high = 1, .preset = 0.2, .help = "rate of the season"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 366 * 86400.0,
     .preset = 3600,
     .help = "age at which a residual weighs one half in sigma"},
    {.name = "clip", .unit = "sigma", .low = 1, .high = 1e6, .preset = 5, .help = "how far a value may pull"},
    {0},
};

typedef struct view { /* of x, by the past */
    double expected, season, sigma, residual, score;
} view;

static size_t state_size(const double *values)
{
    return sizeof(fm_holt_winters) + (size_t)values[1] * sizeof(double);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_holt_winters *model = state;
    fm_season_init(&model->clock, values[0], (int64_t)values[1]);
    model->alpha = values[2];
    model->beta = values[3];
    model->gamma = values[4];
    model->clip = values[6];
    for (int64_t i = 0; i < model->clock.buckets; i++)
        model->season[i] = NAN;
    fm_faded_init(&model->squares, values[5]);
    fm_faded_init(&model->past, values[5]);
    return 0;
}

/* NaN until there is one */
static double sigma_of(const fm_holt_winters *model)
{
    bool ready = model->count >= WARM_COUNT && model->squares.mean >= FM_SQUARES_MIN;
    return ready ? sqrt(model->squares.mean) : NAN;
}

static double ahead(const fm_holt_winters *model, int64_t number)
{
    int64_t slices = number - model->last;
    slices = slices > 1 ? slices : 1; /* at the end of time a slice never ends */
    return (double)(slices < model->clock.buckets ? slices : model->clock.buckets);
}

/* The first period is over: its samples become level and season. */
static void begin(fm_holt_winters *model)
{
    double sorted[FM_HOLT_WINTERS_BUCKETS];
    int64_t count = 0;
    for (int64_t i = 0; i < model->clock.buckets; i++)
        if (!isnan(model->season[i]))
            fm_sorted_take(sorted, &count, model->season[i]);
    model->level = fm_sorted_median(sorted, count);
    for (int64_t i = 0; i < model->clock.buckets; i++)
        model->season[i] -= model->level;
    model->whole = 1;
}

/* The open slice ends with the sample y. */
static void learn(fm_holt_winters *model, double y)
{
    double *season = &model->season[fm_season_bucket(&model->clock)];
    if (!model->whole) {
        *season = y;
    } else {
        double slices = ahead(model, model->clock.number), base = model->level + slices * model->trend;
        double e = y - (base + *season), reach = model->clip * sigma_of(model);
        if (isnan(*season)) {
            *season = y - base;
            e = 0.0;
        }
        e = e > reach ? reach : e < -reach ? -reach : e;
        model->level = base + model->alpha * e;
        model->trend += model->alpha * model->beta * e / slices;
        *season += model->gamma * (1.0 - model->alpha) * e;
    }
    model->last = model->clock.number;
}

static void advance(fm_holt_winters *model, int64_t ts_ns)
{
    if (FM_LIKELY(!fm_season_passes(&model->clock, ts_ns)))
        return;
    bool any = model->inside > 0.0;
    if (any)
        learn(model, model->mean);
    fm_season_open(&model->clock, ts_ns);
    model->inside = model->mean = 0.0;
    if (!any)
        model->first = model->clock.number;
    else if (!model->whole && model->clock.number - model->first >= model->clock.buckets)
        begin(model);
}

static view read(const fm_holt_winters *model, double x, double out[6])
{
    view seen = {.expected = model->count > 0 ? model->past.mean : NAN, .season = NAN, .sigma = sigma_of(model)};
    if (model->whole) {
        seen.season = model->season[fm_season_bucket(&model->clock)];
        seen.expected = model->level + ahead(model, model->clock.number) * model->trend;
        seen.expected += isnan(seen.season) ? 0.0 : seen.season;
    }
    bool ready = !isnan(seen.sigma);
    seen.residual = x - seen.expected;
    seen.score = fm_finite(fabs(seen.residual) / seen.sigma);
    out[0] = seen.score;
    out[1] = isnan(seen.score) ? NAN : fm_tail_p(&model->tail, fm_tail_bucket(seen.score));
    out[2] = ready ? seen.expected : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = ready ? seen.season : NAN;
    out[5] = ready && model->whole ? model->trend : NAN;
    return seen;
}

/* A usable x enters the open slice. */
static void push(fm_holt_winters *model, int64_t ts_ns, double x, const view *seen)
{
    double reach = (model->whole ? model->clip : FIRST_CUT * model->clip) * seen->sigma, residual = seen->residual;
    if (FM_UNLIKELY(fabs(residual) > reach)) {
        residual = residual > 0.0 ? reach : -reach;
        x = seen->expected + residual;
    }
    if (!isnan(seen->score))
        fm_tail_add(&model->tail, fm_tail_bucket(seen->score));
    fm_faded_add(&model->past, ts_ns, x);
    if (model->count++ > 0)
        fm_faded_add(&model->squares, ts_ns, residual * residual);
    model->inside += 1.0;
    model->mean += (x - model->mean) / model->inside;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    _Alignas(8) unsigned char moved[sizeof(fm_holt_winters) + FM_HOLT_WINTERS_BUCKETS * sizeof(double)];
    const fm_holt_winters *model = state;
    if (fm_season_passes(&model->clock, ts_ns)) {
        memcpy(moved, state, sizeof(fm_holt_winters) + (size_t)model->clock.buckets * sizeof(double));
        advance((fm_holt_winters *)(void *)moved, ts_ns);
        model = (const fm_holt_winters *)(void *)moved;
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

const fm_kernel fm_kernel_holt_winters = {
    .name = "holt_winters",
    .summary = "Distance of x from its level, trend and season.",
    .source = "Winters, Management Science 6, 1960; Gelper, Fried & Croux, J. Forecasting 29, 2010",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "distance from expected"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "level, trend and season"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "season", .unit = "x", .usual = NAN, .help = "of this bucket"},
                                  {.name = "trend", .unit = "x", .usual = NAN, .help = "change of the level a slice"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 30 values of which two differ; the season once a period is over",
    .cost = "~45 ns, 904 bytes",
};
