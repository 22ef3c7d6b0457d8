/* main/runtime.c - joins the layers and starts their threads. */
#include "main/runtime.h"

#include "alert/archive.h"
#include "alert/router.h"
#include "alert/sink_redis.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/query.h"
#include "engine/shard.h"
#include "main/data_dir.h"
#include "main/generations.h"
#include "main/references.h"
#include "net/server.h"
#include "script/host.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

const char fm_build_id[] = "fmads " FM_VERSION " gcc " __VERSION__;

enum { SINK_ARCHIVE = 0, SINK_REDIS = 1 };

typedef struct thread {
    fm_runtime *runtime;
    uint32_t    index;
    pthread_t   id;
    bool        started;
    fm_error    error;
} thread;

struct fm_runtime {
    fm_settings     settings;
    fm_data_dir     dir;
    const fm_file_layer *layer;
    uint32_t        shard_count;
    fm_journal     *journal;
    fm_router      *router;
    fm_archive     *archive;
    fm_sink_redis  *redis;
    fm_host       **host;
    fm_generations *generations;
    fm_references  *references;
    fm_engine      *engine;
    fm_server      *server;
    thread         *thread;
    pthread_barrier_t recovered;
    bool            failed; /* some shard could not recover */
    const fm_rule_set *rules;
    const fm_reference_set *reference;
    _Atomic uint64_t rules_signature; /* names, sizes and times of the rule and reference files when they were last read */
    pthread_mutex_t rules_lock;
    fm_counters     rules_counters; /* under rules_lock */
};

/* ---- what the layers ask of each other ---- */

static void emit(void *self, uint32_t shard, const fm_alert *alert)
{
    fm_routed_alert routed = {.id = alert->id, .partition = alert->partition, .ordinal = alert->ordinal, .sequence = alert->sequence,
                              .event_ns = alert->event_ns, .receive_ns = alert->receive_ns, .detect_ns = alert->detect_ns,
                              .severity = alert->severity, .symbol = fm_slice_of(alert->symbol), .rule = fm_slice_of(alert->rule),
                              .domain = fm_slice_of(alert->domain), .body = {alert->body, alert->body_size}};
    fm_router_emit(self, shard, &routed);
}

static uint64_t taken(void *self, uint32_t shard)
{
    return fm_router_taken(self, shard);
}

static int behind(void *self)
{
    return fm_router_behind(self);
}

static fm_rule_runner *runner_of(void *context, uint32_t shard)
{
    fm_runtime *runtime = context;
    return fm_host_runner(runtime->host[shard]);
}

static const fm_rule_set *generation_of(void *context, const char *hash)
{
    fm_runtime *runtime = context;
    return fm_generations_find(runtime->generations, hash);
}

static const fm_reference_set *reference_of(void *context, const char *hash)
{
    fm_runtime *runtime = context;
    return fm_references_find(runtime->references, hash);
}

static void latest(void *context, const fm_latest *values)
{
    fm_redis_latest out = {.symbol = values->symbol, .count = values->count};
    memcpy(out.field, values->field, sizeof(out.field));
    memcpy(out.text, values->text, sizeof(out.text));
    fm_sink_redis_latest(context, &out);
}

static void rules_json(void *context, fm_text *out)
{
    fm_runtime *runtime = context;
    fm_engine_rules_json(runtime->engine, out);
}

static int rules_reload(void *context, fm_error *error)
{
    return fm_runtime_reload_rules(context, error);
}

/* ---- opening ---- */

static fm_sync sync_of(const fm_settings *settings)
{
    return strcmp(settings->journal_sync, "always") == 0 ? FM_SYNC_ALWAYS : strcmp(settings->journal_sync, "off") == 0 ? FM_SYNC_OFF : FM_SYNC_INTERVAL;
}

static int one_of(const char *name, const char *value, const char *const *choices, fm_error *error)
{
    char list[128] = "";
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(value, choices[i]) == 0)
            return 0;
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s\"%s\"", i > 0 ? ", " : "", choices[i]);
    }
    return fm_fail(error, FM_EINVAL, "setting \"%s\" is \"%.60s\", it may be %s", name, value, list);
}

