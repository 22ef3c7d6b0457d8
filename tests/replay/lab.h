/* tests/replay/lab.h - an engine without a network: journal, shards on their threads, rules, alerts in a list.
 *
 * The test's own thread is the thread of shard 0 and the receiver; the other shards run on threads of their own. */
#ifndef FM_TESTS_LAB_H
#define FM_TESTS_LAB_H

#include "assert_near.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/shard.h"
#include "engine/query.h"
#include "ingest/file_format.h"
#include "main/generations.h"
#include "main/references.h"
#include "main/verify.h"
#include "script/host.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAB_SHARDS_MAX 8

typedef struct lab_options {
    uint32_t    shards, batch;
    const char *rules;     /* folder */
    const char *reference; /* folder; NULL = none */
    bool        snapshots;
    uint64_t    segment_bytes; /* 0 = 16 MiB */
    fm_sync     sync;
    fm_clock    clock;     /* wall_ns NULL = system */
    const fm_file_layer *layer; /* of the journal; NULL = system */
    uint64_t    ring_bytes; /* 0 = preset */
    int       (*behind)(void *self); /* is the router behind? */
    void      (*emit)(void *self, uint32_t shard, const fm_alert *alert); /* NULL: kept in body */
} lab_options;

typedef struct lab {
    char            directory[256], journal_path[300], snapshot_path[300];
    lab_options     options;
    fm_journal     *journal;
    fm_host        *host[LAB_SHARDS_MAX];
    fm_generations *generations;
    fm_references  *references;
    fm_engine      *engine;
    pthread_t       thread[LAB_SHARDS_MAX];
    _Atomic bool    stop;
    pthread_mutex_t lock;
    char          **body; /* of every alert, in the order of emission */
    uint32_t        body_count, body_capacity;
    _Atomic uint64_t taken[LAB_SHARDS_MAX];
    uint64_t        accepted, duplicate, rejected;
    bool            answered;
    fm_reply        reply;
} lab;

static inline void lab_emit(void *self, uint32_t shard, const fm_alert *alert)
{
    lab *l = self;
    pthread_mutex_lock(&l->lock);
    if (l->body_count == l->body_capacity) {
        l->body_capacity = l->body_capacity == 0 ? 1024 : 2 * l->body_capacity;
        l->body = realloc(l->body, l->body_capacity * sizeof(*l->body));
        assert_non_null(l->body);
    }
    l->body[l->body_count++] = strndup(alert->body, alert->body_size);
    pthread_mutex_unlock(&l->lock);
    atomic_fetch_add(&l->taken[shard], 1);
}

static inline uint64_t lab_taken(void *self, uint32_t shard)
{
    return atomic_load(&((lab *)self)->taken[shard]);
}

static inline fm_rule_runner *lab_runner(void *context, uint32_t shard)
{
    return fm_host_runner(((lab *)context)->host[shard]);
}

static inline const fm_rule_set *lab_generation(void *context, const char *hash)
{
    return fm_generations_find(((lab *)context)->generations, hash);
}

static inline const fm_reference_set *lab_reference(void *context, const char *hash)
{
    return fm_references_find(((lab *)context)->references, hash);
}

static inline void *lab_thread(void *context)
{
    fm_shard *shard = context;
    extern lab *lab_running;
    while (!atomic_load(&lab_running->stop))
        if (fm_shard_turn(shard) == 0)
            usleep(20);
    fm_shard_turn(shard);
    return NULL;
}

