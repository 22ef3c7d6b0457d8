/* journal/file.c - the embedded journal: segment files in a folder. Opening, closing, reading.
 *
 * Read in this order: file_layout.h (the bytes), file_state.h (who shares what), file_writer.c (the way of a frame),
 * file_syncer.c, file_space.c, file_scan.c, file_repair.c. Why it is so: docs/decisions/0004-journal-format.md. */
#include "journal/file_state.h"

#include "base/assert.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void fm_journal_path(const fm_journal *journal, const fm_segment *segment, const char *suffix, char out[PATH_MAX])
{
    char name[FM_SEGMENT_NAME_SIZE];
    fm_segment_name(segment, name);
    int length = snprintf(out, PATH_MAX, "%s/%s%s", journal->directory, name, suffix);
    FM_ASSERT(length > 0 && length < PATH_MAX); /* open refused longer folders */
}

void fm_journal_add(fm_journal *journal, fm_segment *segment)
{
    if (journal->segment_count == journal->segment_capacity) {
        size_t capacity = journal->segment_capacity == 0 ? 64 : journal->segment_capacity * 2;
        fm_segment **segments = realloc(journal->segments, capacity * sizeof(segments[0]));
        FM_ASSERT(segments != NULL);
        journal->segments = segments;
        journal->segment_capacity = capacity;
    }
    journal->segments[journal->segment_count++] = segment;
}

/* ---- open ---- */

static int check_config(const fm_journal_config *config, fm_error *error)
{
    if (config->directory == NULL || config->directory[0] == '\0' || strlen(config->directory) > PATH_MAX - 128)
        return fm_fail(error, FM_EINVAL, "the journal needs a folder with a path of at most %d bytes", PATH_MAX - 128);
    if (config->read_only)
        return 0;
    if (config->writer_count == 0 || config->writer_count > FM_WRITERS_MAX)
        return fm_fail(error, FM_EINVAL, "the journal takes 1 to %u writers, not %u", FM_WRITERS_MAX,
                       config->writer_count);
    if (config->segment_bytes < FM_SEGMENT_BYTES_MIN || config->segment_bytes > FM_SEGMENT_BYTES_MAX ||
        config->segment_bytes % 4096 != 0)
        return fm_fail(error, FM_EINVAL,
                       "a journal segment has 64 KiB to 1 GiB in whole pages of 4 KiB, not %" PRIu64 " bytes",
                       config->segment_bytes);
    if (config->sync == FM_SYNC_INTERVAL && config->sync_interval_ns <= 0)
        return fm_fail(error, FM_EINVAL, "the journal's sync interval must be positive");
    return 0;
}

/* Two processes in one data directory would each take the other's tail for torn. */
static int take_lock(fm_journal *journal, fm_error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.*s/lock", PATH_MAX - 8, journal->directory);
    journal->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0)
        return fm_fail_errno(error, FM_EIO, "could not open \"%s\"", path);
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return fm_fail(error, FM_EBUSY, "the journal in \"%s\" is in use by another process", journal->directory);
    return fm_fail_errno(error, FM_EIO, "could not lock \"%s\"", path);
}

static int load(fm_journal *journal, fm_error *error)
{
    int result = fm_meta_read(journal, error);
    bool fresh = result == FM_ENOTFOUND && !journal->read_only;
    if (result < 0 && !fresh)
        return result;
    FM_TRY(fm_journal_load(journal, error));
    if (fresh && journal->segment_count > 0)
        return fm_fail(error, FM_ECORRUPT, "\"%s\" has journal segments but no journal.meta", journal->directory);
    if (fresh && error != NULL)
        *error = (fm_error){0}; /* nothing there yet is no error */
    return 0;
}

