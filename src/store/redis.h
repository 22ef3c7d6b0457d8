/* store/redis.h - what FM-ADS does with Redis: alerts to a stream and a channel in one step, latest values, a
 * heartbeat.
 *
 * One connection used by one thread, blocking with time limits (hiredis 0.14.1, RESP2). Keys share one hash tag:
 *
 *   {fmads}:alerts                      stream, MAXLEN ~ N, entry id <incarnation ms>-<router sequence>
 *   fmads:alerts:<severity>:<symbol>    channel
 *   {fmads}:latest:<SYMBOL>             hash
 *   fmads:heartbeat                     channel
 *
 * The EVAL publishes only what it added; an id that Redis refuses is success only if the entry there is the same alert.
 * A stream entry has the fields v, id, seq, type, ct, body; body and the channel's message are
 * the same JSON.
 *
 * Whatever fails, close the connection and open another one: an answer may still be under way on the old
 * one. */
#ifndef FM_STORE_REDIS_H
#define FM_STORE_REDIS_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

typedef struct fm_redis fm_redis;

typedef struct fm_redis_config {
    const char *url;         /* redis://[[user]:password@]host[:port][/db]; never logged. rediss:// (TLS) is refused */
    int32_t connect_ms;      /* preset 1000 */
    int32_t command_ms;      /* preset 2000 */
    uint64_t stream_max;     /* MAXLEN ~; preset 100000 */
    uint64_t incarnation_ms; /* of the data directory: when it was made, ms since 1970 */
} fm_redis_config;

typedef struct fm_redis_alert {
    uint64_t router_sequence;
    fm_slice id, severity, symbol, type;
    int64_t event_ns;
    fm_slice json; /* the envelope {schema, id, type, seq, time, stream_id, data} */
} fm_redis_alert;

typedef struct fm_redis_latest {
    fm_slice symbol;
    fm_slice field[16], text[16];
    uint32_t count;
} fm_redis_latest;

/* FM_ENETWORK; FM_EINVAL: the url. */
int fm_redis_connect(const fm_redis_config *config, fm_redis **out, fm_error *error) FM_CHECKED;
int fm_redis_url_check(const char *url, fm_error *error) FM_CHECKED; /* FM_EINVAL; connects to nothing */
void fm_redis_close(fm_redis *redis);

/* In order, 64 in one script call; stops at the first failure. *taken = how many, from the first, Redis has for certain
 * (added now, or there before as the same alert). *refused counts those whose id is refused without the same alert
 * being there: they are taken too, the caller counts and logs them. */
int fm_redis_publish(fm_redis *redis, const fm_redis_alert *alerts, uint32_t count, uint32_t *taken, uint32_t *refused,
                     fm_error *error) FM_CHECKED;
int fm_redis_put_latest(fm_redis *redis, const fm_redis_latest *latest, uint32_t count, fm_error *error) FM_CHECKED;
int fm_redis_heartbeat(fm_redis *redis, fm_slice json, fm_error *error) FM_CHECKED;

#endif
