/* engine/crosses.c - values for other partitions on their way: what a fold says during a commit goes to the shards of its readers, and what a
 * shard is told goes into its logs before its next commit.
 *
 * They are samples of what changes every second: when a ring or the disk is full they are dropped and counted, and the next one tells. */
#include "engine/shard_internal.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

static size_t message_size(const fm_message_cross *message)
{
    return (sizeof(*message) + message->domain_size + message->text_size + 7) & ~(size_t)7;
}

static void add(fm_text *out, uint32_t partition, const fm_cross *cross)
{
    static const char zeros[8] = {0};
    fm_message_cross message = {.super = {.kind = FM_MESSAGE_CROSS},
                                .partition = partition,
                                .cross_kind = cross->kind,
                                .grid_ns = cross->grid_ns,
                                .position = cross->position,
                                .domain_size = (uint32_t)cross->domain.size,
                                .text_size = (uint32_t)cross->text.size};
    size_t begin = out->size;
    fm_text_add(out, &message, sizeof(message));
    fm_text_add(out, cross->domain.data, cross->domain.size);
    fm_text_add(out, cross->text.data, cross->text.size);
    fm_text_add(out, zeros, begin + message_size(&message) - out->size);
}

/* From the fold, in the midst of a commit: nothing can be staged now. */
void fm_shard_cross(void *context, const fm_cross *cross)
{
    fm_shard *shard = context;
    if (!shard->recovered) /* a tail is folded again: what was said then is in the logs, or was lost with the process */
        return;
    for (uint64_t left = cross->targets; left != 0; left &= left - 1) {
        uint32_t partition = (uint32_t)__builtin_ctzll(left);
        add(fm_owner_of(shard->engine, partition) == shard->index ? &shard->cross_in : &shard->cross_out, partition, cross);
    }
}

void fm_shard_take_cross(fm_shard *shard, const fm_message_cross *message)
{
    fm_text_add(&shard->cross_in, message, message_size(message));
}

void fm_shard_send_crosses(fm_shard *shard)
{
    fm_engine *engine = shard->engine;
    uint64_t sent = 0;
    if (shard->cross_out.size == 0 || shard->intake_current != NULL) /* a request is being written into these rings: after it */
        return;
    for (size_t at = 0; at < shard->cross_out.size;) {
        const fm_message_cross *message = (const fm_message_cross *)(const void *)(shard->cross_out.data + at);
        uint32_t to = fm_owner_of(engine, message->partition);
        void *room = fm_ring_reserve(fm_records_ring(engine, shard->index, to), message_size(message));
        if (room != NULL) {
            memcpy(room, message, message_size(message));
            sent |= UINT64_C(1) << to;
        } else {
            fm_count(&shard->counters, FM_METRIC_CROSS_DROPPED, 1);
        }
        at += message_size(message);
    }
    fm_text_clear(&shard->cross_out);
    for (uint64_t left = sent; left != 0; left &= left - 1) {
        uint32_t to = (uint32_t)__builtin_ctzll(left);
        fm_ring_publish(fm_records_ring(engine, shard->index, to));
        fm_shard_wake(&engine->shard[to]);
    }
}

/* The home of a sector may have no instrument in that domain itself. */
static int add_domain(fm_shard *shard, uint32_t partition, fm_slice name)
{
    uint32_t index = shard->partition[partition].admission.domain_count;
    uint64_t size = sizeof(fm_event) + ((name.size + 7) & ~(size_t)7);
    if (index >= shard->limits.domains_max || fm_journal_reserve(shard->writer, size) < 0) {
        fm_count(&shard->counters, FM_METRIC_CROSS_DROPPED, 1);
        return -1;
    }
    uint32_t used = fm_shard_stage_control(shard, partition, FM_DOMAIN, fm_wall_ns(&shard->engine->config.clock), &(fm_control){.index = index}, name);
    FM_ASSERT(used == size);
    return (int)index;
}

static void log_one(fm_shard *shard, const fm_message_cross *message)
{
    fm_slice domain = {message->rest, message->domain_size}, text = {message->rest + message->domain_size, message->text_size};
    const fm_admission *admission = &shard->partition[message->partition].admission;
    int index = fm_admission_domain(admission, domain);
    if (index < 0 && (message->cross_kind != FM_CROSS_MEMBER || (index = add_domain(shard, message->partition, domain)) < 0))
        return; /* nobody there is in that domain, so nobody reads it */
    uint64_t size = sizeof(fm_event) + ((text.size + 7) & ~(size_t)7);
    if (fm_journal_reserve(shard->writer, size) < 0) {
        fm_count(&shard->counters, FM_METRIC_CROSS_DROPPED, 1);
        return;
    }
    fm_control control = {.index = message->cross_kind, .domain = (uint32_t)index, .at_sequence = message->position};
    uint32_t used = fm_shard_stage_control(shard, message->partition, FM_CROSS, message->grid_ns, &control, text);
    FM_ASSERT(used == size);
    fm_count(&shard->counters, FM_METRIC_CROSS_RECORDS, 1);
}

/* Staging may commit, and a commit may bring more: those wait for the next turn. */
void fm_shard_log_crosses(fm_shard *shard)
{
    fm_text in = shard->cross_in;
    if (in.size == 0)
        return;
    shard->cross_in = (fm_text){0};
    for (size_t at = 0; at < in.size;) {
        const fm_message_cross *message = (const fm_message_cross *)(const void *)(in.data + at);
        log_one(shard, message);
        at += message_size(message);
    }
    if (shard->cross_in.size == 0) { /* its memory serves again */
        fm_text_clear(&in);
        shard->cross_in = in;
    } else {
        fm_text_fini(&in);
    }
}
