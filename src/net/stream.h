/* net/stream.h - one thread that reads the router's log for every subscriber, so that no shard's thread waits for a
 * disk.
 *
 * New alerts are read once and handed to every loop that has subscribers. A subscriber that starts in the past is given
 * batches until it has caught up; both come through the loop's mailbox in order, so that the first live batch it takes
 * follows its last one. */
#ifndef FM_NET_STREAM_H
#define FM_NET_STREAM_H

#include "base/error.h"
#include "base/text.h"
#include "net/server.h"

#include <stdatomic.h>

#define FM_STREAM_BATCH 128 /* alerts */

typedef struct fm_stream fm_stream;
typedef struct fm_loop fm_loop;

typedef struct fm_stream_alert {
    uint64_t position;
    uint32_t severity;
    fm_slice symbol, rule, domain;
    fm_slice event; /* {"op":"event",…} */
} fm_stream_alert;

/* Shared by the loops that it was sent to; immutable. */
typedef struct fm_stream_batch {
    _Atomic int references;
    int failed;                /* the log could not be read */
    uint64_t gap_from, gap_to; /* positions that are gone for ever; 0, 0 = none */
    uint64_t last;             /* everything up to here was looked at */
    bool caught_up;            /* what comes next is live */
    uint32_t count;
    fm_stream_alert alert[FM_STREAM_BATCH];
    fm_text text;
} fm_stream_batch;

int fm_stream_start(fm_server *server, fm_stream **out) FM_CHECKED; /* before fm_router_start */
void fm_stream_stop(fm_stream *stream);                             /* joins; NULL is nothing */
void fm_stream_fini(fm_stream *stream);                             /* frees; what the router still tells is ignored */

/* A loop's thread: what follows `after`, for one of its WebSockets. UINT64_MAX: from now on. Answered by
 * fm_websocket_deliver. */
void fm_stream_follow(fm_stream *stream, fm_loop *loop, uint64_t websocket, uint64_t after);

#endif
