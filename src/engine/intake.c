/* engine/intake.c - requests on the thread that received them: into the rings whole or not at all, answered once. */
#include "engine/shard_internal.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Entries that a symbol's first record can need beside itself: domain, stream, source, series with the longest names. */
#define DICTIONARY_BYTES (4 * (unsigned)sizeof(fm_event) + 2 * FM_NAME_MAX + 2 * (2 * FM_NAME_MAX + 8))

fm_intake *fm_intake_open(fm_shard *shard, fm_slice domain, int64_t receive_ns)
{
    FM_ASSERT(shard->intake_current == NULL); /* rings take back what is not published: one request is written at a time */
    fm_intake *intake = shard->intake_free;
    if (intake == NULL || domain.size > FM_NAME_MAX)
        return NULL;
    shard->intake_free = intake->next;
    shard->intake_current = intake;
    if (domain.size == 0)
        domain = FM_SLICE("live");
    intake->open = true;
    intake->receive_ns = receive_ns;
    intake->domain_size = (uint32_t)domain.size;
    memcpy(intake->domain, domain.data, domain.size);
    intake->domain_hash = fm_hash_slice(domain);
    intake->touched = 0;
    intake->reply.accepted = intake->reply.duplicate = intake->reply.rejected = intake->reply.error_count = 0;
    intake->reply.touched = 0;
    intake->reply.durable = true;
    return intake;
}

static void *room(fm_intake *intake, uint32_t to, size_t size)
{
    return fm_ring_reserve(fm_records_ring(intake->shard->engine, intake->shard->index, to), size);
}

/* Would an empty ring hold what the request has put there, and this? */
static int no_room(const fm_intake *intake, uint32_t to, size_t size)
{
    const fm_ring *ring = fm_records_ring(intake->shard->engine, intake->shard->index, to);
    return intake->queued[to] + size + sizeof(uint64_t) > fm_ring_size(ring) ? FM_batch_too_large : FM_queue_full;
}

/* The ring to `to` gets the head of this request with its first record. */
static int touch(fm_intake *intake, uint32_t to)
{
    fm_message_begin *begin = room(intake, to, sizeof(*begin));
    if (begin == NULL)
        return FM_queue_full;
    *begin = (fm_message_begin){.super = {.kind = FM_MESSAGE_BEGIN}, .request = intake->number, .receive_ns = intake->receive_ns,
                                .domain_size = intake->domain_size};
    memcpy(begin->domain, intake->domain, intake->domain_size);
    intake->touched |= UINT64_C(1) << to;
    intake->reserve[to] = 0;
    intake->queued[to] = sizeof(*begin) + 2 * sizeof(uint64_t) + sizeof(fm_message_end);
    return 0;
}

static void fill_event(fm_event *event, const fm_record *record)
{
    memset(event, 0, sizeof(*event));
    event->ts_ns = record->ts_ns;
    event->kind = record->kind;
    event->side = record->side;
    event->conditions = record->conditions;
    event->seq = record->seq;
    switch (record->kind) {
    case FM_TRADE:
        event->as.trade = (fm_trade){.price = record->number[0].mantissa, .size = record->number[1].mantissa, .id_hash = record->id_hash,
                                     .buyer = record->buyer, .seller = record->seller};
        break;
    case FM_QUOTE:
        event->as.quote = (fm_quote){record->number[0].mantissa, record->number[1].mantissa, record->number[2].mantissa,
                                     record->number[3].mantissa};
        break;
    case FM_VALUE:
        event->as.value.value = record->value;
        break;
    default:
        event->as.status.phase = record->phase;
    }
}

