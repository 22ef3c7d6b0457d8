/* journal/file_writer.c - a shard's side of the journal: reserve, append, flush.
 *
 * A frame is made in the writer's buffer (one copy, one checksum over bytes that are still in the cache), and a flush
 * hands the buffer to the system in one write, after clearing the 64 KiB that it ends in when it is the first there.
 * Events are never cut, but a frame that would cross the end of a segment becomes two, so that a segment's end wastes
 * less than one event and a reservation is a plain sum of bytes. */
#include "journal/file_state.h"

#include "base/assert.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

int fm_writer_init(fm_journal_writer *writer, fm_journal *journal, uint32_t index)
{
    writer->journal = journal;
    writer->index = index;
    writer->buffer = malloc(FM_JOURNAL_BUFFER_SIZE);
    if (writer->buffer == NULL)
        return FM_ENOMEM;
    memset(writer->buffer, 0, FM_JOURNAL_BUFFER_SIZE); /* its pages are there before the first tick */
    pthread_mutex_init(&writer->lock, NULL);
    atomic_store(&writer->room, -FM_JOURNAL_SLACK);
    atomic_store(&writer->needed, 1 + FM_JOURNAL_AHEAD);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        writer->next[p] = journal->floor[p] + 1;
    for (size_t i = 0; i < journal->segment_count; i++) {
        const fm_seal *range = &journal->segments[i]->range;
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
            if (range->last[p] >= writer->next[p])
                writer->next[p] = range->last[p] + 1;
        }
    }
    return 0;
}

void fm_writer_fini(fm_journal_writer *writer)
{
    if (writer->buffer == NULL)
        return;
    free(writer->buffer);
    pthread_mutex_destroy(&writer->lock);
}

/* The fold may not run ahead of the log, so there is no way on. */
static _Noreturn void die(const fm_journal_writer *writer, const char *event, int code)
{
    char path[PATH_MAX] = "";
    if (writer->segment != NULL)
        fm_journal_path(writer->journal, writer->segment, "", path);
    fm_log(FM_LOG_ERROR, event, "writer", fm_log_int(writer->index), "file", path, "offset",
           fm_log_int((int64_t)writer->offset), "error", fm_error_text(code), NULL);
    abort();
}

/* ---- reservations ---- */

int fm_journal_reserve(fm_journal_writer *writer, uint64_t bytes)
{
    const fm_journal *journal = writer->journal;
    uint64_t largest =
        fm_segment_limit(journal->segment_bytes) - sizeof(fm_segment_header) - (uint64_t)FM_JOURNAL_SLACK;
    if (bytes > largest || fm_writer_cost(bytes) > (int64_t)largest)
        return FM_batch_too_large;
    int64_t cost = fm_writer_cost(bytes);
    int64_t before = atomic_fetch_add(&writer->reserved, cost);
    if (before + cost <= atomic_load(&writer->room))
        return 0;
    atomic_fetch_sub(&writer->reserved, cost);
    return atomic_load_explicit(&journal->full, memory_order_relaxed) ? FM_journal_full : FM_queue_full;
}

void fm_journal_unreserve(fm_journal_writer *writer, uint64_t bytes)
{
    atomic_fetch_sub(&writer->reserved, fm_writer_cost(bytes));
}

/* What was appended leaves the room first and then the reservations: a reserve in between sees too little, never too
 * much. */
static void settle(fm_journal_writer *writer)
{
    atomic_fetch_sub(&writer->room, (int64_t)(writer->appended_bytes + writer->wasted_bytes));
    int64_t held = atomic_load(&writer->reserved), cost = (int64_t)writer->appended_cost;
    atomic_fetch_sub(&writer->reserved,
                     cost < held ? cost : held); /* appends that nobody reserved take nothing from others for long */
    writer->appended_bytes = 0;
    writer->wasted_bytes = 0;
    writer->appended_cost = 0;
}

/* ---- segments ---- */

/* The system gives a file pages as large as the write that needs them, and the price is by the page. So the 64 KiB that
 * a write ends in get theirs from a write of zeros over all of it, which is what the preallocated file has there
 * anyway; this write, and those that go on behind it, then find large pages. */
static void clear(fm_journal_writer *writer, uint64_t end)
{
    fm_journal *journal = writer->journal;
    uint64_t from = (end - 1) / FM_JOURNAL_CLEAR_SIZE * FM_JOURNAL_CLEAR_SIZE, to = from + FM_JOURNAL_CLEAR_SIZE;
    if (from < writer->cleared)
        from = writer->cleared;
    if (to > journal->segment_bytes)
        to = journal->segment_bytes;
    FM_ASSERT(from < end && end <= to);
    int result = journal->layer->write(writer->segment->file, journal->zeros, (size_t)(to - from), from);
    if (result < 0)
        die(writer, "journal_write_failed", result);
    writer->cleared = to;
}