static int check_choices(const fm_settings *s, fm_error *error)
{
    FM_TRY(one_of("journal.sync", s->journal_sync, (const char *const[]){"always", "interval", "off", NULL}, error));
    FM_TRY(one_of("engine.unknown_symbols", s->engine_unknown_symbols, (const char *const[]){"register", "refuse", NULL}, error));
    FM_TRY(one_of("store.backend", s->store_backend, (const char *const[]){"embedded", NULL}, error));
    FM_TRY(one_of("data.file_layer", s->data_file_layer, (const char *const[]){"system", "withholding", NULL}, error));
    return one_of("log.level", s->log_level, (const char *const[]){"debug", "info", "warn", "error", NULL}, error);
}

static int open_logs(fm_runtime *r, fm_error *error)
{
    const fm_settings *s = &r->settings;
    fm_journal_config journal = {.directory = r->dir.journal, .layer = r->layer, .writer_count = r->shard_count, .sync = sync_of(s),
                                 .sync_interval_ns = s->journal_sync_interval, .segment_bytes = (uint64_t)s->journal_segment_bytes,
                                 .retain_bytes = (uint64_t)s->journal_retain_bytes};
    FM_TRY(fm_journal_open(&journal, &r->journal, error));
    fm_router_config router = {.directory = r->dir.router, .layer = r->layer, .clock = fm_clock_system, .shard_count = r->shard_count,
                               .ring_bytes = 8u << 20, .sync_always = journal.sync == FM_SYNC_ALWAYS, .ids_max = (uint64_t)s->router_ids_max,
                               .retain_bytes = (uint64_t)s->router_retain_bytes, .incarnation_ms = r->dir.incarnation_ms};
    FM_TRY(fm_router_open(&router, &r->router, error));
    fm_store *store;
    FM_TRY(fm_store_open_embedded(r->dir.store, &store, error));
    int result = fm_archive_start_take(r->router, store, SINK_ARCHIVE, &r->archive);
    if (result < 0)
        return fm_fail(error, result, "could not start the archive: %s", fm_error_text(result));
    if (s->redis_url[0] == 0)
        return 0;
    fm_sink_redis_config redis = {.redis = {.url = s->redis_url, .connect_ms = 1000, .command_ms = 2000, .stream_max = (uint64_t)s->redis_stream_max,
                                            .incarnation_ms = r->dir.incarnation_ms},
                                  .clock = fm_clock_system, .directory = r->dir.router, .layer = r->layer, .sink = SINK_REDIS,
                                  .heartbeat_ns = s->redis_heartbeat};
    result = fm_sink_redis_start(r->router, &redis, &r->redis);
    if (result == FM_EINVAL)
        return fm_fail(error, result, "setting \"redis.url\" is not redis://[user[:password]@]host[:port][/db]");
    return result < 0 ? fm_fail(error, result, "could not start the Redis thread: %s", fm_error_text(result)) : 0;
}

