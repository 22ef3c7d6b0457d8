/* alert/router.c - the thread between the shards and the log.
 *
 * A shard writes its alerts, already laid out as log frames, into a ring of its own. The thread drops what is known,
 * writes the rest with one write (and, where promised, one sync) for as many as wait, and only then tells: `taken` to
 * the shard, `last` to the listeners. */
#include "alert/router.h"

#include "alert/id_set.h"
#include "alert/lane.h"
#include "alert/router_log.h"
#include "alert/worker.h"
#include "base/assert.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SHARDS_MAX = 64,
    LISTENERS_MAX = 16,
    SINKS_MAX = 8,
    BATCH_BYTES = 1 << 20,
};
static const int64_t SYNC_INTERVAL_NS = FM_NS_PER_S;
static const int64_t PAUSE_NS_MIN = 10 * FM_NS_PER_MS, PAUSE_NS_MAX = FM_NS_PER_S;
static const int64_t STOP_PATIENCE_NS = 2 * FM_NS_PER_S;

typedef struct listener {
    void (*call)(void *context, uint64_t last);
    void *context;
} listener;

struct fm_router {
    fm_router_config config;
    fm_router_log *log;
    fm_worker worker;
    fm_lane *lanes;
    uint32_t lane_count; /* of those made */
    _Atomic uint32_t spilling_count;
    _Atomic uint64_t last;
    _Atomic uint64_t sink_cursor[SINKS_MAX]; /* UINT64_MAX = no such sink */
    _Atomic uint64_t floor;                  /* sequences up to this one are taken somewhere */

    pthread_mutex_t listeners_lock;
    listener listeners[LISTENERS_MAX];
    uint32_t listener_count;

    /* the thread's own */
    fm_router_cursor cursor[FM_PARTITION_COUNT];
    fm_id_set ids;
    char *batch;
    size_t batch_size, batch_bytes_max;
    uint64_t batch_count, known_count;
    uint32_t next_lane;
    int64_t synced_ns;
    bool unsynced;
    fm_counters counters;
};

/* ---- the shard's side ---- */

void fm_router_emit(fm_router *router, uint32_t shard, const fm_routed_alert *alert)
{
    FM_ASSERT(shard < router->config.shard_count && alert->partition < FM_PARTITION_COUNT);
    FM_ASSERT(alert->body.size >= 2 && alert->body.size <= FM_ROUTER_BODY_MAX);
    FM_ASSERT(alert->body.data[0] == '{' && alert->body.data[alert->body.size - 1] == '}');
    FM_ASSERT(alert->symbol.size + alert->rule.size + alert->domain.size < 2048);
    fm_lane_put(&router->lanes[shard], alert, &router->spilling_count);
    fm_worker_wake(&router->worker);
}

uint64_t fm_router_taken(fm_router *router, uint32_t shard)
{
    FM_ASSERT(shard < router->config.shard_count);
    return atomic_load_explicit(&router->lanes[shard].taken, memory_order_acquire);
}

int fm_router_behind(fm_router *router)
{
    return atomic_load_explicit(&router->spilling_count, memory_order_relaxed) > 0;
}

/* ---- the thread: collecting ---- */

static bool batch_is_full(const fm_router *router)
{
    return router->batch_size >= router->batch_bytes_max;
}

static void take(fm_router *router, fm_lane *lane, const fm_router_frame *frame)
{
    fm_router_cursor *cursor = &router->cursor[frame->partition];
    lane->seen++;
    if (fm_router_cursor_has(cursor, frame->sequence, frame->ordinal) || fm_id_set_has(&router->ids, frame->id)) {
        router->known_count++;
        return;
    }
    *cursor = (fm_router_cursor){frame->sequence, frame->ordinal};
    fm_id_set_add(&router->ids, frame->id);
    memcpy(router->batch + router->batch_size, frame, frame->size);
    router->batch_size += frame->size;
    router->batch_count++;
}

