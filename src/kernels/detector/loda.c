/* kernels/detector/loda.c - see the header. */
#include "kernels/detector/loda.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/mix.h"
#include "kernels/common/normal.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "how many of the inputs are wired"},
    {.name = "cuts", .unit = "1", .low = 4, .high = 500, .preset = 100, .help = "number of projections"},
    {.name = "count", .unit = "events", .low = 16, .high = 10000, .preset = 500, .help = "events of a window"},
    {0},
};

/* Sums of f over cuts: all, and those that use an input. */
typedef struct surprise {
    __m128 sum, sum_of[8];
} surprise;

static inline fm_loda_cuts *cuts_of(const fm_loda *loda)
{
    return (fm_loda_cuts *)(uintptr_t)(loda + 1);
}

static inline int groups_of(const fm_loda *loda)
{
    return (loda->cuts + 3) / 4;
}

static inline float *bits_of(const fm_loda *loda)
{
    return (float *)(cuts_of(loda) + groups_of(loda));
}

static inline void to_single(const double z[8], __m128 single[8])
{
    for (int i = 0; i < FM_SCALING_DIMS; i++)
        single[i] = _mm_set1_ps((float)z[i]);
}

static inline __m128 project(const fm_loda_cuts *cuts, const __m128 z[8])
{
    __m128 y = _mm_mul_ps(_mm_loadu_ps(cuts->weight[0]), z[0]);
    for (int j = 1; j < FM_SCALING_DIMS; j++)
        y = _mm_add_ps(y, _mm_mul_ps(_mm_loadu_ps(cuts->weight[j]), z[j]));
    return y;
}

static inline void bins(const fm_loda_cuts *cuts, int plane, __m128 y, int32_t bin[4])
{
    __m128 at = _mm_mul_ps(_mm_sub_ps(y, _mm_loadu_ps(cuts->centre[plane])), _mm_loadu_ps(cuts->scale[plane]));
    at = _mm_min_ps(_mm_max_ps(_mm_add_ps(at, _mm_set1_ps(16.0f)), _mm_setzero_ps()), _mm_set1_ps(31.0f));
    _mm_storeu_si128((__m128i *)bin, _mm_cvttps_epi32(at));
}

/* One group of cuts, of which `count` are there. */
static inline void look_up(const fm_loda_cuts *cuts, const float *bits, int plane, __m128 y, int count, surprise *all)
{
    static const int32_t there[8] = {-1, -1, -1, -1};
    int32_t bin[4];
    bins(cuts, plane, y, bin);
    const uint16_t(*in)[32] = cuts->count[plane];
    __m128 f = _mm_setr_ps(bits[in[0][bin[0]]], bits[in[1][bin[1]]], bits[in[2][bin[2]]], bits[in[3][bin[3]]]);
    f = _mm_and_ps(f, _mm_castsi128_ps(_mm_loadu_si128((const __m128i *)&there[count < 4 ? 4 - count : 0])));
    all->sum = _mm_add_ps(all->sum, f);
    for (int j = 0; j < FM_SCALING_DIMS; j++) {
        __m128 uses = _mm_cmpneq_ps(_mm_loadu_ps(cuts->weight[j]), _mm_setzero_ps());
        all->sum_of[j] = _mm_add_ps(all->sum_of[j], _mm_and_ps(uses, f));
    }
}

static inline void count_in(fm_loda_cuts *cuts, int plane, __m128 y)
{
    int32_t bin[4];
    bins(cuts, plane, y, bin);
    for (int k = 0; k < 4; k++)
        cuts->count[plane][k][bin[k]]++;
    __m128 apart = _mm_andnot_ps(_mm_set1_ps(-0.0f), _mm_sub_ps(y, _mm_loadu_ps(cuts->centre[plane])));
    _mm_storeu_ps(cuts->sum, _mm_add_ps(_mm_loadu_ps(cuts->sum), y));
    _mm_storeu_ps(cuts->distance, _mm_add_ps(_mm_loadu_ps(cuts->distance), apart));
}

static inline double lanes(__m128 four)
{
    float lane[4];
    _mm_storeu_ps(lane, four);
    return ((double)lane[0] + (double)lane[1]) + ((double)lane[2] + (double)lane[3]);
}

/* Are the cuts that use the input more surprised? */
static inline void blame(const fm_loda *loda, const surprise *all, double part[8])
{
    double sum = lanes(all->sum);
    for (int j = 0; j < FM_SCALING_DIMS; j++) {
        double sum_of = lanes(all->sum_of[j]);
        part[j] = fm_positive(sum_of * loda->with[j] - (sum - sum_of) * loda->without[j]);
    }
}

static inline double conformal(double score)
{
    double square = 0.25 * score * score;
    return square * square;
}

static void write(const fm_loda *loda, const surprise *all, double *out)
{
    double part[8];
    bool ready = loda->windows > 0;
    double score = ready ? lanes(all->sum) / (double)loda->cuts : NAN;
    out[0] = score;
    out[1] = ready ? fm_tail_p(&loda->tail, fm_tail_bucket(conformal(score))) : NAN;
    out[2] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    if (ready) {
        blame(loda, all, part);
        fm_scaling_shares(&loda->scaling, part, out + 4);
    } else {
        for (int j = 0; j < FM_SCALING_DIMS; j++)
            out[4 + j] = NAN;
    }
}

