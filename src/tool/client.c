/* tool/client.c - sockets with time limits, answers with Content-Length or chunks, and patience. See client.h. */
#include "tool/client.h"

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "tool/peek.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TIMEOUT_MS_PRESET 10000
#define ANSWER_MAX        (64u << 20)
#define PAUSE_MS_MIN      50
#define PAUSE_MS_MAX      2000

struct fm_client {
    char host[128], port[8], authority[160];
    int32_t timeout_ms, patience_ms;
    const volatile sig_atomic_t *stop;
    int socket;   /* -1 = not connected */
    bool used;    /* the connection has answered before */
    bool close;   /* the server said Connection: close */
    fm_text head; /* of the request */
    fm_text in;   /* bytes read and not yet used */
    fm_text body; /* of the answer when it came in chunks */
};

/* ---- url ---- */

static int parse_url(fm_client *client, const char *url, fm_error *error)
{
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return fm_fail(error, FM_EINVAL, "could not read the address \"%s\": it must begin with http://", url);
    const char *at = url + sizeof(scheme) - 1;
    const char *end = strchr(at, '/');
    size_t size = end ? (size_t)(end - at) : strlen(at);
    if (size == 0 || size >= sizeof(client->host) || (end && end[1] != '\0'))
        return fm_fail(error, FM_EINVAL,
                       "could not read the address \"%s\": it must be http://host:port without a path", url);
    fm_slice_copy((fm_slice){at, size}, client->authority, sizeof(client->authority));

    const char *host = at, *colon;
    size_t host_size;
    if (*at == '[') {
        const char *bracket = memchr(at, ']', size);
        if (!bracket)
            return fm_fail(error, FM_EINVAL, "could not read the address \"%s\": \"]\" is missing", url);
        host = at + 1;
        host_size = (size_t)(bracket - host);
        colon = bracket + 1 < at + size ? bracket + 1 : NULL;
    } else {
        colon = memchr(at, ':', size);
        host_size = colon ? (size_t)(colon - at) : size;
    }
    fm_slice port = colon && *colon == ':' ? (fm_slice){colon + 1, (size_t)(at + size - colon - 1)} : FM_SLICE("80");
    if (host_size == 0 || port.size == 0 || !fm_slice_copy(port, client->port, sizeof(client->port)) ||
        strspn(client->port, "0123456789") != port.size)
        return fm_fail(error, FM_EINVAL, "could not read the address \"%s\": no host or no port number", url);
    fm_slice_copy((fm_slice){host, host_size}, client->host, sizeof(client->host));
    return 0;
}

int fm_client_open(const fm_client_config *config, fm_client **out, fm_error *error)
{
    fm_client *client = calloc(1, sizeof(*client));
    if (!client)
        return fm_fail(error, FM_ENOMEM, "could not make a client: memory is full");
    client->socket = -1;
    client->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : TIMEOUT_MS_PRESET;
    client->patience_ms = config->patience_ms;
    client->stop = config->stop;
    int result = parse_url(client, config->url, error);
    if (result < 0) {
        free(client);
        return result;
    }
    *out = client;
    return 0;
}

static void disconnect(fm_client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
    client->used = client->close = false;
    fm_text_clear(&client->in);
}

void fm_client_close(fm_client *client)
{
    if (!client)
        return;
    disconnect(client);
    fm_text_fini(&client->head);
    fm_text_fini(&client->in);
    fm_text_fini(&client->body);
    free(client);
}

/* ---- waiting ---- */

static bool stopped(const fm_client *client)
{
    return client->stop && *client->stop != 0;
}

static int64_t now_ms(void)
{
    return fm_mono_ns(&fm_clock_system) / FM_NS_PER_MS;
}

/* Until the socket is ready, the deadline passed (FM_ENETWORK) or we are asked to stop. Short waits, so that a signal
 * that lands between test and poll delays the end by a tenth of a second at most. */
static int wait_ready(fm_client *client, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - now_ms();
        if (stopped(client))
            return FM_ESHUTDOWN;
        if (left_ms <= 0)
            return FM_ENETWORK;
        struct pollfd ready = {.fd = client->socket, .events = events};
        if (poll(&ready, 1, left_ms < 100 ? (int)left_ms : 100) > 0)
            return 0;
    }
}