static void write_at(fm_journal_writer *writer, const void *data, size_t size, uint64_t offset)
{
    if (offset + size > writer->cleared)
        clear(writer, offset + size);
    int result = writer->journal->layer->write(writer->segment->file, data, size, offset);
    if (result < 0)
        die(writer, "journal_write_failed", result);
}

static void drain(fm_journal_writer *writer)
{
    if (writer->buffer_used > 0)
        write_at(writer, writer->buffer, writer->buffer_used, writer->offset - writer->buffer_used);
    writer->buffer_used = 0;
}

static void put_seal(fm_journal_writer *writer)
{
    if (FM_JOURNAL_BUFFER_SIZE - writer->buffer_used < FM_SEAL_SIZE)
        drain(writer);
    writer->segment->end = writer->offset;
    fm_seal_make(writer->segment, atomic_load_explicit(&writer->synced, memory_order_acquire),
                 writer->buffer + writer->buffer_used);
    writer->buffer_used += FM_SEAL_SIZE;
    writer->offset += FM_SEAL_SIZE;
    drain(writer);
}

/* The syncer makes segments ahead of need; only when appends outran reservations is there none, and the shard waits
 * here. */
static void wait_for_segment(fm_journal_writer *writer, uint64_t index)
{
    pthread_mutex_lock(&writer->lock);
    while (atomic_load_explicit(&writer->ready, memory_order_acquire) <= index) {
        int result = fm_space_prepare(writer, true);
        if (result == FM_EBUSY)
            fm_syncer_pass(writer); /* frees slots */
        else if (result < 0)
            die(writer, "journal_segment_missing", result);
    }
    pthread_mutex_unlock(&writer->lock);
}

static void next_segment(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    uint64_t index = 0;
    if (writer->segment != NULL) {
        writer->wasted_bytes += fm_segment_limit(journal->segment_bytes) - writer->offset;
        put_seal(writer);
        index = writer->segment_index + 1;
        writer->rolled = true;
        /* All of the old segment is written; from here on the syncer may have it. */
        atomic_store(&writer->written, index * journal->segment_bytes);
        writer->segment = NULL;
    }
    atomic_store(&writer->needed, index + 1 + FM_JOURNAL_AHEAD);
    fm_syncer_wake(journal);
    if (atomic_load_explicit(&writer->ready, memory_order_acquire) <= index)
        wait_for_segment(writer, index);
    writer->segment = writer->slot[index % FM_JOURNAL_SLOTS];
    writer->seed = fm_segment_seed(writer->segment);
    writer->segment_index = index;
    writer->offset = sizeof(fm_segment_header);
    /* With sync = always the syncer has cleared all of it. */
    writer->cleared = journal->sync == FM_SYNC_ALWAYS ? journal->segment_bytes : writer->offset;
}

/* ---- frames ---- */

static void put_frame(fm_journal_writer *writer, fm_frame_header *header, const char *events)
{
    size_t total = sizeof(*header) + header->size;
    header->synced = atomic_load_explicit(&writer->synced, memory_order_acquire);
    if (total > FM_JOURNAL_BUFFER_SIZE - writer->buffer_used)
        drain(writer);
    if (total <= FM_JOURNAL_BUFFER_SIZE) {
        char *at = writer->buffer + writer->buffer_used;
        memcpy(at + sizeof(*header), events, header->size);
        fm_frame_finish(header, writer->seed, at + sizeof(*header));
        memcpy(at, header, sizeof(*header));
        writer->buffer_used += total;
    } else { /* the buffer is empty */
        fm_frame_finish(header, writer->seed, events);
        write_at(writer, header, sizeof(*header), writer->offset);
        write_at(writer, events, header->size, writer->offset + sizeof(*header));
    }
    writer->offset += total;
    writer->appended_bytes += total;
    writer->appended_frames++;
    fm_seal_note(&writer->segment->range, header->partition, header->first_sequence,
                 header->first_sequence + header->count - 1);
}

/* How many whole events fit into `room` bytes. */
static uint32_t events_within(const char *events, size_t room, size_t *size)
{
    uint32_t count = 0;
    *size = 0;
    for (;;) {
        uint16_t extra_words;
        memcpy(&extra_words, events + *size + offsetof(fm_event, extra_words), sizeof(extra_words));
        size_t event_size = sizeof(fm_event) + (size_t)8 * extra_words;
        FM_ASSERT(event_size <= FM_JOURNAL_EVENT_MAX);
        if (*size + event_size > room)
            return count;
        *size += event_size;
        count++;
    }
}

