/* kernels/detector/knn_shingle.c - see the header. The sum of squared differences of the newest shingle and the one
 * that ended k rows ago is kept for every lag k: a new row adds its own square and takes away that of the row that
 * leaves. */
#include "kernels/detector/knn_shingle.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/lags.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define SHINGLE_MAX    FM_KNN_SHINGLE_MAX
#define NEIGHBOURS_MAX FM_KNN_NEIGHBOURS_MAX
#define FRESH          8 /* sums made afresh a row */
#define BLOCK          32
#define WARM_SHARE     4 /* shingles wanted before the first answer, in the greater of shingle and neighbours */
#define CUT            8.0
#define CUT_FROM       16
#define SCORE_MAX      1000.0
#define TAIL_SCALE     16.0

static const fm_field params[] = {
    {.name = "shingle",
     .unit = "events",
     .low = 2,
     .high = SHINGLE_MAX,
     .preset = 20,
     .help = "rows of the shingles that are compared"},
    {.name = "kept",
     .unit = "events",
     .low = 16,
     .high = 32768,
     .preset = 1000,
     .help = "earlier shingles that each is compared with"},
    {.name = "neighbours",
     .unit = "events",
     .low = 1,
     .high = NEIGHBOURS_MAX,
     .preset = 10,
     .help = "nearest shingles that make the distance"},
    {.name = "level",
     .unit = "1",
     .low = 0,
     .high = 1,
     .preset = 1,
     .help = "1 = the level counts (returns, spreads, rates); 0 = only shape and size (prices)"},
    {0},
};

typedef struct rings {
    double *x, *mean, *square;
} rings;

static rings rings_of(const fm_knn_shingle *state)
{
    double *at = (double *)state->rings;
    return (rings){.x = at, .mean = at + state->size + state->shingle, .square = at + 2 * state->size + state->shingle};
}

/* What the newest shingle is, and which ones are nearest to it. */
typedef struct reading {
    int64_t head, count; /* lags from `shingle` on that can be compared with */
    bool enters;         /* the last of them for the first time */
    double mean, left;   /* of the shingle; the row that leaves it */
    double entering;     /* sum of the lag that enters */
    double limit;        /* no neighbour's sum is greater */
    int64_t found;
    double square[NEIGHBOURS_MAX]; /* of the neighbours, ascending */
    int32_t lag[NEIGHBOURS_MAX];
    double distance, score;
    double shingle[SHINGLE_MAX]; /* newest first */
} reading;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t size_of(const double *values)
{
    return 2 * (int64_t)values[0] + (int64_t)values[1];
}

size_t fm_knn_shingle_size(const double values[4])
{
    int64_t numbers = 2 * size_of(values) + (int64_t)values[0] + (int64_t)values[1];
    return sizeof(fm_knn_shingle) + (size_t)numbers * sizeof(double);
}

int fm_knn_shingle_init(fm_knn_shingle *state, const double values[4])
{
    FM_TRY(fm_kernel_check(params, values));
    *state = (fm_knn_shingle){.shingle = (int64_t)values[0],
                              .kept = (int64_t)values[1],
                              .neighbours = (int64_t)values[2],
                              .centred = values[3] < 0.5 ? (double)(int64_t)values[0] : 0.0,
                              .size = size_of(values)};
    memset(state->rings, 0, fm_knn_shingle_size(values) - sizeof(fm_knn_shingle));
    return 0;
}

/* Mean by way of differences from x, which are 0 if all rows are equal. */
static void observe(const fm_knn_shingle *state, const rings *ring, double x, reading *now)
{
    int64_t length = state->shingle, before = state->seen - length + 1; /* shingles before this one */
    now->head = fm_lag_next(state->head, state->size);
    now->count = smaller(before - length + 1, state->kept);
    now->count = now->count > 0 ? now->count : 0;
    now->enters = now->count > 0 && before - length < state->kept;
    now->found = 0;
    now->distance = now->score = NAN;
    const double *past = &ring->x[state->head];
    double sum = 0.0;
    now->shingle[0] = x;
    for (int64_t j = 1; j < length; j++) {
        now->shingle[j] = past[j - 1];
        sum += past[j - 1] - x;
    }
    now->mean = x + sum / (double)length;
    now->left = past[length - 1];
}

