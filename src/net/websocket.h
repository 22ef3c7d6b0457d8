/* net/websocket.h - one WebSocket: GET /v1/stream, ingest and subscription on one socket.
 *
 * Ingest: each message gets a number from 1; at most 64 wait for their verdict. {"op":"ack"} is cumulative: "messages"
 * is the number up to which all have been answered, "accepted", "rejected" and "duplicate" are sums since the
 * connection began; "errors" and "position" tell what is new since the last ack. When the engine is full, nothing is
 * read until it has room: TCP holds the sender back. A message that is refused whole for another reason is answered
 * with {"op":"error"} and its number.
 *
 * Nothing is freed under a caller: a connection that has ended is buried between two turns of the loop. */
#ifndef FM_NET_WEBSOCKET_H
#define FM_NET_WEBSOCKET_H

#include "net/connection.h"
#include "net/stream.h"
#include "net/ws_frame.h"
#include "net/ws_message.h"

#define FM_WS_WINDOW 64

typedef struct fm_ws_slot {
    fm_submission *submission;
    bool answered;
} fm_ws_slot;

struct fm_websocket {
    fm_websocket *previous, *next; /* of the loop */
    fm_websocket *attention_next;
    fm_loop *loop;
    fm_connection *connection;
    h2o_socket_t *sock; /* NULL until the 101 is written, and when dead */
    uint64_t id;
    bool attention, stalled, dead;
    bool closing;     /* a close frame is on its way out */
    bool peer_closed; /* the peer's close frame has come */
    bool stopping;    /* the server stops: answer what is open, then 1001 */
    int64_t closing_ns;
    /* in */
    fm_ws_reader reader;
    fm_ws_message message; /* stalled: tried again */
    int64_t heard_ns, pinged_ns;
    /* out */
    fm_text out, writing;
    bool is_writing;
    int64_t moved_ns;
    uint64_t taken_seen;
    /* ingest */
    char domain[FM_NAME_MAX + 1];
    uint64_t received, answered; /* numbers */
    fm_ws_slot slot[FM_WS_WINDOW];
    bool ack_due, durable;
    uint64_t accepted, rejected, duplicate;
    uint32_t error_count;
    fm_text errors;
    uint64_t touched, position[FM_PARTITION_COUNT];
    /* subscription */
    bool subscribed, live, asked;
    uint64_t seen; /* position */
    fm_ws_filter filter;
    int64_t told_ns; /* heartbeat */
};

/* Answers 101 and takes the connection over. */
void fm_websocket_open(h2o_req_t *request, fm_slice key, fm_slice domain);

/* From the loop. */
void fm_websocket_after_turn(fm_loop *loop);
void fm_websocket_bury(fm_loop *loop); /* only right after h2o_evloop_run: no callback of a socket may be pending */
void fm_websocket_sweep(fm_loop *loop);
void fm_websocket_stop_all(fm_loop *loop);

/* For one WebSocket, or for every live one (0). */
void fm_websocket_deliver(fm_loop *loop, uint64_t websocket, const fm_stream_batch *batch);

/* ws_ingest.c, ws_subscribe.c */
int fm_ws_ingest(fm_websocket *ws, fm_format format, fm_slice records,
                 fm_slice whole); /* FM_queue_full: try again later */
void fm_ws_forget_submissions(fm_websocket *ws);
void fm_ws_write_ack(fm_websocket *ws);
void fm_ws_subscribe(fm_websocket *ws, const fm_ws_command *command);
void fm_ws_unsubscribe(fm_websocket *ws);
void fm_ws_want_more(fm_websocket *ws); /* the queue went down: a subscriber in the past may take the next batch */

void fm_websocket_attend(fm_websocket *ws);
void fm_websocket_tell(fm_websocket *ws, fm_slice text); /* queues a text message */
void fm_websocket_error(fm_websocket *ws, int code, const char *message, uint64_t number);
void fm_websocket_flush(fm_websocket *ws);
void fm_websocket_close(fm_websocket *ws, uint16_t code, const char *reason);
static inline size_t fm_websocket_unsent(const fm_websocket *ws)
{
    return ws->out.size + ws->writing.size;
}

#endif
