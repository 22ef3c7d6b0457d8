/* main/verify.c - `fmads verify`: the fold must say again what it said. */
#include "main/verify.h"

#include "alert/router.h"
#include "base/assert.h"
#include "base/hash.h"
#include "engine/fold.h"
#include "engine/snapshot.h"
#include "journal/journal.h"
#include "main/data_dir.h"
#include "main/generations.h"
#include "main/references.h"
#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>

typedef struct kept_snapshot {
    uint32_t partition;
    uint64_t applied;
    char    *data;
    size_t   size;
} kept_snapshot;

typedef struct said_alert { /* by the fold now */
    fm_hash128 id, body;
    uint32_t   partition;
    uint64_t   sequence;
    bool       found;
} said_alert;

typedef struct verifying {
    FILE          *out;
    fm_verdict    *verdict;
    fm_error      *error;
    fm_fold       *fold;
    fm_admission_limits limits;
    fm_partition   partition[FM_PARTITION_COUNT];
    uint64_t       start[FM_PARTITION_COUNT]; /* folded from behind this entry */
    bool           begun[FM_PARTITION_COUNT];
    fm_generations *generations;
    fm_references *references;
    kept_snapshot *snapshot;
    uint32_t       snapshot_count, snapshot_capacity;
    said_alert    *said;
    uint32_t       said_count, said_capacity;
    uint64_t       router_sequence; /* of the alert compared last; sequences may jump */
    fm_counters    counters;
} verifying;

static const fm_rule_set *generation_of(void *context, const char *hash)
{
    return fm_generations_find(((verifying *)context)->generations, hash);
}

static const fm_reference_set *reference_of(void *context, const char *hash)
{
    return fm_references_find(((verifying *)context)->references, hash);
}

static void note_alert(void *context, const fm_alert *alert)
{
    verifying *v = context;
    v->said = fm_grow(v->said, &v->said_capacity, v->said_count + 1, sizeof(*v->said));
    v->said[v->said_count++] = (said_alert){.id = alert->id, .body = fm_hash128_of(alert->body, alert->body_size), .partition = alert->partition,
                                            .sequence = alert->sequence};
}

static int keep_snapshot(void *context, const fm_snapshot_head *head, const char *data, size_t size, const char *file)
{
    verifying *v = context;
    (void)file;
    if (head->partition >= FM_PARTITION_COUNT)
        return 0;
    v->snapshot = fm_grow(v->snapshot, &v->snapshot_capacity, v->snapshot_count + 1, sizeof(*v->snapshot));
    kept_snapshot *kept = &v->snapshot[v->snapshot_count++];
    *kept = (kept_snapshot){.partition = head->partition, .applied = head->applied, .data = malloc(size), .size = size};
    FM_ASSERT(kept->data != NULL);
    memcpy(kept->data, data, size);
    return 0;
}

static void differ(verifying *v, uint64_t *count, const char *what, uint32_t partition, uint64_t sequence)
{
    if (++*count <= 20 && v->out != NULL)
        fprintf(v->out, "partition %u, entry %llu: %s\n", partition, (unsigned long long)sequence, what);
}

static void compare_snapshots(verifying *v, const fm_partition *partition)
{
    for (uint32_t i = 0; i < v->snapshot_count; i++) {
        const kept_snapshot *kept = &v->snapshot[i];
        if (kept->partition != partition->index || kept->applied != partition->applied)
            continue;
        fm_text bytes = {0};
        fm_snapshot_put(partition, &bytes);
        v->verdict->snapshots++;
        if (bytes.size != kept->size || memcmp(bytes.data, kept->data, bytes.size) != 0)
            differ(v, &v->verdict->state_differences, "the state differs from the snapshot", partition->index, partition->applied);
        fm_text_fini(&bytes);
    }
}

/* The journal of a partition may begin later than at its first entry: then the oldest snapshot that reaches the rest is where to start. */
static int begin_partition(verifying *v, uint32_t p, uint64_t first_sequence)
{
    v->begun[p] = true;
    if (first_sequence == 1)
        return 0;
    const kept_snapshot *oldest = NULL;
    for (uint32_t i = 0; i < v->snapshot_count; i++)
        if (v->snapshot[i].partition == p && v->snapshot[i].applied + 1 >= first_sequence && (oldest == NULL || v->snapshot[i].applied < oldest->applied))
            oldest = &v->snapshot[i];
    if (oldest == NULL)
        return fm_fail(v->error, FM_ECORRUPT, "the journal of partition %u begins at entry %llu and no snapshot reaches it", p,
                       (unsigned long long)first_sequence);
    v->start[p] = oldest->applied;
    return fm_snapshot_get(v->fold, &v->partition[p], oldest->data, oldest->size, v->error);
}

static bool snapshot_at(const verifying *v, uint32_t p, uint64_t sequence)
{
    for (uint32_t i = 0; i < v->snapshot_count; i++)
        if (v->snapshot[i].partition == p && v->snapshot[i].applied == sequence)
            return true;
    return false;
}

