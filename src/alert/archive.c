/* alert/archive.c - the store's thread: one batch of the log, then the questions that came meanwhile, and again.
 *
 * Behind a batch it rests, so that alerts share a transaction: one costs as much as fifty rows. A question ends the
 * rest, and is answered behind all that was logged before it was asked. */
#include "alert/archive.h"

#include "alert/backoff.h"
#include "alert/log_batch.h"
#include "alert/worker.h"
#include "base/assert.h"
#include "base/event.h"
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

static const int64_t REST_NS = 50 * FM_NS_PER_MS;

enum { QUESTIONS_MAX = 64, BATCH = 1000, BATCH_BYTES = 8 << 20, TEXT_MAX = 80 };

typedef struct question {
    fm_alert_query query;
    char symbol[TEXT_MAX], rule[TEXT_MAX], domain[TEXT_MAX], id[TEXT_MAX]; /* what the query's slices point at */
    size_t id_size;
    bool is_get;
    fm_archive_done done;
    void *context;
} question;

struct fm_archive {
    fm_router *router;
    fm_store *store;
    uint32_t sink;
    fm_worker worker;
    pthread_mutex_t lock;
    question questions[QUESTIONS_MAX]; /* a circle; under `lock` */
    uint32_t first, count;
    _Atomic bool resting; /* alerts do not wake the thread */

    /* the thread's own */
    uint64_t cursor;
    fm_backoff backoff;
    fm_log_batch batch;
    fm_stored_alert stored[BATCH];
    fm_text answer;
    fm_counters counters;
};

/* ---- following the log ---- */

static void failed(fm_archive *archive, int result, const char *what)
{
    int64_t pause_ns = fm_backoff_failure(&archive->backoff, fm_mono_ns(&fm_clock_system));
    fm_count(&archive->counters, FM_METRIC_STORE_FAILURES, 1);
    fm_log(FM_LOG_ERROR, "store_failed", "what", what, "error", fm_error_name(result), "retry_ms",
           fm_log_int(pause_ns / FM_NS_PER_MS), NULL);
}

/* The store may have begun anew (a damaged file is set aside), so after a failure it is asked where it stands. */
static int find_cursor(fm_archive *archive)
{
    FM_TRY(archive->store->cursor(archive->store, &archive->cursor));
    fm_router_sink_cursor(archive->router, archive->sink, archive->cursor);
    return 0;
}

static int put_batch(fm_archive *archive, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const fm_log_item *item = &archive->batch.items[i];
        archive->stored[i] = (fm_stored_alert){
            .router_sequence = item->router_sequence,
            .id = {item->id, 32},
            .symbol = item->symbol,
            .rule = item->rule,
            .domain = item->domain,
            .severity = item->severity,
            .event_ns = item->event_ns,
            .json = item->json,
        };
    }
    return archive->store->put_alerts(archive->store, archive->stored, count);
}

/* One batch: how many it had; BATCH: there may be more; 0: nothing to do, or not now. */
static int follow(fm_archive *archive)
{
    if (!fm_backoff_due(&archive->backoff, fm_mono_ns(&fm_clock_system)))
        return 0;
    int result = 0;
    if (archive->backoff.pause_ns != 0 && (result = find_cursor(archive)) < 0) {
        failed(archive, result, "cursor");
        return 0;
    }
    int count = fm_log_batch_read(&archive->batch, archive->router, archive->cursor);
    if (count == FM_ENOTFOUND) {
        uint64_t oldest = fm_router_oldest(archive->router);
        fm_log(FM_LOG_ERROR, "store_hole", "after", fm_log_int((int64_t)archive->cursor), "to",
               fm_log_int((int64_t)oldest), NULL);
        archive->cursor = oldest;
        return BATCH;
    }
    if (count > 0)
        result = put_batch(archive, (uint32_t)count);
    if (count < 0 || result < 0) {
        failed(archive, count < 0 ? count : result, count < 0 ? "read" : "put");
        return 0;
    }
    fm_backoff_success(&archive->backoff);
    if (count > 0) {
        archive->cursor = archive->batch.items[count - 1].router_sequence;
        fm_router_sink_cursor(archive->router, archive->sink, archive->cursor);
        fm_count(&archive->counters, FM_METRIC_STORE_ALERTS, (uint64_t)count);
    }
    fm_gauge(&archive->counters, FM_METRIC_STORE_BACKLOG, fm_router_count(archive->router, archive->cursor));
    return count;
}

/* ---- questions ---- */

static int answer_list(fm_archive *archive, const question *ask)
{
    uint64_t next = 0;
    fm_text_put(&archive->answer, "{\"items\":");
    FM_TRY(archive->store->list_alerts(archive->store, &ask->query, &archive->answer, &next));
    if (next != 0)
        fm_text_printf(&archive->answer, ",\"next\":%" PRIu64 "}", next);
    else
        fm_text_put(&archive->answer, ",\"next\":null}");
    return 0;
}

static bool next_question(fm_archive *archive, question *out)
{
    pthread_mutex_lock(&archive->lock);
    bool some = archive->count > 0;
    if (some) {
        *out = archive->questions[archive->first];
        archive->first = (archive->first + 1) % QUESTIONS_MAX;
        archive->count--;
    }
    pthread_mutex_unlock(&archive->lock);
    out->query.symbol.data = out->symbol;
    out->query.rule.data = out->rule;
    out->query.domain.data = out->domain;
    return some;
}

