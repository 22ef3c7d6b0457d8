/* kernels/detector/random_cut_forest.c - see the header. */
#include "kernels/detector/random_cut_forest.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/mix.h"
#include "kernels/kernel.h"

#define TREES_MAX  100
#define SAMPLE_MAX 512
#define SIDE       8 /* trees walked side by side, so that the misses of one are hidden behind the others' */

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "how many of the inputs are wired"},
    {.name = "trees",
     .unit = "1",
     .low = 1,
     .high = TREES_MAX,
     .preset = 50,
     .help = "number of trees; each takes 70 bytes for each event it holds"},
    {.name = "sample",
     .unit = "events",
     .low = 16,
     .high = SAMPLE_MAX,
     .preset = 256,
     .help = "events held by a tree; 50 of 256 are 0.9 MB"},
    {.name = "count",
     .unit = "events",
     .low = 16,
     .high = 1e6,
     .preset = 2560,
     .help = "events after which the past has faded to 1/e"},
    {0},
};

/* A tree, taken apart. */
typedef struct tree {
    fm_cut_tree *head;
    fm_cut_node *node;
    fm_cut_box *box;
    uint16_t (*point)[8];
    uint16_t *parent, *leaf_of;
    uint32_t sample;
} tree;

typedef struct box { /* in registers */
    __m128i low, high;
} box;

static inline tree tree_at(const fm_random_cut_forest *forest, int t)
{
    uint32_t sample = (uint32_t)forest->sample;
    tree at = {.head = (fm_cut_tree *)((uintptr_t)(forest + 1) + (size_t)t * (size_t)forest->tree_size),
               .sample = sample};
    at.node = (fm_cut_node *)(at.head + 1);
    at.box = (fm_cut_box *)(at.node + 2 * sample);
    at.point = (uint16_t(*)[8])(at.box + sample);
    at.parent = (uint16_t *)(at.point + sample);
    at.leaf_of = at.parent + 2 * sample;
    return at;
}

static inline __m128i load(const uint16_t v[8])
{
    return _mm_loadu_si128((const __m128i *)v);
}

static inline box box_of(const tree *at, uint32_t node)
{
    if (node >= at->sample) {
        __m128i v = load(at->point[node - at->sample]);
        return (box){v, v};
    }
    return (box){load(at->box[node].low), load(at->box[node].high)};
}

static inline box both(box a, box b)
{
    return (box){_mm_min_epu16(a.low, b.low), _mm_max_epu16(a.high, b.high)};
}

static inline void store_box(const tree *at, uint32_t node, box a)
{
    _mm_storeu_si128((__m128i *)at->box[node].low, a.low);
    _mm_storeu_si128((__m128i *)at->box[node].high, a.high);
}

/* How far v is outside of the box, by input. */
static inline __m128i outside(box a, __m128i v)
{
    return _mm_or_si128(_mm_subs_epu16(a.low, v), _mm_subs_epu16(v, a.high));
}

/* Sums of eight numbers up to 32767: of a in the low half, of b in the high one. */
static inline uint64_t sums(__m128i a, __m128i b)
{
    const __m128i ones = _mm_set1_epi16(1);
    __m128i four = _mm_hadd_epi32(_mm_madd_epi16(a, ones), _mm_madd_epi16(b, ones));
    return (uint64_t)_mm_cvtsi128_si64(_mm_hadd_epi32(four, four));
}

static inline uint16_t take(uint16_t *free_one, const uint16_t *parent)
{
    uint16_t taken = *free_one;
    *free_one = parent[taken];
    return taken;
}

static inline void give_back(uint16_t *free_one, uint16_t *parent, uint16_t index)
{
    parent[index] = *free_one;
    *free_one = index;
}

/* Puts `node` where `old` hangs: under a parent, or as the root. */
static inline void hang(const tree *at, uint16_t old, uint16_t node)
{
    uint16_t parent = at->parent[old];
    at->parent[node] = parent;
    if (at->head->root == old)
        at->head->root = node;
    else
        at->node[parent].child[at->node[parent].child[1] == old] = node;
}

