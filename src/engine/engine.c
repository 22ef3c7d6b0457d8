/* engine/engine.c - makes the shards and the rings between them. */
#include "engine/shard_internal.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

void fm_engine_config_preset(fm_engine_config *config)
{
    *config = (fm_engine_config){.shard_count = 1, .layer = &fm_file_system, .clock = fm_clock_system, .ring_bytes = 16u << 20,
                                 .instruments_max = 65536, .domains_max = 256, .sources_max = 64, .source_window = 1u << 20,
                                 .sequence_window = 32768, .register_unknown = true, .future_max_ns = 5 * FM_NS_PER_S,
                                 .lag_allowed_ns = 500 * FM_NS_PER_MS, .stale_venue_ns = FM_NS_PER_S, .batch_max = 1024,
                                 .snapshot_needs_sync = true, .latest_interval_ns = 100 * FM_NS_PER_MS};
}

static const fm_rule_set *generation_of(void *context, const char *hash)
{
    fm_shard *shard = context;
    const fm_engine_config *config = &shard->engine->config;
    return config->generation_of != NULL ? config->generation_of(config->runner_context, hash) : NULL;
}

static const fm_reference_set *reference_of(void *context, const char *hash)
{
    fm_shard *shard = context;
    const fm_engine_config *config = &shard->engine->config;
    return config->reference_of != NULL ? config->reference_of(config->runner_context, hash) : NULL;
}

static void on_synced(void *context)
{
    fm_shard_wake(context);
}

static void make_intakes(fm_shard *shard)
{
    shard->intake = calloc(FM_REQUESTS_MAX, sizeof(*shard->intake));
    FM_ASSERT(shard->intake != NULL);
    for (uint32_t i = FM_REQUESTS_MAX; i-- > 0;) {
        shard->intake[i].shard = shard;
        shard->intake[i].number = i;
        shard->intake[i].next = shard->intake_free;
        shard->intake_free = &shard->intake[i];
    }
}

static int make_shard(fm_engine *engine, uint32_t index, fm_error *error)
{
    const fm_engine_config *config = &engine->config;
    fm_shard *shard = &engine->shard[index];
    shard->engine = engine;
    shard->index = index;
    shard->writer = fm_journal_writer_of(config->journal, index);
    pthread_mutex_init(&shard->call_lock, NULL);
    pthread_mutex_init(&shard->board.lock, NULL);
    shard->limits = (fm_admission_limits){.series_max = (config->instruments_max + engine->shard_count - 1) / engine->shard_count,
                                          .domains_max = config->domains_max, .sources_max = config->sources_max,
                                          .source_window = config->source_window, .sequence_window = config->sequence_window,
                                          .scale_max = FM_SCALE_MAX, .register_unknown = config->register_unknown,
                                          .future_max_ns = config->future_max_ns};
    fm_fold_config fold = {.limits = shard->limits, .arena_bytes = (uint64_t)shard->limits.series_max * 65536 + (64u << 20),
                           .batch_max = config->batch_max, .stale_venue_ns = config->stale_venue_ns, .book = config->book, .books_max = config->books_max, .clock = config->clock,
                           .runner = config->runner_of != NULL ? config->runner_of(config->runner_context, index) : NULL,
                           .generation_of = generation_of, .reference_of = reference_of, .generation_context = shard, .emit = fm_shard_emit, .killed = fm_shard_killed, .quarantined = fm_shard_quarantined,
                           .cross = fm_shard_cross,
                           .context = shard, .counters = &shard->counters};
    FM_TRY(fm_fold_create(&fold, &shard->fold, error));
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (fm_owner_of(engine, p) == index) {
            fm_fold_adopt(shard->fold, &shard->partition[p], p);
            shard->stage[p].entries.bytes = malloc(FM_STAGE_BYTES);
            FM_ASSERT(shard->stage[p].entries.bytes != NULL);
        }
    make_intakes(shard);
    shard->met = aligned_alloc(64, FM_MET_SYMBOLS * sizeof(*shard->met));
    FM_ASSERT(shard->met != NULL);
    memset(shard->met, 0, FM_MET_SYMBOLS * sizeof(*shard->met));
    fm_journal_on_synced(shard->writer, on_synced, shard);
    return 0;
}

static int make_rings(fm_engine *engine)
{
    uint32_t n = engine->shard_count;
    engine->records = calloc((size_t)n * n, sizeof(*engine->records));
    engine->replies = calloc((size_t)n * n, sizeof(*engine->replies));
    FM_ASSERT(engine->records != NULL && engine->replies != NULL);
    for (uint32_t i = 0; i < n * n; i++) {
        FM_TRY(fm_ring_create(engine->config.ring_bytes, &engine->records[i]));
        if (i / n != i % n) /* an answer for every request that can be open, with all of its errors and positions */
            FM_TRY(fm_ring_create((size_t)FM_REQUESTS_MAX * (sizeof(fm_reply) + 64), &engine->replies[i]));
    }
    return 0;
}