static int start(fm_journal *journal, fm_error *error)
{
    journal->incarnation++;
    int result = fm_meta_write(journal);
    if (result == 0)
        result = journal->layer->sync_folder(journal->directory);
    if (result < 0)
        return fm_fail(error, result, "could not write \"%s/journal.meta\": %s", journal->directory,
                       fm_error_text(result));
    if (posix_memalign((void **)&journal->writers, 64, journal->writer_count * sizeof(journal->writers[0])) != 0) {
        journal->writers = NULL;
        return fm_fail(error, FM_ENOMEM, "no memory for %u journal writers", journal->writer_count);
    }
    memset(journal->writers, 0, journal->writer_count * sizeof(journal->writers[0]));
    journal->zeros = calloc(1, FM_JOURNAL_ZEROS_SIZE);
    if (journal->zeros == NULL)
        return fm_fail(error, FM_ENOMEM, "no memory for the journal");
    for (uint32_t i = 0; i < journal->writer_count; i++) {
        if (fm_writer_init(&journal->writers[i], journal, i) < 0)
            return fm_fail(error, FM_ENOMEM, "no memory for %u journal writers", journal->writer_count);
    }
    return fm_syncer_start(journal, error);
}

/* Closed without a word about the log: nothing was appended, or there is nothing to write. */
static void destroy(fm_journal *journal)
{
    for (uint32_t i = 0; journal->writers != NULL && i < journal->writer_count; i++)
        fm_writer_fini(&journal->writers[i]);
    free(journal->writers);
    for (size_t i = 0; i < journal->segment_count; i++)
        free(journal->segments[i]);
    free(journal->segments);
    free(journal->zeros);
    pthread_mutex_destroy(&journal->lock);
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    free(journal);
}

int fm_journal_open(const fm_journal_config *config, fm_journal **out, fm_error *error)
{
    FM_TRY(check_config(config, error));
    fm_journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL)
        return fm_fail(error, FM_ENOMEM, "no memory for the journal");
    strcpy(journal->directory, config->directory);
    journal->layer = config->layer;
    journal->sync = config->sync;
    journal->sync_interval_ns = config->sync_interval_ns;
    journal->segment_bytes = config->segment_bytes;
    journal->retain_bytes = config->retain_bytes;
    journal->read_only = config->read_only;
    journal->writer_count = config->read_only ? 0 : config->writer_count;
    journal->lock_fd = journal->wake_fd = -1;
    pthread_mutex_init(&journal->lock, NULL);

    int result = 0;
    if (!journal->read_only) {
        result = fm_folder_make(journal->directory);
        if (result < 0)
            fm_fail(error, result, "could not make folder \"%s\": %s", journal->directory, fm_error_text(result));
        else
            result = take_lock(journal, error);
    }
    if (result == 0)
        result = load(journal, error);
    fm_gauge(&journal->counters, FM_METRIC_JOURNAL_SEGMENTS, journal->segment_count);
    if (result == 0 && !journal->read_only)
        result = start(journal, error);
    if (result < 0) {
        fm_syncer_stop(journal);
        destroy(journal);
        return result;
    }
    *out = journal;
    return 0;
}

void fm_journal_close(fm_journal *journal)
{
    if (journal == NULL)
        return;
    for (uint32_t i = 0; i < journal->writer_count; i++)
        atomic_store(&journal->writers[i].on_synced, NULL);
    fm_syncer_stop(journal);
    for (uint32_t i = 0; i < journal->writer_count; i++)
        fm_writer_finish(&journal->writers[i]);
    if (!journal->read_only && journal->layer->sync_folder(journal->directory) < 0)
        fm_log(FM_LOG_ERROR, "journal_close_failed", "directory", journal->directory, "error",
               "could not sync the folder", NULL);
    destroy(journal);
}

fm_journal_writer *fm_journal_writer_of(fm_journal *journal, uint32_t index)
{
    FM_ASSERT(index < journal->writer_count);
    return &journal->writers[index];
}

void fm_journal_release(fm_journal *journal, uint32_t partition, uint64_t up_to_sequence)
{
    FM_ASSERT(partition < FM_PARTITION_COUNT);
    _Atomic uint64_t *released = &journal->released[partition];
    uint64_t old = atomic_load_explicit(released, memory_order_relaxed);
    while (old < up_to_sequence && !atomic_compare_exchange_weak_explicit(released, &old, up_to_sequence,
                                                                          memory_order_relaxed, memory_order_relaxed))
        ;
}

uint64_t fm_journal_incarnation(const fm_journal *journal)
{
    return journal->incarnation;
}

fm_counters *fm_journal_counters(fm_journal *journal)
{
    return &journal->counters;
}