static int open_engine(fm_runtime *r, fm_error *error)
{
    const fm_settings *s = &r->settings;
    fm_host_config host = {.budget = (uint32_t)s->rules_budget, .deadline_ns = s->rules_deadline, .memory_bytes = (uint64_t)s->rules_memory_bytes,
                           .jit = s->rules_jit};
    r->host = calloc(r->shard_count, sizeof(*r->host));
    FM_ASSERT(r->host != NULL);
    for (uint32_t i = 0; i < r->shard_count; i++)
        FM_TRY(fm_host_create(&host, &r->host[i], error));
    FM_TRY(fm_generations_open(r->layer, r->dir.generations, r->host, r->shard_count, &r->generations, error));
    FM_TRY(fm_references_open(r->layer, r->dir.reference, &r->references, error));
    fm_engine_config engine;
    fm_engine_config_preset(&engine);
    engine.shard_count = r->shard_count;
    engine.journal = r->journal;
    engine.snapshot_directory = r->dir.snapshots;
    engine.layer = r->layer;
    engine.ring_bytes = (uint64_t)s->engine_ring_bytes;
    engine.instruments_max = (uint32_t)s->engine_instruments_max;
    engine.domains_max = (uint32_t)s->engine_domains_max;
    engine.sources_max = (uint32_t)s->ingest_sources_max;
    engine.source_window = (uint32_t)s->ingest_source_window;
    engine.sequence_window = (uint32_t)s->ingest_sequence_window;
    engine.register_unknown = strcmp(s->engine_unknown_symbols, "register") == 0;
    engine.future_max_ns = s->ingest_future_max;
    engine.lag_allowed_ns = s->engine_lag_allowed;
    engine.stale_venue_ns = s->engine_stale_venue;
    engine.book = (fm_book_limits){.levels_max = (uint32_t)s->engine_book_levels_max, .orders_max = (uint32_t)s->engine_book_orders_max};
    if (getrandom(&engine.book.id_seed, sizeof(engine.book.id_seed), GRND_NONBLOCK) < 0)
        engine.book.id_seed = (uint64_t)fm_wall_ns(&fm_clock_system); /* early in a boot */
    engine.books_max = (uint32_t)s->engine_books_max;
    engine.batch_max = (uint32_t)s->engine_batch_max;
    engine.build_id = fm_build_id;
    engine.sync_always = sync_of(s) == FM_SYNC_ALWAYS;
    engine.snapshot_needs_sync = sync_of(s) != FM_SYNC_OFF;
    engine.alerts = (fm_alert_output){r->router, emit, taken, behind};
    engine.latest = r->redis != NULL ? latest : NULL;
    engine.latest_context = r->redis;
    engine.runner_of = runner_of;
    engine.generation_of = generation_of;
    engine.reference_of = reference_of;
    engine.runner_context = r;
    return fm_engine_create(&engine, &r->engine, error);
}

static int open_server(fm_runtime *r, fm_error *error)
{
    const fm_settings *s = &r->settings;
    fm_server_config server = {.listen = s->net_listen, .connections_max = (uint32_t)s->net_connections_max,
                               .body_bytes_max = (uint64_t)s->net_body_bytes_max, .header_bytes_max = (uint32_t)s->net_header_bytes_max,
                               .idle_timeout_ns = s->net_idle_timeout, .request_timeout_ns = s->net_request_timeout,
                               .write_timeout_ns = s->net_write_timeout, .requests_max = (uint32_t)s->net_requests_max,
                               .ws_queue_bytes_max = (uint64_t)s->net_ws_queue_bytes_max,
                               .ws_message_bytes_max = (uint32_t)s->net_ws_message_bytes_max,
                               .quarantine_max = (uint32_t)s->ingest_quarantine_max, .limits = fm_decode_limits_preset, .clock = fm_clock_system,
                               .engine = r->engine, .router = r->router, .archive = r->archive, .redis = r->redis, .journal = r->journal,
                               .version = FM_VERSION, .rules_json = rules_json, .rules_reload = rules_reload, .rules_context = r,
                               .rules_counters = &r->rules_counters};
    server.limits.scale_max = (int32_t)s->ingest_scale_max;
    return fm_server_create(&server, &r->server, error);
}

/* ---- threads ---- */

static void *shard_thread(void *context)
{
    thread *self = context;
    fm_runtime *r = self->runtime;
    fm_shard *shard = fm_engine_shard(r->engine, self->index);
    if (fm_shard_recover(shard, &self->error) < 0)
        __atomic_store_n(&r->failed, true, __ATOMIC_RELEASE);
    pthread_barrier_wait(&r->recovered); /* nobody takes records before every partition is there */
    pthread_barrier_wait(&r->recovered); /* and the snapshot thread runs */
    if (__atomic_load_n(&r->failed, __ATOMIC_ACQUIRE))
        return NULL;
    fm_server_run_shard(r->server, self->index);
    fm_shard_snapshot(shard);
    return NULL;
}

static int start_threads(fm_runtime *r, fm_error *error)
{
    r->thread = calloc(r->shard_count, sizeof(*r->thread));
    FM_ASSERT(r->thread != NULL);
    pthread_barrier_init(&r->recovered, NULL, r->shard_count + 1);
    for (uint32_t i = 0; i < r->shard_count; i++) {
        r->thread[i] = (thread){.runtime = r, .index = i};
        if (pthread_create(&r->thread[i].id, NULL, shard_thread, &r->thread[i]) != 0) {
            fprintf(stderr, "fmads: could not start a thread\n");
            exit(3); /* those that run wait at the barrier for one that will not come */
        }
        r->thread[i].started = true;
    }
    pthread_barrier_wait(&r->recovered);
    int result = 0;
    for (uint32_t i = 0; i < r->shard_count; i++)
        if (r->thread[i].error.code < 0) {
            *error = r->thread[i].error;
            result = error->code;
        }
    if (result == 0 && (result = fm_engine_start(r->engine)) < 0)
        fm_fail(error, result, "could not start the snapshot thread: %s", fm_error_text(result));
    if (result < 0)
        __atomic_store_n(&r->failed, true, __ATOMIC_RELEASE);
    pthread_barrier_wait(&r->recovered);
    return result;
}

