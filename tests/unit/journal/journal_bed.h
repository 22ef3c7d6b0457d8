/* tests/unit/journal/journal_bed.h - a journal in a folder of its own, events whose content tells where they belong, a
 * reader that checks them. */
#ifndef FM_TESTS_JOURNAL_BED_H
#define FM_TESTS_JOURNAL_BED_H

#include "assert_near.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "journal/journal.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BED_SEGMENT (UINT64_C(64) << 10)

typedef struct fm_bed {
    char directory[PATH_MAX - 256];
    fm_file_layer layer;
    fm_journal_config config;
    fm_journal *journal;
    uint64_t next[FM_PARTITION_COUNT]; /* the sequence that comes next */
} fm_bed;

/* What a reading saw. */
typedef struct fm_seen {
    uint64_t first[FM_PARTITION_COUNT], last[FM_PARTITION_COUNT];
    uint64_t frames, events;
    bool wrong; /* an event that is not the one that was written */
    uint64_t partitions;
} fm_seen;

static inline int bed_sync_nothing(fm_file *file)
{
    (void)file;
    return 0;
}
static inline int bed_sync_no_folder(const char *path)
{
    (void)path;
    return 0;
}

/* The system's files, without waiting for the disk: for claims that are not about power cuts. */
static inline fm_file_layer bed_quick_layer(void)
{
    fm_file_layer layer = fm_file_system;
    layer.sync = bed_sync_nothing;
    layer.sync_folder = bed_sync_no_folder;
    return layer;
}

