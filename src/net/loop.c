/* net/loop.c - the thread's body: the sockets, the shard's turn, then the sweep. */
#include "net/loop.h"

#include "base/log.h"
#include "net/connection.h"
#include "net/ingest.h"
#include "net/linger.h"
#include "net/server_internal.h"
#include "net/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TURNS_MAX   8 /* of the shard before the sockets are looked at again */
#define STOP_NS     (5 * FM_NS_PER_S)
#define STALLED_MS  2 /* while a WebSocket waits for room in another shard's ring, which wakes nobody when it drains */
#define STOP_ROUNDS 64
#define FINI_ROUNDS 100

/* A connection's first buffer: a body of 500 records and its head in one read. h2o's 8 KiB take four, and three copies
 * of what was read before. Only connections that have something unread hold one, and pages that are not written cost
 * nothing. */
#define INPUT_BYTES (128 << 10)

void fm_loop_wake(void *context)
{
    fm_loop *loop = context;
    uint64_t one = 1;
    int saved = errno;

    if (write(loop->wake_fd, &one, sizeof(one)) < 0) {
        /* EAGAIN: the counter is full, so a wake is on its way already. */
    }
    errno = saved;
}

static void on_wake(h2o_socket_t *sock, const char *error)
{
    uint64_t count;

    (void)error;
    if (read(h2o_socket_get_fd(sock), &count, sizeof(count)) < 0) {
        /* EAGAIN: somebody read it before; the turn looks for work anyway. */
    }
}

void fm_loop_post_take(fm_loop *loop, fm_mail *mail)
{
    mail->next = NULL;
    pthread_mutex_lock(&loop->mail_lock);
    *loop->mail_last = mail;
    loop->mail_last = &mail->next;
    atomic_store(&loop->mail_waits, true);
    pthread_mutex_unlock(&loop->mail_lock);
    fm_loop_wake(loop);
}

static void read_mail(fm_loop *loop)
{
    if (!atomic_load(&loop->mail_waits))
        return;
    pthread_mutex_lock(&loop->mail_lock);
    fm_mail *list = loop->mail_first;
    loop->mail_first = NULL;
    loop->mail_last = &loop->mail_first;
    atomic_store(&loop->mail_waits, false);
    pthread_mutex_unlock(&loop->mail_lock);
    for (fm_mail *next; list != NULL; list = next) {
        next = list->next;
        list->run(list, loop);
    }
}

static void take_turns(fm_loop *loop)
{
    int turns = 0;

    do
        fm_shard_turn(loop->shard);
    while (++turns < TURNS_MAX && fm_shard_has_work(loop->shard));
    fm_websocket_after_turn(loop);
}

static void on_round_end(h2o_timeout_entry_t *entry)
{
    take_turns(H2O_STRUCT_FROM_MEMBER(fm_loop, round_end, entry));
}

/* The timeout of zero ends in the round of h2o that it began in, after the sockets; linked outside of a round it could
 * wait for a wall clock that was set back. The thread is awake: nobody needs to wake it. */
void fm_loop_expect_turn(fm_loop *loop)
{
    if (!loop->in_round || h2o_timeout_is_linked(&loop->round_end))
        return;
    fm_shard_set_sleeping(loop->shard, false);
    h2o_timeout_link(loop->ctx.loop, &loop->ctx.zero_timeout, &loop->round_end);
}

int fm_loop_init(fm_loop *loop, fm_server *server, uint32_t index, fm_error *error)
{
    loop->server = server;
    loop->index = index;
    loop->spare_fd = -1;
    loop->round_end.cb = on_round_end;
    loop->shard = fm_engine_shard(server->config.engine, index);
    loop->counters = fm_shard_counters(loop->shard);
    for (int format = FM_FORMAT_NONE; format <= FM_FORMAT_CSV; format++)
        fm_decoder_init(&loop->decoder[format], (fm_format)format, "", 0, &server->config.limits);
    loop->now_ns = fm_mono_ns(&server->config.clock);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return fm_fail_errno(error, FM_EIO, "could not make an eventfd for the server's thread %u", index);
    if (server->config.quarantine_max > 0 && fm_quarantine_init(&loop->quarantine, server->config.quarantine_max) < 0)
        return fm_fail(error, FM_ENOMEM, "could not make room for %u refused records", server->config.quarantine_max);
    h2o_context_init(&loop->ctx, h2o_evloop_create(), &server->global);
    loop->accept.ctx = &loop->ctx;
    loop->accept.hosts = server->global.hosts;
    pthread_mutex_init(&loop->mail_lock, NULL);
    loop->mail_last = &loop->mail_first;
    loop->wake = h2o_evloop_socket_create(loop->ctx.loop, loop->wake_fd, H2O_SOCKET_FLAG_DONT_READ);
    loop->wake->data = loop;
    h2o_socket_read_start(loop->wake, on_wake);
    return 0;
}

static void begin_stop(fm_loop *loop)
{
    loop->stopping = true;
    loop->deadline_ns = loop->now_ns + STOP_NS;
    fm_connection_stop_listening(loop);
    fm_linger_end_all(loop);
    loop->ctx.shutdown_requested =
        1; /* not h2o_context_request_shutdown: it starts an HTTP/2 timer that outlives the context */
    fm_websocket_stop_all(loop);
    fm_connection_sweep(loop);
}

