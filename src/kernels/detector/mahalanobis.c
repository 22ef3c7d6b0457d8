/* kernels/detector/mahalanobis.c - see the header. */
#include "kernels/detector/mahalanobis.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/quiet_fade.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30
#define FAR        1e6    /* sigma */
#define SQUARE_MIN 1e-200 /* variances from here up are variation */

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "number of series"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 366 * 86400.0,
     .preset = 1800,
     .help = "age at which a row weighs one half"},
    {.name = "shrink", .unit = "1", .low = 1e-4, .high = 1, .preset = 0.05, .help = "1 = series count as unrelated"},
    {.name = "clip", .unit = "sigma", .low = 1, .high = 1e6, .preset = 5, .help = "how far a row may pull"},
    {.name = "method", .unit = "1", .low = 0, .high = 1, .preset = 0, .help = "p: 0 conformal, 1 chi-square"},
    {0},
};

typedef struct view { /* of a row, by the past */
    double distance;
    double part[8]; /* of each series in its square; they add up to `parts` */
    double parts;
    double apart[8]; /* distance of each from its mean, cut */
    int64_t vary;    /* series that do */
} view;

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_mahalanobis);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_mahalanobis *past = state;
    *past = (fm_mahalanobis){.dims = (int64_t)values[0],
                             .fade = 1e-9 / values[1],
                             .shrink = values[2],
                             .clip = values[3],
                             .method = (int64_t)values[4],
                             .newest_ns = INT64_MIN};
    return 0;
}

static bool usable(const fm_mahalanobis *past, const double *in)
{
    for (int64_t i = 0; i < past->dims; i++)
        if (!fm_usable(in[i]))
            return false;
    return true;
}

/* The Cholesky factor of R, in place of its lower triangle; its diagonal is kept as reciprocals. */
static void factor(double r[8][8], int64_t dims)
{
    for (int64_t i = 0; i < dims; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = r[i][j];
            for (int64_t k = 0; k < j; k++)
                sum -= r[i][k] * r[j][k];
            r[i][j] = i == j ? 1.0 / sqrt(sum) : sum * r[j][j];
        }
}

/* The inverse of a factor, in place. */
static void invert(double r[8][8], int64_t dims)
{
    for (int64_t j = 0; j < dims; j++)
        for (int64_t i = j + 1; i < dims; i++) {
            double sum = 0.0;
            for (int64_t k = j; k < i; k++)
                sum -= r[i][k] * r[k][j];
            r[i][j] = sum * r[i][i];
        }
}

/* v, and R in its lower triangle; cuts `apart`; returns how many series vary. */
static int64_t standardise(const fm_mahalanobis *past, double apart[8], double v[8], double r[8][8])
{
    double precision[8];
    int64_t vary = 0;
    for (int64_t i = 0; i < past->dims; i++) {
        double variance = past->square[i][i] / past->weight;
        precision[i] = variance > SQUARE_MIN ? 1.0 / sqrt(variance) : 0.0;
        vary += precision[i] > 0.0;
        v[i] = apart[i] * precision[i];
        if (FM_UNLIKELY(fabs(v[i]) > FAR)) {
            v[i] = copysign(FAR, v[i]);
            apart[i] = v[i] / precision[i];
        }
        for (int64_t j = 0; j < i; j++)
            r[i][j] = (1.0 - past->shrink) * (past->square[i][j] / past->weight * precision[i]) * precision[j];
        r[i][i] = 1.0;
    }
    return vary;
}

static view look(const fm_mahalanobis *past, view seen)
{
    double v[8], r[8][8], square = 0.0, y[8];
    seen.vary = standardise(past, seen.apart, v, r);
    factor(r, past->dims);
    invert(r, past->dims);
    for (int64_t i = 0; i < past->dims; i++) {
        y[i] = 0.0;
        for (int64_t j = 0; j <= i; j++)
            y[i] += r[i][j] * v[j];
        square += y[i] * y[i];
    }
    for (int64_t j = 0; j < past->dims; j++) {
        double u = 0.0, diagonal = 0.0;
        for (int64_t i = j; i < past->dims; i++) {
            u += r[i][j] * y[i];
            diagonal += r[i][j] * r[i][j];
        }
        seen.part[j] = u * u / diagonal;
        seen.parts += seen.part[j];
    }
    seen.distance = sqrt(square);
    return seen;
}

