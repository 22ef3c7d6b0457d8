/* kernels/detector/art.c - see the header. */
#include "kernels/detector/art.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define FEATURES    FM_ART_FEATURES
#define CUT         8.0
#define CUT_FROM    16
#define SCALE_COUNT 30  /* rows that only tell how large features are */
#define WARM_COUNT  130 /* rows with features before the first answer */
#define CHOICE      0.001
#define LIMIT_LEAST 0.02
#define LIMIT_MOST  0.25
#define STEP_MEMORY 20.0
#define TAIL_SCALE  49152.0 /* 3072 at a score of 1/2 */
#define TAIL_MEMORY 4.0     /* of `memory`: scores at which their counts are halved */

static const fm_field params[] = {
    {.name = "count",
     .unit = "events",
     .low = 2,
     .high = FM_ART_COUNT_MAX,
     .preset = 20,
     .help = "rows of the window that features are made of"},
    {.name = "kept", .unit = "1", .low = 8, .high = 4096, .preset = 128, .help = "prototypes at most"},
    {.name = "memory",
     .unit = "rows",
     .low = 100,
     .high = 1e5,
     .preset = 2000,
     .help = "over how many rows scales and vigilance are taken"},
    {.name = "rate",
     .unit = "1",
     .low = 0.01,
     .high = 1,
     .preset = 0.05,
     .help = "how fast a prototype learns; 1 = whole"},
    {0},
};

/* What the newest window is. */
typedef struct reading {
    double feature[FEATURES];
    double input[2 * FEATURES]; /* u, then 1 - u */
    double limit, score;        /* NaN before there are prototypes */
    int64_t rows;               /* that had features before */
    int64_t resonates;          /* prototype; negative = none */
    bool learns;
} reading;

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

size_t fm_art_size(const double values[4])
{
    return sizeof(fm_art) + (size_t)values[0] * sizeof(double) + (size_t)values[1] * sizeof(fm_art_prototype);
}

int fm_art_init(fm_art *state, const double values[4])
{
    FM_TRY(fm_kernel_check(params, values));
    *state = (fm_art){
        .count = (int64_t)values[0], .kept = (int64_t)values[1], .memory = values[2], .rate = values[3], .newest = -1};
    memset(state->rings, 0, fm_art_size(values) - sizeof(fm_art));
    return 0;
}

static fm_art_prototype *prototype_at(const fm_art *state, int64_t index)
{
    return (fm_art_prototype *)(state->rings + state->count) + index;
}

static double row_at(const fm_art *state, int64_t row)
{
    return state->rings[row % state->count];
}

/* All by way of differences from x, which are 0 if all rows are equal. */
static void find_features(const fm_art *state, double x, double feature[FEATURES])
{
    int64_t count = state->count, older = count / 2, first = state->seen - count + 1;
    double sum[2] = {0.0, 0.0}, square = 0.0, apart[FM_ART_COUNT_MAX];
    for (int64_t i = 0; i < count - 1; i++) {
        apart[i] = row_at(state, first + i) - x;
        sum[i >= older] += apart[i];
    }
    apart[count - 1] = 0.0;
    double mean = (sum[0] + sum[1]) / (double)count;
    for (int64_t i = 0; i < count; i++)
        square += (apart[i] - mean) * (apart[i] - mean);
    feature[0] = x;
    feature[1] = -apart[count - 2];
    feature[2] = x + mean;
    feature[3] = sqrt(square / (double)count);
    feature[4] = -mean;
    feature[5] = sum[1] / (double)(count - older) - sum[0] / (double)older;
}

static void scale(const fm_art *state, reading *now)
{
    for (int i = 0; i < FEATURES; i++) {
        double d = now->feature[i] - state->mean[i], u = 0.5;
        if (now->rows > 0 && d != 0.0)
            u += 0.5 * d / (state->spread[i] + fabs(d));
        now->input[i] = u;
        now->input[FEATURES + i] = 1.0 - u;
    }
}

/* |min(input, weight)| */
static double common(const double *input, const double *weight)
{
    __m128d sum[2] = {_mm_setzero_pd(), _mm_setzero_pd()};
    for (int i = 0; i < 2 * FEATURES; i += 4)
        for (int j = 0; j < 2; j++)
            sum[j] = _mm_add_pd(sum[j], _mm_min_pd(_mm_loadu_pd(&input[i + 2 * j]), _mm_loadu_pd(&weight[i + 2 * j])));
    sum[0] = _mm_add_pd(sum[0], sum[1]);
    return _mm_cvtsd_f64(sum[0]) + _mm_cvtsd_f64(_mm_unpackhi_pd(sum[0], sum[0]));
}

static void match(const fm_art *state, reading *now)
{
    double best = 0.0, choice = -1.0, wanted = FEATURES * (1.0 - now->limit);
    for (int64_t i = 0; i < state->prototypes; i++) {
        const fm_art_prototype *at = prototype_at(state, i);
        double alike = common(now->input, at->weight);
        best = alike > best ? alike : best;
        if (alike < wanted || alike <= choice * (CHOICE + at->sum))
            continue;
        choice = alike / (CHOICE + at->sum);
        now->resonates = i;
    }
    if (state->prototypes > 0)
        now->score = fm_positive(1.0 - best / FEATURES);
}

