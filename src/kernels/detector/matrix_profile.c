/* kernels/detector/matrix_profile.c - see the header. Stretches lie in rings that run backwards (common/lags.h), so
 * that the vector loop walks forwards from lag to lag. */
#include "kernels/detector/matrix_profile.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/lags.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define LENGTH_MAX FM_MATRIX_PROFILE_LENGTH_MAX
#define FRESH      8      /* covariances made afresh a row */
#define BLOCK      64     /* lags whose largest correlation is found before asking which one it was */
#define FLAT       1e-10  /* of the mean: deviations that rounding alone may leave */
#define FLAT_LEAST 1e-200 /* square of a norm */
#define WARM_SHARE 4      /* stretches wanted before the first answer, in lengths */
#define TAIL_SCALE 3072.0 /* the greatest distance falls into the last bucket */

static const fm_field params[] = {
    {.name = "length",
     .unit = "events",
     .low = 4,
     .high = LENGTH_MAX,
     .preset = 50,
     .help = "rows of the stretches that are compared"},
    {.name = "kept",
     .unit = "events",
     .low = 16,
     .high = 32768,
     .preset = 2000,
     .help = "earlier stretches that each is compared with"},
    {0},
};

/* Where each ring begins. */
typedef struct rings {
    double *x, *mean, *inverse, *step, *ends, *covariance;
} rings;

static rings rings_of(const fm_matrix_profile *state)
{
    double *at = (double *)state->rings;
    int64_t size = state->size;
    at += size + state->length;
    return (rings){.x = (double *)state->rings,
                   .mean = at,
                   .inverse = at + size,
                   .step = at + 2 * size,
                   .ends = at + 3 * size,
                   .covariance = at + 4 * size};
}

/* What the newest stretch is, and which one is nearest to it. */
typedef struct reading {
    int64_t head, row, count; /* lags from first_lag that can be compared with */
    bool enters;              /* the last of them for the first time */
    double mean, inverse, step, ends;
    double entering; /* covariance of the lag that enters */
    int64_t flat_row, neighbour;
    double square;              /* of the distance, over the length; NaN without a neighbour */
    double stretch[LENGTH_MAX]; /* less its mean, newest first */
} reading;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t place(const fm_matrix_profile *state, int64_t head, int64_t lag)
{
    return fm_lag_place(head, lag, state->size);
}

static int64_t length_of(const double *values)
{
    return (int64_t)values[0];
}

static int64_t size_of(const double *values)
{
    int64_t length = length_of(values);
    return (length + 1) / 2 + (int64_t)values[1] + length;
}

size_t fm_matrix_profile_size(const double values[2])
{
    int64_t numbers = 5 * size_of(values) + length_of(values) + (int64_t)values[1];
    return sizeof(fm_matrix_profile) + (size_t)numbers * sizeof(double);
}

int fm_matrix_profile_init(fm_matrix_profile *state, const double values[2])
{
    FM_TRY(fm_kernel_check(params, values));
    int64_t length = length_of(values);
    *state = (fm_matrix_profile){.length = length,
                                 .kept = (int64_t)values[1],
                                 .first_lag = (length + 1) / 2,
                                 .size = size_of(values),
                                 .flat_row = -1};
    memset(state->rings, 0, fm_matrix_profile_size(values) - sizeof(fm_matrix_profile));
    return 0;
}

static double both(__m128d pair)
{
    return _mm_cvtsd_f64(pair) + _mm_cvtsd_f64(_mm_unpackhi_pd(pair, pair));
}

/* Sum of a[j] (b[j] - mean). */
static double product(const double *a, const double *b, double mean, int64_t count)
{
    __m128d sum[2] = {_mm_setzero_pd(), _mm_setzero_pd()}, less = _mm_set1_pd(mean);
    int64_t j = 0;
    for (; j + 4 <= count; j += 4)
        for (int i = 0; i < 2; i++)
            sum[i] = _mm_add_pd(sum[i],
                                _mm_mul_pd(_mm_loadu_pd(&a[j + 2 * i]), _mm_sub_pd(_mm_loadu_pd(&b[j + 2 * i]), less)));
    double rest = 0.0;
    for (; j < count; j++)
        rest += a[j] * (b[j] - mean);
    return both(_mm_add_pd(sum[0], sum[1])) + rest;
}

static double covariance_at(const fm_matrix_profile *state, const rings *ring, const reading *now, int64_t lag)
{
    int64_t at = place(state, now->head, lag);
    return product(now->stretch, &ring->x[at], ring->mean[at], state->length);
}

