/* alert/router_log.c - appending to the router's log, beginning and removing its files. */
#include "alert/router_files.h"

#include "base/assert.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 64 << 20, FILE_BYTES_MIN = 64 << 10 };
static const uint64_t RETAIN_BYTES = UINT64_C(1) << 30;

/* Which run of the machine this is: bytes written in this run are still there for it, synced or not. The withholding
 * layer plays a power cut, so there each process is a run of its own; where the system does not tell, every run counts
 * as another one. */
static void read_boot_id(const fm_file_layer *layer, char out[40])
{
    memset(out, 0, 40);
    if (layer == &fm_file_withholding) {
        snprintf(out, 40, "withholding-%ld", (long)getpid());
        return;
    }
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    size_t got = fread(out, 1, 36, file);
    fclose(file);
    if (got != 36)
        memset(out, 0, 40);
}

int fm_router_file_index(fm_router_file *file, uint64_t offset)
{
    if (file->count % FM_ROUTER_STRIDE == 0) {
        size_t at = file->count / FM_ROUTER_STRIDE;
        if (at == file->offset_room) {
            size_t room = at == 0 ? 64 : at * 2;
            uint32_t *grown = realloc(file->offset, room * sizeof *grown);
            if (grown == NULL)
                return FM_ENOMEM;
            file->offset = grown;
            file->offset_room = room;
        }
        file->offset[at] = (uint32_t)offset;
    }
    file->count++;
    return 0;
}

void fm_router_file_drop(fm_router_log *log, fm_router_file *file)
{
    FM_ASSERT(file->users > 0);
    if (--file->users > 0)
        return;
    if (file->file != NULL)
        log->config.layer->close(file->file);
    free(file->offset);
    free(file);
}

int fm_router_log_add(fm_router_log *log, fm_router_file *file)
{
    pthread_mutex_lock(&log->lock);
    if (log->file_count == log->file_room) {
        size_t room = log->file_room == 0 ? 32 : log->file_room * 2;
        fm_router_file **grown = realloc(log->files, room * sizeof *grown);
        if (grown == NULL) {
            pthread_mutex_unlock(&log->lock);
            return FM_ENOMEM;
        }
        log->files = grown;
        log->file_room = room;
    }
    log->files[log->file_count++] = file;
    pthread_mutex_unlock(&log->lock);
    return 0;
}

/* A file without alerts is replaced by the one begun after it: its name may be the same, and an empty one in between
 * says nothing. */
static void drop_empty_before_newest(fm_router_log *log)
{
    if (log->file_count < 2 || log->files[log->file_count - 2]->count > 0)
        return;
    pthread_mutex_lock(&log->lock);
    fm_router_file *newest = log->files[log->file_count - 1];
    fm_router_file *empty = log->files[log->file_count - 2];
    log->files[log->file_count - 2] = newest;
    log->file_count--;
    if (strcmp(empty->path, newest->path) != 0 && log->config.layer->unlink(empty->path) < 0)
        fm_log(FM_LOG_WARN, "router_log_leftover", "file", empty->path, NULL);
    fm_router_file_drop(log, empty);
    pthread_mutex_unlock(&log->lock);
}

int fm_router_log_begin(fm_router_log *log, uint64_t first)
{
    FM_ASSERT(first >= log->next);
    fm_router_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return FM_ENOMEM;
    file->users = 1;
    file->size = file->synced_size = sizeof file->head;
    file->head.first_sequence = first;
    file->head.previous_sequence = log->file_count > 0 ? fm_router_file_last(fm_router_log_newest(log)) : 0;
    file->head.incarnation_ms = log->config.incarnation_ms;
    file->head.sync_always = log->config.sync_always;
    memcpy(file->head.boot_id, log->boot_id, sizeof file->head.boot_id);
    memcpy(file->head.cursor, log->cursor, sizeof file->head.cursor);
    fm_router_head_seal(&file->head);

    int length = snprintf(file->path, sizeof file->path, "%s/%020" PRIu64 ".log", log->directory, first);
    int result = length < (int)sizeof file->path ? 0 : FM_EINVAL;
    if (result == 0)
        result = fm_file_replace(log->config.layer, file->path, &file->head, sizeof file->head);
    if (result == 0)
        result = log->config.layer->open(file->path, FM_FILE_CREATE, &file->file);
    if (result == 0)
        result = fm_router_log_add(log, file);
    if (result < 0) {
        if (file->file != NULL)
            log->config.layer->close(file->file);
        free(file);
        return result;
    }
    drop_empty_before_newest(log);
    log->next = first;
    return 0;
}

