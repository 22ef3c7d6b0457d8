/* journal/file_read.c - the frames of earlier runs, in order per partition, and the proof that none is missing.
 *
 * Runs come one after another; within a run a partition has one writer, so writer after writer is in order for each
 * partition. */
#include "journal/file_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct journal_read {
    fm_journal *journal;
    uint64_t partitions;
    const uint64_t *after;             /* NULL = 0 everywhere */
    uint64_t next[FM_PARTITION_COUNT]; /* expected; 0 = none was met yet */
    uint64_t floor[FM_PARTITION_COUNT];
    fm_scan scan;
    fm_frame_visit visit;
    void *context;
    fm_error *error;
} journal_read;

static bool wanted(const journal_read *reader, uint32_t partition)
{
    return reader->partitions >> partition & 1;
}

static uint64_t after_of(const journal_read *reader, uint32_t partition)
{
    return reader->after == NULL ? 0 : reader->after[partition];
}

/* Sequences [first, last] of a partition come now. They must join what came before; the first of all must not lie
 * behind a hole that retention did not make, nor behind one between them and what the caller has. */
static int follow(journal_read *reader, uint32_t partition, uint64_t first, uint64_t last, uint64_t offset)
{
    uint64_t *next = &reader->next[partition];
    uint64_t after = after_of(reader, partition);
    uint64_t expected = *next != 0 ? *next : 1 + (after > 0 ? after : reader->floor[partition]);
    bool joins = *next != 0 ? first == expected : first <= expected;
    if (joins && last >= first && last != UINT64_MAX) {
        *next = last + 1;
        return 0;
    }
    if (reader->error != NULL)
        snprintf(reader->error->file, sizeof(reader->error->file), "%.255s", reader->scan.path);
    return fm_fail(reader->error, FM_ECORRUPT,
                   "journal segment \"%s\" at offset %" PRIu64 ": partition %u goes on with sequence %" PRIu64
                   " where %" PRIu64 " is expected",
                   reader->scan.path, offset, partition, first, expected);
}

static int damaged(journal_read *reader)
{
    return fm_fail(reader->error, FM_ECORRUPT, "journal segment \"%s\" is damaged at offset %" PRIu64,
                   reader->scan.path, reader->scan.offset);
}

static int read_frame(journal_read *reader, const fm_frame_header *header, const char *payload, uint64_t offset)
{
    uint32_t partition = header->partition;
    uint64_t last = header->first_sequence + header->count - 1;
    if (!wanted(reader, partition))
        return 0;
    FM_TRY(follow(reader, partition, header->first_sequence, last, offset));
    if (last <= after_of(reader, partition))
        return 0;
    fm_frame frame = {
        .partition = partition,
        .count = header->count,
        .first_sequence = header->first_sequence,
        .receive_ns = header->receive_ns,
        .events = payload,
        .size = header->size,
        .file = reader->scan.path,
        .offset = offset,
    };
    int result = reader->visit(reader->context, &frame);
    return result < 0 ? result : 0;
}

static int read_segment(journal_read *reader, const fm_segment *segment)
{
    FM_TRY(fm_scan_open(&reader->scan, reader->journal->directory, segment, reader->error));
    for (;;) {
        uint64_t offset = reader->scan.offset;
        if (!segment->sealed && offset == segment->end)
            return 0; /* read only: the tail that a running or dead process left */
        fm_frame_header header;
        const char *payload;
        int found = fm_scan_next(&reader->scan, &header, &payload);
        if (found < 0)
            return fm_fail(reader->error, found, "could not read journal segment \"%s\"", reader->scan.path);
        if (found == FM_SCAN_BAD)
            return damaged(reader);
        if (found == FM_SCAN_SEAL)
            return offset == segment->end && memcmp(payload, &segment->range, sizeof(fm_seal)) == 0 ? 0
                                                                                                    : damaged(reader);
        FM_TRY(read_frame(reader, &header, payload, offset));
    }
}

/* A segment that has nothing new is not read; its seal says what was in it. */
static bool has_news(const journal_read *reader, const fm_segment *segment)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        if (wanted(reader, p) && segment->range.last[p] > after_of(reader, p))
            return true;
    }
    return false;
}

static int pass_over(journal_read *reader, const fm_segment *segment)
{
    fm_journal_path(reader->journal, segment, "", reader->scan.path);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        if (wanted(reader, p) && segment->range.last[p] > 0)
            FM_TRY(follow(reader, p, segment->range.first[p], segment->range.last[p], segment->end));
    }
    return 0;
}

/* What stood there when the journal was opened. Counted as a reader, so that retention waits. */
static fm_segment **borrow_segments(fm_journal *journal, uint64_t floor[FM_PARTITION_COUNT], size_t *count)
{
    pthread_mutex_lock(&journal->lock);
    fm_segment **segments = malloc((journal->segment_count + 1) * sizeof(segments[0]));
    *count = 0;
    for (size_t i = 0; segments != NULL && i < journal->segment_count; i++) {
        if (journal->read_only || journal->segments[i]->incarnation != journal->incarnation)
            segments[(*count)++] = journal->segments[i];
    }
    memcpy(floor, journal->floor, sizeof(journal->floor));
    journal->readers += segments != NULL;
    pthread_mutex_unlock(&journal->lock);
    return segments;
}

void fm_journal_extent(fm_journal *journal, uint32_t partition, uint64_t incarnation, uint64_t *removed, uint64_t *last)
{
    pthread_mutex_lock(&journal->lock);
    *removed = *last = journal->floor[partition];
    for (size_t i = 0; i < journal->segment_count; i++) {
        const fm_segment *segment = journal->segments[i];
        bool then = segment->incarnation <= incarnation && (journal->read_only || segment->incarnation != journal->incarnation);
        if (then && segment->range.last[partition] > *last)
            *last = segment->range.last[partition];
    }
    pthread_mutex_unlock(&journal->lock);
}

int fm_journal_read(fm_journal *journal, uint64_t partitions, const uint64_t after[FM_PARTITION_COUNT],
                    fm_frame_visit visit, void *context, fm_error *error)
{
    journal_read *reader = calloc(1, sizeof(*reader));
    size_t count;
    fm_segment **segments = reader == NULL ? NULL : borrow_segments(journal, reader->floor, &count);
    if (segments == NULL) {
        free(reader);
        return fm_fail(error, FM_ENOMEM, "no memory to read the journal");
    }
    reader->journal = journal;
    reader->partitions = partitions;
    reader->after = after;
    reader->visit = visit;
    reader->context = context;
    reader->error = error;
    fm_scan_init(&reader->scan, journal->layer);

    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = has_news(reader, segments[i]) ? read_segment(reader, segments[i]) : pass_over(reader, segments[i]);

    fm_scan_fini(&reader->scan);
    free(reader);
    free(segments);
    pthread_mutex_lock(&journal->lock);
    journal->readers--;
    pthread_mutex_unlock(&journal->lock);
    return result;
}