static int pause_ms(fm_client *client, int64_t ms)
{
    for (int64_t end = now_ms() + ms, left; (left = end - now_ms()) > 0;) {
        if (stopped(client))
            return FM_ESHUTDOWN;
        poll(NULL, 0, left < 100 ? (int)left : 100);
    }
    return stopped(client) ? FM_ESHUTDOWN : 0;
}

/* ---- connection ---- */

static int connect_one(fm_client *client, const struct addrinfo *address, int64_t deadline_ms)
{
    client->socket = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->socket < 0)
        return FM_ENETWORK;
    int one = 1, failure = 0;
    socklen_t size = sizeof(failure);
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int result = connect(client->socket, address->ai_addr, address->ai_addrlen) == 0 ? 0
                 : errno == EINPROGRESS                                              ? 1
                                                                                     : FM_ENETWORK;
    if (result == 1)
        result = wait_ready(client, POLLOUT, deadline_ms);
    if (result == 0 && (getsockopt(client->socket, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0)) {
        errno = failure;
        result = FM_ENETWORK;
    }
    if (result < 0) {
        int reason = errno;
        disconnect(client);
        errno = reason;
    }
    return result;
}

static int connect_to(fm_client *client, int64_t deadline_ms, fm_error *error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int found = getaddrinfo(client->host, client->port, &hints, &list);
    if (found != 0)
        return fm_fail(error, FM_ENETWORK, "could not find the address of \"%s\": %s", client->host,
                       gai_strerror(found));
    int result = FM_ENETWORK;
    errno = 0;
    for (const struct addrinfo *one = list; one && result == FM_ENETWORK; one = one->ai_next)
        result = connect_one(client, one, deadline_ms);
    if (result < 0)
        fm_fail_errno(error, result, "could not connect to %s", client->authority);
    freeaddrinfo(list);
    return result;
}

static int send_all(fm_client *client, fm_slice body, int64_t deadline_ms)
{
    struct iovec part[2] = {{client->head.data, client->head.size}, {(void *)body.data, body.size}};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
    while (part[0].iov_len + part[1].iov_len > 0) {
        ssize_t sent = sendmsg(client->socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            FM_TRY(wait_ready(client, POLLOUT, deadline_ms));
            continue;
        }
        if (sent < 0)
            return FM_ENETWORK;
        for (int i = 0; i < 2; i++) {
            size_t gone = (size_t)sent < part[i].iov_len ? (size_t)sent : part[i].iov_len;
            part[i].iov_base = (char *)part[i].iov_base + gone;
            part[i].iov_len -= gone;
            sent -= (ssize_t)gone;
        }
    }
    return 0;
}

/* At least one byte more in client->in. FM_ENETWORK: closed, broken, too late or too much. */
static int read_more(fm_client *client, int64_t deadline_ms)
{
    char buffer[65536];
    for (;;) {
        ssize_t got = recv(client->socket, buffer, sizeof(buffer), 0);
        if (got > 0) {
            if (client->in.size + (size_t)got > ANSWER_MAX)
                return FM_ENETWORK;
            fm_text_add(&client->in, buffer, (size_t)got);
            return 0;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            if (got == 0)
                errno = ECONNRESET;
            return FM_ENETWORK;
        }
        FM_TRY(wait_ready(client, POLLIN, deadline_ms));
    }
}

/* ---- answer ---- */

typedef struct answer_head {
    size_t size; /* with the empty line */
    int status;
    int64_t length; /* -1 = not said */
    bool chunked, close;
    int32_t retry_after_ms;
} answer_head;