/* Sum of squares of the newest shingle's differences from the one of that lag, each less its mean if that is wanted. */
static double square_at(const fm_knn_shingle *state, const rings *ring, const reading *now, int64_t lag, bool centred)
{
    int64_t at = fm_lag_place(now->head, lag, state->size);
    double apart = centred ? now->mean - ring->mean[at] : 0.0, rest = 0.0;
    const double *a = now->shingle, *b = &ring->x[at];
    __m128d sum[2] = {_mm_setzero_pd(), _mm_setzero_pd()}, less = _mm_set1_pd(apart);
    int64_t j = 0;
    for (; j + 4 <= state->shingle; j += 4)
        for (int i = 0; i < 2; i++) {
            __m128d difference = _mm_sub_pd(_mm_loadu_pd(&a[j + 2 * i]), _mm_loadu_pd(&b[j + 2 * i]));
            difference = _mm_sub_pd(difference, less);
            sum[i] = _mm_add_pd(sum[i], _mm_mul_pd(difference, difference));
        }
    for (; j < state->shingle; j++) {
        double difference = (a[j] - b[j]) - apart;
        rest += difference * difference;
    }
    sum[0] = _mm_add_pd(sum[0], sum[1]);
    return (_mm_cvtsd_f64(sum[0]) + _mm_cvtsd_f64(_mm_unpackhi_pd(sum[0], sum[0]))) + rest;
}

/* Keeps it if it is among the nearest; an equal one of greater lag is not. */
static void consider(const fm_knn_shingle *state, reading *now, double square, int64_t lag)
{
    int64_t at = now->found;
    if (square > now->limit || (at == state->neighbours && !(square < now->square[--at])))
        return;
    for (; at > 0 && now->square[at - 1] > square; at--) {
        now->square[at] = now->square[at - 1];
        now->lag[at] = now->lag[at - 1];
    }
    now->square[at] = square;
    now->lag[at] = (int32_t)lag;
    now->found += now->found < state->neighbours;
}

/* A piece of the rings, of which lag after lag is compared. */
typedef struct piece {
    const double *x, *left, *mean; /* of the earlier shingles: newest row, row that leaves, mean */
    const double *square;
    double *moved; /* NULL = nothing is written */
    int64_t first_lag, count;
} piece;

static inline __attribute__((always_inline)) double moved_one(const piece *at, int64_t k, const reading *now)
{
    double enters = now->shingle[0] - at->x[k], leaves = now->left - at->left[k];
    return (at->square[k] + enters * enters) - leaves * leaves;
}

static inline __attribute__((always_inline)) double shape_of(double square, double apart, double centred)
{
    return square - centred * (apart * apart);
}

/* Moves `count` sums on and writes what they come to, less the means' part, into `to`; returns the least of those. */
static inline __attribute__((always_inline)) double move(const piece *at, int64_t from, int64_t count,
                                                         const reading *now, double centred, double *to, bool writes)
{
    __m128d x = _mm_set1_pd(now->shingle[0]), left = _mm_set1_pd(now->left), mean = _mm_set1_pd(now->mean);
    __m128d rows = _mm_set1_pd(centred), least = _mm_set1_pd(INFINITY);
    int64_t i = 0;
    for (; i + 2 <= count; i += 2) {
        int64_t k = from + i;
        __m128d enters = _mm_sub_pd(x, _mm_loadu_pd(&at->x[k])), leaves = _mm_sub_pd(left, _mm_loadu_pd(&at->left[k]));
        __m128d apart = _mm_sub_pd(mean, _mm_loadu_pd(&at->mean[k]));
        __m128d square = _mm_sub_pd(_mm_add_pd(_mm_loadu_pd(&at->square[k]), _mm_mul_pd(enters, enters)),
                                    _mm_mul_pd(leaves, leaves));
        if (writes)
            _mm_storeu_pd(&at->moved[k], square);
        __m128d shape = _mm_sub_pd(square, _mm_mul_pd(rows, _mm_mul_pd(apart, apart)));
        _mm_storeu_pd(&to[i], shape);
        least = _mm_min_pd(least, shape);
    }
    double lowest = _mm_cvtsd_f64(_mm_min_sd(least, _mm_unpackhi_pd(least, least)));
    for (; i < count; i++) {
        int64_t k = from + i;
        double square = moved_one(at, k, now);
        if (writes)
            at->moved[k] = square;
        to[i] = shape_of(square, now->mean - at->mean[k], centred);
        lowest = to[i] < lowest ? to[i] : lowest;
    }
    return lowest;
}

