/* engine/snapshot.h - the state of partitions as bytes, so that recovery reads only the journal's tail.
 *
 * A snapshot file holds the partitions of one shard, each at a sequence of its log: dictionaries, duplicates, prices, kernels, rule states,
 * timers, strikes, kills. Kernel state is a memcpy; a plan signature says whether this build lays it out the same way. Equal state gives equal
 * bytes: `fmads verify` compares a snapshot with the fold of the journal up to it.
 *
 * File: "FMSNAP01", then for each partition {index, size, crc32c of its bytes}, bytes. Written beside, synced, renamed. */
#ifndef FM_ENGINE_SNAPSHOT_H
#define FM_ENGINE_SNAPSHOT_H

#include "base/file.h"
#include "base/text.h"
#include "engine/fold.h"

/* The bytes of one partition; appended to out. The fold's batch must be closed. */
void fm_snapshot_put(const fm_partition *partition, fm_text *out);

/* Fills an adopted, empty partition. FM_ECORRUPT; FM_EVERSION when this build lays out the state in another way; FM_ENOTFOUND when the
 * text of its rule generation is lost. */
int fm_snapshot_get(fm_fold *fold, fm_partition *partition, const char *data, size_t size, fm_error *error) FM_CHECKED;

/* What a partition's bytes begin with. */
typedef struct fm_snapshot_head {
    uint32_t layout;    /* FM_SNAPSHOT_LAYOUT */
    uint32_t partition;
    uint64_t applied;   /* sequence of the last entry in it */
    uint64_t position;
    char     generation[40]; /* hex; empty = no rules yet */
    char     reference[40];  /* of the set of reference data, hex; empty = none yet */
    fm_hash128 signature;
} fm_snapshot_head;

#define FM_SNAPSHOT_LAYOUT 4u

/* Files. `write` takes the partitions of `fold` and names the file <directory>/<incarnation>-<shard>-<number>.snap; older files of the same
 * shard and run but the last before it are removed. `visit_all` calls back with the bytes of every readable partition of every file; a file that
 * fails its checksum is told in the log and skipped. */
int fm_snapshot_write(const fm_file_layer *layer, const char *directory, uint64_t incarnation, uint32_t shard, uint64_t number,
                      const fm_text *partitions[FM_PARTITION_COUNT], fm_error *error) FM_CHECKED;
typedef int (*fm_snapshot_visit)(void *context, const fm_snapshot_head *head, const char *data, size_t size, const char *file);
int fm_snapshot_visit_all(const fm_file_layer *layer, const char *directory, fm_snapshot_visit visit, void *context, fm_error *error) FM_CHECKED;

/* The run that wrote a file that `visit` was called with. */
uint64_t fm_snapshot_incarnation(const char *file);

/* Removes the files of runs before `incarnation`. */
void fm_snapshot_remove_before(const fm_file_layer *layer, const char *directory, uint64_t incarnation);

#endif
