/* tests/bench/engine_bench.c - the tick path without the network: decode, intake, journal, fold, rules, on one thread.
 * links: main load
 *
 * The fixed workload of load/workload.h and the rules of tests/bench/rules. One JSON line a stage, cumulative: thread CPU ns a record, the
 * smallest, median and largest of the repetitions. `engine [REPETITIONS]`; under callgrind, instructions a record are the steady figure. */
#include "base/assert.h"
#include "base/log.h"
#include "bench/load/workload.h"
#include "engine/shard.h"
#include "ingest/decode.h"
#include "main/generations.h"
#include "script/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODIES = 40, RECORDS = 500 };

typedef struct bench {
    fm_journal     *journal;
    fm_host        *host;
    fm_generations *generations;
    fm_engine      *engine;
    uint64_t        alerts, accepted;
} bench;

static void must(int result, const fm_error *error)
{
    if (result >= 0)
        return;
    fprintf(stderr, "engine bench: %s: %s\n", fm_error_name(result), error->message);
    exit(1);
}

static void emit(void *self, uint32_t shard, const fm_alert *alert)
{
    (void)shard;
    (void)alert;
    ((bench *)self)->alerts++;
}

static fm_rule_runner *runner_of(void *context, uint32_t shard)
{
    (void)shard;
    return fm_host_runner(((bench *)context)->host);
}

static const fm_rule_set *generation_of(void *context, const char *hash)
{
    return fm_generations_find(((bench *)context)->generations, hash);
}

static void on_reply(void *context, const fm_reply *reply)
{
    ((bench *)context)->accepted += reply->accepted;
}

static void open_all(bench *b, const char *folder, const char *rules)
{
    static char journal_path[300], path[300];
    fm_error error = {0};
    fm_rule_load report;
    const fm_rule_set *set;
    snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
    snprintf(path, sizeof(path), "%s/generations", folder);
    fm_journal_config journal = {.directory = journal_path, .layer = &fm_file_system, .writer_count = 1, .sync = FM_SYNC_INTERVAL,
                                 .sync_interval_ns = 10 * FM_NS_PER_MS, .segment_bytes = 64u << 20, .retain_bytes = 1u << 30};
    must(fm_journal_open(&journal, &b->journal, &error), &error);
    must(fm_host_create(&(fm_host_config){.budget = 100000, .deadline_ns = 20 * FM_NS_PER_MS, .memory_bytes = 64u << 20, .jit = true}, &b->host, &error), &error);
    must(fm_generations_open(&fm_file_system, path, &b->host, 1, &b->generations, &error), &error);
    fm_engine_config engine;
    fm_engine_config_preset(&engine);
    engine.journal = b->journal;
    engine.alerts = (fm_alert_output){b, emit, NULL, NULL};
    engine.runner_of = runner_of;
    engine.generation_of = generation_of;
    engine.runner_context = b;
    must(fm_engine_create(&engine, &b->engine, &error), &error);
    must(fm_shard_recover(fm_engine_shard(b->engine, 0), &error), &error);
    must(fm_generations_load(b->generations, rules, &set, &report, &error), &error);
    fm_rules_load_free(&report);
    must(fm_engine_set_rules(b->engine, set, &error), &error);
    fm_shard_turn(fm_engine_shard(b->engine, 0));
}

static void close_all(bench *b)
{
    fm_engine_stop(b->engine);
    fm_engine_destroy(b->engine);
    fm_journal_close(b->journal);
    fm_generations_close(b->generations);
    fm_host_destroy(b->host);
}

typedef enum depth { STAGE_DECODE, STAGE_INTAKE, STAGE_ALL } depth;

static void run_body(bench *b, const workload *work, const work_body *body, depth stage)
{
    static fm_decoder decoder;
    fm_shard *shard = fm_engine_shard(b->engine, 0);
    fm_record record;
    int result;
    fm_intake *intake = stage == STAGE_DECODE ? NULL : fm_intake_open(shard, FM_SLICE("bench"), 1);
    fm_decoder_init(&decoder, work->config.wire == FM_WIRE_MSGPACK ? FM_FORMAT_MSGPACK : FM_FORMAT_NDJSON, body->data, body->size,
                    &fm_decode_limits_preset);
    while ((result = fm_decoder_next(&decoder, &record)) != 0) {
        FM_ASSERT(result > 0);
        if (intake != NULL)
            FM_ASSERT(fm_intake_add(intake, decoder.index, &record) == 0);
    }
    if (stage == STAGE_INTAKE)
        fm_intake_abort(intake);
    if (stage == STAGE_ALL) {
        FM_ASSERT(fm_intake_publish(intake, on_reply, b) == 0);
        fm_shard_turn(shard);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure(bench *b, workload *work, depth stage, const char *name, int repetitions, int64_t *moved)
{
    double ns[1000];
    for (int r = 0; r < repetitions; r++) {
        for (int i = 0; i < BODIES; i++)
            work_move(work, &work->body[i], *moved);
        *moved += work->pass_ns;
        int64_t from = fm_thread_cpu_ns();
        for (int i = 0; i < BODIES; i++)
            run_body(b, work, &work->body[i], stage);
        ns[r] = (double)(fm_thread_cpu_ns() - from) / (BODIES * RECORDS);
    }
    qsort(ns, (size_t)repetitions, sizeof(ns[0]), by_size);
    printf("{\"name\":\"engine.%s\",\"ns\":%.1f,\"ns_min\":%.1f,\"ns_max\":%.1f,\"repetitions\":%d,\"alerts\":%llu}\n", name, ns[repetitions / 2], ns[0],
           ns[repetitions - 1], repetitions, (unsigned long long)b->alerts);
}

int main(int argc, char **argv)
{
    int repetitions = argc > 1 ? atoi(argv[1]) : 31;
    repetitions = repetitions < 1 ? 1 : repetitions > 1000 ? 1000 : repetitions;
    char folder[] = "/tmp/fmads-bench-XXXXXX", command[64];
    FM_ASSERT(mkdtemp(folder) != NULL);
    fm_log_set_level(FM_LOG_ERROR);
    static const struct {
        const char *name;
        fm_wire     wire;
    } wires[] = {{"ndjson", FM_WIRE_NDJSON}, {"msgpack", FM_WIRE_MSGPACK}};
    bench b = {0};
    const char *rules = getenv("FMADS_BENCH_RULES");
    open_all(&b, folder, rules != NULL ? rules : FMADS_SOURCE_DIR "/tests/bench/rules");
    int64_t moved = 0;
    for (int w = 0; w < 2; w++) {
        workload work;
        char name[40];
        if (work_make(&(work_config){.wire = wires[w].wire, .connections = 1, .records = RECORDS, .bodies = BODIES}, &work) < 0)
            return 1;
        static const char *const stage_name[] = {"decode", "intake", "all"};
        for (int s = 0; s < 3; s++) {
            snprintf(name, sizeof(name), "%s.%s", wires[w].name, stage_name[s]);
            measure(&b, &work, (depth)s, name, repetitions, &moved);
        }
        work_free(&work);
    }
    close_all(&b);
    snprintf(command, sizeof(command), "rm -rf -- %s", folder);
    return system(command) != 0;
}
