/* tests/bench/kernels_bench.c - nanoseconds a step of every kernel in the table: one JSON line each.
 * links: kernels base
 *
 *   kernels [machine | KERNEL [PARAMETER=VALUE …] [instruments=N] [output=NAME] [score-only]]
 *
 * 64 instruments take turns, as in a feed, unless told otherwise. With an output's name the kernel is stepped as the
 * engine steps it for who reads that one alone. `ns` is with a tick of each about every 64 ms of event time, when most
 * ticks stay in the open slice of a window; `ns_sparse` with one every 4 s, when nearly every tick closes slices.
 * Medians of 15 rounds; `best` is the fastest round, `spread` (90th - 10th percentile) / median. The row
 * machine.multiply is a chain of dependent multiplications, 4 cycles each: it tells how fast the machine was at that
 * moment; machine.idle is a step that does nothing, the cost of the loop within every other row. */
#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "kernels/kernel.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTRUMENTS 64 /* unless told otherwise */
#define ROWS        16384
#define ROUNDS      15
#define SPARSE      64 /* times the event time between ticks */

static struct {
    int64_t ts_ns;
    double price, bid, ask, size[2], side;
} tick[ROWS];
static double in[ROWS][FM_KERNEL_INPUTS_MAX];
static volatile double sink;
static size_t instruments = INSTRUMENTS;
static bool score_only, scoring; /* the second: in this round */
static const char *only; /* output that is read alone; NULL = all are */

static void make_ticks(void)
{
    fm_random random;
    fm_random_seed(&random, 1);
    double price = 100.0;
    for (int i = 0; i < ROWS; i++) {
        price += 0.01 * (double)((int64_t)fm_random_below(&random, 3) - 1);
        tick[i].ts_ns = i * FM_NS_PER_MS + (int64_t)fm_random_below(&random, FM_NS_PER_MS);
        tick[i].price = price;
        tick[i].bid = price - 0.01 * (double)(1 + fm_random_below(&random, 3));
        tick[i].ask = price + 0.01 * (double)(1 + fm_random_below(&random, 3));
        tick[i].size[0] = (double)(1 + fm_random_below(&random, 1000));
        tick[i].size[1] = (double)(1 + fm_random_below(&random, 1000));
        tick[i].side = fm_random_below(&random, 2) == 0 ? 1.0 : -1.0;
    }
}

static double input(const char *name, int i)
{
    if (strcmp(name, "bid") == 0)
        return tick[i].bid;
    if (strcmp(name, "ask") == 0)
        return tick[i].ask;
    if (strcmp(name, "side") == 0)
        return tick[i].side;
    if (strcmp(name, "event") == 0)
        return 1.0;
    if (strcmp(name, "action") == 0)
        return 1.0 + (double)(i * 7919 / 64 % 4);
    if (strcmp(name, "session_minute") == 0)
        return (double)(i / 64 % 390);
    if (strcmp(name, "day_type") == 0)
        return 0.0;
    if (strncmp(name, "sector_", 7) == 0)
        return strcmp(name, "sector_mean") == 0 ? tick[i].price + 0.02 : 0.01 * (double)(1 + i % 99);
    if (strcmp(name, "high") == 0)
        return tick[i].price + 0.02;
    if (strcmp(name, "low") == 0)
        return tick[i].price - 0.02;
    if (strstr(name, "size") != NULL || strstr(name, "depth") != NULL || strcmp(name, "volume") == 0 ||
        strcmp(name, "order_age") == 0)
        return tick[i].size[name[0] == 'a'];
    if (name[0] == 'x' && name[1] != '\0') /* x2 … x8 */
        return tick[i].price + 0.01 * tick[(i * 31 + name[1]) % ROWS].size[0];
    return tick[i].price;
}

/* One pass over the ticks; event time starts at *clock_ns, which moves on. */
static double round_ns(const fm_kernel *kernel, unsigned char *states, size_t size, int64_t *clock_ns, int64_t stretch)
{
    double sum = 0.0, out[FM_KERNEL_OUTPUTS_MAX];
    double (*one)(void *, int64_t, const double *) = NULL;
    if (only != NULL && fm_kernel_field_index(kernel->outputs, only) >= 0)
        one = kernel->step_one[fm_kernel_field_index(kernel->outputs, only)];
    size_t at = 0;
    int64_t begin_ns = fm_thread_cpu_ns();
    for (int i = 0; i < ROWS; i++) {
        void *state = &states[at];
        int64_t ts_ns = *clock_ns + stretch * tick[i].ts_ns;
        if (scoring) {
            kernel->score(state, ts_ns, in[i], out);
        } else if (one != NULL) {
            out[0] = one(state, ts_ns, in[i]);
        } else if (kernel->step != NULL) {
            kernel->step(state, ts_ns, in[i], out);
        } else {
            kernel->score(state, ts_ns, in[i], out);
            kernel->update(state, ts_ns, in[i]);
        }
        sum += out[0];
        at = at + size < instruments * size ? at + size : 0;
    }
    sink = sum;
    double ns = (double)(fm_thread_cpu_ns() - begin_ns) / ROWS;
    *clock_ns += stretch * ROWS * FM_NS_PER_MS;
    return ns;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct timing {
    double median, best, spread;
} timing;

static timing timing_of(double ns[ROUNDS])
{
    qsort(ns, ROUNDS, sizeof(double), ascending);
    return (timing){.median = ns[ROUNDS / 2], .best = ns[0], .spread = (ns[ROUNDS - 2] - ns[1]) / ns[ROUNDS / 2]};
}

static void bench_machine(void)
{
    double ns[ROUNDS], x = 1.0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin_ns = fm_thread_cpu_ns();
        for (int j = 0; j < 100000; j++)
            x *= 1.0000001;
        ns[i] = (double)(fm_thread_cpu_ns() - begin_ns) / 100000;
        sink = x;
    }
    timing all = timing_of(ns);
    printf("{\"name\":\"machine.multiply\",\"ns\":%.2f,\"best\":%.2f,\"spread\":%.3f}\n", all.median, all.best,
           all.spread);
}