static uint16_t make_leaf(const tree *at, __m128i v)
{
    uint16_t leaf = take(&at->head->free_leaf, at->parent);
    _mm_storeu_si128((__m128i *)at->point[leaf - at->sample], v);
    at->node[leaf] = (fm_cut_node){.cut = 1, .child = {leaf, leaf}};
    return leaf;
}

/* Parts v from what hangs at `old`, r of the way through what v is outside by; returns its leaf. */
static uint16_t part(const tree *at, uint16_t old, box a, __m128i v, uint32_t r)
{
    uint16_t apart[8], value[8], high[8], input = 0;
    _mm_storeu_si128((__m128i *)apart, outside(a, v));
    _mm_storeu_si128((__m128i *)value, v);
    _mm_storeu_si128((__m128i *)high, a.high);
    while (r >= apart[input])
        r -= apart[input++];
    uint16_t leaf = make_leaf(at, v), node = take(&at->head->free_node, at->parent);
    bool above = value[input] > high[input];
    hang(at, old, node);
    at->node[node] = (fm_cut_node){.input = input, .cut = (uint16_t)((above ? high[input] : value[input]) + r)};
    at->node[node].child[above] = leaf;
    at->node[node].child[!above] = old;
    at->parent[leaf] = at->parent[old] = node;
    store_box(at, node, both(a, (box){v, v}));
    return leaf;
}

static uint16_t insert(const tree *at, __m128i v, uint64_t random)
{
    uint16_t value[8], node = at->head->root;
    _mm_storeu_si128((__m128i *)value, v);
    for (;;) {
        box a = box_of(at, node);
        uint64_t sum = sums(outside(a, v), _mm_sub_epi16(a.high, a.low));
        uint32_t apart = (uint32_t)sum;
        if (node >= at->sample && apart == 0) {
            at->node[node].cut++;
            return node;
        }
        uint32_t r = fm_mix_below(fm_mix(++random), apart + (uint32_t)(sum >> 32));
        if (r < apart)
            return part(at, node, a, v, r);
        store_box(at, node, both(a, (box){v, v}));
        node = at->node[node].child[value[at->node[node].input] > at->node[node].cut];
    }
}

/* Takes one event out of a leaf; boxes above shrink as far up as they touched it. */
static void take_out(const tree *at, uint16_t leaf)
{
    if (--at->node[leaf].cut > 0)
        return;
    uint16_t node = at->parent[leaf], other = at->node[node].child[at->node[node].child[0] == leaf];
    bool top = at->head->root == node;
    hang(at, node, other);
    give_back(&at->head->free_leaf, at->parent, leaf);
    give_back(&at->head->free_node, at->parent, node);
    while (!top) {
        node = at->parent[other];
        box old = box_of(at, node),
            now = both(box_of(at, at->node[node].child[0]), box_of(at, at->node[node].child[1]));
        __m128i same = _mm_and_si128(_mm_cmpeq_epi16(old.low, now.low), _mm_cmpeq_epi16(old.high, now.high));
        if (_mm_movemask_epi8(same) == 0xffff)
            return;
        store_box(at, node, now);
        top = at->head->root == node;
        other = node;
    }
}

/* Sums over trees. */
typedef struct total {
    double score;
    __m128 part[2]; /* by input */
} total;

