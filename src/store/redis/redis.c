/* store/redis/redis.c - the commands, over hiredis.
 *
 * Alerts go in chunks, one script call a chunk. Within a script everything happens at once and stops at the first
 * failure; were alerts single commands in a pipeline, one could fail (memory full for a moment) and a later one
 * succeed, and the stream, whose ids only grow, would refuse the first for ever. */
#include "store/redis.h"

#include "base/assert.h"
#include "store/redis/url.h"

#include <hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    CHUNK = 64, /* alerts a script call: it holds Redis up for well under a millisecond */
    ARGUMENTS_EACH = 6,
    COMMAND_MS = 2000,
    CONNECT_MS = 1000,
    LATEST_IN_FLIGHT = 64,
};
#define STREAM "{fmads}:alerts"

/* KEYS: the stream. ARGV: MAXLEN, then six an alert: entry id, alert id, seq, type, channel, body.
 * Answers {taken, refused, failure or ""}. A refused id is success if the entry there is the same alert: then it was
 * published when it was added. XADD's own refusal is told from other failures (memory, a wrong type) by its text, the
 * same since Redis 5. */
static const char SCRIPT[] =
    "local taken, refused = 0, 0\n"
    "for i = 2, #ARGV, 6 do\n"
    "  local entry = ARGV[i]\n"
    "  local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], entry, 'v', '1', 'id', ARGV[i+1], 'seq', "
    "ARGV[i+2],\n"
    "    'type', ARGV[i+3], 'ct', 'application/json', 'body', ARGV[i+5])\n"
    "  if type(added) == 'table' and added.err then\n"
    "    if not string.find(added.err, 'equal or smaller', 1, true) then return {taken, refused, added.err} end\n"
    "    local there, same = redis.call('XRANGE', KEYS[1], entry, entry), false\n"
    "    if there[1] then\n"
    "      local fields = there[1][2]\n"
    "      for f = 1, #fields, 2 do same = same or (fields[f] == 'id' and fields[f+1] == ARGV[i+1]) end\n"
    "    end\n"
    "    if not same then refused = refused + 1 end\n"
    "  else\n"
    "    redis.call('PUBLISH', ARGV[i+4], ARGV[i+5])\n"
    "  end\n"
    "  taken = taken + 1\n"
    "end\n"
    "return {taken, refused, ''}\n";

struct fm_redis {
    fm_redis_config config; /* without the url */
    redisContext *context;
    char sha[41]; /* of the script as the server knows it; empty = not loaded on this connection */
};

static struct timeval time_of(int32_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* The reason of a broken connection, or of an answer that is an error. An answer is the server's text: it never holds
 * our password. */
static int fail_with(const fm_redis *redis, const redisReply *reply, const char *what, fm_error *error)
{
    const char *why = reply != NULL && reply->type == REDIS_REPLY_ERROR ? reply->str
                      : reply != NULL                                   ? "an answer of another kind than expected"
                      : redis->context->err == REDIS_ERR_IO             ? "no answer in time, or the connection broke"
                                                                        : redis->context->errstr;
    return fm_fail(error, FM_ENETWORK, "could not %s: %s", what, why);
}

/* One command that must answer with a status (or, with `text`, a bulk text). */
static int expect(fm_redis *redis, int count, const char **arguments, const char *what, char *text, size_t text_size,
                  fm_error *error)
{
    redisReply *reply = redisCommandArgv(redis->context, count, arguments, NULL);
    int result = 0;
    if (reply == NULL || (reply->type != REDIS_REPLY_STATUS && reply->type != REDIS_REPLY_STRING))
        result = fail_with(redis, reply, what, error);
    else if (text != NULL && !fm_slice_copy((fm_slice){reply->str, reply->len}, text, text_size))
        result = fm_fail(error, FM_ENETWORK, "could not %s: an answer that is too long", what);
    freeReplyObject(reply);
    return result;
}

static int authenticate(fm_redis *redis, const fm_redis_url *url, fm_error *error)
{
    const char *both[] = {"AUTH", url->user, url->password}, *alone[] = {"AUTH", url->password};
    if (url->password[0] != '\0') {
        bool has_user = url->user[0] != '\0';
        FM_TRY(expect(redis, has_user ? 3 : 2, has_user ? both : alone, "log in to Redis", NULL, 0, error));
    }
    if (url->db != 0) {
        char db[12];
        snprintf(db, sizeof db, "%" PRIu32, url->db);
        FM_TRY(expect(redis, 2, (const char *[]){"SELECT", db}, "select the Redis database", NULL, 0, error));
    }
    return expect(redis, 1, (const char *[]){"PING"}, "use Redis", NULL, 0, error);
}

static int open_connection(fm_redis *redis, const fm_redis_url *url, fm_error *error)
{
    redis->context = redisConnectWithTimeout(url->host, url->port, time_of(redis->config.connect_ms));
    if (redis->context == NULL)
        return fm_fail(error, FM_ENOMEM, "could not connect to Redis: out of memory");
    if (redis->context->err != 0)
        return fm_fail(error, FM_ENETWORK, "could not connect to Redis at %s port %u: %s", url->host, url->port,
                       redis->context->errstr);
    if (redisSetTimeout(redis->context, time_of(redis->config.command_ms)) != REDIS_OK)
        return fm_fail(error, FM_ENETWORK, "could not set a time limit for Redis");
    return authenticate(redis, url, error);
}

int fm_redis_connect(const fm_redis_config *config, fm_redis **out, fm_error *error)
{
    fm_redis_url url;
    FM_TRY(fm_redis_url_parse(config->url, &url, error));
    fm_redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL)
        return fm_fail(error, FM_ENOMEM, "could not connect to Redis: out of memory");
    redis->config = *config;
    redis->config.url = NULL;
    redis->config.connect_ms = config->connect_ms > 0 ? config->connect_ms : CONNECT_MS;
    redis->config.command_ms = config->command_ms > 0 ? config->command_ms : COMMAND_MS;
    redis->config.stream_max = config->stream_max > 0 ? config->stream_max : 100000;
    int result = open_connection(redis, &url, error);
    explicit_bzero(&url, sizeof url);
    if (result < 0) {
        fm_redis_close(redis);
        return result;
    }
    *out = redis;
    return 0;
}

