/* net/websocket.c - the socket's life: upgrade, read, write, ping, close. */
#include "net/websocket.h"

#include "base/assert.h"
#include "net/server_internal.h"
#include "net/tcp.h"

#include <h2o/http1.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CLOSE_WAIT_NS  (2 * FM_NS_PER_S) /* for the peer's close frame */
#define PROGRESS_BYTES 4096
#define KEEP_BYTES     65536

void fm_websocket_attend(fm_websocket *ws)
{
    if (!ws->attention && !ws->dead) {
        ws->attention = true;
        ws->attention_next = ws->loop->attention;
        ws->loop->attention = ws;
    }
}

/* Ends it. The socket is closed and the memory freed by fm_websocket_bury. */
static void die(fm_websocket *ws)
{
    if (!ws->dead) {
        ws->dead = true;
        fm_ws_unsubscribe(ws);
        fm_ws_forget_submissions(ws);
        if (ws->sock != NULL)
            h2o_socket_read_stop(ws->sock);
    }
}

void fm_websocket_tell(fm_websocket *ws, fm_slice text)
{
    if (!ws->closing && !ws->dead)
        fm_ws_write(&ws->out, FM_WS_OP_TEXT, text);
}

void fm_websocket_error(fm_websocket *ws, int code, const char *message, uint64_t number)
{
    fm_text text = {NULL, 0, 0};

    fm_text_printf(&text, "{\"op\":\"error\",\"code\":\"%s\",\"message\":", fm_error_name(code));
    fm_text_json(&text, fm_slice_of(message));
    if (number > 0)
        fm_text_printf(&text, ",\"number\":%llu", (unsigned long long)number);
    fm_text_add(&text, "}", 1);
    fm_websocket_tell(ws, (fm_slice){text.data, text.size});
    fm_text_fini(&text);
    fm_websocket_attend(ws);
}

static void on_read(h2o_socket_t *sock, const char *error);

/* h2o polls for writing whenever a write's callback is due, also when all was written at once, and stops only when the
 * socket's state changes once more. Without this a full socket stays polled, and h2o aborts when it has room again. */
static void decide_polling_anew(h2o_socket_t *sock)
{
    if (h2o_socket_is_reading(sock))
        h2o_socket_read_start(sock, on_read);
    else
        h2o_socket_read_stop(sock);
}

static void on_written(h2o_socket_t *sock, const char *error)
{
    fm_websocket *ws = sock->data;

    decide_polling_anew(sock);
    if (ws->dead)
        return;
    ws->is_writing = false;
    if (ws->writing.capacity > KEEP_BYTES)
        fm_text_fini(&ws->writing);
    else
        fm_text_clear(&ws->writing);
    if (error != NULL) {
        die(ws);
        return;
    }
    fm_ws_want_more(ws);
    fm_websocket_attend(ws); /* an ack may have waited for room */
    if (ws->out.size > 0) {
        fm_websocket_flush(ws);
    } else if (ws->closing) {
        shutdown(h2o_socket_get_fd(sock),
                 SHUT_WR); /* and then wait for the peer's end: closing now could reset what it has not read */
        if (ws->peer_closed)
            die(ws);
    }
}

void fm_websocket_flush(fm_websocket *ws)
{
    if (ws->is_writing || ws->dead || ws->sock == NULL || ws->out.size == 0)
        return;
    fm_text empty = ws->writing;
    ws->writing = ws->out;
    ws->out = empty;
    ws->is_writing = true;
    ws->moved_ns = ws->loop->now_ns;
    h2o_iovec_t bytes = h2o_iovec_init(ws->writing.data, ws->writing.size);
    h2o_socket_write(ws->sock, &bytes, 1, on_written);
}

void fm_websocket_close(fm_websocket *ws, uint16_t code, const char *reason)
{
    if (ws->closing || ws->dead)
        return;
    if (ws->ack_due)
        fm_ws_write_ack(ws);
    fm_ws_write_close(&ws->out, code, reason);
    ws->closing = true;
    ws->closing_ns = ws->loop->now_ns;
    fm_websocket_flush(ws);
}

