/* journal/file_space.c - segments come and go: preallocation ahead of the writers, retention behind the readers. */
#include "journal/file_state.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static int64_t usable(const fm_journal *journal)
{
    return (int64_t)(fm_segment_limit(journal->segment_bytes) - sizeof(fm_segment_header));
}

/* A new file with its blocks and its header. Nothing of it stays on failure. */
static int make_file(fm_journal *journal, fm_segment *segment)
{
    char path[PATH_MAX];
    fm_journal_path(journal, segment, "", path);
    FM_TRY(journal->layer->open(path, FM_FILE_CREATE, &segment->file));
    int result = journal->layer->allocate(segment->file, segment->segment_bytes);
    if (result == 0) {
        fm_segment_header header;
        fm_segment_make_header(segment, &header);
        result = journal->layer->write(segment->file, &header, sizeof(header), 0);
    }
    if (result < 0) {
        journal->layer->close(segment->file);
        journal->layer->unlink(path);
    }
    return result;
}

static int begin(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    fm_segment *segment = calloc(1, sizeof(*segment));
    if (segment == NULL)
        return FM_ENOMEM;
    segment->incarnation = journal->incarnation;
    segment->writer = writer->index;
    segment->index = atomic_load(&writer->ready);
    segment->created_ns = fm_wall_ns(&fm_clock_system);
    segment->segment_bytes = journal->segment_bytes;
    segment->file_size = journal->segment_bytes;
    int result = make_file(journal, segment);
    if (result < 0) {
        free(segment);
        return result;
    }
    writer->preparation = (fm_preparation){.segment = segment, .filled = sizeof(fm_segment_header)};
    return 0;
}

void fm_space_abandon(fm_journal_writer *writer)
{
    fm_segment *segment = writer->preparation.segment;
    if (segment == NULL)
        return;
    char path[PATH_MAX];
    fm_journal_path(writer->journal, segment, "", path);
    writer->journal->layer->close(segment->file);
    writer->journal->layer->unlink(path);
    free(segment);
    writer->preparation.segment = NULL;
}

/* Blocks that were written once are synced seven times faster than blocks that are only allocated (no change of
 * extents), which is what FM_SYNC_ALWAYS waits for. A piece at a time, so that syncs are not held up. */
static int overwrite(fm_journal_writer *writer)
{
    fm_preparation *preparation = &writer->preparation;
    uint64_t left = preparation->segment->segment_bytes - preparation->filled;
    size_t size = left < FM_JOURNAL_ZEROS_SIZE ? (size_t)left : FM_JOURNAL_ZEROS_SIZE;
    fm_journal *journal = writer->journal;
    FM_TRY(journal->layer->write(preparation->segment->file, journal->zeros, size, preparation->filled));
    FM_TRY(journal->layer->sync(preparation->segment->file));
    preparation->filled += size;
    return 0;
}

/* The header and the name are on the disk before the first frame is: a segment with frames and without a header is
 * damage. */
static int complete(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    fm_segment *segment = writer->preparation.segment;
    FM_TRY(journal->layer->sync(segment->file));
    FM_TRY(journal->layer->sync_folder(journal->directory));
    writer->preparation.segment = NULL;
    segment->end = sizeof(fm_segment_header);
    pthread_mutex_lock(&journal->lock);
    fm_journal_add(journal, segment);
    journal->disk_bytes += segment->file_size;
    pthread_mutex_unlock(&journal->lock);
    writer->slot[segment->index % FM_JOURNAL_SLOTS] = segment;
    atomic_fetch_add(&writer->room, usable(journal));
    atomic_store_explicit(&writer->ready, segment->index + 1, memory_order_release);
    fm_journal_count(journal, FM_METRIC_JOURNAL_SEGMENTS, 1);
    return 1;
}

int fm_space_prepare(fm_journal_writer *writer, bool whole)
{
    fm_journal *journal = writer->journal;
    if (writer->slot[atomic_load(&writer->ready) % FM_JOURNAL_SLOTS] != NULL)
        return FM_EBUSY;
    if (writer->preparation.segment == NULL)
        FM_TRY(begin(writer));
    fm_segment *segment = writer->preparation.segment;
    bool fill = !whole && journal->sync == FM_SYNC_ALWAYS;
    int result = 0;
    if (fill && writer->preparation.filled < segment->segment_bytes) {
        result = overwrite(writer);
        if (result == 0 && writer->preparation.filled < segment->segment_bytes)
            return 0;
    }
    if (result == 0)
        result = complete(writer);
    if (result < 0)
        fm_space_abandon(writer);
    return result;
}

