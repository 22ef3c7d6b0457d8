/* alert/router.h - from the engine to everyone who listens: one thread with its own log.
 *
 * Shards hand their alerts to the router through a ring each (fm_alert_output of engine/alert.h has the same functions;
 * main.c joins them). The router appends each new alert to its log and gives it the next router sequence; an alert
 * whose (partition, sequence, ordinal) or whose id the log has already is counted and dropped: recovery and a second
 * replay emit again, nobody is told twice. The log is the outbox of every sink: each sink follows it at its own pace
 * behind its own cursor, so an outage is a backlog on disk.
 *
 * Log files: <data>/router/<first sequence>.log, frames {length, crc32c, router sequence, alert}; torn tail cut as in
 * the journal. Router sequences only grow and none is given twice, but they may jump (docs/decisions/0007). */
#ifndef FM_ALERT_ROUTER_H
#define FM_ALERT_ROUTER_H

#include "base/clock.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/text.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* An alert on its way out: the canonical body and the envelope. Same fields as engine/alert.h's fm_alert, plus the
 * router's: its sequence, from 1, and publish_ns, when the router logged it. */
typedef struct fm_routed_alert {
    uint64_t router_sequence;
    fm_hash128 id;
    uint32_t partition, ordinal;
    uint64_t sequence;
    int64_t event_ns, receive_ns, detect_ns, publish_ns;
    uint32_t severity;
    fm_slice symbol, rule, domain, body;
} fm_routed_alert;

/* The JSON that clients see: the body's fields plus domain, seq, detect_time, receive_time, publish_time. */
void fm_routed_alert_json(const fm_routed_alert *alert, fm_text *out);

typedef struct fm_router fm_router;

/* 0 in a number gives its preset. */
typedef struct fm_router_config {
    const char *directory; /* <data>/router */
    const fm_file_layer *layer;
    fm_clock clock;
    uint32_t shard_count; /* 1 .. 64 */
    uint64_t ring_bytes;  /* per shard; preset 8 MiB */
    uint64_t ids_max;     /* ids remembered for duplicates; preset 1,000,000; the oldest leave */
    bool sync_always;     /* journal.sync = "always": `taken` counts what is synced; else what is written */
    bool read_only;       /* nothing is cut, made or removed, also beside a running server; start is refused */

    /* Of the data directory: when its journal was begun. Another one than the log's: the cursors are forgotten, because
     * sequences start anew (ids are still known). 0 = not looked at. */
    uint64_t incarnation_ms;

    /* Of the log; preset 1 GiB. What is beyond goes, oldest file first; if a sink still needed it, that is a counted,
     * logged hole. One file has at most file_bytes; preset 64 MiB, which is the most, or a quarter of retain_bytes. */
    uint64_t retain_bytes, file_bytes;
} fm_router_config;

/* Reads the log and repairs its tail. FM_ECORRUPT with file and offset: damage that is not a torn tail. FM_EVERSION. */
int fm_router_open(const fm_router_config *config, fm_router **out, fm_error *error) FM_CHECKED;
int fm_router_start(fm_router *router) FM_CHECKED; /* starts the thread */
void fm_router_stop(fm_router *router);            /* drains the rings, syncs, joins; shards emit no more */
void fm_router_close(fm_router *router);           /* no reader, sink or archive may be left */

/* ---- the engine's side: any shard, its own thread ----
 * The ring full: kept in a spill list of that shard, and `behind` answers 1. The body is a JSON object of at most 1
 * MiB. Copied; router_sequence and publish_ns are the router's to fill. */
void fm_router_emit(fm_router *router, uint32_t shard, const fm_routed_alert *alert);
/* Alerts of this shard that are logged (or were known), since the start. */
uint64_t fm_router_taken(fm_router *router, uint32_t shard);
int fm_router_behind(fm_router *router);

/* ---- readers of the log: sinks, WebSocket resume; any thread ----
 * `read` goes to the files, not to the router's memory, and finds its place by reading a few frames. It visits alerts
 * with sequence > after, at most `limit`, and returns the number visited; slices are valid during the visit.
 * FM_ENOTFOUND: `after` lies before what is kept (a hole): go on after fm_router_oldest. FM_ECORRUPT: damage. */
typedef int (*fm_routed_visit)(void *context, const fm_routed_alert *alert); /* 0: on; 1: stop; < 0: stop, return it */
int fm_router_read(fm_router *router, uint64_t after, uint32_t limit, fm_routed_visit visit, void *context) FM_CHECKED;
uint64_t fm_router_last(const fm_router *router); /* newest that may leave: written, or synced with sync_always */
uint64_t fm_router_oldest(fm_router *router);     /* reading after this sequence finds no hole */
uint64_t fm_router_count(fm_router *router, uint64_t after); /* alerts kept in (after, last] */

/* Called on the router's thread when `fm_router_last` has moved. Up to 16 listeners (FM_ELIMIT); must not block. After
 * `unlisten` has returned the call is not running and will not run. */
int fm_router_listen(fm_router *router, void (*call)(void *context, uint64_t last), void *context) FM_CHECKED;
void fm_router_unlisten(fm_router *router, void *context);

/* A sink says what it has taken (and will not ask for again), so that retention knows. `sink` 0..7, chosen by main.c.
 * One that has taken more than the log has (the log was lost, the sink's memory was not) makes the router number its
 * next alert behind that. Any thread. */
void fm_router_sink_cursor(fm_router *router, uint32_t sink, uint64_t router_sequence);

fm_counters *fm_router_counters(fm_router *router);

#endif
