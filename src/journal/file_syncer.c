/* journal/file_syncer.c - the thread beside the shards that waits for the disk so that they need not.
 *
 * It syncs what is written (group commit: all that came while the last sync ran goes with the next), makes the next
 * segments, lets old ones go, and sleeps when there is nothing of that. */
#include "journal/file_state.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define RETRY_NS FM_NS_PER_S

/* A failed sync leaves nobody knowing what is on the disk, and the system forgets that it failed: the restart reads
 * what is there. */
static _Noreturn void die(fm_journal *journal, const fm_segment *segment, int code)
{
    char path[PATH_MAX];
    fm_journal_path(journal, segment, "", path);
    fm_log(FM_LOG_ERROR, "journal_sync_failed", "file", path, "error", fm_error_text(code), NULL);
    abort();
}

/* A segment that the shard has left: its preallocated rest goes back, which says that all of it is on the disk. */
static void close_finished(fm_journal *journal, fm_segment *segment)
{
    uint64_t file_size = segment->file_size;
    bool sealed = false;
    if (journal->sync != FM_SYNC_OFF) {
        sealed = journal->layer->truncate(segment->file, segment->end + FM_SEAL_SIZE) == 0;
        if (sealed)
            file_size = segment->end + FM_SEAL_SIZE;
    }
    journal->layer->close(segment->file);
    segment->file = NULL;
    fm_space_finished(journal, segment, file_size, sealed);
}

void fm_syncer_pass(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    uint64_t target = atomic_load(&writer->written);
    uint64_t last = target / journal->segment_bytes;
    bool due = journal->sync != FM_SYNC_OFF && target != atomic_load_explicit(&writer->synced, memory_order_relaxed);
    if (!due && writer->done == last)
        return;
    for (uint64_t index = writer->done; index <= last; index++) {
        fm_segment *segment = writer->slot[index % FM_JOURNAL_SLOTS];
        if (segment == NULL || segment->index != index)
            break; /* the position is the beginning of a segment that is not there yet */
        if (due) {
            int result = journal->layer->sync(segment->file);
            if (result < 0)
                die(journal, segment, result);
            fm_journal_count(journal, FM_METRIC_JOURNAL_SYNCS, 1);
        }
        if (index < last) {
            close_finished(journal, segment);
            writer->slot[index % FM_JOURNAL_SLOTS] = NULL;
            writer->done = index + 1;
        }
    }
    if (!due)
        return;
    atomic_store_explicit(&writer->synced, target, memory_order_release);
    void (*call)(void *context) = atomic_load_explicit(&writer->on_synced, memory_order_acquire);
    if (call != NULL)
        call(writer->on_synced_context);
}

void fm_syncer_wake(fm_journal *journal)
{
    if (atomic_load(&journal->sleep) == FM_AWAKE || atomic_exchange(&journal->sleep, FM_AWAKE) == FM_AWAKE)
        return;
    uint64_t one = 1;
    ssize_t put = write(journal->wake_fd, &one, sizeof(one));
    FM_ASSERT(put == sizeof(one) || errno == EAGAIN);
}

void fm_journal_request_sync(fm_journal_writer *writer)
{
    atomic_store(&writer->journal->urgent, true);
    fm_syncer_wake(writer->journal);
}

static void note_full(fm_journal *journal, int result, int64_t now)
{
    bool full = result < 0;
    if (full)
        journal->retry_ns = now + RETRY_NS;
    if (full == atomic_load_explicit(&journal->full, memory_order_relaxed))
        return;
    atomic_store_explicit(&journal->full, full, memory_order_relaxed);
    fm_gauge(&journal->counters, FM_METRIC_JOURNAL_FULL, full);
    if (full)
        fm_log(FM_LOG_ERROR, "journal_full", "directory", journal->directory, "error", fm_error_text(result), NULL);
    else
        fm_log(FM_LOG_INFO, "journal_resumed", "directory", journal->directory, NULL);
}

static bool lacks_segment(fm_journal_writer *writer)
{
    return atomic_load(&writer->ready) < atomic_load(&writer->needed);
}

/* One step for each writer that lacks a segment; true when there is more to do at once. */
static bool make_segments(fm_journal *journal, int64_t now)
{
    bool full = atomic_load_explicit(&journal->full, memory_order_relaxed);
    if (full && now < journal->retry_ns)
        return false;
    int worst = 0;
    bool more = false, made = false;
    for (uint32_t i = 0; i < journal->writer_count; i++) {
        fm_journal_writer *writer = &journal->writers[i];
        if (!lacks_segment(writer))
            continue;
        pthread_mutex_lock(&writer->lock);
        int result = lacks_segment(writer) ? fm_space_prepare(writer, false) : 1;
        pthread_mutex_unlock(&writer->lock);
        if (result < 0)
            worst = result;
        made = made || result > 0;
        more = more || result == 0 || lacks_segment(writer);
    }
    if (worst < 0 || made)
        note_full(journal, worst, now);
    return more && worst == 0;
}

