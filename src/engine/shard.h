/* engine/shard.h - one shard: a thread that owns some partitions, and the way records get to it.
 *
 * A receiving thread (which is itself a shard's thread) opens an intake for each request, puts every decoded record into it, and then
 * publishes all of them at once or takes all back. Records for the own partitions and for other shards travel the same way, through
 * a ring for each pair of threads. The owner judges (symbol, scale, duplicate, clock), journals, applies, and answers with a verdict
 * per shard; when all shards have answered, `on_reply` is called on the receiving thread. */
#ifndef FM_ENGINE_SHARD_H
#define FM_ENGINE_SHARD_H

#include "base/clock.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/record.h"
#include "base/slice.h"
#include "engine/alert.h"
#include "engine/book.h"
#include "engine/reference.h"
#include "engine/rules.h"
#include "journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

#define FM_SHARDS_MAX       64
#define FM_REPLY_ERRORS_MAX 100 /* refused records listed in one answer; the rest are counted */

typedef struct fm_engine fm_engine;
typedef struct fm_shard fm_shard;
struct fm_latest; /* engine/query.h */

typedef struct fm_engine_config {
    uint32_t        shard_count;
    fm_journal     *journal;
    const char     *snapshot_directory; /* NULL = no snapshots */
    const fm_file_layer *layer;
    fm_clock        clock;
    uint64_t        ring_bytes;          /* engine.ring_bytes: each pair of threads; preset 16 MiB */
    uint32_t        instruments_max;     /* engine.instruments_max: series in all; preset 65536 */
    uint32_t        domains_max;         /* engine.domains_max: preset 256 per partition */
    uint32_t        sources_max;         /* ingest.sources_max: per partition; preset 64 */
    uint32_t        source_window;       /* ingest.source_window: rows remembered of a source; preset 1048576 */
    uint32_t        sequence_window;     /* ingest.sequence_window: venue sequences remembered per partition; preset 32768 */
    bool            register_unknown;    /* engine.unknown_symbols */
    int64_t         future_max_ns;       /* ingest.future_max, live domain; preset 5 s */
    int64_t         lag_allowed_ns;      /* engine.lag_allowed: clock records say wall time minus this; preset 500 ms */
    int64_t         stale_venue_ns;      /* a venue's quote leaves the consolidated best after this; preset 1 s */
    fm_book_limits  book;                /* engine.book_levels_max, engine.book_orders_max: presets 16384, 262144 */
    uint32_t        books_max;           /* engine.books_max: order books of a partition; preset 1024 */
    uint32_t        batch_max;           /* records applied in one go; preset 1024; any value gives the same results */
    const char     *build_id;
    bool            sync_always;         /* journal.sync = "always": answers and alerts wait until they are synced */
    bool            snapshot_needs_sync; /* false with journal.sync = "off": nothing ever says that it is synced */
    fm_alert_output alerts;
    /* Latest values of a live instrument that changed, at most every latest_interval_ns; NULL = nobody wants them. Shard's thread. */
    void          (*latest)(void *context, const struct fm_latest *latest);
    void           *latest_context;
    int64_t         latest_interval_ns;  /* preset 100 ms */
    /* One runner a shard, made by main.c. */
    fm_rule_runner *(*runner_of)(void *context, uint32_t shard);
    /* The rule set of a generation named in the log (32 hex digits); NULL when its text is lost: recovery then refuses. */
    const fm_rule_set *(*generation_of)(void *context, const char *hash);
    /* The same for sets of reference data; NULL = there are none. */
    const fm_reference_set *(*reference_of)(void *context, const char *hash);
    void           *runner_context;
} fm_engine_config;

/* Verdict of one request, summed over the shards it touched. */
typedef struct fm_reply_error {
    uint32_t index;
    int32_t  code;
} fm_reply_error;