/* The newest stretch, were x its end; its mean by way of differences from x, which are 0 if all are equal. */
static void observe(const fm_matrix_profile *state, const rings *ring, double x, reading *now)
{
    int64_t m = state->length, head = fm_lag_next(state->head, state->size);
    now->head = head;
    now->row = state->seen;
    int64_t before = now->row - m + 1; /* stretches before this one */
    now->count = smaller(before - state->first_lag + 1, state->kept);
    now->count = now->count > 0 ? now->count : 0;
    now->enters = now->count > 0 && before - state->first_lag < state->kept;
    now->neighbour = 0;
    now->square = NAN;
    now->flat_row = state->flat_row;
    if (before < 0)
        return;
    const double *past = &ring->x[state->head];
    double sum = 0.0, square = 0.0;
    for (int64_t j = 0; j < m - 1; j++)
        sum += past[j] - x;
    now->mean = x + sum / (double)m;
    now->stretch[0] = x - now->mean;
    for (int64_t j = 1; j < m; j++)
        now->stretch[j] = past[j - 1] - now->mean;
    for (int64_t j = 0; j < m; j++)
        square += now->stretch[j] * now->stretch[j];
    double flat = FLAT * now->mean;
    bool is_flat = square <= flat * flat * (double)m || square <= FLAT_LEAST;
    now->inverse = is_flat ? 0.0 : 1.0 / sqrt(square);
    double left = past[m - 1];
    now->step = 0.5 * (x - left);
    now->ends = (x - now->mean) + (left - ring->mean[state->head]);
    if (now->count > 0 && ring->inverse[place(state, head, state->first_lag)] == 0.0)
        now->flat_row = now->row - state->first_lag;
}

/* A piece of the rings of which lag after lag is compared. */
typedef struct piece {
    const double *inverse, *step, *ends;
    const double *covariance;
    double *moved; /* NULL = nothing is written */
    int64_t count;
} piece;

static inline __attribute__((always_inline)) __m128d moved_on(const piece *at, int64_t i, __m128d step, __m128d ends)
{
    return _mm_add_pd(_mm_add_pd(_mm_loadu_pd(&at->covariance[i]), _mm_mul_pd(step, _mm_loadu_pd(&at->ends[i]))),
                      _mm_mul_pd(ends, _mm_loadu_pd(&at->step[i])));
}

static double moved_one(const piece *at, int64_t i, const reading *now)
{
    return at->covariance[i] + now->step * at->ends[i] + now->ends * at->step[i];
}

/* Largest correlation (times the newest norm) of `count` lags from i, which must not be 0; writes if told to. */
static inline __attribute__((always_inline)) double largest(const piece *at, int64_t i, int64_t count,
                                                            const reading *now, bool writes)
{
    __m128d step = _mm_set1_pd(now->step), ends = _mm_set1_pd(now->ends);
    __m128d best[2] = {_mm_set1_pd(-INFINITY), _mm_set1_pd(-INFINITY)};
    int64_t end = i + count;
    for (; i + 4 <= end; i += 4)
        for (int j = 0; j < 2; j++) {
            __m128d covariance = moved_on(at, i + 2 * j, step, ends);
            if (writes)
                _mm_storeu_pd(&at->moved[i + 2 * j], covariance);
            best[j] = _mm_max_pd(best[j], _mm_mul_pd(covariance, _mm_loadu_pd(&at->inverse[i + 2 * j])));
        }
    best[0] = _mm_max_pd(best[0], best[1]);
    double most = _mm_cvtsd_f64(_mm_max_sd(best[0], _mm_unpackhi_pd(best[0], best[0])));
    for (; i < end; i++) {
        double covariance = moved_one(at, i, now);
        if (writes)
            at->moved[i] = covariance;
        double correlation = covariance * at->inverse[i];
        most = correlation > most ? correlation : most;
    }
    return most;
}

/* Largest of a piece that exceeds *most, and the index of the first that has it; -1 = none. Asked for block by block,
 * since the place of a maximum costs more than the maximum. */
static int64_t search(const piece *at, const reading *now, double *most)
{
    int64_t block = -1, found = -1;
    for (int64_t i = 0; i < at->count; i += BLOCK) {
        int64_t count = smaller(BLOCK, at->count - i);
        double best = at->moved != NULL ? largest(at, i, count, now, true) : largest(at, i, count, now, false);
        if (best > *most) {
            *most = best;
            block = i;
        }
    }
    if (block < 0)
        return -1;
    for (int64_t i = smaller(block + BLOCK, at->count) - 1; i >= block; i--) {
        double covariance = at->moved != NULL ? at->moved[i] : moved_one(at, i, now);
        found = covariance * at->inverse[i] == *most ? i : found;
    }
    return found;
}

/* Square of the distance over the length, from the rows themselves. */
static double square_at(const fm_matrix_profile *state, const rings *ring, const reading *now, int64_t lag)
{
    int64_t at = place(state, now->head, lag);
    double sum = 0.0, mean = ring->mean[at], inverse = ring->inverse[at];
    for (int64_t j = 0; j < state->length; j++) {
        double apart = now->stretch[j] * now->inverse - (ring->x[at + j] - mean) * inverse;
        sum += apart * apart;
    }
    return sum;
}