int fm_redis_url_check(const char *url, fm_error *error)
{
    fm_redis_url parsed;
    int result = fm_redis_url_parse(url, &parsed, error);
    explicit_bzero(&parsed, sizeof parsed);
    return result;
}

void fm_redis_close(fm_redis *redis)
{
    if (redis == NULL)
        return;
    if (redis->context != NULL)
        redisFree(redis->context);
    free(redis);
}

/* ---- alerts ---- */

typedef struct chunk_text { /* what an alert's arguments need beyond its slices */
    char entry[48], seq[24], channel[192];
} chunk_text;

static void add_argument(const char **data, size_t *size, int *count, const char *text, size_t text_size)
{
    data[*count] = text;
    size[(*count)++] = text_size;
}

static void add_alert(const fm_redis *redis, const fm_redis_alert *alert, chunk_text *text, const char **data,
                      size_t *size, int *count)
{
    int entry = snprintf(text->entry, sizeof text->entry, "%" PRIu64 "-%" PRIu64, redis->config.incarnation_ms,
                         alert->router_sequence);
    int seq = snprintf(text->seq, sizeof text->seq, "%" PRIu64, alert->router_sequence);
    int channel = snprintf(text->channel, sizeof text->channel, "fmads:alerts:%.*s:%.*s", (int)alert->severity.size,
                           alert->severity.data, (int)alert->symbol.size, alert->symbol.data);
    FM_ASSERT(channel > 0 && (size_t)channel < sizeof text->channel);
    add_argument(data, size, count, text->entry, (size_t)entry);
    add_argument(data, size, count, alert->id.data, alert->id.size);
    add_argument(data, size, count, text->seq, (size_t)seq);
    add_argument(data, size, count, alert->type.data, alert->type.size);
    add_argument(data, size, count, text->channel, (size_t)channel);
    add_argument(data, size, count, alert->json.data, alert->json.size);
}

static bool is_no_script(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

static int load_script(fm_redis *redis, fm_error *error)
{
    const char *command[] = {"SCRIPT", "LOAD", SCRIPT};
    redis->sha[0] = '\0';
    return expect(redis, 3, command, "load the publishing script into Redis", redis->sha, sizeof redis->sha, error);
}

static int read_verdict(const fm_redis *redis, const redisReply *reply, uint32_t count, uint32_t *taken,
                        uint32_t *refused, fm_error *error)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
        reply->element[0]->type != REDIS_REPLY_INTEGER || reply->element[1]->type != REDIS_REPLY_INTEGER ||
        reply->element[2]->type != REDIS_REPLY_STRING)
        return fail_with(redis, reply, "publish alerts to Redis", error);
    long long done = reply->element[0]->integer, not_ours = reply->element[1]->integer;
    if (done < 0 || done > count || not_ours < 0 || not_ours > done)
        return fail_with(redis, reply, "publish alerts to Redis", error);
    *taken += (uint32_t)done;
    *refused += (uint32_t)not_ours;
    if (reply->element[2]->len > 0)
        return fm_fail(error, FM_ENETWORK, "could not publish alerts to Redis: %s", reply->element[2]->str);
    return 0;
}

