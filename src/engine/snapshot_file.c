/* engine/snapshot_file.c - snapshot files: a shard writes its own, recovery reads all of them and takes the newest of each partition. */
#include "engine/snapshot.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "FMSNAP01"
#define FILE_BYTES_MAX ((size_t)16 << 30)

typedef struct part {
    uint32_t partition, crc;
    uint64_t size;
} part;

typedef struct name {
    uint64_t incarnation, number;
    uint32_t shard;
    char     path[512];
} name;

static bool parse_name(const char *directory, const char *file, name *out)
{
    int end = 0;
    if (sscanf(file, "%" SCNu64 "-%" SCNu32 "-%" SCNu64 ".snap%n", &out->incarnation, &out->shard, &out->number, &end) != 3 || end == 0 ||
        file[end] != 0)
        return false;
    return snprintf(out->path, sizeof(out->path), "%s/%s", directory, file) < (int)sizeof(out->path);
}

static int by_age(const void *a, const void *b)
{
    const name *x = a, *y = b;
    if (x->incarnation != y->incarnation)
        return x->incarnation < y->incarnation ? -1 : 1;
    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static uint32_t list(const char *directory, name **out)
{
    uint32_t count = 0, capacity = 0;
    name *names = NULL, one;
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (parse_name(directory, entry->d_name, &one)) {
            names = fm_grow(names, &capacity, count + 1, sizeof(*names));
            names[count++] = one;
        }
    if (folder != NULL)
        closedir(folder);
    if (count > 1)
        qsort(names, count, sizeof(*names), by_age);
    *out = names;
    return count;
}

int fm_snapshot_write(const fm_file_layer *layer, const char *directory, uint64_t incarnation, uint32_t shard, uint64_t number,
                      const fm_text *partitions[FM_PARTITION_COUNT], fm_error *error)
{
    char path[512];
    fm_text file = {0};
    fm_text_add(&file, MAGIC, 8);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (partitions[p] != NULL) {
            part head = {.partition = p, .crc = fm_crc32c(0, partitions[p]->data, partitions[p]->size), .size = partitions[p]->size};
            fm_text_add(&file, &head, sizeof(head));
            fm_text_add(&file, partitions[p]->data, partitions[p]->size);
        }
    snprintf(path, sizeof(path), "%s/%010" PRIu64 "-%03u-%010" PRIu64 ".snap", directory, incarnation, shard, number);
    int result = fm_file_replace(layer, path, file.data, file.size);
    fm_text_fini(&file);
    if (result < 0)
        return fm_fail(error, result, "could not write snapshot \"%s\": %s", path, fm_error_text(result));
    name *names;
    uint32_t count = list(directory, &names);
    const name *before = NULL; /* stays, in case this one turns out unreadable */
    for (uint32_t i = 0; i < count; i++) {
        if (names[i].incarnation != incarnation || names[i].shard != shard || names[i].number >= number)
            continue;
        if (before != NULL)
            layer->unlink(before->path);
        before = &names[i];
    }
    free(names);
    return 0;
}

static int visit_file(const fm_file_layer *layer, const name *file, fm_snapshot_visit visit, void *context)
{
    char *data = NULL;
    size_t size = 0;
    int result = fm_file_read_all(layer, file->path, FILE_BYTES_MAX, &data, &size);
    const char *reason = result < 0 ? fm_error_text(result) : size < 8 || memcmp(data, MAGIC, 8) != 0 ? "not a snapshot" : NULL;
    for (size_t at = 8; reason == NULL && at < size;) {
        part head;
        if (size - at < sizeof(head)) {
            reason = "torn";
            break;
        }
        memcpy(&head, data + at, sizeof(head));
        at += sizeof(head);
        if (head.size < sizeof(fm_snapshot_head) || head.size > size - at || fm_crc32c(0, data + at, head.size) != head.crc) {
            reason = "bytes do not match their checksum";
            break;
        }
        fm_snapshot_head snapshot;
        memcpy(&snapshot, data + at, sizeof(snapshot));
        if (snapshot.partition != head.partition) {
            reason = "a partition stands under another's number";
            break;
        }
        result = visit(context, &snapshot, data + at, head.size, file->path);
        if (result < 0)
            break;
        at += head.size;
    }
    if (reason != NULL)
        fm_log(FM_LOG_WARN, "snapshot_unreadable", "file", file->path, "reason", reason, NULL);
    free(data);
    return reason != NULL ? 0 : result < 0 ? result : 0;
}

int fm_snapshot_visit_all(const fm_file_layer *layer, const char *directory, fm_snapshot_visit visit, void *context, fm_error *error)
{
    (void)error;
    name *names;
    int result = 0;
    uint32_t count = list(directory, &names);
    for (uint32_t i = 0; i < count && result >= 0; i++)
        result = visit_file(layer, &names[i], visit, context);
    free(names);
    return result;
}

uint64_t fm_snapshot_incarnation(const char *file)
{
    const char *slash = strrchr(file, '/');
    return strtoull(slash != NULL ? slash + 1 : file, NULL, 10);
}

void fm_snapshot_remove_before(const fm_file_layer *layer, const char *directory, uint64_t incarnation)
{
    name *names;
    uint32_t count = list(directory, &names);
    for (uint32_t i = 0; i < count; i++)
        if (names[i].incarnation < incarnation)
            layer->unlink(names[i].path);
    free(names);
}
