/* tests/bench/http_load.c - one thread that keeps a server busy over HTTP and tells what a tick cost it.
 *
 *   http_load --port P --pid SERVER [--wire ndjson|msgpack] [--connections 4] [--records 500] [--seconds 5] [--cpu 1]
 *             [--name NAME] [--spin]
 *   http_load --port P --pid SERVER --get /healthz    requests a second of a bare GET: the ceiling of the HTTP half
 *
 * Connections are kept, requests are not pipelined: each connection sends its next body when the last was answered.
 * Bodies are those of load/workload.h. Warms up for a second, then measures; prints one JSON line; ends with 1 when the
 * server refused a record.
 *
 * --spin: look for answers without sleeping. Over loopback the sender of an answer runs the reader's half of TCP, and
 * pays for waking a reader that sleeps on another core (a tenth of a request on a virtual machine): a cost that clients
 * on other machines do not put on the server. Only for a client that has its core to itself. */
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
#include <sys/uio.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define ANSWER_MAX      65536
#define SILENCE_MS      10000

typedef struct load_options {
    int port, pid, cpu, connections, records;
    double seconds;
    fm_wire wire;
    const char *name, *get;
    bool spin;
} load_options;

typedef struct load_connection {
    int socket;
    uint32_t next;   /* body */
    int64_t by_ns;   /* of its pass */
    uint32_t spikes; /* in the body on its way */
    char answer[ANSWER_MAX];
    size_t size;
} load_connection;

typedef struct load_totals {
    uint64_t requests, accepted, rejected, duplicate, refused, spikes;
} load_totals;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "http_load: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void open_connection(load_connection *c, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, size = 1 << 20;
    c->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(c->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (connect(c->socket, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("could not connect");
}

static void send_parts(load_connection *c, const char *head, size_t head_size, const char *body, size_t body_size)
{
    struct iovec part[2] = {{(void *)head, head_size}, {(void *)body, body_size}};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
    while (part[0].iov_len + part[1].iov_len > 0) {
        ssize_t sent = sendmsg(c->socket, &message, MSG_NOSIGNAL);
        if (sent < 0)
            die("could not send");
        for (int i = 0; i < 2; i++) {
            size_t gone = (size_t)sent < part[i].iov_len ? (size_t)sent : part[i].iov_len;
            part[i].iov_base = (char *)part[i].iov_base + gone;
            part[i].iov_len -= gone;
            sent -= (ssize_t)gone;
        }
    }
}

static void send_next(const load_options *options, const workload *work, load_connection *c, uint32_t index)
{
    char head[256];
    if (options->get) {
        int size =
            snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", options->get, options->port);
        send_parts(c, head, (size_t)size, NULL, 0);
        return;
    }
    work_body *body = &work->body[index * work->config.bodies + c->next];
    work_move(work, body, c->by_ns);
    c->spikes = body->spikes;
    if (++c->next == work->config.bodies) {
        c->next = 0;
        c->by_ns += work->pass_ns;
    }
    int size = snprintf(head, sizeof(head),
                        "POST /v1/ingest?domain=bench HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: "
                        "%s\r\nContent-Length: %zu\r\n\r\n",
                        options->port, fm_wire_content_type(options->wire), body->size);
    send_parts(c, head, (size_t)size, body->data, body->size);
}

static uint64_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Reads what is there; true when a whole answer was. */
static bool read_answer(const load_options *options, load_connection *c, load_totals *totals)
{
    ssize_t got = recv(c->socket, c->answer + c->size, sizeof(c->answer) - 1 - c->size, MSG_DONTWAIT);
    if (got <= 0)
        die("the server closed the connection");
    c->size += (size_t)got;
    c->answer[c->size] = '\0';
    char *end = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "content-length: ");
    if (!end || !length || c->size < (size_t)(end + 4 - c->answer) + strtoul(length + 16, NULL, 10))
        return false;
    totals->requests++;
    if (strncmp(c->answer + 9, "200", 3) != 0)
        totals->refused++;
    if (!options->get) {
        totals->accepted += number_after(end, "\"accepted\":");
        totals->rejected += number_after(end, "\"rejected\":");
        totals->duplicate += number_after(end, "\"duplicate\":");
        totals->spikes += c->spikes;
    }
    c->size = 0;
    return true;
}

static void run_until(const load_options *options, const workload *work, load_connection *connections, int64_t end_ns,
                      load_totals *totals)
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
            if (ready[i].revents != 0 && read_answer(options, &connections[i], totals))
                send_next(options, work, &connections[i], (uint32_t)i);
    }
}

