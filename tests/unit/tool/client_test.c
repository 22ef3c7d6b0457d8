/* The client against a server that misbehaves on purpose: each connection follows a script of answers. */
#include "tool/client.h"

#include "assert_near.h"
#include "base/clock.h"
#include "base/event.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERDICT(accepted, rejected, duplicate)                                                                         \
    "{\"accepted\":" #accepted ",\"rejected\":" #rejected ",\"duplicate\":" #duplicate ",\"errors\":[]}"

/* ANSWER_AND_CLOSE does not say so beforehand. */
typedef enum step_kind { ANSWER, ANSWER_AND_CLOSE, HANG_UP, SILENCE, RAW } step_kind;

typedef struct script_step {
    step_kind kind;
    int status;
    const char *fields; /* further header lines, each with its line end */
    const char *body;
} script_step;

typedef struct fake_server {
    int socket;
    uint16_t port;
    const script_step *steps;
    int step_count;
    int served; /* requests that were read whole */
    int connections;
    char last_request[1024];
    pthread_t thread;
} fake_server;

/* Reads one request; false when the other side is gone. */
static bool read_request(fake_server *server, int connection)
{
    char *at = server->last_request;
    size_t room = sizeof(server->last_request) - 1;
    for (;;) {
        ssize_t got = recv(connection, at, room, 0);
        if (got <= 0)
            return false;
        at += got;
        room -= (size_t)got;
        *at = '\0';
        char *end = strstr(server->last_request, "\r\n\r\n"),
             *length = strstr(server->last_request, "Content-Length: ");
        if (end && (!length || (size_t)(at - end - 4) >= strtoul(length + 16, NULL, 10)))
            return true;
    }
}

static void answer(int connection, const script_step *step)
{
    char text[2048];
    int size = step->kind == RAW
                   ? snprintf(text, sizeof(text), "%s", step->body)
                   : snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", step->status,
                              step->fields ? step->fields : "", strlen(step->body), step->body);
    for (int sent = 0; sent < size;) { /* in two parts, so that the client must read more than once */
        int part = sent == 0 ? size / 2 : size - sent;
        ssize_t done = send(connection, text + sent, (size_t)part, MSG_NOSIGNAL);
        if (done <= 0)
            return;
        sent += (int)done;
    }
}

static void *serve(void *context)
{
    fake_server *server = context;
    int at = 0;
    while (at < server->step_count) {
        int connection = accept(server->socket, NULL, NULL);
        if (connection < 0)
            break;
        server->connections++;
        bool open = true;
        while (open && at < server->step_count && read_request(server, connection)) {
            const script_step *step = &server->steps[at++];
            server->served++;
            if (step->kind == SILENCE)
                usleep(300000);
            if (step->kind == ANSWER || step->kind == ANSWER_AND_CLOSE || step->kind == RAW)
                answer(connection, step);
            open = step->kind == ANSWER;
        }
        close(connection);
    }
    return NULL;
}

