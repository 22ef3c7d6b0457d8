/* tests/unit/alert/sink_redis_test.c - alerts in a real Redis: each once, whatever happens to Redis. */
#include "unit/alert/redis_setting.h"

#include <fcntl.h>

/* ---- what consumers see ---- */

static void every_alert_is_once_in_the_stream_and_once_on_its_channel(void **unused)
{
    (void)unused;
    skip_without_redis();
    enum { COUNT = 1000 };
    static const char *const severities[] = {"info", "warning", "error", "critical"};
    setting self = begin("no", NULL);
    redisContext *listener = subscribe(&self, "fmads:alerts:*");
    emit_range(&self, 1, COUNT);
    redisReply *stream;
    wait_until(published(self) == COUNT);
    assert_stream_is(&self.server, 7, 1, COUNT);
    stream = redis_stream(&self.server);
    for (uint64_t i = 0; i < COUNT; i++) {
        const redisReply *entry = stream->element[i];
        char expected[64], channel[64];
        snprintf(expected, sizeof expected, "1700000000000-%" PRIu64, i + 1);
        snprintf(channel, sizeof channel, "fmads:alerts:%s:SYM7", severities[(i + 1) % 4]);
        assert_string_equal(entry->element[0]->str, expected);
        assert_string_equal(stream_field(entry, "v"), "1");
        assert_string_equal(stream_field(entry, "type"), "alert.opened");
        assert_string_equal(stream_field(entry, "ct"), "application/json");
        const char *body = stream_field(entry, "body");
        assert_ptr_equal(strstr(body, "{\"schema\":\"fmads.alert/1\",\"id\":\""), body);
        assert_non_null(strstr(body, ",\"data\":{\"schema\""));
        redisReply *message = next_message(listener);
        assert_string_equal(message->element[2]->str, channel);
        assert_string_equal(message->element[3]->str, body);
        freeReplyObject(message);
    }
    freeReplyObject(stream);
    redisFree(listener);
    assert_int_equal(counter(&self, FM_METRIC_REDIS_REFUSED), 0);
    wait_until(counter(&self, FM_METRIC_REDIS_BACKLOG) == 0);
    end(&self);
}

static void the_heartbeat_comes_while_nothing_happens(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    redisContext *listener = subscribe(&self, "fmads:heartbeat");
    for (int i = 0; i < 3; i++) {
        redisReply *message = next_message(listener);
        assert_ptr_equal(strstr(message->element[3]->str, "{\"time\":"), message->element[3]->str);
        freeReplyObject(message);
    }
    redisFree(listener);
    end(&self);
}

static void put_latest(fm_sink_redis *sink, const char *symbol, const char *price)
{
    fm_redis_latest latest = {.symbol = fm_slice_of(symbol), .count = 2};
    latest.field[0] = FM_SLICE("price");
    latest.text[0] = fm_slice_of(price);
    latest.field[1] = FM_SLICE("size");
    latest.text[1] = FM_SLICE("100");
    fm_sink_redis_latest(sink, &latest);
}

static void put_many(fm_sink_redis *sink, int symbols, int count)
{
    for (int i = 0; i < count; i++) {
        char symbol[16], price[16];
        snprintf(symbol, sizeof symbol, "S%d", i % symbols);
        snprintf(price, sizeof price, "%d", i);
        put_latest(sink, symbol, price);
    }
}

static bool latest_is(setting *self, const char *symbol, const char *price)
{
    redisContext *client = redis_open(&self->server);
    assert_non_null(client);
    redisReply *reply = redisCommand(client, "HGET {fmads}:latest:%s price", symbol);
    bool same = reply != NULL && reply->type == REDIS_REPLY_STRING && strcmp(reply->str, price) == 0;
    freeReplyObject(reply);
    redisFree(client);
    return same;
}