/* ---- rules ---- */

static uint64_t hash_folder(const char *path, int depth)
{
    uint64_t sum = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char full[1024];
        struct stat status;
        if (entry->d_name[0] == '.' || snprintf(full, sizeof(full), "%s/%s", path, entry->d_name) >= (int)sizeof(full) || stat(full, &status) != 0)
            continue;
        struct {
            uint64_t name, size, seconds, nanoseconds;
        } one = {fm_hash_slice(fm_slice_of(full)), (uint64_t)status.st_size, (uint64_t)status.st_mtim.tv_sec, (uint64_t)status.st_mtim.tv_nsec};
        sum += S_ISDIR(status.st_mode) && depth < 4 ? hash_folder(full, depth + 1) : fm_hash64(&one, sizeof(one), 3);
    }
    if (folder != NULL)
        closedir(folder);
    return sum;
}

static void log_report(const fm_rule_load *report)
{
    for (uint32_t i = 0; i < report->report_count; i++) {
        const fm_rule_report *file = &report->report[i];
        if (!file->ok)
            fm_log(FM_LOG_ERROR, "rule_file_refused", "file", file->file, "line", fm_log_int(file->error.line), "message", file->error.message,
                   "hint", file->error.hint, NULL);
    }
}

static uint64_t signature_of(const fm_runtime *r)
{
    return hash_folder(r->settings.rules_dir, 0) + 3 * hash_folder(r->settings.reference_dir, 0);
}

static int load_reference(fm_runtime *r, fm_error *error)
{
    const fm_reference_set *set = NULL;
    FM_TRY(fm_references_load(r->references, r->settings.reference_dir, &set, error));
    if (set == r->reference)
        return 0;
    r->reference = set;
    fm_engine_set_reference(r->engine, set);
    if (set->instrument_count + set->calendar_count > 0) {
        char hash[33];
        fm_hash128_hex(set->hash, hash);
        fm_log(FM_LOG_INFO, "reference_current", "set", hash, "instruments", fm_log_int(set->instrument_count), "actions",
               fm_log_int(set->action_count), "calendars", fm_log_int(set->calendar_count), NULL);
    }
    return 0;
}

static int load_rules(fm_runtime *r, fm_error *error)
{
    fm_rule_load report;
    const fm_rule_set *set = NULL;
    int result = fm_generations_load(r->generations, r->settings.rules_dir, &set, &report, error);
    log_report(&report);
    if (result >= 0 && set != r->rules) {
        result = fm_engine_set_rules(r->engine, set, error);
        if (result >= 0) {
            char hash[33];
            fm_hash128_hex(set->hash, hash);
            r->rules = set;
            fm_log(FM_LOG_INFO, "rules_current", "generation", hash, "rules", fm_log_int(set->count), NULL);
        }
    }
    if (result < 0 && error->code == 0) {
        fm_error first = {0};
        for (uint32_t i = 0; i < report.report_count && first.code == 0; i++)
            if (!report.report[i].ok)
                first = report.report[i].error;
        *error = first;
        error->code = result;
    }
    fm_rules_load_free(&report);
    return result;
}

int fm_runtime_reload_rules(fm_runtime *r, fm_error *error)
{
    pthread_mutex_lock(&r->rules_lock);
    r->rules_signature = signature_of(r);
    int result = load_reference(r, error);
    if (result < 0) {
        fm_count(&r->rules_counters, FM_METRIC_RULE_RELOAD_FAILURES, 1);
        fm_log(FM_LOG_ERROR, "reference_refused", "message", error->message, "kept", r->reference != NULL ? "the set that held before" : "none", NULL);
    } else if ((result = load_rules(r, error)) < 0) {
        fm_count(&r->rules_counters, FM_METRIC_RULE_RELOAD_FAILURES, 1);
        fm_log(FM_LOG_ERROR, "rules_refused", "message", error->message, "file", error->file, "line", fm_log_int(error->line), "kept",
               r->rules != NULL ? "the rules that ran before" : "no rules", NULL);
    }
    pthread_mutex_unlock(&r->rules_lock);
    return result;
}

