/* kernels/detector/half_space_trees.c - see the header. */
#include "kernels/detector/half_space_trees.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/mix.h"
#include "kernels/kernel.h"

#define TREES_MAX  64
#define GROUPS_MAX 4 /* of four levels */
#define PLACES     32

static const fm_field params[] = {
    {.name = "dims", .unit = "1", .low = 1, .high = 8, .preset = 1, .help = "how many of the inputs are wired"},
    {.name = "trees", .unit = "1", .low = 1, .high = TREES_MAX, .preset = 25, .help = "number of trees"},
    {.name = "depth", .unit = "1", .low = 1, .high = 16, .preset = 8, .help = "how often a tree cuts the space in two"},
    {.name = "count", .unit = "events", .low = 16, .high = 2500, .preset = 500, .help = "events of a window"},
    {0},
};

/* Digits of input j in tree t: y = (u * a >> 16) + b. Both are numbers that the compiler works out. */
#define CUT(n)     ((uint32_t)(FM_MIX(n) >> 48))
#define FARTHER(n) (CUT(n) > 32768 ? CUT(n) : 65536 - CUT(n))
#define A1(n)      ((uint16_t)((UINT32_C(1) << 30) / FARTHER(n)))
#define B1(n)      ((uint16_t)(32768 - CUT(n) * 16384 / FARTHER(n)))
#define ROW(M, t)                                                                                                      \
    {                                                                                                                  \
        M(8 * (t)), M(8 * (t) + 1), M(8 * (t) + 2), M(8 * (t) + 3), M(8 * (t) + 4), M(8 * (t) + 5), M(8 * (t) + 6),    \
            M(8 * (t) + 7)                                                                                             \
    }
#define ROWS_4(M, t)  ROW(M, t), ROW(M, (t) + 1), ROW(M, (t) + 2), ROW(M, (t) + 3)
#define ROWS_16(M, t) ROWS_4(M, t), ROWS_4(M, (t) + 4), ROWS_4(M, (t) + 8), ROWS_4(M, (t) + 12)
static const uint16_t range_a[TREES_MAX][8] = {ROWS_16(A1, 0), ROWS_16(A1, 16), ROWS_16(A1, 32), ROWS_16(A1, 48)};
static const uint16_t range_b[TREES_MAX][8] = {ROWS_16(B1, 0), ROWS_16(B1, 16), ROWS_16(B1, 32), ROWS_16(B1, 48)};

/* The random numbers of the first blocks. */
#define ROOT(t)     FM_MIX_FAST((UINT64_C(1) + 4 * (t)) << 40)
#define ROOTS_4(t)  ROOT(t), ROOT((t) + 1), ROOT((t) + 2), ROOT((t) + 3)
#define ROOTS_16(t) ROOTS_4(t), ROOTS_4((t) + 4), ROOTS_4((t) + 8), ROOTS_4((t) + 12)

/* Where an event goes: in each group of levels and tree, 48 times the block plus which of its 16 lowest parts. */
typedef struct ways {
    uint32_t at[GROUPS_MAX][TREES_MAX];
} ways;

static inline uint8_t *masses_of(const fm_half_space_trees *trees, int plane)
{
    return (uint8_t *)(uintptr_t)(trees + 1) + (size_t)plane * 16;
}

/* The 15 nodes of a block stand in five families of a node and its halves: 1 2 3, 4 8 9, 5 10 11, 6 12 13, 7 14 15,
 * from byte 1 on. By byte: where the node's parent stands, its grandparent, and the one above; 0 = none. */
static const uint8_t above[3][16] __attribute__((aligned(16))) = {
    {0, 0, 1, 1, 2, 4, 4, 2, 7, 7, 3, 10, 10, 3, 13, 13},
    {0, 0, 0, 0, 1, 2, 2, 1, 2, 2, 1, 3, 3, 1, 3, 3},
    {0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1},
};

/* Input of each of 15 nodes, as the place of the high byte of its digits: byte 0 is no input. */
static inline __m128i inputs_of(uint64_t random, __m128i input_of)
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i bits = _mm_cvtsi64_si128((int64_t)random);
    bits = _mm_unpacklo_epi8(_mm_and_si128(bits, low), _mm_and_si128(_mm_srli_epi16(bits, 4), low));
    return _mm_or_si128(_mm_shuffle_epi8(input_of, bits), _mm_cvtsi32_si128(255));
}