static void collect(fm_router *router)
{
    for (uint32_t i = 0; i < router->config.shard_count && !batch_is_full(router); i++) {
        fm_lane *lane = &router->lanes[(router->next_lane + i) % router->config.shard_count];
        uint64_t spilled_before = lane->spilled_count;
        const fm_router_frame *frame;
        while (!batch_is_full(router) && (frame = fm_lane_next(lane, &router->spilling_count)) != NULL)
            take(router, lane, frame);
        fm_lane_release(lane);
        fm_count(&router->counters, FM_METRIC_ROUTER_SPILLED, lane->spilled_count - spilled_before);
    }
    router->next_lane = (router->next_lane + 1) % router->config.shard_count;
}

static bool has_work(const fm_router *router)
{
    for (uint32_t i = 0; i < router->config.shard_count; i++) {
        if (!fm_lane_empty(&router->lanes[i]))
            return true;
    }
    return false;
}

/* ---- the thread: writing ---- */

static int write_batch(fm_router *router)
{
    uint64_t floor = atomic_load_explicit(&router->floor, memory_order_acquire);
    if (floor >= fm_router_log_next(router->log)) {
        fm_log(FM_LOG_WARN, "router_sequence_skipped", "from", fm_log_int((int64_t)fm_router_log_next(router->log)),
               "to", fm_log_int((int64_t)floor + 1), NULL);
        FM_TRY(fm_router_log_skip(router->log, floor + 1));
    }
    return fm_router_log_append(router->log, router->batch, router->batch_size, fm_wall_ns(&router->config.clock));
}

static void pause_after_failure(const fm_router *router, int64_t pause_ns)
{
    for (int64_t slice = 20 * FM_NS_PER_MS; pause_ns > 0 && !fm_worker_stopping(&router->worker); pause_ns -= slice)
        nanosleep(&(struct timespec){.tv_nsec = slice}, NULL);
    if (fm_worker_stopping(&router->worker))
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS_MIN}, NULL);
}

/* Tries until it is done: a full disk holds up the alerts, and soon the feed (`behind`), but drops none. False: asked
 * to stop meanwhile; what is in the batch was not taken and is raised again by recovery. */
static bool insist(fm_router *router, int (*attempt)(fm_router *router), const char *what)
{
    int64_t pause_ns = PAUSE_NS_MIN, stop_ns = 0;
    int result;
    while ((result = attempt(router)) < 0) {
        fm_count(&router->counters, FM_METRIC_ROUTER_FAILURES, 1);
        fm_log(FM_LOG_ERROR, "router_log_failed", "what", what, "error", fm_error_name(result), NULL);
        if (fm_worker_stopping(&router->worker)) {
            int64_t now = fm_mono_ns(&fm_clock_system);
            stop_ns = stop_ns == 0 ? now + STOP_PATIENCE_NS : stop_ns;
            if (now >= stop_ns)
                return false;
        }
        pause_after_failure(router, pause_ns);
        pause_ns = pause_ns * 2 < PAUSE_NS_MAX ? pause_ns * 2 : PAUSE_NS_MAX;
    }
    return true;
}

static int sync_log(fm_router *router)
{
    return fm_router_log_sync(router->log);
}

static void tell(fm_router *router)
{
    uint64_t last = fm_router_log_last(router->log);
    atomic_store_explicit(&router->last, last, memory_order_release);
    pthread_mutex_lock(&router->listeners_lock);
    for (uint32_t i = 0; i < router->listener_count; i++)
        router->listeners[i].call(router->listeners[i].context, last);
    pthread_mutex_unlock(&router->listeners_lock);
}

static void retain(fm_router *router)
{
    uint64_t needed = UINT64_MAX;
    for (int i = 0; i < SINKS_MAX; i++) {
        uint64_t cursor = atomic_load_explicit(&router->sink_cursor[i], memory_order_acquire);
        needed = cursor < needed ? cursor : needed;
    }
    fm_count(&router->counters, FM_METRIC_ROUTER_HOLES, fm_router_log_retain(router->log, needed));
}