/* The preset of each parameter, or 10,000 of what must be given, unless `chosen` has NAME=VALUE. */
static void choose(const fm_kernel *kernel, char **chosen, double *params)
{
    for (int i = 0; kernel->params[i].name != NULL; i++) {
        size_t length = strlen(kernel->params[i].name);
        double preset = isnan(kernel->params[i].preset) ? 10000 : kernel->params[i].preset;
        params[i] = strcmp(kernel->params[i].name, "dims") == 0 ? 8 : preset;
        for (char **at = chosen; *at != NULL; at++)
            if (strncmp(*at, kernel->params[i].name, length) == 0 && (*at)[length] == '=')
                params[i] = strtod(*at + length + 1, NULL);
    }
}

static void bench(const fm_kernel *kernel, char **chosen)
{
    double params[FM_KERNEL_PARAMS_MAX] = {0}, ns[ROUNDS];
    choose(kernel, chosen, params);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; kernel->inputs[j].name != NULL; j++)
            in[i][j] = input(kernel->inputs[j].name, i);
    /* Not a power of two apart, else all states would share a few sets of the cache. */
    size_t size = kernel->state_size(params) + 40;
    unsigned char *states = calloc(instruments, size);
    for (size_t i = 0; i < instruments; i++)
        if (states == NULL || kernel->init(&states[i * size], params) < 0)
            exit(1);
    int64_t clock_ns = 0;
    for (int i = -4; i < ROUNDS; i++) /* the first rounds warm it up: an hour of event time and more */
        ns[i < 0 ? 0 : i] = round_ns(kernel, states, size, &clock_ns, SPARSE);
    timing sparse = timing_of(ns);
    scoring = score_only;
    for (int i = -1; i < ROUNDS; i++)
        ns[i < 0 ? 0 : i] = round_ns(kernel, states, size, &clock_ns, 1);
    timing dense = timing_of(ns);
    scoring = false;
    printf("{\"name\":\"kernel.%s\",\"params\":{", kernel->name);
    for (int i = 0; kernel->params[i].name != NULL; i++)
        printf("%s\"%s\":%g", i > 0 ? "," : "", kernel->params[i].name, params[i]);
    printf("},\"ns\":%.2f,\"best\":%.2f,\"spread\":%.3f,\"ns_sparse\":%.2f,\"state_bytes\":%zu}\n", dense.median,
           dense.best, dense.spread, sparse.median, kernel->state_size(params));
    free(states);
}

static void idle(void *state, int64_t ts_ns, const double *row, double *out)
{
    (void)state;
    (void)ts_ns;
    out[0] = row[0];
}

static void bench_idle(void)
{
    static const fm_kernel kernel = {.step = idle};
    static unsigned char states[INSTRUMENTS * 40];
    double ns[ROUNDS];
    int64_t clock_ns = 0;
    for (int i = 0; i < ROUNDS; i++)
        ns[i] = round_ns(&kernel, states, 40, &clock_ns, 1);
    timing all = timing_of(ns);
    printf("{\"name\":\"machine.idle\",\"ns\":%.2f,\"best\":%.2f,\"spread\":%.3f}\n", all.median, all.best, all.spread);
}

int main(int argc, char **argv)
{
    make_ticks();
    if (argc < 2 || strcmp(argv[1], "machine") == 0) {
        bench_machine();
        bench_idle();
    }
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "instruments=", 12) == 0)
            instruments = strtoul(argv[i] + 12, NULL, 10);
        if (strncmp(argv[i], "output=", 7) == 0)
            only = argv[i] + 7;
        if (strcmp(argv[i], "score-only") == 0)
            score_only = true;
    }
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++)
        if (argc < 2 || strcmp(argv[1], (*kernel)->name) == 0)
            bench(*kernel, argc < 2 ? &argv[argc] : &argv[2]);
    return 0;
}