/* From a leaf up the way by which v came to it, until v is inside a box. */
static inline void climb(const tree *at, __m128i v, const uint16_t *way, int depth, total *sum)
{
    uint32_t leaf = way[depth * SIDE] - at->sample;
    __m128i apart = outside((box){load(at->point[leaf]), load(at->point[leaf])}, v);
    __m128 part[2] = {_mm_setzero_ps(), _mm_setzero_ps()};
    float score;
    const __m128i zero = _mm_setzero_si128();
    if (_mm_testz_si128(apart, apart)) {
        double mass = (double)at->node[way[depth * SIDE]].cut;
        double log = mass > 1.0 ? fm_log2(mass + 1.0) : 1.0;
        score = (float)((1.0 - mass / (2.0 * (double)at->sample)) / ((double)depth + log));
    } else {
        score = 1.0f / (float)(depth + 1);
        __m128 unit = _mm_set1_ps(score / (float)(uint32_t)sums(apart, zero));
        part[0] = _mm_mul_ps(_mm_cvtepi32_ps(_mm_unpacklo_epi16(apart, zero)), unit);
        part[1] = _mm_mul_ps(_mm_cvtepi32_ps(_mm_unpackhi_epi16(apart, zero)), unit);
    }
    while (depth-- > 0) {
        box a = box_of(at, way[depth * SIDE]);
        apart = outside(a, v);
        if (_mm_testz_si128(apart, apart))
            break;
        uint64_t both = sums(apart, _mm_sub_epi16(a.high, a.low));
        float unit = 1.0f / (float)((int32_t)both + (int32_t)(both >> 32));
        float keep = (float)(int32_t)(both >> 32) * unit, here = unit / (float)(depth + 1);
        score = (float)(int32_t)both * here + keep * score;
        __m128 now[2] = {_mm_cvtepi32_ps(_mm_unpacklo_epi16(apart, zero)),
                         _mm_cvtepi32_ps(_mm_unpackhi_epi16(apart, zero))};
        for (int i = 0; i < 2; i++)
            part[i] = _mm_add_ps(_mm_mul_ps(now[i], _mm_set1_ps(here)), _mm_mul_ps(part[i], _mm_set1_ps(keep)));
    }
    sum->score += (double)score;
    sum->part[0] = _mm_add_ps(sum->part[0], part[0]);
    sum->part[1] = _mm_add_ps(sum->part[1], part[1]);
}

/* Walks SIDE trees down together, a level at a time, until all are in a leaf, then climbs back up the first `count`. */
static void walk(const fm_random_cut_forest *forest, int first, int count, __m128i v, total *sum)
{
    uint16_t way[(SAMPLE_MAX + 1) * SIDE], value[8], depth[SIDE];
    const fm_cut_node *node[SIDE];
    const __m128i leaf = _mm_set1_epi16((int16_t)forest->sample);
    __m128i deep = _mm_setzero_si128(), inner;
    _mm_storeu_si128((__m128i *)value, v);
    for (int k = 0; k < SIDE; k++) {
        tree at = tree_at(forest, first + (k < count ? k : 0));
        node[k] = at.node;
        way[k] = at.head->root;
    }
    for (uint16_t *at = way;; at += SIDE) {
        inner = _mm_cmplt_epi16(load(at), leaf);
        if (_mm_movemask_epi8(inner) == 0)
            break;
        deep = _mm_sub_epi16(deep, inner);
#pragma GCC unroll 8
        for (int k = 0; k < SIDE; k++) {
            const fm_cut_node *here = &node[k][at[k]];
            at[SIDE + k] = here->child[value[here->input] > here->cut];
        }
    }
    _mm_storeu_si128((__m128i *)depth, deep);
    for (int k = 0; k < count; k++) {
        tree at = tree_at(forest, first + k);
        climb(&at, v, &way[k], depth[k], sum);
    }
}

static double read(const fm_random_cut_forest *forest, __m128i v, double *out)
{
    total sum = {.part = {_mm_setzero_ps(), _mm_setzero_ps()}};
    bool ready = forest->events >= forest->sample;
    int t = 0;
    for (; ready && t < forest->trees; t += SIDE)
        walk(forest, t, forest->trees - t < SIDE ? forest->trees - t : SIDE, v, &sum);
    double score = ready ? sum.score * forest->unit : NAN, part[8];
    out[0] = score;
    out[1] = ready ? fm_tail_p(&forest->tail, fm_tail_bucket(score * score * (score * score))) : NAN;
    out[2] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    for (int i = 0; i < 2; i++) {
        _mm_storeu_pd(&part[4 * i], _mm_cvtps_pd(sum.part[i]));
        _mm_storeu_pd(&part[4 * i + 2], _mm_cvtps_pd(_mm_movehl_ps(sum.part[i], sum.part[i])));
    }
    fm_scaling_shares(&forest->scaling, part, out + 4);
    return score;
}

