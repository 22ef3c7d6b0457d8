/* alert/sink_redis.c - the Redis thread. One turn: alerts, then latest values, then the heartbeat; any failure closes
 * the connection, and the next one is tried after a pause. Nobody ever waits for this thread. */
#include "alert/sink_redis.h"

#include "alert/backoff.h"
#include "alert/latest_map.h"
#include "alert/log_batch.h"
#include "alert/redis_cursor.h"
#include "alert/worker.h"
#include "base/assert.h"
#include "base/event.h"
#include "base/log.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 256, BATCH_BYTES = 1 << 20, LATEST_AT_ONCE = 256, LATEST_MAX = 16384 };
static const int64_t CURSOR_NS = FM_NS_PER_S, DRAIN_NS = 2 * FM_NS_PER_S;

struct fm_sink_redis {
    fm_router *router;
    fm_sink_redis_config config;
    char *url;
    char cursor_path[PATH_MAX];
    fm_worker worker;
    _Atomic bool connected;

    pthread_mutex_t lock;  /* over maps[filling] and filling */
    fm_latest_map maps[2]; /* one is filled while the other is sent */
    uint32_t filling;
    _Atomic uint64_t latest_dropped;
    _Atomic bool latest_news;

    /* the thread's own */
    fm_redis *redis;
    uint64_t connections;
    fm_backoff backoff;
    uint64_t cursor, cursor_kept;
    int64_t cursor_kept_ns, heartbeat_ns;
    uint32_t latest_sent; /* of the map that is not being filled */
    fm_log_batch batch;
    fm_text json;
    fm_redis_alert alerts[BATCH];
    fm_counters counters;
};

static int64_t mono_now(void)
{
    return fm_mono_ns(&fm_clock_system);
}

static fm_slice severity_name(uint32_t severity)
{
    static const char *const names[] = {"info", "warning", "error", "critical"};
    return fm_slice_of(severity < 4 ? names[severity] : "critical");
}

/* ---- the connection ---- */

static void disconnect(fm_sink_redis *sink)
{
    fm_redis_close(sink->redis);
    sink->redis = NULL;
    atomic_store_explicit(&sink->connected, false, memory_order_relaxed);
    fm_gauge(&sink->counters, FM_METRIC_REDIS_CONNECTED, 0);
}

static void failed(fm_sink_redis *sink, const fm_error *error)
{
    int64_t pause_ns = fm_backoff_failure(&sink->backoff, mono_now());
    disconnect(sink);
    fm_log(FM_LOG_WARN, "redis_failed", "message", error->message, "retry_ms", fm_log_int(pause_ns / FM_NS_PER_MS),
           NULL);
}

static int connect_again(fm_sink_redis *sink, fm_error *error)
{
    fm_redis_config config = sink->config.redis;
    config.url = sink->url;
    FM_TRY(fm_redis_connect(&config, &sink->redis, error));
    atomic_store_explicit(&sink->connected, true, memory_order_relaxed);
    fm_gauge(&sink->counters, FM_METRIC_REDIS_CONNECTED, 1);
    fm_count(&sink->counters, FM_METRIC_REDIS_RECONNECTS, sink->connections++ > 0);
    fm_log(FM_LOG_INFO, "redis_connected", "cursor", fm_log_int((int64_t)sink->cursor), "backlog",
           fm_log_int((int64_t)fm_router_count(sink->router, sink->cursor)), NULL);
    sink->heartbeat_ns = 0; /* the first one now: who listens sees that we are back */
    return 0;
}

/* ---- alerts ---- */

/* {schema, id, type, seq, time, stream_id, data}: the stream's id lets a subscriber of the channel go on in the stream
 * after a gap. */
static void write_envelope(const fm_sink_redis *sink, const fm_log_item *item, fm_text *out)
{
    fm_text_printf(out,
                   "{\"schema\":\"fmads.alert/1\",\"id\":\"%s\",\"type\":\"alert.opened\",\"seq\":%" PRIu64
                   ",\"time\":%" PRId64 ",\"stream_id\":\"%" PRIu64 "-%" PRIu64 "\",\"data\":",
                   item->id, item->router_sequence, item->event_ns, sink->config.redis.incarnation_ms,
                   item->router_sequence);
    fm_text_add(out, item->json.data, item->json.size);
    fm_text_put(out, "}");
}

