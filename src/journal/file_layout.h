/* journal/file_layout.h - the bytes of a segment file (docs/decisions/0004-journal-format.md).
 *
 *   segment = header (64 bytes), frame, frame, …, seal
 *   frame   = fm_frame_header (48 bytes), events (a multiple of 8 bytes)
 *   seal    = a frame without events whose payload is fm_seal: the segment is whole and ends here
 *
 * Numbers are little-endian. Everything begins at a multiple of 8. Every checksum starts from the segment's identity,
 * so that bytes that belong elsewhere (an older file, another writer) are never taken for this segment's. A position is
 * a point in the log of one writer in one run: index * segment_bytes + offset. */
#ifndef FM_JOURNAL_FILE_LAYOUT_H
#define FM_JOURNAL_FILE_LAYOUT_H

#include "base/error.h"
#include "base/event.h"
#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FM_SEGMENT_MAGIC  UINT64_C(0x314c4e4a53444d46) /* "FMDSJNL1" */
#define FM_SEGMENT_LAYOUT 1u
#define FM_FRAME_MAGIC    UINT32_C(0xf5464da7) /* no text and no small number */
#define FM_FRAME_SEAL     UINT32_C(0xffffffff) /* the partition of a seal */

#define FM_SEGMENT_BYTES_MIN (UINT64_C(64) << 10)
#define FM_SEGMENT_BYTES_MAX (UINT64_C(1) << 30)
#define FM_JOURNAL_EVENT_MAX 8192u /* an event with its extra words */
#define FM_WRITERS_MAX       999u
#define FM_SEGMENT_NAME_SIZE 32 /* "0000000003-002-00000017.seg" and NUL */

typedef struct fm_segment_header {
    uint64_t magic;
    uint32_t layout;
    uint32_t writer;
    uint64_t incarnation;
    uint64_t index;
    int64_t created_ns;
    uint64_t segment_bytes; /* of the run that made it: what positions are counted in */
    uint64_t unused;
    uint32_t unused32;
    uint32_t crc;
} fm_segment_header;

typedef struct fm_frame_header {
    uint32_t magic;
    uint32_t crc;   /* of all behind it, to the end of the payload */
    uint32_t size;  /* of the payload */
    uint32_t count; /* events */
    uint32_t partition;
    uint32_t unused;
    uint64_t first_sequence;
    int64_t receive_ns;
    uint64_t synced; /* position up to which this writer's log was on the disk when the frame was made */
} fm_frame_header;

typedef struct fm_seal {
    uint64_t first[FM_PARTITION_COUNT]; /* sequences in this segment; 0 = none */
    uint64_t last[FM_PARTITION_COUNT];
} fm_seal;

static_assert(sizeof(fm_segment_header) == 64 && sizeof(fm_frame_header) == 48, "the layout on disk");

#define FM_SEAL_SIZE (sizeof(fm_frame_header) + sizeof(fm_seal))

/* A segment as the process knows it. */
typedef struct fm_segment {
    uint64_t incarnation;
    uint64_t index;
    uint32_t writer;
    bool sealed;   /* ends with a seal that is the end of the file: whole and on the disk */
    bool finished; /* nothing will be added */
    int64_t created_ns;
    uint64_t segment_bytes;
    uint64_t end; /* offset behind the last frame; a seal stands there or will */
    uint64_t file_size;
    fm_file *file; /* while it is written; else NULL */
    fm_seal range;
} fm_segment;

/* Frames may take a segment up to here: room for the seal, and 8 bytes so that a seal reaches the end of the file only
 * when the file was cut to it, which is done after a sync. */
static inline uint64_t fm_segment_limit(uint64_t segment_bytes)
{
    return segment_bytes - FM_SEAL_SIZE - 8;
}
static inline uint64_t fm_segment_position(const fm_segment *segment, uint64_t offset)
{
    return segment->index * segment->segment_bytes + offset;
}

void fm_segment_name(const fm_segment *segment, char out[FM_SEGMENT_NAME_SIZE]);
bool fm_segment_parse_name(const char *name, fm_segment *out); /* fills incarnation, writer, index */
int fm_segment_compare(const void *a, const void *b);          /* qsort over fm_segment *: incarnation, writer, index */

uint32_t fm_segment_seed(const fm_segment *segment); /* where checksums of its frames start */

void fm_segment_make_header(const fm_segment *segment, fm_segment_header *out);
/* Fills created_ns and segment_bytes. FM_EVERSION for another layout, FM_ECORRUPT unless it is this segment's header.
 */
int fm_segment_check_header(const fm_segment_header *header, fm_segment *segment) FM_CHECKED;

/* Sets magic and crc; the payload may stand anywhere. */
void fm_frame_finish(fm_frame_header *header, uint32_t seed, const void *payload);
/* Whole and of this segment? The payload is header->size bytes; the caller has seen that they are there. */
bool fm_frame_valid(const fm_frame_header *header, uint32_t seed, const void *payload);

/* The seal's bytes, for the end of a segment. */
void fm_seal_make(const fm_segment *segment, uint64_t synced, char out[FM_SEAL_SIZE]);

/* Notes that the segment has these sequences. */
static inline void fm_seal_note(fm_seal *range, uint32_t partition, uint64_t first, uint64_t last)
{
    if (range->first[partition] == 0)
        range->first[partition] = first;
    range->last[partition] = last;
}

#endif