/* 0: done with it. FM_queue_full: the engine has no room. */
static int on_message(fm_websocket *ws, const fm_ws_message *m)
{
    fm_ws_command command;
    fm_error error; /* a kilobyte: not to be cleared for every message */

    if (m->kind == FM_WS_BINARY)
        return fm_ws_ingest(ws, FM_FORMAT_MSGPACK, m->data, m->data);
    error.message[0] = '\0';
    int result = fm_ws_command_parse(m->data, &command, &error);
    if (result < 0) {
        fm_websocket_error(ws, result, error.message, 0);
        return 0;
    }
    switch (command.op) {
    case FM_OP_INGEST:
        return fm_ws_ingest(ws, FM_FORMAT_JSON, command.records, command.records);
    case FM_OP_SUBSCRIBE:
        fm_ws_subscribe(ws, &command);
        return 0;
    case FM_OP_UNSUBSCRIBE:
        fm_ws_unsubscribe(ws);
        fm_websocket_tell(ws, FM_SLICE("{\"op\":\"unsubscribed\"}"));
        return 0;
    case FM_OP_PING:
        fm_websocket_tell(ws, FM_SLICE("{\"op\":\"pong\"}"));
        return 0;
    }
    return 0;
}

static void on_peer_close(fm_websocket *ws, const fm_ws_message *m)
{
    ws->peer_closed = true;
    if (!ws->closing)
        fm_websocket_close(ws, m->code == 1005 ? 1000 : m->code, "");
    if (!ws->is_writing && ws->out.size == 0)
        die(ws);
}

static void set_stalled(fm_websocket *ws, bool stalled)
{
    if (ws->stalled != stalled) {
        ws->stalled = stalled;
        ws->loop->stalled_count += stalled ? 1 : -1;
    }
    if (stalled)
        fm_websocket_attend(ws);
}

/* Everything that has been read, until the engine is full. Reading goes on only when all of it has been dealt with. */
static void process(fm_websocket *ws)
{
    while (!ws->closing && !ws->dead && !ws->stopping) {
        if (ws->received - ws->answered >= FM_WS_WINDOW) {
            h2o_socket_read_stop(ws->sock); /* the next verdict brings us back */
            return;
        }
        if (!ws->stalled && fm_ws_reader_next(&ws->reader, &ws->message) == FM_WS_NONE)
            break;
        switch (ws->message.kind) {
        case FM_WS_TEXT:
        case FM_WS_BINARY:
            if (!ws->stalled)
                fm_count(ws->loop->counters, FM_METRIC_WS_MESSAGES, 1);
            if (on_message(ws, &ws->message) == FM_queue_full) {
                h2o_socket_read_stop(ws->sock);
                set_stalled(ws, true);
                return;
            }
            set_stalled(ws, false);
            break;
        case FM_WS_PING:
            fm_ws_write(&ws->out, FM_WS_OP_PONG, ws->message.data);
            break;
        case FM_WS_CLOSE:
            on_peer_close(ws, &ws->message);
            break;
        case FM_WS_FAILED:
            fm_websocket_close(ws, ws->message.code, ws->message.why);
            break;
        default:
            break;
        }
        if (ws->out.size > ws->loop->server->config.ws_queue_bytes_max) { /* it asks, and does not read the answers */
            die(ws);
            return;
        }
    }
    if (!ws->dead) {
        fm_websocket_flush(ws);
        if (!ws->stopping || ws->closing)
            h2o_socket_read_start(ws->sock, on_read);
    }
}

/* After our close frame only the peer's matters; what else it still sends is thrown away. */
static void look_for_close(fm_websocket *ws)
{
    fm_ws_kind kind;

    if (ws->message.kind == FM_WS_FAILED) {
        ws->reader.begin = ws->reader.size = 0;
        return;
    }
    while ((kind = fm_ws_reader_next(&ws->reader, &ws->message)) != FM_WS_NONE) {
        if (kind == FM_WS_FAILED)
            return;
        if (kind == FM_WS_CLOSE) {
            on_peer_close(ws, &ws->message);
            return;
        }
    }
}

