/* journal/file_layout.c - names, checksums and headers of segment files. */
#include "journal/file_layout.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

/* What the checksum of a frame covers besides the payload. */
#define COVERED_OFFSET (offsetof(fm_frame_header, crc) + sizeof(uint32_t))
#define COVERED_SIZE   (sizeof(fm_frame_header) - COVERED_OFFSET)

void fm_segment_name(const fm_segment *segment, char out[FM_SEGMENT_NAME_SIZE])
{
    int length =
        snprintf(out, FM_SEGMENT_NAME_SIZE, "%010llu-%03u-%08llu.seg", (unsigned long long)segment->incarnation,
                 segment->writer, (unsigned long long)segment->index);
    FM_ASSERT(length > 0 && length < FM_SEGMENT_NAME_SIZE);
}

/* Exactly `digits` decimal digits; the text behind them, or NULL. */
static const char *parse_digits(const char *text, int digits, uint64_t *out)
{
    uint64_t value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return NULL;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return text + digits;
}

bool fm_segment_parse_name(const char *name, fm_segment *out)
{
    uint64_t incarnation, writer, index;
    const char *text = parse_digits(name, 10, &incarnation);
    if (text == NULL || *text != '-')
        return false;
    text = parse_digits(text + 1, 3, &writer);
    if (text == NULL || *text != '-')
        return false;
    text = parse_digits(text + 1, 8, &index);
    if (text == NULL || strcmp(text, ".seg") != 0)
        return false;
    out->incarnation = incarnation;
    out->writer = (uint32_t)writer;
    out->index = index;
    return true;
}

int fm_segment_compare(const void *a, const void *b)
{
    const fm_segment *x = *(fm_segment *const *)a, *y = *(fm_segment *const *)b;
    if (x->incarnation != y->incarnation)
        return x->incarnation < y->incarnation ? -1 : 1;
    if (x->writer != y->writer)
        return x->writer < y->writer ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

uint32_t fm_segment_seed(const fm_segment *segment)
{
    uint64_t identity[3] = {segment->incarnation, segment->writer, segment->index};
    return fm_crc32c(FM_SEGMENT_LAYOUT, identity, sizeof(identity));
}

void fm_segment_make_header(const fm_segment *segment, fm_segment_header *out)
{
    *out = (fm_segment_header){
        .magic = FM_SEGMENT_MAGIC,
        .layout = FM_SEGMENT_LAYOUT,
        .writer = segment->writer,
        .incarnation = segment->incarnation,
        .index = segment->index,
        .created_ns = segment->created_ns,
        .segment_bytes = segment->segment_bytes,
    };
    out->crc = fm_crc32c(0, out, offsetof(fm_segment_header, crc));
}

int fm_segment_check_header(const fm_segment_header *header, fm_segment *segment)
{
    if (header->magic != FM_SEGMENT_MAGIC || header->crc != fm_crc32c(0, header, offsetof(fm_segment_header, crc)))
        return FM_ECORRUPT;
    if (header->layout != FM_SEGMENT_LAYOUT)
        return FM_EVERSION;
    if (header->writer != segment->writer || header->incarnation != segment->incarnation ||
        header->index != segment->index)
        return FM_ECORRUPT;
    if (header->segment_bytes < FM_SEGMENT_BYTES_MIN || header->segment_bytes > FM_SEGMENT_BYTES_MAX)
        return FM_ECORRUPT;
    segment->created_ns = header->created_ns;
    segment->segment_bytes = header->segment_bytes;
    return 0;
}

static uint32_t frame_crc(const fm_frame_header *header, uint32_t seed, const void *payload)
{
    uint32_t crc = fm_crc32c(seed, (const char *)header + COVERED_OFFSET, COVERED_SIZE);
    return fm_crc32c(crc, payload, header->size);
}

void fm_frame_finish(fm_frame_header *header, uint32_t seed, const void *payload)
{
    header->magic = FM_FRAME_MAGIC;
    header->crc = frame_crc(header, seed, payload);
}

bool fm_frame_valid(const fm_frame_header *header, uint32_t seed, const void *payload)
{
    return header->magic == FM_FRAME_MAGIC && header->crc == frame_crc(header, seed, payload);
}

void fm_seal_make(const fm_segment *segment, uint64_t synced, char out[FM_SEAL_SIZE])
{
    fm_frame_header header = {.size = sizeof(fm_seal), .partition = FM_FRAME_SEAL, .synced = synced};
    fm_frame_finish(&header, fm_segment_seed(segment), &segment->range);
    memcpy(out, &header, sizeof(header));
    memcpy(out + sizeof(header), &segment->range, sizeof(fm_seal));
}
