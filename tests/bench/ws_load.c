/* tests/bench/ws_load.c - one thread that streams records over WebSockets and tells what a tick cost the server.
 *
 *   ws_load --port P --pid SERVER [--wire json|msgpack] [--connections 8] [--records 1] [--window 60] [--seconds 5]
 *           [--cpu 1] [--name NAME] [--spin]
 *
 * A message holds `records` records (more than one: a JSON array, or MessagePack maps one after another). On each
 * connection at most `window` messages wait for their ack; what may be sent is sent in one write, as a feed would. The
 * mask is zero, which the protocol allows and which costs the sender nothing; the server unmasks as always. --spin: as
 * in http_load.c. Prints one JSON line; ends with 1 when a record was refused. */
#include "bench/load/meter.h"
#include "bench/load/workload.h"

#include "base/clock.h"
#include "base/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define WINDOW_MAX      60 /* the server's own is 64 */
#define IN_MAX          (1 << 20)
#define SILENCE_MS      10000

typedef struct load_options {
    int port, pid, cpu, connections, records, window;
    double seconds;
    fm_wire wire;
    const char *name;
    bool spin;
} load_options;

typedef struct load_connection {
    int socket;
    uint32_t next;
    int64_t by_ns;
    uint64_t sent, answered; /* messages */
    uint64_t accepted, rejected, duplicate;
    char *out;
    size_t out_size;
    char in[IN_MAX];
    size_t in_size;
} load_connection;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "ws_load: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void send_all(load_connection *c, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(c->socket, data, size, MSG_NOSIGNAL);
        if (sent < 0)
            die("could not send");
        data += sent;
        size -= (size_t)sent;
    }
}