static void the_newest_value_of_each_symbol_arrives_and_the_rest_is_counted(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    put_latest(self.sink, "EURUSD", "1.38510");
    put_latest(self.sink, "EURUSD", "1.38512");
    put_latest(self.sink, "BAC", "13.85");
    wait_until(latest_is(&self, "EURUSD", "1.38512") && latest_is(&self, "BAC", "13.85"));

    redis_server_signal(&self.server, SIGSTOP); /* values pile up: of each symbol the newest stays */
    int64_t before = now_ns();
    put_many(self.sink, 60, 1200);
    assert_true(now_ns() - before < 20 * FM_NS_PER_S); /* that many waits for Redis would take minutes */
    redis_server_signal(&self.server, SIGCONT);
    wait_until(latest_is(&self, "S0", "1140") && latest_is(&self, "S59", "1199"));
    assert_int_equal(counter(&self, FM_METRIC_REDIS_LATEST_DROPPED), 0);

    redis_server_signal(
        &self.server,
        SIGSTOP); /* more symbols than there is room for, in the map that is filled and the one that is sent */
    put_many(self.sink, 400, 400);
    redis_server_signal(&self.server, SIGCONT);
    wait_until(counter(&self, FM_METRIC_REDIS_LATEST_DROPPED) >= 200);
    end(&self);
}

/* ---- Redis comes and goes ---- */

static void redis_away_at_the_start_is_a_backlog(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = {
        .folder = folder_make_temporary(), .server = redis_server_start("no", NULL), .incarnation_ms = 1700000000000};
    redis_server_signal(&self.server, SIGKILL);
    open_both(&self);
    emit_range(&self, 1, 300);
    wait_until(fm_router_taken(self.router, 0) == 300);
    wait_until(counter(&self, FM_METRIC_REDIS_BACKLOG) == 300);
    assert_false(fm_sink_redis_connected(self.sink));
    redis_server_run(&self.server);
    wait_until(published(self) == 300);
    assert_true(fm_sink_redis_connected(self.sink));
    assert_stream_is(&self.server, 7, 1, 300);
    end(&self);
}

/* Killed five times while alerts flow. With its append-only file Redis comes back with what it has answered for. */
static void a_killed_redis_with_its_file_has_each_alert_once(void **unused)
{
    (void)unused;
    skip_without_redis();
    enum { ROUNDS = 5, EACH = 2000 };
    setting self = begin("yes", NULL);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        emit_range(&self, 1 + round * EACH, EACH);
        pause_ms((int)round * 7);
        redis_server_signal(&self.server, SIGKILL);
        redis_server_run(&self.server);
    }
    wait_until(counter(&self, FM_METRIC_REDIS_BACKLOG) == 0 &&
               redis_integer(&self.server, "XLEN {fmads}:alerts", NULL) == ROUNDS * EACH);
    assert_stream_is(&self.server, 7, 1, ROUNDS * EACH);
    assert_int_equal(counter(&self, FM_METRIC_REDIS_REFUSED), 0);
    assert_true(counter(&self, FM_METRIC_REDIS_RECONNECTS) > 0);
    end(&self);
}

static void a_redis_that_comes_back_empty_gets_what_follows(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    emit_range(&self, 1, 500);
    wait_until(published(self) == 500);
    redis_server_signal(&self.server, SIGKILL);
    redis_server_run(&self.server);
    emit_range(&self, 501, 500);
    wait_until(published(self) == 1000);
    assert_stream_is(&self.server, 7, 501, 500);
    end(&self);
}

static void a_redis_that_hangs_never_holds_up_a_shard(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    emit_range(&self, 1, 10);
    wait_until(published(self) == 10);
    redis_server_signal(&self.server, SIGSTOP);
    int64_t before = now_ns();
    emit_range(&self, 11, 5000);
    int64_t emitted_ns = now_ns() - before;
    wait_until(fm_router_taken(self.router, 0) == 5010);
    assert_true(emitted_ns < 20 * FM_NS_PER_S);      /* that many waits for Redis would take minutes */
    wait_until(!fm_sink_redis_connected(self.sink)); /* the command's time limit */
    redis_server_signal(&self.server, SIGCONT);
    wait_until(redis_integer(&self.server, "XLEN {fmads}:alerts", NULL) == 5010);
    wait_until(counter(&self, FM_METRIC_REDIS_BACKLOG) == 0);
    assert_stream_is(&self.server, 7, 1,
                     5010); /* what had been sent when it hung was executed later, and then again asked for */
    assert_int_equal(counter(&self, FM_METRIC_REDIS_REFUSED), 0);
    end(&self);
}

