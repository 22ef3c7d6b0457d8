/* main/data_dir.c - <data>/meta and <data>/lock. */
#include "main/data_dir.h"

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LAYOUT 1

static int read_meta(fm_data_dir *dir, bool make, fm_error *error)
{
    char path[600], text[128];
    char *data = NULL;
    size_t size;
    snprintf(path, sizeof(path), "%s/meta", dir->path);
    int result = fm_file_read_all(&fm_file_system, path, 4096, &data, &size);
    if (result == FM_ENOTFOUND && make) {
        dir->incarnation_ms = (uint64_t)(fm_wall_ns(&fm_clock_system) / FM_NS_PER_MS);
        int length = snprintf(text, sizeof(text), "fmads data directory\nlayout %d\npartitions %d\nincarnation_ms %" PRIu64 "\n", LAYOUT,
                              FM_PARTITION_COUNT, dir->incarnation_ms);
        result = fm_file_replace(&fm_file_system, path, text, (size_t)length);
        return result < 0 ? fm_fail(error, result, "could not write \"%s\": %s", path, fm_error_text(result)) : 0;
    }
    if (result < 0)
        return fm_fail(error, result, "\"%s\" is not a data directory: could not read its meta file", dir->path);
    int layout = 0, partitions = 0;
    int found = sscanf(data, "fmads data directory layout %d partitions %d incarnation_ms %" SCNu64, &layout, &partitions, &dir->incarnation_ms);
    free(data);
    if (found < 2)
        return fm_fail(error, FM_ECORRUPT, "\"%s\" is not the meta file of a data directory", path);
    if (found != 3 || layout != LAYOUT || partitions != FM_PARTITION_COUNT)
        return fm_fail(error, FM_EVERSION, "data directory \"%s\" has layout %d with %d partitions, this build reads layout %d with %d", dir->path,
                       layout, partitions, LAYOUT, FM_PARTITION_COUNT);
    return 0;
}

static int take_lock(fm_data_dir *dir, fm_error *error)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/lock", dir->path);
    dir->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock < 0)
        return fm_fail_errno(error, FM_EIO, "could not open \"%s\"", path);
    if (flock(dir->lock, LOCK_EX | LOCK_NB) != 0)
        return fm_fail(error, FM_EBUSY, "data directory \"%s\" is in use by another process", dir->path);
    return 0;
}

int fm_data_dir_open(const char *path, bool make, fm_data_dir *out, fm_error *error)
{
    fm_data_dir dir = {.lock = -1};
    if (strlen(path) >= sizeof(dir.path))
        return fm_fail(error, FM_EINVAL, "the path of the data directory is longer than %zu bytes", sizeof(dir.path) - 1);
    strcpy(dir.path, path);
    snprintf(dir.journal, sizeof(dir.journal), "%s/journal", path);
    snprintf(dir.snapshots, sizeof(dir.snapshots), "%s/snapshots", path);
    snprintf(dir.router, sizeof(dir.router), "%s/router", path);
    snprintf(dir.generations, sizeof(dir.generations), "%s/generations", path);
    snprintf(dir.reference, sizeof(dir.reference), "%s/reference", path);
    snprintf(dir.store, sizeof(dir.store), "%s/alerts.sqlite", path);
    if (make && fm_folder_make(path) < 0)
        return fm_fail_errno(error, FM_EIO, "could not make data directory \"%s\"", path);
    int result = take_lock(&dir, error);
    if (result >= 0)
        result = read_meta(&dir, make, error);
    if (result < 0) {
        fm_data_dir_close(&dir);
        return result;
    }
    *out = dir;
    return 0;
}

void fm_data_dir_close(fm_data_dir *dir)
{
    if (dir->lock >= 0)
        close(dir->lock);
    dir->lock = -1;
}