static inline void bed_empty(const char *directory)
{
    DIR *folder = opendir(directory);
    for (struct dirent *entry = folder == NULL ? NULL : readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
}

static inline void bed_init(fm_bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    const char *parent = getenv("TMPDIR");
    snprintf(bed->directory, sizeof(bed->directory), "%s/fmads-journal-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(bed->directory));
    bed->layer = bed_quick_layer();
    bed->config = (fm_journal_config){
        .directory = bed->directory,
        .layer = &bed->layer,
        .writer_count = 1,
        .sync = FM_SYNC_INTERVAL,
        .sync_interval_ns = FM_NS_PER_MS,
        .segment_bytes = BED_SEGMENT,
        .retain_bytes = UINT64_C(1) << 40,
    };
    for (int p = 0; p < FM_PARTITION_COUNT; p++)
        bed->next[p] = 1;
}

static inline void bed_open(fm_bed *bed)
{
    fm_error error = {0};
    if (fm_journal_open(&bed->config, &bed->journal, &error) < 0)
        fail_msg("%s", error.message);
}

static inline void bed_close(fm_bed *bed)
{
    fm_journal_close(bed->journal);
    bed->journal = NULL;
}

static inline void bed_fini(fm_bed *bed)
{
    bed_close(bed);
    bed_empty(bed->directory);
    rmdir(bed->directory);
}

/* An event is a function of its partition and sequence; some have words behind them. */
static inline uint16_t bed_extra_words(uint64_t sequence)
{
    return sequence % 7 == 3 ? (uint16_t)(sequence % 5) : 0;
}

static inline size_t bed_event(uint32_t partition, uint64_t sequence, char *out)
{
    fm_event event = {
        .ts_ns = (int64_t)(sequence * 1000 + partition),
        .series = partition + 1,
        .kind = FM_TRADE,
        .extra_words = bed_extra_words(sequence),
        .seq = sequence,
        .as.trade = {.price = (int64_t)(sequence * 3), .size = FM_ABSENT, .id_hash = sequence * 0x9e3779b97f4a7c15u},
    };
    memcpy(out, &event, sizeof(event));
    memset(out + sizeof(event), (int)(sequence % 251), 8u * event.extra_words);
    return sizeof(event) + 8u * event.extra_words;
}

/* Appends `count` events as one frame. Returns the bytes of events. */
static inline size_t bed_append(fm_bed *bed, uint32_t writer, uint32_t partition, uint32_t count)
{
    char *events = malloc((size_t)count * 96);
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += bed_event(partition, bed->next[partition] + i, events + size);
    fm_journal_append(fm_journal_writer_of(bed->journal, writer), partition, bed->next[partition], count, 77, events,
                      size);
    bed->next[partition] += count;
    free(events);
    return size;
}

static inline int bed_visit(void *context, const fm_frame *frame)
{
    fm_seen *seen = context;
    seen->frames++;
    seen->events += frame->count;
    seen->partitions |= UINT64_C(1) << frame->partition;
    if (seen->first[frame->partition] == 0)
        seen->first[frame->partition] = frame->first_sequence;
    else if (frame->first_sequence != seen->last[frame->partition] + 1)
        seen->wrong = true;
    size_t offset = 0;
    for (uint32_t i = 0; i < frame->count; i++) {
        char expected[96];
        size_t size = bed_event(frame->partition, frame->first_sequence + i, expected);
        if (offset + size > frame->size || memcmp(expected, frame->events + offset, size) != 0) {
            seen->wrong = true;
            return 0;
        }
        offset += size;
    }
    if (offset != frame->size || frame->receive_ns != 77)
        seen->wrong = true;
    seen->last[frame->partition] = frame->first_sequence + frame->count - 1;
    return 0;
}

static inline int bed_read(fm_bed *bed, uint64_t partitions, const uint64_t *after, fm_seen *out, fm_error *error)
{
    memset(out, 0, sizeof(*out));
    return fm_journal_read(bed->journal, partitions, after, bed_visit, out, error);
}

/* Everything that was appended is there, and nothing else. */
static inline void bed_assert_whole(fm_bed *bed)
{
    fm_seen seen;
    fm_error error = {0};
    if (bed_read(bed, UINT64_MAX, NULL, &seen, &error) < 0)
        fail_msg("%s", error.message);
    assert_false(seen.wrong);
    for (int p = 0; p < FM_PARTITION_COUNT; p++)
        assert_int_equal(seen.last[p] + 1, bed->next[p]);
}

/* ---- files ---- */

static inline char *bed_load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct stat status;
    assert_int_equal(fstat(fileno(file), &status), 0);
    *size = (size_t)status.st_size;
    char *data = malloc(*size + 1);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

static inline void bed_store(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* Copies the files of a folder as a crash at this moment would leave them. */
static inline void bed_copy(const char *from, const char *to)
{
    bed_empty(to);
    DIR *folder = opendir(from);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        char path[PATH_MAX];
        size_t size;
        snprintf(path, sizeof(path), "%s/%s", from, entry->d_name);
        char *data = bed_load(path, &size);
        snprintf(path, sizeof(path), "%s/%s", to, entry->d_name);
        bed_store(path, data, size);
        free(data);
    }
    closedir(folder);
}

static inline int bed_compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of the files that end with `suffix`, sorted; each and the array are the caller's. */
static inline char **bed_files(const char *directory, const char *suffix, size_t *count)
{
    char **paths = malloc(1024 * sizeof(char *));
    *count = 0;
    DIR *folder = opendir(directory);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t length = strlen(entry->d_name), tail = strlen(suffix);
        if (entry->d_name[0] == '.' || length < tail || strcmp(entry->d_name + length - tail, suffix) != 0)
            continue;
        assert_true(*count < 1024);
        assert_true(asprintf(&paths[(*count)++], "%s/%s", directory, entry->d_name) > 0);
    }
    closedir(folder);
    qsort(paths, *count, sizeof(paths[0]), bed_compare_names);
    return paths;
}

static inline void bed_files_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

static inline size_t bed_file_count(const char *directory, const char *needle)
{
    size_t count = 0;
    DIR *folder = opendir(directory);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += strstr(entry->d_name, needle) != NULL;
    closedir(folder);
    return count;
}

#endif
