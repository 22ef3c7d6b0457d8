/* kernels/detector/xstream.c - see the header. */
#include "kernels/detector/xstream.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/mix.h"
#include "kernels/kernel.h"

#define LEVELS   FM_XSTREAM_LEVELS
#define CELLS    FM_XSTREAM_CELLS
#define FEATURES 16
#define BITS     10 /* of a count */
#define TOGETHER 32 /* factors below 2^26 whose product is a double */

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "how many of the inputs are wired"},
    {.name = "chains",
     .unit = "1",
     .low = 1,
     .high = 200,
     .preset = 100,
     .help = "number of chains; at depth 15 one takes 4 kB of state"},
    {.name = "depth", .unit = "1", .low = 1, .high = LEVELS, .preset = 15, .help = "how often a chain halves bins"},
    {.name = "count", .unit = "events", .low = 16, .high = 1000, .preset = 500, .help = "events of a window"},
    {0},
};

/* An event as the chains see it. */
typedef struct point {
    double sum[8];
    uint32_t u[FEATURES]; /* inputs, then from `dims` on the sums */
} point;

static inline fm_xstream_chain *chains_of(const fm_xstream *stream)
{
    return (fm_xstream_chain *)(uintptr_t)(stream + 1);
}

static inline uint32_t *cells_of(const fm_xstream *stream)
{
    return (uint32_t *)(chains_of(stream) + stream->chains);
}

static inline size_t cell_count(double chains, double depth)
{
    return (size_t)chains * (size_t)depth * CELLS;
}

/* False when an input is missing. */
static bool read_point(const fm_xstream *stream, const double *in, point *at)
{
    double z[FM_SCALING_DIMS];
    int dims = (int)stream->scaling.dims;
    if (FM_UNLIKELY(!fm_scaling_read(&stream->scaling, in, z)))
        return false;
    for (int j = 0; j < dims; j++)
        at->u[j] = (uint32_t)(int32_t)(z[j] * 16384.0 + 262144.0);
    for (int k = 0; k < FM_SCALING_DIMS; k++) {
        at->sum[k] = 0.0;
        for (int j = 0; j < FM_SCALING_DIMS; j++)
            at->sum[k] += stream->sign[k][j] * z[j];
    }
    fm_scaling_read(&stream->sum_scaling, at->sum, z);
    for (int j = 0; j < dims; j++)
        at->u[dims + j] = (uint32_t)(int32_t)(z[j] * 16384.0 + 262144.0);
    return true;
}

/* The cell of each level; those beyond `depth` mean nothing. */
static inline __attribute__((always_inline)) void find_cells(const fm_xstream_chain *chain, const uint32_t u[FEATURES],
                                                             uint32_t cell[LEVELS])
{
    uint32_t part[LEVELS + 1], key = 0;
    for (int l = 0; l < LEVELS; l++)
        part[l] = u[chain->feature[l]];
    for (int l = 0; l < LEVELS; l++)
        part[l] = ((part[l] * chain->width[l] + chain->shift[l]) >> 16) * chain->weight[l];
    part[LEVELS] = 0;
    for (int l = 0; l < LEVELS; l++) {
        key += part[l] - part[chain->before[l]];
        cell[l] = key;
    }
    for (int l = 0; l < LEVELS; l++)
        cell[l] = (cell[l] * chain->spread[l]) / (UINT32_MAX / CELLS + 1);
}

/* Sum over the chains of log2 of the smallest (1 + count) * 2^level; counts the event too when `counting`. */
static inline __attribute__((always_inline)) double thinness(const fm_xstream *stream, const point *at, bool counting)
{
    int reference = BITS * (stream->plane == 0 ? 2 : stream->plane - 1), depth = stream->depth;
    uint32_t one = 1u << (BITS * stream->plane), *cells = cells_of(stream), found[LEVELS];
    const fm_xstream_chain *chain = chains_of(stream);
    double sum = 0.0, product = 1.0;
    for (int c = 0; c < stream->chains; c++, chain++) {
        uint32_t least = UINT32_MAX;
        find_cells(chain, at->u, found);
        for (int l = 0; l < depth; l++, cells += CELLS) {
            uint32_t *cell = &cells[found[l]], held = *cell;
            uint32_t thin = (1 + (held >> reference & 1023)) << (l + 1);
            least = thin < least ? thin : least;
            if (counting)
                *cell = held + one;
        }
        product *= (double)(int32_t)least;
        if (c % TOGETHER == TOGETHER - 1) {
            sum += fm_log2(product);
            product = 1.0;
        }
    }
    return sum + fm_log2(product);
}

static inline double conformal(double score)
{
    double square = 0.5625 * score * score;
    return square * square;
}