static void read_field(fm_slice line, answer_head *head)
{
    const char *colon = memchr(line.data, ':', line.size);
    if (!colon)
        return;
    size_t name = (size_t)(colon - line.data);
    char value[128];
    const char *begin = colon + 1, *end = line.data + line.size;
    while (begin < end && *begin == ' ')
        begin++;
    fm_slice_copy((fm_slice){begin, (size_t)(end - begin)}, value, sizeof(value));
    if (name == 14 && strncasecmp(line.data, "content-length", name) == 0)
        head->length = strtoll(value, NULL, 10);
    else if (name == 17 && strncasecmp(line.data, "transfer-encoding", name) == 0)
        head->chunked = strcasecmp(value, "chunked") == 0;
    else if (name == 10 && strncasecmp(line.data, "connection", name) == 0)
        head->close = strcasecmp(value, "close") == 0;
    else if (name == 11 && strncasecmp(line.data, "retry-after", name) == 0) {
        long seconds = strtol(value, NULL, 10);
        head->retry_after_ms = seconds > 0 && seconds < 3600 ? (int32_t)(1000 * seconds) : 0;
    }
}

static int read_head(fm_client *client, int64_t deadline_ms, answer_head *head)
{
    const char *end;
    while (client->in.size == 0 || !(end = memmem(client->in.data, client->in.size, "\r\n\r\n", 4)))
        FM_TRY(read_more(client, deadline_ms));

    *head = (answer_head){.size = (size_t)(end - client->in.data) + 4, .length = -1};
    if (client->in.size < 12 || strncmp(client->in.data, "HTTP/1.", 7) != 0)
        return FM_ENETWORK;
    head->status = atoi(client->in.data + 9);
    const char *line = client->in.data;
    while (line < end) {
        const char *stop = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        read_field((fm_slice){line, (size_t)(stop - line)}, head);
        line = stop + 2;
    }
    return 0;
}

/* Moves the body of a chunked answer to client->body; `used` = bytes of client->in that belong to the answer. */
static int read_chunks(fm_client *client, size_t at, int64_t deadline_ms, size_t *used)
{
    fm_text_clear(&client->body);
    for (;;) {
        char *end;
        while (!(end = memmem(client->in.data + at, client->in.size - at, "\r\n", 2)))
            FM_TRY(read_more(client, deadline_ms));
        unsigned long size = strtoul(client->in.data + at, NULL, 16);
        at = (size_t)(end - client->in.data) + 2;
        if (size > ANSWER_MAX)
            return FM_ENETWORK;
        while (client->in.size < at + size + 2)
            FM_TRY(read_more(client, deadline_ms));
        fm_text_add(&client->body, client->in.data + at, size);
        at += size + 2;
        if (size == 0) {
            *used = at;
            return 0;
        }
    }
}

static int read_answer(fm_client *client, int64_t deadline_ms, fm_response *out)
{
    answer_head head;
    size_t used;
    for (;;) {
        FM_TRY(read_head(client, deadline_ms, &head));
        if (head.status >= 200)
            break;
        memmove(client->in.data, client->in.data + head.size,
                client->in.size - head.size); /* 1xx: the real one follows */
        client->in.size -= head.size;
    }
    out->status = head.status;
    out->retry_after_ms = head.retry_after_ms;
    client->close = head.close;
    if (head.chunked) {
        FM_TRY(read_chunks(client, head.size, deadline_ms, &used));
        out->body = (fm_slice){client->body.data, client->body.size};
        return 0;
    }
    if (head.status == 204 || head.status == 304)
        head.length = 0;
    if (head.length < 0 || head.length > ANSWER_MAX)
        return FM_ENETWORK;
    while (client->in.size < head.size + (size_t)head.length)
        FM_TRY(read_more(client, deadline_ms));
    out->body = (fm_slice){client->in.data + head.size, (size_t)head.length};
    return 0;
}

static int try_once(fm_client *client, fm_slice body, fm_response *out, fm_error *error)
{
    int64_t deadline_ms = now_ms() + client->timeout_ms;
    if (client->close)
        disconnect(client);
    if (client->socket < 0)
        FM_TRY(connect_to(client, deadline_ms, error));
    fm_text_clear(&client->in); /* one request at a time: what is left belongs to nobody */
    errno = 0;
    int result = send_all(client, body, deadline_ms);
    if (result == 0)
        result = read_answer(client, deadline_ms, out);
    if (result == 0) {
        client->used = true;
        return 0;
    }
    if (errno == EAGAIN || errno == 0)
        errno = ETIMEDOUT;
    fm_fail_errno(error, result, "no answer from %s", client->authority);
    bool used = client->used && now_ms() < deadline_ms;
    disconnect(client);
    return result == FM_ENETWORK && used ? FM_EBUSY : result; /* FM_EBUSY: an old connection; worth a new one */
}