/* The digit that each node would ask for, in the bit where it stands: the first one left of its input, or the next when
 * a node above in the block asked for that. */
static inline uint32_t digits_of(__m128i inputs, __m128i y)
{
    const __m128i digit = _mm_set1_epi32(0x10204080);
    __m128i asked = _mm_setzero_si128();
    for (int i = 0; i < 3; i++) {
        __m128i input = _mm_shuffle_epi8(inputs, _mm_load_si128((const __m128i *)above[i]));
        asked = _mm_sub_epi8(asked, _mm_cmpeq_epi8(inputs, input));
    }
    __m128i mask = _mm_shuffle_epi8(digit, asked);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(_mm_shuffle_epi8(y, inputs), mask), mask));
}

/* Which of the 16 lowest parts the digits lead to: two levels, a family, at a time. */
static inline uint32_t part_of(uint32_t digits)
{
    static const uint8_t way[8] = {0, 2, 1, 2, 0, 3, 1, 3}; /* by the digits of a node and its two halves */
    uint32_t family = way[digits >> 1 & 7];
    return 4 * family + way[digits >> (4 + 3 * family) & 7];
}

/* Drops the digits that the four nodes on the way to `part` asked for. */
static inline __m128i drop(__m128i y, __m128i inputs, uint32_t part)
{
#define ALL(a)                                                                                                         \
    {                                                                                                                  \
        a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a                                                                 \
    }
    static const uint8_t stand[4][8][16] __attribute__((aligned(16))) = {
        {ALL(1)},
        {ALL(2), ALL(3)},
        {ALL(4), ALL(7), ALL(10), ALL(13)},
        {ALL(5), ALL(6), ALL(8), ALL(9), ALL(11), ALL(12), ALL(14), ALL(15)},
    };
    const __m128i place = _mm_set_epi16(0x0f0f, 0x0d0d, 0x0b0b, 0x0909, 0x0707, 0x0505, 0x0303, 0x0101);
    for (int level = 0; level < 4; level++) {
        const uint8_t *at = stand[level][level == 0 ? 0 : part >> (4 - level)];
        __m128i input = _mm_shuffle_epi8(inputs, _mm_load_si128((const __m128i *)at));
        y = _mm_add_epi16(y, _mm_and_si128(y, _mm_cmpeq_epi8(input, place)));
    }
    return y;
}

/* u of the eight inputs, 16 bits each. */
static inline __m128i fixed_point(const double z[8])
{
    __m128i pair[4];
    for (int i = 0; i < 4; i++) {
        __m128d u = _mm_add_pd(_mm_mul_pd(_mm_loadu_pd(&z[2 * i]), _mm_set1_pd(4096.0)), _mm_set1_pd(32768.0));
        pair[i] = _mm_cvttpd_epi32(u);
    }
    return _mm_packus_epi32(_mm_unpacklo_epi64(pair[0], pair[1]), _mm_unpacklo_epi64(pair[2], pair[3]));
}

/* One group of levels of all trees, so that the ways through several trees are found side by side. */
static inline __attribute__((always_inline)) void find_group(const fm_half_space_trees *trees, __m128i y[TREES_MAX],
                                                             uint32_t path[TREES_MAX], uint32_t at[TREES_MAX],
                                                             int group, int groups)
{
    static const uint64_t root[TREES_MAX] = {ROOTS_16(0), ROOTS_16(16), ROOTS_16(32), ROOTS_16(48)};
    static const uint32_t before[GROUPS_MAX] = {0, 1, 17, 49}, width[GROUPS_MAX] = {1, 16, PLACES, PLACES};
    const __m128i input_of = _mm_loadu_si128((const __m128i *)trees->input_of);
    const uint8_t *masses = masses_of(trees, 0);
    uint32_t count = (uint32_t)trees->trees, first = before[group] * count * 48;
    uint32_t last = group + 1 < groups ? 15 : 0xf0u >> ((trees->depth + 3) % 4 + 1) & 15;
    for (uint32_t t = 0; t < count; t++, first += width[group] * 48) {
        uint64_t random = group == 0 ? root[t] : fm_mix_fast((uint64_t)(1 + 4 * t + (uint32_t)group) << 40 | path[t]);
        uint32_t place = group == 0 ? 0 : group == 1 ? path[t] : (uint32_t)random % PLACES;
        uint32_t block = first + 48 * place;
        __builtin_prefetch(&masses[block]);
        __m128i inputs = inputs_of(random, input_of);
        uint32_t part = part_of(digits_of(inputs, y[t]));
        if (group + 1 < groups) {
            y[t] = drop(y[t], inputs, part);
            path[t] = group == 0 ? part : path[t] << 4 | part;
        }
        at[t] = block + (part & last);
    }
}