static void read(const fm_art *state, double x, reading *now)
{
    now->rows = state->seen - state->count + 1;
    now->score = now->limit = NAN;
    now->resonates = -1;
    now->learns = now->rows >= SCALE_COUNT;
    if (now->rows < 0)
        return;
    find_features(state, x, now->feature);
    scale(state, now);
    now->limit = state->moved < LIMIT_LEAST ? LIMIT_LEAST : state->moved > LIMIT_MOST ? LIMIT_MOST : state->moved;
    match(state, now);
}

static bool is_ready(const fm_art *state)
{
    return state->seen >= state->count + WARM_COUNT;
}

static unsigned bucket_of(double score)
{
    double square = score * score;
    return fm_tail_bucket(TAIL_SCALE * square * square);
}

static void write(const fm_art *state, const reading *now, double out[5])
{
    bool ready = is_ready(state);
    out[0] = out[1] = out[2] = out[4] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    if (!ready || now == NULL)
        return;
    out[0] = now->score;
    out[1] = fm_tail_p(&state->tail, bucket_of(now->score));
    out[2] = fm_finite(row_at(state, state->seen - 1) + prototype_at(state, state->newest)->step);
    out[4] = now->limit;
}

static void learn_scales(fm_art *state, const reading *now)
{
    double number = smaller((double)now->rows + 1.0, state->memory);
    for (int i = 0; i < FEATURES; i++) {
        double d = now->rows > 0 ? now->feature[i] - state->mean[i] : 0.0, reach = CUT * state->spread[i];
        if (now->rows == 0)
            state->mean[i] = now->feature[i];
        if (now->rows >= CUT_FROM && reach > 0.0)
            d = d > reach ? reach : d < -reach ? -reach : d;
        state->mean[i] += d / number;
        state->spread[i] += (fabs(d) - state->spread[i]) / number;
    }
    double moved = 0.0;
    for (int i = 0; i < FEATURES; i++) {
        moved += fabs(now->input[i] - state->before[i]);
        state->before[i] = now->input[i];
    }
    if (now->rows > 0)
        state->moved += (moved / FEATURES - state->moved) / smaller((double)now->rows, state->memory);
}

/* Where a new prototype goes. */
static int64_t least_used(fm_art *state)
{
    if (state->prototypes < state->kept)
        return state->prototypes++;
    int64_t least = 0;
    for (int64_t i = 1; i < state->kept; i++)
        least = prototype_at(state, i)->uses < prototype_at(state, least)->uses ? i : least;
    return least;
}

static void resonate(fm_art *state, const reading *now)
{
    int64_t index = now->resonates;
    if (index < 0) {
        index = least_used(state);
        fm_art_prototype *made = prototype_at(state, index);
        *made = (fm_art_prototype){.sum = FEATURES, .uses = 1.0};
        memcpy(made->weight, now->input, sizeof(made->weight));
    } else {
        fm_art_prototype *at = prototype_at(state, index);
        at->sum = 0.0;
        for (int i = 0; i < 2 * FEATURES; i++) {
            double least = smaller(now->input[i], at->weight[i]);
            at->weight[i] += state->rate * (least - at->weight[i]);
            at->sum += at->weight[i];
        }
        at->uses += 1.0;
    }
    state->newest = index;
    if (state->seen % (int64_t)state->memory == 0)
        for (int64_t i = 0; i < state->prototypes; i++)
            prototype_at(state, i)->uses *= 0.5;
}

static void learn(fm_art *state, double x, const reading *now)
{
    if (is_ready(state))
        fm_tail_add_faded(&state->tail, bucket_of(now->score), (uint64_t)(TAIL_MEMORY * state->memory));
    if (state->newest >= 0) {
        fm_art_prototype *past = prototype_at(state, state->newest);
        past->steps = smaller(past->steps + 1.0, STEP_MEMORY);
        past->step += (now->feature[1] - past->step) / past->steps;
    }
    if (now->rows >= 0)
        learn_scales(state, now);
    if (now->learns)
        resonate(state, now);
    state->rings[state->seen % state->count] = x;
    state->seen++;
}

void fm_art_score(const fm_art *state, double x, double out[5])
{
    reading now;
    if (!fm_usable(x)) {
        write(state, NULL, out);
        return;
    }
    read(state, x, &now);
    write(state, &now, out);
}

static void advance(fm_art *state, double x, double *out)
{
    reading now;
    read(state, x, &now);
    if (out != NULL)
        write(state, &now, out);
    learn(state, x, &now);
}

void fm_art_update(fm_art *state, double x)
{
    if (fm_usable(x))
        advance(state, x, NULL);
}

static int init(void *state, const double *values)
{
    return fm_art_init(state, values);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_art_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_art_update(state, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0])))
        score(state, ts_ns, in, out);
    else
        advance(state, in[0], out);
}

const fm_kernel fm_kernel_art = {
    .name = "art",
    .summary = "Is the newest window like one of the prototypes that the series has made?",
    .source = "Carpenter, Grossberg & Rosen 1991",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "score", .unit = "1", .usual = NAN, .help = "mismatch to the best prototype"},
                           {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                           {.name = "expected", .unit = "x", .usual = NAN, .help = "what followed that prototype"},
                           {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                           {.name = "limit", .unit = "1", .usual = NAN, .help = "scores above make a prototype"},
                           {0}},
    .state_size = fm_art_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after count + 130 values",
    .cost = "~0.65 us, 17048 bytes",
};
