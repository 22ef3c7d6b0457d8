/* kernels/feature/rolling_quantile.c - see the header. */
#include "kernels/feature/rolling_quantile.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#include <string.h>

static const fm_field params[] = {
    {.name = "q", .unit = "1", .low = 0, .high = 1, .preset = 0.5, .help = "which quantile: 0.5 is the median"},
    {.name = "count", .unit = "events", .low = 2, .high = 10000, .preset = 100, .help = "events in the window"},
    {0},
};

static size_t state_size(const double *values)
{
    return offsetof(fm_rolling_quantile, key) + 2 * (size_t)values[1] * sizeof(uint64_t);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_rolling_quantile *rolling = state;
    int64_t count = (int64_t)values[1];
    double place = values[0] * (double)(count - 1);
    rolling->count = count;
    rolling->low = place < (double)(count - 2) ? (int64_t)place : count - 2;
    rolling->part = place - (double)rolling->low;
    rolling->per_count = 1.0 / (double)count;
    return 0;
}

/* An integer that orders as the numbers do, -0 as 0. It compares in one cycle, and what is above it is it plus 1. */
static inline uint64_t key_of(double x)
{
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, sizeof(bits));
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

static inline double number_of(uint64_t key)
{
    double x;
    uint64_t bits = key ^ ((uint64_t)((int64_t)~key >> 63) | UINT64_C(1) << 63);
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* How many values lie below x; how many are not above it; how many lie below the oldest. */
typedef struct places {
    int64_t below, upto, oldest;
} places;

/* `half`, or 0, by arithmetic: a branch would be anybody's guess. */
static inline int64_t when_less(uint64_t key, uint64_t than, int64_t half)
{
    return half & -(int64_t)(key < than);
}

/* The steps depend on `count` alone, at least 1. */
static inline __attribute__((always_inline)) places search(const uint64_t *key, int64_t count, uint64_t x,
                                                           uint64_t oldest)
{
    const uint64_t *below = key, *upto = key, *old = key;
    for (; count > 1; count -= count / 2) {
        int64_t half = count / 2;
        below += when_less(below[half - 1], x, half);
        upto += when_less(upto[half - 1], x + 1, half);
        old += when_less(old[half - 1], oldest, half);
    }
    return (places){.below = below - key + (*below < x),
                    .upto = upto - key + (*upto < x + 1),
                    .oldest = old - key + (*old < oldest)};
}

static inline places look(const fm_rolling_quantile *rolling, uint64_t x)
{
    if (__builtin_expect(rolling->filled == 0, 0))
        return (places){0};
    return search(rolling->key, rolling->filled, x, rolling->key[rolling->count + rolling->at]);
}

static inline void answer(const fm_rolling_quantile *rolling, places at, double *out)
{
    out[0] = out[1] = NAN;
    if (__builtin_expect(rolling->filled < rolling->count, 0))
        return;
    double low = number_of(rolling->key[rolling->low]), high = number_of(rolling->key[rolling->low + 1]);
    out[0] = low + rolling->part * (high - low);
    out[1] = 0.5 * rolling->per_count * (double)(at.below + at.upto);
}

static inline void replace(fm_rolling_quantile *rolling, places at, uint64_t x)
{
    uint64_t *key = rolling->key;
    int64_t to = at.below;
    if (__builtin_expect(rolling->filled < rolling->count, 0)) {
        memmove(&key[to + 1], &key[to], (size_t)(rolling->filled - to) * sizeof(*key));
        rolling->filled++;
    } else if (at.oldest < to) {
        to--;
        memmove(&key[at.oldest], &key[at.oldest + 1], (size_t)(to - at.oldest) * sizeof(*key));
    } else {
        memmove(&key[to + 1], &key[to], (size_t)(at.oldest - to) * sizeof(*key));
    }
    key[to] = x;
    key[rolling->count + rolling->at] = x;
    rolling->at = rolling->at + 1 < rolling->count ? rolling->at + 1 : 0;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = out[1] = NAN;
    if (fm_usable(in[0]))
        answer(state, look(state, key_of(in[0])), out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    if (fm_usable(in[0]))
        replace(state, look(state, key_of(in[0])), key_of(in[0]));
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = out[1] = NAN;
    if (!fm_usable(in[0]))
        return;
    uint64_t x = key_of(in[0]);
    places at = look(state, x);
    answer(state, at, out);
    replace(state, at, x);
}

FM_STEP_ONE(step_quantile, 0)
FM_STEP_ONE(step_rank, 1)

const fm_kernel fm_kernel_rolling_quantile = {
    .name = "rolling_quantile",
    .summary = "Exact quantile of the last events, and the rank of x among them.",
    .source = "R. J. Hyndman & Y. Fan, The American Statistician 50, 1996",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "quantile", .unit = "x", .usual = NAN, .help = "of the events before x"},
                           {.name = "rank", .unit = "1", .usual = 0.5, .help = "share of them below x, ties half"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_quantile, step_rank},
    .warm_up = "after count events",
    .cost = "~34 ns, 1648 bytes at count = 100",
};
