/* engine/commit.c - from the rings into the log, from the log into the fold: one commit a turn. */
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

static void refuse(fm_shard *shard, fm_reply *reply, uint32_t index, int code)
{
    reply->rejected++;
    if (reply->error_count < FM_REPLY_ERRORS_MAX)
        reply->error[reply->error_count++] = (fm_reply_error){index, code};
    fm_count_rejected(&shard->counters, code, 1);
}

/* ---- staging ---- */

static void stage_bytes(fm_shard *shard, uint32_t partition, const char *bytes, uint32_t size, uint32_t count, int64_t receive_ns)
{
    fm_stage *stage = &shard->stage[partition];
    if (stage->count == 0)
        stage->first_sequence = shard->partition[partition].admission.next_sequence - count;
    if (bytes != stage->bytes + stage->size)
        memcpy(stage->bytes + stage->size, bytes, size);
    stage->size += size;
    stage->count += count;
    stage->receive_ns = receive_ns;
    shard->staged |= UINT64_C(1) << partition;
}

/* The receiving thread reserves room for the symbols that it has not sent before. Others may need some all the same: from a new source, with more
 * decimals, after one that was refused. Without room the record is refused: an append must not wait for a disk that is full. */
static int find_room(fm_shard *shard, fm_reading *reading, fm_message_record *record)
{
    FM_TRY(fm_journal_reserve(shard->writer, FM_ADMIT_BYTES_MAX));
    reading->extra_bytes += FM_ADMIT_BYTES_MAX;
    record->has_room = 1;
    return 0;
}

static void take_record(fm_shard *shard, uint32_t origin, fm_message_record *record)
{
    uint32_t p = record->partition;
    fm_stage *stage = &shard->stage[p];
    if (stage->size + FM_ADMIT_BYTES_MAX > FM_STAGE_BYTES)
        fm_shard_commit(shard);
    fm_reading *reading = &shard->reading[origin];
    fm_reply *reply = &shard->part[reading->part].reply;
    fm_slice domain = {reading->domain, reading->domain_size};
    uint32_t size = 0, count = 0;
    int verdict = fm_admit(&shard->partition[p].admission, &shard->limits, &shard->series_used, domain, record, reading->receive_ns,
                           stage->bytes + stage->size, &size, &count);
    if (FM_UNLIKELY(verdict == FM_ENOSPC) && (verdict = find_room(shard, reading, record)) == 0)
        verdict = fm_admit(&shard->partition[p].admission, &shard->limits, &shard->series_used, domain, record, reading->receive_ns,
                           stage->bytes + stage->size, &size, &count);
    fm_count(&shard->counters, FM_METRIC_RECEIVED, 1);
    if (verdict < 0) {
        refuse(shard, reply, record->super.index, verdict);
    } else if (verdict == 0) {
        reply->duplicate++;
        fm_count(&shard->counters, FM_METRIC_DUPLICATE, 1);
    } else {
        reply->accepted++;
        fm_count(&shard->counters, FM_METRIC_ACCEPTED, 1);
        stage_bytes(shard, p, stage->bytes + stage->size, size, count, reading->receive_ns);
        if (reading->live)
            stage->live_ns = reading->receive_ns;
        shard->staged_records++;
        reading->used_bytes += size;
        reply->touched |= UINT64_C(1) << p;
        reply->position[p] = shard->partition[p].admission.next_sequence - 1;
    }
}

static void take_begin(fm_shard *shard, uint32_t origin, const fm_message_begin *begin)
{
    FM_ASSERT(!shard->reading[origin].open);
    shard->reading[origin].open = true;
    shard->reading[origin].part = part_open(shard, origin, begin->request);
    shard->reading[origin].receive_ns = begin->receive_ns;
    shard->reading[origin].used_bytes = shard->reading[origin].extra_bytes = 0;
    shard->reading[origin].domain_size = begin->domain_size;
    memcpy(shard->reading[origin].domain, begin->domain, sizeof(begin->domain));
    shard->reading[origin].live = begin->domain_size == 0 || fm_slice_equal((fm_slice){begin->domain, begin->domain_size}, FM_SLICE("live"));
}

static void take_end(fm_shard *shard, uint32_t origin, const fm_message_end *end)
{
    shard->reading[origin].open = false;
    uint64_t reserved = end->reserved_bytes + shard->reading[origin].extra_bytes, used = shard->reading[origin].used_bytes;
    FM_ASSERT(used <= reserved);
    fm_journal_unreserve(shard->writer, reserved - used);
}

/* Requests are taken whole: a request begun is read to its end, so that its part is complete when the turn commits. */
uint32_t fm_shard_drain(fm_shard *shard, uint32_t origin, uint32_t budget)
{
    fm_ring *ring = fm_records_ring(shard->engine, origin, shard->index);
    uint32_t taken = 0;
    size_t size;
    void *at;
    while ((taken < budget || shard->reading[origin].open) && (at = fm_ring_peek(ring, &size)) != NULL) {
        const fm_message *message = at;
        if (message->kind == FM_MESSAGE_RECORD) {
            take_record(shard, origin, at);
            taken++;
        } else if (message->kind == FM_MESSAGE_BEGIN) {
            take_begin(shard, origin, at);
        } else {
            FM_ASSERT(message->kind == FM_MESSAGE_END);
            take_end(shard, origin, at);
        }
    }
    fm_ring_release(ring);
    if (origin == shard->index)
        fm_ring_rewind(ring);
    fm_gauge(&shard->counters, FM_METRIC_IN_FLIGHT, shard->staged_records);
    return taken;
}

uint32_t fm_shard_stage_control(fm_shard *shard, uint32_t partition, int kind, int64_t ts_ns, const fm_control *control, fm_slice text)
{
    if (shard->stage[partition].size + FM_ADMIT_BYTES_MAX > FM_STAGE_BYTES)
        fm_shard_commit(shard);
    fm_stage *stage = &shard->stage[partition];
    char *entry = stage->bytes + stage->size;
    uint32_t size = fm_control_entry(entry, kind, ts_ns, control, text);
    int noted = fm_admission_note(&shard->partition[partition].admission, &shard->limits, (const fm_event *)entry);
    FM_ASSERT(noted == 0);
    stage_bytes(shard, partition, entry, size, 1, fm_wall_ns(&shard->engine->config.clock));
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
    int applied = fm_fold_apply_all(shard->fold, &shard->partition[partition], stage->bytes, stage->size, stage->receive_ns, &error);
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
        fm_journal_append(shard->writer, p, stage->first_sequence, stage->count, stage->receive_ns, stage->bytes, stage->size);
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
        shard->stage[p].size = 0;
        shard->stage[p].count = 0;
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
