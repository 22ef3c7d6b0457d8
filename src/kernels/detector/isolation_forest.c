/* kernels/detector/isolation_forest.c - see the header. */
#include "kernels/detector/isolation_forest.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/mix.h"
#include "kernels/kernel.h"

#define WORK  64 /* points handled an event */
#define SIDE  4  /* trees walked side by side */
#define READY 10

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "how many of the inputs are wired"},
    {.name = "trees", .unit = "1", .low = 1, .high = 200, .preset = 100, .help = "number of trees"},
    {.name = "sample", .unit = "events", .low = 16, .high = 256, .preset = 256, .help = "events in a tree"},
    {.name = "count", .unit = "events", .low = 16, .high = 10000, .preset = 2000, .help = "events drawn from"},
    {0},
};

static inline fm_isolation_tree *trees_of(const fm_isolation_forest *forest)
{
    return (fm_isolation_tree *)(uintptr_t)(forest + 1);
}

static inline uint16_t (*ring_of(const fm_isolation_forest *forest))[8]
{
    return (uint16_t(*)[8])(trees_of(forest) + (forest->trees + SIDE - 1) / SIDE * SIDE);
}

static inline __m128i load(const uint16_t v[8])
{
    return _mm_loadu_si128((const __m128i *)v);
}

static inline bool is_ready(const fm_isolation_forest *forest)
{
    return forest->made >= READY || forest->made >= forest->trees;
}

