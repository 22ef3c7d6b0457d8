/* journal/file_scan.h - reads the frames of one segment file, one after another, through a window of the file.
 *
 * One scan serves any number of segments in turn; its window grows to the largest frame met (never past a segment) and
 * is freed by fini. Nothing is trusted: a frame counts only when its checksum, its size and its events agree. */
#ifndef FM_JOURNAL_FILE_SCAN_H
#define FM_JOURNAL_FILE_SCAN_H

#include "journal/file_layout.h"

#include <limits.h>

typedef struct fm_scan {
    const fm_file_layer *layer;
    fm_file *file;
    uint32_t seed;
    uint64_t file_size;
    uint64_t offset; /* of the frame that is read next */
    char *window;
    size_t capacity;
    uint64_t window_offset;
    size_t window_size;
    char path[PATH_MAX];
} fm_scan;

typedef enum fm_scanned { FM_SCAN_BAD, FM_SCAN_FRAME, FM_SCAN_SEAL } fm_scanned;

/* What stands behind the last whole frame. */
typedef struct fm_survey {
    uint64_t end;         /* behind the last byte that is not zero; the start when there is none */
    uint64_t frame_count; /* whole frames found further on */
    uint64_t synced;      /* the newest synced position that they tell */
} fm_survey;

void fm_scan_init(fm_scan *scan, const fm_file_layer *layer);
void fm_scan_fini(fm_scan *scan);

/* Opens the file of a segment in `directory`, for reading behind its header. */
int fm_scan_open(fm_scan *scan, const char *directory, const fm_segment *segment, fm_error *error) FM_CHECKED;
void fm_scan_close(fm_scan *scan);

/* Bytes [offset, offset + size) of the file: 1 and *out, 0 when the file is shorter, negative when it could not be
 * read. Valid until the next call. */
int fm_scan_bytes(fm_scan *scan, uint64_t offset, size_t size, const char **out) FM_CHECKED;

/* The frame at scan->offset: an fm_scanned, or negative when the file could not be read. Only a frame moves the offset.
 * The header is a copy, the payload is valid until the next call. */
int fm_scan_next(fm_scan *scan, fm_frame_header *header, const char **payload) FM_CHECKED;

/* The seal that ends the file, into *range and *synced: 1; 0 when the file does not end with one. */
int fm_scan_tail_seal(fm_scan *scan, fm_seal *range, uint64_t *synced, uint64_t *seal_offset) FM_CHECKED;

/* Looks through everything from `offset` on. */
int fm_scan_survey(fm_scan *scan, uint64_t offset, fm_survey *out) FM_CHECKED;

/* True when `count` events fill `size` bytes exactly. */
bool fm_events_fill(const void *events, size_t size, uint32_t count);

#endif
