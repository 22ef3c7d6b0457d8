/* The demo against a small server that takes every record and has a fixed list of alerts: what is fed, what is shown,
 * how it ends. */
#include "tool/demo.h"

#include "assert_near.h"
#include "base/clock.h"
#include "base/event.h"
#include "tool/tool.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX (4 << 20)
#define ALERTS   7
#define PAGE     3 /* the server gives fewer at once than it is asked for */

static struct {
    int socket, port;
    _Atomic int records, ahead, polls;
    _Atomic bool sick; /* answers 500 */
    pthread_t thread;
} server;

/* ---- the server ---- */

/* A page, newest first, of the alerts with a seq below `before` (0 = all). */
static int put_page(char *out, size_t size, int before)
{
    int used = snprintf(out, size, "{\"items\":["), seq = before > 0 ? before - 1 : ALERTS, end = seq - PAGE;
    for (bool first = true; seq > 0 && seq > end; seq--, first = false)
        used += snprintf(
            out + used, size - (size_t)used,
            "%s{\"rule\":{\"id\":\"test/rule\"},\"symbol\":\"S%d\",\"severity\":\"warning\",\"event_time\":%lld,"
            "\"message\":\"number %d \\u001b[31m\",\"seq\":%d}",
            first ? "" : ",", seq, (long long)fm_wall_ns(&fm_clock_system), seq, seq);
    if (seq > 0)
        used += snprintf(out + used, size - (size_t)used, "],\"next\":%d}", seq + 1);
    else
        used += snprintf(out + used, size - (size_t)used, "],\"next\":null}");
    return used;
}

static int take_records(const char *body, const char *end)
{
    int count = 0;
    for (const char *at = body; (at = memmem(at, (size_t)(end - at), "\"ts\":", 5)); at += 5, count++)
        if (strtoll(at + 5, NULL, 10) > fm_wall_ns(&fm_clock_system) + 100 * FM_NS_PER_MS)
            atomic_fetch_add(&server.ahead, 1);
    atomic_fetch_add(&server.records, count);
    return count;
}

static bool serve_one(int connection, char *buffer)
{
    size_t size = 0, length = 0;
    char *end = NULL, body[8192], answer[8400];
    while (!end || size < (size_t)(end + 4 - buffer) + length) {
        ssize_t got = recv(connection, buffer + size, BODY_MAX - 1 - size, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
        buffer[size] = '\0';
        end = strstr(buffer, "\r\n\r\n");
        char *field = strstr(buffer, "Content-Length: ");
        length = field ? strtoul(field + 16, NULL, 10) : 0;
    }
    const char *cursor = strstr(buffer, "cursor=");
    int body_size;
    if (strncmp(buffer, "POST /v1/ingest ", 16) == 0) {
        int count = take_records(end + 4, buffer + size);
        body_size =
            snprintf(body, sizeof(body), "{\"accepted\":%d,\"rejected\":0,\"duplicate\":0,\"errors\":[]}", count);
    } else {
        atomic_fetch_add(&server.polls, 1);
        body_size = put_page(body, sizeof(body), cursor && cursor < end ? atoi(cursor + 7) : 0);
    }
    int answer_size = snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s",
                               atomic_load(&server.sick) ? 400 : 200, body_size, atomic_load(&server.sick) ? "" : body);
    if (atomic_load(&server.sick))
        answer_size = snprintf(answer, sizeof(answer), "HTTP/1.1 400 X\r\nContent-Length: 2\r\n\r\n{}");
    return send(connection, answer, (size_t)answer_size, MSG_NOSIGNAL) == answer_size;
}

static void *serve(void *unused)
{
    (void)unused;
    char *buffer = malloc(BODY_MAX);
    for (int connection; (connection = accept(server.socket, NULL, NULL)) >= 0; close(connection))
        while (serve_one(connection, buffer))
            ;
    free(buffer);
    return NULL;
}

static int setup(void **unused)
{
    (void)unused;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    memset(&server, 0, sizeof(server));
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.socket, (struct sockaddr *)&address, size) != 0 || listen(server.socket, 4) != 0 ||
        getsockname(server.socket, (struct sockaddr *)&address, &size) != 0)
        return -1;
    server.port = ntohs(address.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int teardown(void **unused)
{
    (void)unused;
    shutdown(server.socket, SHUT_RDWR);
    close(server.socket);
    return pthread_join(server.thread, NULL);
}

/* ---- runs ---- */

static fm_demo_config short_demo(void)
{
    static char url[64];
    fm_demo_config config = fm_demo_config_preset;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
    config.url = url;
    config.rate = 400;
    config.warm_up_s = 20;
    config.first_s = 0;
    config.every_s = 1;
    config.seconds = 2.5;
    return config;
}

/* Runs it and gives what it printed, malloc'd. */
static int run(const fm_demo_config *config, char **printed)
{
    FILE *capture = tmpfile();
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    dup2(fileno(capture), STDOUT_FILENO);
    int result = fm_demo_run(config);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    fseek(capture, 0, SEEK_END);
    long size = ftell(capture);
    rewind(capture);
    *printed = calloc(1, (size_t)size + 1);
    assert_int_equal(fread(*printed, 1, (size_t)size, capture), size);
    fclose(capture);
    return result;
}

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

static void it_feeds_history_then_the_present_and_shows_each_alert_once(void **unused)
{
    (void)unused;
    fm_demo_config config = short_demo();
    char *printed, line[64];
    assert_int_equal(run(&config, &printed), FM_EXIT_OK);
    assert_true(atomic_load(&server.records) > 2000);
    assert_int_equal(atomic_load(&server.ahead), 0); /* live records are never from the future */
    assert_true(atomic_load(&server.polls) > 4);
    const char *last = printed;
    for (int seq = 1; seq <= ALERTS; seq++) { /* over several pages, oldest first, none twice */
        snprintf(line, sizeof(line), "number %d ", seq);
        assert_int_equal(count_of(printed, line), 1);
        assert_true(strstr(printed, line) > last);
        last = strstr(printed, line);
    }
    assert_null(strchr(printed, '\033')); /* neither colours nor what a message smuggles in */
    assert_true(count_of(printed, "injected ") >= 2);
    assert_non_null(strstr(printed, "flash_crash"));
    assert_non_null(strstr(printed, "7 alerts, 0 of them belong to an anomaly"));
    free(printed);
}

static void a_stop_ends_it_at_once_and_with_0(void **unused)
{
    (void)unused;
    static volatile sig_atomic_t stop = 1;
    fm_demo_config config = short_demo();
    char *printed;
    config.stop = &stop;
    config.seconds = 0;
    int64_t begin_ns = fm_mono_ns(&fm_clock_system);
    assert_int_equal(run(&config, &printed), FM_EXIT_OK);
    assert_true(fm_mono_ns(&fm_clock_system) - begin_ns < FM_NS_PER_S);
    assert_non_null(strstr(printed, "0 records sent"));
    free(printed);
}

static void a_server_that_refuses_ends_it_with_3(void **unused)
{
    (void)unused;
    fm_demo_config config = short_demo();
    char *printed;
    atomic_store(&server.sick, true);
    assert_int_equal(run(&config, &printed), FM_EXIT_FAILED);
    free(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_feeds_history_then_the_present_and_shows_each_alert_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_ends_it_at_once_and_with_0, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_that_refuses_ends_it_with_3, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