static void on_read(h2o_socket_t *sock, const char *error)
{
    fm_websocket *ws = sock->data;
    size_t room;

    if (ws->dead)
        return;
    uint8_t *data = fm_ws_reader_room(&ws->reader, &room);
    ssize_t size = error != NULL ? 0 : recv(h2o_socket_get_fd(sock), data, room, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        die(ws);
        return;
    }
    fm_ws_reader_filled(&ws->reader, (size_t)size);
    ws->heard_ns = ws->loop->now_ns;
    if (ws->closing)
        look_for_close(ws);
    else
        process(ws);
}

static void on_upgraded(void *user_data, h2o_socket_t *sock, size_t head_size)
{
    fm_websocket *ws = user_data;

    if (sock == NULL) { /* the 101 could not be written; h2o closes the socket */
        ws->connection = NULL;
        die(ws);
        return;
    }
    ws->sock = sock;
    sock->data = ws;
    h2o_buffer_consume(&sock->input, head_size);
    while (sock->input->size > 0) { /* frames that came with the request */
        size_t room, size = sock->input->size;
        uint8_t *data = fm_ws_reader_room(&ws->reader, &room);
        if (size > room)
            size = room;
        memcpy(data, sock->input->bytes, size);
        h2o_buffer_consume(&sock->input, size);
        fm_ws_reader_filled(&ws->reader, size);
    }
    h2o_socket_dont_read(sock, 1); /* tell us, do not read: the reader's buffer has the bounds */
    process(ws);
    fm_websocket_attend(ws);
}

void fm_websocket_open(h2o_req_t *request, fm_slice key, fm_slice domain)
{
    fm_loop *loop = fm_loop_of(request);
    fm_websocket *ws = calloc(1, sizeof(*ws));
    char accept[29];

    if (ws == NULL)
        abort(); /* as h2o does */
    ws->loop = loop;
    ws->connection = fm_connection_of(request);
    ws->connection->websocket = ws;
    ws->id = ++loop->websocket_next_id;
    ws->heard_ns = ws->pinged_ns = ws->moved_ns = ws->told_ns = loop->now_ns;
    ws->durable = true;
    (void)fm_slice_copy(domain, ws->domain, sizeof(ws->domain)); /* its length was checked as a parameter */
    fm_ws_reader_init(&ws->reader, loop->server->config.ws_message_bytes_max);
    ws->next = loop->websockets;
    if (ws->next != NULL)
        ws->next->previous = ws;
    loop->websockets = ws;
    fm_gauge(loop->counters, FM_METRIC_WS_CONNECTIONS, ++loop->websocket_count);
    fm_count(loop->counters, FM_METRIC_HTTP_REQUESTS, 1);

    fm_ws_accept_key(key, accept);
    h2o_iovec_t value = h2o_strdup(&request->pool, accept, 28);
    request->res.status = 101;
    request->res.reason = "Switching Protocols";
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_UPGRADE, NULL, H2O_STRLIT("websocket"));
    h2o_add_header_by_str(&request->pool, &request->res.headers, H2O_STRLIT("sec-websocket-accept"), 0, NULL,
                          value.base, value.len);
    h2o_http1_upgrade(request, NULL, 0, on_upgraded, ws);
}

static void bury(fm_websocket *ws)
{
    fm_loop *loop = ws->loop;

    set_stalled(ws, false);
    if (ws->previous != NULL)
        ws->previous->next = ws->next;
    else
        loop->websockets = ws->next;
    if (ws->next != NULL)
        ws->next->previous = ws->previous;
    fm_gauge(loop->counters, FM_METRIC_WS_CONNECTIONS, --loop->websocket_count);
    if (ws->sock != NULL)
        h2o_socket_close(ws->sock); /* on_close counts the connection out */
    fm_ws_reader_fini(&ws->reader);
    fm_text_fini(&ws->out);
    fm_text_fini(&ws->writing);
    fm_text_fini(&ws->errors);
    free(ws);
}

