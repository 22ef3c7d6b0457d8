/* engine/commit.c - from the rings into the log, from the log into the fold: one commit a turn. */
#include "engine/admission_internal.h"
#include "engine/shard_internal.h"

#include "base/assert.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- verdicts ---- */

static uint32_t part_open(fm_shard *shard, uint32_t origin, uint32_t request)
{
    shard->part = fm_grow(shard->part, &shard->part_capacity, shard->part_count + 1, sizeof(fm_part));
    fm_part *part = &shard->part[shard->part_count];
    part->origin = origin;
    part->request = request;
    part->written = UINT64_MAX;
    part->reply.accepted = part->reply.duplicate = part->reply.rejected = part->reply.error_count = 0;
    part->reply.touched = 0;
    return shard->part_count++;
}

static void refuse(fm_shard *shard, fm_reading *reading, uint32_t index, int code)
{
    fm_reply *reply = &shard->part[reading->part].reply;
    reading->rejected++;
    if (reply->error_count < FM_REPLY_ERRORS_MAX)
        reply->error[reply->error_count++] = (fm_reply_error){index, code};
    fm_count_rejected(&shard->counters, code, 1);
}

/* ---- staging ---- */

/* The receiving thread reserves room for the symbols that it has not sent before. Others may need some all the same: from a new source, with more
 * decimals, after one that was refused. Without room the record is refused: an append must not wait for a disk that is full. */
static int find_room(fm_shard *shard, fm_reading *reading, fm_message_record *record)
{
    FM_TRY(fm_journal_reserve(shard->writer, FM_ADMIT_BYTES_MAX));
    reading->extra_bytes += FM_ADMIT_BYTES_MAX;
    record->head.has_room = 1;
    return 0;
}

/* What was noted down of a request since the last time goes where it belongs: at its end, and before a commit in the midst of it. */
static __attribute__((noinline)) void settle(fm_shard *shard, fm_reading *reading)
{
    fm_reply *reply = &shard->part[reading->part].reply;
    for (uint64_t left = reading->staged; left != 0; left &= left - 1) {
        uint32_t p = (uint32_t)__builtin_ctzll(left);
        shard->stage[p].receive_ns = reading->heading.receive_ns;
        if (reading->heading.live)
            shard->stage[p].live_ns = reading->heading.receive_ns;
        reply->position[p] = shard->partition[p].admission.next_sequence - 1; /* nobody else's record came in between */
    }
    reply->touched |= reading->staged;
    shard->staged |= reading->staged;
    shard->staged_records += reading->accepted;
    reading->used_bytes += sizeof(fm_event) * reading->accepted;
    reply->accepted += reading->accepted;
    reply->duplicate += reading->duplicate;
    reply->rejected += reading->rejected;
    fm_count(&shard->counters, FM_METRIC_RECEIVED, (uint64_t)reading->accepted + reading->duplicate + reading->rejected);
    fm_count(&shard->counters, FM_METRIC_ACCEPTED, reading->accepted);
    fm_count(&shard->counters, FM_METRIC_DUPLICATE, reading->duplicate);
    reading->accepted = reading->duplicate = reading->rejected = 0;
    reading->staged = 0;
}

/* The long way: true when it was accepted. */
static __attribute__((noinline)) bool judge(fm_shard *shard, fm_reading *reading, fm_message_record *record, fm_entries *out)
{
    fm_admission *admission = &shard->partition[record->head.partition].admission;
    if (out->size + FM_ADMIT_BYTES_MAX > FM_STAGE_BYTES) {
        settle(shard, reading);
        fm_shard_commit(shard);
    }
    uint32_t before = out->size;
    int verdict = fm_admit(admission, &shard->limits, &shard->series_used, &reading->heading, record, out);
    if (FM_UNLIKELY(verdict == FM_ENOSPC) && (verdict = find_room(shard, reading, record)) == 0)
        verdict = fm_admit(admission, &shard->limits, &shard->series_used, &reading->heading, record, out);
    if (verdict > 0) {
        reading->used_bytes += out->size - before - sizeof(fm_event);
        return true;
    }
    if (verdict == 0)
        reading->duplicate++;
    else
        refuse(shard, reading, record->super.index, verdict);
    return false;
}

static inline void take_record(fm_shard *shard, fm_reading *reading, fm_message_record *record)
{
    uint32_t p = record->head.partition;
    fm_entries *entries = &shard->stage[p].entries;
    bool full = entries->size + FM_ADMIT_BYTES_MAX > FM_STAGE_BYTES;
    if (FM_UNLIKELY(full || !fm_admit_known(&shard->partition[p].admission, &reading->heading, record, entries)) && !judge(shard, reading, record, entries))
        return;
    reading->accepted++;
    reading->staged |= UINT64_C(1) << p;
}

