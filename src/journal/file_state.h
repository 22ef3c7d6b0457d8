/* journal/file_state.h - what the parts of the file journal share. Private to this folder.
 *
 * Who may touch what: a writer's first block belongs to its shard's thread; `position` values are atomics; the slots
 * are filled by whoever holds the writer's lock (the syncer, ahead of need; the shard itself only when the syncer was
 * too late) and emptied by the syncer under the same lock. The list of segments and the floors have the journal's lock.
 * The range of sequences of the segment being written is the shard's until `written` has moved past that segment. */
#ifndef FM_JOURNAL_FILE_STATE_H
#define FM_JOURNAL_FILE_STATE_H

#include "journal/file_layout.h"
#include "journal/file_scan.h"
#include "journal/journal.h"

#include <pthread.h>
#include <stdalign.h>

enum {
    FM_JOURNAL_BUFFER_SIZE = 1 << 18, /* a flush is one write up to here; stays in the second-level cache */
    FM_JOURNAL_SLOTS = 8,             /* segments of a writer that are open at once */
    FM_JOURNAL_AHEAD = 1,             /* segments preallocated behind the one being written */
    FM_JOURNAL_CLEAR_SIZE = 1 << 16,  /* of a segment, aligned: cleared whole before the first frame goes there */
    FM_JOURNAL_ZEROS_SIZE = 1 << 20,
};

/* Bytes kept from reservations: what the end of a segment may waste because events are not cut in two. Reservations lie in two
 * segments, so there is one such end between them. */
#define FM_JOURNAL_SLACK ((int64_t)(FM_JOURNAL_EVENT_MAX + sizeof(fm_frame_header)))

typedef struct fm_preparation { /* a segment on its way to a slot */
    fm_segment *segment;        /* NULL = none */
    uint64_t filled;            /* bytes of it that were overwritten with zeros */
} fm_preparation;

struct fm_journal_writer {
    /* the shard's thread */
    fm_journal *journal;
    uint32_t index;
    bool rolled;
    char *buffer;
    size_t buffer_used;
    fm_segment *segment; /* being written; NULL before the first append */
    uint32_t seed;
    uint64_t segment_index;
    uint64_t offset;                   /* in the segment, behind what stands in the buffer */
    uint64_t cleared;                  /* the segment has its pages up to here; never below what is written of it */
    uint64_t next[FM_PARTITION_COUNT]; /* the sequence that append must bring, of the partitions that this writer has */
    uint64_t appended_frames;          /* since the last flush, and so on: */
    uint64_t appended_cost;            /* reservation that it used up */
    uint64_t appended_bytes;           /* room that it took */
    uint64_t wasted_bytes;             /* and what segment ends wasted */

    alignas(64) _Atomic uint64_t written;
    alignas(64) _Atomic uint64_t synced;
    alignas(64) _Atomic int64_t reserved; /* worst cost of what may still be appended */
    alignas(64) _Atomic int64_t room;     /* bytes that frames may still take in segments that exist, less the slack */

    alignas(64) _Atomic uint64_t ready; /* segments below this index exist */
    _Atomic uint64_t needed;            /* segments below this index are asked for */
    pthread_mutex_t lock;
    fm_segment *slot[FM_JOURNAL_SLOTS]; /* by index modulo */
    uint64_t done;                      /* segments below this index are finished and closed */
    fm_preparation preparation;

    void (*_Atomic on_synced)(void *context);
    void *on_synced_context;
};

typedef enum fm_sleep {
    FM_AWAKE, /* will look again before it sleeps */
    FM_NAPS,  /* until the next sync is due: a flush need not wake it */
    FM_SLEEPS,
} fm_sleep;

struct fm_journal {
    char directory[PATH_MAX];
    const fm_file_layer *layer;
    fm_sync sync;
    int64_t sync_interval_ns;
    uint64_t segment_bytes;
    uint64_t retain_bytes;
    bool read_only;
    uint32_t writer_count;
    uint64_t incarnation;
    uint64_t meta_generation;
    int lock_fd;