static void answer_questions(fm_archive *archive, bool refuse)
{
    question ask = {0};
    while (next_question(archive, &ask)) {
        fm_text_clear(&archive->answer);
        int result = refuse ? FM_ESHUTDOWN
                     : ask.is_get
                         ? archive->store->get_alert(archive->store, (fm_slice){ask.id, ask.id_size}, &archive->answer)
                         : answer_list(archive, &ask);
        fm_slice json = {archive->answer.data, archive->answer.size};
        ask.done(ask.context, result, result < 0 ? (fm_slice){"", 0} : json);
    }
}

static int enqueue(fm_archive *archive, const question *ask)
{
    int result = FM_EBUSY;
    pthread_mutex_lock(&archive->lock);
    if (fm_worker_stopping(&archive->worker)) {
        result = FM_ESHUTDOWN;
    } else if (archive->count < QUESTIONS_MAX) {
        archive->questions[(archive->first + archive->count++) % QUESTIONS_MAX] = *ask;
        result = 0;
    }
    pthread_mutex_unlock(&archive->lock);
    if (result == 0)
        fm_worker_wake(&archive->worker);
    return result;
}

int fm_archive_list(fm_archive *archive, const fm_alert_query *query, fm_archive_done done, void *context)
{
    question ask = {.query = *query, .done = done, .context = context};
    if (!fm_slice_copy(query->symbol, ask.symbol, TEXT_MAX) || !fm_slice_copy(query->rule, ask.rule, TEXT_MAX) ||
        !fm_slice_copy(query->domain, ask.domain, TEXT_MAX) || query->limit < 1 || query->limit > 1000)
        return FM_EINVAL;
    return enqueue(archive, &ask);
}

int fm_archive_get(fm_archive *archive, fm_slice id, fm_archive_done done, void *context)
{
    question ask = {.is_get = true, .id_size = id.size, .done = done, .context = context};
    if (!fm_slice_copy(id, ask.id, TEXT_MAX))
        return FM_EINVAL;
    return enqueue(archive, &ask);
}

/* ---- the thread ---- */

static bool has_question(fm_archive *archive)
{
    pthread_mutex_lock(&archive->lock);
    bool some = archive->count > 0;
    pthread_mutex_unlock(&archive->lock);
    return some;
}

static void sleep_until_work(fm_archive *archive)
{
    int64_t now = fm_mono_ns(&fm_clock_system), timeout_ns = -1;
    bool waiting = !fm_backoff_due(&archive->backoff, now);
    if (waiting)
        timeout_ns = archive->backoff.until_ns - now;
    fm_worker_announce(&archive->worker);
    bool news = !waiting && archive->cursor < fm_router_last(archive->router) &&
                fm_router_count(archive->router, archive->cursor) > 0;
    if (news || has_question(archive) || fm_worker_stopping(&archive->worker))
        fm_worker_cancel(&archive->worker);
    else
        fm_worker_sleep(&archive->worker, timeout_ns);
}

static void rest(fm_archive *archive)
{
    atomic_store(&archive->resting, true);
    fm_worker_announce(&archive->worker);
    if (has_question(archive) || fm_worker_stopping(&archive->worker))
        fm_worker_cancel(&archive->worker);
    else
        fm_worker_sleep(&archive->worker, REST_NS);
    atomic_store(&archive->resting, false);
}

static void run(void *context)
{
    fm_archive *archive = context;
    while (!fm_worker_stopping(&archive->worker)) {
        int count = follow(archive);
        answer_questions(archive, false);
        if (count == 0)
            sleep_until_work(archive);
        else if (count < BATCH)
            rest(archive);
    }
    archive->backoff.until_ns = 0; /* one more attempt, whatever the pause was */
    while (follow(archive) > 0) {
    }
    answer_questions(archive, true);
}

static void heard(void *context, uint64_t last)
{
    (void)last;
    fm_archive *archive = context;
    if (!atomic_load(&archive->resting))
        fm_worker_wake(&archive->worker);
}

static void destroy(fm_archive *archive)
{
    fm_log_batch_fini(&archive->batch);
    fm_text_fini(&archive->answer);
    pthread_mutex_destroy(&archive->lock);
    fm_worker_fini(&archive->worker);
    free(archive);
}

int fm_archive_start_take(fm_router *router, fm_store *store, uint32_t sink, fm_archive **out)
{
    fm_archive *archive = calloc(1, sizeof *archive);
    if (archive == NULL || fm_worker_init(&archive->worker) < 0) {
        free(archive);
        return FM_ENOMEM;
    }
    archive->router = router;
    archive->store = store;
    archive->sink = sink;
    archive->backoff = (fm_backoff){.pause_ns_min = 100 * FM_NS_PER_MS,
                                    .pause_ns_max = 5 * FM_NS_PER_S,
                                    .state = (uint64_t)fm_mono_ns(&fm_clock_system)};
    pthread_mutex_init(&archive->lock, NULL);
    int result = fm_log_batch_init(&archive->batch, BATCH, BATCH_BYTES);
    if (result == 0)
        result = find_cursor(archive);
    if (result == 0)
        result = fm_router_listen(router, heard, archive);
    if (result == 0 && (result = fm_worker_start(&archive->worker, "fm-archive", run, archive)) < 0)
        fm_router_unlisten(router, archive);
    if (result < 0) {
        destroy(archive);
        return result;
    }
    *out = archive;
    return 0;
}

void fm_archive_stop(fm_archive *archive)
{
    if (archive == NULL)
        return;
    fm_router_unlisten(archive->router, archive);
    fm_worker_stop(&archive->worker);
    archive->store->close(archive->store);
    destroy(archive);
}

fm_counters *fm_archive_counters(fm_archive *archive)
{
    return &archive->counters;
}