void fm_space_finished(fm_journal *journal, fm_segment *segment, uint64_t file_size, bool sealed)
{
    pthread_mutex_lock(&journal->lock);
    journal->disk_bytes = journal->disk_bytes - segment->file_size + file_size;
    segment->file_size = file_size;
    segment->sealed = sealed;
    segment->finished = true;
    pthread_mutex_unlock(&journal->lock);
}

bool fm_space_over(fm_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    bool over = journal->disk_bytes > journal->retain_bytes;
    pthread_mutex_unlock(&journal->lock);
    return over;
}

static bool removable(const fm_journal *journal, const fm_segment *segment)
{
    if (!segment->finished)
        return false;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        if (segment->range.last[p] > atomic_load_explicit(&journal->released[p], memory_order_relaxed))
            return false;
    }
    return true;
}

/* The oldest segment that may go. Only the oldest run's, and of it only each writer's first, so that what stays of a
 * partition has no gap. Under the journal's lock. */
static fm_segment *oldest_removable(const fm_journal *journal)
{
    uint64_t incarnation = UINT64_MAX;
    for (size_t i = 0; i < journal->segment_count; i++) {
        if (journal->segments[i]->incarnation < incarnation)
            incarnation = journal->segments[i]->incarnation;
    }
    fm_segment *best = NULL;
    bool seen[FM_WRITERS_MAX + 1] = {false};
    for (size_t i = 0; i < journal->segment_count; i++) {
        fm_segment *segment = journal->segments[i];
        if (segment->incarnation != incarnation || seen[segment->writer])
            continue;
        seen[segment->writer] = true; /* segments of one writer stand in the order of their index */
        if (removable(journal, segment) && (best == NULL || segment->created_ns < best->created_ns))
            best = segment;
    }
    return best;
}

/* Under the journal's lock. */
static void drop(fm_journal *journal, fm_segment *segment)
{
    char path[PATH_MAX];
    fm_journal_path(journal, segment, "", path);
    int result = journal->layer->unlink(path);
    if (result < 0)
        fm_log(FM_LOG_WARN, "journal_segment_stays", "file", path, "error", fm_error_text(result), NULL);
    size_t i = 0;
    while (i < journal->segment_count && journal->segments[i] != segment)
        i++;
    FM_ASSERT(i < journal->segment_count);
    journal->segment_count--;
    memmove(journal->segments + i, journal->segments + i + 1,
            (journal->segment_count - i) * sizeof(journal->segments[0]));
    journal->disk_bytes -= segment->file_size;
    fm_journal_count(journal, FM_METRIC_JOURNAL_SEGMENTS, UINT64_MAX); /* one less */
    free(segment);
}

void fm_space_drop(fm_journal *journal, fm_segment *segment)
{
    pthread_mutex_lock(&journal->lock);
    drop(journal, segment);
    pthread_mutex_unlock(&journal->lock);
}

/* Under the journal's lock, all of it: a reader must not begin with a list that names a file on its way out. */
static bool retain(fm_journal *journal)
{
    if (journal->disk_bytes <= journal->retain_bytes || journal->readers > 0)
        return false;
    fm_segment *segment = oldest_removable(journal);
    if (segment == NULL)
        return false;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        if (segment->range.last[p] > journal->floor[p])
            journal->floor[p] = segment->range.last[p];
    }
    /* What is gone is said before it goes, so that the rest is never taken for a journal with a hole. */
    int result = fm_meta_write(journal);
    if (result == 0) {
        drop(journal, segment);
        result = journal->layer->sync_folder(journal->directory);
    }
    if (result < 0)
        fm_log(FM_LOG_WARN, "journal_retention_failed", "error", fm_error_text(result), NULL);
    return result == 0;
}

bool fm_space_retain(fm_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    bool removed = retain(journal);
    pthread_mutex_unlock(&journal->lock);
    return removed;
}
