/* journal/file_meta.c - the small file beside the segments: which run this is, and what retention has removed.
 *
 * Segment names alone would forget both when the last old segment goes. Two slots are written in turn, in place: one of
 * them is always whole, and a full disk cannot keep retention from making room. */
#include "journal/file_state.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META_MAGIC UINT64_C(0x314154454d4c4e4a) /* "JNLMETA1" */
#define SLOT_SIZE  4096u                        /* a block each, so that a torn write spoils one */
#define SLOT_COUNT 2u

typedef struct meta {
    uint64_t magic;
    uint32_t layout;
    uint32_t partition_count;
    uint64_t generation; /* the greater one counts */
    uint64_t incarnation;
    uint64_t floor[FM_PARTITION_COUNT];
    uint32_t unused;
    uint32_t crc;
} meta;

static int meta_path(const fm_journal *journal, char out[PATH_MAX])
{
    int length = snprintf(out, PATH_MAX, "%s/journal.meta", journal->directory);
    return length > 0 && length < PATH_MAX ? 0 : FM_EINVAL;
}

/* The newest whole slot; false when none is. */
static bool newest_slot(const char *data, size_t size, meta *out)
{
    bool found = false;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        meta stored;
        if (slot * SLOT_SIZE + sizeof(stored) > size)
            break;
        memcpy(&stored, data + slot * SLOT_SIZE, sizeof(stored));
        if (stored.magic != META_MAGIC || stored.crc != fm_crc32c(0, &stored, offsetof(meta, crc)))
            continue;
        if (!found || stored.generation > out->generation)
            *out = stored;
        found = true;
    }
    return found;
}

int fm_meta_read(fm_journal *journal, fm_error *error)
{
    char path[PATH_MAX];
    FM_TRY(meta_path(journal, path));
    char *data;
    size_t size;
    int result = fm_file_read_all(journal->layer, path, 1 << 16, &data, &size);
    if (result == FM_ENOTFOUND)
        return fm_fail(error, result, "\"%s\" is no journal: it has no journal.meta", journal->directory);
    if (result < 0)
        return fm_fail(error, result, "could not read \"%s\": %s", path, fm_error_text(result));
    meta stored;
    bool found = newest_slot(data, size, &stored);
    free(data);
    if (!found)
        return fm_fail(error, FM_ECORRUPT, "\"%s\" does not match its checksum", path);
    if (stored.layout != FM_SEGMENT_LAYOUT || stored.partition_count != FM_PARTITION_COUNT)
        return fm_fail(error, FM_EVERSION, "\"%s\" has layout %u and %u partitions; this build reads layout %u and %d",
                       path, stored.layout, stored.partition_count, FM_SEGMENT_LAYOUT, FM_PARTITION_COUNT);
    journal->incarnation = stored.incarnation;
    journal->meta_generation = stored.generation;
    memcpy(journal->floor, stored.floor, sizeof(journal->floor));
    return 0;
}

int fm_meta_write(fm_journal *journal)
{
    char path[PATH_MAX];
    FM_TRY(meta_path(journal, path));
    meta stored = {
        .magic = META_MAGIC,
        .layout = FM_SEGMENT_LAYOUT,
        .partition_count = FM_PARTITION_COUNT,
        .generation = ++journal->meta_generation,
        .incarnation = journal->incarnation,
    };
    memcpy(stored.floor, journal->floor, sizeof(stored.floor));
    stored.crc = fm_crc32c(0, &stored, offsetof(meta, crc));

    fm_file *file;
    FM_TRY(journal->layer->open(path, FM_FILE_CREATE, &file));
    int result = 0;
    if (journal->layer->size(file) < (int64_t)(SLOT_COUNT * SLOT_SIZE))
        result = journal->layer->allocate(file, SLOT_COUNT * SLOT_SIZE);
    if (result == 0)
        result = journal->layer->write(file, &stored, sizeof(stored), stored.generation % SLOT_COUNT * SLOT_SIZE);
    if (result == 0)
        result = journal->layer->sync(file);
    journal->layer->close(file);
    return result;
}