void fm_journal_append(fm_journal_writer *writer, uint32_t partition, uint64_t first_sequence, uint32_t count,
                       int64_t receive_ns, const void *events, size_t size)
{
    FM_ASSERT(partition < FM_PARTITION_COUNT);
    FM_ASSERT(first_sequence == writer->next[partition]);
    FM_ASSERT(fm_events_fill(events, size, count));
    writer->next[partition] += count;
    writer->appended_cost += (uint64_t)fm_writer_cost(size);
    if (writer->segment == NULL)
        next_segment(writer);

    const char *at = events;
    uint64_t limit = fm_segment_limit(writer->journal->segment_bytes);
    while (count > 0) {
        size_t room = (size_t)(limit - writer->offset), part_size = size;
        room -= room < sizeof(fm_frame_header) ? room : sizeof(fm_frame_header);
        uint32_t part = size <= room ? count : events_within(at, room, &part_size);
        if (part > 0) {
            fm_frame_header header = {
                .size = (uint32_t)part_size,
                .count = part,
                .partition = partition,
                .first_sequence = first_sequence,
                .receive_ns = receive_ns,
            };
            put_frame(writer, &header, at);
            at += part_size;
            size -= part_size;
            count -= part;
            first_sequence += part;
        }
        if (count > 0)
            next_segment(writer);
    }
}

uint64_t fm_journal_flush(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    if (writer->appended_frames == 0)
        return atomic_load_explicit(&writer->written, memory_order_relaxed);
    drain(writer);
    fm_journal_count(journal, FM_METRIC_JOURNAL_BYTES, writer->appended_bytes);
    fm_journal_count(journal, FM_METRIC_JOURNAL_FRAMES, writer->appended_frames);
    writer->appended_frames = 0;
    settle(writer);
    uint64_t position = fm_segment_position(writer->segment, writer->offset);
    atomic_store(&writer->written, position);
    if (journal->sync != FM_SYNC_OFF && atomic_load(&journal->sleep) == FM_SLEEPS)
        fm_syncer_wake(journal);
    return position;
}

uint64_t fm_journal_written(const fm_journal_writer *writer)
{
    return atomic_load_explicit(&writer->written, memory_order_acquire);
}

uint64_t fm_journal_synced(const fm_journal_writer *writer)
{
    return atomic_load_explicit(&writer->synced, memory_order_acquire);
}

void fm_journal_on_synced(fm_journal_writer *writer, void (*call)(void *context), void *context)
{
    writer->on_synced_context = context;
    atomic_store_explicit(&writer->on_synced, call, memory_order_release);
}

bool fm_journal_rolled(fm_journal_writer *writer)
{
    bool rolled = writer->rolled;
    writer->rolled = false;
    return rolled;
}

/* ---- close ---- */

static int finish_segment(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    fm_segment *segment = writer->segment;
    FM_TRY(journal->layer->sync(segment->file));
    uint64_t position = fm_segment_position(segment, writer->offset);
    atomic_store(&writer->synced, position);
    put_seal(writer);
    FM_TRY(journal->layer->sync(segment->file));
    FM_TRY(journal->layer->truncate(segment->file, writer->offset));
    return 0;
}

/* FM_SYNC_OFF: segments that were closed unsynced. Only after a sync may a seal stand at the end of the file. */
static int sync_finished(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    for (size_t i = 0; i < journal->segment_count; i++) {
        fm_segment *segment = journal->segments[i];
        if (segment->incarnation != journal->incarnation || segment->writer != writer->index || segment->sealed ||
            !segment->finished)
            continue;
        char path[PATH_MAX];
        fm_journal_path(journal, segment, "", path);
        fm_file *file;
        FM_TRY(journal->layer->open(path, FM_FILE_CREATE, &file));
        int result = journal->layer->sync(file);
        if (result == 0)
            result = journal->layer->truncate(file, segment->end + FM_SEAL_SIZE);
        journal->layer->close(file);
        FM_TRY(result);
    }
    return 0;
}

void fm_writer_finish(fm_journal_writer *writer)
{
    fm_journal *journal = writer->journal;
    (void)fm_journal_flush(writer);
    fm_space_abandon(writer);
    fm_syncer_pass(writer);
    int result = sync_finished(writer);
    if (result == 0 && writer->segment != NULL)
        result = finish_segment(writer);
    if (result < 0) /* the next opening repairs it as after a crash */
        fm_log(FM_LOG_ERROR, "journal_close_failed", "writer", fm_log_int(writer->index), "error",
               fm_error_text(result), NULL);
    for (uint64_t i = 0; i < FM_JOURNAL_SLOTS; i++) {
        fm_segment *segment = writer->slot[i];
        if (segment == NULL)
            continue;
        journal->layer->close(segment->file);
        segment->file = NULL;
        if (segment != writer->segment)
            fm_space_drop(journal, segment);
    }
}
