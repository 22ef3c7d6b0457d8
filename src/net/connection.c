/* net/connection.c - accept, count, time out. */
#include "net/connection.h"

#include "base/log.h"
#include "net/linger.h"
#include "net/server_internal.h"
#include "net/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH   16
#define REFUSE_BATCH   64    /* a sweep */
#define BACKSTOP_MS    60000 /* the kernel's timeout comes behind ours, which is counted */
#define PROGRESS_BYTES 4096  /* a reader that takes less within net.write_timeout counts as not reading */

static const char refusal[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\nConnection: "
    "close\r\n"
    "Content-Length: 175\r\n\r\n"
    "{\"type\":\"urn:fmads:problem:too_many_connections\",\"title\":\"net.connections_max was reached\",\"status\":503,"
    "\"detail\":\"no connection is free; retry\",\"code\":\"too_many_connections\"}\n";

fm_connection *fm_connection_of(h2o_req_t *request)
{
    return request->conn->callbacks->get_socket(request->conn)->on_close.data;
}

static void unlink_connection(fm_connection *c)
{
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        c->loop->connections = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
}

static void resume(fm_loop *loop);

static void on_close(void *data)
{
    fm_connection *c = data;
    fm_loop *loop = c->loop;

    unlink_connection(c);
    loop->connection_count--;
    fm_gauge(loop->counters, FM_METRIC_HTTP_CONNECTIONS, loop->connection_count);
    atomic_fetch_sub(&loop->server->connections, 1);
    fm_linger_start_take(loop, c->linger_fd);
    free(c);
    resume(loop);
}

static void refuse(fm_loop *loop, int fd)
{
    char trash[4096];

    fm_count(loop->counters, FM_METRIC_HTTP_CONNECTIONS_REFUSED, 1);
    if (recv(fd, trash, sizeof(trash), MSG_DONTWAIT) >=
        -1) /* unread bytes would turn the close into a reset, and lose the answer */
        (void)!send(fd, refusal, sizeof(refusal) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    close(fd);
}

/* Takes the connection, or answers 503: the count is of all threads. */
static void take(fm_loop *loop, int fd)
{
    if (atomic_fetch_add(&loop->server->connections, 1) >= loop->server->config.connections_max) {
        atomic_fetch_sub(&loop->server->connections, 1);
        refuse(loop, fd);
        return;
    }
    fm_connection *c = calloc(1, sizeof(*c));
    h2o_socket_t *sock =
        c != NULL ? h2o_evloop_socket_create(loop->ctx.loop, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION) : NULL;
    if (sock == NULL) {
        free(c);
        atomic_fetch_sub(&loop->server->connections, 1);
        close(fd);
        return;
    }
    fm_tcp_prepare(fd, loop->server->config.write_timeout_ns / FM_NS_PER_MS + BACKSTOP_MS);
    c->loop = loop;
    c->linger_fd = -1;
    c->sock = sock;
    c->since_ns = loop->now_ns;
    c->next = loop->connections;
    if (c->next != NULL)
        c->next->previous = c;
    loop->connections = c;
    fm_gauge(loop->counters, FM_METRIC_HTTP_CONNECTIONS, ++loop->connection_count);
    sock->on_close.cb = on_close;
    sock->on_close.data = c;
    h2o_accept(&loop->accept, sock);
}

static void pause_listener(fm_loop *loop)
{
    if (!loop->paused && loop->listener != NULL) {
        loop->paused = true;
        h2o_socket_read_stop(loop->listener);
        fm_log(FM_LOG_WARN, "connections_exhausted", "connections",
               fm_log_int((int64_t)atomic_load(&loop->server->connections)), NULL);
    }
}

static bool full(const fm_loop *loop)
{
    return atomic_load(&loop->server->connections) >= loop->server->config.connections_max;
}

/* Out of file descriptors: the level-triggered listener would spin. The spare one is given up to accept, and to say so.
 */
static void accept_with_spare(fm_loop *loop)
{
    for (int i = 0; i < REFUSE_BATCH && loop->spare_fd >= 0; i++) {
        close(loop->spare_fd);
        int fd = accept4(loop->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            refuse(loop, fd);
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return;
    }
}

/* False when the listener has nothing more to give. */
static bool accept_some(fm_loop *loop, int count)
{
    for (int i = 0; i < count; i++) {
        int fd = accept4(loop->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                accept_with_spare(loop);
                pause_listener(loop);
            }
            return false;
        }
        take(loop, fd);
    }
    return true;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    fm_loop *loop = listener->data;

    if (error != NULL)
        return;
    loop->now_ns = fm_mono_ns(&loop->server->config.clock); /* the loop may have slept for long before this */
    if (full(loop))
        pause_listener(loop);
    else
        (void)accept_some(loop, ACCEPT_BATCH);
}

static void resume(fm_loop *loop)
{
    if (loop->paused && loop->listener != NULL && !full(loop)) {
        loop->paused = false;
        h2o_socket_read_start(loop->listener, on_accept);
    }
}

int fm_connection_listen(fm_loop *loop)
{
    if (listen(loop->listen_fd, 1024) != 0)
        return FM_EIO;
    loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    loop->listener = h2o_evloop_socket_create(loop->ctx.loop, loop->listen_fd, H2O_SOCKET_FLAG_DONT_READ);
    loop->listener->data = loop;
    h2o_socket_read_start(loop->listener, on_accept);
    return 0;
}

void fm_connection_stop_listening(fm_loop *loop)
{
    if (loop->listener != NULL) {
        h2o_socket_close(loop->listener); /* closes listen_fd */
        loop->listener = NULL;
        loop->listen_fd = -1;
    }
}

void fm_connection_cut(fm_connection *c)
{
    if (!c->cut) {
        c->cut = true;
        shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
    }
}

void fm_connection_cut_all(fm_loop *loop)
{
    for (fm_connection *c = loop->connections; c != NULL; c = c->next)
        fm_connection_cut(c);
}

static fm_connection_state state_of(const fm_connection *c)
{
    if (h2o_socket_is_writing(c->sock))
        return FM_WRITING;
    if (!h2o_socket_is_reading(c->sock))
        return FM_WORKING;
    return c->sock->input->size > 0 ? FM_READING : FM_IDLE;
}

/* How long the connection may stay as it is; 0 = for ever. The time starts anew when it moved. */
static int64_t patience(fm_connection *c, fm_connection_state state)
{
    const fm_server_config *config = &c->loop->server->config;

    switch (state) {
    case FM_IDLE:
        if (c->sock->bytes_read != c->read_seen) {
            c->read_seen = c->sock->bytes_read;
            c->since_ns = c->loop->now_ns;
        }
        return config->idle_timeout_ns;
    case FM_READING: /* the time is for the whole request: a byte a second does not help */
        return config->request_timeout_ns;
    case FM_WRITING: {
        uint64_t taken = fm_tcp_taken(h2o_socket_get_fd(c->sock));
        if (taken - c->taken_seen >= PROGRESS_BYTES) {
            c->taken_seen = taken;
            c->since_ns = c->loop->now_ns;
        }
        return config->write_timeout_ns;
    }
    default:
        return 0; /* its submission or question has a time limit of its own */
    }
}

static void look_at(fm_connection *c)
{
    fm_connection_state state = state_of(c);

    if (state != c->state || c->requests != c->requests_seen) {
        c->state = state;
        c->requests_seen = c->requests;
        c->since_ns = c->loop->now_ns;
        c->read_seen = c->sock->bytes_read;
        if (state == FM_WRITING)
            c->taken_seen = fm_tcp_taken(h2o_socket_get_fd(c->sock));
        if (!(c->loop->stopping && state == FM_IDLE))
            return;
    }
    int64_t limit = patience(c, state);
    if (c->loop->stopping && state == FM_IDLE) {
        fm_connection_cut(c);
    } else if (limit > 0 && c->loop->now_ns - c->since_ns > limit) {
        fm_count(c->loop->counters, FM_METRIC_HTTP_TIMEOUTS, 1);
        fm_connection_cut(c);
    }
}

void fm_connection_sweep(fm_loop *loop)
{
    for (fm_connection *c = loop->connections; c != NULL; c = c->next)
        if (c->websocket == NULL && !c->cut)
            look_at(c);

    if (loop->spare_fd < 0 && loop->listener != NULL)
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (loop->paused && loop->listener != NULL) {
        if (full(loop))
            (void)accept_some(loop, REFUSE_BATCH);
        else
            resume(loop);
    }
}