/* A loop goes when all have drained: until then another one's request may need this shard. */
static bool finished(fm_loop *loop)
{
    if (!loop->stopping)
        return false;
    if (!loop->drained && loop->connection_count == 0 && loop->questions == 0 && loop->submission_count == 0) {
        loop->drained = true;
        atomic_fetch_add(&loop->server->drained, 1);
    }
    return atomic_load(&loop->server->drained) == loop->server->loop_count || loop->now_ns >= loop->deadline_ns;
}

static int wait_ms(fm_loop *loop)
{
    int64_t wait = fm_shard_sleep_ns(loop->shard);
    int64_t sweep = loop->swept_ns + FM_SWEEP_NS - loop->now_ns;
    bool watched = loop->connection_count > 0 || loop->lingering_count > 0 || loop->paused || loop->stopping;

    if (watched && (wait < 0 || wait > sweep))
        wait = sweep;
    if (wait < 0 || wait > FM_NS_PER_S)
        wait = FM_NS_PER_S;
    int64_t ms = (wait + FM_NS_PER_MS - 1) / FM_NS_PER_MS;
    if (loop->stalled_count > 0 && ms > STALLED_MS)
        ms = STALLED_MS;
    if (loop->stopping && ms > 10)
        ms = 10;
    return ms < 0 ? 0 : (int)ms;
}

static void turn(fm_loop *loop)
{
    take_turns(loop);

    /* A write outside of h2o_evloop_run may have ended at once: its callback is pending, and polling does not look at
     * that. */
    bool pending = atomic_load(&loop->mail_waits) || loop->ctx.loop->_pending_as_server != NULL ||
                   loop->ctx.loop->_pending_as_client != NULL;
    fm_shard_set_sleeping(loop->shard, true);
    int wait = pending || fm_shard_has_work(loop->shard) ? 0 : wait_ms(loop);
    loop->in_round = true;
    h2o_evloop_run(loop->ctx.loop, wait); /* -1 on a signal: nothing to do about it */
    loop->in_round = false;
    fm_shard_set_sleeping(loop->shard, false);
    fm_websocket_bury(loop);

    loop->now_ns = fm_mono_ns(&loop->server->config.clock);
    read_mail(loop);
    if (loop->now_ns - loop->swept_ns >= FM_SWEEP_NS) {
        loop->swept_ns = loop->now_ns;
        fm_ingest_sweep(loop);
        fm_websocket_sweep(loop);
        fm_connection_sweep(loop);
        fm_linger_sweep(loop);
    }
}

static void end_stop(fm_loop *loop)
{
    if (loop->connection_count > 0)
        fm_log(FM_LOG_WARN, "stop_cut_connections", "connections", fm_log_int(loop->connection_count), NULL);
    fm_ingest_give_up(loop);
    fm_connection_cut_all(loop);
    for (int i = 0; i < STOP_ROUNDS && loop->connection_count > 0; i++) {
        h2o_evloop_run(loop->ctx.loop, 1);
        fm_websocket_bury(loop);
    }
    loop->ended = true;
}

void fm_loop_run(fm_loop *loop)
{
    h2o_socket_buffer_prototype._initial_buf.capacity = INPUT_BYTES; /* this thread's, before its first buffer */
    fm_shard_on_wake(loop->shard, fm_loop_wake, loop);
    if (fm_connection_listen(loop) < 0)
        fm_log(FM_LOG_ERROR, "listen_failed", "thread", fm_log_int(loop->index), NULL);
    atomic_fetch_add(&loop->server->running, 1);
    while (!finished(loop)) {
        if (!loop->stopping && atomic_load_explicit(&loop->server->stopping, memory_order_acquire))
            begin_stop(loop);
        turn(loop);
    }
    end_stop(loop);
}

/* After the threads have ended: what is left of the loop belongs to the caller's thread. */
void fm_loop_fini(fm_loop *loop)
{
    if (loop->server == NULL) /* never made */
        return;
    if (loop->ctx.loop != NULL) {
        /* Answers of threads that still run; a shard that has stopped answers no more. */
        for (int i = 0; i < FINI_ROUNDS && (i < 1 || loop->questions > 0); i++) {
            h2o_evloop_run(loop->ctx.loop, i < 1 ? 0 : 10);
            read_mail(loop);
        }
        fm_connection_stop_listening(loop);
        h2o_socket_read_stop(loop->wake);
        h2o_socket_close(loop->wake);
        h2o_evloop_run(loop->ctx.loop, 0);
        if (loop->connection_count == 0) {
            h2o_loop_t *evloop = loop->ctx.loop;
            h2o_multithread_queue_t *queue = loop->ctx.queue;
            h2o_context_dispose(&loop->ctx);
            free(queue); /* h2o 2.2.5 ends it and forgets to */
            h2o_evloop_destroy(evloop);
        }
    } else if (loop->wake_fd > 0) {
        close(loop->wake_fd);
    }
    if (loop->listen_fd > 0)
        close(loop->listen_fd);
    if (loop->spare_fd >= 0)
        close(loop->spare_fd);
    read_mail(loop);
    pthread_mutex_destroy(&loop->mail_lock);
    fm_ingest_fini(loop);
    fm_quarantine_fini(&loop->quarantine);
    fm_text_fini(&loop->scratch);
    free(loop->inflate);
}

#if defined(__SANITIZE_ADDRESS__)
/* For the leak checker: h2o 2.2.5 keeps freed chunks in lists of each thread, and has no call that empties them when a
 * thread ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

__attribute__((weak)) const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}

__attribute__((weak)) const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#endif
