/* tests/unit/alert/sink_redis_ids_test.c - cursor and stream ids: restarts, strangers in the stream, another Redis
 * behind the name. */
#include "unit/alert/redis_setting.h"

static void a_restart_goes_on_at_the_cursor_and_a_lost_cursor_doubles_nothing(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    emit_range(&self, 1, 400);
    wait_until(published(self) == 400);
    close_both(&self);

    open_both(&self);
    emit_range(&self, 401, 100);
    wait_until(published(self) == 100);
    close_both(&self);

    char path[256];
    snprintf(path, sizeof path, "%s/redis.cursor", self.folder);
    for (int damage = 0; damage < 2; damage++) {
        if (damage == 0) {
            assert_int_equal(unlink(path), 0);
        } else {
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            fprintf(file, "fmads-redis-cursor 1 1700000000000 999999 deadbeef\n");
            fclose(file);
        }
        redisContext *listener = subscribe(&self, "fmads:alerts:*");
        open_both(&self);
        wait_until(published(self) == 500 + (uint64_t)damage); /* all of them are there */
        emit_range(&self, 501 + (uint64_t)damage, 1);
        wait_until(published(self) == 501 + (uint64_t)damage);
        redisReply *message = next_message(listener); /* the first that is heard is the new one */
        char hex[33];
        fm_hash128_hex(id_of(7, 501 + (uint64_t)damage, 0), hex);
        assert_non_null(strstr(message->element[3]->str, hex));
        freeReplyObject(message);
        redisFree(listener);
        assert_int_equal(counter(&self, FM_METRIC_REDIS_REFUSED), 0);
        close_both(&self);
    }
    assert_stream_is(&self.server, 7, 1, 502);
    open_both(&self);
    end(&self);
}

static void later_ids_from_elsewhere_are_counted_and_passed_by(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    emit_range(&self, 1, 50);
    wait_until(published(self) == 50);
    redis_do(&self.server, "XADD {fmads}:alerts 1900000000000-1 id stranger");
    emit_range(&self, 51, 300);
    wait_until(counter(&self, FM_METRIC_REDIS_REFUSED) == 300);
    wait_until(counter(&self, FM_METRIC_REDIS_BACKLOG) == 0);
    assert_int_equal(published(self), 50);
    assert_int_equal(redis_integer(&self.server, "XLEN {fmads}:alerts", NULL), 51);
    assert_true(fm_sink_redis_connected(self.sink));
    end(&self);
}

static void two_data_directories_on_one_redis_never_mix_up(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting older = begin("no", NULL);
    setting newer = {
        .folder = folder_make_temporary(), .server = older.server, .incarnation_ms = older.incarnation_ms + 1};
    open_both(&newer);
    for (uint64_t i = 1; i <= 200; i++) {
        emit(older.router, 0, 7, i, 0);
        emit(newer.router, 0, 8, i, 0);
    }
    wait_until(published(newer) == 200);
    wait_until(published(older) + counter(&older, FM_METRIC_REDIS_REFUSED) == 200);
    assert_int_equal(counter(&newer, FM_METRIC_REDIS_REFUSED), 0);
    redisReply *stream = redis_stream(&older.server);
    assert_int_equal(stream->elements, 200 + published(older));
    freeReplyObject(stream);
    close_both(&newer);
    folder_remove(newer.folder);
    end(&older);
}

/* A replica that lacked the newest entries became the server: what it lacks stays missing, what follows comes, nothing
 * stands twice. */
static void an_older_stream_gets_what_follows_the_cursor(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = begin("no", NULL);
    emit_range(&self, 1, 300);
    wait_until(published(self) == 300);
    redis_do(&self.server, "COPY {fmads}:alerts older");
    emit_range(&self, 301, 200);
    wait_until(published(self) == 500);
    redis_do(&self.server, "RENAME older {fmads}:alerts");
    redis_do(&self.server, "CLIENT KILL TYPE normal SKIPME yes");
    emit_range(&self, 501, 100);
    wait_until(published(self) == 600);
    redisReply *stream = redis_stream(&self.server);
    assert_int_equal(stream->elements, 400);
    for (size_t i = 0; i < 400; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "1700000000000-%zu", i < 300 ? i + 1 : i + 201);
        assert_string_equal(stream->element[i]->element[0]->str, expected);
    }
    freeReplyObject(stream);
    assert_int_equal(counter(&self, FM_METRIC_REDIS_REFUSED), 0);
    end(&self);
}

static void the_stream_is_trimmed_to_about_its_bound(void **unused)
{
    (void)unused;
    skip_without_redis();
    setting self = {.folder = folder_make_temporary(),
                    .server = redis_server_start("no", NULL),
                    .incarnation_ms = 1700000000000,
                    .stream_max = 200};
    open_both(&self);
    emit_range(&self, 1, 3000);
    wait_until(published(self) == 3000);
    long long kept = redis_integer(&self.server, "XLEN {fmads}:alerts", NULL);
    assert_true(kept >= 200 && kept < 400);
    end(&self);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_goes_on_at_the_cursor_and_a_lost_cursor_doubles_nothing),
        cmocka_unit_test(later_ids_from_elsewhere_are_counted_and_passed_by),
        cmocka_unit_test(two_data_directories_on_one_redis_never_mix_up),
        cmocka_unit_test(an_older_stream_gets_what_follows_the_cursor),
        cmocka_unit_test(the_stream_is_trimmed_to_about_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