static bool commit(fm_router *router)
{
    if (router->batch_count > 0) {
        if (!insist(router, write_batch, "write"))
            return false;
        router->unsynced = true;
        if (router->config.sync_always) {
            if (!insist(router, sync_log, "sync"))
                return false;
            router->unsynced = false;
        }
    }
    for (uint32_t i = 0; i < router->config.shard_count; i++)
        atomic_store_explicit(&router->lanes[i].taken, router->lanes[i].seen, memory_order_release);
    fm_count(&router->counters, FM_METRIC_ROUTER_LOGGED, router->batch_count);
    fm_count(&router->counters, FM_METRIC_ROUTER_DUPLICATE, router->known_count);
    if (router->batch_count > 0) {
        tell(router);
        retain(router);
    }
    router->batch_size = 0;
    router->batch_count = router->known_count = 0;
    return true;
}

/* Once a second, so that a power cut takes little: one attempt, since `written` was all that was promised. */
static void sync_now_and_then(fm_router *router)
{
    if (!router->unsynced || fm_mono_ns(&fm_clock_system) - router->synced_ns < SYNC_INTERVAL_NS)
        return;
    int result = fm_router_log_sync(router->log);
    router->unsynced = result < 0;
    router->synced_ns = fm_mono_ns(&fm_clock_system);
    if (result < 0) {
        fm_count(&router->counters, FM_METRIC_ROUTER_FAILURES, 1);
        fm_log(FM_LOG_ERROR, "router_log_failed", "what", "sync", "error", fm_error_name(result), NULL);
    }
}

static void sleep_until_work(fm_router *router)
{
    int64_t timeout_ns = -1;
    if (router->unsynced) {
        timeout_ns = router->synced_ns + SYNC_INTERVAL_NS - fm_mono_ns(&fm_clock_system);
        timeout_ns = timeout_ns < 0 ? 0 : timeout_ns;
    }
    fm_worker_announce(&router->worker);
    if (has_work(router) || fm_worker_stopping(&router->worker))
        fm_worker_cancel(&router->worker);
    else
        fm_worker_sleep(&router->worker, timeout_ns);
}

static void run(void *context)
{
    fm_router *router = context;
    for (;;) {
        bool stopping =
            fm_worker_stopping(&router->worker); /* before looking: what was emitted before the stop is seen */
        collect(router);
        if (router->batch_count > 0 || router->known_count > 0) {
            if (!commit(router))
                return;
        } else if (stopping && !has_work(router)) {
            break;
        } else {
            sleep_until_work(router);
        }
        sync_now_and_then(router);
    }
    int result = fm_router_log_clean_stop(router->log);
    if (result < 0)
        fm_log(FM_LOG_ERROR, "router_log_failed", "what", "stop", "error", fm_error_name(result), NULL);
}

/* ---- life ---- */

static int remember(void *context, const fm_routed_alert *alert)
{
    fm_router *router = context;
    fm_id_set_add(&router->ids, alert->id);
    return 0;
}

static int make_lanes(fm_router *router)
{
    router->lanes = calloc(router->config.shard_count, sizeof *router->lanes);
    router->batch = malloc(BATCH_BYTES + FM_ROUTER_FRAME_MAX);
    if (router->lanes == NULL || router->batch == NULL)
        return FM_ENOMEM;
    for (; router->lane_count < router->config.shard_count; router->lane_count++)
        FM_TRY(fm_lane_init(&router->lanes[router->lane_count], router->config.ring_bytes));
    return 0;
}

static int open_parts(fm_router *router, fm_error *error)
{
    int result = fm_id_set_init(&router->ids, router->config.ids_max);
    if (result == 0)
        result = make_lanes(router);
    if (result < 0)
        return fm_fail(error, result, "could not make the alert router: %s", fm_error_text(result));

    fm_router_log_config log = {
        .directory = router->config.directory,
        .layer = router->config.layer,
        .incarnation_ms = router->config.incarnation_ms,
        .sync_always = router->config.sync_always,
        .read_only = router->config.read_only,
        .file_bytes = router->config.file_bytes,
        .retain_bytes = router->config.retain_bytes,
    };
    FM_TRY(fm_router_log_open(&log, remember, router, &router->log, error));
    /* A batch lies in one file, so it may not be larger than files are to be. */
    uint64_t file_bytes = fm_router_log_file_bytes(router->log);
    router->batch_bytes_max = file_bytes < BATCH_BYTES ? file_bytes : BATCH_BYTES;
    memcpy(router->cursor, fm_router_log_cursors(router->log), sizeof router->cursor);
    atomic_store(&router->last, fm_router_log_last(router->log));
    router->synced_ns = fm_mono_ns(&fm_clock_system);
    return 0;
}