static inline __attribute__((always_inline)) void find_way(const fm_half_space_trees *trees, const double z[8],
                                                           ways *to, int groups)
{
    __m128i u = fixed_point(z), y[TREES_MAX];
    uint32_t path[TREES_MAX];
    const uint8_t *turn = trees->turn[0], *end = trees->turn[trees->scaling.dims];
    for (int t = 0; t < trees->trees; t++) {
        __m128i digits = _mm_mulhi_epu16(u, _mm_loadu_si128((const __m128i *)range_a[t]));
        digits = _mm_add_epi16(digits, _mm_loadu_si128((const __m128i *)range_b[t]));
        y[t] = _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i *)turn));
        turn = turn + 16 < end ? turn + 16 : trees->turn[0];
    }
#pragma GCC unroll 4
    for (int group = 0; group < groups; group++)
        find_group(trees, y, path, to->at[group], group, groups);
}

/* The masses of four levels of a block on a way, in the even 16-bit lanes. */
static inline __m128i masses(const uint8_t *plane, uint32_t at)
{
#define WAY(a, b, c)                                                                                                   \
    {                                                                                                                  \
        {-1, -1, -1, -1, -1, -1, -1, -1, -!(a), -!(a), -!(a), -!(a), -(a), -(a), -(a), -(a)},                          \
        {                                                                                                              \
            -!((a) || (b)), -!((a) || (b)), -!((a) || !(b)), -!((a) || !(b)), -!(!(a) || (b)), -!(!(a) || (b)),        \
                -((a) && (b)), -((a) && (b)), -(4 * (a) + 2 * (b) + (c) == 0), -(4 * (a) + 2 * (b) + (c) == 1),        \
                -(4 * (a) + 2 * (b) + (c) == 2), -(4 * (a) + 2 * (b) + (c) == 3), -(4 * (a) + 2 * (b) + (c) == 4),     \
                -(4 * (a) + 2 * (b) + (c) == 5), -(4 * (a) + 2 * (b) + (c) == 6), -(4 * (a) + 2 * (b) + (c) == 7)      \
        }                                                                                                              \
    }
    static const int8_t shares[8][2][16] __attribute__((aligned(16))) = {
        WAY(0, 0, 0), WAY(0, 0, 1), WAY(0, 1, 0), WAY(0, 1, 1), WAY(1, 0, 0), WAY(1, 0, 1), WAY(1, 1, 0), WAY(1, 1, 1)};
    const __m128i zero = _mm_setzero_si128();
    __m128i eight = _mm_loadl_epi64((const __m128i *)&plane[at & ~7u]);
    eight = _mm_unpacklo_epi64(eight, eight);
    __m128i high = _mm_sad_epu8(_mm_and_si128(eight, _mm_load_si128((const __m128i *)shares[at & 7][0])), zero);
    __m128i low = _mm_sad_epu8(_mm_and_si128(eight, _mm_load_si128((const __m128i *)shares[at & 7][1])), zero);
    return _mm_packs_epi32(high, low);
}

/* Lanes that are set from the first one on without a gap. */
static inline __m128i unbroken(__m128i lanes)
{
    const __m128i ones = _mm_set1_epi8(-1);
    lanes = _mm_and_si128(lanes, _mm_alignr_epi8(lanes, ones, 14));
    lanes = _mm_and_si128(lanes, _mm_alignr_epi8(lanes, ones, 12));
    return _mm_and_si128(lanes, _mm_alignr_epi8(lanes, ones, 8));
}