int fm_client_request(fm_client *client, const char *method, const char *path, const char *content_type, fm_slice body,
                      fm_response *out, fm_error *error)
{
    fm_text_clear(&client->head);
    fm_text_printf(&client->head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: fmads\r\nAccept: application/json\r\n",
                   method, path, client->authority);
    if (content_type)
        fm_text_printf(&client->head, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type, body.size);
    fm_text_put(&client->head, "\r\n");
    int result = try_once(client, body, out, error);
    if (result == FM_EBUSY)
        result = try_once(client, body, out, error);
    return result == FM_EBUSY ? FM_ENETWORK : result;
}

int fm_client_get(fm_client *client, const char *path, fm_response *out, fm_error *error)
{
    return fm_client_request(client, "GET", path, NULL, (fm_slice){0}, out, error);
}

/* ---- ingest ---- */

/* False when the answer holds no verdict. */
static bool read_verdict(fm_slice body, fm_verdict *verdict)
{
    int64_t accepted = fm_peek_member_int(body, "accepted", -1);
    if (accepted < 0)
        return false;
    verdict->accepted += (uint64_t)accepted;
    verdict->rejected += (uint64_t)fm_peek_member_int(body, "rejected", 0);
    verdict->duplicate += (uint64_t)fm_peek_member_int(body, "duplicate", 0);
    verdict->first[0] = '\0';
    fm_slice errors, one;
    size_t at = 0;
    if (fm_peek_member(body, "errors", &errors) && fm_peek_next(errors, &at, &one)) {
        char code[64], message[160];
        fm_peek_member_text(one, "code", code, sizeof(code));
        fm_peek_member_text(one, "message", message, sizeof(message));
        snprintf(verdict->first, sizeof(verdict->first), "record %lld: %s: %s",
                 (long long)fm_peek_member_int(one, "index", 0), code, message);
    }
    return true;
}

static int refused(const fm_client *client, const fm_response *response, fm_error *error)
{
    char detail[256];
    fm_peek_member_text(response->body, "detail", detail, sizeof(detail));
    if (detail[0] == '\0')
        fm_peek_member_text(response->body, "title", detail, sizeof(detail));
    return fm_fail(error, FM_EINVAL, "the server at %s refused the records: status %d%s%s", client->authority,
                   response->status, detail[0] ? ", " : "", detail);
}

/* How long to wait before the same batch goes out again; -1 = waiting does not help. */
static int64_t wait_for_status(const fm_response *response)
{
    switch (response->status) {
    case 429:
    case 503:
        return response->retry_after_ms > 0 ? response->retry_after_ms : 2 * PAUSE_MS_MIN;
    case 507:
        return 1000;
    case 500:
    case 502:
    case 504:
        return 500;
    default:
        return -1;
    }
}

int fm_client_ingest(fm_client *client, const char *path, const char *content_type, fm_slice body, fm_verdict *verdict,
                     fm_error *error)
{
    int64_t begin_ms = now_ms(), pause = PAUSE_MS_MIN, wait;
    for (bool again = false;; again = true) {
        fm_response response = {0};
        verdict->resent += again;
        int result = fm_client_request(client, "POST", path, content_type, body, &response, error);
        if (result == 0 && read_verdict(response.body, verdict))
            return 0;
        if (result < 0 && result != FM_ENETWORK)
            return result;
        if (result == 0) {
            result = refused(client, &response, error);
            wait = wait_for_status(&response);
            if (wait < 0)
                return result;
        } else {
            wait = pause;
            pause = 2 * pause < PAUSE_MS_MAX ? 2 * pause : PAUSE_MS_MAX;
        }
        if (client->patience_ms >= 0 && now_ms() + wait - begin_ms > client->patience_ms)
            return FM_ENETWORK;
        FM_TRY(pause_ms(client, wait));
    }
}
