/* tests/unit/alert/redis_setting.h - a router and its Redis thread on a redis-server of the test's own. */
#ifndef FM_TESTS_ALERT_REDIS_SETTING_H
#define FM_TESTS_ALERT_REDIS_SETTING_H

#include "unit/alert/redis_server.h"

#include "alert/sink_redis.h"

typedef struct setting {
    char *folder;
    redis_server server;
    fm_router *router;
    fm_sink_redis *sink;
    uint64_t incarnation_ms, stream_max;
} setting;

static inline fm_sink_redis *start_sink(const setting *self)
{
    fm_sink_redis_config config = {
        .redis = {.url = self->server.url,
                  .connect_ms = 500,
                  .command_ms = 500,
                  .stream_max = self->stream_max,
                  .incarnation_ms = self->incarnation_ms},
        .clock = fm_clock_system,
        .directory = self->folder,
        .layer = &fm_file_system,
        .heartbeat_ns = 200 * FM_NS_PER_MS,
        .latest_max = 100,
    };
    fm_sink_redis *sink = NULL;
    assert_int_equal(fm_sink_redis_start(self->router, &config, &sink), 0);
    return sink;
}

static inline void open_both(setting *self)
{
    fm_router_config config = router_config(self->folder);
    config.incarnation_ms = self->incarnation_ms;
    self->router = router_open(&config);
    self->sink = start_sink(self);
    assert_int_equal(fm_router_start(self->router), 0);
}

static inline void close_both(setting *self)
{
    fm_router_stop(self->router);
    fm_sink_redis_stop(self->sink);
    fm_router_close(self->router);
}

static inline setting begin(const char *appendonly, const char *password)
{
    setting self = {.folder = folder_make_temporary(),
                    .server = redis_server_start(appendonly, password),
                    .incarnation_ms = 1700000000000};
    open_both(&self);
    return self;
}

static inline void end(setting *self)
{
    close_both(self);
    redis_server_end(&self->server);
    folder_remove(self->folder);
}

static inline uint64_t counter(const setting *self, fm_metric metric)
{
    return fm_counter(fm_sink_redis_counters(self->sink), metric);
}

static inline void emit_range(const setting *self, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        emit(self->router, 0, 7, i, 0);
}

#define published(self) (counter(&(self), FM_METRIC_REDIS_PUBLISHED))

static inline redisContext *subscribe(setting *self, const char *pattern)
{
    redisContext *client = redis_open(&self->server);
    assert_non_null(client);
    redisReply *reply = redisCommand(client, "PSUBSCRIBE %s", pattern);
    assert_non_null(reply);
    freeReplyObject(reply);
    return client;
}

static inline redisReply *next_message(redisContext *client)
{
    void *reply = NULL;
    assert_int_equal(redisGetReply(client, &reply), REDIS_OK);
    redisReply *message = reply;
    assert_int_equal(message->elements, 4);
    assert_string_equal(message->element[0]->str, "pmessage");
    return message;
}

#endif