int fm_engine_create(const fm_engine_config *config, fm_engine **out, fm_error *error)
{
    if (config->shard_count == 0 || config->shard_count > FM_SHARDS_MAX || config->batch_max == 0)
        return fm_fail(error, FM_EINVAL, "engine.shards must be 1 to %d", FM_SHARDS_MAX);
    if ((config->sequence_window & (config->sequence_window - 1)) != 0 || config->sequence_window == 0)
        return fm_fail(error, FM_EINVAL, "ingest.sequence_window must be a power of two");
    fm_engine *engine = calloc(1, sizeof(*engine));
    FM_ASSERT(engine != NULL);
    engine->config = *config;
    engine->shard_count = config->shard_count;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        engine->owner[p] = (uint8_t)(p % engine->shard_count);
    engine->shard = calloc(engine->shard_count, sizeof(*engine->shard));
    FM_ASSERT(engine->shard != NULL);
    pthread_mutex_init(&engine->snapshot_lock, NULL);
    pthread_cond_init(&engine->snapshot_wake, NULL);
    int result = make_rings(engine);
    if (result < 0)
        fm_fail(error, result, "could not map the rings between the shards: engine.ring_bytes is %llu",
                (unsigned long long)config->ring_bytes);
    for (uint32_t i = 0; result >= 0 && i < engine->shard_count; i++)
        result = make_shard(engine, i, error);
    if (result < 0) {
        fm_engine_destroy(engine);
        return result;
    }
    *out = engine;
    return 0;
}

static void fini_shard(fm_shard *shard)
{
    if (shard->engine == NULL)
        return;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        if (shard->fold != NULL && fm_owner_of(shard->engine, p) == shard->index)
            fm_fold_release(shard->fold, &shard->partition[p]);
        free(shard->stage[p].entries.bytes);
    }
    fm_fold_destroy(shard->fold);
    for (uint32_t i = shard->held_first; i < shard->held_count; i++)
        free(shard->held[i].body);
    free(shard->held);
    free(shard->part);
    free(shard->kill_note);
    fm_text_fini(&shard->cross_in);
    fm_text_fini(&shard->cross_out);
    free(shard->intake);
    free(shard->met);
    fm_rule_board_fini(&shard->board);
    while (shard->call_first != NULL) {
        fm_call *next = shard->call_first->next;
        shard->call_first->call(shard->call_first->context, NULL);
        free(shard->call_first);
        shard->call_first = next;
    }
    pthread_mutex_destroy(&shard->call_lock);
    pthread_mutex_destroy(&shard->board.lock);
}

void fm_engine_destroy(fm_engine *engine)
{
    if (engine == NULL)
        return;
    for (uint32_t i = 0; i < engine->shard_count; i++)
        fini_shard(&engine->shard[i]);
    for (uint32_t i = 0; i < engine->shard_count * engine->shard_count; i++) {
        if (engine->records != NULL && engine->records[i] != NULL)
            fm_ring_destroy(engine->records[i]);
        if (engine->replies != NULL && engine->replies[i] != NULL)
            fm_ring_destroy(engine->replies[i]);
    }
    free(engine->records);
    free(engine->replies);
    free(engine->shard);
    pthread_mutex_destroy(&engine->snapshot_lock);
    pthread_cond_destroy(&engine->snapshot_wake);
    free(engine);
}

int fm_engine_start(fm_engine *engine)
{
    return fm_snapshot_thread_start(engine);
}

void fm_engine_stop(fm_engine *engine)
{
    for (uint32_t i = 0; i < engine->shard_count; i++) {
        pthread_mutex_lock(&engine->shard[i].call_lock);
        atomic_store(&engine->shard[i].stopped, true);
        pthread_mutex_unlock(&engine->shard[i].call_lock);
    }
    fm_snapshot_thread_stop(engine);
}

fm_shard *fm_engine_shard(fm_engine *engine, uint32_t index)
{
    FM_ASSERT(index < engine->shard_count);
    return &engine->shard[index];
}

uint32_t fm_engine_shard_count(const fm_engine *engine)
{
    return engine->shard_count;
}

uint32_t fm_shard_index(const fm_shard *shard)
{
    return shard->index;
}

fm_counters *fm_shard_counters(fm_shard *shard)
{
    return &shard->counters;
}

void fm_engine_set_reference(fm_engine *engine, const fm_reference_set *set)
{
    atomic_store_explicit(&engine->reference, set, memory_order_release);
    for (uint32_t i = 0; i < engine->shard_count; i++)
        fm_shard_wake(&engine->shard[i]);
}

int fm_engine_set_rules(fm_engine *engine, const fm_rule_set *set, fm_error *error)
{
    fm_plan *plan; /* would it fit? A shard could not refuse any more. */
    FM_TRY(fm_plan_create(set, &plan, error));
    fm_plan_destroy(plan);
    atomic_store_explicit(&engine->generation, set, memory_order_release);
    for (uint32_t i = 0; i < engine->shard_count; i++)
        fm_shard_wake(&engine->shard[i]);
    return 0;
}
