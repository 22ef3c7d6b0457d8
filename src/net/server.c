/* net/server.c - making, checking and ending the server; the threads' body is loop.c. */
#include "net/server.h"

#include "base/log.h"
#include "net/answer.h"
#include "net/guard.h"
#include "net/listen.h"
#include "net/route.h"
#include "net/server_internal.h"
#include "net/strict_chunks.h"
#include "net/strict_front.h"

#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SELF_CHECK_ROUNDS 200

/* h2o takes the buffer of each body anew and gives it back. By glibc's presets pages go back to the kernel each time,
 * and come again zeroed: 70 ns a tick at 500 ticks a request (docs/decisions/0005-h2o.md). Kept at most: 64 MiB an
 * arena. */
static void keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
}

static void configure(fm_server *server)
{
    h2o_globalconf_t *global = &server->global;

    h2o_config_init(global);
    global->server_name = h2o_iovec_init(H2O_STRLIT("fmads"));
    global->max_request_entity_size = server->config.body_bytes_max;
    global->http1.upgrade_to_http2 = 0;
    global->http1.req_timeout =
        3600 * 1000; /* h2o's timers follow the wall clock; ours (connection.c) do not, and are shorter */
    h2o_hostconf_t *host = h2o_config_register_host(global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = fm_route_request;
    fm_answer_filter(host);
    fm_strict_front_limit(server->config.header_bytes_max);
}

/* Two forged requests through pairs of sockets: only a strict front in its place refuses both. */
static const char *const forged[] = {
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n",
};

static int check_refused(fm_loop *loop, const char *request, fm_error *error)
{
    char answer[512] = "";
    ssize_t size = -1;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return fm_fail_errno(error, FM_EIO, "could not make a pair of sockets to check the strict front");
    h2o_socket_t *sock = h2o_evloop_socket_create(loop->ctx.loop, pair[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    h2o_accept(&loop->accept, sock);
    if (write(pair[1], request, strlen(request)) == (ssize_t)strlen(request))
        for (int i = 0; i < SELF_CHECK_ROUNDS && size <= 0; i++) {
            h2o_evloop_run(loop->ctx.loop, 5);
            size = read(pair[1], answer, sizeof(answer) - 1);
        }
    close(pair[1]);
    for (int i = 0; i < 4; i++)
        h2o_evloop_run(loop->ctx.loop, 0);
    if (fm_strict_front_calls() == 0 || size < 12 || memcmp(answer, "HTTP/1.1 400", 12) != 0)
        return fm_fail(error, FM_internal, "the strict front is not in place: a forged request was not refused");
    return 0;
}

/* Naming both definitions also links them: nothing else in the program calls them. */
static int self_check(fm_server *server, fm_error *error)
{
    if (dlsym(RTLD_DEFAULT, "phr_parse_request") != (void *)phr_parse_request ||
        dlsym(RTLD_DEFAULT, "phr_decode_chunked") != (void *)phr_decode_chunked)
        return fm_fail(error, FM_internal, "the strict front is not in place: the program does not export its parsers");
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
        FM_TRY(check_refused(&server->loop[0], forged[i], error));
    return 0;
}

/* Texts outlive the caller's. */
static int copy_config(fm_server *server, const fm_server_config *config, fm_error *error)
{
    server->config = *config;
    server->config.listen = strdup(config->listen);
    server->config.version = strdup(config->version != NULL ? config->version : "");
    if (server->config.listen == NULL || server->config.version == NULL)
        return fm_fail(error, FM_ENOMEM, "could not copy the settings of the server");
    return 0;
}

static int make_loops(fm_server *server, fm_error *error)
{
    uint32_t count = fm_engine_shard_count(server->config.engine);

    server->loop = calloc(count, sizeof(fm_loop));
    if (server->loop == NULL)
        return fm_fail(error, FM_ENOMEM, "could not make the loops of %u threads", count);
    for (; server->loop_count < count; server->loop_count++) {
        FM_TRY(fm_loop_init(&server->loop[server->loop_count], server, server->loop_count, error));
        FM_TRY(
            fm_listen_bind(server->config.listen, &server->port, &server->loop[server->loop_count].listen_fd, error));
    }
    return 0;
}

int fm_server_create(const fm_server_config *config, fm_server **out, fm_error *error)
{
    fm_server *server = calloc(1, sizeof(*server));
    int result;

    if (server == NULL)
        return fm_fail(error, FM_ENOMEM, "could not make the server");
    signal(SIGPIPE, SIG_IGN);
    keep_freed_memory();
    if ((result = copy_config(server, config, error)) < 0)
        goto failed;
    configure(server);
    if ((result = make_loops(server, error)) < 0 || (result = self_check(server, error)) < 0)
        goto failed;
    if ((result = fm_clerk_start(server, &server->clerk)) < 0 ||
        (result = fm_stream_start(server, &server->stream)) < 0) {
        fm_fail(error, result, "could not start the server's threads: %s", fm_error_text(result));
        goto failed;
    }
    *out = server;
    return 0;

failed:
    fm_server_destroy(server);
    return result;
}

uint16_t fm_server_port(const fm_server *server)
{
    return server->port;
}

void fm_server_run_shard(fm_server *server, uint32_t shard)
{
    fm_loop_run(&server->loop[shard]);
}

void fm_server_stop(fm_server *server)
{
    atomic_store_explicit(&server->stopping, true, memory_order_release);
    for (uint32_t i = 0; i < server->loop_count; i++)
        fm_loop_wake(&server->loop[i]);
}

void fm_server_destroy(fm_server *server)
{
    if (server == NULL)
        return;
    fm_clerk_stop(server->clerk);
    fm_stream_stop(server->stream);
    fm_stream_fini(server->stream);
    for (uint32_t i = 0; server->loop != NULL && i < fm_engine_shard_count(server->config.engine); i++)
        fm_loop_fini(&server->loop[i]);
    if (server->global.hosts != NULL)
        h2o_config_dispose(&server->global);
    free(server->loop);
    free((char *)server->config.listen);
    free((char *)server->config.version);
    free(server);
}