static void learn(fm_random_cut_forest *forest, int t, __m128i v)
{
    tree at = tree_at(forest, t);
    uint64_t random = fm_mix_at((uint64_t)t + 2, (uint64_t)forest->events);
    uint32_t slot = (uint32_t)forest->events;
    if (forest->events >= forest->sample) {
        slot = fm_mix_below(fm_mix(random), at.sample);
        take_out(&at, at.leaf_of[slot]);
    }
    if (slot == 0 && forest->events == 0)
        at.leaf_of[0] = at.head->root = make_leaf(&at, v);
    else
        at.leaf_of[slot] = insert(&at, v, random);
}

static void push(fm_random_cut_forest *forest, const double *in, __m128i v, double score)
{
    int64_t n = forest->events, past = n + 1 < forest->count ? n + 1 : forest->count;
    uint32_t chance = n < forest->sample ? 65536 : (uint32_t)(65536 * (int64_t)forest->sample / past);
    uint64_t bits = 0;
    for (int t = 0; t < forest->trees; t++) {
        bits = t % 4 == 0 ? fm_mix_at(1, (uint64_t)(32 * n + t / 4)) : bits >> 16;
        if ((bits & 65535) < chance)
            learn(forest, t, v);
    }
    if (n >= forest->sample)
        fm_tail_add(&forest->tail, fm_tail_bucket(score * score * (score * score)));
    fm_scaling_add(&forest->scaling, in);
    forest->events++;
}

static void missing(const fm_random_cut_forest *forest, double *out)
{
    for (int i = 0; i < 4 + FM_SCALING_DIMS; i++)
        out[i] = NAN;
    out[3] = forest->events >= forest->sample ? 1.0 : 0.0;
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    fm_random_cut_forest *forest = state;
    if (FM_UNLIKELY(!fm_scaling_read(&forest->scaling, in, z))) {
        missing(forest, out);
        return;
    }
    __m128i v = fm_scaling_point(z);
    push(forest, in, v, read(forest, v, out));
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    const fm_random_cut_forest *forest = state;
    if (FM_UNLIKELY(!fm_scaling_read(&forest->scaling, in, z)))
        missing(forest, out);
    else
        read(forest, fm_scaling_point(z), out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[FM_KERNEL_OUTPUTS_MAX];
    step(state, ts_ns, in, out);
}

static size_t tree_size(const double *values)
{
    size_t sample = (size_t)values[2];
    size_t size = sizeof(fm_cut_tree) + 2 * sample * sizeof(fm_cut_node) + sample * sizeof(fm_cut_box) +
                  sample * 8 * sizeof(uint16_t) + 3 * sample * sizeof(uint16_t);
    return (size + 7) & ~(size_t)7;
}

static size_t state_size(const double *values)
{
    return sizeof(fm_random_cut_forest) + (size_t)values[1] * tree_size(values);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_random_cut_forest *forest = state;
    *forest = (fm_random_cut_forest){.trees = (int32_t)values[1],
                                     .sample = (int32_t)values[2],
                                     .count = (int32_t)values[3],
                                     .tree_size = (int32_t)tree_size(values)};
    if (forest->count < forest->sample)
        forest->count = forest->sample;
    forest->unit = fm_log2((double)forest->sample + 1.0) / (double)forest->trees;
    fm_scaling_init(&forest->scaling, (int)values[0], (double)forest->count);
    for (int t = 0; t < forest->trees; t++) {
        tree at = tree_at(forest, t);
        at.head->free_leaf = (uint16_t)at.sample;
        for (uint32_t i = 0; i < 2 * at.sample; i++)
            at.parent[i] = (uint16_t)(i + 1);
    }
    return 0;
}

const fm_kernel fm_kernel_random_cut_forest = {
    .name = "random_cut_forest",
    .summary = "How soon random cuts part the new event from a fading sample; several series.",
    .source = "Guha, Mishra, Roy & Schrijvers 2016",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = FM_SCALING_INPUTS,
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 1, .help = "expected displacement"},
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
    .warm_up = "after `sample` events",
    .cost = "~6 us, 896,952 bytes",
};
