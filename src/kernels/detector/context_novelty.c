/* kernels/detector/context_novelty.c - see the header. */
#include "kernels/detector/context_novelty.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define LEVELS_MAX FM_CONTEXT_LEVELS_MAX
#define DEPTH_MAX  8
#define WAYS       4   /* places that may hold a context */
#define COUNT_MAX  512 /* times a context came at which its counts are halved */
#define WARM_COUNT 100
#define TAIL_SHARE 0.01 /* of the rows that the lowest and the highest level are for */
#define FRINGE     0.25 /* of a level: so near to the next one that it may be that one */
#define RATIO_MAX  1e30 /* so that a float holds it */
#define P_SCALE    4.0

static const fm_field params[] = {
    {.name = "levels", .unit = "1", .low = 3, .high = LEVELS_MAX, .preset = 8, .help = "levels that x is told by"},
    {.name = "depth", .unit = "rows", .low = 1, .high = DEPTH_MAX, .preset = 4, .help = "rows of the longest context"},
    {.name = "kept",
     .unit = "contexts",
     .low = 16,
     .high = 65536,
     .preset = 2048,
     .help = "contexts that are remembered"},
    {.name = "memory",
     .unit = "rows",
     .low = 100,
     .high = 1e5,
     .preset = 5000,
     .help = "age at which a row weighs 1/e in the levels"},
    {0},
};

/* What came after a context. An empty place has the tag 0. */
typedef struct slot {
    uint32_t tag, used; /* used: the row that met it last */
    uint16_t total, count[];
} slot;

/* What the rows before x let expect. */
typedef struct outlook {
    uint64_t key[DEPTH_MAX + 1]; /* of the contexts */
    int64_t contexts;
    double p[LEVELS_MAX];
} outlook;

static int64_t kept_of(const double *values)
{
    return (int64_t)values[2] / WAYS * WAYS;
}

static int64_t slot_size_of(const double *values)
{
    return (10 + 2 * (int64_t)values[0] + 7) / 8 * 8;
}

size_t fm_context_novelty_size(const double values[4])
{
    return sizeof(fm_context_novelty) + (size_t)(kept_of(values) * slot_size_of(values));
}

int fm_context_novelty_init(fm_context_novelty *state, const double values[4])
{
    FM_TRY(fm_kernel_check(params, values));
    *state = (fm_context_novelty){.levels = (int64_t)values[0],
                                  .depth = (int64_t)values[1],
                                  .kept = kept_of(values),
                                  .memory = values[3],
                                  .slot_size = slot_size_of(values)};
    fm_ranks_init(&state->ranks, FM_RANKS_WAITING);
    memset(state->slots, 0, (size_t)(state->kept * state->slot_size));
    return 0;
}

static slot *slot_at(const fm_context_novelty *state, int64_t index)
{
    return (slot *)((char *)state->slots + index * state->slot_size);
}

/* The first of the places that may hold a context; sets its tag. */
static int64_t places_of(const fm_context_novelty *state, uint64_t key, uint32_t *tag)
{
    key ^= key >> 32;
    key *= UINT64_C(0x9e3779b97f4a7c15);
    *tag = (uint32_t)key | 1u;
    return (int64_t)((key >> 32) * (uint64_t)(state->kept / WAYS) >> 32) * WAYS;
}

static slot *find(const fm_context_novelty *state, uint64_t key)
{
    uint32_t tag;
    int64_t first = places_of(state, key, &tag);
    for (int i = 0; i < WAYS; i++)
        if (slot_at(state, first + i)->tag == tag)
            return slot_at(state, first + i);
    return NULL;
}

/* The place of a context, made if there is none, and met now. */
static slot *meet(fm_context_novelty *state, uint64_t key)
{
    uint32_t tag, now = (uint32_t)state->seen, longest = 0;
    slot *found = find(state, key);
    if (found == NULL) {
        int64_t first = places_of(state, key, &tag);
        found = slot_at(state, first);
        for (int i = 0; i < WAYS; i++) {
            slot *at = slot_at(state, first + i);
            uint32_t age = at->tag == 0 ? UINT32_MAX : now - at->used;
            if (age > longest) {
                longest = age;
                found = at;
            }
        }
        memset(found, 0, (size_t)state->slot_size);
        found->tag = tag;
    }
    found->used = now;
    return found;
}

static void count(fm_context_novelty *state, slot *at, int level)
{
    at->count[level]++;
    if (++at->total < COUNT_MAX)
        return;
    at->total = 0;
    for (int64_t i = 0; i < state->levels; i++) {
        at->count[i] /= 2;
        at->total = (uint16_t)(at->total + at->count[i]);
    }
}

static void rely(const fm_context_novelty *state, const slot *at, double *p)
{
    int different = 0;
    for (int64_t i = 0; i < state->levels; i++)
        different += at->count[i] > 0;
    double e = different > 1 ? (double)different : 1.0, share = 1.0 / ((double)at->total + e);
    for (int64_t i = 0; i < state->levels; i++)
        p[i] = ((double)at->count[i] + e * p[i]) * share;
}

static void look_out(const fm_context_novelty *state, outlook *ahead)
{
    int64_t depth = state->seen < state->depth ? state->seen : state->depth;
    for (int64_t i = 0; i < state->levels; i++)
        ahead->p[i] = 1.0 / (double)state->levels;
    uint64_t key = 1;
    ahead->contexts = depth + 1;
    for (int64_t d = 0; d <= depth; d++) {
        if (d > 0)
            key = key * (LEVELS_MAX + 1) + state->past[d - 1] + 1;
        ahead->key[d] = key;
        const slot *at = find(state, key);
        if (at != NULL)
            rely(state, at, ahead->p);
    }
}