void fm_runtime_watch_rules(fm_runtime *r)
{
    if (signature_of(r) == r->rules_signature)
        return;
    fm_error error = {0};
    int result = fm_runtime_reload_rules(r, &error);
    (void)result; /* told in the log */
}

/* ---- the whole ---- */

static int start(fm_runtime *r, fm_error *error)
{
    FM_TRY(fm_data_dir_open(r->settings.data_dir, true, &r->dir, error));
    FM_TRY(open_logs(r, error));
    FM_TRY(open_engine(r, error));
    FM_TRY(open_server(r, error));
    int result = fm_router_start(r->router);
    if (result < 0)
        return fm_fail(error, result, "could not start the alert router: %s", fm_error_text(result));
    FM_TRY(start_threads(r, error));
    fm_error rules_error = {0};
    if (fm_runtime_reload_rules(r, &rules_error) < 0 && r->rules == NULL) {
        *error = rules_error; /* a server without the rules that it was given must not look healthy */
        return rules_error.code;
    }
    return 0;
}

int fm_runtime_start(const fm_settings *settings, fm_runtime **out, fm_error *error)
{
    FM_TRY(check_choices(settings, error));
    fm_runtime *r = calloc(1, sizeof(*r));
    FM_ASSERT(r != NULL);
    r->settings = *settings;
    r->dir.lock = -1;
    r->layer = strcmp(settings->data_file_layer, "withholding") == 0 ? &fm_file_withholding : &fm_file_system;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    r->shard_count = settings->engine_shards > 0 ? (uint32_t)settings->engine_shards : processors > 64 ? 64 : processors < 1 ? 1 : (uint32_t)processors;
    pthread_mutex_init(&r->rules_lock, NULL);
    static const char *const level[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (strcmp(settings->log_level, level[i]) == 0)
            fm_log_set_level((fm_log_level)i);
    int result = start(r, error);
    if (result < 0) {
        fm_runtime_stop(r);
        return result;
    }
    *out = r;
    fm_log(FM_LOG_INFO, "listening", "address", settings->net_listen, "port", fm_log_int(fm_runtime_port(r)), "shards", fm_log_int(r->shard_count),
           "data", settings->data_dir, NULL);
    return 0;
}

uint16_t fm_runtime_port(const fm_runtime *runtime)
{
    return fm_server_port(runtime->server);
}

void fm_runtime_ask_stop(fm_runtime *runtime)
{
    fm_server_stop(runtime->server);
}

/* In reverse: no more records, the last snapshots, the alerts to their sinks, the logs. */
int fm_runtime_stop(fm_runtime *r)
{
    if (r->server != NULL)
        fm_server_stop(r->server);
    for (uint32_t i = 0; r->thread != NULL && i < r->shard_count; i++)
        if (r->thread[i].started)
            pthread_join(r->thread[i].id, NULL);
    if (r->engine != NULL)
        fm_engine_stop(r->engine);
    if (r->server != NULL)
        fm_server_destroy(r->server);
    if (r->router != NULL)
        fm_router_stop(r->router);
    if (r->redis != NULL)
        fm_sink_redis_stop(r->redis);
    if (r->archive != NULL)
        fm_archive_stop(r->archive);
    if (r->router != NULL)
        fm_router_close(r->router);
    fm_engine_destroy(r->engine);
    if (r->journal != NULL)
        fm_journal_close(r->journal);
    fm_generations_close(r->generations);
    fm_references_close(r->references);
    for (uint32_t i = 0; r->host != NULL && i < r->shard_count; i++)
        if (r->host[i] != NULL)
            fm_host_destroy(r->host[i]);
    free(r->host);
    free(r->thread);
    fm_data_dir_close(&r->dir);
    pthread_mutex_destroy(&r->rules_lock);
    free(r);
    return 0;
}