static void start(fake_server *server, const script_step *steps, int step_count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *server = (fake_server){.socket = socket(AF_INET, SOCK_STREAM, 0), .steps = steps, .step_count = step_count};
    assert_int_equal(bind(server->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->socket, 8), 0);
    assert_int_equal(getsockname(server->socket, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void finish(fake_server *server)
{
    shutdown(server->socket, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->socket);
}

static fm_client *open_client(const fake_server *server, int32_t timeout_ms, int32_t patience_ms,
                              const volatile sig_atomic_t *stop)
{
    char url[64];
    fm_client *client = NULL;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", server->port);
    fm_client_config config = {.url = url, .timeout_ms = timeout_ms, .patience_ms = patience_ms, .stop = stop};
    assert_int_equal(fm_client_open(&config, &client, NULL), 0);
    return client;
}

static int ingest(fm_client *client, fm_verdict *verdict, fm_error *error)
{
    return fm_client_ingest(client, "/v1/ingest", "application/x-ndjson", FM_SLICE("{}\n"), verdict, error);
}

/* One ingest against a script; the verdict's sums and what the server saw. */
static int run_script(const script_step *steps, int step_count, int32_t patience_ms, fm_verdict *verdict,
                      fake_server *server, fm_error *error)
{
    start(server, steps, step_count);
    fm_client *client = open_client(server, 200, patience_ms, NULL);
    *verdict = (fm_verdict){0};
    int result = ingest(client, verdict, error);
    fm_client_close(client);
    finish(server);
    return result;
}
#define RUN(steps, patience_ms)                                                                                        \
    run_script(steps, (int)(sizeof(steps) / sizeof((steps)[0])), patience_ms, &verdict, &server, &error)

static void one_connection_serves_many_requests(void **unused)
{
    (void)unused;
    const script_step steps[] = {
        {ANSWER, 200, NULL, VERDICT(3, 0, 0)}, {ANSWER, 200, NULL, VERDICT(2, 1, 4)}, {ANSWER, 200, NULL, "{\"x\":1}"}};
    fake_server server;
    fm_verdict verdict = {0};
    fm_response response;
    start(&server, steps, 3);
    fm_client *client = open_client(&server, 1000, 0, NULL);
    assert_int_equal(ingest(client, &verdict, NULL), 0);
    assert_int_equal(ingest(client, &verdict, NULL), 0);
    assert_int_equal(fm_client_get(client, "/x", &response, NULL), 0);
    assert_true(fm_slice_equal(response.body, FM_SLICE("{\"x\":1}")));
    assert_true(strstr(server.last_request, "GET /x HTTP/1.1\r\nHost: 127.0.0.1:") == server.last_request);
    fm_client_close(client);
    finish(&server);
    assert_true(verdict.accepted == 5 && verdict.rejected == 1 && verdict.duplicate == 4 && verdict.resent == 0);
    assert_int_equal(server.connections, 1);
}

static void chunks_and_interim_answers_are_read(void **unused)
{
    (void)unused;
    const script_step steps[] = {{RAW, 0, NULL,
                                  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "8\r\n{\"accept\r\n6;x=y\r\ned\":7}\r\n0\r\n\r\n"}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    assert_int_equal(RUN(steps, 0), 0);
    assert_int_equal(verdict.accepted, 7);
}

static void a_kept_connection_that_was_closed_is_made_anew(void **unused)
{
    (void)unused;
    const script_step steps[] = {{ANSWER_AND_CLOSE, 200, NULL, VERDICT(1, 0, 0)},
                                 {ANSWER, 200, NULL, VERDICT(1, 0, 0)}};
    fake_server server;
    fm_verdict verdict = {0};
    start(&server, steps, 2);
    fm_client *client = open_client(&server, 1000, 0, NULL);
    assert_int_equal(ingest(client, &verdict, NULL), 0);
    usleep(20000);
    assert_int_equal(ingest(client, &verdict, NULL), 0); /* without any patience */
    fm_client_close(client);
    finish(&server);
    assert_int_equal(verdict.accepted, 2);
    assert_int_equal(server.connections, 2);
}

static void a_lost_answer_is_asked_for_again(void **unused)
{
    (void)unused;
    const script_step steps[] = {{.kind = HANG_UP}, {.kind = SILENCE}, {ANSWER, 200, NULL, VERDICT(0, 0, 1)}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    assert_int_equal(RUN(steps, 5000), 0);
    assert_true(verdict.duplicate == 1 && verdict.resent == 2);
    assert_int_equal(server.served, 3);
}

static void a_busy_server_is_waited_for_as_long_as_it_says(void **unused)
{
    (void)unused;
    const script_step steps[] = {{ANSWER, 429, "Retry-After: 1\r\n", "{\"title\":\"queue_full\"}"},
                                 {ANSWER, 503, NULL, "{}"},
                                 {ANSWER, 200, NULL, VERDICT(1, 0, 0)}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    int64_t begin_ns = fm_mono_ns(&fm_clock_system);
    assert_int_equal(RUN(steps, 5000), 0);
    assert_true(fm_mono_ns(&fm_clock_system) - begin_ns >= 1000 * FM_NS_PER_MS);
    assert_true(verdict.accepted == 1 && verdict.resent == 2);
}

static void a_full_disk_is_waited_for(void **unused)
{
    (void)unused;
    const script_step steps[] = {{ANSWER, 507, NULL, "{\"title\":\"journal_full\"}"},
                                 {ANSWER, 200, NULL, VERDICT(1, 0, 0)}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    assert_int_equal(RUN(steps, 5000), 0);
    assert_int_equal(verdict.accepted, 1);
}

static void a_refusal_that_patience_does_not_help_is_told(void **unused)
{
    (void)unused;
    const script_step steps[] = {
        {ANSWER, 413, NULL, "{\"title\":\"too large\",\"detail\":\"the body is larger than net.body_bytes_max\"}"}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    assert_int_equal(RUN(steps, 60000), FM_EINVAL);
    assert_non_null(strstr(error.message, "413, the body is larger than net.body_bytes_max"));
}

static void patience_ends(void **unused)
{
    (void)unused;
    const script_step steps[] = {{ANSWER, 503, "Retry-After: 30\r\n", "{}"}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    assert_int_equal(RUN(steps, 500), FM_ENETWORK);
    assert_int_equal(server.served, 1);
}

static void what_is_not_http_is_a_failure_and_not_a_hang(void **unused)
{
    (void)unused;
    static const char *const answers[] = {
        "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "HTTP/1.1 200"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const script_step steps[] = {{.kind = RAW, .body = answers[i]}};
        fake_server server;
        fm_verdict verdict;
        fm_error error;
        assert_int_equal(RUN(steps, 0), FM_ENETWORK);
    }
}

static void a_server_that_is_not_there_is_named(void **unused)
{
    (void)unused;
    fm_client *client = NULL;
    fm_verdict verdict = {0};
    fm_error error = {0};
    fm_client_config config = {.url = "http://127.0.0.1:1", .timeout_ms = 500};
    assert_int_equal(fm_client_open(&config, &client, NULL), 0);
    assert_int_equal(ingest(client, &verdict, &error), FM_ENETWORK);
    assert_non_null(strstr(error.message, "could not connect to 127.0.0.1:1"));
    fm_client_close(client);
}

static void a_stop_ends_all_waiting(void **unused)
{
    (void)unused;
    const script_step steps[] = {{ANSWER, 429, "Retry-After: 30\r\n", "{}"}};
    static volatile sig_atomic_t stop = 1;
    fake_server server;
    fm_verdict verdict = {0};
    fm_error error = {0};
    start(&server, steps, 1);
    fm_client *client = open_client(&server, 1000, 60000, &stop);
    assert_int_equal(ingest(client, &verdict, &error), FM_ESHUTDOWN);
    fm_client_close(client);
    finish(&server);
}

static void the_first_refused_record_is_told(void **unused)
{
    (void)unused;
    const script_step steps[] = {
        {ANSWER, 200, NULL,
         "{\"accepted\":1,\"rejected\":1,\"duplicate\":0,\"errors\":[{\"index\":4,\"code\":\"price_negative\","
         "\"message\":\"no\"}]}"}};
    fake_server server;
    fm_verdict verdict;
    fm_error error;
    assert_int_equal(RUN(steps, 0), 0);
    assert_string_equal(verdict.first, "record 4: price_negative: no");
}

static void addresses_are_checked(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",          "127.0.0.1:8080", "https://127.0.0.1", "http://",     "http://:80",
        "http://a:", "http://a:x",     "http://a/v1",       "http://[::1", "http://a:123456789"};
    static const char *const good[] = {"http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080/",
                                       "http://[::1]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fm_client *client = NULL;
        fm_client_config config = {.url = bad[i]};
        fm_error error = {0};
        assert_int_equal(fm_client_open(&config, &client, &error), FM_EINVAL);
        assert_non_null(strstr(error.message, "could not read the address"));
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        fm_client *client = NULL;
        fm_client_config config = {.url = good[i]};
        assert_int_equal(fm_client_open(&config, &client, NULL), 0);
        fm_client_close(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(chunks_and_interim_answers_are_read),
        cmocka_unit_test(a_kept_connection_that_was_closed_is_made_anew),
        cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(a_busy_server_is_waited_for_as_long_as_it_says),
        cmocka_unit_test(a_full_disk_is_waited_for),
        cmocka_unit_test(a_refusal_that_patience_does_not_help_is_told),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(what_is_not_http_is_a_failure_and_not_a_hang),
        cmocka_unit_test(a_server_that_is_not_there_is_named),
        cmocka_unit_test(a_stop_ends_all_waiting),
        cmocka_unit_test(the_first_refused_record_is_told),
        cmocka_unit_test(addresses_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
