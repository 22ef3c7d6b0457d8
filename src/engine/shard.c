/* engine/shard.c - the turn of a shard: take, log, apply, answer. Everything that a shard's thread does for the engine happens here. */
#include "engine/shard_internal.h"

#include "base/assert.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- wake-up ---- */

void fm_shard_on_wake(fm_shard *shard, void (*wake)(void *context), void *context)
{
    shard->wake_context = context;
    shard->wake = wake;
}

/* The sleeper sets `sleeping`, then looks once more; the waker publishes, then looks at `sleeping`: the fences keep one of them from missing
 * the other. */
void fm_shard_set_sleeping(fm_shard *shard, bool sleeping)
{
    atomic_store_explicit(&shard->sleeping, sleeping, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
}

void fm_shard_wake(fm_shard *shard)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&shard->sleeping, memory_order_seq_cst) && shard->wake != NULL)
        shard->wake(shard->wake_context);
}

bool fm_shard_has_work(const fm_shard *shard)
{
    const fm_engine *engine = shard->engine;
    for (uint32_t o = 0; o < engine->shard_count; o++) {
        if (!fm_ring_empty(fm_records_ring(engine, o, shard->index)))
            return true;
        if (o != shard->index && !fm_ring_empty(fm_replies_ring(engine, o, shard->index)))
            return true;
    }
    if (atomic_load_explicit(&shard->call_count, memory_order_acquire) > 0)
        return true;
    if (shard->recovered && (atomic_load_explicit(&engine->generation, memory_order_acquire) != shard->generation ||
                             atomic_load_explicit(&engine->reference, memory_order_acquire) != shard->reference))
        return true;
    uint64_t synced = fm_journal_synced(shard->writer);
    return shard->kill_note_count > 0 || shard->cross_in.size > 0 || (shard->part_first < shard->part_committed && shard->part[shard->part_first].written <= synced) ||
           (shard->held_first < shard->held_count && shard->held[shard->held_first].written <= synced);
}

/* ---- control plane ---- */

int fm_shard_call(fm_shard *shard, void (*call)(void *context, fm_shard *shard), void *context)
{
    fm_call *one = calloc(1, sizeof(*one));
    FM_ASSERT(one != NULL);
    one->call = call;
    one->context = context;
    pthread_mutex_lock(&shard->call_lock);
    bool stopped = atomic_load(&shard->stopped);
    if (!stopped) {
        if (shard->call_last != NULL)
            shard->call_last->next = one;
        else
            shard->call_first = one;
        shard->call_last = one;
        atomic_fetch_add_explicit(&shard->call_count, 1, memory_order_release);
    }
    pthread_mutex_unlock(&shard->call_lock);
    if (stopped) {
        free(one);
        return FM_ESHUTDOWN;
    }
    fm_shard_wake(shard);
    return 0;
}

static void run_calls(fm_shard *shard)
{
    if (atomic_load_explicit(&shard->call_count, memory_order_acquire) == 0)
        return;
    pthread_mutex_lock(&shard->call_lock);
    fm_call *first = shard->call_first;
    shard->call_first = shard->call_last = NULL;
    atomic_store(&shard->call_count, 0);
    pthread_mutex_unlock(&shard->call_lock);
    while (first != NULL) {
        fm_call *next = first->next;
        first->call(first->context, shard);
        free(first);
        first = next;
    }
}

/* ---- what the shard itself puts into the log ---- */

/* Our own small records reserve their room like everybody's; without it they wait for the disk. What was not used goes back. */
#define CONTROL_BYTES 512u

static bool reserve_controls(fm_shard *shard, uint32_t count)
{
    return fm_journal_reserve(shard->writer, (uint64_t)count * CONTROL_BYTES) >= 0;
}

static void give_back_controls(fm_shard *shard, uint32_t count, uint32_t used)
{
    fm_journal_unreserve(shard->writer, (uint64_t)count * CONTROL_BYTES - used);
}

static bool owns(const fm_shard *shard, uint32_t partition)
{
    return fm_owner_of(shard->engine, partition) == shard->index;
}