static int note_kills(void *context, const fm_frame *frame)
{
    verifying *v = context;
    for (size_t at = 0; at < frame->size; at += fm_event_size((const fm_event *)(frame->events + at))) {
        const fm_event *event = (const fm_event *)(frame->events + at);
        if (event->kind == FM_KILL)
            fm_partition_note_kill(&v->partition[frame->partition], event);
    }
    return 0;
}

static int fold_frame(void *context, const fm_frame *frame)
{
    verifying *v = context;
    fm_partition *partition = &v->partition[frame->partition];
    if (!v->begun[frame->partition])
        FM_TRY(begin_partition(v, frame->partition, frame->first_sequence));
    uint64_t sequence = frame->first_sequence;
    for (size_t at = 0; at < frame->size; sequence++) {
        const fm_event *event = (const fm_event *)(frame->events + at);
        at += fm_event_size(event);
        if (sequence <= partition->applied)
            continue;
        if (sequence != partition->applied + 1)
            return fm_fail(v->error, FM_ECORRUPT, "partition %u: entry %llu is missing before offset %llu of \"%s\"", frame->partition,
                           (unsigned long long)(partition->applied + 1), (unsigned long long)frame->offset, frame->file);
        FM_TRY(fm_admission_note(&partition->admission, &v->limits, event));
        FM_TRY(fm_fold_apply(v->fold, partition, event, frame->receive_ns, v->error));
        v->verdict->entries++;
        v->verdict->records += event->kind < FM_KIND_CONTROL;
        if (snapshot_at(v, frame->partition, sequence)) {
            FM_TRY(fm_fold_run(v->fold, v->error));
            compare_snapshots(v, partition);
        }
    }
    return fm_fold_run(v->fold, v->error);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(&((const said_alert *)a)->id, &((const said_alert *)b)->id, sizeof(fm_hash128));
}

static int compare_alert(void *context, const fm_routed_alert *alert)
{
    verifying *v = context;
    v->router_sequence = alert->router_sequence;
    if (alert->sequence <= v->start[alert->partition])
        return 0; /* from before what can be folded */
    said_alert key = {.id = alert->id};
    said_alert *found = v->said_count == 0 ? NULL : bsearch(&key, v->said, v->said_count, sizeof(key), by_id);
    v->verdict->alerts++;
    if (found == NULL) {
        differ(v, &v->verdict->alert_differences, "the log of alerts has one that the fold does not give", alert->partition, alert->sequence);
        return 0;
    }
    fm_hash128 body = fm_hash128_of(alert->body.data, alert->body.size);
    bool same = false; /* one id may have been said in two domains: one of them was told */
    while (found > v->said && by_id(found - 1, &key) == 0)
        found--;
    for (; found < v->said + v->said_count && by_id(found, &key) == 0; found++) {
        found->found = true;
        same |= memcmp(&found->body, &body, sizeof(body)) == 0;
    }
    if (!same)
        differ(v, &v->verdict->alert_differences, "an alert has another body than the one in the log", alert->partition, alert->sequence);
    return 0;
}

static int compare_alerts(verifying *v, const fm_settings *settings, const fm_data_dir *dir)
{
    fm_router *router;
    fm_router_config config = {.directory = dir->router, .layer = &fm_file_system, .clock = fm_clock_system, .shard_count = 1, .ring_bytes = 65536,
                               .ids_max = (uint64_t)settings->router_ids_max, .retain_bytes = (uint64_t)settings->router_retain_bytes,
                               .incarnation_ms = dir->incarnation_ms, .read_only = true};
    FM_TRY(fm_router_open(&config, &router, v->error));
    if (v->said_count > 1)
        qsort(v->said, v->said_count, sizeof(*v->said), by_id);
    uint64_t oldest = fm_router_oldest(router);
    bool complete = oldest == 0;
    int visited = 0;
    v->router_sequence = oldest;
    while ((visited = fm_router_read(router, v->router_sequence, 1000, compare_alert, v)) > 0)
        ;
    fm_router_close(router);
    for (uint32_t i = 0; i < v->said_count && complete && visited >= 0; i++)
        if (!v->said[i].found)
            differ(v, &v->verdict->alert_differences, "the fold gives an alert that the log of alerts does not have", v->said[i].partition, v->said[i].sequence);
    return visited;
}