static inline void lab_folder(char *out, size_t size)
{
    snprintf(out, size, "%s/fmads-lab-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(out));
}

static inline void lab_remove(const char *directory)
{
    char command[400];
    snprintf(command, sizeof(command), "rm -rf -- '%s'", directory);
    assert_int_equal(system(command), 0);
}

static inline void lab_must(int result, const fm_error *error)
{
    if (result < 0)
        fail_msg("%s: %s (%s:%d)", fm_error_name(result), error->message, error->file, error->line);
}

static inline void lab_rules(lab *l, const char *folder)
{
    const fm_rule_set *set = NULL;
    fm_rule_load report;
    fm_error error = {0};
    int result = fm_generations_load(l->generations, folder, &set, &report, &error);
    for (uint32_t i = 0; i < report.report_count; i++)
        if (!report.report[i].ok)
            fail_msg("%s: %s", report.report[i].file, report.report[i].error.message);
    fm_rules_load_free(&report);
    lab_must(result, &error);
    lab_must(fm_engine_set_rules(l->engine, set, &error), &error);
}

/* Opens what is in `directory`, recovers, makes the rules current. */
static inline void lab_open(lab *l, const char *directory, const lab_options *options)
{
    extern lab *lab_running;
    char path[300];
    fm_error error = {0};
    memset(l, 0, sizeof(*l));
    lab_running = l;
    l->options = *options;
    snprintf(l->directory, sizeof(l->directory), "%s", directory);
    pthread_mutex_init(&l->lock, NULL);
    snprintf(path, sizeof(path), "%s/meta", directory);
    FILE *meta = fopen(path, "w"); /* so that fmads verify takes it for a data directory */
    fprintf(meta, "fmads data directory\nlayout 1\npartitions %d\nincarnation_ms 1\n", FM_PARTITION_COUNT);
    fclose(meta);
    snprintf(path, sizeof(path), "%s/router", directory); /* verify looks for alerts there: this lab has none */
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    snprintf(l->journal_path, sizeof(l->journal_path), "%s/journal", directory);
    snprintf(l->snapshot_path, sizeof(l->snapshot_path), "%s/snapshots", directory);
    fm_journal_config journal = {.directory = l->journal_path, .layer = options->layer ? options->layer : &fm_file_system,
                                 .writer_count = options->shards, .sync = options->sync,
                                 .sync_interval_ns = 10 * FM_NS_PER_MS,
                                 .segment_bytes = options->segment_bytes ? options->segment_bytes : 16u << 20, .retain_bytes = 1u << 30};
    lab_must(fm_journal_open(&journal, &l->journal, &error), &error);
    for (uint32_t i = 0; i < options->shards; i++) {
        fm_host_config host = {.budget = 10000, .deadline_ns = 2 * FM_NS_PER_S, .memory_bytes = 64u << 20, .jit = true};
        lab_must(fm_host_create(&host, &l->host[i], &error), &error);
    }
    snprintf(path, sizeof(path), "%s/generations", directory);
    lab_must(fm_generations_open(&fm_file_system, path, l->host, options->shards, &l->generations, &error), &error);
    snprintf(path, sizeof(path), "%s/reference", directory);
    lab_must(fm_references_open(&fm_file_system, path, &l->references, &error), &error);
    fm_engine_config engine;
    fm_engine_config_preset(&engine);
    engine.shard_count = options->shards;
    engine.journal = l->journal;
    engine.snapshot_directory = options->snapshots ? l->snapshot_path : NULL;
    engine.batch_max = options->batch;
    engine.build_id = "lab";
    engine.sync_always = options->sync == FM_SYNC_ALWAYS;
    engine.alerts = (fm_alert_output){l, options->emit ? options->emit : lab_emit, lab_taken, options->behind};
    engine.ring_bytes = options->ring_bytes ? options->ring_bytes : engine.ring_bytes;
    engine.runner_of = lab_runner;
    engine.generation_of = lab_generation;
    engine.reference_of = lab_reference;
    engine.runner_context = l;
    if (options->clock.wall_ns != NULL)
        engine.clock = options->clock;
    lab_must(fm_engine_create(&engine, &l->engine, &error), &error);
    for (uint32_t i = 0; i < options->shards; i++)
        lab_must(fm_shard_recover(fm_engine_shard(l->engine, i), &error), &error);
    assert_int_equal(fm_engine_start(l->engine), 0);
    if (options->reference != NULL) {
        const fm_reference_set *set;
        lab_must(fm_references_load(l->references, options->reference, &set, &error), &error);
        fm_engine_set_reference(l->engine, set);
    }
    if (options->rules != NULL)
        lab_rules(l, options->rules);
    for (uint32_t i = 1; i < options->shards; i++)
        assert_int_equal(pthread_create(&l->thread[i], NULL, lab_thread, fm_engine_shard(l->engine, i)), 0);
    for (int i = 0; i < 3; i++)
        fm_shard_turn(fm_engine_shard(l->engine, 0));
}

static inline void lab_close(lab *l, bool snapshot)
{
    atomic_store(&l->stop, true);
    for (uint32_t i = 1; i < l->options.shards; i++)
        pthread_join(l->thread[i], NULL);
    fm_shard_turn(fm_engine_shard(l->engine, 0));
    for (uint32_t i = 0; snapshot && i < l->options.shards; i++)
        fm_shard_snapshot(fm_engine_shard(l->engine, i));
    fm_engine_stop(l->engine);
    fm_engine_destroy(l->engine);
    fm_journal_close(l->journal);
    fm_generations_close(l->generations);
    fm_references_close(l->references);
    for (uint32_t i = 0; i < l->options.shards; i++)
        fm_host_destroy(l->host[i]);
    pthread_mutex_destroy(&l->lock);
}

static inline void lab_free_bodies(lab *l)
{
    for (uint32_t i = 0; i < l->body_count; i++)
        free(l->body[i]);
    free(l->body);
}

static inline void lab_on_reply(void *context, const fm_reply *reply)
{
    lab *l = context;
    l->reply = *reply;
    l->answered = true;
}

/* Sends records as one request and waits for the answer. */
static inline void lab_send(lab *l, const char *domain, const fm_record *records, uint32_t count)
{
    fm_shard *shard = fm_engine_shard(l->engine, 0);
    fm_intake *intake = fm_intake_open(shard, fm_slice_of(domain), fm_wall_ns(&fm_clock_system));
    assert_non_null(intake);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(fm_intake_add(intake, i, &records[i]), 0);
    l->answered = false;
    assert_int_equal(fm_intake_publish(intake, lab_on_reply, l), 0);
    for (int turn = 0; !l->answered; turn++) {
        fm_shard_turn(shard);
        if (l->options.shards > 1 && !l->answered)
            usleep(5);
        assert_true(turn < 2000000);
    }
    l->accepted += l->reply.accepted;
    l->duplicate += l->reply.duplicate;
    l->rejected += l->reply.rejected;
}

static inline int lab_by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A hash over the canonical bodies, each once, in one order whatever the shards were. */
static inline fm_hash128 lab_digest(char **body, uint32_t count, uint32_t *unique)
{
    fm_hash128 sum = {1, 2};
    *unique = 0;
    if (count > 1)
        qsort(body, count, sizeof(*body), lab_by_text);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(body[i], body[i - 1]) == 0)
            continue;
        fm_hash128 parts[2] = {sum, fm_hash128_of(body[i], strlen(body[i]))};
        sum = fm_hash128_of(parts, sizeof(parts));
        ++*unique;
    }
    return sum;
}