int fm_router_open(const fm_router_config *config, fm_router **out, fm_error *error)
{
    if (config->shard_count < 1 || config->shard_count > SHARDS_MAX)
        return fm_fail(error, FM_EINVAL, "the alert router needs 1 to %d shards", SHARDS_MAX);
    fm_router *router = calloc(1, sizeof *router);
    if (router == NULL || fm_worker_init(&router->worker) < 0) {
        free(router);
        return fm_fail(error, FM_ENOMEM, "could not make the alert router: %s", fm_error_text(FM_ENOMEM));
    }
    router->config = *config;
    if (router->config.ring_bytes == 0)
        router->config.ring_bytes = 8 << 20;
    if (router->config.ids_max == 0)
        router->config.ids_max = 1000000;
    for (int i = 0; i < SINKS_MAX; i++)
        atomic_init(&router->sink_cursor[i], UINT64_MAX);
    pthread_mutex_init(&router->listeners_lock, NULL);
    int result = open_parts(router, error);
    if (result < 0) {
        fm_router_close(router);
        return result;
    }
    *out = router;
    return 0;
}

int fm_router_start(fm_router *router)
{
    if (router->config.read_only)
        return FM_EINVAL;
    return fm_worker_start(&router->worker, "fm-router", run, router);
}

void fm_router_stop(fm_router *router)
{
    fm_worker_stop(&router->worker);
}

void fm_router_close(fm_router *router)
{
    if (router == NULL)
        return;
    fm_router_stop(router);
    fm_router_log_close(router->log);
    for (uint32_t i = 0; i < router->lane_count; i++)
        fm_lane_fini(&router->lanes[i]);
    free(router->lanes);
    free(router->batch);
    fm_id_set_fini(&router->ids);
    pthread_mutex_destroy(&router->listeners_lock);
    fm_worker_fini(&router->worker);
    free(router);
}

/* ---- readers and sinks ---- */

int fm_router_read(fm_router *router, uint64_t after, uint32_t limit, fm_routed_visit visit, void *context)
{
    return fm_router_log_read(router->log, after, fm_router_last(router), limit, visit, context);
}

uint64_t fm_router_last(const fm_router *router)
{
    return atomic_load_explicit(&router->last, memory_order_acquire);
}

uint64_t fm_router_oldest(fm_router *router)
{
    return fm_router_log_oldest(router->log);
}

uint64_t fm_router_count(fm_router *router, uint64_t after)
{
    return fm_router_log_count(router->log, after, fm_router_last(router));
}

int fm_router_listen(fm_router *router, void (*call)(void *context, uint64_t last), void *context)
{
    int result = FM_ELIMIT;
    pthread_mutex_lock(&router->listeners_lock);
    if (router->listener_count < LISTENERS_MAX) {
        router->listeners[router->listener_count++] = (listener){call, context};
        result = 0;
    }
    pthread_mutex_unlock(&router->listeners_lock);
    return result;
}

void fm_router_unlisten(fm_router *router, void *context)
{
    pthread_mutex_lock(&router->listeners_lock);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < router->listener_count; i++) {
        if (router->listeners[i].context != context)
            router->listeners[kept++] = router->listeners[i];
    }
    router->listener_count = kept;
    pthread_mutex_unlock(&router->listeners_lock);
}

void fm_router_sink_cursor(fm_router *router, uint32_t sink, uint64_t router_sequence)
{
    FM_ASSERT(sink < SINKS_MAX);
    atomic_store_explicit(&router->sink_cursor[sink], router_sequence, memory_order_release);
    uint64_t floor = atomic_load_explicit(&router->floor, memory_order_relaxed);
    while (router_sequence > floor &&
           !atomic_compare_exchange_weak_explicit(&router->floor, &floor, router_sequence, memory_order_acq_rel,
                                                  memory_order_relaxed)) {
    }
}

fm_counters *fm_router_counters(fm_router *router)
{
    return &router->counters;
}