static int publish_chunk(fm_redis *redis, const fm_redis_alert *alerts, uint32_t count, uint32_t *taken,
                         uint32_t *refused, fm_error *error)
{
    chunk_text text[CHUNK];
    const char *data[5 + CHUNK * ARGUMENTS_EACH];
    size_t size[5 + CHUNK * ARGUMENTS_EACH];
    char stream_max[24];
    int arguments = 0, max_size = snprintf(stream_max, sizeof stream_max, "%" PRIu64, redis->config.stream_max);
    if (redis->sha[0] == '\0')
        FM_TRY(load_script(redis, error));
    add_argument(data, size, &arguments, "EVALSHA", 7);
    add_argument(data, size, &arguments, redis->sha, strlen(redis->sha));
    add_argument(data, size, &arguments, "1", 1);
    add_argument(data, size, &arguments, STREAM, sizeof STREAM - 1);
    add_argument(data, size, &arguments, stream_max, (size_t)max_size);
    for (uint32_t i = 0; i < count; i++)
        add_alert(redis, &alerts[i], &text[i], data, size, &arguments);

    redisReply *reply = redisCommandArgv(redis->context, arguments, data, size);
    if (is_no_script(reply)) { /* flushed, or another server behind the same name */
        freeReplyObject(reply);
        FM_TRY(load_script(redis, error));
        size[1] = strlen(redis->sha);
        reply = redisCommandArgv(redis->context, arguments, data, size);
    }
    int result = read_verdict(redis, reply, count, taken, refused, error);
    freeReplyObject(reply);
    return result;
}

int fm_redis_publish(fm_redis *redis, const fm_redis_alert *alerts, uint32_t count, uint32_t *taken, uint32_t *refused,
                     fm_error *error)
{
    *taken = *refused = 0;
    for (uint32_t at = 0; at < count; at += CHUNK) {
        uint32_t some = count - at < CHUNK ? count - at : CHUNK;
        FM_TRY(publish_chunk(redis, alerts + at, some, taken, refused, error));
    }
    return 0;
}

/* ---- latest values, heartbeat ---- */

static int append_latest(fm_redis *redis, const fm_redis_latest *latest)
{
    const char *data[2 + 2 * 16];
    size_t size[2 + 2 * 16];
    char key[128];
    int count = 0,
        key_size = snprintf(key, sizeof key, "{fmads}:latest:%.*s", (int)latest->symbol.size, latest->symbol.data);
    FM_ASSERT(key_size > 0 && (size_t)key_size < sizeof key && latest->count <= 16);
    add_argument(data, size, &count, "HSET", 4);
    add_argument(data, size, &count, key, (size_t)key_size);
    for (uint32_t i = 0; i < latest->count; i++) {
        add_argument(data, size, &count, latest->field[i].data, latest->field[i].size);
        add_argument(data, size, &count, latest->text[i].data, latest->text[i].size);
    }
    return redisAppendCommandArgv(redis->context, count, data, size) == REDIS_OK ? 0 : FM_ENOMEM;
}

static int read_latest(fm_redis *redis, uint32_t count, fm_error *error)
{
    int result = 0;
    for (uint32_t i = 0; i < count; i++) {
        void *reply = NULL;
        if (redisGetReply(redis->context, &reply) != REDIS_OK)
            return fail_with(redis, NULL, "write latest values to Redis", error);
        if (result == 0 && ((redisReply *)reply)->type != REDIS_REPLY_INTEGER)
            result = fail_with(redis, reply, "write latest values to Redis",
                               error); /* the other answers must be read all the same */
        freeReplyObject(reply);
    }
    return result;
}

int fm_redis_put_latest(fm_redis *redis, const fm_redis_latest *latest, uint32_t count, fm_error *error)
{
    for (uint32_t at = 0; at < count;) {
        uint32_t sent = 0;
        for (; at < count && sent < LATEST_IN_FLIGHT; at++) {
            if (latest[at].count == 0)
                continue;
            if (append_latest(redis, &latest[at]) < 0)
                return fm_fail(error, FM_ENOMEM, "could not write latest values to Redis: out of memory");
            sent++;
        }
        FM_TRY(read_latest(redis, sent, error));
    }
    return 0;
}

int fm_redis_heartbeat(fm_redis *redis, fm_slice json, fm_error *error)
{
    const char *data[] = {"PUBLISH", "fmads:heartbeat", json.data};
    const size_t size[] = {7, 15, json.size};
    redisReply *reply = redisCommandArgv(redis->context, 3, data, size);
    int result = reply != NULL && reply->type == REDIS_REPLY_INTEGER
                     ? 0
                     : fail_with(redis, reply, "publish the heartbeat to Redis", error);
    freeReplyObject(reply);
    return result;
}