/* ---- the same again ---- */

/* What `fmads verify` says of the state; the alerts are the caller's to compare (there is no router in this lab). */
static inline void lab_verify(const char *directory)
{
    fm_settings settings;
    fm_verdict verdict;
    fm_error error = {0};
    fm_settings_preset(&settings);
    snprintf(settings.data_dir, sizeof(settings.data_dir), "%s", directory);
    settings.rules_budget = 10000;
    settings.rules_deadline = 2 * FM_NS_PER_S;
    settings.engine_batch_max = 333;
    lab_must(fm_verify(&settings, NULL, &verdict, &error), &error);
    assert_true(verdict.snapshots > 0);
    assert_int_equal(verdict.state_differences, 0);
}

/* What a fold of the whole journal says, without any snapshot: closed, opened with other shards and batches. The bodies' digest. */
static inline fm_hash128 lab_replayed(const char *directory, uint32_t shards, uint32_t batch, uint32_t *unique)
{
    char command[400];
    lab again;
    snprintf(command, sizeof(command), "rm -rf -- '%s/snapshots'", directory);
    assert_int_equal(system(command), 0);
    lab_options options = {.shards = shards, .batch = batch, .sync = FM_SYNC_INTERVAL};
    lab_open(&again, directory, &options);
    fm_hash128 digest = lab_digest(again.body, again.body_count, unique);
    lab_close(&again, false);
    lab_free_bodies(&again);
    return digest;
}

/* ---- records ---- */

typedef struct lab_records {
    fm_record *record;
    char      *text; /* symbols and venues of all of them */
    size_t     text_size, text_capacity;
    uint32_t   count, capacity;
} lab_records;

/* Texts are interned in a growing list of small copies; a record keeps its slices for the whole test. */
static inline fm_slice lab_keep(fm_slice slice)
{
    if (slice.size == 0)
        return (fm_slice){"", 0};
    static char *kept[4096];
    static uint32_t count;
    for (uint32_t i = 0; i < count; i++)
        if (strlen(kept[i]) == slice.size && memcmp(kept[i], slice.data, slice.size) == 0)
            return (fm_slice){kept[i], slice.size};
    assert_true(count < 4096);
    kept[count] = strndup(slice.data, slice.size);
    return (fm_slice){kept[count++], slice.size};
}

static inline void lab_add(lab_records *records, const fm_record *record)
{
    if (records->count == records->capacity) {
        records->capacity = records->capacity == 0 ? 4096 : 2 * records->capacity;
        records->record = realloc(records->record, records->capacity * sizeof(fm_record));
        assert_non_null(records->record);
    }
    fm_record *kept = &records->record[records->count++];
    *kept = *record;
    kept->symbol = lab_keep(record->symbol);
    kept->venue = lab_keep(record->venue);
    kept->channel = lab_keep(record->channel);
    kept->session = lab_keep(record->session);
    kept->source = lab_keep(record->source);
}

static inline const char *lab_data(void)
{
    const char *data = getenv("FMADS_TESTDATA");
    return data != NULL ? data : "../shared/data";
}