/* One event more in a part. */
static inline void count_in(uint8_t *mass)
{
    uint32_t more = *mass + 1u;
    *mass = (uint8_t)(more - (more >> 8));
}

/* Sum over the trees of mass * 2^level where the way through the reference ends; counts the event too if told where. In
 * the first eight levels a mass is never larger than the one above; below, in shared places, it may be. */
static inline __attribute__((always_inline)) uint64_t density(const fm_half_space_trees *trees, const ways *at,
                                                              uint8_t *counted, int groups)
{
    static const uint16_t inner[32] = {65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
                                       65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535};
    const __m128i power = _mm_set_epi16(256, 128, 64, 32, 16, 8, 4, 2), ones = _mm_set1_epi8(-1);
    const __m128i limit = _mm_set1_epi16((int16_t)trees->limit);
    const __m128i inner_high = _mm_loadu_si128((const __m128i *)&inner[17 - trees->depth]);
    const __m128i inner_low = _mm_loadu_si128((const __m128i *)&inner[25 - trees->depth]);
    const uint8_t *reference = masses_of(trees, trees->plane == 0 ? 2 : trees->plane - 1);
    __m128i high = _mm_setzero_si128(), low = high;
    for (int t = 0; t < trees->trees; t++) {
        __m128i four[GROUPS_MAX] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
#pragma GCC unroll 4
        for (int group = 0; group < groups; group++) {
            four[group] = masses(reference, at->at[group][t]);
            if (counted != NULL)
                count_in(&counted[at->at[group][t]]);
        }
        __m128i mass = _mm_packs_epi32(four[0], four[1]);
        __m128i goes_on = _mm_and_si128(_mm_cmpgt_epi16(mass, limit), inner_high);
        __m128i ends = _mm_andnot_si128(goes_on, _mm_alignr_epi8(goes_on, ones, 14));
        high = _mm_add_epi32(high, _mm_madd_epi16(_mm_and_si128(mass, ends), power));
        if (groups > 2) {
            __m128i below = _mm_packs_epi32(four[2], four[3]);
            __m128i deeper = unbroken(_mm_and_si128(_mm_cmpgt_epi16(below, limit), inner_low));
            ends = _mm_andnot_si128(deeper, _mm_alignr_epi8(deeper, ones, 14));
            ends = _mm_and_si128(ends, _mm_shuffle_epi8(goes_on, _mm_set1_epi8(15)));
            low = _mm_add_epi32(low, _mm_madd_epi16(_mm_and_si128(below, ends), power));
        }
    }
    uint32_t sum[8];
    _mm_storeu_si128((__m128i *)&sum[0], high);
    _mm_storeu_si128((__m128i *)&sum[4], low);
    return (uint64_t)sum[0] + sum[1] + sum[2] + sum[3] + 256 * ((uint64_t)sum[4] + sum[5] + sum[6] + sum[7]);
}

/* The score, NaN while there is none. */
static inline __attribute__((always_inline)) double read(const fm_half_space_trees *trees, const ways *at,
                                                         uint8_t *counted, double out[4], int groups)
{
    bool ready = trees->windows > 0;
    double sum = (double)(int64_t)density(trees, at, counted, groups);
    double score = ready ? 1.0 / (sum * trees->unit + 0x1p-10) : NAN;
    out[0] = score;
    out[1] = ready ? fm_tail_p(&trees->tail, fm_tail_bucket(score)) : NAN;
    out[2] = NAN;
    out[3] = ready ? 1.0 : 0.0;
    return score;
}

/* The rest of an event that has been counted. */
static void push(fm_half_space_trees *trees, const double *in, double score)
{
    int next = trees->plane == 2 ? 0 : trees->plane + 1;
    uint8_t *cleared = masses_of(trees, next);
    for (int32_t i = trees->filled * trees->cleared, end = i + trees->cleared; i < end && i < trees->block_count; i++)
        _mm_storeu_si128((__m128i *)&cleared[48 * i], _mm_setzero_si128());
    if (FM_LIKELY(trees->windows > 0))
        fm_tail_add(&trees->tail, fm_tail_bucket(score));
    fm_scaling_add(&trees->scaling, in);
    if (FM_UNLIKELY(++trees->filled >= trees->count)) {
        trees->filled = 0;
        trees->plane = next;
        trees->windows++;
    }
}

