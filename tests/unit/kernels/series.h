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

#define STATE_MAX 12288

typedef struct test_row {
    int64_t ts_ns;
    double in[FM_KERNEL_INPUTS_MAX];
} test_row;

typedef struct test_state {
    _Alignas(64) unsigned char bytes[STATE_MAX];
} test_state;

typedef struct test_market { /* a random walk with quotes and trades */
    fm_random random;
    int64_t ts_ns;
    double price, spread;
} test_market;

static inline void market_init(test_market *market, uint64_t seed)
{
    fm_random_seed(&market->random, seed);
    market->ts_ns = 1399032000 * FM_NS_PER_S;
    market->price = 100.0;
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
    market->price *= fm_exp(1e-4 * fm_random_normal(random));
    double middle = 0.01 * floor(100.0 * market->price);
    double half = 0.005 * (double)(1 + fm_random_below(random, 4));
    for (int i = 0; kernel->inputs[i].name != NULL; i++) {
        const char *name = kernel->inputs[i].name;
        if (strcmp(name, "x") == 0 || strcmp(name, "price") == 0)
            next.in[i] = middle;
        else if (strcmp(name, "bid") == 0)
            next.in[i] = middle - half;
        else if (strcmp(name, "ask") == 0)
            next.in[i] = middle + half;
        else if (strcmp(name, "side") == 0)
            next.in[i] = fm_random_below(random, 2) == 0 ? NAN : fm_random_below(random, 2) == 0 ? 1.0 : -1.0;
        else if (strcmp(name, "event") == 0)
            next.in[i] = 1.0;
        else
            next.in[i] = (double)(1 + fm_random_below(random, 1000));
    }
    return next;
}

/* Presets, or windows and half-lives of seconds, so that a short series fills and leaves them. */
static inline void params_of(const fm_kernel *kernel, int short_ones, double params[FM_KERNEL_PARAMS_MAX])
{
    for (int i = 0; kernel->params[i].name != NULL; i++) {
        const char *name = kernel->params[i].name;
        params[i] = kernel->params[i].preset;
        if (short_ones && strcmp(name, "window") == 0)
            params[i] = 2.0;
        else if (short_ones && strcmp(name, "half_life") == 0)
            params[i] = 10.0;
    }
}

static inline void start(const fm_kernel *kernel, int short_ones, test_state *state)
{
    double params[FM_KERNEL_PARAMS_MAX];
    params_of(kernel, short_ones, params);
    memset(state, 0, sizeof(*state));
    assert_true(kernel->state_size(params) <= STATE_MAX);
    assert_int_equal(kernel->init(state->bytes, params), 0);
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
