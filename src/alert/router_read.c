/* alert/router_read.c - readers of the router's log: from the files, beside the thread that appends.
 *
 * A reader holds a file by a count of users, so that retention may remove it meanwhile, and never looks behind `last`,
 * which moved after the bytes were there. */
#include "alert/router_files.h"

#include "base/log.h"

#include <stdlib.h>

enum { CHUNK = 64 << 10 };

typedef struct place {
    fm_router_file *file; /* held */
    uint64_t offset, size;
} place;

/* Where the first alert after `after` stands, or shortly before. False: there is none. */
static int find(fm_router_log *log, uint64_t after, place *out)
{
    int result = 0;
    pthread_mutex_lock(&log->lock);
    if (log->file_count > 0 && after < log->files[0]->head.previous_sequence)
        result = FM_ENOTFOUND;
    for (size_t i = 0; result == 0 && i < log->file_count; i++) {
        fm_router_file *file = log->files[i];
        if (file->count == 0 || fm_router_file_last(file) <= after)
            continue;
        uint64_t first = file->head.first_sequence;
        uint64_t position = after + 1 > first ? after + 1 - first : 0;
        out->file = file;
        out->offset = file->offset[position / FM_ROUTER_STRIDE];
        out->size = file->size;
        file->users++;
        result = 1;
    }
    pthread_mutex_unlock(&log->lock);
    return result;
}

static void let_go(fm_router_log *log, fm_router_file *file)
{
    pthread_mutex_lock(&log->lock);
    fm_router_file_drop(log, file);
    pthread_mutex_unlock(&log->lock);
}

typedef struct loaded { /* bytes of the file from `offset` on */
    char *data;
    size_t room, size;
    uint64_t offset;
} loaded;

/* Makes `need` bytes at `offset` available; FM_ECORRUPT when the file ends before. */
static int load(fm_router_log *log, const place *at, loaded *window, uint64_t offset, size_t need)
{
    if (offset >= window->offset && offset + need <= window->offset + window->size)
        return 0;
    if (offset + need > at->size)
        return FM_ECORRUPT;
    if (window->room < need) {
        size_t room = need > CHUNK ? need : CHUNK;
        char *grown = realloc(window->data, room);
        if (grown == NULL)
            return FM_ENOMEM;
        window->data = grown;
        window->room = room;
    }
    size_t want = window->room < at->size - offset ? window->room : (size_t)(at->size - offset);
    ssize_t got = log->config.layer->read(at->file->file, window->data, want, offset);
    if (got < 0)
        return (int)got;
    window->offset = offset;
    window->size = (size_t)got;
    return (size_t)got >= need ? 0 : FM_ECORRUPT;
}

typedef struct visiting {
    uint64_t after, last;
    uint32_t limit;
    int visited;
    bool done;
    fm_routed_visit visit;
    void *context;
} visiting;

static int visit_frame(visiting *progress, const fm_router_frame *frame)
{
    if (frame->kind != FM_ROUTER_ALERT || frame->router_sequence <= progress->after)
        return 0;
    if (frame->router_sequence > progress->last) {
        progress->done = true;
        return 0;
    }
    fm_routed_alert alert;
    fm_router_frame_get(frame, &alert);
    int result = progress->visit(progress->context, &alert);
    if (result < 0)
        return result;
    progress->after = frame->router_sequence;
    progress->visited++;
    progress->done = result > 0 || (uint32_t)progress->visited >= progress->limit || progress->after >= progress->last;
    return 0;
}

static int read_file(fm_router_log *log, place *at, loaded *window, visiting *progress)
{
    window->size = 0;
    while (!progress->done && at->offset < at->size) {
        FM_TRY(load(log, at, window, at->offset, sizeof(fm_router_frame)));
        const fm_router_frame *frame = (const fm_router_frame *)(window->data + (at->offset - window->offset));
        uint32_t size = frame->size;
        if (size < sizeof *frame || size > FM_ROUTER_FRAME_MAX)
            return FM_ECORRUPT;
        FM_TRY(load(log, at, window, at->offset, size));
        frame = (const fm_router_frame *)(window->data + (at->offset - window->offset));
        FM_TRY(fm_router_frame_check(frame, size));
        FM_TRY(visit_frame(progress, frame));
        at->offset += size;
    }
    return 0;
}

int fm_router_log_read(fm_router_log *log, uint64_t after, uint64_t last, uint32_t limit, fm_routed_visit visit,
                       void *context)
{
    visiting progress = {.after = after, .last = last, .limit = limit, .visit = visit, .context = context};
    loaded window = {0};
    int result = 0;
    while (!progress.done && progress.after < last && limit > 0) {
        place at;
        result = find(log, progress.after, &at);
        if (result == FM_ENOTFOUND && progress.visited > 0)
            result = 0; /* retention overtook this reader: what it has seen counts, the next call tells it */
        if (result <= 0)
            break;
        uint64_t before = progress.after;
        result = read_file(log, &at, &window, &progress);
        if (result == FM_ECORRUPT || result == FM_EIO)
            fm_log(FM_LOG_ERROR, "router_log_unreadable", "file", at.file->path, "offset",
                   fm_log_int((int64_t)at.offset), "error", fm_error_name(result), NULL);
        let_go(log, at.file);
        if (result < 0 || progress.after == before)
            break;
    }
    free(window.data);
    return result < 0 ? result : progress.visited;
}

uint64_t fm_router_log_oldest(fm_router_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t oldest = log->file_count > 0 ? log->files[0]->head.previous_sequence : 0;
    pthread_mutex_unlock(&log->lock);
    return oldest;
}

uint64_t fm_router_log_count(fm_router_log *log, uint64_t after, uint64_t last)
{
    uint64_t count = 0;
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < log->file_count; i++) {
        const fm_router_file *file = log->files[i];
        if (file->count == 0)
            continue;
        uint64_t from = file->head.first_sequence, to = fm_router_file_last(file);
        from = after + 1 > from ? after + 1 : from;
        to = last < to ? last : to;
        count += to >= from ? to - from + 1 : 0;
    }
    pthread_mutex_unlock(&log->lock);
    return count;
}
