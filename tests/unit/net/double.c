/* tests/unit/net/double.c - the real server of net/ on a pretended engine, so that tests can make every failure happen.
 *
 * Linked in place of engine, journal, router, archive and Redis. Symbols are commands:
 *   FULL     the ring has no room, ever          BUSY     … for 300 ms after it was first seen
 *   DISK     the journal is full                 HUGE     the batch does not fit an empty ring
 *   SLOW     the verdict takes 300 ms            NEVER    it does not come
 *   UNKNOWN  refused by the engine               TWICE    a duplicate
 *   ALERT    accepted, and an alert              FLOOD    … 2000 alerts of 4 KiB
 * Settings come from the environment as the real program's do; FMADS_DOUBLE_KEPT is the first router position that is
 * kept, FMADS_DOUBLE_ALERTS how many alerts there are at the start. Prints {"event":"listening","port":N} on standard
 * error, ends on SIGTERM. */
#include "alert/archive.h"
#include "alert/router.h"
#include "alert/sink_redis.h"
#include "engine/query.h"
#include "engine/shard.h"
#include "net/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SHARDS  2
#define INTAKES 256
#define KINDS   4

/* ---- engine ---- */

struct fm_intake {
    struct fm_intake *next;
    fm_shard *shard;
    bool open, never;
    int64_t due_ns;
    uint32_t alerts;
    fm_on_reply on_reply;
    void *context;
    bool disk;
    fm_reply reply;
};

struct fm_shard {
    uint32_t index;
    fm_counters counters;
    void (*wake)(void *);
    void *wake_context;
    _Atomic bool sleeping;
    fm_intake intake[INTAKES];
    fm_intake *free, *waiting;
    int64_t busy_since_ns;
    uint64_t sequence[FM_PARTITION_COUNT];
};

struct fm_engine {
    fm_shard shard[SHARDS];
};

static fm_engine engine;
static fm_router *the_router;

static int64_t now(void)
{
    return fm_mono_ns(&fm_clock_system);
}

fm_shard *fm_engine_shard(fm_engine *e, uint32_t index)
{
    return &e->shard[index];
}

uint32_t fm_engine_shard_count(const fm_engine *e)
{
    (void)e;
    return SHARDS;
}

fm_counters *fm_shard_counters(fm_shard *shard)
{
    return &shard->counters;
}

void fm_shard_on_wake(fm_shard *shard, void (*wake)(void *context), void *context)
{
    shard->wake = wake;
    shard->wake_context = context;
}

void fm_shard_set_sleeping(fm_shard *shard, bool sleeping)
{
    atomic_store(&shard->sleeping, sleeping);
}

bool fm_shard_has_work(const fm_shard *shard)
{
    return shard->waiting != NULL && shard->waiting->due_ns <= now();
}

int64_t fm_shard_sleep_ns(fm_shard *shard)
{
    return shard->waiting != NULL ? FM_NS_PER_MS : -1;
}

fm_intake *fm_intake_open(fm_shard *shard, fm_slice domain, int64_t receive_ns)
{
    fm_intake *intake = shard->free;

    (void)domain;
    (void)receive_ns;
    if (intake == NULL)
        return NULL;
    shard->free = intake->next;
    memset(intake, 0, sizeof(*intake));
    intake->shard = shard;
    intake->open = true;
    return intake;
}

static bool is(const fm_record *record, const char *symbol)
{
    return fm_slice_equal(record->symbol, fm_slice_of(symbol));
}

int fm_intake_add(fm_intake *intake, uint32_t index, const fm_record *record)
{
    fm_shard *shard = intake->shard;
    fm_reply *reply = &intake->reply;

    if (is(record, "FULL"))
        return FM_queue_full;
    if (is(record, "HUGE"))
        return FM_batch_too_large;
    if (is(record, "BUSY")) {
        if (shard->busy_since_ns == 0)
            shard->busy_since_ns = now();
        if (now() - shard->busy_since_ns < 300 * FM_NS_PER_MS)
            return FM_queue_full;
    }
    intake->disk |= is(record, "DISK");
    intake->never |= is(record, "NEVER");
    if (is(record, "SLOW"))
        intake->due_ns = now() + 300 * FM_NS_PER_MS;
    if (is(record, "UNKNOWN")) {
        reply->rejected++;
        if (reply->error_count < FM_REPLY_ERRORS_MAX)
            reply->error[reply->error_count++] = (fm_reply_error){index, FM_unknown_symbol};
        return 0;
    }
    if (is(record, "TWICE")) {
        reply->duplicate++;
        return 0;
    }
    intake->alerts += is(record, "ALERT") ? 1 : is(record, "FLOOD") ? 2000 : 0;
    uint32_t partition = fm_partition_of(record->symbol);
    reply->accepted++;
    reply->touched |= UINT64_C(1) << partition;
    reply->position[partition] = ++shard->sequence[partition];
    return 0;
}

