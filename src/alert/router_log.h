/* alert/router_log.h - the router's log on disk: files of at most 64 MiB, appended by one thread, read by any.
 *
 * A router sequence is never given to two alerts, whatever happened to the disk: everything downstream (stream ids,
 * rows of the store, resume positions of clients) is keyed by it. docs/decisions/0007 says how. */
#ifndef FM_ALERT_ROUTER_LOG_H
#define FM_ALERT_ROUTER_LOG_H

#include "alert/router_frame.h"

/* Sequences left out after a crash of the machine that may have lost alerts which had been told. */
#define FM_ROUTER_SKIP (UINT64_C(1) << 20)

typedef struct fm_router_log fm_router_log;

typedef struct fm_router_log_config {
    const char *directory;
    const fm_file_layer *layer;
    uint64_t incarnation_ms; /* 0 = whatever the log says */
    bool sync_always, read_only;
    uint64_t file_bytes, retain_bytes;
} fm_router_log_config;

/* Reads all of it, `visit` for each alert in order; cuts a torn tail; ends with everything synced. Read only: ends
 * before a torn tail, which may be an append under way. */
int fm_router_log_open(const fm_router_log_config *config, fm_routed_visit visit, void *context, fm_router_log **out,
                       fm_error *error) FM_CHECKED;
void fm_router_log_close(fm_router_log *log);

/* The router's thread. Gives the frames their sequences from fm_router_log_next on, seals and writes them. On failure
 * the log is as before and may be tried again with the same frames. A full file is synced and a new one begun first. */
int fm_router_log_append(fm_router_log *log, void *frames, size_t size, int64_t publish_ns) FM_CHECKED;
int fm_router_log_sync(fm_router_log *log) FM_CHECKED;
int fm_router_log_skip(fm_router_log *log, uint64_t next) FM_CHECKED; /* begins a file at `next`, not behind */
int fm_router_log_clean_stop(fm_router_log *log) FM_CHECKED;          /* syncs, and says so in the log */
uint64_t fm_router_log_file_bytes(const fm_router_log *log);          /* that a file has, unless one append is more */
uint64_t fm_router_log_next(const fm_router_log *log);
uint64_t fm_router_log_last(const fm_router_log *log);                   /* the newest alert written; 0 = none yet */
const fm_router_cursor *fm_router_log_cursors(const fm_router_log *log); /* FM_PARTITION_COUNT of them, as written */

/* Removes the oldest files while there is more than retain_bytes. Returns how many had alerts after `needed`. */
uint32_t fm_router_log_retain(fm_router_log *log, uint64_t needed);

/* Any thread. `last` bounds what is seen. */
int fm_router_log_read(fm_router_log *log, uint64_t after, uint64_t last, uint32_t limit, fm_routed_visit visit,
                       void *context) FM_CHECKED;
uint64_t fm_router_log_oldest(fm_router_log *log);                               /* reading after this finds no hole */
uint64_t fm_router_log_count(fm_router_log *log, uint64_t after, uint64_t last); /* alerts kept in (after, last] */

#endif