/* Finds the neighbour; moves the covariances on if `writes`. */
static void compare(const fm_matrix_profile *state, const rings *ring, reading *now, bool writes)
{
    if (now->count == 0)
        return;
    int64_t moved = now->count - now->enters, first = place(state, now->head, state->first_lag);
    int64_t until_end = smaller(moved, state->size - first), done = 0;
    double most = -INFINITY;
    for (int i = 0; i < 2; i++) {
        int64_t from = i == 0 ? first : 0;
        piece at = {.inverse = &ring->inverse[from],
                    .step = &ring->step[from],
                    .ends = &ring->ends[from],
                    .covariance = &ring->covariance[done],
                    .moved = writes ? &ring->covariance[done] : NULL,
                    .count = i == 0 ? until_end : moved - until_end};
        int64_t found = search(&at, now, &most);
        now->neighbour = found < 0 ? now->neighbour : state->first_lag + done + found;
        done += at.count;
    }
    if (now->enters) {
        int64_t lag = state->first_lag + moved;
        now->entering = covariance_at(state, ring, now, lag);
        double correlation = now->entering * ring->inverse[place(state, now->head, lag)];
        if (correlation > most) {
            most = correlation;
            now->neighbour = lag;
        }
    }
    int64_t flat_lag = now->row - now->flat_row;
    bool flat_near = now->flat_row >= 0 && flat_lag < state->first_lag + now->count;
    if (flat_near && (now->inverse == 0.0 || most * now->inverse < 0.5)) /* which is a distance of sqrt(m) */
        now->neighbour = flat_lag;
    else if (now->inverse == 0.0)
        now->neighbour = state->first_lag;
    now->square = square_at(state, ring, now, now->neighbour);
}

static bool is_ready(const fm_matrix_profile *state)
{
    int64_t stretches = state->seen - state->length + 1 - state->first_lag + 1;
    return stretches >= smaller(state->kept, WARM_SHARE * state->length);
}

static unsigned bucket_of(double square)
{
    double share = 0.25 * square;
    return fm_tail_bucket(TAIL_SCALE * share * share);
}

static double expected_of(const fm_matrix_profile *state, const rings *ring)
{
    if (state->neighbour == 0)
        return NAN;
    int64_t at = place(state, state->head, state->neighbour), after = place(state, state->head, state->neighbour - 1);
    double inverse = ring->inverse[state->head], mean = ring->mean[state->head];
    if (inverse == 0.0)
        return mean;
    return fm_finite(mean + (ring->x[after] - ring->mean[at]) * ring->inverse[at] / inverse);
}

static void write(const fm_matrix_profile *state, const rings *ring, const reading *now, double out[5])
{
    bool ready = is_ready(state);
    out[0] = out[1] = out[2] = out[4] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    if (!ready || now == NULL)
        return;
    out[0] = sqrt((double)state->length * now->square);
    out[1] = fm_tail_p(&state->tail, bucket_of(now->square));
    out[2] = expected_of(state, ring);
    out[4] = (double)now->neighbour;
}

static void learn(fm_matrix_profile *state, const rings *ring, double x, const reading *now)
{
    if (is_ready(state))
        fm_tail_add(&state->tail, bucket_of(now->square));
    int64_t head = now->head;
    fm_lag_push(ring->x, state->size, state->length, head, x);
    state->head = head;
    state->seen++;
    if (now->row < state->length - 1)
        return;
    ring->mean[head] = now->mean;
    ring->inverse[head] = now->inverse;
    ring->step[head] = now->step;
    ring->ends[head] = now->ends;
    state->flat_row = now->flat_row;
    state->neighbour = now->neighbour;
    if (now->enters)
        ring->covariance[now->count - 1] = now->entering;
    for (int64_t i = 0; i < smaller(FRESH, now->count); i++) {
        state->fresh = state->fresh < now->count ? state->fresh : 0;
        ring->covariance[state->fresh] = covariance_at(state, ring, now, state->first_lag + state->fresh);
        state->fresh++;
    }
}

void fm_matrix_profile_score(const fm_matrix_profile *state, double x, double out[5])
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

static void advance(fm_matrix_profile *state, double x, double *out)
{
    rings ring = rings_of(state);
    reading now;
    observe(state, &ring, x, &now);
    compare(state, &ring, &now, true);
    if (out != NULL)
        write(state, &ring, &now, out);
    learn(state, &ring, x, &now);
}

void fm_matrix_profile_update(fm_matrix_profile *state, double x)
{
    if (fm_usable(x))
        advance(state, x, NULL);
}

static int init(void *state, const double *values)
{
    return fm_matrix_profile_init(state, values);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_matrix_profile_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_matrix_profile_update(state, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0])))
        score(state, ts_ns, in, out);
    else
        advance(state, in[0], out);
}

const fm_kernel fm_kernel_matrix_profile = {
    .name = "matrix_profile",
    .summary = "Distance of the newest stretch from the nearest earlier one of its shape.",
    .source = "Yeh et al. 2016; Zimmerman et al. 2019; Lu et al. 2022",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "score", .unit = "1", .usual = NAN, .help = "0 = seen before, sqrt(2 length) = like nothing"},
            {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
            {.name = "expected", .unit = "x", .usual = NAN, .help = "what followed the stretch most like the last"},
            {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
            {.name = "neighbour_age", .unit = "events", .usual = NAN, .help = "rows since the nearest stretch ended"},
            {0}},
    .state_size = fm_matrix_profile_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 1.5 length - 2 + min(kept, 4 length) values",
    .cost = "~1.5 us (3.3 us of cold state), 99768 bytes",
};