void fm_intake_abort(fm_intake *intake)
{
    intake->open = false;
    intake->next = intake->shard->free;
    intake->shard->free = intake;
}

int fm_intake_publish(fm_intake *intake, fm_on_reply on_reply, void *context)
{
    fm_intake **at = &intake->shard->waiting;

    if (intake->disk) {
        fm_intake_abort(intake);
        return FM_journal_full;
    }
    intake->on_reply = on_reply;
    intake->context = context;
    intake->next = NULL;
    while (*at != NULL && (*at)->due_ns <= intake->due_ns)
        at = &(*at)->next;
    if (!intake->never) { /* else it is kept by nobody, as if a shard hung */
        intake->next = *at;
        *at = intake;
    }
    return 0;
}

static void emit(uint32_t count, bool large);

uint32_t fm_shard_turn(fm_shard *shard)
{
    uint32_t taken = 0;

    for (fm_intake *intake; (intake = shard->waiting) != NULL && intake->due_ns <= now(); taken++) {
        fm_reply *reply = &intake->reply;
        shard->waiting = intake->next;
        fm_count(&shard->counters, FM_METRIC_RECEIVED, reply->accepted + reply->rejected + reply->duplicate);
        fm_count(&shard->counters, FM_METRIC_ACCEPTED, reply->accepted);
        fm_count(&shard->counters, FM_METRIC_APPLIED, reply->accepted);
        fm_count(&shard->counters, FM_METRIC_DUPLICATE, reply->duplicate);
        if (reply->rejected > 0)
            fm_count_rejected(&shard->counters, FM_unknown_symbol, reply->rejected);
        emit(intake->alerts, intake->alerts >= 2000);
        intake->on_reply(intake->context, reply);
        fm_intake_abort(intake);
    }
    return taken;
}

/* ---- questions: answered on threads of their own ---- */

typedef struct answer {
    void (*done)(void *context, int result, fm_slice json);
    void *context;
    int result, delay_ms;
    char json[512];
} answer;

static void *answer_later(void *argument)
{
    answer *a = argument;

    usleep((useconds_t)a->delay_ms * 1000);
    a->done(a->context, a->result, (fm_slice){a->json, a->result < 0 ? 0 : strlen(a->json)});
    free(a);
    return NULL;
}

static int ask(void (*done)(void *, int, fm_slice), void *context, int result, int delay_ms, const char *format, ...)
{
    answer *a = calloc(1, sizeof(*a));
    pthread_t thread;
    va_list arguments;

    *a = (answer){.done = done, .context = context, .result = result, .delay_ms = delay_ms};
    va_start(arguments, format);
    vsnprintf(a->json, sizeof(a->json), format, arguments);
    va_end(arguments);
    if (pthread_create(&thread, NULL, answer_later, a) != 0)
        abort();
    pthread_detach(thread);
    return 0;
}

int fm_engine_instruments_json(fm_engine *e, fm_slice domain, fm_slice after, uint32_t limit, fm_query_done done,
                               void *context)
{
    (void)e;
    return ask(
        done, context, 0, 0,
        "{\"items\":[{\"symbol\":\"EURUSD\",\"domain\":\"%.*s\"}],\"next\":null,\"after\":\"%.*s\",\"limit\":%u}\n",
        (int)domain.size, domain.data, (int)after.size, after.data, limit);
}

int fm_engine_latest_json(fm_engine *e, fm_slice domain, fm_slice symbol, fm_query_done done, void *context)
{
    (void)e;
    (void)domain;
    if (fm_slice_equal(symbol, FM_SLICE("none")))
        return ask(done, context, FM_ENOTFOUND, 0, "-");
    return ask(done, context, 0, fm_slice_equal(symbol, FM_SLICE("slow")) ? 400 : 0, "{\"symbol\":\"%.*s\"}\n",
               (int)symbol.size, symbol.data);
}

int fm_engine_books_json(fm_engine *e, fm_slice domain, fm_slice symbol, uint32_t depth, fm_query_done done,
                         void *context)
{
    (void)e;
    (void)domain;
    if (fm_slice_equal(symbol, FM_SLICE("none")))
        return ask(done, context, FM_ENOTFOUND, 0, "-");
    return ask(done, context, 0, 0, "{\"symbol\":\"%.*s\",\"items\":[],\"depth\":%u}\n", (int)symbol.size,
               symbol.data, depth);
}