/* The window is full: it becomes the reference, and tells the bins of the next. */
static void next_window(fm_loda *loda)
{
    int plane = 1 - loda->plane;
    const __m128 one_of = _mm_set1_ps(1.0f / (float)loda->count);
    for (int g = 0; g < groups_of(loda); g++) {
        fm_loda_cuts *cuts = &cuts_of(loda)[g];
        __m128 distance = _mm_max_ps(_mm_mul_ps(_mm_loadu_ps(cuts->distance), one_of), _mm_set1_ps(1e-3f));
        _mm_storeu_ps(cuts->centre[plane], _mm_mul_ps(_mm_loadu_ps(cuts->sum), one_of));
        _mm_storeu_ps(cuts->scale[plane], _mm_div_ps(_mm_set1_ps(3.0f), distance));
        memset(cuts->sum, 0, sizeof(cuts->sum));
        memset(cuts->distance, 0, sizeof(cuts->distance));
        memset(cuts->count[plane], 0, sizeof(cuts->count[plane]));
    }
    loda->plane = plane;
    loda->filled = 0;
    loda->windows++;
}

/* Reads the reference, and counts the event too when `counting`. */
static inline __attribute__((always_inline)) void pass(const fm_loda *loda, const double z[8], surprise *all,
                                                       bool counting)
{
    __m128 single[8];
    const float *bits = bits_of(loda);
    fm_loda_cuts *cuts = cuts_of(loda);
    to_single(z, single);
    for (int left = loda->cuts; left > 0; left -= 4, cuts++) {
        __m128 y = project(cuts, single);
        look_up(cuts, bits, 1 - loda->plane, y, left, all);
        if (counting)
            count_in(cuts, loda->plane, y);
    }
}

static void missing(const fm_loda *loda, double *out)
{
    for (int i = 0; i < 4 + FM_SCALING_DIMS; i++)
        out[i] = NAN;
    out[3] = loda->windows > 0 ? 1.0 : 0.0;
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    surprise all = {0};
    fm_loda *loda = state;
    if (FM_UNLIKELY(!fm_scaling_read(&loda->scaling, in, z))) {
        missing(loda, out);
        return;
    }
    pass(loda, z, &all, true);
    write(loda, &all, out);
    if (FM_LIKELY(loda->windows > 0))
        fm_tail_add(&loda->tail, fm_tail_bucket(conformal(out[0])));
    fm_scaling_add(&loda->scaling, in);
    if (FM_UNLIKELY(++loda->filled >= loda->count))
        next_window(loda);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    surprise all = {0};
    const fm_loda *loda = state;
    if (FM_UNLIKELY(!fm_scaling_read(&loda->scaling, in, z))) {
        missing(loda, out);
        return;
    }
    pass(loda, z, &all, false);
    write(loda, &all, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[FM_KERNEL_OUTPUTS_MAX];
    step(state, ts_ns, in, out);
}

/* The weights of cut k. */
static void make_cut(fm_loda *loda, int k)
{
    int dims = (int)loda->scaling.dims, used = dims == 2 ? 2 - (k % 4 == 3) : (int)floor(sqrt((double)dims) + 0.5);
    int input[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    double weight[8], norm = 0.0;
    for (int i = 0; i < used; i++) {
        uint64_t n = (uint64_t)(16 * k + i);
        int other = i + (int)fm_mix_below(fm_mix_at(1, n), (uint32_t)(dims - i)), chosen = input[other];
        input[other] = input[i];
        input[i] = chosen;
        weight[i] = fm_normal_quantile(((double)(int64_t)(fm_mix_at(2, n) >> 11) + 0.5) * 0x1p-53);
        norm += weight[i] * weight[i];
    }
    for (int i = 0; i < used; i++) {
        cuts_of(loda)[k / 4].weight[input[i]][k % 4] = (float)(weight[i] / sqrt(norm));
        loda->with[input[i]] += 1.0;
    }
}

/* From the number of cuts that use each input, what turns sums into differences of means by their standard error. */
static void make_blame(fm_loda *loda)
{
    for (int j = 0; j < FM_SCALING_DIMS; j++) {
        double with = loda->with[j], without = (double)loda->cuts - with;
        double error = with > 0.0 && without > 0.0 ? sqrt(1.0 / with + 1.0 / without) : 0.0;
        loda->with[j] = error > 0.0 ? 1.0 / (with * error) : without > 0.0 ? 0.0 : 1.0;
        loda->without[j] = error > 0.0 ? 1.0 / (without * error) : 0.0;
    }
}

static size_t state_size(const double *values)
{
    size_t groups = ((size_t)values[1] + 3) / 4, bits = (size_t)values[2] + 1;
    return sizeof(fm_loda) + groups * sizeof(fm_loda_cuts) + (bits + bits % 2) * sizeof(float);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_loda *loda = state;
    *loda = (fm_loda){.cuts = (int32_t)values[1], .count = (int32_t)values[2]};
    fm_scaling_init(&loda->scaling, (int)values[0], 4.0 * (double)loda->count);
    for (int k = 0; k < loda->cuts; k++)
        make_cut(loda, k);
    make_blame(loda);
    for (int g = 0; g < groups_of(loda); g++)
        _mm_storeu_ps(cuts_of(loda)[g].scale[0], _mm_set1_ps(3.0f));
    for (int c = 0; c <= loda->count; c++)
        bits_of(loda)[c] = (float)fm_log2((double)(loda->count + 16) / ((double)c + 0x1p-5));
    return 0;
}

const fm_kernel fm_kernel_loda = {
    .name = "loda",
    .summary = "Surprise in histograms of sparse random projections; several series.",
    .source = "Pevny 2016",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = FM_SCALING_INPUTS,
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 4, .help = "mean surprise, bits"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "none: always NaN"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  FM_SCALING_SHARES,
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after one window of `count` events",
    .cost = "~470 ns, 21,080 bytes",
};