/* P(chi-square of that many degrees of freedom > x), by the finite sums. */
static double chi_square(double x, int64_t freedom)
{
    double half = 0.5 * x, root = sqrt(half), sum = 0.0, term = 1.0, first = 0.0;
    if (freedom % 2 == 1) {
        first = root < 26.0 ? fm_erfc(root) : 0.0;
        term = root * 1.1283791670955126; /* 2 / sqrt(pi) = 1 / Gamma(3/2) */
    }
    for (int64_t i = freedom % 2; i < freedom; i += 2) {
        sum += term;
        term *= half / (0.5 * (double)i + 1.0);
    }
    double p = first + fm_exp(-half) * sum;
    return p > 1e-300 ? (p < 1.0 ? p : 1.0) : 1e-300;
}

/* distance NaN while there is none */
static view read(const fm_mahalanobis *past, bool asked, const double *in, double out[12])
{
    view seen = {.distance = NAN};
    bool ready = past->count >= WARM_COUNT + 2 * past->dims, varies = false;
    for (int64_t i = 0; i < past->dims; i++)
        varies = varies || past->square[i][i] > SQUARE_MIN * past->weight;
    ready = ready && varies;
    for (int i = 0; i < 12; i++)
        out[i] = NAN;
    out[2] = ready ? past->mean[0] : NAN;
    out[3] = ready ? 1.0 : 0.0;
    for (int64_t i = 0; i < past->dims; i++)
        seen.apart[i] = in[i] - past->mean[i];
    if (!ready || !asked)
        return seen;
    seen = look(past, seen);
    seen.distance = fm_finite(seen.distance);
    if (isnan(seen.distance))
        return seen;
    out[0] = seen.distance;
    out[1] = past->method == 1 ? chi_square(seen.distance * seen.distance, seen.vary)
                               : fm_tail_p(&past->tail, fm_tail_bucket(seen.distance));
    for (int64_t i = 0; i < past->dims && seen.parts > 0.0; i++)
        out[4 + i] = seen.part[i] / seen.parts;
    return seen;
}

static void push(fm_mahalanobis *past, int64_t ts_ns, const view *seen)
{
    double apart[8], reach = past->clip * sqrt((double)past->dims), pull = 1.0;
    if (!isnan(seen->distance)) {
        fm_tail_add(&past->tail, fm_tail_bucket(seen->distance));
        pull = seen->distance > reach ? reach / seen->distance : 1.0;
    }
    double keep = fm_quiet_fade(&past->newest_ns, ts_ns, past->fade);
    past->count++;
    past->weight = keep * past->weight + 1.0;
    double gain = 1.0 / past->weight, rest = 1.0 - gain;
    for (int64_t i = 0; i < past->dims; i++) {
        apart[i] = pull * seen->apart[i];
        past->mean[i] += apart[i] * gain;
        for (int64_t j = 0; j <= i; j++)
            past->square[i][j] = keep * past->square[i][j] + rest * apart[i] * apart[j];
    }
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    read(state, usable(state, in), in, out);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    bool asked = usable(state, in);
    view seen = read(state, asked, in, out);
    if (asked)
        push(state, ts_ns, &seen);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[12];
    step(state, ts_ns, in, out);
}

const fm_kernel fm_kernel_mahalanobis = {
    .name = "mahalanobis",
    .summary = "Distance of several series from where they usually are together, and which one is out.",
    .source = "Mahalanobis 1936; Ledoit & Wolf 2004",
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
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "distance, in sigmas"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "probability of one as large"},
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
    .warm_up = "after 30 + 2 dims rows, once one series varies",
    .cost = "~60 ns at one series, ~450 at eight, 936 bytes",
};