static void take_begin(fm_shard *shard, uint32_t origin, const fm_message_begin *begin)
{
    fm_reading *reading = &shard->reading[origin];
    FM_ASSERT(!reading->open);
    reading->open = true;
    reading->part = part_open(shard, origin, begin->request);
    reading->used_bytes = reading->extra_bytes = 0;
    fm_heading_begin(&reading->heading, &shard->limits, begin);
}

static void take_end(fm_shard *shard, fm_reading *reading, const fm_message_end *end)
{
    settle(shard, reading);
    reading->open = false;
    uint64_t reserved = end->reserved_bytes + reading->extra_bytes, used = reading->used_bytes;
    FM_ASSERT(used <= reserved);
    fm_journal_unreserve(shard->writer, reserved - used);
}

static __attribute__((noinline)) void take_other(fm_shard *shard, uint32_t origin, const fm_message *message)
{
    fm_reading *reading = &shard->reading[origin];
    if (message->kind == FM_MESSAGE_NAMES) {
        fm_heading_names(&reading->heading, (const fm_message_names *)(const void *)message);
    } else if (message->kind == FM_MESSAGE_BEGIN) {
        take_begin(shard, origin, (const fm_message_begin *)(const void *)message);
    } else if (message->kind == FM_MESSAGE_CROSS) {
        fm_shard_take_cross(shard, (const fm_message_cross *)(const void *)message);
    } else {
        FM_ASSERT(message->kind == FM_MESSAGE_END);
        take_end(shard, reading, (const fm_message_end *)(const void *)message);
    }
}

/* Requests are taken whole: a request begun is read to its end, so that its part is complete when the turn commits. */
uint32_t fm_shard_drain(fm_shard *shard, uint32_t origin, uint32_t budget)
{
    fm_ring *ring = fm_records_ring(shard->engine, origin, shard->index);
    fm_reading *reading = &shard->reading[origin];
    uint32_t taken = 0;
    size_t size;
    char *first = fm_ring_span(ring, &size), *at = first, *const end = first + size;
    while (at != end && (taken < budget || reading->open)) {
        fm_message *message = fm_ring_next(&at);
        if (FM_LIKELY(message->kind == FM_MESSAGE_RECORD)) {
            take_record(shard, reading, (fm_message_record *)(void *)message);
            taken++;
        } else {
            take_other(shard, origin, message);
        }
    }
    fm_ring_skip(ring, (size_t)(at - first));
    fm_ring_release(ring);
    if (origin == shard->index)
        fm_ring_rewind(ring);
    fm_gauge(&shard->counters, FM_METRIC_IN_FLIGHT, shard->staged_records);
    return taken;
}

uint32_t fm_shard_stage_control(fm_shard *shard, uint32_t partition, int kind, int64_t ts_ns, const fm_control *control, fm_slice text)
{
    fm_stage *stage = &shard->stage[partition];
    if (stage->entries.size + FM_ADMIT_BYTES_MAX > FM_STAGE_BYTES)
        fm_shard_commit(shard);
    char *entry = stage->entries.bytes + stage->entries.size;
    uint32_t size = fm_control_entry(entry, kind, ts_ns, control, text);
    int noted = fm_admission_note(&shard->partition[partition].admission, &shard->limits, (const fm_event *)entry);
    FM_ASSERT(noted == 0);
    stage->entries.size += size;
    stage->receive_ns = fm_wall_ns(&shard->engine->config.clock);
    shard->staged |= UINT64_C(1) << partition;
    return size;
}

void fm_shard_killed(void *context, const fm_rule *rule, const fm_error *error)
{
    fm_shard *shard = context;
    shard->kill_note = fm_grow(shard->kill_note, &shard->kill_note_capacity, shard->kill_note_count + 1, sizeof(fm_kill_note));
    fm_kill_note *note = &shard->kill_note[shard->kill_note_count++];
    memcpy(note->rule, rule->id, sizeof(note->rule));
    fm_hash128_hex(rule->hash, note->hash);
    fm_kill_reason(error, note->reason);
    fm_log(FM_LOG_ERROR, "rule_stopped", "rule", rule->id, "reason", note->reason, NULL);
}

void fm_shard_quarantined(void *context, const fm_rule *rule, const char *reason)
{
    (void)context;
    fm_log(FM_LOG_ERROR, "rule_quarantined", "rule", rule->id, "reason", reason, NULL);
}