static void lay_out(fm_sink_redis *sink, uint32_t count)
{
    fm_text_clear(&sink->json);
    for (uint32_t i = 0; i < count; i++) {
        const fm_log_item *item = &sink->batch.items[i];
        size_t before = sink->json.size;
        write_envelope(sink, item, &sink->json);
        sink->alerts[i] = (fm_redis_alert){
            .router_sequence = item->router_sequence,
            .id = {item->id, 32},
            .severity = severity_name(item->severity),
            .symbol = item->symbol,
            .type = FM_SLICE("alert.opened"),
            .event_ns = item->event_ns,
            .json = {NULL, sink->json.size - before},
        };
    }
    const char *at = sink->json.data; /* only now does the text stay where it is */
    for (uint32_t i = 0; i < count; i++) {
        sink->alerts[i].json.data = at;
        at += sink->alerts[i].json.size;
    }
}

static void note_taken(fm_sink_redis *sink, uint32_t taken, uint32_t refused)
{
    if (taken == 0)
        return;
    sink->cursor = sink->batch.items[taken - 1].router_sequence;
    fm_count(&sink->counters, FM_METRIC_REDIS_PUBLISHED, taken - refused);
    fm_count(&sink->counters, FM_METRIC_REDIS_REFUSED, refused);
    if (refused > 0)
        fm_log(FM_LOG_ERROR, "redis_refused", "alerts", fm_log_int(refused), "up_to_seq",
               fm_log_int((int64_t)sink->cursor), "why",
               "the stream has later ids from elsewhere, or has dropped these entries", NULL);
}

/* 1: published some; 0: nothing to publish. */
static int publish_some(fm_sink_redis *sink, fm_error *error)
{
    int count = fm_log_batch_read(&sink->batch, sink->router, sink->cursor);
    if (count == FM_ENOTFOUND) {
        uint64_t oldest = fm_router_oldest(sink->router);
        fm_log(FM_LOG_ERROR, "redis_hole", "after", fm_log_int((int64_t)sink->cursor), "to",
               fm_log_int((int64_t)oldest), NULL);
        sink->cursor = oldest;
        return 1;
    }
    if (count < 0)
        return fm_fail(error, count, "could not read the router's log: %s", fm_error_text(count));
    uint32_t taken = 0, refused = 0;
    int result = 0;
    if (count > 0) {
        lay_out(sink, (uint32_t)count);
        result = fm_redis_publish(sink->redis, sink->alerts, (uint32_t)count, &taken, &refused, error);
        note_taken(sink, taken, refused);
    }
    return result < 0 ? result : count > 0;
}

/* ---- latest values, heartbeat, cursor ---- */

static int send_latest(fm_sink_redis *sink, fm_error *error)
{
    fm_latest_map *sending = &sink->maps[1 - sink->filling];
    if (sink->latest_sent == sending->count) {
        fm_latest_map_clear(sending);
        sink->latest_sent = 0;
        atomic_store_explicit(&sink->latest_news, false,
                              memory_order_seq_cst); /* before the swap: what comes later sets it again */
        pthread_mutex_lock(&sink->lock);
        sink->filling = 1 - sink->filling;
        pthread_mutex_unlock(&sink->lock);
        sending = &sink->maps[1 - sink->filling];
    }
    fm_gauge(&sink->counters, FM_METRIC_REDIS_LATEST_DROPPED,
             atomic_load_explicit(&sink->latest_dropped, memory_order_relaxed));
    uint32_t count = sending->count - sink->latest_sent;
    count = count < LATEST_AT_ONCE ? count : LATEST_AT_ONCE;
    FM_TRY(fm_redis_put_latest(sink->redis, sending->latest + sink->latest_sent, count, error));
    sink->latest_sent += count;
    return sink->latest_sent < sending->count;
}