/* A new generation, or a new build, is a record in every partition that does not have it yet. */
static void log_generation(fm_shard *shard)
{
    const fm_rule_set *wanted = atomic_load_explicit(&shard->engine->generation, memory_order_acquire);
    if (wanted == NULL || wanted == shard->generation || !reserve_controls(shard, FM_PARTITION_COUNT))
        return;
    char hash[33];
    fm_hash128_hex(wanted->hash, hash);
    uint32_t used = 0;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (owns(shard, p) && memcmp(&shard->partition[p].plan->set->hash, &wanted->hash, sizeof(wanted->hash)) != 0)
            used += fm_shard_stage_control(shard, p, FM_GENERATION, fm_wall_ns(&shard->engine->config.clock), &(fm_control){0},
                                           fm_slice_of(hash));
    give_back_controls(shard, FM_PARTITION_COUNT, used);
    shard->generation = wanted;
    fm_shard_commit(shard);
    if (used > 0) {
        fm_count(&shard->counters, FM_METRIC_RULE_RELOADS, shard->index == 0);
        fm_shard_snapshot(shard);
    }
}

/* The same for reference data. It holds before rules that match by class are asked about an instrument. */
static void log_reference(fm_shard *shard)
{
    const fm_reference_set *wanted = atomic_load_explicit(&shard->engine->reference, memory_order_acquire);
    if (wanted == NULL || wanted == shard->reference || !reserve_controls(shard, FM_PARTITION_COUNT))
        return;
    char hash[33];
    fm_hash128_hex(wanted->hash, hash);
    uint32_t used = 0;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_reference_set *held = shard->partition[p].reference;
        if (held == NULL && wanted->instrument_count + wanted->calendar_count == 0)
            continue; /* nothing to say, and nothing was ever said */
        if (owns(shard, p) && (held == NULL || memcmp(&held->hash, &wanted->hash, sizeof(wanted->hash)) != 0))
            used += fm_shard_stage_control(shard, p, FM_REFERENCE, fm_wall_ns(&shard->engine->config.clock), &(fm_control){0},
                                           fm_slice_of(hash));
    }
    give_back_controls(shard, FM_PARTITION_COUNT, used);
    shard->reference = wanted;
    fm_shard_commit(shard);
}

static void log_build(fm_shard *shard)
{
    const char *build = shard->engine->config.build_id;
    if (build == NULL || !reserve_controls(shard, FM_PARTITION_COUNT))
        return;
    uint32_t used = 0;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (owns(shard, p) && strncmp(shard->partition[p].build, build, sizeof(shard->partition[p].build) - 1) != 0)
            used += fm_shard_stage_control(shard, p, FM_BUILD, fm_wall_ns(&shard->engine->config.clock), &(fm_control){0},
                                           fm_slice_of(build));
    give_back_controls(shard, FM_PARTITION_COUNT, used);
    fm_shard_commit(shard);
}

static uint32_t log_kill(fm_shard *shard, uint32_t p, const fm_kill_note *note)
{
    for (uint32_t k = 0; k < shard->partition[p].kill_count; k++) {
        const fm_kill_mark *mark = &shard->partition[p].kill[k];
        if (strcmp(mark->rule, note->rule) != 0 || strcmp(mark->hash, note->hash) != 0)
            continue;
        char text[sizeof(*note) + 3];
        int size = snprintf(text, sizeof(text), "%s%c%s%c%s", note->rule, 0, note->hash, 0, note->reason);
        return fm_shard_stage_control(shard, p, FM_KILL, fm_wall_ns(&shard->engine->config.clock),
                                      &(fm_control){.at_sequence = mark->at_sequence, .at_timer = mark->at_timer}, (fm_slice){text, (size_t)size});
    }
    return 0;
}

/* The fold has obeyed already; the records tell the next fold. Staging one may commit, and a commit may bring another note. */
static void log_kills(fm_shard *shard)
{
    while (shard->kill_note_count > 0 && reserve_controls(shard, FM_PARTITION_COUNT)) {
        fm_kill_note note = shard->kill_note[--shard->kill_note_count];
        uint32_t used = 0;
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            used += owns(shard, p) ? log_kill(shard, p, &note) : 0;
        give_back_controls(shard, FM_PARTITION_COUNT, used);
    }
}