typedef struct place {
    int level, near;
} place;

static double in_units(const fm_context_novelty *state, double x)
{
    double y = state->unit > 0.0 ? (x - state->origin) / state->unit : 0.0;
    return y > RATIO_MAX ? RATIO_MAX : y < -RATIO_MAX ? -RATIO_MAX : y;
}

/* The level of y, and the one that it is nearly in. */
static place place_of(const fm_context_novelty *state, double y)
{
    fm_rank rank = fm_ranks_of(&state->ranks, (float)y);
    double r = ((double)rank.below + 0.5 * (double)rank.equal + 0.5) / ((double)rank.all + 1.0);
    int last = (int)state->levels - 1;
    double inside = (double)(last - 1), at; /* its whole part is the level */
    if (r < TAIL_SHARE)
        at = r / TAIL_SHARE;
    else if (r >= 1.0 - TAIL_SHARE)
        at = (double)last + (r - (1.0 - TAIL_SHARE)) / TAIL_SHARE;
    else
        at = 1.0 + (r - TAIL_SHARE) / (1.0 - 2.0 * TAIL_SHARE) * inside;
    int level = (int)at;
    level = level < last ? level : last;
    double part = at - (double)level;
    int near = part < FRINGE ? level - 1 : part >= 1.0 - FRINGE ? level + 1 : level;
    return (place){.level = level, .near = near < 0 ? 0 : near > last ? last : near};
}

static double expected_of(const fm_context_novelty *state, const outlook *ahead)
{
    double sum = 0.0, weight = 0.0;
    for (int64_t i = 0; i < state->levels; i++) {
        double p = state->level_count[i] > 0.0 ? ahead->p[i] : 0.0;
        sum += p * state->level_mean[i];
        weight += p;
    }
    return fm_finite(state->origin + state->unit * (sum / weight));
}

static bool is_ready(const fm_context_novelty *state)
{
    return state->seen >= WARM_COUNT;
}

static unsigned bucket_of(double score)
{
    return fm_tail_bucket(P_SCALE * score * score);
}

/* -log of 1 may be -0 or, by rounding, below. */
static double score_of(const outlook *ahead, place at)
{
    double p = ahead->p[at.level], near = ahead->p[at.near];
    return fm_positive(-(fm_log)(p > near ? p : near));
}

static void write(const fm_context_novelty *state, const outlook *ahead, place at, double out[4])
{
    out[0] = out[1] = out[2] = NAN;
    out[3] = is_ready(state) ? 1.0 : 0.0;
    if (!is_ready(state) || ahead == NULL)
        return;
    out[0] = score_of(ahead, at);
    out[1] = fm_tail_p(&state->tail, bucket_of(out[0]));
    out[2] = expected_of(state, ahead);
}

static void learn(fm_context_novelty *state, double x, double y, const outlook *ahead, place at)
{
    if (is_ready(state))
        fm_tail_add(&state->tail, bucket_of(score_of(ahead, at)));
    for (int64_t d = 0; d < ahead->contexts; d++)
        count(state, meet(state, ahead->key[d]), at.level);
    if (state->seen == 0)
        state->origin = x;
    if (!(state->unit > 0.0) && x != state->origin) { /* all before were at 0 */
        state->unit = fabs(x - state->origin);
        y = in_units(state, x);
    }
    fm_ranks_add(&state->ranks, (float)y, (float)state->memory);
    double *number = &state->level_count[at.level];
    *number += *number < state->memory ? 1.0 : 0.0;
    state->level_mean[at.level] += (y - state->level_mean[at.level]) / *number;
    memmove(&state->past[1], &state->past[0], sizeof(state->past) - 1);
    state->past[0] = (uint8_t)at.level;
    state->seen++;
}

void fm_context_novelty_score(const fm_context_novelty *state, double x, double out[4])
{
    outlook ahead;
    if (!fm_usable(x)) {
        write(state, NULL, (place){0}, out);
        return;
    }
    look_out(state, &ahead);
    write(state, &ahead, place_of(state, in_units(state, x)), out);
}

static void advance(fm_context_novelty *state, double x, double *out)
{
    outlook ahead;
    double y = in_units(state, x);
    place at = place_of(state, y);
    look_out(state, &ahead);
    if (out != NULL)
        write(state, &ahead, at, out);
    learn(state, x, y, &ahead, at);
}

void fm_context_novelty_update(fm_context_novelty *state, double x)
{
    if (fm_usable(x))
        advance(state, x, NULL);
}

static int init(void *state, const double *values)
{
    return fm_context_novelty_init(state, values);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_context_novelty_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_context_novelty_update(state, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0])))
        score(state, ts_ns, in, out);
    else
        advance(state, in[0], out);
}

const fm_kernel fm_kernel_context_novelty = {
    .name = "context_novelty",
    .summary = "Was this value ever seen to follow what came before it?",
    .source = "Smirnov 2016; Ahmad et al. 2017; Moffat 1990",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "score", .unit = "nats", .usual = 1.5, .help = "surprise of x in its context"},
                           {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                           {.name = "expected", .unit = "x", .usual = NAN, .help = "mean of what follows here"},
                           {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                           {0}},
    .state_size = fm_context_novelty_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 100 values",
    .cost = "~0.45 us, 67456 bytes",
};
