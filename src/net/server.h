/* net/server.h - HTTP and WebSocket: an h2o loop and an SO_REUSEPORT listener for each shard's thread.
 *
 * fm_server_run_shard() is that thread: it runs the h2o loop, then the shard's turn (engine/shard.h), until asked to
 * stop. The routes are rows of routes.def; each has a file route_<name>.c. */
#ifndef FM_NET_SERVER_H
#define FM_NET_SERVER_H

#include "alert/archive.h"
#include "alert/router.h"
#include "alert/sink_redis.h"
#include "base/counters.h"
#include "base/error.h"
#include "engine/shard.h"
#include "ingest/decode.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_server_config {
    const char *listen; /* net.listen: "127.0.0.1:8080", "[::1]:8080"; refused unless loopback; port 0 = any, told by
                           fm_server_port */
    uint32_t connections_max;   /* net.connections_max, in all; preset 1024 */
    uint64_t body_bytes_max;    /* net.body_bytes_max, also after inflating; preset 8 MiB */
    uint32_t header_bytes_max;  /* net.header_bytes_max; preset 16 KiB */
    int64_t idle_timeout_ns;    /* net.idle_timeout; preset 30 s */
    int64_t request_timeout_ns; /* net.request_timeout: header and body; preset 10 s */
    int64_t write_timeout_ns;   /* net.write_timeout: a client that does not read; preset 10 s */
    uint32_t requests_max; /* net.requests_max: ingest requests waiting for their verdict, per thread; preset 1024 */
    uint64_t ws_queue_bytes_max;   /* net.ws_queue_bytes_max: unsent bytes of a WebSocket subscriber; preset 4 MiB */
    uint32_t ws_message_bytes_max; /* net.ws_message_bytes_max; preset 1 MiB */
    uint32_t quarantine_max;       /* ingest.quarantine_max: refused records kept, per thread; preset 1000; 0 = none */
    fm_decode_limits limits;
    fm_clock clock;
    fm_engine *engine;
    fm_router *router;
    fm_archive *archive;
    fm_sink_redis *redis; /* NULL when redis.url is empty */
    fm_journal *journal;
    const char *version;
    /* The rules and their health as JSON for /v1/rules, and a reload; filled by main.c. Called on a thread of the
     * server's own, one at a time. */
    void (*rules_json)(void *context, fm_text *out);
    int (*rules_reload)(void *context, fm_error *error);
    void *rules_context;
    const fm_counters *rules_counters; /* of reading rules; NULL = none */
} fm_server_config;

typedef struct fm_server fm_server;

/* Binds, so that the port is known and an address in use is told; each thread listens when it runs, so nobody connects
 * before its shard has recovered. Proves that the strict front is in place, or fails. Before fm_router_start (it
 * listens to the router). Ignores SIGPIPE. */
int fm_server_create(const fm_server_config *config, fm_server **out, fm_error *error) FM_CHECKED;
uint16_t fm_server_port(const fm_server *server);
void fm_server_run_shard(fm_server *server,
                         uint32_t shard); /* the thread's body; returns after fm_server_stop has drained */
void fm_server_stop(fm_server *server);   /* any thread, signal-safe: graceful, at most 5 s */
/* After the threads have been joined; before fm_router_close. The archive may still run, or may have been stopped. */
void fm_server_destroy(fm_server *server);

/* The API without a server: for /openapi.json, docs/reference and tests. */
void fm_openapi_json(fm_text *out, const char *version);

#endif
