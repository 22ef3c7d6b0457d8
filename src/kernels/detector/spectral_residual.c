/* kernels/detector/spectral_residual.c - see the header. */
#include "kernels/detector/spectral_residual.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/fft.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define PLACES_LEAST 16
#define PLACES_MAX   FM_FFT_TURN
#define ESTIMATED    5     /* places that the estimate fills, and rows that it is made from besides the newest */
#define NEAR         21    /* rows whose saliency is usual */
#define FLOOR        1e-16 /* of the square of the largest amplitude */
#define FLAT         1e-200
#define SCORE_MAX    1000.0

static const fm_field params[] = {
    {.name = "count",
     .unit = "events",
     .low = PLACES_LEAST,
     .high = PLACES_MAX,
     .preset = 128,
     .help = "places that are transformed, rounded up to a power of two"},
    {0},
};

static int64_t places_of(const double *values)
{
    int64_t places = PLACES_LEAST;
    while ((double)places < values[0] && places < PLACES_MAX)
        places *= 2;
    return places;
}

size_t fm_spectral_residual_size(const double values[1])
{
    return sizeof(fm_spectral_residual) + (size_t)places_of(values) * sizeof(double);
}

int fm_spectral_residual_init(fm_spectral_residual *state, const double values[1])
{
    FM_TRY(fm_kernel_check(params, values));
    *state = (fm_spectral_residual){.places = places_of(values)};
    memset(state->ring, 0, (size_t)state->places * sizeof(double));
    return 0;
}

static int64_t rows_of(const fm_spectral_residual *state)
{
    return state->places - ESTIMATED;
}

static double row_at(const fm_spectral_residual *state, int64_t row)
{
    return state->ring[row & (state->places - 1)];
}

/* The value to come after `newest` and the five before it. */
static double estimate(const double *newest)
{
    double slope = 0.0;
    for (int i = 1; i <= ESTIMATED; i++)
        slope += (newest[0] - newest[-i]) / (double)i;
    return newest[1 - ESTIMATED] + slope;
}

/* The rows in order, x the last, less their mean, by way of differences from x; then what is estimated. */
static void line_up(const fm_spectral_residual *state, double x, double *value)
{
    int64_t rows = rows_of(state), first = state->seen - rows + 1;
    double sum = 0.0;
    for (int64_t i = 0; i < rows - 1; i++) {
        value[i] = row_at(state, first + i) - x;
        sum += value[i];
    }
    value[rows - 1] = 0.0;
    double mean = sum / (double)rows;
    for (int64_t i = 0; i < rows; i++)
        value[i] -= mean;
    double next = estimate(&value[rows - 2]);
    for (int64_t i = rows; i < state->places; i++)
        value[i] = next;
}

/* Divides every amplitude by the geometric mean of its size and those of its neighbours; false if there is nothing. */
static bool level(double *re, double *im, int64_t half)
{
    double size[PLACES_MAX / 2 + 3], largest = 0.0;
    for (int64_t k = 0; k <= half; k++) {
        size[k + 1] = re[k] * re[k] + im[k] * im[k];
        largest = size[k + 1] > largest ? size[k + 1] : largest;
    }
    if (largest <= FLAT)
        return false;
    for (int64_t k = 1; k <= half + 1; k++)
        size[k] = (fm_log)(size[k] > FLOOR * largest ? size[k] : FLOOR * largest);
    size[0] = size[2];
    size[half + 2] = size[half];
    for (int64_t k = 0; k <= half; k++) {
        double share = fm_exp((size[k] + size[k + 1] + size[k + 2]) / -6.0);
        re[k] *= share;
        im[k] *= share;
    }
    return true;
}

static double score_of(const fm_spectral_residual *state, double x)
{
    double value[PLACES_MAX], re[PLACES_MAX / 2 + 1], im[PLACES_MAX / 2 + 1];
    line_up(state, x, value);
    fm_fft_real(value, (int32_t)state->places, re, im);
    if (!level(re, im, state->places / 2))
        return 0.0;
    fm_fft_real_back(re, im, (int32_t)state->places, value);
    int64_t newest = rows_of(state) - 1, near = newest < NEAR ? newest : NEAR;
    double sum = 0.0, saliency = fabs(value[newest]);
    for (int64_t i = newest - near; i < newest; i++)
        sum += fabs(value[i]);
    double usual = sum / (double)near;
    if (saliency < SCORE_MAX * usual)
        return saliency / usual;
    return saliency > 0.0 ? SCORE_MAX : 0.0;
}

static bool is_ready(const fm_spectral_residual *state)
{
    return state->seen >= rows_of(state) - 1;
}

static double expected_of(const fm_spectral_residual *state)
{
    double past[ESTIMATED + 1];
    for (int i = 0; i <= ESTIMATED; i++)
        past[i] = row_at(state, state->seen - 1 - ESTIMATED + i);
    return fm_finite(estimate(&past[ESTIMATED]));
}

/* What is written of a missing x (score NaN) is whether the detector is ready. */
static void write(const fm_spectral_residual *state, double score, double out[4])
{
    bool answers = !isnan(score);
    out[0] = score;
    out[1] = answers ? fm_tail_p(&state->tail, fm_tail_bucket(score * score)) : NAN;
    out[2] = answers ? expected_of(state) : NAN;
    out[3] = is_ready(state) ? 1.0 : 0.0;
}

static double read(const fm_spectral_residual *state, double x)
{
    return fm_usable(x) && is_ready(state) ? score_of(state, x) : NAN;
}

static void learn(fm_spectral_residual *state, double x, double score)
{
    if (!isnan(score))
        fm_tail_add(&state->tail, fm_tail_bucket(score * score));
    state->ring[state->seen & (state->places - 1)] = x;
    state->seen++;
}

void fm_spectral_residual_score(const fm_spectral_residual *state, double x, double out[4])
{
    write(state, read(state, x), out);
}

void fm_spectral_residual_update(fm_spectral_residual *state, double x)
{
    if (fm_usable(x))
        learn(state, x, read(state, x));
}

static int init(void *state, const double *values)
{
    return fm_spectral_residual_init(state, values);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_spectral_residual_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_spectral_residual_update(state, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double answer = read(state, in[0]);
    write(state, answer, out);
    if (FM_LIKELY(fm_usable(in[0])))
        learn(state, in[0], answer);
}

const fm_kernel fm_kernel_spectral_residual = {
    .name = "spectral_residual",
    .summary = "Does the newest value stick out once what is regular in the series is taken away?",
    .source = "Ren et al. 2019",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 1, .help = "saliency over the usual one"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "the last rows, continued"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {0}},
    .state_size = fm_spectral_residual_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after as many values as are transformed, less 6",
    .cost = "~3.3 us, 1336 bytes",
};