static void write(const fm_xstream *stream, double sum, double out[4])
{
    bool ready = stream->windows > 0;
    double score = fm_positive(stream->usual - sum / (double)stream->chains);
    out[0] = ready ? score : NAN;
    out[1] = ready ? fm_tail_p(&stream->tail, fm_tail_bucket(conformal(score))) : NAN;
    out[2] = NAN;
    out[3] = ready ? 1.0 : 0.0;
}

static void missing(const fm_xstream *stream, double out[4])
{
    out[0] = out[1] = out[2] = NAN;
    out[3] = stream->windows > 0 ? 1.0 : 0.0;
}

/* Clears some of what the next window is counted in, and ends the window when it is full. */
static void advance(fm_xstream *stream)
{
    int next = stream->plane == 2 ? 0 : stream->plane + 1;
    int total = (int)cell_count(stream->chains, stream->depth), from = stream->filled * stream->cleared;
    uint32_t *cells = cells_of(stream);
    const __m128i keep = _mm_set1_epi32((int32_t) ~(1023u << (BITS * next)));
    for (int i = from; i < from + stream->cleared && i < total; i += 4) {
        __m128i *four = (__m128i *)&cells[i];
        _mm_storeu_si128(four, _mm_and_si128(_mm_loadu_si128(four), keep));
    }
    if (FM_UNLIKELY(++stream->filled >= stream->count)) {
        stream->filled = 0;
        stream->plane = next;
        stream->windows++;
    }
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    point at;
    fm_xstream *stream = state;
    if (FM_UNLIKELY(!read_point(stream, in, &at))) {
        missing(stream, out);
        return;
    }
    write(stream, thinness(stream, &at, true), out);
    if (FM_LIKELY(stream->windows > 0))
        fm_tail_add(&stream->tail, fm_tail_bucket(conformal(out[0])));
    fm_scaling_add(&stream->scaling, in);
    fm_scaling_add(&stream->sum_scaling, at.sum);
    advance(stream);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    point at;
    const fm_xstream *stream = state;
    if (FM_UNLIKELY(!read_point(stream, in, &at)))
        missing(stream, out);
    else
        write(stream, thinness(stream, &at, false), out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[4];
    step(state, ts_ns, in, out);
}

static void make_sums(fm_xstream *stream)
{
    for (int k = 0; k < stream->scaling.dims; k++)
        for (int j = 0; j < stream->scaling.dims; j++) {
            uint64_t drawn = fm_mix_at(1, (uint64_t)(8 * k + j)) % 6;
            stream->sign[k][j] = j == k || drawn == 0 ? 1.0 : drawn == 1 ? -1.0 : 0.0;
        }
}

static void make_chain(fm_xstream *stream, int c)
{
    fm_xstream_chain *chain = &chains_of(stream)[c];
    uint32_t features = 2 * (uint32_t)stream->scaling.dims, turns[FEATURES] = {0};
    uint8_t before[FEATURES];
    memset(before, LEVELS, sizeof(before));
    for (int l = 0; l < LEVELS; l++) {
        uint64_t n = (uint64_t)(16 * c + l + 1), drawn = fm_mix_at(2, n);
        uint32_t feature = fm_mix_below(drawn, features);
        chain->feature[l] = (uint8_t)feature;
        chain->before[l] = before[feature];
        chain->width[l] = 1u << turns[feature]++;
        chain->shift[l] = (uint32_t)(fm_mix_at(4, (uint64_t)(16 * c) + feature) >> 48);
        chain->weight[l] = (uint32_t)drawn | 1;
        chain->spread[l] = (uint32_t)fm_mix_at(3, n) | 1;
        before[feature] = (uint8_t)l;
    }
}

static size_t state_size(const double *values)
{
    return sizeof(fm_xstream) + (size_t)values[1] * sizeof(fm_xstream_chain) +
           cell_count(values[1], values[2]) * sizeof(uint32_t);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_xstream *stream = state;
    int dims = (int)values[0];
    *stream = (fm_xstream){.chains = (int32_t)values[1], .depth = (int32_t)values[2], .count = (int32_t)values[3]};
    int fours = (int)cell_count(values[1], values[2]) / 4;
    stream->cleared = 4 * ((fours + stream->count - 1) / stream->count);
    stream->usual = fm_log2((double)(stream->count + 1)) + 1.0;
    fm_scaling_init(&stream->scaling, dims, 4.0 * (double)stream->count);
    fm_scaling_init(&stream->sum_scaling, dims, 4.0 * (double)stream->count);
    make_sums(stream);
    for (int c = 0; c < stream->chains; c++)
        make_chain(stream, c);
    return 0;
}

const fm_kernel fm_kernel_xstream = {
    .name = "xstream",
    .summary = "How thin the past is around the new event, at the width where it is thinnest; several series.",
    .source = "Manzoor, Lamba & Akoglu 2018",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = FM_SCALING_INPUTS,
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 1.2, .help = "thinner than even, bits"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "none: always NaN"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after one window of `count` events",
    .cost = "~3,900 ns, 414,096 bytes",
};