/* Wall time enters the live domain only when a timer is due and no data came. Returns when the next one is due, wall time. */
static int64_t log_clocks(fm_shard *shard, bool write)
{
    const fm_engine_config *config = &shard->engine->config;
    int64_t clock_ns = fm_wall_ns(&config->clock) - config->lag_allowed_ns, next = INT64_MAX;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        fm_partition *partition = &shard->partition[p];
        if (!owns(shard, p) || partition->plan->timer_min_ns == INT64_MAX)
            continue;
        int live = fm_admission_domain(&partition->admission, FM_SLICE("live"));
        if (live < 0 || (uint32_t)live >= partition->domain_count)
            continue;
        int64_t due = fm_fold_due(partition, (uint32_t)live);
        if (due < shard->stage[p].live_ns) /* data came: they carry the time, also where they lag behind the wall */
            due = shard->stage[p].live_ns;
        if (write && due <= clock_ns && fm_journal_reserve(shard->writer, sizeof(fm_event)) >= 0) {
            fm_shard_stage_control(shard, p, FM_CLOCK, clock_ns, &(fm_control){.index = (uint32_t)live}, (fm_slice){"", 0});
            fm_count(&shard->counters, FM_METRIC_CLOCK_RECORDS, 1);
        } else if (due < next) {
            next = due;
        }
    }
    return next == INT64_MAX ? INT64_MAX : next + config->lag_allowed_ns;
}

/* ---- the turn ---- */

uint32_t fm_shard_turn(fm_shard *shard)
{
    fm_engine *engine = shard->engine;
    uint32_t taken = 0;
    run_calls(shard);
    log_reference(shard);
    log_generation(shard);
    for (uint32_t i = 0; i < engine->shard_count; i++) {
        uint32_t origin = (shard->next_origin + i) % engine->shard_count;
        taken += fm_shard_drain(shard, origin, FM_TURN_RECORDS / engine->shard_count);
    }
    shard->next_origin = (shard->next_origin + 1) % engine->shard_count;
    log_kills(shard);
    int64_t now_ns = fm_mono_ns(&engine->config.clock);
    if (now_ns - shard->clock_ns >= FM_NS_PER_MS) {
        shard->clock_ns = now_ns;
        log_clocks(shard, true);
    }
    fm_shard_log_crosses(shard);
    fm_shard_commit(shard);
    fm_shard_send_crosses(shard);
    fm_shard_release_held(shard);
    fm_shard_send_parts(shard);
    fm_shard_take_replies(shard);
    if (fm_journal_rolled(shard->writer))
        fm_shard_snapshot(shard);
    fm_shard_publish_latest(shard);
    fm_shard_renew_board(shard);
    return taken;
}

int64_t fm_shard_sleep_ns(fm_shard *shard)
{
    int64_t next = log_clocks(shard, false);
    int64_t now = fm_wall_ns(&shard->engine->config.clock);
    if (shard->engine->config.latest != NULL)
        next = next < shard->latest_ns + shard->engine->config.latest_interval_ns ? next : shard->latest_ns + shard->engine->config.latest_interval_ns;
    next = next < shard->board_ns + FM_NS_PER_S ? next : shard->board_ns + FM_NS_PER_S;
    return next > now ? next - now : 0;
}

/* ---- snapshots ---- */

void fm_shard_snapshot(fm_shard *shard)
{
    fm_engine *engine = shard->engine;
    if (engine->config.snapshot_directory == NULL || !shard->recovered)
        return;
    log_kills(shard);
    fm_shard_commit(shard);
    if (shard->kill_note_count > 0) /* obeyed and not on record yet: the journal could not say why the state is so */
        return;
    fm_snapshot_job *job = calloc(1, sizeof(*job));
    FM_ASSERT(job != NULL);
    job->shard = shard->index;
    job->number = ++shard->snapshot_number;
    job->written = fm_journal_written(shard->writer);
    job->emitted = shard->emitted + (shard->held_count - shard->held_first);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (owns(shard, p)) {
            job->applied[p] = shard->partition[p].applied;
            fm_snapshot_put(&shard->partition[p], &job->bytes[p]);
        }
    pthread_mutex_lock(&engine->snapshot_lock);
    if (engine->snapshot_last != NULL)
        engine->snapshot_last->next = job;
    else
        engine->snapshot_first = job;
    engine->snapshot_last = job;
    pthread_cond_signal(&engine->snapshot_wake);
    pthread_mutex_unlock(&engine->snapshot_lock);
}