static void search(const fm_knn_shingle *state, const piece *at, reading *now)
{
    double square[BLOCK];
    for (int64_t i = 0; i < at->count; i += BLOCK) {
        int64_t count = smaller(BLOCK, at->count - i);
        double least = at->moved != NULL ? move(at, i, count, now, state->centred, square, true)
                                         : move(at, i, count, now, state->centred, square, false);
        if (least > now->limit || (now->found == state->neighbours && !(least < now->square[now->found - 1])))
            continue;
        for (int64_t j = 0; j < count; j++)
            consider(state, now, square[j], at->first_lag + i + j);
    }
}

/* Distance and score from the rows of the neighbours found. */
static void judge(const fm_knn_shingle *state, const rings *ring, reading *now)
{
    double sum = 0.0;
    for (int64_t i = 0; i < now->found; i++)
        sum += sqrt(square_at(state, ring, now, now->lag[i], state->centred > 0.0) / (double)state->shingle);
    now->distance = sum / (double)now->found;
    now->score = now->distance < SCORE_MAX * state->usual ? now->distance / state->usual
                 : now->distance > 0.0                    ? SCORE_MAX
                                                          : 0.0;
}

/* The lags that were nearest a row ago are near still: the k-th nearest is no further than the furthest of these. */
static double limit_of(const fm_knn_shingle *state, const rings *ring, const reading *now)
{
    double limit = state->nearest_count == state->neighbours ? -INFINITY : INFINITY;
    for (int64_t i = 0; i < state->nearest_count; i++) {
        int64_t from = fm_lag_place(now->head, state->nearest[i], state->size);
        piece at = {.x = &ring->x[from],
                    .left = &ring->x[from + state->shingle],
                    .square = &ring->square[state->nearest[i] - state->shingle]};
        double shape = shape_of(moved_one(&at, 0, now), now->mean - ring->mean[from], state->centred);
        limit = shape > limit ? shape : limit;
    }
    return limit;
}

/* Finds the neighbours; moves the sums on if `writes`. */
static void compare(const fm_knn_shingle *state, const rings *ring, reading *now, bool writes)
{
    if (now->count == 0)
        return;
    int64_t moved = now->count - now->enters, first = fm_lag_place(now->head, state->shingle, state->size);
    int64_t until_end = smaller(moved, state->size - first), done = 0;
    now->limit = limit_of(state, ring, now);
    for (int i = 0; i < 2; i++) {
        int64_t from = i == 0 ? first : 0;
        piece at = {.x = &ring->x[from],
                    .left = &ring->x[from + state->shingle],
                    .mean = &ring->mean[from],
                    .square = &ring->square[done],
                    .moved = writes ? &ring->square[done] : NULL,
                    .first_lag = state->shingle + done,
                    .count = i == 0 ? until_end : moved - until_end};
        search(state, &at, now);
        done += at.count;
    }
    if (now->enters) {
        int64_t lag = state->shingle + moved, at = fm_lag_place(now->head, lag, state->size);
        double apart = now->mean - ring->mean[at];
        now->entering = square_at(state, ring, now, lag, false);
        consider(state, now, shape_of(now->entering, apart, state->centred), lag);
    }
    judge(state, ring, now);
}

static bool is_ready(const fm_knn_shingle *state)
{
    int64_t shingles = state->seen - 2 * state->shingle + 2;
    int64_t wanted = state->shingle > state->neighbours ? state->shingle : state->neighbours;
    return shingles >= smaller(state->kept, WARM_SHARE * wanted);
}

static unsigned bucket_of(double score)
{
    return fm_tail_bucket(TAIL_SCALE * score * score);
}