static int beat(fm_sink_redis *sink, fm_error *error)
{
    int64_t now = mono_now();
    if (now < sink->heartbeat_ns)
        return 0;
    char json[160];
    int size = snprintf(json, sizeof json, "{\"time\":%" PRId64 ",\"last\":%" PRIu64 ",\"backlog\":%" PRIu64 "}",
                        fm_wall_ns(&sink->config.clock), fm_router_last(sink->router),
                        fm_router_count(sink->router, sink->cursor));
    FM_TRY(fm_redis_heartbeat(sink->redis, (fm_slice){json, (size_t)size}, error));
    sink->heartbeat_ns = now + sink->config.heartbeat_ns;
    return 0;
}

static void keep_cursor(fm_sink_redis *sink, bool now)
{
    if (sink->cursor == sink->cursor_kept || (!now && mono_now() < sink->cursor_kept_ns + CURSOR_NS))
        return;
    int result =
        fm_redis_cursor_write(sink->config.layer, sink->cursor_path, sink->config.redis.incarnation_ms, sink->cursor);
    sink->cursor_kept_ns = mono_now();
    if (result < 0) {
        fm_log(FM_LOG_WARN, "redis_cursor_not_kept", "file", sink->cursor_path, "error", fm_error_name(result), NULL);
        return;
    }
    sink->cursor_kept = sink->cursor;
    fm_router_sink_cursor(sink->router, sink->config.sink, sink->cursor);
}

/* ---- the thread ---- */

/* 1: there may be more to do at once. */
static int turn(fm_sink_redis *sink)
{
    fm_error error = {0};
    int more = 0, result = 0;
    if (sink->redis == NULL) {
        if (!fm_backoff_due(&sink->backoff, mono_now()))
            return 0;
        result = connect_again(sink, &error);
    }
    if (result == 0 && (result = publish_some(sink, &error)) >= 0) {
        more = result;
        if ((result = send_latest(sink, &error)) >= 0) {
            more |= result;
            result = beat(sink, &error);
        }
    }
    fm_gauge(&sink->counters, FM_METRIC_REDIS_BACKLOG, fm_router_count(sink->router, sink->cursor));
    if (result < 0) {
        failed(sink, &error);
        return 0;
    }
    fm_backoff_success(&sink->backoff);
    return more;
}

static void sleep_until_work(fm_sink_redis *sink)
{
    int64_t now = mono_now();
    int64_t due = sink->redis != NULL ? sink->heartbeat_ns : sink->backoff.until_ns;
    if (sink->cursor != sink->cursor_kept && sink->cursor_kept_ns + CURSOR_NS < due)
        due = sink->cursor_kept_ns + CURSOR_NS;
    fm_worker_announce(&sink->worker);
    bool news = sink->redis != NULL &&
                (atomic_load_explicit(&sink->latest_news, memory_order_seq_cst) ||
                 (sink->cursor < fm_router_last(sink->router) && fm_router_count(sink->router, sink->cursor) > 0));
    if (news || fm_worker_stopping(&sink->worker))
        fm_worker_cancel(&sink->worker);
    else
        fm_worker_sleep(&sink->worker, due > now ? due - now : 0);
}

static void run(void *context)
{
    fm_sink_redis *sink = context;
    while (!fm_worker_stopping(&sink->worker)) {
        int more = turn(sink);
        keep_cursor(sink, false);
        if (!more)
            sleep_until_work(sink);
    }
    int64_t deadline = mono_now() + DRAIN_NS;
    while (sink->redis != NULL && mono_now() < deadline && turn(sink) > 0) {
    }
    keep_cursor(sink, true);
    disconnect(sink);
}

static void heard(void *context, uint64_t last)
{
    (void)last;
    fm_sink_redis *sink = context;
    fm_worker_wake(&sink->worker);
}

