/* engine/shard_internal.h - what the files of the shard share: engine.c, shard.c (the turn), commit.c (log and fold), intake.c, recover.c,
 * snapshot_thread.c, query.c. */
#ifndef FM_ENGINE_SHARD_INTERNAL_H
#define FM_ENGINE_SHARD_INTERNAL_H

#include "base/ring.h"
#include "engine/admission.h"
#include "engine/fold.h"
#include "engine/message.h"
#include "engine/query.h"
#include "engine/shard.h"
#include "engine/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

#define FM_STAGE_BYTES  (64u << 10) /* entries of one partition gathered for one frame */
#define FM_REQUESTS_MAX 4096        /* open requests of one receiving thread */
#define FM_TURN_RECORDS 8192        /* records taken in one turn: bounds how long other work of the thread waits */

/* A request on the thread that received it, and the part of it that goes to one shard. */
typedef struct fm_lane {
    fm_ring *ring;
    uint64_t names;   /* that the shard was told for the records that follow: fm_intake.names of this or of an older request */
    uint64_t reserve; /* journal bytes */
} fm_lane;

struct fm_intake {
    fm_shard   *shard;
    bool        open;      /* between fm_intake_open and publish or abort */
    uint32_t    number;
    int64_t     receive_ns;
    char        domain[FM_NAME_MAX];
    uint32_t    domain_size;
    uint64_t    domain_hash;
    uint64_t    stamp;     /* of the symbols that it sent */
    uint64_t    touched;   /* shards, a bit each */
    uint64_t    names;     /* a number that no names of this thread had before; those of the last record are: */
    uint64_t    venue_alone; /* the same when they are a venue and nothing else; 0 otherwise */
    size_t      venue_size, channel_size, source_size;
    char        names_text[3 * FM_NAME_MAX];
    uint32_t    pending;   /* shards that have not answered */
    fm_lane     lane[FM_SHARDS_MAX];
    fm_on_reply on_reply;
    void       *context;
    fm_reply    reply;
    struct fm_intake *next; /* of the free list */
};

/* A symbol that this thread has met, found again by its bytes: its hashes need not be computed again. */
typedef struct fm_met_symbol {
    uint64_t word[2];   /* symbols of up to 16 bytes: fm_symbol_words; longer ones: not found again */
    char     padded[FM_SYMBOL_PAD]; /* fm_symbol_put, likewise */
    uint64_t hash;
    uint64_t stamp;     /* of the last request that sent it: domain and whether it was taken back */
    uint32_t size, owner;
    fm_symbol_head head;
    uint32_t unused;
} fm_met_symbol;

#define FM_MET_SYMBOLS 4096

/* What one shard has to say about one request. */
typedef struct fm_part {
    uint32_t origin, request;
    uint64_t written; /* journal position that makes it true */
    fm_reply reply;
} fm_part;

typedef struct fm_stage {
    fm_entries entries;
    int64_t  receive_ns;
    int64_t  live_ns; /* wall time when the partition last took a live record; 0 = never */
} fm_stage;

typedef struct fm_call {
    void (*call)(void *context, fm_shard *shard);
    void *context;
    struct fm_call *next;
} fm_call;

typedef struct fm_held_alert { /* waits for the sync that its records wait for */
    uint64_t written;
    fm_alert alert;
    char    *body;
} fm_held_alert;

typedef struct fm_kill_note {
    char rule[FM_RULE_ID_MAX + 1], hash[33], reason[160];
} fm_kill_note;

typedef struct fm_rule_board { /* a shard's rule health for /v1/rules, renewed once a second */
    pthread_mutex_t lock;
    const fm_rule_set *set;
    fm_rule_health *health;     /* sums by rule; error = the newest */
    uint32_t       *quarantined;/* (partition, domain) pairs where the rule is */
    uint32_t       *killed;     /* partitions where the rule was stopped */
    fm_text        *not_ready;  /* first symbols, JSON strings separated by commas */
    uint32_t       *not_ready_count;
} fm_rule_board;

typedef struct fm_reading { /* the request being read from one origin's ring */
    bool     open;
    uint32_t part;
    /* Of the request, not settled yet: */
    uint32_t accepted, duplicate, rejected;
    uint64_t staged; /* partitions that have entries of it, a bit each */
    uint64_t used_bytes;
    uint64_t extra_bytes; /* reserved beyond what came with the request */
    fm_heading heading;
} fm_reading;

