/* net/stream.c - wait, read, hand out. */
#include "net/stream.h"

#include "base/log.h"
#include "net/server_internal.h"
#include "net/websocket.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct ask {
    struct ask *next;
    fm_loop *loop;
    uint64_t websocket, after;
} ask;

struct fm_stream {
    fm_server *server;
    pthread_t thread;
    int event;
    _Atomic bool stopping;
    pthread_mutex_t lock;
    ask *first, **last; /* under the lock */
    uint64_t live;      /* position up to which subscribers have been served */
};

typedef struct delivery {
    fm_mail mail;
    fm_stream_batch *batch;
    uint64_t websocket;
} delivery;

static void wake(fm_stream *stream)
{
    uint64_t one = 1;

    if (write(stream->event, &one, sizeof(one)) < 0) {
        /* EAGAIN: it is awake. */
    }
}

/* The router cannot forget a listener, and may outlive the server: what it holds is one of these, never a stream. */
static struct listener {
    pthread_mutex_t lock;
    fm_stream *stream;
} listeners[] = {{PTHREAD_MUTEX_INITIALIZER, NULL},
                 {PTHREAD_MUTEX_INITIALIZER, NULL}}; /* servers in one process: tests have two */

static void on_router(void *context, uint64_t last)
{
    struct listener *listener = context;

    (void)last;
    pthread_mutex_lock(&listener->lock);
    if (listener->stream != NULL)
        wake(listener->stream);
    pthread_mutex_unlock(&listener->lock);
}

static int listen_to_router(fm_stream *stream)
{
    for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
        struct listener *listener = &listeners[i];
        pthread_mutex_lock(&listener->lock);
        bool mine = listener->stream == NULL;
        if (mine)
            listener->stream = stream;
        pthread_mutex_unlock(&listener->lock);
        if (mine)
            return fm_router_listen(stream->server->config.router, on_router, listener);
    }
    return FM_ELIMIT;
}

static void leave_router(fm_stream *stream)
{
    for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
        pthread_mutex_lock(&listeners[i].lock);
        if (listeners[i].stream == stream)
            listeners[i].stream = NULL;
        pthread_mutex_unlock(&listeners[i].lock);
    }
}

static void drop(fm_stream_batch *batch)
{
    if (atomic_fetch_sub(&batch->references, 1) == 1) {
        fm_text_fini(&batch->text);
        free(batch);
    }
}

static void deliver(fm_mail *mail, fm_loop *loop)
{
    delivery *d = (delivery *)mail;

    fm_websocket_deliver(loop, d->websocket, d->batch);
    drop(d->batch);
    free(d);
}

static void post(fm_loop *loop, uint64_t websocket, fm_stream_batch *batch)
{
    delivery *d = calloc(1, sizeof(*d));

    if (d == NULL)
        abort();
    d->mail.run = deliver;
    d->batch = batch;
    d->websocket = websocket;
    atomic_fetch_add(&batch->references, 1);
    fm_loop_post_take(loop, &d->mail);
}

/* Offsets first: the text moves while it grows. */
static int visit(void *context, const fm_routed_alert *alert)
{
    fm_stream_batch *batch = context;
    fm_stream_alert *a = &batch->alert[batch->count++];
    fm_text *text = &batch->text;

    a->position = alert->router_sequence;
    a->severity = alert->severity;
    a->symbol = (fm_slice){(const char *)text->size, alert->symbol.size};
    fm_text_add(text, alert->symbol.data, alert->symbol.size);
    a->rule = (fm_slice){(const char *)text->size, alert->rule.size};
    fm_text_add(text, alert->rule.data, alert->rule.size);
    a->domain = (fm_slice){(const char *)text->size, alert->domain.size};
    fm_text_add(text, alert->domain.data, alert->domain.size);
    size_t begin = text->size;
    fm_text_printf(text, "{\"op\":\"event\",\"topic\":\"alerts\",\"position\":%llu,\"data\":",
                   (unsigned long long)alert->router_sequence);
    fm_routed_alert_json(alert, text);
    fm_text_add(text, "}", 1);
    a->event = (fm_slice){(const char *)begin, text->size - begin};
    return 0;
}

static void place(const fm_text *text, fm_slice *slice)
{
    slice->data = text->data + (size_t)slice->data;
}

static int visit_nothing(void *context, const fm_routed_alert *alert)
{
    (void)context;
    (void)alert;
    return 0;
}