static void apply_presets(fm_router_log_config *config)
{
    if (config->retain_bytes == 0)
        config->retain_bytes = RETAIN_BYTES;
    if (config->file_bytes == 0) {
        config->file_bytes = FILE_BYTES;
        if (config->file_bytes > config->retain_bytes / 4)
            config->file_bytes = config->retain_bytes / 4;
        if (config->file_bytes < FILE_BYTES_MIN)
            config->file_bytes = FILE_BYTES_MIN;
    }
}

int fm_router_log_open(const fm_router_log_config *config, fm_routed_visit visit, void *context, fm_router_log **out,
                       fm_error *error)
{
    if (config->file_bytes > FILE_BYTES)
        return fm_fail(error, FM_EINVAL, "a file of the router's log has at most %d bytes", FILE_BYTES);
    fm_router_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return fm_fail(error, FM_ENOMEM, "could not open the router's log: out of memory");
    log->config = *config;
    apply_presets(&log->config);
    log->next = 1;
    pthread_mutex_init(&log->lock, NULL);
    read_boot_id(log->config.layer, log->boot_id);

    int result;
    if (strlen(config->directory) >= sizeof log->directory - 64)
        result = fm_fail(error, FM_EINVAL, "the path of the router's log is too long");
    else if (!config->read_only && (result = fm_folder_make(config->directory)) < 0)
        result = fm_fail_errno(error, result, "could not make folder \"%s\"", config->directory);
    else {
        strcpy(log->directory, config->directory);
        log->config.directory = log->directory;
        result = fm_router_log_recover(log, visit, context, error);
    }
    if (result < 0) {
        fm_router_log_close(log);
        return result;
    }
    *out = log;
    return 0;
}

void fm_router_log_close(fm_router_log *log)
{
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < log->file_count; i++) {
        FM_ASSERT(log->files[i]->users == 1); /* no reader is left */
        fm_router_file_drop(log, log->files[i]);
    }
    pthread_mutex_unlock(&log->lock);
    pthread_mutex_destroy(&log->lock);
    free(log->files);
    free(log);
}

static int index_frames(fm_router_log *log, fm_router_file *file, const char *frames, size_t size)
{
    uint64_t count_before = file->count;
    for (size_t at = 0; at < size;) {
        const fm_router_frame *frame = (const fm_router_frame *)(frames + at);
        if (fm_router_file_index(file, file->size + at) < 0) {
            file->count = count_before;
            return FM_ENOMEM;
        }
        log->cursor[frame->partition] = (fm_router_cursor){frame->sequence, frame->ordinal};
        at += frame->size;
    }
    file->size += size;
    file->clean_stop = false;
    return 0;
}

int fm_router_log_append(fm_router_log *log, void *frames, size_t size, int64_t publish_ns)
{
    fm_router_file *file = fm_router_log_newest(log);
    if (file->count > 0 && file->size + size > log->config.file_bytes) {
        FM_TRY(fm_router_log_sync(log)); /* so that only the newest file can have a torn tail */
        FM_TRY(fm_router_log_begin(log, log->next));
        file = fm_router_log_newest(log);
    }
    uint64_t sequence = log->next;
    for (size_t at = 0; at < size;) {
        fm_router_frame *frame = (fm_router_frame *)((char *)frames + at);
        fm_router_frame_seal(frame, sequence++, file->synced_size, publish_ns);
        at += frame->size;
    }
    FM_TRY(log->config.layer->write(file->file, frames, size, file->size));
    pthread_mutex_lock(&log->lock);
    int result = index_frames(log, file, frames, size);
    pthread_mutex_unlock(&log->lock);
    if (result == 0 && file->count > 0)
        log->next = fm_router_file_last(file) + 1;
    return result;
}

