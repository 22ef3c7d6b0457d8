/* net/loop.h - one thread of the server: its h2o loop, listener, connections and mailbox. Internal to net/.
 *
 * Everything in an fm_loop belongs to its thread, except what is marked atomic and the mailbox. A turn of the loop is:
 * what the sockets bring, the shard's turn, and every 100 ms a sweep over the connections, which holds all timeouts
 * (h2o's own timers follow the wall clock and know no write timeout; ours follow the monotonic clock).
 *
 * The shard's turn comes when every socket that was ready has been read: all their records are one commit. It runs
 * inside h2o's own round, so that an answer's write has ended, and its connection reads again, before h2o compares what
 * it polls for: a request costs one read and one write, and no call that changes or looks up the polling. */
#ifndef FM_NET_LOOP_H
#define FM_NET_LOOP_H

#include "base/counters.h"
#include "base/text.h"
#include "ingest/decode.h"
#include "ingest/quarantine.h"
#include "net/server.h"

#include <h2o.h>

#include <pthread.h>
#include <stdatomic.h>

#define FM_SWEEP_NS (100 * FM_NS_PER_MS)

typedef struct fm_loop fm_loop;
typedef struct fm_connection fm_connection;
typedef struct fm_submission fm_submission;
typedef struct fm_websocket fm_websocket;
typedef struct fm_lingering fm_lingering;

/* A value on its way to a loop. `run` is called on the loop's thread and frees it. Not h2o's own messages: their pipe
 * takes its read buffer from the lists of the thread that made the context, which every loop would then share without a
 * lock. */
typedef struct fm_mail {
    struct fm_mail *next;
    void (*run)(struct fm_mail *mail, fm_loop *loop);
} fm_mail;

struct fm_loop {
    h2o_context_t ctx; /* first: a request's context is its loop */
    h2o_accept_ctx_t accept;
    fm_server *server;
    uint32_t index;
    fm_shard *shard;
    fm_counters *counters;
    int64_t now_ns; /* monotonic; as of this turn */
    int64_t swept_ns;

    int listen_fd, spare_fd, wake_fd;
    h2o_socket_t *listener, *wake;
    bool in_round;                 /* of h2o: its callbacks run */
    h2o_timeout_entry_t round_end; /* linked: records wait for the shard's turn at the end of h2o's round */
    bool paused;                   /* the listener waits: too many connections, or no file descriptor */
    bool stopping, drained;
    int64_t deadline_ns;

    fm_connection *connections; /* list */
    uint32_t connection_count;
    fm_lingering *lingering; /* refused connections whose answer is on its way */
    uint32_t lingering_count;
    pthread_mutex_t mail_lock;
    fm_mail *mail_first, **mail_last; /* under the lock */
    _Atomic bool mail_waits;
    uint32_t questions; /* asked of other threads, not answered yet */
    bool ended;         /* the thread is gone: late answers are dropped */

    fm_submission *submissions; /* open, newest first */
    fm_submission *submissions_last;
    fm_submission *submissions_free;
    uint32_t submission_count;             /* open */
    char *inflate;                         /* body_bytes_max, made when first needed */
    fm_decoder decoder[FM_FORMAT_CSV + 1]; /* by format: each knows the order of keys of the body before */
    fm_quarantine quarantine;
    fm_text scratch;

    fm_websocket *websockets; /* list */
    uint32_t websocket_count;
    uint64_t websocket_next_id;
    fm_websocket *attention;      /* have something to do after the shard's turn */
    uint32_t stalled_count;       /* of them: wait for room in the engine */
    _Atomic uint32_t subscribers; /* WebSockets that follow alerts */
};

static inline fm_loop *fm_loop_of(const h2o_req_t *request)
{
    return (fm_loop *)request->conn->ctx;
}

int fm_loop_init(fm_loop *loop, fm_server *server, uint32_t index, fm_error *error) FM_CHECKED;
void fm_loop_fini(fm_loop *loop);
void fm_loop_run(fm_loop *loop);                      /* until stopped and drained */
void fm_loop_wake(void *loop);                        /* any thread, signal-safe */
void fm_loop_post_take(fm_loop *loop, fm_mail *mail); /* any thread */
void fm_loop_expect_turn(fm_loop *loop);              /* from a socket's callback: the shard has something to do */

#endif