static int make_fold(verifying *v, const fm_settings *settings, fm_host *host, fm_error *error)
{
    v->limits = (fm_admission_limits){.series_max = UINT32_MAX, .domains_max = UINT32_MAX, .sources_max = (uint32_t)settings->ingest_sources_max,
                                      .source_window = (uint32_t)settings->ingest_source_window,
                                      .sequence_window = (uint32_t)settings->ingest_sequence_window, .scale_max = FM_SCALE_MAX,
                                      .register_unknown = true};
    fm_fold_config config = {.limits = v->limits, .arena_bytes = (uint64_t)settings->engine_instruments_max * 65536 + (64u << 20),
                             .batch_max = (uint32_t)settings->engine_batch_max, .stale_venue_ns = settings->engine_stale_venue,
                             .book = {.levels_max = (uint32_t)settings->engine_book_levels_max, .orders_max = (uint32_t)settings->engine_book_orders_max},
                             .books_max = (uint32_t)settings->engine_books_max,
                             .clock = fm_clock_system, .runner = fm_host_runner(host), .generation_of = generation_of, .reference_of = reference_of, .generation_context = v,
                             .emit = note_alert, .context = v, .counters = &v->counters};
    FM_TRY(fm_fold_create(&config, &v->fold, error));
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        fm_fold_adopt(v->fold, &v->partition[p], p);
    return 0;
}

static int verify_all(verifying *v, const fm_settings *settings, const fm_data_dir *dir, fm_journal *journal)
{
    FM_TRY(fm_snapshot_visit_all(&fm_file_system, dir->snapshots, keep_snapshot, v, v->error));
    FM_TRY(fm_journal_read(journal, UINT64_MAX, NULL, note_kills, v, v->error));
    FM_TRY(fm_journal_read(journal, UINT64_MAX, NULL, fold_frame, v, v->error));
    return compare_alerts(v, settings, dir);
}

int fm_verify(const fm_settings *settings, FILE *out, fm_verdict *verdict, fm_error *error)
{
    fm_data_dir dir = {.lock = -1};
    fm_journal *journal = NULL;
    fm_host *host = NULL;
    verifying *v = calloc(1, sizeof(*v));
    FM_ASSERT(v != NULL);
    v->out = out;
    v->verdict = verdict;
    v->error = error;
    *verdict = (fm_verdict){0};
    int result = fm_data_dir_open(settings->data_dir, false, &dir, error);
    fm_host_config host_config = {.budget = (uint32_t)settings->rules_budget, .deadline_ns = 10 * settings->rules_deadline,
                                  .memory_bytes = (uint64_t)settings->rules_memory_bytes, .jit = settings->rules_jit};
    fm_journal_config config = {.directory = dir.journal, .layer = &fm_file_system, .writer_count = 1, .read_only = true,
                                .segment_bytes = (uint64_t)settings->journal_segment_bytes, .retain_bytes = (uint64_t)settings->journal_retain_bytes};
    if (result >= 0)
        result = fm_journal_open(&config, &journal, error);
    if (result >= 0)
        result = fm_host_create(&host_config, &host, error);
    if (result >= 0)
        result = fm_generations_open(&fm_file_system, dir.generations, &host, 1, &v->generations, error);
    if (result >= 0)
        result = fm_references_open(&fm_file_system, dir.reference, &v->references, error);
    if (result >= 0)
        result = make_fold(v, settings, host, error);
    if (result >= 0)
        result = verify_all(v, settings, &dir, journal);
    if (result < 0 && error->code == 0)
        fm_fail(error, result, "could not verify \"%s\": %s", settings->data_dir, fm_error_text(result));
    for (uint32_t p = 0; v->fold != NULL && p < FM_PARTITION_COUNT; p++)
        fm_fold_release(v->fold, &v->partition[p]);
    fm_fold_destroy(v->fold);
    fm_generations_close(v->generations);
    fm_references_close(v->references);
    if (host != NULL)
        fm_host_destroy(host);
    if (journal != NULL)
        fm_journal_close(journal);
    for (uint32_t i = 0; i < v->snapshot_count; i++)
        free(v->snapshot[i].data);
    free(v->snapshot);
    free(v->said);
    free(v);
    fm_data_dir_close(&dir);
    return result;
}

int fm_tool_verify(int argc, char **argv)
{
    fm_settings settings;
    fm_error error = {0};
    fm_verdict verdict;
    bool json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
    argc -= json;
    if (fm_settings_read(&settings, &argc, argv, &error) < 0)
        return fm_tool_failed(&error);
    if (argc > 1)
        return fm_tool_usage_error("verify", "there is no option \"%s\"", argv[1]);
    if (fm_verify(&settings, stderr, &verdict, &error) < 0)
        return fm_tool_failed(&error);
    uint64_t differences = verdict.state_differences + verdict.alert_differences;
    printf(json ? "{\"entries\":%llu,\"records\":%llu,\"snapshots\":%llu,\"alerts\":%llu,\"differences\":%llu}\n"
                : "%llu entries with %llu records folded again; %llu partition snapshots and %llu alerts compared; %llu differences\n",
           (unsigned long long)verdict.entries, (unsigned long long)verdict.records, (unsigned long long)verdict.snapshots,
           (unsigned long long)verdict.alerts, (unsigned long long)differences);
    return differences > 0 ? FM_EXIT_FOUND : FM_EXIT_OK;
}
