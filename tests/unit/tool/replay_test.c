/* `fmads replay` against a small server that decodes what it is sent, remembers (src, n), and can lose answers. */
#include "tool/tool.h"

#include "assert_near.h"
#include "base/error.h"
#include "base/hash.h"
#include "ingest/decode.h"
#include "tool/peek.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define BODY_MAX  (4 << 20)
#define ROWS_MAX  100000
#define FILE_ROWS 2500

typedef struct fake_server {
    int socket, port;
    int lose_every; /* answers: the records are taken, the connection is closed; 0 = none */
    int answers;
    uint64_t seen[ROWS_MAX]; /* hashes of (domain, src, n) */
    uint32_t seen_count;
    uint64_t accepted, duplicate;
    int64_t newest_ns;
    bool in_order;
    char path[256], symbol[65], source[65];
    pthread_t thread;
} fake_server;

static fake_server server;
static char folder[] = "/tmp/fmads-replay-XXXXXX";

/* ---- the server ---- */

static bool remember(uint64_t key)
{
    for (uint32_t i = 0; i < server.seen_count; i++)
        if (server.seen[i] == key)
            return false;
    assert_true(server.seen_count < ROWS_MAX);
    server.seen[server.seen_count++] = key;
    return true;
}

static void take_body(fm_format format, const char *body, size_t size, int counts[2])
{
    fm_decoder decoder;
    fm_record record;
    fm_decoder_init(&decoder, format, body, size, &fm_decode_limits_preset);
    for (int result; (result = fm_decoder_next(&decoder, &record)) != 0;) {
        assert_int_equal(result, 1);
        uint64_t key = fm_hash64(server.path, strlen(server.path), record.row);
        key = fm_hash64(record.source.data, record.source.size, key);
        server.in_order &= record.ts_ns >= server.newest_ns;
        server.newest_ns = record.ts_ns > server.newest_ns ? record.ts_ns : server.newest_ns;
        fm_slice_copy(record.symbol, server.symbol, sizeof(server.symbol));
        fm_slice_copy(record.source, server.source, sizeof(server.source));
        counts[remember(key) ? 0 : 1]++;
    }
}