struct fm_shard {
    fm_engine         *engine;
    uint32_t           index;
    fm_fold           *fold;
    fm_journal_writer *writer;
    fm_counters        counters;
    fm_admission_limits limits;
    uint32_t           series_used;
    fm_partition       partition[FM_PARTITION_COUNT]; /* those of this shard: index % shard_count */
    fm_stage           stage[FM_PARTITION_COUNT];
    uint64_t           staged;        /* partitions with staged entries */
    uint64_t           staged_records;/* data records among them */
    fm_reading         reading[FM_SHARDS_MAX];
    uint32_t           next_origin;
    fm_part           *part;          /* parts in the order of their commit; [part_first, part_count) wait */
    uint32_t           part_first, part_count, part_capacity;
    uint32_t           part_committed;/* parts below have their `written` */
    fm_held_alert     *held;
    uint32_t           held_first, held_count, held_capacity;
    uint64_t           emitted;       /* alerts handed out since the start */
    struct fm_intake  *intake;        /* FM_REQUESTS_MAX of them */
    struct fm_intake  *intake_free;
    struct fm_intake  *intake_current;
    fm_met_symbol     *met;           /* FM_MET_SYMBOLS of them, by (domain, symbol) */
    uint64_t           names;         /* that its requests had so far */
    uint64_t           taken_back;    /* requests that were: what their symbols are stamped with is worth nothing */
    fm_text            cross_out;     /* fm_message_cross, one behind the other: for partitions anywhere */
    fm_text            cross_in;      /* the same: for partitions of this shard, not in the log yet */
    const fm_rule_set *generation;    /* that this shard has logged */
    const fm_reference_set *reference;
    fm_kill_note      *kill_note;     /* rules stopped in this turn: their records are still to be logged */
    uint32_t           kill_note_count, kill_note_capacity;
    int64_t            clock_ns;      /* when log_clocks last looked */
    int64_t            latest_ns;
    uint32_t           latest_partition, latest_series;
    int64_t            board_ns;
    fm_rule_board      board;
    uint64_t           snapshot_number;
    uint32_t           snapshots_written; /* in this run: snapshot thread */
    uint64_t           snapshot_loaded; /* the oldest run whose files were recovered from; 0 = none */
    uint64_t           snapshot_applied[FM_PARTITION_COUNT]; /* of the last one that was written: snapshot thread */
    bool               recovered;
    /* wake-up */
    _Atomic bool       sleeping;
    void             (*wake)(void *context);
    void              *wake_context;
    /* control plane */
    pthread_mutex_t    call_lock;
    fm_call           *call_first, *call_last;
    _Atomic uint32_t   call_count;
    _Atomic bool       stopped;
};

typedef struct fm_snapshot_job {
    uint32_t shard;
    uint64_t number, written, emitted;
    uint64_t applied[FM_PARTITION_COUNT];
    fm_text  bytes[FM_PARTITION_COUNT];
    struct fm_snapshot_job *next;
} fm_snapshot_job;

struct fm_engine {
    fm_engine_config config;
    uint32_t         shard_count;
    uint8_t          owner[FM_PARTITION_COUNT]; /* the shard of each partition */
    fm_shard        *shard;
    fm_ring        **records; /* [from * shard_count + to] */
    fm_ring        **replies;
    _Atomic(const fm_rule_set *) generation; /* that is wanted */
    _Atomic(const fm_reference_set *) reference;
    pthread_t        snapshot_thread;
    bool             snapshot_running;
    pthread_mutex_t  snapshot_lock;
    pthread_cond_t   snapshot_wake;
    fm_snapshot_job *snapshot_first, *snapshot_last;
    bool             snapshot_stop;
};

/* The instrument of that name in that domain; NULL when the fold knows of none. */
static inline const fm_series *fm_series_named(const fm_partition *partition, fm_slice domain, fm_slice symbol)
{
    int in = fm_admission_domain(&partition->admission, domain);
    int index = in < 0 ? -1 : fm_admission_symbol(&partition->admission, (uint32_t)in, symbol);
    return index >= 0 && (uint32_t)index < partition->series_count ? partition->series[index] : NULL;
}

/* crosses.c: values for other partitions, from the fold to their rings, from the rings into the log. */
void fm_shard_cross(void *context, const fm_cross *cross);
void fm_shard_take_cross(fm_shard *shard, const fm_message_cross *message);
void fm_shard_send_crosses(fm_shard *shard);
void fm_shard_log_crosses(fm_shard *shard);

static inline uint32_t fm_owner_of(const fm_engine *engine, uint32_t partition)
{
    return engine->owner[partition];
}
static inline fm_ring *fm_records_ring(const fm_engine *engine, uint32_t from, uint32_t to)
{
    return engine->records[from * engine->shard_count + to];
}
static inline fm_ring *fm_replies_ring(const fm_engine *engine, uint32_t from, uint32_t to)
{
    return engine->replies[from * engine->shard_count + to];
}

void fm_shard_wake(fm_shard *shard); /* from any thread, after something was published for it */

/* commit.c */
uint32_t fm_shard_drain(fm_shard *shard, uint32_t origin, uint32_t budget);
void     fm_shard_commit(fm_shard *shard);
uint32_t fm_shard_stage_control(fm_shard *shard, uint32_t partition, int kind, int64_t ts_ns, const fm_control *control, fm_slice text); /* its bytes */
void     fm_shard_killed(void *context, const fm_rule *rule, const fm_error *error);
void     fm_shard_quarantined(void *context, const fm_rule *rule, const char *reason);
void     fm_shard_emit(void *context, const fm_alert *alert);
void     fm_shard_release_held(fm_shard *shard);

/* intake.c */
void fm_shard_complete(fm_shard *shard, uint32_t request, const fm_reply *part);
void fm_shard_send_parts(fm_shard *shard);
void fm_shard_take_replies(fm_shard *shard);

/* query.c */
void fm_shard_publish_latest(fm_shard *shard);
void fm_shard_renew_board(fm_shard *shard);
void fm_rule_board_fini(fm_rule_board *board);

/* query_book.c */
void fm_shard_renew_books(fm_shard *shard); /* figures of the order books, for the metrics */

/* snapshot_thread.c */
int  fm_snapshot_thread_start(fm_engine *engine);
void fm_snapshot_thread_stop(fm_engine *engine);

#endif