static void print_result(const load_options *options, const workload *work, const load_totals *totals,
                         const load_meter *begin, const load_meter *end)
{
    double seconds = (double)(end->wall_ns - begin->wall_ns) / 1e9, cpu_ns = (double)(end->cpu_ns - begin->cpu_ns);
    if (options->get) {
        printf(
            "{\"name\":\"%s\",\"path\":\"%s\",\"requests_per_s\":%.0f,\"cpu_ns_per_request\":%.0f,\"refused\":%llu}\n",
            options->name, options->get, (double)totals->requests / seconds,
            cpu_ns / (double)(totals->requests ? totals->requests : 1), (unsigned long long)totals->refused);
        return;
    }
    printf("{\"name\":\"%s\",\"ticks\":%llu,\"ticks_per_s\":%.0f,\"cpu_ns_per_tick\":%.1f,\"server_cpus\":%.2f,"
           "\"rejected\":%llu,"
           "\"duplicate\":%llu,\"refused_requests\":%llu,\"spikes\":%llu,\"records_per_request\":%d,\"connections\":%d,"
           "\"spin\":%s,"
           "\"record_bytes\":%.1f,\"rss_mib\":%.1f,\"workload\":\"%016llx\"}\n",
           options->name, (unsigned long long)totals->accepted, (double)totals->accepted / seconds,
           cpu_ns / (double)(totals->accepted ? totals->accepted : 1), cpu_ns / 1e9 / seconds,
           (unsigned long long)totals->rejected, (unsigned long long)totals->duplicate,
           (unsigned long long)totals->refused, (unsigned long long)totals->spikes, options->records,
           options->connections, options->spin ? "true" : "false", work->record_bytes, (double)end->rss_bytes / 1048576,
           (unsigned long long)work->hash);
}

static void parse(int argc, char **argv, load_options *out)
{
    static const struct option names[] = {{"port", 1, NULL, 'p'},
                                          {"pid", 1, NULL, 'i'},
                                          {"wire", 1, NULL, 'w'},
                                          {"connections", 1, NULL, 'c'},
                                          {"records", 1, NULL, 'r'},
                                          {"seconds", 1, NULL, 's'},
                                          {"cpu", 1, NULL, 'u'},
                                          {"name", 1, NULL, 'n'},
                                          {"get", 1, NULL, 'g'},
                                          {"spin", 0, NULL, 'b'},
                                          {0}};
    *out = (load_options){.cpu = -1, .connections = 4, .records = 500, .seconds = 5, .name = "http"};
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
        case 's':
            out->seconds = atof(optarg);
            break;
        case 'u':
            out->cpu = atoi(optarg);
            break;
        case 'n':
            out->name = optarg;
            break;
        case 'g':
            out->get = optarg;
            break;
        case 'b':
            out->spin = true;
            break;
        default:
            exit(2);
        }
    }
    if (out->port <= 0 || out->connections < 1 || out->connections > CONNECTIONS_MAX || out->records < 1 ||
        out->records > 10000) {
        fprintf(stderr, "http_load: --port is missing or a number is out of range\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    load_options options;
    static load_connection connections[CONNECTIONS_MAX];
    parse(argc, argv, &options);
    if (options.cpu >= 0 && meter_pin(options.cpu) < 0)
        fprintf(stderr, "http_load: cpu %d cannot be pinned\n", options.cpu);
    work_config config = {.wire = options.wire,
                          .connections = (uint32_t)options.connections,
                          .records = (uint32_t)options.records,
                          .bodies = 100000u / (uint32_t)(options.connections * options.records) + 1,
                          .separator = '\n'};
    workload work = {0};
    if (!options.get && work_make(&config, &work) < 0)
        die("could not make the bodies");
    for (int i = 0; i < options.connections; i++) {
        open_connection(&connections[i], options.port);
        send_next(&options, &work, &connections[i], (uint32_t)i);
    }
    load_totals warm = {0}, totals = {0};
    load_meter begin = {.pid = options.pid}, end = {.pid = options.pid};
    run_until(&options, &work, connections, fm_mono_ns(&fm_clock_system) + FM_NS_PER_S, &warm);
    meter_read(&begin);
    run_until(&options, &work, connections, begin.wall_ns + (int64_t)(options.seconds * 1e9), &totals);
    meter_read(&end);
    print_result(&options, &work, &totals, &begin, &end);
    for (int i = 0; i < options.connections; i++)
        close(connections[i].socket);
    work_free(&work);
    return warm.rejected + warm.refused + totals.rejected + totals.refused > 0;
}
