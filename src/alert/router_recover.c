/* alert/router_recover.c - reading the router's log at the start: what is whole is kept, a torn tail is cut, damage is
 * refused.
 *
 * Only the newest file can have a torn tail, because a file is synced before the next one begins. A bad frame there is
 * a torn tail unless a later whole frame says that the bad one had been synced when it was written: then bytes that
 * were promised have changed. */
#include "alert/router_files.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HINT[] =
    "restore this file, or move the folder of the router's log aside: what recovery raises again is then told again";

typedef struct names {
    uint64_t *first;
    size_t count, room;
} names;

static int by_number(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* "<20 digits>.log"; everything else in the folder (cursors, cut tails) is somebody else's. */
static bool is_log_name(const char *name, uint64_t *first)
{
    if (strlen(name) != 24 || strcmp(name + 20, ".log") != 0 || strspn(name, "0123456789") != 20)
        return false;
    *first = strtoull(name, NULL, 10);
    return true;
}

static int list_files(const char *directory, names *list, fm_error *error)
{
    DIR *folder = opendir(directory);
    if (folder == NULL)
        return fm_fail_errno(error, FM_EIO, "could not list folder \"%s\"", directory);
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        uint64_t first;
        if (!is_log_name(entry->d_name, &first))
            continue;
        if (list->count == list->room) {
            list->room = list->room == 0 ? 32 : list->room * 2;
            uint64_t *grown = realloc(list->first, list->room * sizeof *grown);
            if (grown == NULL) {
                result = fm_fail(error, FM_ENOMEM, "could not list folder \"%s\": out of memory", directory);
                break;
            }
            list->first = grown;
        }
        list->first[list->count++] = first;
    }
    closedir(folder);
    if (result == 0 && list->count > 0)
        qsort(list->first, list->count, sizeof list->first[0], by_number);
    return result;
}

static int damaged(fm_error *error, int code, const fm_router_file *file, uint64_t offset, const char *why)
{
    fm_fail(error, code, "could not read the router's log \"%s\" at offset %" PRIu64 ": %s", file->path, offset, why);
    if (error != NULL) {
        snprintf(error->file, sizeof error->file, "%.255s", file->path);
        snprintf(error->hint, sizeof error->hint, "%s", HINT);
    }
    return code;
}

/* A whole frame at or behind `offset` that was written when the one missing at `offset` was already on the disk. */
static bool was_synced(const char *data, size_t size, size_t offset)
{
    for (size_t at = offset; at + sizeof(fm_router_frame) <= size; at += 8) {
        const fm_router_frame *frame = (const fm_router_frame *)(data + at);
        if (frame->synced_size > offset && frame->synced_size <= at && fm_router_frame_check(frame, size - at) == 0)
            return true;
    }
    return false;
}

static int cut_tail(fm_router_log *log, fm_router_file *file, const char *data, size_t size)
{
    const fm_file_layer *layer = log->config.layer;
    char aside[PATH_MAX + 64];
    snprintf(aside, sizeof aside, "%s.torn-%" PRIu64, file->path, file->size);
    FM_TRY(fm_file_replace(layer, aside, data + file->size, size - file->size));
    FM_TRY(layer->truncate(file->file, file->size));
    FM_TRY(layer->sync(file->file));
    fm_log(FM_LOG_WARN, "router_log_torn_tail", "file", file->path, "offset", fm_log_int((int64_t)file->size), "bytes",
           fm_log_int((int64_t)(size - file->size)), "kept_as", aside, NULL);
    return 0;
}

typedef struct reading {
    fm_router_log *log;
    fm_routed_visit visit;
    void *context;
    fm_error *error;
} reading;

static int take_alert(const reading *read, fm_router_file *file, const fm_router_frame *frame)
{
    if (fm_router_file_index(file, file->size) < 0)
        return fm_fail(read->error, FM_ENOMEM, "could not index the router's log: out of memory");
    read->log->cursor[frame->partition] = (fm_router_cursor){frame->sequence, frame->ordinal};
    fm_routed_alert alert;
    fm_router_frame_get(frame, &alert);
    return read->visit(read->context, &alert);
}

static int read_frames(const reading *read, fm_router_file *file, const char *data, size_t size, bool newest)
{
    while (file->size < size) {
        const fm_router_frame *frame = (const fm_router_frame *)(data + file->size);
        bool whole = fm_router_frame_check(frame, size - file->size) == 0;
        uint64_t expected = file->head.first_sequence + file->count;
        if (whole && frame->kind == FM_ROUTER_ALERT && frame->router_sequence == expected) {
            FM_TRY(take_alert(read, file, frame));
            file->clean_stop = false;
        } else if (whole && frame->kind == FM_ROUTER_CLEAN_STOP &&
                   frame->router_sequence == fm_router_file_last(file)) {
            file->clean_stop = true;
        } else if (whole) {
            return damaged(read->error, FM_ECORRUPT, file, file->size, "a frame is out of its order");
        } else if (!newest) {
            return damaged(read->error, FM_ECORRUPT, file, file->size,
                           "a frame is damaged in a file that was complete");
        } else if (was_synced(data, size, file->size)) {
            return damaged(read->error, FM_ECORRUPT, file, file->size,
                           "a frame is damaged that had been written whole");
        } else {
            int result = read->log->config.read_only ? 0 : cut_tail(read->log, file, data, size);
            if (result < 0)
                return damaged(read->error, result, file, file->size, "a torn tail could not be set aside");
            break;
        }
        file->size += frame->size;
    }
    file->synced_size = file->size;
    return 0;
}

