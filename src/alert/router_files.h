/* alert/router_files.h - the files of the router's log in memory; private to router_log.c, router_recover.c and
 * router_read.c. */
#ifndef FM_ALERT_ROUTER_FILES_H
#define FM_ALERT_ROUTER_FILES_H

#include "alert/router_log.h"

#include <limits.h>
#include <pthread.h>

enum { FM_ROUTER_STRIDE = 16 }; /* the offset of every 16th alert is kept, so that a follower finds its place at once */

typedef struct fm_router_file {
    fm_router_head head;
    uint64_t count;       /* alerts: head.first_sequence, and on without a gap */
    uint64_t size;        /* bytes of whole frames, with the head */
    uint64_t synced_size; /* of these, on the disk for certain; the router's thread */
    uint32_t *offset;     /* of alert 0, 16, 32, … */
    size_t offset_room;
    fm_file *file;
    uint32_t users;  /* readers, and 1 while it is in the log */
    bool clean_stop; /* its last frame says so */
    char path[PATH_MAX + 32];
} fm_router_file;

struct fm_router_log {
    fm_router_log_config config;
    char directory[PATH_MAX];
    char boot_id[40];
    pthread_mutex_t lock;   /* over `files`, and count, size, offset, users of each; held for moves of memory only */
    fm_router_file **files; /* oldest first; the last is appended to */
    size_t file_count, file_room;
    uint64_t next;    /* the next alert's sequence */
    bool sync_failed; /* the last one; what was not synced then must be written again */
    fm_router_cursor cursor[FM_PARTITION_COUNT];
};

static inline uint64_t fm_router_file_last(const fm_router_file *file)
{
    return file->count > 0 ? file->head.first_sequence + file->count - 1 : file->head.previous_sequence;
}

/* Notes one alert's place; the lock is held, or nobody else knows the file yet. */
int fm_router_file_index(fm_router_file *file, uint64_t offset) FM_CHECKED;
void fm_router_file_drop(fm_router_log *log, fm_router_file *file);         /* one user less; the lock is held */
int fm_router_log_add(fm_router_log *log, fm_router_file *file) FM_CHECKED; /* takes it on success; locks */
int fm_router_log_begin(fm_router_log *log, uint64_t first) FM_CHECKED; /* a new file whose alerts start with `first` */
int fm_router_log_recover(fm_router_log *log, fm_routed_visit visit, void *context, fm_error *error) FM_CHECKED;

static inline fm_router_file *fm_router_log_newest(const fm_router_log *log)
{
    return log->files[log->file_count - 1];
}

#endif