static void open_connection(const load_options *options, load_connection *c)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)options->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, size = 1 << 20;
    char head[512];
    c->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(c->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (connect(c->socket, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("could not connect");
    int head_size = snprintf(
        head, sizeof(head),
        "GET /v1/stream?domain=bench HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        options->port);
    send_all(c, head, (size_t)head_size);
    char *end;
    do {
        ssize_t got = recv(c->socket, c->in + c->in_size, IN_MAX - 1 - c->in_size, 0);
        if (got <= 0)
            die("no answer to the upgrade");
        c->in_size += (size_t)got;
        c->in[c->in_size] = '\0';
    } while (!(end = strstr(c->in, "\r\n\r\n")));
    if (strncmp(c->in, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "ws_load: the server refused the upgrade: %.60s\n", c->in);
        exit(3);
    }
    c->in_size -= (size_t)(end + 4 - c->in);
    memmove(c->in, end + 4, c->in_size);
}

/* One masked frame into the buffer, mask zero. */
static void put_frame(load_connection *c, int opcode, const char *data, size_t size)
{
    unsigned char *at = (unsigned char *)c->out + c->out_size;
    *at++ = (unsigned char)(0x80 | opcode);
    if (size < 126) {
        *at++ = (unsigned char)(0x80 | size);
    } else {
        int bytes = size < 65536 ? 2 : 8;
        *at++ = (unsigned char)(0x80 | (bytes == 2 ? 126 : 127));
        for (int i = bytes - 1; i >= 0; i--)
            *at++ = (unsigned char)(size >> (8 * i));
    }
    memset(at, 0, 4);
    memcpy(at + 4, data, size);
    c->out_size = (size_t)((char *)at + 4 + size - c->out);
}

static void send_window(const load_options *options, const workload *work, load_connection *c, uint32_t index)
{
    for (; c->sent - c->answered < (uint64_t)options->window; c->sent++) {
        work_body *body = &work->body[index * work->config.bodies + c->next];
        work_move(work, body, c->by_ns);
        size_t size =
            body->size - (options->wire == FM_WIRE_NDJSON && options->records == 1); /* without the line end */
        put_frame(c, options->wire == FM_WIRE_MSGPACK ? 2 : 1, body->data, size);
        if (++c->next == work->config.bodies) {
            c->next = 0;
            c->by_ns += work->pass_ns;
        }
    }
    send_all(c, c->out, c->out_size);
    c->out_size = 0;
}

static uint64_t number_after(const char *text, size_t size, const char *key)
{
    const char *at = memmem(text, size, key, strlen(key));
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void take_frame(load_connection *c, int opcode, const char *data, size_t size)
{
    if (opcode == 8)
        die("the server closed the WebSocket");
    if (opcode == 9)
        put_frame(c, 10, data, size);
    if (opcode != 1 || !memmem(data, size < 16 ? size : 16, "\"ack\"", 5))
        return;
    c->answered = number_after(data, size, "\"messages\":");
    c->accepted = number_after(data, size, "\"accepted\":");
    c->rejected = number_after(data, size, "\"rejected\":");
    c->duplicate = number_after(data, size, "\"duplicate\":");
}

static void read_frames(load_connection *c)
{
    ssize_t got = recv(c->socket, c->in + c->in_size, IN_MAX - 1 - c->in_size, MSG_DONTWAIT);
    if (got <= 0)
        die("the server closed the connection");
    c->in_size += (size_t)got;
    size_t at = 0;
    while (c->in_size - at >= 2) {
        const unsigned char *frame = (const unsigned char *)c->in + at;
        size_t size = frame[1] & 127, head = size == 126 ? 4 : size == 127 ? 10 : 2;
        if (c->in_size - at < head)
            break;
        if (head > 2) {
            size = 0;
            for (size_t i = 2; i < head; i++)
                size = size << 8 | frame[i];
        }
        if (size > IN_MAX - 16)
            die("a frame is larger than expected");
        if (c->in_size - at < head + size)
            break;
        take_frame(c, frame[0] & 15, (const char *)frame + head, size);
        at += head + size;
    }
    c->in_size -= at;
    memmove(c->in, c->in + at, c->in_size);
}

static void run_until(const load_options *options, const workload *work, load_connection *connections, int64_t end_ns)
{
    struct pollfd ready[CONNECTIONS_MAX];
    for (int i = 0; i < options->connections; i++)
        ready[i] = (struct pollfd){.fd = connections[i].socket, .events = POLLIN};
    int64_t heard_ns = fm_mono_ns(&fm_clock_system), now_ns;
    while ((now_ns = fm_mono_ns(&fm_clock_system)) < end_ns) {
        int count = poll(ready, (nfds_t)options->connections, options->spin ? 0 : SILENCE_MS);
        if (count > 0)
            heard_ns = now_ns;
        else if (count < 0 || now_ns - heard_ns > SILENCE_MS * FM_NS_PER_MS)
            die("no answer for 10 s");
        for (int i = 0; i < options->connections; i++)
            if (ready[i].revents != 0) {
                read_frames(&connections[i]);
                send_window(options, work, &connections[i], (uint32_t)i);
            }
    }
}

static void sum(const load_options *options, const load_connection *connections, uint64_t out[3])
{
    memset(out, 0, 3 * sizeof(*out));
    for (int i = 0; i < options->connections; i++) {
        out[0] += connections[i].accepted;
        out[1] += connections[i].rejected;
        out[2] += connections[i].duplicate;
    }
}

static void parse(int argc, char **argv, load_options *out)
{
    static const struct option names[] = {{"port", 1, NULL, 'p'},
                                          {"pid", 1, NULL, 'i'},
                                          {"wire", 1, NULL, 'w'},
                                          {"connections", 1, NULL, 'c'},
                                          {"records", 1, NULL, 'r'},
                                          {"window", 1, NULL, 'd'},
                                          {"cpu", 1, NULL, 'u'},
                                          {"seconds", 1, NULL, 's'},
                                          {"name", 1, NULL, 'n'},
                                          {"spin", 0, NULL, 'b'},
                                          {0}};
    *out = (load_options){.cpu = -1, .connections = 8, .records = 1, .window = 60, .seconds = 5, .name = "ws"};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'p':
            out->port = atoi(optarg);
            break;
        case 'i':
            out->pid = atoi(optarg);
            break;
        case 'w':
            out->wire = strcmp(optarg, "msgpack") == 0 ? FM_WIRE_MSGPACK : FM_WIRE_NDJSON;
            break;
        case 'c':
            out->connections = atoi(optarg);
            break;
        case 'r':
            out->records = atoi(optarg);
            break;
        case 'd':
            out->window = atoi(optarg);
            break;
        case 'u':
            out->cpu = atoi(optarg);
            break;
        case 's':
            out->seconds = atof(optarg);
            break;
        case 'n':
            out->name = optarg;
            break;
        case 'b':
            out->spin = true;
            break;
        default:
            exit(2);
        }
    }
    if (out->port <= 0 || out->connections < 1 || out->connections > CONNECTIONS_MAX || out->records < 1 ||
        out->records > 1000 || out->window < 1 || out->window > WINDOW_MAX) {
        fprintf(stderr, "ws_load: --port is missing or a number is out of range\n");
        exit(2);
    }
}

static void print_result(const load_options *options, const workload *work, const uint64_t before[3],
                         const uint64_t after[3], const load_meter *begin, const load_meter *end)
{
    double seconds = (double)(end->wall_ns - begin->wall_ns) / 1e9, cpu_ns = (double)(end->cpu_ns - begin->cpu_ns);
    uint64_t ticks = after[0] - before[0];
    printf(
        "{\"name\":\"%s\",\"ticks\":%llu,\"ticks_per_s\":%.0f,\"cpu_ns_per_tick\":%.1f,\"server_cpus\":%.2f,"
        "\"rejected\":%llu,\"duplicate\":%llu,"
        "\"records_per_message\":%d,\"connections\":%d,\"window\":%d,\"record_bytes\":%.1f,\"workload\":\"%016llx\"}\n",
        options->name, (unsigned long long)ticks, (double)ticks / seconds, cpu_ns / (double)(ticks ? ticks : 1),
        cpu_ns / 1e9 / seconds, (unsigned long long)after[1], (unsigned long long)after[2], options->records,
        options->connections, options->window, work->record_bytes, (unsigned long long)work->hash);
}

int main(int argc, char **argv)
{
    load_options options;
    static load_connection connections[CONNECTIONS_MAX];
    uint64_t before[3], after[3];
    parse(argc, argv, &options);
    if (options.cpu >= 0 && meter_pin(options.cpu) < 0)
        fprintf(stderr, "ws_load: cpu %d cannot be pinned\n", options.cpu);
    work_config config = {.wire = options.wire,
                          .connections = (uint32_t)options.connections,
                          .records = (uint32_t)options.records,
                          .bodies = 60000u / (uint32_t)(options.connections * options.records) + 1,
                          .separator = options.records > 1 ? ',' : '\n'};
    workload work;
    if (work_make(&config, &work) < 0)
        die("could not make the bodies");
    for (int i = 0; i < options.connections; i++) {
        connections[i].out =
            malloc((size_t)options.window * ((size_t)options.records * 320 + FM_WIRE_RECORD_MAX) + 65536);
        if (!connections[i].out)
            die("could not make a buffer");
        open_connection(&options, &connections[i]);
        send_window(&options, &work, &connections[i], (uint32_t)i);
    }
    load_meter begin = {.pid = options.pid}, end = {.pid = options.pid};
    run_until(&options, &work, connections, fm_mono_ns(&fm_clock_system) + FM_NS_PER_S);
    meter_read(&begin);
    sum(&options, connections, before);
    run_until(&options, &work, connections, begin.wall_ns + (int64_t)(options.seconds * 1e9));
    meter_read(&end);
    sum(&options, connections, after);
    print_result(&options, &work, before, after, &begin, &end);
    for (int i = 0; i < options.connections; i++) {
        close(connections[i].socket);
        free(connections[i].out);
    }
    work_free(&work);
    return after[1] > 0;
}