    fm_journal_writer *writers;
    _Atomic uint64_t released[FM_PARTITION_COUNT];

    pthread_mutex_t lock;
    fm_segment **segments; /* those of earlier runs sorted, then this run's as they were made */
    size_t segment_count, segment_capacity;
    uint64_t disk_bytes;                /* of all of them */
    uint64_t floor[FM_PARTITION_COUNT]; /* sequences up to here were removed by retention */
    uint32_t readers;

    pthread_t syncer;
    bool syncer_runs;
    int wake_fd;
    _Atomic int sleep; /* fm_sleep */
    _Atomic bool urgent;
    _Atomic bool stop;
    _Atomic bool full; /* the last preallocation failed */
    int64_t retry_ns;  /* the syncer's own from here on */
    int64_t next_sync_ns;
    char *zeros; /* FM_JOURNAL_ZEROS_SIZE; read by all, never touched otherwise, so the system maps one page for them */

    fm_counters counters;
};

/* ---- file.c ---- */
/* <directory>/<segment><suffix> */
void fm_journal_path(const fm_journal *journal, const fm_segment *segment, const char *suffix, char out[PATH_MAX]);
void fm_journal_add(fm_journal *journal, fm_segment *segment); /* to the list; takes it; under no lock of the journal */
/* Several shards and the syncer count in one block, so unlike fm_count this is a locked addition. */
static inline void fm_journal_count(fm_journal *journal, fm_metric metric, uint64_t by)
{
    atomic_fetch_add_explicit(&journal->counters.value[metric], by, memory_order_relaxed);
}

/* ---- file_meta.c: <directory>/journal.meta ---- */
int fm_meta_read(fm_journal *journal,
                 fm_error *error) FM_CHECKED;      /* incarnation, floors; FM_ENOTFOUND, FM_ECORRUPT, FM_EVERSION */
int fm_meta_write(fm_journal *journal) FM_CHECKED; /* on the disk when it returns; needs no new blocks */

/* ---- file_repair.c ---- */
/* Lists the folder into journal->segments, cuts torn tails (unless read only) and seals what an earlier run left open.
 */
int fm_journal_load(fm_journal *journal, fm_error *error) FM_CHECKED;

/* ---- file_space.c ---- */
/* Makes the next segment of a writer, or goes on making it; 1 when it is ready, 0 when there is more to do, FM_ENOSPC,
 * FM_EIO, FM_EBUSY (no slot). `whole` = at once and without overwriting. Under the writer's lock. */
int fm_space_prepare(fm_journal_writer *writer, bool whole) FM_CHECKED;
void fm_space_abandon(fm_journal_writer *writer); /* forgets a segment that is half made */
void fm_space_finished(fm_journal *journal, fm_segment *segment, uint64_t file_size,
                       bool sealed);                          /* closed; retention may have it */
bool fm_space_over(fm_journal *journal);                      /* more than retain_bytes on the disk? */
bool fm_space_retain(fm_journal *journal);                    /* removes what may go; true when something went */
void fm_space_drop(fm_journal *journal, fm_segment *segment); /* unlinks, takes it off the list, frees */

/* ---- file_syncer.c ---- */
int fm_syncer_start(fm_journal *journal, fm_error *error) FM_CHECKED;
void fm_syncer_stop(fm_journal *journal);
void fm_syncer_wake(fm_journal *journal); /* cheap when it is awake */
/* Syncs (unless FM_SYNC_OFF) what is written, and closes segments that are finished. Under the writer's lock. */
void fm_syncer_pass(fm_journal_writer *writer);

/* ---- file_writer.c ---- */
int fm_writer_init(fm_journal_writer *writer, fm_journal *journal, uint32_t index) FM_CHECKED;
void fm_writer_finish(fm_journal_writer *writer); /* at close: seals, syncs, removes what was not used */
void fm_writer_fini(fm_journal_writer *writer);
static inline int64_t fm_writer_cost(uint64_t bytes) /* worst case: a frame of its own for each 64 bytes of events */
{
    return (int64_t)(bytes + bytes / 2 + bytes / 4);
}

#endif