/* The smallest position whose successor is kept: retention took what lies before. */
static uint64_t find_kept(fm_router *router, uint64_t after, uint64_t last)
{
    uint64_t low = after, high = last;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (fm_router_read(router, middle, 1, visit_nothing, NULL) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static fm_stream_batch *read_batch(fm_stream *stream, uint64_t after)
{
    fm_router *router = stream->server->config.router;
    fm_stream_batch *batch = calloc(1, sizeof(*batch));

    if (batch == NULL)
        abort();
    batch->references = 1;
    batch->last = after;
    int result = fm_router_read(router, after, FM_STREAM_BATCH, visit, batch);
    if (result == FM_ENOTFOUND) {
        batch->gap_from = after + 1;
        batch->gap_to = batch->last = find_kept(router, after, fm_router_last(router));
        result = fm_router_read(router, batch->last, FM_STREAM_BATCH, visit, batch);
    }
    if (result < 0) {
        batch->failed = result;
        batch->count = 0;
        fm_log(FM_LOG_ERROR, "stream_read_failed", "position", fm_log_int((int64_t)after), "why", fm_error_name(result),
               NULL);
        return batch;
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        fm_stream_alert *a = &batch->alert[i];
        place(&batch->text, &a->symbol);
        place(&batch->text, &a->rule);
        place(&batch->text, &a->domain);
        place(&batch->text, &a->event);
        batch->last = a->position;
    }
    return batch;
}

static void answer_asks(fm_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    ask *list = stream->first;
    stream->first = NULL;
    stream->last = &stream->first;
    pthread_mutex_unlock(&stream->lock);

    for (ask *next; list != NULL; list = next) {
        uint64_t newest = fm_router_last(stream->server->config.router);
        next = list->next;
        fm_stream_batch *batch = read_batch(stream, list->after > newest ? newest : list->after);
        batch->caught_up = batch->failed == 0 && batch->last >= stream->live;
        post(list->loop, list->websocket, batch);
        drop(batch);
        free(list);
    }
}

static bool anyone(const fm_server *server)
{
    for (uint32_t i = 0; i < server->loop_count; i++)
        if (atomic_load(&server->loop[i].subscribers) > 0)
            return true;
    return false;
}

static void serve_live(fm_stream *stream)
{
    fm_server *server = stream->server;

    while (stream->live < fm_router_last(server->config.router) && !atomic_load(&stream->stopping)) {
        if (!anyone(server)) {
            stream->live = fm_router_last(server->config.router);
            return;
        }
        fm_stream_batch *batch = read_batch(stream, stream->live);
        bool moved = batch->failed == 0 && batch->last > stream->live;
        stream->live = batch->last;
        batch->caught_up = true;
        for (uint32_t i = 0; moved && i < server->loop_count; i++)
            if (atomic_load(&server->loop[i].subscribers) > 0)
                post(&server->loop[i], 0, batch);
        drop(batch);
        if (!moved)
            return; /* told in the log; the next alert tries again */
    }
}

static void *run(void *argument)
{
    fm_stream *stream = argument;
    uint64_t count;

    while (!atomic_load(&stream->stopping)) {
        if (read(stream->event, &count, sizeof(count)) < 0 && errno != EINTR)
            break;
        answer_asks(stream);
        serve_live(stream);
    }
    return NULL;
}

int fm_stream_start(fm_server *server, fm_stream **out)
{
    fm_stream *stream = calloc(1, sizeof(*stream));
    sigset_t all, old;

    if (stream == NULL)
        return FM_ENOMEM;
    stream->server = server;
    stream->last = &stream->first;
    stream->live = fm_router_last(server->config.router);
    pthread_mutex_init(&stream->lock, NULL);
    stream->event = eventfd(0, EFD_CLOEXEC);
    int result = stream->event < 0 ? FM_EIO : listen_to_router(stream);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals belong to main */
    if (result == 0 && pthread_create(&stream->thread, NULL, run, stream) != 0)
        result = FM_ENOMEM;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (result < 0) {
        fm_stream_fini(stream);
        return result;
    }
    *out = stream;
    return 0;
}

void fm_stream_stop(fm_stream *stream)
{
    if (stream != NULL && !atomic_exchange(&stream->stopping, true)) {
        wake(stream);
        pthread_join(stream->thread, NULL);
    }
}

void fm_stream_fini(fm_stream *stream)
{
    if (stream == NULL)
        return;
    leave_router(stream);
    for (ask *next; stream->first != NULL; stream->first = next) {
        next = stream->first->next;
        free(stream->first);
    }
    if (stream->event >= 0)
        close(stream->event);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

void fm_stream_follow(fm_stream *stream, fm_loop *loop, uint64_t websocket, uint64_t after)
{
    ask *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    *a = (ask){NULL, loop, websocket, after};
    pthread_mutex_lock(&stream->lock);
    *stream->last = a;
    stream->last = &a->next;
    pthread_mutex_unlock(&stream->lock);
    wake(stream);
}
