/* tests/unit/alert/redis_server.h - a real redis-server of this test's own: a free port, a folder that goes away,
 * stopped by its pid.
 *
 * Without a redis-server on the machine a test skips by name; with CI=true it fails. */
#ifndef FM_TESTS_ALERT_REDIS_SERVER_H
#define FM_TESTS_ALERT_REDIS_SERVER_H

#include "unit/alert/fixture.h"

#include <arpa/inet.h>
#include <hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

typedef struct redis_server {
    pid_t pid; /* 0 = not running */
    int port;
    char *folder;
    char url[128];
    const char *appendonly, *password;
} redis_server;

static inline bool redis_server_is_installed(void)
{
    if (access("/usr/bin/redis-server", X_OK) == 0)
        return true;
    const char *ci = getenv("CI");
    if (ci != NULL && strcmp(ci, "true") == 0)
        fail_msg("redis-server is not installed");
    print_message("no /usr/bin/redis-server: skipped\n");
    return false;
}

#define skip_without_redis()                                                                                           \
    do {                                                                                                               \
        if (!redis_server_is_installed())                                                                              \
            skip();                                                                                                    \
    } while (0)

static inline int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline redisContext *redis_open(const redis_server *server)
{
    redisContext *client = redisConnectWithTimeout("127.0.0.1", server->port, (struct timeval){.tv_sec = 1});
    if (client == NULL || client->err != 0) {
        redisFree(client);
        return NULL;
    }
    redisSetTimeout(client, (struct timeval){.tv_sec = 100});
    if (server->password != NULL)
        freeReplyObject(redisCommand(client, "AUTH %s", server->password));
    return client;
}

static inline bool redis_server_answers(const redis_server *server)
{
    redisContext *client = redis_open(server);
    if (client == NULL)
        return false;
    redisReply *reply = redisCommand(client, "PING");
    bool good =
        reply != NULL && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0; /* not while it loads */
    freeReplyObject(reply);
    redisFree(client);
    return good;
}

/* Starts it, or starts it again on the same port and folder. */
static inline void redis_server_run(redis_server *server)
{
    char port[16];
    snprintf(port, sizeof port, "%d", server->port);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves no server behind */
        execl("/usr/bin/redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", server->folder,
              "--save", "", "--appendonly", server->appendonly, "--appendfsync", "no", "--logfile", "redis.log",
              "--requirepass", server->password != NULL ? server->password : "", (char *)NULL);
        _exit(127);
    }
    wait_until(redis_server_answers(server));
}

static inline redis_server redis_server_start(const char *appendonly, const char *password)
{
    redis_server server = {
        .port = free_port(), .folder = folder_make_temporary(), .appendonly = appendonly, .password = password};
    snprintf(server.url, sizeof server.url, "redis://%s%s%s127.0.0.1:%d", password != NULL ? ":" : "",
             password != NULL ? password : "", password != NULL ? "@" : "", server.port);
    redis_server_run(&server);
    return server;
}

static inline void redis_server_signal(redis_server *server, int signal)
{
    assert_int_equal(kill(server->pid, signal), 0);
    if (signal != SIGKILL && signal != SIGTERM)
        return;
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
}

static inline void redis_server_end(redis_server *server)
{
    if (server->pid != 0)
        redis_server_signal(server, SIGKILL);
    folder_remove(server->folder);
    server->folder = NULL;
}

/* The integer that a command answers. */
static inline long long redis_integer(redis_server *server, const char *format, const char *argument)
{
    redisContext *client = redis_open(server);
    assert_non_null(client);
    redisReply *reply = argument != NULL ? redisCommand(client, format, argument) : redisCommand(client, format);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    long long value = reply->integer;
    freeReplyObject(reply);
    redisFree(client);
    return value;
}

/* A command whose answer does not matter, as long as it is not an error. */
static inline void redis_do(redis_server *server, const char *command)
{
    redisContext *client = redis_open(server);
    assert_non_null(client);
    redisReply *reply = redisCommand(client, command);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", command, reply->str);
    freeReplyObject(reply);
    redisFree(client);
}

/* Every entry of the stream, oldest first; the caller frees. */
static inline redisReply *redis_stream(redis_server *server)
{
    redisContext *client = redis_open(server);
    assert_non_null(client);
    redisReply *reply = redisCommand(client, "XRANGE {fmads}:alerts - +");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    redisFree(client);
    return reply;
}

static inline const char *stream_field(const redisReply *entry, const char *name)
{
    const redisReply *fields = entry->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        if (strcmp(fields->element[i]->str, name) == 0)
            return fields->element[i + 1]->str;
    }
    fail_msg("a stream entry has no field %s", name);
    return NULL;
}

/* True when the stream holds exactly the alerts (partition, 1..count, 0), each once, in order. */
static inline void assert_stream_is(redis_server *server, uint32_t partition, uint64_t first, uint64_t count)
{
    redisReply *stream = redis_stream(server);
    assert_int_equal(stream->elements, count);
    for (uint64_t i = 0; i < count; i++) {
        char hex[33];
        fm_hash128_hex(id_of(partition, first + i, 0), hex);
        assert_string_equal(stream_field(stream->element[i], "id"), hex);
    }
    freeReplyObject(stream);
}

#endif