static bool anything_unsynced(fm_journal *journal)
{
    for (uint32_t i = 0; journal->sync != FM_SYNC_OFF && i < journal->writer_count; i++) {
        fm_journal_writer *writer = &journal->writers[i];
        if (atomic_load(&writer->written) != atomic_load_explicit(&writer->synced, memory_order_relaxed))
            return true;
    }
    return false;
}

static bool anything_asked(fm_journal *journal)
{
    if (atomic_load(&journal->stop) || atomic_load(&journal->urgent))
        return true;
    for (uint32_t i = 0; i < journal->writer_count && !atomic_load_explicit(&journal->full, memory_order_relaxed);
         i++) {
        if (lacks_segment(&journal->writers[i]))
            return true;
    }
    return false;
}

/* Sleeps until something may be due. A flush wakes a sleeping syncer, not a napping one. */
static void nap(fm_journal *journal, bool over)
{
    int64_t now = fm_mono_ns(&fm_clock_system), until = INT64_MAX;
    bool unsynced = anything_unsynced(journal);
    if (unsynced)
        until = journal->sync == FM_SYNC_ALWAYS ? now : journal->next_sync_ns;
    if (atomic_load_explicit(&journal->full, memory_order_relaxed) && journal->retry_ns < until)
        until = journal->retry_ns;
    if (over && now + RETRY_NS < until)
        until = now + RETRY_NS;
    if (until <= now)
        return;

    atomic_store(&journal->sleep, unsynced ? FM_NAPS : FM_SLEEPS);
    if (!anything_asked(journal) && (unsynced || !anything_unsynced(journal))) {
        struct timespec limit = {(until - now) / FM_NS_PER_S, (until - now) % FM_NS_PER_S};
        struct pollfd wait = {.fd = journal->wake_fd, .events = POLLIN};
        (void)ppoll(&wait, 1, until == INT64_MAX ? NULL : &limit, NULL);
    }
    atomic_store(&journal->sleep, FM_AWAKE);
    uint64_t count;
    ssize_t got = read(journal->wake_fd, &count, sizeof(count));
    FM_ASSERT(got == sizeof(count) || errno == EAGAIN || errno == EINTR);
}

static void *run(void *context)
{
    fm_journal *journal = context;
    while (!atomic_load(&journal->stop)) {
        int64_t now = fm_mono_ns(&fm_clock_system);
        bool urgent = atomic_exchange(&journal->urgent, false);
        if (urgent || journal->sync != FM_SYNC_INTERVAL || now >= journal->next_sync_ns) {
            for (uint32_t i = 0; i < journal->writer_count; i++) {
                pthread_mutex_lock(&journal->writers[i].lock);
                fm_syncer_pass(&journal->writers[i]);
                pthread_mutex_unlock(&journal->writers[i].lock);
            }
            journal->next_sync_ns = now + journal->sync_interval_ns;
        }
        bool more = make_segments(journal, now);
        bool over = fm_space_over(journal);
        if (over && fm_space_retain(journal))
            more = true;
        if (!more)
            nap(journal, over);
    }
    return NULL;
}

/* So that work can begin when the journal is open. A full disk is found out here, and does not keep the server down. */
static void first_segments(fm_journal *journal)
{
    int worst = 0;
    for (uint32_t i = 0; i < journal->writer_count && worst == 0; i++) {
        int result;
        do
            result = fm_space_prepare(&journal->writers[i], false);
        while (result == 0);
        if (result < 0)
            worst = result;
    }
    note_full(journal, worst, fm_mono_ns(&fm_clock_system));
}

int fm_syncer_start(fm_journal *journal, fm_error *error)
{
    journal->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (journal->wake_fd < 0)
        return fm_fail_errno(error, FM_ENOMEM, "could not make the journal's eventfd");
    first_segments(journal);
    int result = pthread_create(&journal->syncer, NULL, run, journal);
    if (result != 0)
        return fm_fail(error, FM_ENOMEM, "could not start the journal's syncer: %s", strerror(result));
    journal->syncer_runs = true;
    return 0;
}

void fm_syncer_stop(fm_journal *journal)
{
    if (journal->syncer_runs) {
        atomic_store(&journal->stop, true);
        fm_syncer_wake(journal);
        pthread_join(journal->syncer, NULL);
        journal->syncer_runs = false;
    }
    if (journal->wake_fd >= 0)
        close(journal->wake_fd);
    journal->wake_fd = -1;
}