int fm_archive_list(fm_archive *archive, const fm_alert_query *query, fm_archive_done done, void *context)
{
    (void)archive;
    return ask(done, context, 0, 0,
               "{\"items\":[],\"next\":null,\"symbol\":\"%.*s\",\"from\":%lld,\"severity_min\":%u,\"limit\":%u}\n",
               (int)query->symbol.size, query->symbol.data, (long long)query->from_ns, query->severity_min,
               query->limit);
}

int fm_archive_get(fm_archive *archive, fm_slice id, fm_archive_done done, void *context)
{
    (void)archive;
    if (fm_slice_equal(id, FM_SLICE("busy")))
        return FM_EBUSY;
    return ask(done, context, fm_slice_equal(id, FM_SLICE("none")) ? FM_ENOTFOUND : 0, 0, "{\"id\":\"%.*s\"}\n",
               (int)id.size, id.data);
}

static fm_counters archive_counters, redis_counters, journal_counters;

fm_counters *fm_archive_counters(fm_archive *archive)
{
    (void)archive;
    return &archive_counters;
}

fm_counters *fm_sink_redis_counters(fm_sink_redis *sink)
{
    (void)sink;
    return &redis_counters;
}

bool fm_sink_redis_connected(const fm_sink_redis *sink)
{
    (void)sink;
    return false;
}

fm_counters *fm_journal_counters(fm_journal *journal)
{
    (void)journal;
    return &journal_counters;
}

/* ---- router: a list in memory ---- */

typedef struct entry {
    bool large;
    uint32_t severity;
} entry;

struct fm_router {
    pthread_mutex_t lock;
    entry *entry;
    uint64_t count, kept;
    fm_counters counters;
    void (*listener[4])(void *context, uint64_t last);
    void *context[4];
    uint32_t listener_count;
};

static char large_body[4096];

static void emit(uint32_t count, bool large)
{
    fm_router *router = the_router;

    if (count == 0)
        return;
    pthread_mutex_lock(&router->lock);
    router->entry = realloc(router->entry, (router->count + count) * sizeof(entry));
    for (uint32_t i = 0; i < count; i++) {
        router->entry[router->count] = (entry){large, (uint32_t)(router->count % KINDS)};
        router->count++;
    }
    uint64_t last = router->count;
    pthread_mutex_unlock(&router->lock);
    for (uint32_t i = 0; i < router->listener_count; i++)
        router->listener[i](router->context[i], last);
}

int fm_router_read(fm_router *router, uint64_t after, uint32_t limit, fm_routed_visit visit, void *context)
{
    uint32_t visited = 0;
    char body[128];
    static const char *const symbols[KINDS] = {"EURUSD", "GBPUSD", "BAC", "ES"};

    pthread_mutex_lock(&router->lock);
    uint64_t count = router->count;
    pthread_mutex_unlock(&router->lock);
    if (after + 1 < router->kept)
        return FM_ENOTFOUND;
    for (uint64_t at = after; at < count && visited < limit; at++, visited++) {
        pthread_mutex_lock(&router->lock);
        entry e = router->entry[at];
        pthread_mutex_unlock(&router->lock);
        snprintf(body, sizeof(body), "{\"id\":\"%llu\",\"symbol\":\"%s\"}", (unsigned long long)(at + 1),
                 symbols[at % KINDS]);
        fm_routed_alert alert = {.router_sequence = at + 1,
                                 .severity = e.severity,
                                 .symbol = fm_slice_of(symbols[at % KINDS]),
                                 .rule = FM_SLICE("pack/rule"),
                                 .domain = FM_SLICE("live"),
                                 .body = e.large ? (fm_slice){large_body, sizeof(large_body)} : fm_slice_of(body)};
        visit(context, &alert);
    }
    return (int)visited;
}

void fm_routed_alert_json(const fm_routed_alert *alert, fm_text *out)
{
    fm_text_add(out, alert->body.data, alert->body.size);
}

uint64_t fm_router_last(const fm_router *router)
{
    fm_router *r = (fm_router *)router;

    pthread_mutex_lock(&r->lock);
    uint64_t last = r->count;
    pthread_mutex_unlock(&r->lock);
    return last;
}

int fm_router_listen(fm_router *router, void (*call)(void *context, uint64_t last), void *context)
{
    router->listener[router->listener_count] = call;
    router->context[router->listener_count++] = context;
    return 0;
}

int fm_router_behind(fm_router *router)
{
    (void)router;
    return 0;
}

fm_counters *fm_router_counters(fm_router *router)
{
    return &router->counters;
}

/* ---- the program ---- */

static fm_server *server;