static inline bool lab_has_data(void)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/market/tick", lab_data());
    if (access(path, R_OK) == 0)
        return true;
    if (getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0)
        fail_msg("market data are not in %s", path);
    printf("skipped: market data are not in %s\n", path);
    return false;
}

/* The first `limit` rows of a market data file; row numbers are the file's. */
static inline void lab_read(lab_records *records, const char *name, uint32_t limit)
{
    char path[400];
    fm_file_reader *reader;
    fm_error error = {0};
    fm_record record;
    snprintf(path, sizeof(path), "%s/market/tick/%s.csv.gz", lab_data(), name);
    lab_must(fm_file_reader_open(path, NULL, NULL, NULL, &reader, &error), &error);
    for (uint32_t i = 0; i < limit; i++) {
        int result = fm_file_reader_next(reader, &record, &error);
        if (result == 0)
            break;
        lab_must(result, &error);
        record.source = fm_slice_of(name);
        lab_add(records, &record);
    }
    fm_file_reader_close(reader);
}

static inline fm_record lab_record(int kind, int64_t ts_ns, const char *symbol)
{
    fm_record record = {.ts_ns = ts_ns, .kind = (uint8_t)kind, .seq = FM_SEQ_ABSENT, .row = FM_SEQ_ABSENT, .symbol = fm_slice_of(symbol)};
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){FM_ABSENT, 0};
    return record;
}

/* Records that a hostile market could send: jumps, late times, one-sided and crossed quotes, new scales, silences, equal times, sequences. */
static inline void lab_generate(lab_records *records, uint64_t seed, uint32_t count)
{
    static const char *const venue[] = {"", "XAAA", "XBBB", "XCCC"};
    fm_random random;
    fm_random_seed(&random, seed);
    int64_t ts = INT64_C(1399000000) * FM_NS_PER_S;
    double price[40];
    for (int i = 0; i < 40; i++)
        price[i] = 10 + 5 * i;
    for (uint32_t i = 0; i < count; i++) {
        char symbol[16];
        uint32_t s = (uint32_t)fm_random_below(&random, 40);
        s = s > 20 ? s % 3 : s; /* some are much busier */
        snprintf(symbol, sizeof(symbol), "SYM%02u", s);
        uint64_t gap = fm_random_below(&random, 1000);
        ts += gap == 0 ? 7 * FM_NS_PER_S : gap < 300 ? 0 : (int64_t)fm_random_below(&random, 40 * FM_NS_PER_MS);
        price[s] *= 1 + 0.0002 * fm_random_normal(&random) + (fm_random_below(&random, 4000) == 0 ? 0.02 : 0);
        int64_t at = fm_random_below(&random, 50) == 0 ? ts - (int64_t)fm_random_below(&random, 3 * FM_NS_PER_S) : ts;
        uint64_t what = fm_random_below(&random, 100);
        fm_record record = lab_record(what < 30 ? FM_TRADE : what < 92 ? FM_QUOTE : what < 98 ? FM_VALUE : FM_STATUS, at, symbol);
        record.venue = fm_slice_of(venue[fm_random_below(&random, 4)]);
        int scale = s % 5 == 0 && i > count / 2 ? 5 : 3;
        int64_t ticks = (int64_t)(price[s] * (scale == 5 ? 1e5 : 1e3));
        if (record.kind == FM_TRADE) {
            record.number[0] = (fm_decimal_number){ticks, scale};
            record.number[1] = (fm_decimal_number){(int64_t)fm_random_below(&random, 1000), 0};
            record.side = (uint8_t)fm_random_below(&random, 3);
            record.conditions = fm_random_below(&random, 20) == 0 ? 1u << fm_random_below(&random, 32) : 0;
        } else if (record.kind == FM_QUOTE) {
            int64_t half = 1 + (int64_t)fm_random_below(&random, 10);
            uint64_t sides = fm_random_below(&random, 3);
            if (sides != 1) {
                record.number[0] = (fm_decimal_number){ticks - half, scale};
                record.number[1] = (fm_decimal_number){(int64_t)fm_random_below(&random, 50), 0};
            }
            if (sides != 0) {
                record.number[2] = (fm_decimal_number){ticks + half, scale};
                record.number[3] = (fm_decimal_number){(int64_t)fm_random_below(&random, 50), 0};
            }
        } else if (record.kind == FM_VALUE) {
            record.value = fm_random_normal(&random);
        } else {
            record.phase = 1 + (uint32_t)fm_random_below(&random, 4);
        }
        if (fm_random_below(&random, 4) == 0) {
            record.channel = FM_SLICE("L1");
            record.seq = i / 3;
            record.seq_index = i % 5;
        }
        lab_add(records, &record);
    }
}

#endif