/* One request; false when the connection is to be closed. */
static bool serve_one(int connection, char *buffer)
{
    size_t size = 0, length = 0;
    char *end = NULL;
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
    sscanf(buffer, "POST %255s", server.path);
    fm_format format = strstr(buffer, "msgpack") ? FM_FORMAT_MSGPACK : FM_FORMAT_NDJSON;
    int counts[2] = {0, 0};
    take_body(format, end + 4, length, counts);
    server.accepted += (uint64_t)counts[0];
    server.duplicate += (uint64_t)counts[1];
    if (server.lose_every && ++server.answers % server.lose_every == 0)
        return false;
    char answer[256], body[128];
    int body_size = snprintf(body, sizeof(body), "{\"accepted\":%d,\"rejected\":0,\"duplicate\":%d,\"errors\":[]}",
                             counts[0], counts[1]);
    int answer_size =
        snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", body_size, body);
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
    server.in_order = true;
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

/* ---- files and runs ---- */

/* EURUSD ticks, a tenth of a second apart, the first `from_ms` after midnight. */
static const char *write_ticks(const char *name, int rows, int from_ms)
{
    static char path[2][128];
    static int turn;
    char *out = path[turn++ % 2];
    snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
    gzFile file = gzopen(out, "wb");
    gzprintf(file, "time_ms,bid,ask\n");
    for (int i = 0; i < rows; i++)
        gzprintf(file, "%d,1.3%04d,1.3%04d\n", from_ms + 100 * i, 8000 + i % 100, 8010 + i % 100);
    gzclose(file);
    return out;
}

typedef struct outcome {
    int exit_code;
    int64_t read, accepted, rejected, duplicate;
    char last[256]; /* line of standard output */
} outcome;

static outcome replay(const char *const *extra, int count)
{
    char url[64];
    const char *argv[24] = {"replay", "--to", url, "--quiet", "--json"};
    int argc = 5;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
    for (int i = 0; i < count; i++)
        argv[argc++] = extra[i];
    FILE *capture = tmpfile();
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    dup2(fileno(capture), STDOUT_FILENO);
    outcome out = {.exit_code = fm_tool_replay(argc, (char **)argv)};
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(capture);
    while (fgets(out.last, sizeof(out.last), capture))
        ;
    fclose(capture);
    fm_slice line = fm_slice_of(out.last);
    out.read = fm_peek_member_int(line, "read", -1);
    out.accepted = fm_peek_member_int(line, "accepted", -1);
    out.rejected = fm_peek_member_int(line, "rejected", -1);
    out.duplicate = fm_peek_member_int(line, "duplicate", -1);
    return out;
}
#define REPLAY(...)                                                                                                    \
    replay((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void assert_counts(const outcome *out, int64_t read, int64_t accepted, int64_t rejected, int64_t duplicate)
{
    if (out->read != read || out->accepted != accepted || out->rejected != rejected || out->duplicate != duplicate)
        fail_msg("accounting is %s, exit code %d", out->last, out->exit_code);
}

/* ---- claims ---- */

static void the_second_run_is_all_duplicates(void **unused)
{
    (void)unused;
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", FILE_ROWS, 0);
    outcome first = REPLAY(file), second = REPLAY(file);
    assert_counts(&first, FILE_ROWS, FILE_ROWS, 0, 0);
    assert_string_equal(first.last, "{\"read\":2500,\"accepted\":2500,\"rejected\":0,\"duplicate\":0}\n");
    assert_int_equal(first.exit_code, 0);
    assert_counts(&second, FILE_ROWS, 0, 0, FILE_ROWS);
    assert_int_equal(second.exit_code, 0);
    assert_string_equal(server.symbol, "EURUSD");
    assert_int_equal(strlen(server.source), 32);
    assert_int_equal(strncmp(server.path, "/v1/ingest?domain=replay-", 25), 0);
    assert_int_equal(strlen(server.path), 25 + 12);
}

static void the_source_is_the_hash_of_the_files_bytes(void **unused)
{
    (void)unused;
    char path[128];
    snprintf(path, sizeof(path), "%s/known_x_EURUSD_20140502.csv", folder);
    FILE *file = fopen(path, "w");
    fputs("time_ms,bid,ask\n277,1.38694,1.38705\n", file);
    fclose(file);
    outcome out = REPLAY(path);
    assert_counts(&out, 1, 1, 0, 0);
    assert_string_equal(server.source, "f7cb0edcd17bdef9eea6e03dbdda855b");
}

static void lost_answers_lose_and_double_nothing(void **unused)
{
    (void)unused;
    server.lose_every = 3;
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", FILE_ROWS, 0);
    outcome out = REPLAY("--batch", "100", file);
    assert_int_equal(server.accepted, FILE_ROWS);
    assert_int_equal(out.exit_code, 0);
    assert_int_equal(out.accepted + out.duplicate, FILE_ROWS);
    assert_true(out.duplicate > 0);
}

static void msgpack_carries_the_same_records(void **unused)
{
    (void)unused;
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", FILE_ROWS, 0);
    outcome first = REPLAY("--wire", "msgpack", file), second = REPLAY(file);
    assert_counts(&first, FILE_ROWS, FILE_ROWS, 0, 0);
    assert_counts(&second, FILE_ROWS, 0, 0, FILE_ROWS);
}

static void merged_files_come_in_order_of_time(void **unused)
{
    (void)unused;
    const char *a = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", 300, 0),
               *b = write_ticks("fx_ticks_GBPUSD_oanda_20140502.csv.gz", 300, 50);
    outcome merged = REPLAY("--merge", a, b);
    assert_counts(&merged, 600, 600, 0, 0);
    assert_true(server.in_order);
    server.newest_ns = 0;
    outcome in_turn = REPLAY("--domain", "other", a, b);
    assert_counts(&in_turn, 600, 600, 0, 0);
    assert_false(server.in_order);
    assert_string_equal(server.path, "/v1/ingest?domain=other");
}

static void another_symbol_is_another_source(void **unused)
{
    (void)unused;
    char source[65];
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", 10, 0);
    outcome out = REPLAY(file);
    assert_counts(&out, 10, 10, 0, 0);
    snprintf(source, sizeof(source), "%s", server.source);
    out = REPLAY("--symbol", "X&Y", file);
    assert_counts(&out, 10, 10, 0, 0);
    assert_string_equal(server.symbol, "X&Y");
    assert_string_not_equal(server.source, source);
}

static void refused_rows_are_counted_and_end_with_1(void **unused)
{
    (void)unused;
    char path[128];
    snprintf(path, sizeof(path), "%s/bad_x_EURUSD_20140502.csv", folder);
    FILE *file = fopen(path, "w");
    fputs("time_ms,bid,ask\n277,1.38694,1.38705\nnonsense,1,2\n400,-5,1.4\n500,1.38694,1.38705\n", file);
    fclose(file);
    outcome out = REPLAY(path);
    assert_counts(&out, 4, 2, 2, 0);
    assert_int_equal(out.exit_code, FM_EXIT_FOUND);
}

static void a_cut_file_is_sent_as_far_as_it_goes_and_ends_with_3(void **unused)
{
    (void)unused;
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", 20000, 0);
    FILE *whole = fopen(file, "r+b");
    fseek(whole, 0, SEEK_END);
    assert_int_equal(ftruncate(fileno(whole), ftell(whole) / 2), 0);
    fclose(whole);
    outcome out = REPLAY(file);
    assert_int_equal(out.exit_code, FM_EXIT_FAILED);
    assert_true(out.read > 1000 && out.read < 20000);
    assert_int_equal(out.accepted + out.rejected, out.read); /* the row that the cut went through may be refused */
    assert_true(out.rejected <= 1);
}

static void ten_times_speed_takes_a_tenth_of_the_time(void **unused)
{
    (void)unused;
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", 41, 0); /* four seconds */
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    outcome out = REPLAY("--speed", "10x", file);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    assert_counts(&out, 41, 41, 0, 0);
    assert_true(seconds > 0.37 && seconds < 3);
}

static void wrong_use_ends_with_2_and_what_is_missing_with_3(void **unused)
{
    (void)unused;
    const char *file = write_ticks("fx_ticks_EURUSD_oanda_20140502.csv.gz", 10, 0);
    assert_int_equal(replay(NULL, 0).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--speed", "fast", file).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--speed", "-1x", file).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--batch", "0", file).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--format", "pdf", file).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--domain", "a b", file).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--frobnicate", file).exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("--batch").exit_code, FM_EXIT_USAGE);
    assert_int_equal(REPLAY("/nowhere/at_all_X_20140502.csv").exit_code, FM_EXIT_FAILED);
    assert_int_equal(REPLAY("--to", "http://127.0.0.1:1", "--wait", "0", file).exit_code, FM_EXIT_FAILED);
    assert_int_equal(server.accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_run_is_all_duplicates, setup, teardown),
        cmocka_unit_test_setup_teardown(the_source_is_the_hash_of_the_files_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_answers_lose_and_double_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(msgpack_carries_the_same_records, setup, teardown),
        cmocka_unit_test_setup_teardown(merged_files_come_in_order_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(another_symbol_is_another_source, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_rows_are_counted_and_end_with_1, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_file_is_sent_as_far_as_it_goes_and_ends_with_3, setup, teardown),
        cmocka_unit_test_setup_teardown(ten_times_speed_takes_a_tenth_of_the_time, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_use_ends_with_2_and_what_is_missing_with_3, setup, teardown),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return failed + (system(command) != 0);
}