/* ---- recovery ---- */

/* A snapshot that knows more than the log of its run has left: the machine died before the log was on the disk. */
typedef struct ahead {
    uint64_t applied, last; /* 0 = there is none */
    char     file[512];
} ahead;

typedef struct recovering {
    fm_shard *shard;
    ahead     ahead[FM_PARTITION_COUNT]; /* the one furthest ahead */
    uint64_t  best[FM_PARTITION_COUNT];  /* applied of the snapshot that is loaded */
    uint64_t  incarnation[FM_PARTITION_COUNT]; /* of the run that wrote it */
    uint64_t  limit[FM_PARTITION_COUNT]; /* snapshots at or past it could not be read */
    bool      again;
    fm_error *error;
    uint64_t  frames, events;
    char     *bytes; /* frames gathered for one batch */
    size_t    size, capacity;
} recovering;

/* Its entries may be other ones by now, when a later run went on from what was left: so its own run's log counts. */
static bool is_ahead(recovering *r, const fm_snapshot_head *head, const char *file)
{
    uint64_t removed, last;
    ahead *known = &r->ahead[head->partition];
    fm_journal_extent(r->shard->engine->config.journal, head->partition, fm_snapshot_incarnation(file), &removed, &last);
    if (head->applied <= last)
        return false;
    if (head->applied > known->applied) {
        known->applied = head->applied;
        known->last = last;
        snprintf(known->file, sizeof(known->file), "%s", file);
    }
    return true;
}

/* Without them it goes on from an older snapshot or from the first entry, as far as the log still has all that is needed. */
static int do_without_ahead(const recovering *r)
{
    const ahead *first = NULL;
    uint32_t at = 0, count = 0;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const ahead *one = &r->ahead[p];
        uint64_t removed, last;
        if (one->applied == 0)
            continue;
        fm_journal_extent(r->shard->engine->config.journal, p, UINT64_MAX, &removed, &last);
        if (r->best[p] < removed) {
            fm_fail(r->error, FM_ECORRUPT,
                    "snapshot \"%s\" has partition %u up to entry %llu, but the journal ends at entry %llu, and begins behind entry %llu, too late to do "
                    "without the snapshot",
                    one->file, p, (unsigned long long)one->applied, (unsigned long long)one->last, (unsigned long long)removed);
            snprintf(r->error->hint, sizeof(r->error->hint),
                     "restore the journal from a copy that reaches entry %llu, or start with an empty data directory; this one was not changed",
                     (unsigned long long)one->applied);
            return FM_ECORRUPT;
        }
        at = first == NULL ? p : at;
        first = first == NULL ? one : first;
        count++;
    }
    if (first != NULL)
        fm_log(FM_LOG_WARN, "snapshot_ahead", "file", first->file, "partition", fm_log_int(at), "snapshot_entry", fm_log_int((int64_t)first->applied),
               "journal_entry", fm_log_int((int64_t)first->last), "partitions", fm_log_int(count), "effect", "folded without it", NULL);
    return 0;
}

static int load_snapshot(void *context, const fm_snapshot_head *head, const char *data, size_t size, const char *file)
{
    recovering *r = context;
    uint32_t p = head->partition;
    if (p >= FM_PARTITION_COUNT || !owns(r->shard, p) || head->applied == 0 || head->applied < r->best[p] || head->applied >= r->limit[p])
        return 0;
    if (is_ahead(r, head, file))
        return 0;
    if (head->applied == r->best[p]) { /* the same state once more, in a newer file: the older one may go */
        r->incarnation[p] = fm_snapshot_incarnation(file);
        return 0;
    }
    fm_partition *partition = &r->shard->partition[p];
    fm_fold_release(r->shard->fold, partition);
    fm_fold_adopt(r->shard->fold, partition, p);
    fm_error error = {0};
    int result = fm_snapshot_get(r->shard->fold, partition, data, size, &error);
    if (result >= 0) {
        r->best[p] = head->applied;
        r->incarnation[p] = fm_snapshot_incarnation(file);
        return 0;
    }
    if (result != FM_ECORRUPT) {
        *r->error = error;
        return result; /* another build's layout, or lost rules: a choice for the operator, not for us */
    }
    fm_log(FM_LOG_ERROR, "snapshot_refused", "file", file, "reason", error.message, NULL);
    fm_fold_release(r->shard->fold, partition);
    fm_fold_adopt(r->shard->fold, partition, p);
    r->limit[p] = head->applied;
    r->best[p] = 0;
    r->again = true;
    return 0;
}

