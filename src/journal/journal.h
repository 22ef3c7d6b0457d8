/* journal/journal.h - the log that everything is a fold over. An interface; journal/file.c is the embedded one.
 *
 * A data directory has one journal. Each shard has one writer and only it writes the partitions that it owns. What is
 * appended becomes a frame: {partition, first sequence, count, receive time, bytes, CRC32C}; at the end of a segment
 * one append may become two frames. Frames of one partition have consecutive sequences, over all files and all runs of
 * the process, whatever the number of shards was.
 *
 * Written: `flush` returned; survives the death of the process. Synced: survives the machine. Positions are points in
 * the log of one writer in this run: they start at 0 and only grow, and jump where a segment ends.
 *
 * Cost    append and flush together 0.3 to 0.5 ns a byte (tests/bench/journal_bench.c); nothing is allocated; no lock
 * and no wait. */
#ifndef FM_JOURNAL_JOURNAL_H
#define FM_JOURNAL_JOURNAL_H

#include "base/counters.h"
#include "base/error.h"
#include "base/event.h"
#include "base/file.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum fm_sync { FM_SYNC_ALWAYS, FM_SYNC_INTERVAL, FM_SYNC_OFF } fm_sync;

typedef struct fm_journal_config {
    const char *directory; /* made when missing: <data>/journal */
    const fm_file_layer *layer;
    uint32_t writer_count; /* shards of this run */
    fm_sync sync;
    int64_t sync_interval_ns; /* FM_SYNC_INTERVAL: preset 10 ms */
    uint64_t segment_bytes;   /* preset 64 MiB; a segment is preallocated whole, and the next one ahead of need */
    uint64_t retain_bytes;    /* preset 10 GiB */
    bool read_only;           /* verify, dump: nothing is cut, made or removed */
} fm_journal_config;

typedef struct fm_journal fm_journal;
typedef struct fm_journal_writer fm_journal_writer;

/* A frame as the reader sees it; valid during the visit. */
typedef struct fm_frame {
    uint32_t partition;
    uint32_t count;          /* events */
    uint64_t first_sequence; /* of the partition; sequences start at 1 */
    int64_t receive_ns;      /* wall time when the batch was taken */
    const char *events;      /* fm_event lines with their extra words, one after another */
    size_t size;
    const char *file; /* for messages: where it stands */
    uint64_t offset;
} fm_frame;

typedef int (*fm_frame_visit)(void *context, const fm_frame *frame); /* negative stops the reading and is returned */

/* Opens and repairs: a torn tail is cut to the last whole frame, the cut part is kept beside it as
 * <segment>.torn-<offset>, and told in the log. A bad frame that is not at a tail (bytes that were once synced) is
 * FM_ECORRUPT with file and offset in *error: from here for the newest run's unsealed segments, from `read` for the
 * others (an opening reads their ends only, so that it takes no longer when the journal is long). FM_EBUSY when another
 * process has it open for writing. A full disk does not keep it closed unless the folder is new: reservations are
 * refused until there is room. */
int fm_journal_open(const fm_journal_config *config, fm_journal **out, fm_error *error) FM_CHECKED;

/* Flushes and syncs; calls no on_synced from here on. After every other call has returned; NULL is nothing. */
void fm_journal_close(fm_journal *journal);

/* Every frame of earlier runs (read_only: of all) with partition in `partitions` (a bit each) and a last sequence >
 * after[partition], in order per partition; several threads may read at once. `after` may be NULL. A frame that does
 * not follow the one before, or the first one of a partition behind a hole (above after[partition] + 1; when that is 0,
 * above what retention removed), is FM_ECORRUPT. */
int fm_journal_read(fm_journal *journal, uint64_t partitions, const uint64_t after[FM_PARTITION_COUNT],
                    fm_frame_visit visit, void *context, fm_error *error) FM_CHECKED;

/* What there was of a partition when the journal was opened, as far as runs up to `incarnation` have written it: entries behind *removed, which
 * retention took, up to *last. Any thread. */
void fm_journal_extent(fm_journal *journal, uint32_t partition, uint64_t incarnation, uint64_t *removed, uint64_t *last);

/* The writer of shard `index`; starts at sequences that the shard knows from reading. Owned by the journal. */
fm_journal_writer *fm_journal_writer_of(fm_journal *journal, uint32_t index);

/* Room that requests may still reserve, in bytes of events (multiples of 8); any thread, wait-free. A request takes
 * what it needs with one `reserve` before it is published to a shard; what is reserved can be appended, in frames of
 * any number of events: a byte is charged 7/4, as if each 64 bytes had a frame of their own. `unreserve` gives back
 * what was not used. Everything that is appended should have been reserved, control records too: an append that finds
 * no segment waits for one to be made, and is fatal when the disk is full. Two segments are there at a time.
 * FM_journal_full when the disk is full: the syncer thread tries to preallocate again each second and room comes back
 * by itself. FM_queue_full when the next segment is only not ready yet. FM_batch_too_large for more than a segment
 * takes. */
int fm_journal_reserve(fm_journal_writer *writer, uint64_t bytes) FM_CHECKED;
void fm_journal_unreserve(fm_journal_writer *writer, uint64_t bytes);

/* Shard's thread. `events` are whole lines, each with its extra words, of at most 8 KiB. `append` copies one frame into
 * the write buffer; `flush` writes the buffer with as few writes as segments allow and returns the written position; 0
 * appended is 0 work. A write that fails is fatal for the process (the fold may not run ahead of the log): it is logged
 * and the process aborts; the restart recovers. */
void fm_journal_append(fm_journal_writer *writer, uint32_t partition, uint64_t first_sequence, uint32_t count,
                       int64_t receive_ns, const void *events, size_t size);
uint64_t fm_journal_flush(fm_journal_writer *writer);
uint64_t fm_journal_written(const fm_journal_writer *writer);
uint64_t fm_journal_synced(const fm_journal_writer *writer); /* any thread; acquire */
void fm_journal_request_sync(fm_journal_writer *writer);     /* wakes the syncer now; no meaning with FM_SYNC_OFF */

/* Called on the syncer thread after each sync of this writer, so that a sleeping shard can be woken. */
void fm_journal_on_synced(fm_journal_writer *writer, void (*call)(void *context), void *context);

/* The shard took (in `flush`) a new segment since the last call: time for a snapshot. */
bool fm_journal_rolled(fm_journal_writer *writer);

/* Snapshots and readers allow removal: everything up to and including these sequences may go once retain_bytes asks for
 * it. When the journal is over retain_bytes and a segment is still needed, it is kept and `FM_METRIC_JOURNAL_SEGMENTS`
 * grows: a snapshot is never ahead of what recovery needs. Any thread. */
void fm_journal_release(fm_journal *journal, uint32_t partition, uint64_t up_to_sequence);

/* A number that grows with each opening of this data directory for writing; part of segment names. */
uint64_t fm_journal_incarnation(const fm_journal *journal);

fm_counters *fm_journal_counters(fm_journal *journal); /* the block that the journal counts in */

#endif
