/* tests/bench/rules_bench.c - nanoseconds a row of 1 and 10 rules over batches of 1, 50 and 500 rows: one JSON line
 * each. links: script engine kernels base
 *
 * The rules read two features and compare; one row in ten thousand fires. The whole way is measured: the call from C
 * into the rule's loop, copying the features, the body, the answer. `handlers` is ten rules with on_event and state
 * instead. Medians of 15 rounds; `spread` is (90th - 10th percentile) / median. */
#include "base/clock.h"
#include "base/random.h"
#include "script/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 15, BATCH_MAX = 500, RULES = 10, STRIDE = 20, TURNS_ROWS = 200000 };

static double matrix[BATCH_MAX * STRIDE];
static uint32_t row[BATCH_MAX];
static uint16_t column[RULES][2];
static fm_event event[BATCH_MAX];
static const fm_event *events[BATCH_MAX];
static int8_t scale[BATCH_MAX][2];
static double slot[RULES][BATCH_MAX][FM_RULE_SLOTS_MAX];
static double *slots[RULES][BATCH_MAX];
static uint8_t hit[BATCH_MAX];
static fm_rule_emit emit[BATCH_MAX];
static fm_timer_ask ask[BATCH_MAX];

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void make_rows(void)
{
    fm_random random;
    fm_random_seed(&random, 1);
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        row[i] = i;
        event[i] = (fm_event){.ts_ns = (int64_t)i * FM_NS_PER_MS, .kind = FM_TRADE, .seq = FM_SEQ_ABSENT};
        event[i].as.trade = (fm_trade){.price = 100000 + i, .size = 100};
        events[i] = &event[i];
        for (uint32_t c = 0; c < STRIDE; c++)
            matrix[i * STRIDE + c] = fm_random_normal(&random);
        for (uint32_t r = 0; r < RULES; r++)
            slots[r][i] = slot[r][i];
    }
    for (uint16_t r = 0; r < RULES; r++) {
        column[r][0] = (uint16_t)(2 * r);
        column[r][1] = (uint16_t)(2 * r + 1);
    }
}

static void check(int result, const fm_error *error)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s:%d: %s\n", error->file, error->line, error->message);
    exit(1);
}

static void load(const char *body, fm_rule_load *out, fm_host **host)
{
    static char text[RULES][500], file[RULES][32];
    const char *texts[RULES], *files[RULES];
    fm_error error = {0};
    for (int i = 0; i < RULES; i++) {
        snprintf(file[i], sizeof(file[i]), "bench/rule_%d.lua", i);
        snprintf(text[i], sizeof(text[i]),
                 "rule \"rule_%d\" { needs = { a = feature.ewma { half_life = %d }, b = feature.return_z {} }, params "
                 "= { limit = 3.7 }, %s }",
                 i, i + 1, body);
        texts[i] = text[i];
        files[i] = file[i];
    }
    check(fm_rules_load_texts(files, texts, RULES, out, &error), &error);
    fm_host_config config = {.jit = true};
    check(fm_host_create(&config, host, &error), &error);
    check(fm_host_sources(*host, out->set, out->source, out->source_size), &error);
    check(fm_host_runner(*host)->load(*host, out->set, &error), &error);
}

static void run_batch(fm_rule_runner *runner, uint32_t rules, uint32_t rows)
{
    for (uint32_t r = 0; r < rules; r++) {
        fm_rule_call call = {.rule = r,
                             .count = rows,
                             .matrix = matrix,
                             .stride = STRIDE,
                             .row = row,
                             .column = column[r],
                             .event = events,
                             .scale = (const int8_t(*)[2])scale,
                             .slots = slots[r],
                             .hit = hit,
                             .emit = emit,
                             .emit_max = BATCH_MAX,
                             .timer_ask = ask,
                             .timer_max = BATCH_MAX};
        check(runner->run(runner->self, &call), &call.error);
    }
}

static void measure(const char *name, fm_rule_runner *runner, uint32_t rules, uint32_t rows)
{
    double ns[ROUNDS];
    uint32_t turns = TURNS_ROWS / rows;
    for (uint32_t i = 0; i < turns; i++)
        run_batch(runner, rules, rows);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin = fm_thread_cpu_ns();
        for (uint32_t i = 0; i < turns; i++)
            run_batch(runner, rules, rows);
        ns[round] = (double)(fm_thread_cpu_ns() - begin) / ((double)turns * rows);
    }
    qsort(ns, ROUNDS, sizeof(*ns), by_value);
    printf("{\"name\":\"%s\",\"rules\":%u,\"batch\":%u,\"ns\":%.2f,\"best\":%.2f,\"spread\":%.3f}\n", name, rules, rows,
           ns[ROUNDS / 2], ns[0], (ns[ROUNDS * 9 / 10] - ns[ROUNDS / 10]) / ns[ROUNDS / 2]);
    fflush(stdout);
}

int main(void)
{
    static const uint32_t batches[] = {1, 50, 500};
    static const struct {
        const char *name, *body;
    } kinds[] = {
        {"rules.when", "when = function(f, p) return math.abs(f.a) > p.limit and f.b > 0 end"},
        {"rules.handlers",
         "state = { n = 0 }, on_event = function(ctx, e, f, s) s.n = s.n + e.price if f.a > ctx.params.limit + 2 then "
         "ctx.alert { score = f.a } end end"},
    };
    make_rows();
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        fm_rule_load rules;
        fm_host *host;
        load(kinds[k].body, &rules, &host);
        for (size_t b = 0; b < sizeof(batches) / sizeof(*batches); b++) {
            measure(kinds[k].name, fm_host_runner(host), 1, batches[b]);
            measure(kinds[k].name, fm_host_runner(host), RULES, batches[b]);
        }
        fm_host_destroy(host);
        fm_rules_load_free(&rules);
    }
    return 0;
}