/* Sum of the lengths of the ways of v, SIDE trees side by side. */
static inline __attribute__((always_inline)) double lengths(const fm_isolation_forest *forest, const uint16_t value[8],
                                                            int count, int levels)
{
    double sum[SIDE] = {0};
    for (int t = 0; t < count; t += SIDE) {
        const fm_isolation_tree *tree = &trees_of(forest)[t];
        uint32_t node[SIDE] = {1, 1, 1, 1};
        for (int level = 0; level < levels; level++) {
#pragma GCC unroll 4
            for (int k = 0; k < SIDE; k++) { /* in the last turn some may be trees that are not made yet: all zero */
                const fm_isolation_node *at = &tree[k].node[node[k]];
                node[k] = 2 * node[k] + (value[at->input] > at->cut);
            }
        }
#pragma GCC unroll 4
        for (int k = 0; k < SIDE; k++)
            sum[k] += (double)tree[k].length[node[k] - (1u << levels)];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static double read(const fm_isolation_forest *forest, __m128i v, double out[4])
{
    uint16_t value[8];
    _mm_storeu_si128((__m128i *)value, v);
    int count = forest->made < forest->trees ? (int)forest->made : forest->trees;
    double sum = forest->levels == 8 ? lengths(forest, value, count, 8) : lengths(forest, value, count, forest->levels);
    bool ready = is_ready(forest);
    double score = ready ? fm_exp2(sum / (double)count * forest->unit) : NAN;
    double eighth = 4.0 * score * score;
    eighth *= eighth;
    out[0] = score;
    out[1] = ready ? fm_tail_p(&forest->tail, fm_tail_bucket(eighth * eighth)) : NAN;
    out[2] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    return eighth * eighth;
}

/* Cuts the points of a node in two; false when they are all alike. */
static bool cut(fm_isolation_forest *forest, uint32_t n, uint32_t begin, uint32_t end, uint64_t random)
{
    __m128i low = load(forest->point[begin]), high = low;
    for (uint32_t i = begin + 1; i < end; i++) {
        low = _mm_min_epu16(low, load(forest->point[i]));
        high = _mm_max_epu16(high, load(forest->point[i]));
    }
    uint16_t smallest[8], width[8];
    uint32_t dims = (uint32_t)forest->scaling.dims, input = fm_mix_below(random, dims), tried = 0;
    _mm_storeu_si128((__m128i *)smallest, low);
    _mm_storeu_si128((__m128i *)width, _mm_sub_epi16(high, low));
    for (; tried < dims && width[input] == 0; tried++)
        input = input + 1 < dims ? input + 1 : 0;
    if (tried == dims)
        return false;
    uint32_t at = smallest[input] + (uint32_t)(((random & 0xffffffff) * width[input]) >> 32), left = begin, right = 0;
    for (uint32_t i = begin; i < end; i++) { /* in order, without a branch that would be a guess */
        __m128i v = load(forest->point[i]);
        uint32_t above = forest->point[i][input] > at;
        _mm_storeu_si128((__m128i *)forest->other[right], v);
        _mm_storeu_si128((__m128i *)forest->point[left], v);
        left += 1 - above;
        right += above;
    }
    memcpy(forest->point[left], forest->other[0], right * sizeof(forest->other[0]));
    forest->making.node[n] = (fm_isolation_node){.input = (uint16_t)input, .cut = (uint16_t)at};
    forest->begin[2 * n] = (uint16_t)begin;
    forest->end[2 * n] = forest->begin[2 * n + 1] = (uint16_t)left;
    forest->end[2 * n + 1] = (uint16_t)end;
    forest->ended[2 * n] = forest->ended[2 * n + 1] = -1.0f;
    return true;
}

/* A node whose points are parted no more leads to the left, and its length with it. */
static void make_node(fm_isolation_forest *forest, uint32_t n)
{
    uint32_t begin = forest->begin[n], end = forest->end[n];
    uint64_t random = fm_mix_at(2, (uint64_t)forest->made * 512 + n);
    if (forest->ended[n] < 0.0f && end - begin > 1 && cut(forest, n, begin, end, random))
        return;
    int depth = 31 - __builtin_clz(n);
    float length = forest->ended[n] >= 0.0f ? forest->ended[n] : (float)depth + forest->c[end - begin];
    forest->making.node[n] = (fm_isolation_node){.cut = 65535};
    forest->begin[2 * n] = forest->begin[2 * n + 1] = forest->end[2 * n] = forest->end[2 * n + 1] = 0;
    forest->ended[2 * n] = forest->ended[2 * n + 1] = length;
}

static void finish_tree(fm_isolation_forest *forest)
{
    uint32_t leaves = 1u << forest->levels;
    for (uint32_t i = 0; i < leaves; i++) {
        uint32_t n = leaves + i;
        float length = (float)forest->levels + forest->c[forest->end[n] - forest->begin[n]];
        forest->making.length[i] = forest->ended[n] >= 0.0f ? forest->ended[n] : length;
    }
    memcpy(&trees_of(forest)[forest->made % forest->trees], &forest->making, sizeof(forest->making));
    forest->made++;
    forest->drawn = 0;
}

/* A part of the tree being made. */
static void work(fm_isolation_forest *forest)
{
    int64_t kept = forest->events < forest->count ? forest->events : forest->count;
    if (forest->drawn < forest->sample) {
        for (int i = 0; i < WORK && forest->drawn < forest->sample; i++, forest->drawn++) {
            uint64_t random = fm_mix_at(1, (uint64_t)forest->made * 512 + (uint64_t)forest->drawn);
            uint32_t from = fm_mix_below(random, (uint32_t)kept);
            _mm_storeu_si128((__m128i *)forest->point[forest->drawn], load(ring_of(forest)[from]));
        }
        forest->next_node = 1;
        forest->begin[1] = 0;
        forest->end[1] = (uint16_t)forest->sample;
        forest->ended[1] = -1.0f;
        return;
    }
    for (int done = 0; done < WORK && forest->next_node < 1 << forest->levels; forest->next_node++) {
        uint32_t n = (uint32_t)forest->next_node;
        make_node(forest, n);
        done += forest->end[n] - forest->begin[n] + 1;
    }
    if (forest->next_node == 1 << forest->levels)
        finish_tree(forest);
}

static void missing(const fm_isolation_forest *forest, double out[4])
{
    out[0] = out[1] = out[2] = NAN;
    out[3] = is_ready(forest) ? 1.0 : 0.0;
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    fm_isolation_forest *forest = state;
    if (FM_UNLIKELY(!fm_scaling_read(&forest->scaling, in, z))) {
        missing(forest, out);
        return;
    }
    __m128i v = fm_scaling_point(z);
    double rank = read(forest, v, out);
    if (FM_LIKELY(is_ready(forest)))
        fm_tail_add(&forest->tail, fm_tail_bucket(rank));
    _mm_storeu_si128((__m128i *)ring_of(forest)[forest->events % forest->count], v);
    forest->events++;
    fm_scaling_add(&forest->scaling, in);
    if (forest->events >= forest->sample)
        work(forest);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    const fm_isolation_forest *forest = state;
    if (FM_UNLIKELY(!fm_scaling_read(&forest->scaling, in, z)))
        missing(forest, out);
    else
        read(forest, fm_scaling_point(z), out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[4];
    step(state, ts_ns, in, out);
}

static size_t kept_count(const double *values)
{
    return (size_t)(values[3] < values[2] ? values[2] : values[3]);
}

/* Room for trees: so many that SIDE can be walked together. */
static inline size_t places(double trees)
{
    return ((size_t)trees + SIDE - 1) / SIDE * SIDE;
}

static size_t state_size(const double *values)
{
    return sizeof(fm_isolation_forest) + places(values[1]) * sizeof(fm_isolation_tree) + kept_count(values) * 16;
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_isolation_forest *forest = state;
    memset(forest, 0, sizeof(*forest));
    forest->trees = (int32_t)values[1];
    forest->sample = (int32_t)values[2];
    forest->count = (int32_t)kept_count(values);
    while (1 << forest->levels < forest->sample)
        forest->levels++;
    fm_scaling_init(&forest->scaling, (int)values[0], (double)forest->count);
    for (int n = 2; n <= 256; n++) {
        double less = (double)(n - 1);
        forest->c[n] = n == 2 ? 1.0f : (float)(2.0 * ((fm_log)(less) + 0.5772156649) - 2.0 * less / (double)n);
    }
    forest->unit = -1.0 / (double)forest->c[forest->sample];
    return 0;
}

const fm_kernel fm_kernel_isolation_forest = {
    .name = "isolation_forest",
    .summary = "How few random cuts set the new event apart from the last ones; several series.",
    .source = "Liu, Ting & Zhou 2008",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = FM_SCALING_INPUTS,
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 0.5, .help = "towards 1: strange"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "none: always NaN"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "when ten trees are made, at preset after about 600 events",
    .cost = "~1,200 ns, 252,736 bytes",
};