static int read_head(const reading *read, fm_router_file *file, const char *data, size_t size, uint64_t first)
{
    fm_router_log *log = read->log;
    int result = fm_router_head_check(data, size);
    if (result == FM_EVERSION)
        return damaged(read->error, result, file, 0, "its layout is from another build");
    if (result < 0)
        return damaged(read->error, result, file, 0, "its head is damaged");
    memcpy(&file->head, data, sizeof file->head);
    if (file->head.first_sequence != first)
        return damaged(read->error, FM_ECORRUPT, file, 0, "its name does not match its head");
    uint64_t before =
        log->file_count > 0 ? fm_router_file_last(fm_router_log_newest(log)) : file->head.previous_sequence;
    if (file->head.previous_sequence != before)
        return damaged(read->error, FM_ECORRUPT, file, 0, "a file before it is missing");
    memcpy(log->cursor, file->head.cursor, sizeof log->cursor);
    file->size = sizeof file->head;
    return 0;
}

static int read_file(const reading *read, uint64_t first, bool newest)
{
    fm_router_log *log = read->log;
    fm_router_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return fm_fail(read->error, FM_ENOMEM, "could not read the router's log: out of memory");
    file->users = 1;
    snprintf(file->path, sizeof file->path, "%s/%020" PRIu64 ".log", log->directory, first);

    char *data = NULL;
    size_t size = 0;
    int result =
        log->config.layer->open(file->path, log->config.read_only ? FM_FILE_READ : FM_FILE_CREATE, &file->file);
    if (result == 0)
        result = fm_file_read_all(log->config.layer, file->path, SIZE_MAX, &data, &size);
    if (result < 0)
        result = damaged(read->error, result, file, 0, fm_error_text(result));
    else if ((result = read_head(read, file, data, size, first)) == 0)
        result = read_frames(read, file, data, size, newest);
    free(data);
    if (result == 0 && (result = fm_router_log_add(log, file)) == 0)
        return 0;
    if (file->file != NULL)
        log->config.layer->close(file->file);
    free(file->offset);
    free(file);
    return result;
}

/* Whether, and from which sequence, a new file is due: its head says for whom and how the frames behind it were
 * written. */
static bool needs_new_file(fm_router_log *log, uint64_t *first)
{
    fm_router_file *newest = fm_router_log_newest(log);
    const fm_router_head *head = &newest->head;
    bool same_run = log->boot_id[0] != '\0' && memcmp(head->boot_id, log->boot_id, sizeof log->boot_id) == 0;
    bool same_incarnation = head->incarnation_ms == log->config.incarnation_ms;
    *first = log->next;
    if (!same_incarnation) {
        fm_log(FM_LOG_WARN, "router_cursors_forgotten", "reason", "the data directory's positions start anew", NULL);
        memset(log->cursor, 0, sizeof log->cursor);
    }
    if (!same_run && !newest->clean_stop && !head->sync_always) {
        /* Alerts may have been told and then lost with the machine; their sequences must not be given to others. */
        *first += FM_ROUTER_SKIP;
        fm_log(FM_LOG_WARN, "router_sequence_skipped", "from", fm_log_int((int64_t)log->next), "to",
               fm_log_int((int64_t)*first), NULL);
    }
    return !same_run || !same_incarnation || head->sync_always != (uint64_t)log->config.sync_always;
}

static int read_files(fm_router_log *log, fm_routed_visit visit, void *context, fm_error *error)
{
    names list = {0};
    reading read = {log, visit, context, error};
    int result = list_files(log->directory, &list, error);
    for (size_t i = 0; result == 0 && i < list.count; i++)
        result = read_file(&read, list.first[i], i + 1 == list.count);
    free(list.first);
    FM_TRY(result);
    if (log->file_count > 0) {
        fm_router_file *newest = fm_router_log_newest(log);
        log->next = newest->count > 0 ? fm_router_file_last(newest) + 1 : newest->head.first_sequence;
        if (log->config.incarnation_ms == 0)
            log->config.incarnation_ms = newest->head.incarnation_ms;
    }
    return 0;
}

int fm_router_log_recover(fm_router_log *log, fm_routed_visit visit, void *context, fm_error *error)
{
    FM_TRY(read_files(log, visit, context, error));
    if (log->config.read_only)
        return 0;
    uint64_t first = 1;
    int result;
    if (log->file_count > 0) {
        fm_router_file *newest = fm_router_log_newest(log);
        result = log->config.layer->sync(newest->file); /* what a killed process wrote counts as logged from here on */
        if (result < 0)
            return damaged(error, result, newest, newest->size, "it could not be synced");
        if (!needs_new_file(log, &first))
            return 0;
    }
    char path[PATH_MAX + 4];
    snprintf(path, sizeof path, "%s/..", log->directory);
    if ((result = fm_router_log_begin(log, first)) < 0 || (result = log->config.layer->sync_folder(path)) < 0)
        return fm_fail(error, result, "could not begin a file of the router's log in \"%s\": %s", log->directory,
                       fm_error_text(result));
    return 0;
}