static int note_kills(void *context, const fm_frame *frame)
{
    recovering *r = context;
    for (size_t at = 0; at < frame->size; at += fm_event_size((const fm_event *)(frame->events + at))) {
        const fm_event *event = (const fm_event *)(frame->events + at);
        if (event->kind == FM_KILL)
            fm_partition_note_kill(&r->shard->partition[frame->partition], event);
    }
    return 0;
}

static int fold_frame(void *context, const fm_frame *frame)
{
    recovering *r = context;
    fm_shard *shard = r->shard;
    fm_partition *partition = &shard->partition[frame->partition];
    uint64_t sequence = frame->first_sequence;
    for (size_t at = 0; at < frame->size; sequence++) {
        const fm_event *event = (const fm_event *)(frame->events + at);
        at += fm_event_size(event);
        if (sequence <= partition->applied)
            continue;
        if (sequence != partition->applied + 1)
            return fm_fail(r->error, FM_ECORRUPT, "partition %u: entry %llu is missing before offset %llu of \"%s\"", frame->partition,
                           (unsigned long long)(partition->applied + 1), (unsigned long long)frame->offset, frame->file);
        FM_TRY(fm_admission_note(&partition->admission, &shard->limits, event));
        FM_TRY(fm_fold_apply(shard->fold, partition, event, frame->receive_ns, r->error));
        r->events++;
    }
    return fm_fold_run(shard->fold, r->error); /* the frame's bytes are valid for this visit only */
}

static int recover(fm_shard *shard, recovering *r)
{
    const fm_engine_config *config = &shard->engine->config;
    uint64_t mine = 0;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        r->limit[p] = UINT64_MAX;
        mine |= owns(shard, p) ? UINT64_C(1) << p : 0;
    }
    if (config->snapshot_directory != NULL)
        do {
            r->again = false;
            FM_TRY(fm_snapshot_visit_all(config->layer, config->snapshot_directory, load_snapshot, r, r->error));
        } while (r->again);
    FM_TRY(do_without_ahead(r));
    FM_TRY(fm_journal_read(config->journal, mine, r->best, note_kills, r, r->error));
    FM_TRY(fm_journal_read(config->journal, mine, r->best, fold_frame, r, r->error));
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        if (owns(shard, p)) {
            shard->series_used += shard->partition[p].admission.symbol_count;
            shard->snapshot_applied[p] = r->best[p];
            if (r->best[p] > 0 && (shard->snapshot_loaded == 0 || r->incarnation[p] < shard->snapshot_loaded))
                shard->snapshot_loaded = r->incarnation[p];
            FM_ASSERT(shard->partition[p].admission.next_sequence == shard->partition[p].applied + 1);
        }
    return 0;
}

int fm_shard_recover(fm_shard *shard, fm_error *error)
{
    recovering *r = calloc(1, sizeof(*r));
    FM_ASSERT(r != NULL);
    r->shard = shard;
    r->error = error;
    int result = recover(shard, r);
    if (result >= 0) {
        fm_log(FM_LOG_INFO, "shard_recovered", "shard", fm_log_int(shard->index), "entries", fm_log_int((int64_t)r->events), "series",
               fm_log_int(shard->series_used), NULL);
        shard->recovered = true;
        log_build(shard);
    } else if (error->code == 0) {
        fm_fail(error, result, "the journal could not be folded: %s", fm_error_text(result));
    }
    free(r);
    return result;
}
