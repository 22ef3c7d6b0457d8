/* tool/bench.c - `fmads bench`: nanoseconds of CPU for one step of everything that runs once a tick.
 *
 * Rows: kernel.<name> with its preset parameters (score and update of one value), wire.json and wire.msgpack (one
 * record written), sim.record (one record simulated). Each is timed in rounds; told are the median and the spread: the
 * distance between the quartiles as a part of the median. Other load on the machine shows in the spread first. */
#include "base/clock.h"
#include "base/fmath.h"
#include "base/random.h"
#include "base/text.h"
#include "kernels/kernel.h"
#include "sim/market.h"
#include "tool/tool.h"
#include "tool/wire.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS  15
#define STEPS   20000
#define ROWS    1024 /* inputs are made before the clock runs */
#define STEP_NS FM_NS_PER_MS

static volatile double sink; /* results go here, so that the compiler cannot leave the work out */

typedef struct bench_row {
    const char *prefix, *name;
    char params[256]; /* JSON */
    double ns, spread;
} bench_row;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The row's figures from what each round took. */
static void judge(bench_row *row, double ns[ROUNDS])
{
    qsort(ns, ROUNDS, sizeof(*ns), by_value);
    row->ns = ns[ROUNDS / 2];
    row->spread = (ns[3 * ROUNDS / 4] - ns[ROUNDS / 4]) / row->ns;
}

static void print_row(const bench_row *row, bool json)
{
    if (json)
        printf("{\"name\":\"%s.%s\",\"params\":%s,\"ns\":%.2f,\"spread\":%.3f}\n", row->prefix, row->name, row->params,
               row->ns, row->spread);
    else
        printf("%s.%-22s %8.1f ns  +-%4.1f %%  %s\n", row->prefix, row->name, row->ns, 50 * row->spread, row->params);
}

/* ---- kernels ---- */

/* A plausible series for an input, by its name. */
static double draw_input(const char *name, double price, fm_random *random)
{
    double unit = fm_random_unit(random);
    if (strcmp(name, "bid") == 0)
        return price - 0.01;
    if (strcmp(name, "ask") == 0)
        return price + 0.01;
    if (strstr(name, "size"))
        return 100 * fm_exp(2 * unit);
    if (strcmp(name, "side") == 0)
        return unit < 0.5 ? -1 : 1;
    if (strcmp(name, "event") == 0)
        return 1;
    if (strstr(name, "depth") || strcmp(name, "volume") == 0 || strcmp(name, "order_age") == 0)
        return 100 * fm_exp(2 * unit);
    if (strcmp(name, "action") == 0)
        return 1 + floor(4 * unit);
    if (strcmp(name, "session_minute") == 0)
        return floor(390 * unit);
    if (strcmp(name, "day_type") == 0)
        return 0;
    if (strcmp(name, "sector_sd") == 0 || strcmp(name, "sector_rank") == 0)
        return unit;
    if (strcmp(name, "high") == 0)
        return price + 0.02;
    return strcmp(name, "low") == 0 ? price - 0.02 : price * (1 + 1e-4 * unit * (name[0] == 'x' && name[1]));
}

static void fill_inputs(const fm_kernel *kernel, double in[ROWS][FM_KERNEL_INPUTS_MAX])
{
    fm_random random;
    double price = 100;
    fm_random_seed(&random, 1);
    for (int i = 0; i < ROWS; i++) {
        price *= fm_exp(1e-4 * fm_random_normal(&random));
        for (int k = 0; kernel->inputs[k].name; k++)
            in[i][k] = draw_input(kernel->inputs[k].name, price, &random);
    }
}

static void choose_params(const fm_kernel *kernel, double *params, bench_row *row)
{
    int used = snprintf(row->params, sizeof(row->params), "{");
    for (int i = 0; kernel->params[i].name; i++) {
        const fm_field *field = &kernel->params[i];
        params[i] = isnan(field->preset) ? sqrt(field->low * field->high) : field->preset;
        used += snprintf(row->params + used, sizeof(row->params) - (size_t)used, "%s\"%s\":%g", i ? "," : "",
                         field->name, params[i]);
    }
    snprintf(row->params + used, sizeof(row->params) - (size_t)used, "}");
}