static double expected_of(const fm_knn_shingle *state, const rings *ring)
{
    double sum = 0.0, mean = ring->mean[state->head];
    for (int64_t i = 0; i < state->nearest_count; i++) {
        int64_t lag = state->nearest[i];
        sum += ring->x[fm_lag_place(state->head, lag - 1, state->size)];
        if (state->centred > 0.0)
            sum += mean - ring->mean[fm_lag_place(state->head, lag, state->size)];
    }
    return fm_finite(sum / (double)state->nearest_count);
}

static void write(const fm_knn_shingle *state, const rings *ring, const reading *now, double out[6])
{
    bool ready = is_ready(state);
    out[0] = out[1] = out[2] = out[4] = out[5] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    if (!ready || now == NULL)
        return;
    out[0] = now->score;
    out[1] = fm_tail_p(&state->tail, bucket_of(now->score));
    out[2] = state->nearest_count > 0 ? expected_of(state, ring) : NAN;
    out[4] = now->distance;
    out[5] = (double)now->lag[0];
}

static void learn(fm_knn_shingle *state, const rings *ring, double x, const reading *now)
{
    if (is_ready(state))
        fm_tail_add(&state->tail, bucket_of(now->score));
    fm_lag_push(ring->x, state->size, state->shingle, now->head, x);
    ring->mean[now->head] = now->mean;
    state->head = now->head;
    state->seen++;
    if (now->count == 0)
        return;
    double distance = now->distance;
    if (state->distances >= CUT_FROM && state->usual > 0.0 && distance > CUT * state->usual)
        distance = CUT * state->usual;
    state->distances += state->distances < state->kept;
    state->usual += (distance - state->usual) / (double)state->distances;
    state->nearest_count = now->found;
    memcpy(state->nearest, now->lag, (size_t)now->found * sizeof(now->lag[0]));
    if (now->enters)
        ring->square[now->count - 1] = now->entering;
    for (int64_t i = 0; i < smaller(FRESH, now->count); i++) {
        state->fresh = state->fresh < now->count ? state->fresh : 0;
        ring->square[state->fresh] = square_at(state, ring, now, state->shingle + state->fresh, false);
        state->fresh++;
    }
}

void fm_knn_shingle_score(const fm_knn_shingle *state, double x, double out[6])
{
    rings ring = rings_of(state);
    reading now;
    if (!fm_usable(x)) {
        write(state, &ring, NULL, out);
        return;
    }
    observe(state, &ring, x, &now);
    compare(state, &ring, &now, false);
    write(state, &ring, &now, out);
}

static void advance(fm_knn_shingle *state, double x, double *out)
{
    rings ring = rings_of(state);
    reading now;
    observe(state, &ring, x, &now);
    compare(state, &ring, &now, true);
    if (out != NULL)
        write(state, &ring, &now, out);
    learn(state, &ring, x, &now);
}

void fm_knn_shingle_update(fm_knn_shingle *state, double x)
{
    if (fm_usable(x))
        advance(state, x, NULL);
}

static int init(void *state, const double *values)
{
    return fm_knn_shingle_init(state, values);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_knn_shingle_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_knn_shingle_update(state, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0])))
        score(state, ts_ns, in, out);
    else
        advance(state, in[0], out);
}

const fm_kernel fm_kernel_knn_shingle = {
    .name = "knn_shingle",
    .summary = "Distance of the newest shingle from those most like it, over the usual one.",
    .source = "Burnaev & Ishimtsev 2016",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "score", .unit = "1", .usual = 1, .help = "distance over the usual one"},
            {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
            {.name = "expected", .unit = "x", .usual = NAN, .help = "what followed its likes"},
            {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
            {.name = "distance", .unit = "x", .usual = NAN, .help = "from the nearest shingles"},
            {.name = "neighbour_age", .unit = "events", .usual = NAN, .help = "rows since the nearest shingle ended"},
            {0}},
    .state_size = fm_knn_shingle_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 2 shingle - 2 + min(kept, 4 max(shingle, neighbours)) values",
    .cost = "~1.9 us, 25312 bytes",
};