int fm_intake_add(fm_intake *intake, uint32_t index, const fm_record *record)
{
    fm_shard *shard = intake->shard;
    uint32_t partition;
    uint64_t symbol_hash = fm_hash_key(record->symbol, &partition);
    uint32_t to = fm_owner_of(shard->engine, partition);
    size_t texts = record->symbol.size + record->venue.size + record->channel.size + record->source.size;
    size_t size = (sizeof(fm_message_record) + texts + 7) & ~(size_t)7;
    if (FM_UNLIKELY(((intake->touched >> to) & 1) == 0))
        FM_TRY(touch(intake, to));
    fm_message_record *message = room(intake, to, size);
    if (FM_UNLIKELY(message == NULL))
        return no_room(intake, to, size);
    intake->queued[to] += size + sizeof(uint64_t); /* with the ring's own word */
    message->super = (fm_message){FM_MESSAGE_RECORD, index};
    fill_event(&message->event, record);
    message->symbol_hash = symbol_hash;
    message->row = record->row;
    message->session_hash = record->session.size > 0 ? fm_hash_slice(record->session) : 0;
    message->seq_index = record->seq_index;
    for (int i = 0; i < 4; i++)
        message->scale[i] = (int8_t)record->number[i].scale;
    message->partition = (uint8_t)partition;
    message->symbol_size = (uint8_t)record->symbol.size;
    message->venue_size = (uint8_t)record->venue.size;
    message->channel_size = (uint8_t)record->channel.size;
    message->source_size = (uint8_t)record->source.size;
    char *text = message->text;
    text = fm_bytes_put(text, record->symbol);
    text = fm_bytes_put(text, record->venue);
    if (FM_UNLIKELY(record->channel.size + record->source.size > 0))
        fm_bytes_put(fm_bytes_put(text, record->channel), record->source);
    uint64_t seen_as = symbol_hash ^ intake->domain_hash, *seen = &shard->seen_symbol[(seen_as >> 8) % 4096];
    message->has_room = *seen != seen_as;
    intake->reserve[to] += sizeof(fm_event) + sizeof(fm_origin) + (message->has_room ? DICTIONARY_BYTES : 0);
    *seen = seen_as;
    if (record->unknown_keys > 0)
        fm_count(&shard->counters, FM_METRIC_UNKNOWN_KEYS, record->unknown_keys);
    return 0;
}

static void give_back(fm_intake *intake)
{
    fm_shard *shard = intake->shard;
    intake->open = false;
    shard->intake_current = NULL;
    intake->next = shard->intake_free;
    shard->intake_free = intake;
}

void fm_intake_abort(fm_intake *intake)
{
    fm_shard *shard = intake->shard;
    for (uint32_t to = 0; to < shard->engine->shard_count; to++)
        fm_ring_abort(fm_records_ring(shard->engine, shard->index, to));
    memset(shard->seen_symbol, 0, sizeof(shard->seen_symbol)); /* nothing of it was sent */
    give_back(intake);
}

static int reserve_all(fm_intake *intake)
{
    fm_engine *engine = intake->shard->engine;
    for (uint32_t to = 0; to < engine->shard_count; to++) {
        if (((intake->touched >> to) & 1) == 0)
            continue;
        intake->reserve[to] += 2 * DICTIONARY_BYTES; /* names that are new although the symbol is not */
        fm_message_end *end = room(intake, to, sizeof(*end));
        int result = end == NULL ? no_room(intake, to, 0) : fm_journal_reserve(engine->shard[to].writer, intake->reserve[to]);
        if (result < 0) {
            for (uint32_t undo = 0; undo < to; undo++)
                if ((intake->touched >> undo) & 1)
                    fm_journal_unreserve(engine->shard[undo].writer, intake->reserve[undo]);
            return result;
        }
        *end = (fm_message_end){.super = {.kind = FM_MESSAGE_END}, .reserved_bytes = intake->reserve[to]};
    }
    return 0;
}

int fm_intake_publish(fm_intake *intake, fm_on_reply on_reply, void *context)
{
    fm_shard *shard = intake->shard;
    fm_engine *engine = shard->engine;
    const fm_alert_output *alerts = &engine->config.alerts;
    int result = alerts->behind != NULL && alerts->behind(alerts->self) ? FM_queue_full : 0;
    if (result == 0 && intake->touched == 0)
        result = touch(intake, shard->index);
    if (result == 0)
        result = reserve_all(intake);
    if (result < 0) {
        fm_count(&shard->counters, FM_METRIC_REQUESTS_REFUSED, 1);
        fm_intake_abort(intake);
        return result;
    }
    intake->on_reply = on_reply;
    intake->context = context;
    intake->pending = (uint32_t)__builtin_popcountll(intake->touched);
    intake->open = false;
    shard->intake_current = NULL;
    for (uint32_t to = 0; to < engine->shard_count; to++)
        if ((intake->touched >> to) & 1) {
            fm_ring_publish(fm_records_ring(engine, shard->index, to));
            if (to != shard->index)
                fm_shard_wake(&engine->shard[to]);
        }
    return 0;
}

/* ---- answers ---- */

