/* engine/snapshot_thread.c - writes snapshots beside the shards.
 *
 * A snapshot may be found by recovery only when nothing it stands for can be lost: its records are synced, and the router has logged every
 * alert that was emitted before it. So the thread waits for both, then writes. The journal may let go what lies before the snapshot before
 * the newest: the newest may turn out unreadable. */
#include "engine/shard_internal.h"

#include "base/assert.h"
#include "base/log.h"

#include <stdlib.h>
#include <time.h>

static bool may_write(const fm_engine *engine, const fm_snapshot_job *job)
{
    const fm_engine_config *config = &engine->config;
    if (config->snapshot_needs_sync && fm_journal_synced(engine->shard[job->shard].writer) < job->written)
        return false;
    return config->alerts.taken == NULL || config->alerts.taken(config->alerts.self, job->shard) >= job->emitted;
}

/* What this run was recovered from is the snapshot before its first ones: it goes when every shard has written two. Runs before that one go with
 * the first. */
static void remove_old_runs(fm_engine *engine, uint32_t shard)
{
    const fm_engine_config *config = &engine->config;
    uint32_t least = UINT32_MAX, before = UINT32_MAX;
    for (uint32_t i = 0; i < engine->shard_count; i++)
        before = engine->shard[i].snapshots_written < before ? engine->shard[i].snapshots_written : before;
    engine->shard[shard].snapshots_written++;
    for (uint32_t i = 0; i < engine->shard_count; i++)
        least = engine->shard[i].snapshots_written < least ? engine->shard[i].snapshots_written : least;
    if (least == before || least > 2)
        return;
    uint64_t keep_from = fm_journal_incarnation(config->journal);
    for (uint32_t i = 0; least == 1 && i < engine->shard_count; i++)
        if (engine->shard[i].snapshot_loaded != 0 && engine->shard[i].snapshot_loaded < keep_from)
            keep_from = engine->shard[i].snapshot_loaded;
    fm_snapshot_remove_before(config->layer, config->snapshot_directory, keep_from);
}

static void write_job(fm_engine *engine, fm_snapshot_job *job)
{
    const fm_engine_config *config = &engine->config;
    fm_shard *shard = &engine->shard[job->shard];
    const fm_text *bytes[FM_PARTITION_COUNT];
    fm_error error = {0};
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        bytes[p] = job->bytes[p].size > 0 ? &job->bytes[p] : NULL;
    int result = fm_snapshot_write(config->layer, config->snapshot_directory, fm_journal_incarnation(config->journal), job->shard, job->number,
                                   bytes, &error);
    if (result < 0) {
        fm_log(FM_LOG_ERROR, "snapshot_failed", "shard", fm_log_int(job->shard), "message", error.message, NULL);
        fm_count(fm_journal_counters(config->journal), FM_METRIC_SNAPSHOT_FAILURES, 1);
        return;
    }
    fm_count(fm_journal_counters(config->journal), FM_METRIC_SNAPSHOTS, 1);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (bytes[p] != NULL) {
            fm_journal_release(config->journal, p, shard->snapshot_applied[p]);
            shard->snapshot_applied[p] = job->applied[p];
        }
    remove_old_runs(engine, job->shard);
}

static void job_free(fm_snapshot_job *job)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        fm_text_fini(&job->bytes[p]);
    free(job);
}

/* Waits up to two seconds at a stop: what cannot be written then is recovered from the journal. */
static bool wait_until_writable(fm_engine *engine, const fm_snapshot_job *job)
{
    for (int waited_ms = 0; !may_write(engine, job); waited_ms += 2) {
        pthread_mutex_lock(&engine->snapshot_lock);
        bool stop = engine->snapshot_stop;
        bool newer = false;
        for (const fm_snapshot_job *later = job->next; later != NULL; later = later->next)
            newer |= later->shard == job->shard;
        pthread_mutex_unlock(&engine->snapshot_lock);
        if (newer || (stop && waited_ms > 2000))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return true;
}

static void *run(void *context)
{
    fm_engine *engine = context;
    pthread_mutex_lock(&engine->snapshot_lock);
    for (;;) {
        while (engine->snapshot_first == NULL && !engine->snapshot_stop)
            pthread_cond_wait(&engine->snapshot_wake, &engine->snapshot_lock);
        fm_snapshot_job *job = engine->snapshot_first;
        if (job == NULL)
            break;
        pthread_mutex_unlock(&engine->snapshot_lock);
        if (wait_until_writable(engine, job))
            write_job(engine, job);
        pthread_mutex_lock(&engine->snapshot_lock);
        engine->snapshot_first = job->next;
        if (engine->snapshot_first == NULL)
            engine->snapshot_last = NULL;
        job_free(job);
    }
    pthread_mutex_unlock(&engine->snapshot_lock);
    return NULL;
}

int fm_snapshot_thread_start(fm_engine *engine)
{
    if (engine->config.snapshot_directory == NULL)
        return 0;
    FM_TRY(fm_folder_make(engine->config.snapshot_directory));
    if (pthread_create(&engine->snapshot_thread, NULL, run, engine) != 0)
        return FM_ENOMEM;
    engine->snapshot_running = true;
    return 0;
}

void fm_snapshot_thread_stop(fm_engine *engine)
{
    if (!engine->snapshot_running)
        return;
    pthread_mutex_lock(&engine->snapshot_lock);
    engine->snapshot_stop = true;
    pthread_cond_signal(&engine->snapshot_wake);
    pthread_mutex_unlock(&engine->snapshot_lock);
    pthread_join(engine->snapshot_thread, NULL);
    engine->snapshot_running = false;
}
