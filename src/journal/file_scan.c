/* journal/file_scan.c - reading segment files. */
#include "journal/file_scan.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_SIZE = 1 << 20 };

void fm_scan_init(fm_scan *scan, const fm_file_layer *layer)
{
    memset(scan, 0, sizeof(*scan));
    scan->layer = layer;
}

void fm_scan_fini(fm_scan *scan)
{
    fm_scan_close(scan);
    free(scan->window);
    scan->window = NULL;
    scan->capacity = 0;
}

void fm_scan_close(fm_scan *scan)
{
    if (scan->file != NULL)
        scan->layer->close(scan->file);
    scan->file = NULL;
}

int fm_scan_open(fm_scan *scan, const char *directory, const fm_segment *segment, fm_error *error)
{
    fm_scan_close(scan);
    char name[FM_SEGMENT_NAME_SIZE];
    fm_segment_name(segment, name);
    int length = snprintf(scan->path, sizeof(scan->path), "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof(scan->path))
        return fm_fail(error, FM_EINVAL, "could not open a segment in \"%s\": the path is too long", directory);
    int result = scan->layer->open(scan->path, FM_FILE_READ, &scan->file);
    if (result < 0) {
        scan->file = NULL;
        return fm_fail(error, result, "could not open journal segment \"%s\": %s", scan->path, fm_error_text(result));
    }
    int64_t size = scan->layer->size(scan->file);
    if (size < 0)
        return fm_fail(error, FM_EIO, "could not read the size of journal segment \"%s\"", scan->path);
    scan->file_size = (uint64_t)size;
    scan->seed = fm_segment_seed(segment);
    scan->offset = sizeof(fm_segment_header);
    scan->window_offset = 0;
    scan->window_size = 0;
    return 0;
}

static int grow(fm_scan *scan, size_t size)
{
    if (size <= scan->capacity)
        return 0;
    size_t capacity = size > WINDOW_SIZE ? size : WINDOW_SIZE;
    char *window = realloc(scan->window, capacity);
    if (window == NULL)
        return FM_ENOMEM;
    scan->window = window;
    scan->capacity = capacity;
    return 0;
}

int fm_scan_bytes(fm_scan *scan, uint64_t offset, size_t size, const char **out)
{
    if (offset > scan->file_size || size > scan->file_size - offset)
        return 0;
    bool inside = offset >= scan->window_offset && offset - scan->window_offset <= scan->window_size &&
                  size <= scan->window_size - (size_t)(offset - scan->window_offset);
    if (!inside) {
        FM_TRY(grow(scan, size));
        ssize_t got = scan->layer->read(scan->file, scan->window, scan->capacity, offset);
        if (got < 0)
            return (int)got;
        scan->window_offset = offset;
        scan->window_size = (size_t)got;
        if ((size_t)got < size)
            return 0; /* cut by somebody else meanwhile */
    }
    *out = scan->window + (offset - scan->window_offset);
    return 1;
}

bool fm_events_fill(const void *events, size_t size, uint32_t count)
{
    size_t at = 0;
    uint32_t found = 0;
    while (size - at >= sizeof(fm_event)) {
        uint16_t extra_words;
        memcpy(&extra_words, (const char *)events + at + offsetof(fm_event, extra_words), sizeof(extra_words));
        at += sizeof(fm_event) + (size_t)8 * extra_words;
        found++;
        if (FM_UNLIKELY(at > size))
            return false;
    }
    return at == size && found == count && count > 0;
}

/* The frame at `offset`, an fm_scanned or negative. */
static int frame_at(fm_scan *scan, uint64_t offset, fm_frame_header *header, const char **payload)
{
    const char *bytes = NULL;
    int there = fm_scan_bytes(scan, offset, sizeof(*header), &bytes);
    if (there <= 0)
        return there < 0 ? there : FM_SCAN_BAD;
    memcpy(header, bytes, sizeof(*header));
    if (header->magic != FM_FRAME_MAGIC || header->size % 8 != 0)
        return FM_SCAN_BAD;
    there = fm_scan_bytes(scan, offset, sizeof(*header) + header->size, &bytes);
    if (there <= 0)
        return there < 0 ? there : FM_SCAN_BAD;
    const char *behind = bytes + sizeof(*header);
    if (!fm_frame_valid(header, scan->seed, behind))
        return FM_SCAN_BAD;
    *payload = behind;
    if (header->partition == FM_FRAME_SEAL)
        return header->size == sizeof(fm_seal) ? FM_SCAN_SEAL : FM_SCAN_BAD;
    bool sound = header->partition < FM_PARTITION_COUNT && header->first_sequence > 0 &&
                 fm_events_fill(behind, header->size, header->count);
    return sound ? FM_SCAN_FRAME : FM_SCAN_BAD;
}

int fm_scan_next(fm_scan *scan, fm_frame_header *header, const char **payload)
{
    int found = frame_at(scan, scan->offset, header, payload);
    if (found == FM_SCAN_FRAME)
        scan->offset += sizeof(*header) + header->size;
    return found;
}

int fm_scan_tail_seal(fm_scan *scan, fm_seal *range, uint64_t *synced, uint64_t *seal_offset)
{
    if (scan->file_size < sizeof(fm_segment_header) + FM_SEAL_SIZE || scan->file_size % 8 != 0)
        return 0;
    uint64_t offset = scan->file_size - FM_SEAL_SIZE;
    fm_frame_header header;
    const char *payload;
    int found = frame_at(scan, offset, &header, &payload);
    if (found != FM_SCAN_SEAL)
        return found < 0 ? found : 0;
    memcpy(range, payload, sizeof(*range));
    *synced = header.synced;
    *seal_offset = offset;
    return 1;
}

/* Bytes of `size` that are left when the zeros at the end are taken away. */
static size_t without_zeros(const char *bytes, size_t size)
{
    while (size >= 8) {
        uint64_t word;
        memcpy(&word, bytes + size - 8, 8);
        if (word != 0)
            break;
        size -= 8;
    }
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size;
}

static int survey_end(fm_scan *scan, uint64_t offset, fm_survey *out)
{
    out->end = offset;
    for (uint64_t at = offset; at < scan->file_size;) {
        size_t size = scan->file_size - at < WINDOW_SIZE ? (size_t)(scan->file_size - at) : WINDOW_SIZE;
        const char *bytes = NULL;
        int there = fm_scan_bytes(scan, at, size, &bytes);
        if (there <= 0)
            return there;
        size_t used = without_zeros(bytes, size);
        if (used > 0)
            out->end = at + used;
        at += size;
    }
    return 0;
}

int fm_scan_survey(fm_scan *scan, uint64_t offset, fm_survey *out)
{
    *out = (fm_survey){0};
    FM_TRY(survey_end(scan, offset, out));
    for (uint64_t at = (offset + 7) / 8 * 8; at < out->end;) {
        fm_frame_header header;
        const char *payload;
        int found = frame_at(scan, at, &header, &payload);
        if (found < 0)
            return found;
        if (found == FM_SCAN_BAD) {
            at += 8;
            continue;
        }
        out->frame_count++;
        if (header.synced > out->synced)
            out->synced = header.synced;
        at += sizeof(header) + header.size;
    }
    return 0;
}
