/* alert/sink_redis.h - the Redis thread: follows the router's log, keeps latest values and the heartbeat fresh.
 *
 * Redis away: the backlog is the router's log on disk; the thread tries again with growing pauses (100 ms to 5 s, with
 * jitter) and then goes on from its cursor, which it keeps in <data>/router/redis.cursor. Ids make a repeat harmless.
 */
#ifndef FM_ALERT_SINK_REDIS_H
#define FM_ALERT_SINK_REDIS_H

#include "alert/router.h"
#include "store/redis.h"

typedef struct fm_sink_redis fm_sink_redis;

typedef struct fm_sink_redis_config {
    fm_redis_config redis;
    fm_clock clock;
    const char *directory; /* for the cursor */
    const fm_file_layer *layer;
    uint32_t sink;        /* cursor number in the router */
    int64_t heartbeat_ns; /* preset (0) 5 s */
    uint32_t latest_max; /* symbols whose latest values may wait; preset (0) 16384; further ones are counted, dropped */
} fm_sink_redis_config;

/* Never waits for Redis. FM_EINVAL: the url (said in the log; fm_redis_url_check gives the reason). Start it before the
 * router: a cursor ahead of a lost log then makes the router number behind it. */
int fm_sink_redis_start(fm_router *router, const fm_sink_redis_config *config, fm_sink_redis **out) FM_CHECKED;
/* Tries to drain for at most 2 s, plus one command's time limit. Before fm_router_close. */
void fm_sink_redis_stop(fm_sink_redis *sink);
bool fm_sink_redis_connected(const fm_sink_redis *sink);

/* Latest values of a symbol, from a shard's thread: a bounded queue that keeps the newest value for each symbol. Never
 * blocks for long (a short lock off the tick path: shards call it at most every 100 ms for each changed symbol). */
void fm_sink_redis_latest(fm_sink_redis *sink, const fm_redis_latest *latest);

fm_counters *fm_sink_redis_counters(fm_sink_redis *sink);

#endif