typedef struct fm_reply {
    uint32_t accepted, duplicate, rejected;
    bool     durable; /* synced; else written */
    uint32_t error_count; /* listed below; the first ones by index */
    fm_reply_error error[FM_REPLY_ERRORS_MAX];
    uint64_t touched;     /* partitions with a position, a bit each */
    uint64_t position[FM_PARTITION_COUNT]; /* last sequence written for this request */
} fm_reply;

typedef void (*fm_on_reply)(void *context, const fm_reply *reply);

/* ---- process ---- */
int  fm_engine_create(const fm_engine_config *config, fm_engine **out, fm_error *error) FM_CHECKED;
void fm_engine_destroy(fm_engine *engine);
fm_shard *fm_engine_shard(fm_engine *engine, uint32_t index);
uint32_t  fm_engine_shard_count(const fm_engine *engine);

void fm_engine_config_preset(fm_engine_config *config);

/* Starts the thread that writes snapshots; `stop` writes what waits, ends it, and makes calls from then on fail. */
int  fm_engine_start(fm_engine *engine) FM_CHECKED;
void fm_engine_stop(fm_engine *engine);

/* Makes a generation current in every shard, at each one's next batch boundary. The set must outlive the engine. Any thread. */
void fm_engine_set_reference(fm_engine *engine, const fm_reference_set *set); /* the same for reference data */
int fm_engine_set_rules(fm_engine *engine, const fm_rule_set *set, fm_error *error) FM_CHECKED;

/* ---- a shard's thread ---- */
uint32_t fm_shard_index(const fm_shard *shard);
/* Snapshot, then the journal's tail. Before the first turn, on the shard's thread. */
int fm_shard_recover(fm_shard *shard, fm_error *error) FM_CHECKED;

/* One turn: take what the rings hold, journal it, apply it, answer. Never blocks. Returns the number of records taken. Called by
 * the owner of the event loop after the loop's callbacks have run, and whenever the shard is woken. */
uint32_t fm_shard_turn(fm_shard *shard);

/* How long the thread may sleep: ns until a timer is due or a clock record is to be written; -1 = until woken. */
int64_t fm_shard_sleep_ns(fm_shard *shard);

/* `wake` is called (from any thread) when a sleeping shard has something to do; it must be cheap and safe (eventfd write). */
void fm_shard_on_wake(fm_shard *shard, void (*wake)(void *context), void *context);
void fm_shard_set_sleeping(fm_shard *shard, bool sleeping); /* set, then look once more (fm_shard_has_work), then sleep */
bool fm_shard_has_work(const fm_shard *shard);

/* Takes the state now and hands it to the snapshot thread, which writes it when the journal is synced and the router has taken what was
 * emitted before. Cheap enough for the shard: a copy of its state. */
void fm_shard_snapshot(fm_shard *shard);
fm_counters *fm_shard_counters(fm_shard *shard);

/* ---- intake: on a shard's own thread, for the requests that this thread received ---- */
typedef struct fm_intake fm_intake;

/* Opens a request: NULL when too many are open (the answer is 429, queue_full). `domain` size 0 = "live". */
fm_intake *fm_intake_open(fm_shard *shard, fm_slice domain, int64_t receive_ns);
/* Adds a record. 0, or FM_batch_too_large when an empty ring would not hold it, FM_queue_full when it is full now: then abort. */
int  fm_intake_add(fm_intake *intake, uint32_t index, const fm_record *record) FM_CHECKED;
/* Admits all: 0, then on_reply is called exactly once, later, on this thread. Or FM_queue_full, FM_journal_full: nothing was admitted. */
int  fm_intake_publish(fm_intake *intake, fm_on_reply on_reply, void *context) FM_CHECKED;
void fm_intake_abort(fm_intake *intake);

/* ---- asking a shard: control plane ---- */
/* Runs call(context, shard) on the shard's thread between two batches; call(context, NULL) when the engine is destroyed before that: then it
 * only frees what is its own. Any thread. FM_ESHUTDOWN when it has stopped. */
int fm_shard_call(fm_shard *shard, void (*call)(void *context, fm_shard *shard), void *context) FM_CHECKED;

#endif