static void on_signal(int number)
{
    (void)number;
    fm_server_stop(server);
}

static void *run(void *argument)
{
    fm_server_run_shard(server, (uint32_t)(size_t)argument);
    return NULL;
}

static void rules_json(void *context, fm_text *out)
{
    (void)context;
    fm_text_put(out, "{\"items\":[],\"next\":null}\n");
}

static int rules_reload(void *context, fm_error *error)
{
    (void)context;
    if (getenv("FMADS_DOUBLE_BAD_RULE") == NULL)
        return 0;
    fm_fail(error, FM_ERULE, "could not read rule file \"equity/x.lua\": \"end\" expected");
    snprintf(error->file, sizeof(error->file), "equity/x.lua");
    error->line = 7;
    return FM_ERULE;
}

/* "500ms", "10s" or a plain number. */
static int64_t setting(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    char *end;

    if (text == NULL)
        return otherwise;
    int64_t value = strtoll(text, &end, 10);
    return strcmp(end, "ms") == 0 ? value * FM_NS_PER_MS : strcmp(end, "s") == 0 ? value * FM_NS_PER_S : value;
}

static void prepare(fm_router *router)
{
    memset(large_body, 'x', sizeof(large_body));
    memcpy(large_body, "{\"x\":\"", 6);
    memcpy(large_body + sizeof(large_body) - 2, "\"}", 2);
    pthread_mutex_init(&router->lock, NULL);
    router->kept = (uint64_t)setting("FMADS_DOUBLE_KEPT", 1);
    the_router = router;
    for (uint32_t i = 0; i < SHARDS; i++)
        for (uint32_t j = 0; j < INTAKES; j++) {
            engine.shard[i].intake[j].next = engine.shard[i].free;
            engine.shard[i].free = &engine.shard[i].intake[j];
        }
    emit((uint32_t)setting("FMADS_DOUBLE_ALERTS", 0), false);
}

int main(void)
{
    static fm_router router;
    fm_error error = {0};
    pthread_t thread[SHARDS];
    const char *listen = getenv("FMADS_NET_LISTEN");

    prepare(&router);
    fm_server_config config = {
        .listen = listen != NULL ? listen : "127.0.0.1:0",
        .connections_max = (uint32_t)setting("FMADS_NET_CONNECTIONS_MAX", 1024),
        .body_bytes_max = (uint64_t)setting("FMADS_NET_BODY_BYTES_MAX", 8388608),
        .header_bytes_max = (uint32_t)setting("FMADS_NET_HEADER_BYTES_MAX", 16384),
        .idle_timeout_ns = setting("FMADS_NET_IDLE_TIMEOUT", 30 * FM_NS_PER_S),
        .request_timeout_ns = setting("FMADS_NET_REQUEST_TIMEOUT", 10 * FM_NS_PER_S),
        .write_timeout_ns = setting("FMADS_NET_WRITE_TIMEOUT", 10 * FM_NS_PER_S),
        .requests_max = (uint32_t)setting("FMADS_NET_REQUESTS_MAX", 1024),
        .ws_queue_bytes_max = (uint64_t)setting("FMADS_NET_WS_QUEUE_BYTES_MAX", 4194304),
        .ws_message_bytes_max = (uint32_t)setting("FMADS_NET_WS_MESSAGE_BYTES_MAX", 1048576),
        .quarantine_max = (uint32_t)setting("FMADS_INGEST_QUARANTINE_MAX", 1000),
        .limits = fm_decode_limits_preset,
        .clock = fm_clock_system,
        .engine = &engine,
        .router = &router,
        .archive = (fm_archive *)&archive_counters,
        .redis = getenv("FMADS_DOUBLE_REDIS") != NULL ? (fm_sink_redis *)&redis_counters : NULL,
        .journal = (fm_journal *)&journal_counters,
        .version = "0.0.0-double",
        .rules_json = rules_json,
        .rules_reload = rules_reload,
    };
    fm_gauge(&journal_counters, FM_METRIC_JOURNAL_FULL, (uint64_t)setting("FMADS_DOUBLE_JOURNAL_FULL", 0));
    if (fm_server_create(&config, &server, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        return 3;
    }
    signal(SIGTERM, on_signal);
    for (size_t i = 0; i < SHARDS; i++)
        if (pthread_create(&thread[i], NULL, run, (void *)i) != 0)
            return 3;
    fprintf(stderr, "{\"event\":\"listening\",\"port\":%u}\n", fm_server_port(server));
    for (size_t i = 0; i < SHARDS; i++)
        pthread_join(thread[i], NULL);
    fm_server_destroy(server);
    free(router.entry);
    return 0;
}