static void a_pause_of_clients_only_delays(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    redis_do(&self.server, "CLIENT PAUSE 1500 WRITE");
    emit_range(&self, 1, 2000);
    wait_until(fm_router_taken(self.router, 0) == 2000);
    wait_until(redis_integer(&self.server, "XLEN {fmads}:alerts", NULL) == 2000 &&
               counter(&self, FM_METRIC_REDIS_BACKLOG) == 0);
    assert_stream_is(&self.server, 7, 1, 2000);
    end(&self);
}

static void a_full_or_wrong_redis_is_tried_until_it_takes_them_in_order(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    redis_do(&self.server, "CONFIG SET maxmemory 1");
    emit_range(&self, 1, 200);
    wait_until(fm_router_taken(self.router, 0) == 200);
    wait_until(!fm_sink_redis_connected(self.sink));
    assert_int_equal(redis_integer(&self.server, "XLEN {fmads}:alerts", NULL), 0);
    redis_do(&self.server, "CONFIG SET maxmemory 0");
    wait_until(published(self) == 200);

    redis_do(&self.server, "RENAME {fmads}:alerts aside");
    redis_do(&self.server, "SET {fmads}:alerts text");
    emit_range(&self, 201, 200);
    wait_until(!fm_sink_redis_connected(self.sink));
    redis_do(&self.server, "RENAME aside {fmads}:alerts");
    wait_until(published(self) == 400);
    redis_do(&self.server, "SCRIPT FLUSH");
    emit_range(&self, 401, 200);
    wait_until(published(self) == 600);
    assert_stream_is(&self.server, 7, 1, 600);
    end(&self);
}

static void a_password_is_used_and_never_told(void **unused)
{
    (void)unused;
    skip_without_redis();
    char *log_path = folder_make_temporary();
    char file[256];
    snprintf(file, sizeof file, "%s/log", log_path);
    fflush(stderr);
    int kept = dup(STDERR_FILENO), captured = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && captured >= 0);
    dup2(captured, STDERR_FILENO);
    fm_log_set_level(FM_LOG_DEBUG);

    setting self = begin("no", "s3cret-word");
    emit_range(&self, 1, 10);
    wait_until(published(self) == 10);
    close_both(&self);
    snprintf(self.server.url, sizeof self.server.url, "redis://:wr0ng-word@127.0.0.1:%d", self.server.port);
    open_both(&self);
    emit_range(&self, 11, 10);
    wait_until(fm_router_taken(self.router, 0) == 10);
    wait_until(lseek(captured, 0, SEEK_END) > 0);
    pause_ms(50);
    assert_false(fm_sink_redis_connected(self.sink));
    end(&self);

    fm_log_set_level(FM_LOG_ERROR);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    static char text[65536];
    ssize_t size = pread(captured, text, sizeof text - 1, 0);
    assert_true(size > 0);
    close(captured);
    assert_non_null(strstr(text, "log in to Redis"));
    assert_null(strstr(text, "s3cret-word"));
    assert_null(strstr(text, "wr0ng-word"));
    folder_remove(log_path);
}

static void a_url_that_cannot_work_is_refused_at_the_start(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_open(&config);
    fm_sink_redis_config sink = {.redis = {.url = "rediss://localhost"},
                                 .clock = fm_clock_system,
                                 .directory = folder,
                                 .layer = &fm_file_system};
    fm_sink_redis *out = NULL;
    fm_log_set_level(FM_LOG_ERROR + 1);
    assert_int_equal(fm_sink_redis_start(router, &sink, &out), FM_EINVAL);
    fm_log_set_level(FM_LOG_ERROR);
    fm_router_close(router);
    folder_remove(folder);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alert_is_once_in_the_stream_and_once_on_its_channel),
        cmocka_unit_test(the_heartbeat_comes_while_nothing_happens),
        cmocka_unit_test(the_newest_value_of_each_symbol_arrives_and_the_rest_is_counted),
        cmocka_unit_test(redis_away_at_the_start_is_a_backlog),
        cmocka_unit_test(a_killed_redis_with_its_file_has_each_alert_once),
        cmocka_unit_test(a_redis_that_comes_back_empty_gets_what_follows),
        cmocka_unit_test(a_redis_that_hangs_never_holds_up_a_shard),
        cmocka_unit_test(a_pause_of_clients_only_delays),
        cmocka_unit_test(a_full_or_wrong_redis_is_tried_until_it_takes_them_in_order),
        cmocka_unit_test(a_password_is_used_and_never_told),
        cmocka_unit_test(a_url_that_cannot_work_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
