/* tests/unit/kernels/series.h - inputs for any kernel, by the names in its table, and a run over them. */
#ifndef FM_TESTS_UNIT_KERNELS_SERIES_H
#define FM_TESTS_UNIT_KERNELS_SERIES_H

#include "assert_near.h"

#include "base/event.h"
#include "base/fmath.h"
#include "base/random.h"
#include "kernels/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* States up to this size are run over all rows of a test, larger ones over fewer, since each row copies or compares them. */
#define STATE_USUAL 65536

typedef struct test_row {
    int64_t ts_ns;
    double in[FM_KERNEL_INPUTS_MAX];
} test_row;

typedef struct test_state { /* all zero before the first start; test_state_free at the end */
    size_t size;
    unsigned char *bytes;
} test_state;

typedef struct test_market { /* a random walk with quotes, trades, bars, orders, a session and a market around it */
    fm_random random;
    int64_t ts_ns;
    double price, before, other;
} test_market;

static inline void market_init(test_market *market, uint64_t seed)
{
    fm_random_seed(&market->random, seed);
    market->ts_ns = 1399032000 * FM_NS_PER_S;
    market->price = market->before = market->other = 100.0;
}

static inline double market_input(test_market *market, const char *name)
{
    fm_random *random = &market->random;
    double middle = 0.01 * floor(100.0 * market->price), before = 0.01 * floor(100.0 * market->before);
    double half = 0.005 * (double)(1 + fm_random_below(random, 4)), above = middle > before ? middle : before;
    if (strcmp(name, "x") == 0 || strcmp(name, "price") == 0 || strcmp(name, "close") == 0)
        return middle;
    if (name[0] == 'x') /* x2 … x8 */
        return middle * (double)(name[1] - '0') + fm_random_normal(random);
    if (strcmp(name, "bid") == 0)
        return middle - half;
    if (strcmp(name, "ask") == 0)
        return middle + half;
    if (strcmp(name, "open") == 0)
        return before;
    if (strcmp(name, "high") == 0)
        return above + 0.01;
    if (strcmp(name, "low") == 0)
        return (above == middle ? before : middle) - 0.01;
    if (strcmp(name, "side") == 0)
        return fm_random_below(random, 2) == 0 ? NAN : fm_random_below(random, 2) == 0 ? 1.0 : -1.0;
    if (strcmp(name, "event") == 0)
        return 1.0;
    if (strcmp(name, "action") == 0)
        return (double)(1 + fm_random_below(random, 4));
    if (strcmp(name, "session_minute") == 0) /* a session is over in a minute, so that a short series has many */
        return (double)(market->ts_ns / FM_NS_PER_S % 60);
    if (strcmp(name, "day_type") == 0)
        return 0.0;
    if (strcmp(name, "sector_mean") == 0)
        return market->other;
    if (strcmp(name, "sector_sd") == 0)
        return 0.5 + fm_random_unit(random);
    if (strcmp(name, "sector_rank") == 0)
        return fm_random_unit(random);
    if (strcmp(name, "market") == 0)
        return market->other;
    return (double)(1 + fm_random_below(random, 1000)); /* sizes, depths, ages */
}

/* Now and then a gap, an equal time, a late tick; times between are about 50 ms. */
static inline test_row market_next(test_market *market, const fm_kernel *kernel)
{
    fm_random *random = &market->random;
    test_row next = {0};
    uint64_t kind = fm_random_below(random, 100);
    int64_t late_ns = 0;
    if (kind == 0)
        market->ts_ns += (int64_t)fm_random_below(random, 20 * FM_NS_PER_S);
    else if (kind < 4)
        late_ns = (int64_t)fm_random_below(random, 2 * FM_NS_PER_S);
    else if (kind > 10)
        market->ts_ns += (int64_t)fm_random_below(random, 100 * FM_NS_PER_MS);
    next.ts_ns = market->ts_ns - late_ns;
    double common = fm_random_normal(random);
    market->before = market->price;
    market->price *= fm_exp(1e-4 * (0.6 * common + 0.8 * fm_random_normal(random)));
    market->other *= fm_exp(1e-4 * common);
    for (int i = 0; kernel->inputs[i].name != NULL; i++)
        next.in[i] = market_input(market, kernel->inputs[i].name);
    return next;
}

/* Presets (1000 of what must be given), or short windows and few of everything, so that a short series fills and leaves
 * them. */
static inline void params_of(const fm_kernel *kernel, int short_ones, double params[FM_KERNEL_PARAMS_MAX])
{
    static const struct {
        const char *name;
        double value;
    } SHORT[] = {{"window", 2},  {"half_life", 10}, {"dims", 3},     {"trees", 4},   {"sample", 32}, {"count", 20},
                 {"kept", 64},   {"cuts", 10},      {"chains", 4},   {"depth", 4},   {"warm", 30},   {"run", 50}};
    for (int i = 0; kernel->params[i].name != NULL; i++) {
        params[i] = isnan(kernel->params[i].preset) ? 1000 : kernel->params[i].preset;
        for (size_t j = 0; short_ones && j < sizeof(SHORT) / sizeof(SHORT[0]); j++)
            if (strcmp(SHORT[j].name, kernel->params[i].name) == 0)
                params[i] = SHORT[j].value;
    }
}

/* How many of the inputs mean something: a kernel of several series reads as many as "dims" says. */
static inline int input_count(const fm_kernel *kernel, const double *params)
{
    if (kernel->params[0].name != NULL && strcmp(kernel->params[0].name, "dims") == 0)
        return (int)params[0];
    return fm_kernel_field_count(kernel->inputs);
}

static inline void test_state_free(test_state *state)
{
    free(state->bytes);
    *state = (test_state){0};
}

/* Zeroed bytes for a state of that size, at a new address. */
static inline void test_state_make(test_state *state, size_t size)
{
    test_state_free(state);
    state->size = size;
    state->bytes = aligned_alloc(64, (size + 64) / 64 * 64);
    assert_non_null(state->bytes);
    memset(state->bytes, 0, (size + 64) / 64 * 64);
}

static inline void test_state_copy(test_state *to, const test_state *from)
{
    if (to->size != from->size)
        test_state_make(to, from->size);
    memcpy(to->bytes, from->bytes, from->size);
}

static inline int same_state(const test_state *a, const test_state *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static inline void start(const fm_kernel *kernel, int short_ones, test_state *state)
{
    double params[FM_KERNEL_PARAMS_MAX];
    params_of(kernel, short_ones, params);
    test_state_make(state, kernel->state_size(params));
    assert_int_equal(kernel->init(state->bytes, params), 0);
}

/* Rows for a test that copies or compares the state in each. */
static inline int rows_for(const test_state *state, int rows)
{
    return state->size <= STATE_USUAL ? rows : rows / 10;
}

static inline void run(const fm_kernel *kernel, test_state *state, const test_row *row,
                       double out[FM_KERNEL_OUTPUTS_MAX])
{
    for (int i = 0; i < FM_KERNEL_OUTPUTS_MAX; i++)
        out[i] = 0.0;
    if (kernel->step != NULL) {
        kernel->step(state->bytes, row->ts_ns, row->in, out);
        return;
    }
    kernel->score(state->bytes, row->ts_ns, row->in, out);
    kernel->update(state->bytes, row->ts_ns, row->in);
}

static inline int same_numbers(const double *a, const double *b, int count)
{
    for (int i = 0; i < count; i++)
        if (!(isnan(a[i]) && isnan(b[i])) && memcmp(&a[i], &b[i], sizeof(double)) != 0)
            return 0;
    return 1;
}

#endif