/* After a sync that failed the system may call pages clean that never reached the disk, and the next sync succeeds
 * without them. What it still has of them is written once more. */
static int write_again(const fm_router_log *log, const fm_router_file *file)
{
    size_t size = (size_t)(file->size - file->synced_size);
    char *bytes = malloc(size);
    if (bytes == NULL)
        return FM_ENOMEM;
    ssize_t got = log->config.layer->read(file->file, bytes, size, file->synced_size);
    int result = got == (ssize_t)size ? 0 : FM_EIO;
    for (size_t at = 0; result == 0 && at < size; at += ((fm_router_frame *)(bytes + at))->size)
        result = fm_router_frame_check(bytes + at, size - at);
    if (result == 0)
        result = log->config.layer->write(file->file, bytes, size, file->synced_size);
    free(bytes);
    return result;
}

int fm_router_log_sync(fm_router_log *log)
{
    fm_router_file *file = fm_router_log_newest(log);
    if (file->synced_size == file->size)
        return 0;
    if (log->sync_failed)
        FM_TRY(write_again(log, file));
    log->sync_failed = true;
    FM_TRY(log->config.layer->sync(file->file));
    log->sync_failed = false;
    file->synced_size = file->size;
    return 0;
}

int fm_router_log_skip(fm_router_log *log, uint64_t next)
{
    FM_TRY(fm_router_log_sync(log));
    return fm_router_log_begin(log, next);
}

int fm_router_log_clean_stop(fm_router_log *log)
{
    fm_router_file *file = fm_router_log_newest(log);
    FM_TRY(fm_router_log_sync(log));
    if (file->clean_stop)
        return 0;
    fm_router_frame frame;
    fm_router_frame_clean_stop(&frame, fm_router_file_last(file), file->synced_size);
    FM_TRY(log->config.layer->write(file->file, &frame, sizeof frame, file->size));
    pthread_mutex_lock(&log->lock);
    file->size += sizeof frame;
    pthread_mutex_unlock(&log->lock);
    file->clean_stop = true;
    return fm_router_log_sync(log);
}

uint64_t fm_router_log_file_bytes(const fm_router_log *log)
{
    return log->config.file_bytes;
}

uint64_t fm_router_log_next(const fm_router_log *log)
{
    return log->next;
}

uint64_t fm_router_log_last(const fm_router_log *log)
{
    return log->file_count > 0 ? fm_router_file_last(fm_router_log_newest(log)) : 0;
}

const fm_router_cursor *fm_router_log_cursors(const fm_router_log *log)
{
    return log->cursor;
}

static fm_router_file *take_oldest(fm_router_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t bytes = 0;
    for (size_t i = 0; i < log->file_count; i++)
        bytes += log->files[i]->size;
    fm_router_file *oldest = NULL;
    if (log->file_count > 1 && bytes > log->config.retain_bytes) {
        oldest = log->files[0];
        memmove(log->files, log->files + 1, (log->file_count - 1) * sizeof(log->files[0]));
        log->file_count--;
    }
    pthread_mutex_unlock(&log->lock);
    return oldest;
}

uint32_t fm_router_log_retain(fm_router_log *log, uint64_t needed)
{
    uint32_t holes = 0;
    for (fm_router_file *oldest; (oldest = take_oldest(log)) != NULL;) {
        if (fm_router_file_last(oldest) > needed) {
            holes++;
            fm_log(FM_LOG_ERROR, "router_log_hole", "file", oldest->path, "needed_after", fm_log_int((int64_t)needed),
                   "last", fm_log_int((int64_t)fm_router_file_last(oldest)), NULL);
        }
        /* At once: were the removal of a younger file to survive a power cut and this one not, the log would seem to
         * lack a part. */
        if (log->config.layer->unlink(oldest->path) < 0 || log->config.layer->sync_folder(log->directory) < 0)
            fm_log(FM_LOG_WARN, "router_log_leftover", "file", oldest->path, NULL);
        pthread_mutex_lock(&log->lock);
        fm_router_file_drop(log, oldest);
        pthread_mutex_unlock(&log->lock);
    }
    return holes;
}