void fm_websocket_bury(fm_loop *loop)
{
    for (fm_websocket **at = &loop->attention, *ws; (ws = *at) != NULL;) {
        if (ws->dead)
            *at = ws->attention_next;
        else
            at = &ws->attention_next;
    }
    for (fm_websocket *ws = loop->websockets, *next; ws != NULL; ws = next) {
        next = ws->next;
        if (ws->dead)
            bury(ws);
    }
}

void fm_websocket_after_turn(fm_loop *loop)
{
    fm_websocket *list = loop->attention;

    loop->attention = NULL;
    for (fm_websocket *ws = list, *next; ws != NULL; ws = next) {
        next = ws->attention_next;
        ws->attention = false;
        if (ws->dead || ws->sock == NULL)
            continue;
        if (!ws->closing && !ws->stopping)
            process(ws);
        if (ws->ack_due && !ws->closing && ws->out.size < KEEP_BYTES)
            fm_ws_write_ack(ws);
        if (ws->stopping && ws->answered == ws->received)
            fm_websocket_close(ws, 1001, "the server is shutting down");
        fm_websocket_flush(ws);
    }
}

/* Timeouts: silence, a peer that does not read, a close that is not answered. */
static void look_at(fm_websocket *ws)
{
    const fm_server_config *config = &ws->loop->server->config;
    int64_t now = ws->loop->now_ns;

    if (ws->is_writing) {
        uint64_t taken = fm_tcp_taken(h2o_socket_get_fd(ws->sock));
        if (taken - ws->taken_seen >= PROGRESS_BYTES) {
            ws->taken_seen = taken;
            ws->moved_ns = now;
        }
    }
    bool waits = h2o_socket_is_reading(ws->sock) != 0;
    bool deaf = ws->is_writing && now - ws->moved_ns > config->write_timeout_ns;
    bool silent = waits && now - ws->heard_ns > config->idle_timeout_ns;
    if (deaf || silent || (ws->closing && now - ws->closing_ns > CLOSE_WAIT_NS)) {
        if (!ws->closing)
            fm_count(ws->loop->counters, FM_METRIC_HTTP_TIMEOUTS, 1);
        die(ws);
        return;
    }
    if (!ws->closing && waits && now - ws->heard_ns > config->idle_timeout_ns / 3 &&
        now - ws->pinged_ns > config->idle_timeout_ns / 3) {
        ws->pinged_ns = now;
        fm_ws_write(&ws->out, FM_WS_OP_PING, (fm_slice){NULL, 0});
        fm_websocket_flush(ws);
    }
    if (ws->subscribed && !ws->closing && now - ws->told_ns > 5 * FM_NS_PER_S) {
        char text[128];
        int size = snprintf(text, sizeof(text), "{\"op\":\"heartbeat\",\"time\":%lld,\"position\":%llu}",
                            (long long)fm_wall_ns(&config->clock), (unsigned long long)ws->seen);
        ws->told_ns = now;
        if (fm_websocket_unsent(ws) < config->ws_queue_bytes_max)
            fm_websocket_tell(ws, (fm_slice){text, (size_t)size});
        fm_websocket_flush(ws);
    }
}

void fm_websocket_sweep(fm_loop *loop)
{
    for (fm_websocket *ws = loop->websockets; ws != NULL; ws = ws->next)
        if (ws->sock != NULL && !ws->dead)
            look_at(ws);
}

void fm_websocket_stop_all(fm_loop *loop)
{
    for (fm_websocket *ws = loop->websockets; ws != NULL; ws = ws->next) {
        ws->stopping = true;
        if (ws->sock != NULL && !ws->closing)
            h2o_socket_read_stop(ws->sock); /* what is not read is not acknowledged: the client sends it elsewhere */
        fm_websocket_attend(ws);
    }
}