static int bench_kernel(const fm_kernel *kernel, bench_row *row)
{
    static double in[ROWS][FM_KERNEL_INPUTS_MAX];
    double params[FM_KERNEL_PARAMS_MAX], out[FM_KERNEL_OUTPUTS_MAX], ns[ROUNDS];
    int64_t ts_ns = INT64_C(1704205800) * FM_NS_PER_S;

    choose_params(kernel, params, row);
    fill_inputs(kernel, in);
    void *state = calloc(1, kernel->state_size(params));
    if (!state)
        return FM_ENOMEM;
    int result = kernel->init(state, params);
    for (int round = -1; round < ROUNDS && result == 0; round++) { /* the first round warms up and does not count */
        int64_t begin_ns = fm_thread_cpu_ns();
        for (int i = 0; i < STEPS; i++, ts_ns += STEP_NS) {
            const double *x = in[i % ROWS];
            if (kernel->step) {
                kernel->step(state, ts_ns, x, out);
            } else {
                kernel->score(state, ts_ns, x, out);
                kernel->update(state, ts_ns, x);
            }
            sink = out[0];
        }
        if (round >= 0)
            ns[round] = (double)(fm_thread_cpu_ns() - begin_ns) / STEPS;
    }
    free(state);
    FM_TRY(result);
    judge(row, ns);
    return 0;
}

/* ---- wire and sim ---- */

static int bench_wire(fm_wire wire, bench_row *row)
{
    static char out[FM_WIRE_RECORD_MAX];
    static fm_record record[ROWS];
    fm_sim *sim = NULL;
    double ns[ROUNDS];
    FM_TRY(fm_sim_create(&fm_sim_config_preset, &sim));
    for (int i = 0; i < ROWS; i++) {
        int result = fm_sim_next(sim, &record[i]);
        if (result <= 0) {
            fm_sim_destroy(sim);
            return FM_EINVAL;
        }
        record[i].source = FM_SLICE("0123456789abcdef0123456789abcdef");
    }
    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin_ns = fm_thread_cpu_ns();
        for (int i = 0; i < STEPS; i++)
            sink = (double)fm_wire_write(wire, &record[i % ROWS], out);
        ns[round] = (double)(fm_thread_cpu_ns() - begin_ns) / STEPS;
    }
    fm_sim_destroy(sim);
    judge(row, ns);
    return 0;
}

static int bench_sim(bench_row *row)
{
    fm_sim *sim = NULL;
    fm_record record;
    double ns[ROUNDS];
    int result = fm_sim_create(&fm_sim_config_preset, &sim);
    for (int round = 0; round < ROUNDS && result >= 0; round++) {
        int64_t begin_ns = fm_thread_cpu_ns();
        for (int i = 0; i < STEPS && result >= 0; i++)
            result = fm_sim_next(sim, &record);
        ns[round] = (double)(fm_thread_cpu_ns() - begin_ns) / STEPS;
    }
    fm_sim_destroy(sim);
    FM_TRY(result);
    snprintf(row->params, sizeof(row->params), "{\"instruments\":%u}", fm_sim_config_preset.instrument_count);
    judge(row, ns);
    return 0;
}

/* ---- the whole of it ---- */

static bool wanted(const bench_row *row, const char *name)
{
    char full[96];
    snprintf(full, sizeof(full), "%s.%s", row->prefix, row->name);
    size_t size = name ? strlen(name) : 0; /* "kernel.ewma" is not "kernel.ewma_z" */
    return !name || (strncmp(full, name, size) == 0 && (full[size] == '\0' || full[size] == '.'));
}

static int bench_all(const char *name, bool json, int *rows)
{
    for (const fm_kernel *const *kernel = fm_kernels; *kernel; kernel++) {
        bench_row one = {.prefix = "kernel", .name = (*kernel)->name};
        if (!wanted(&one, name))
            continue;
        FM_TRY(bench_kernel(*kernel, &one));
        print_row(&one, json);
        ++*rows;
    }
    for (int i = 0; i < 3; i++) {
        bench_row one = {.prefix = i < 2 ? "wire" : "sim",
                         .name = i == 0   ? "json"
                                 : i == 1 ? "msgpack"
                                          : "record",
                         .params = "{}"};
        if (!wanted(&one, name))
            continue;
        FM_TRY(i < 2 ? bench_wire(i == 0 ? FM_WIRE_NDJSON : FM_WIRE_MSGPACK, &one) : bench_sim(&one));
        print_row(&one, json);
        ++*rows;
    }
    return 0;
}

int fm_tool_bench(int argc, char **argv)
{
    const char *name = NULL;
    bool json = false;
    int rows = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (argv[i][0] == '-' || name)
            return fm_tool_usage_error("bench", "\"%s\" is not expected", argv[i]);
        else
            name = argv[i];
    }
    int result = bench_all(name, json, &rows);
    if (result < 0) {
        fm_error error = {0};
        fm_fail(&error, result, "could not run the benchmark: %s", fm_error_text(result));
        return fm_tool_failed(&error);
    }
    if (rows == 0)
        return fm_tool_usage_error("bench", "no row begins with \"%s\"", name);
    return FM_EXIT_OK;
}