static void destroy(fm_sink_redis *sink)
{
    if (sink->url != NULL)
        explicit_bzero(sink->url, strlen(sink->url));
    free(sink->url);
    fm_latest_map_fini(&sink->maps[0]);
    fm_latest_map_fini(&sink->maps[1]);
    fm_log_batch_fini(&sink->batch);
    fm_text_fini(&sink->json);
    pthread_mutex_destroy(&sink->lock);
    fm_worker_fini(&sink->worker);
    free(sink);
}

static int prepare(fm_sink_redis *sink)
{
    uint32_t latest_max = sink->config.latest_max > 0 ? sink->config.latest_max : LATEST_MAX;
    int length = snprintf(sink->cursor_path, sizeof sink->cursor_path, "%s/redis.cursor", sink->config.directory);
    if (length >= (int)sizeof sink->cursor_path)
        return FM_EINVAL;
    if ((sink->url = strdup(sink->config.redis.url)) == NULL)
        return FM_ENOMEM;
    sink->config.redis.url = NULL;
    sink->config.directory = NULL;
    FM_TRY(fm_latest_map_init(&sink->maps[0], latest_max));
    FM_TRY(fm_latest_map_init(&sink->maps[1], latest_max));
    FM_TRY(fm_log_batch_init(&sink->batch, BATCH, BATCH_BYTES));
    FM_TRY(
        fm_redis_cursor_read(sink->config.layer, sink->cursor_path, sink->config.redis.incarnation_ms, &sink->cursor));
    sink->cursor_kept = sink->cursor;
    sink->cursor_kept_ns = mono_now();
    fm_router_sink_cursor(sink->router, sink->config.sink, sink->cursor);
    FM_TRY(fm_router_listen(sink->router, heard, sink));
    int result = fm_worker_start(&sink->worker, "fm-redis", run, sink);
    if (result < 0)
        fm_router_unlisten(sink->router, sink);
    return result;
}

int fm_sink_redis_start(fm_router *router, const fm_sink_redis_config *config, fm_sink_redis **out)
{
    fm_error error = {0};
    int result = fm_redis_url_check(config->redis.url, &error);
    if (result < 0) {
        fm_log(FM_LOG_ERROR, "redis_url_invalid", "message", error.message, NULL);
        return result;
    }
    fm_sink_redis *sink = calloc(1, sizeof *sink);
    if (sink == NULL || fm_worker_init(&sink->worker) < 0) {
        free(sink);
        return FM_ENOMEM;
    }
    sink->router = router;
    sink->config = *config;
    if (sink->config.heartbeat_ns <= 0)
        sink->config.heartbeat_ns = 5 * FM_NS_PER_S;
    sink->backoff = (fm_backoff){.pause_ns_min = 100 * FM_NS_PER_MS,
                                 .pause_ns_max = 5 * FM_NS_PER_S,
                                 .state = (uint64_t)mono_now() ^ (uint64_t)getpid()};
    pthread_mutex_init(&sink->lock, NULL);
    if ((result = prepare(sink)) < 0) {
        destroy(sink);
        return result;
    }
    *out = sink;
    return 0;
}

void fm_sink_redis_stop(fm_sink_redis *sink)
{
    if (sink == NULL)
        return;
    fm_router_unlisten(sink->router, sink);
    fm_worker_stop(&sink->worker);
    destroy(sink);
}

bool fm_sink_redis_connected(const fm_sink_redis *sink)
{
    return atomic_load_explicit(&sink->connected, memory_order_relaxed);
}

void fm_sink_redis_latest(fm_sink_redis *sink, const fm_redis_latest *latest)
{
    FM_ASSERT(latest->count <= 16 && latest->symbol.size <= FM_SYMBOL_MAX);
    pthread_mutex_lock(&sink->lock);
    bool kept = fm_latest_map_put(&sink->maps[sink->filling], latest);
    pthread_mutex_unlock(&sink->lock);
    if (!kept)
        atomic_fetch_add_explicit(&sink->latest_dropped, 1, memory_order_relaxed);
    atomic_store_explicit(&sink->latest_news, true, memory_order_seq_cst);
    fm_worker_wake(&sink->worker);
}

fm_counters *fm_sink_redis_counters(fm_sink_redis *sink)
{
    return &sink->counters;
}