/* ---- the commit ---- */

static void apply_stage(fm_shard *shard, uint32_t partition)
{
    const fm_stage *stage = &shard->stage[partition];
    fm_error error;
    error.message[0] = '\0';
    int applied = fm_fold_apply_all(shard->fold, &shard->partition[partition], stage->entries.bytes, stage->entries.size, stage->receive_ns, &error);
    if (applied < 0) { /* we made these entries ourselves */
        fm_log(FM_LOG_ERROR, "entry_refused", "message", error.message, NULL);
        FM_ASSERT(applied >= 0);
    }
}

void fm_shard_commit(fm_shard *shard)
{
    if (shard->staged == 0)
        goto answered;
    for (uint64_t left = shard->staged; left != 0; left &= left - 1) {
        uint32_t p = (uint32_t)__builtin_ctzll(left);
        const fm_stage *stage = &shard->stage[p];
        uint64_t first_sequence = shard->partition[p].applied + 1; /* all that admission has noted since is staged */
        fm_journal_append(shard->writer, p, first_sequence, (uint32_t)(shard->partition[p].admission.next_sequence - first_sequence), stage->receive_ns,
                          stage->entries.bytes, stage->entries.size);
    }
    fm_gauge(&shard->counters, FM_METRIC_IN_FLIGHT, shard->staged_records);
    fm_journal_flush(shard->writer);
    if (shard->engine->config.sync_always)
        fm_journal_request_sync(shard->writer);
    for (uint64_t left = shard->staged; left != 0; left &= left - 1)
        apply_stage(shard, (uint32_t)__builtin_ctzll(left));
    fm_error error;
    int run = fm_fold_run(shard->fold, &error);
    FM_ASSERT(run == 0);
    for (uint64_t left = shard->staged; left != 0; left &= left - 1) {
        uint32_t p = (uint32_t)__builtin_ctzll(left);
        shard->stage[p].entries.size = 0;
    }
    fm_count(&shard->counters, FM_METRIC_APPLIED, shard->staged_records);
    fm_gauge(&shard->counters, FM_METRIC_IN_FLIGHT, 0);
    shard->staged = 0;
    shard->staged_records = 0;
answered:;
    uint64_t written = fm_journal_written(shard->writer);
    for (uint32_t i = shard->part_committed; i < shard->part_count; i++)
        shard->part[i].written = written; /* a part still being read is stamped again by the next commit: part_committed stays behind it */
    shard->part_committed = shard->part_count;
    for (uint32_t o = 0; o < shard->engine->shard_count; o++)
        if (shard->reading[o].open && shard->reading[o].part < shard->part_committed)
            shard->part_committed = shard->reading[o].part;
}

/* ---- alerts ---- */

static void emit_now(fm_shard *shard, const fm_alert *alert)
{
    const fm_alert_output *output = &shard->engine->config.alerts;
    if (output->emit != NULL)
        output->emit(output->self, shard->index, alert);
    shard->emitted++;
}

/* With sync = always an alert leaves under the condition its records are acknowledged under. */
void fm_shard_emit(void *context, const fm_alert *alert)
{
    fm_shard *shard = context;
    if (!shard->engine->config.sync_always || !shard->recovered) {
        emit_now(shard, alert);
        return;
    }
    shard->held = fm_grow(shard->held, &shard->held_capacity, shard->held_count + 1, sizeof(fm_held_alert));
    fm_held_alert *held = &shard->held[shard->held_count++];
    held->written = fm_journal_written(shard->writer);
    held->alert = *alert;
    held->body = malloc(alert->body_size);
    FM_ASSERT(held->body != NULL);
    memcpy(held->body, alert->body, alert->body_size);
    held->alert.body = held->body;
}

void fm_shard_release_held(fm_shard *shard)
{
    uint64_t synced = shard->held_first < shard->held_count ? fm_journal_synced(shard->writer) : 0;
    while (shard->held_first < shard->held_count && shard->held[shard->held_first].written <= synced) {
        fm_held_alert *held = &shard->held[shard->held_first++];
        emit_now(shard, &held->alert);
        free(held->body);
    }
    if (shard->held_first == shard->held_count) {
        shard->held_first = shard->held_count = 0;
    } else if (shard->held_first >= 1024) {
        shard->held_count -= shard->held_first;
        memmove(shard->held, shard->held + shard->held_first, shard->held_count * sizeof(fm_held_alert));
        shard->held_first = 0;
    }
}