static void missing(const fm_half_space_trees *trees, double out[4])
{
    out[0] = out[1] = out[2] = NAN;
    out[3] = trees->windows > 0 ? 1.0 : 0.0;
}

/* These two come in four kinds each, by the number of groups that the depth makes. */
static inline __attribute__((always_inline)) void read_by(const fm_half_space_trees *trees, const double z[8],
                                                          double out[4], int groups)
{
    ways at;
    find_way(trees, z, &at, groups);
    read(trees, &at, NULL, out, groups);
}

static inline __attribute__((always_inline)) void step_by(fm_half_space_trees *trees, const double z[8],
                                                          const double *in, double out[4], int groups)
{
    ways at;
    find_way(trees, z, &at, groups);
    push(trees, in, read(trees, &at, masses_of(trees, trees->plane), out, groups));
}

#define BY_DEPTH(function, trees, ...)                                                                                 \
    switch (((trees)->depth + 3) / 4) {                                                                                \
    case 1:                                                                                                            \
        function(trees, __VA_ARGS__, 1);                                                                               \
        break;                                                                                                         \
    case 2:                                                                                                            \
        function(trees, __VA_ARGS__, 2);                                                                               \
        break;                                                                                                         \
    case 3:                                                                                                            \
        function(trees, __VA_ARGS__, 3);                                                                               \
        break;                                                                                                         \
    default:                                                                                                           \
        function(trees, __VA_ARGS__, 4);                                                                               \
    }

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    fm_half_space_trees *trees = state;
    if (FM_UNLIKELY(!fm_scaling_read(&trees->scaling, in, z)))
        missing(trees, out);
    else
        BY_DEPTH(step_by, trees, z, in, out)
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    double z[8];
    const fm_half_space_trees *trees = state;
    if (FM_UNLIKELY(!fm_scaling_read(&trees->scaling, in, z)))
        missing(trees, out);
    else
        BY_DEPTH(read_by, trees, z, out)
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[4];
    step(state, ts_ns, in, out);
}

static size_t block_count(const double *values)
{
    double depth = values[2];
    return (size_t)values[1] * (depth > 12 ? 81 : depth > 8 ? 49 : depth > 4 ? 17 : 1);
}

static size_t state_size(const double *values)
{
    return sizeof(fm_half_space_trees) + block_count(values) * sizeof(fm_half_space_block);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_half_space_trees *trees = state;
    int dims = (int)values[0];
    *trees = (fm_half_space_trees){.trees = (int32_t)values[1],
                                   .depth = (int32_t)values[2],
                                   .count = (int32_t)values[3],
                                   .block_count = (int32_t)block_count(values)};
    trees->limit = trees->count / 10;
    trees->cleared = (trees->block_count + trees->count - 1) / trees->count;
    trees->unit = 8.0 / ((double)trees->trees * (double)trees->count * (double)(1 << trees->depth));
    fm_scaling_init(&trees->scaling, dims, 4.0 * (double)trees->count);
    for (int bits = 0; bits < 16; bits++)
        trees->input_of[bits] = (uint8_t)(1 + 2 * (bits * dims / 16));
    for (int turn = 0; turn < dims; turn++)
        for (int i = 0; i < 16; i++)
            trees->turn[turn][i] = (uint8_t)(i / 2 < dims ? 2 * ((i / 2 + turn) % dims) + i % 2 : i);
    return 0;
}

const fm_kernel fm_kernel_half_space_trees = {
    .name = "half_space_trees",
    .summary = "How thinly the last events are spread where the new one fell; several series.",
    .source = "Tan, Ting & Liu 2011",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = FM_SCALING_INPUTS,
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 1, .help = "inverse density of the past"},
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
    .cost = "~490 ns, 21,112 bytes",
};