static int by_index(const void *a, const void *b)
{
    const fm_reply_error *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The first by index of what all shards have said so far. */
static void list_errors(fm_reply *reply, const fm_reply *part)
{
    fm_reply_error all[2 * FM_REPLY_ERRORS_MAX];
    uint32_t count = reply->error_count + part->error_count;
    if (part->error_count == 0)
        return;
    memcpy(all, reply->error, reply->error_count * sizeof(*all));
    memcpy(all + reply->error_count, part->error, part->error_count * sizeof(*all));
    qsort(all, count, sizeof(*all), by_index);
    reply->error_count = count < FM_REPLY_ERRORS_MAX ? count : FM_REPLY_ERRORS_MAX;
    memcpy(reply->error, all, reply->error_count * sizeof(*all));
}

void fm_shard_complete(fm_shard *shard, uint32_t request, const fm_reply *part)
{
    fm_intake *intake = &shard->intake[request];
    fm_reply *reply = &intake->reply;
    reply->accepted += part->accepted;
    reply->duplicate += part->duplicate;
    reply->rejected += part->rejected;
    reply->durable &= part->durable;
    list_errors(reply, part);
    reply->touched |= part->touched;
    for (uint64_t left = part->touched; left != 0; left &= left - 1) {
        uint32_t p = (uint32_t)__builtin_ctzll(left);
        reply->position[p] = part->position[p];
    }
    if (--intake->pending > 0)
        return;
    intake->on_reply(intake->context, reply);
    intake->next = shard->intake_free;
    shard->intake_free = intake;
}

typedef struct reply_message { /* then errors, then a position for each touched partition */
    uint32_t request;
    uint32_t accepted, duplicate, rejected, error_count;
    uint32_t durable;
    uint64_t touched;
    fm_reply_error error[];
} reply_message;

static void send_part(fm_shard *shard, const fm_part *part)
{
    fm_engine *engine = shard->engine;
    const fm_reply *reply = &part->reply;
    uint32_t touched = (uint32_t)__builtin_popcountll(reply->touched);
    size_t size = sizeof(reply_message) + reply->error_count * sizeof(fm_reply_error) + touched * sizeof(uint64_t);
    fm_ring *ring = fm_replies_ring(engine, shard->index, part->origin);
    reply_message *message = fm_ring_reserve(ring, size);
    FM_ASSERT(message != NULL); /* the ring holds an answer for each of FM_REQUESTS_MAX requests */
    *message = (reply_message){.request = part->request, .accepted = reply->accepted, .duplicate = reply->duplicate,
                               .rejected = reply->rejected, .error_count = reply->error_count, .durable = reply->durable,
                               .touched = reply->touched};
    memcpy(message->error, reply->error, reply->error_count * sizeof(fm_reply_error));
    uint64_t *position = (uint64_t *)(message->error + reply->error_count);
    for (uint64_t left = reply->touched; left != 0; left &= left - 1)
        *position++ = reply->position[__builtin_ctzll(left)];
    fm_ring_publish(ring);
    fm_shard_wake(&engine->shard[part->origin]);
}

/* Answered parts make room, also when there is never a moment without a waiting one. */
static void forget_parts(fm_shard *shard)
{
    uint32_t gone = shard->part_first;
    if (gone < shard->part_count && gone < 256)
        return;
    shard->part_count -= gone;
    shard->part_committed -= gone;
    shard->part_first = 0;
    memmove(shard->part, shard->part + gone, shard->part_count * sizeof(fm_part));
    for (uint32_t o = 0; o < shard->engine->shard_count; o++)
        shard->reading[o].part -= shard->reading[o].open ? gone : 0;
}

/* Parts whose records are written (synced with sync = always) are answered, in order. */
void fm_shard_send_parts(fm_shard *shard)
{
    if (shard->part_first == shard->part_committed)
        return;
    uint64_t synced = fm_journal_synced(shard->writer);
    while (shard->part_first < shard->part_committed) {
        fm_part *part = &shard->part[shard->part_first];
        part->reply.durable = part->written <= synced;
        if (shard->engine->config.sync_always && !part->reply.durable)
            break;
        shard->part_first++;
        if (part->origin == shard->index)
            fm_shard_complete(shard, part->request, &part->reply);
        else
            send_part(shard, part);
    }
    forget_parts(shard);
}

void fm_shard_take_replies(fm_shard *shard)
{
    for (uint32_t from = 0; from < shard->engine->shard_count; from++) {
        fm_ring *ring = fm_replies_ring(shard->engine, from, shard->index);
        if (ring == NULL || from == shard->index)
            continue;
        size_t size;
        const reply_message *message;
        while ((message = fm_ring_peek(ring, &size)) != NULL) {
            fm_reply part = {.accepted = message->accepted, .duplicate = message->duplicate, .rejected = message->rejected,
                             .durable = message->durable != 0, .error_count = message->error_count, .touched = message->touched};
            memcpy(part.error, message->error, message->error_count * sizeof(fm_reply_error));
            const uint64_t *position = (const uint64_t *)(message->error + message->error_count);
            for (uint64_t left = message->touched; left != 0; left &= left - 1)
                part.position[__builtin_ctzll(left)] = *position++;
            fm_shard_complete(shard, message->request, &part);
        }
        fm_ring_release(ring);
    }
}
