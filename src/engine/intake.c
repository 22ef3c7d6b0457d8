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
    intake->stamp = intake->domain_hash ^ (shard->taken_back * UINT64_C(0x9e3779b97f4a7c15));
    intake->touched = 0;
    intake->names = intake->venue_alone = ++shard->names;
    intake->venue_size = intake->channel_size = intake->source_size = 0;
    intake->reply.accepted = intake->reply.duplicate = intake->reply.rejected = intake->reply.error_count = 0;
    intake->reply.touched = 0;
    intake->reply.durable = true;
    return intake;
}

/* Would an empty ring hold what the request has put there, and this? */
static int no_room(const fm_lane *lane, size_t size)
{
    size_t whole = fm_ring_unpublished(lane->ring) + size + FM_RING_HEADER + sizeof(fm_message_end) + FM_RING_HEADER;
    return whole > fm_ring_size(lane->ring) ? FM_batch_too_large : FM_queue_full;
}

/* The ring to `to` gets the head of this request before its first record. */
static int touch(fm_intake *intake, uint32_t to)
{
    fm_lane *lane = &intake->lane[to];
    lane->ring = fm_records_ring(intake->shard->engine, intake->shard->index, to);
    lane->reserve = 0;
    fm_message_begin *begin = fm_ring_reserve(lane->ring, sizeof(*begin));
    if (begin == NULL)
        return FM_queue_full;
    *begin = (fm_message_begin){.super = {.kind = FM_MESSAGE_BEGIN}, .request = intake->number, .receive_ns = intake->receive_ns,
                                .domain_size = intake->domain_size};
    memcpy(begin->domain, intake->domain, intake->domain_size);
    intake->touched |= UINT64_C(1) << to;
    return 0;
}

/* ---- symbols ---- */

/* All of a symbol of up to 16 bytes in two words; with its size they are its text. Longer ones: false. From four bytes on without a branch: sizes
 * come as they like, and a branch by size would be mispredicted all the time. */
static inline bool symbol_words(fm_slice symbol, uint64_t word[2])
{
    const char *at = symbol.data;
    size_t size = symbol.size;
    if (FM_LIKELY(size - 4 <= 12)) { /* four times four bytes that overlap in the middle */
        size_t last = size - 4, second = last < 4 ? last : 4, third = (size > 8 ? size : 8) - 8;
        word[0] = fm_word_of(at, 4) | fm_word_of(at + second, 4) << 32;
        word[1] = fm_word_of(at + third, 4) | fm_word_of(at + last, 4) << 32;
        return true;
    }
    if (size - 1 > 2)
        return false;
    word[0] = (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[size / 2] << 8 | (uint8_t)at[size - 1];
    word[1] = 0;
    return true;
}

/* Not met before, forgotten for another one, or long. */
static __attribute__((noinline)) void meet(const fm_engine *engine, fm_met_symbol *met, fm_slice symbol, const uint64_t word[2])
{
    uint32_t partition;
    *met = (fm_met_symbol){.word = {word[0], word[1]}, .hash = fm_hash_key(symbol, &partition), .size = (uint32_t)symbol.size};
    met->owner = fm_owner_of(engine, partition);
    met->head = (fm_symbol_head){.partition = (uint8_t)partition, .symbol_size = (uint8_t)symbol.size};
    if (symbol.size <= FM_SYMBOL_PAD)
        fm_symbol_put(met->padded, symbol);
}

static inline fm_met_symbol *find_met(const fm_intake *intake, fm_slice symbol, const uint64_t word[2])
{
    const fm_shard *shard = intake->shard;
    uint64_t mixed = (word[0] ^ intake->domain_hash) * UINT64_C(0x9e3779b97f4a7c15) + word[1] * UINT64_C(0xc2b2ae3d27d4eb4f);
    fm_met_symbol *met = &shard->met[mixed >> 52];
    static_assert(FM_MET_SYMBOLS == 1 << (64 - 52), "twelve bits of it");
    if (FM_UNLIKELY(((met->word[0] ^ word[0]) | (met->word[1] ^ word[1]) | (met->size ^ symbol.size)) != 0))
        meet(shard->engine, met, symbol, word);
    return met;
}

/* A long one is judged by its hash, and learned again each time. */
static fm_met_symbol *find_long(const fm_intake *intake, fm_slice symbol)
{
    uint64_t word[2] = {fm_hash_slice(symbol), 0};
    fm_met_symbol *met = find_met(intake, symbol, word);
    uint64_t stamp = met->stamp; /* perhaps of another one with that hash: then it only has no room reserved */
    meet(intake->shard->engine, met, symbol, word);
    met->stamp = stamp;
    return met;
}

/* ---- names ---- */

static inline bool same_venue(const fm_intake *intake, const fm_record *record)
{
    return record->venue.size == intake->venue_size && fm_bytes_equal(record->venue.data, intake->names_text, record->venue.size);
}

static inline bool same_others(const fm_intake *intake, const fm_record *record)
{
    const char *channel = intake->names_text + intake->venue_size, *source = channel + intake->channel_size;
    return record->channel.size == intake->channel_size && record->source.size == intake->source_size &&
           fm_bytes_equal(record->channel.data, channel, record->channel.size) && fm_bytes_equal(record->source.data, source, record->source.size);
}

static __attribute__((noinline)) void take_names(fm_intake *intake, const fm_record *record)
{
    intake->names = ++intake->shard->names;
    intake->venue_size = record->venue.size;
    intake->channel_size = record->channel.size;
    intake->source_size = record->source.size;
    intake->venue_alone = record->channel.size + record->source.size == 0 ? intake->names : 0;
    fm_bytes_put(fm_bytes_put(fm_bytes_put(intake->names_text, record->venue), record->channel), record->source);
}

/* The shard has to be told: of the request, or of the names. */
static __attribute__((noinline)) int tell(fm_intake *intake, uint32_t to)
{
    fm_lane *lane = &intake->lane[to];
    if (((intake->touched >> to) & 1) == 0)
        FM_TRY(touch(intake, to));
    size_t texts = intake->venue_size + intake->channel_size + intake->source_size, size = (sizeof(fm_message_names) + texts + 7) & ~(size_t)7;
    fm_message_names *names = fm_ring_reserve(lane->ring, size);
    if (names == NULL)
        return no_room(lane, size);
    *names = (fm_message_names){.super = {.kind = FM_MESSAGE_NAMES}, .venue_size = (uint8_t)intake->venue_size,
                                .channel_size = (uint8_t)intake->channel_size, .source_size = (uint8_t)intake->source_size};
    memcpy(names->text, intake->names_text, texts);
    lane->names = intake->names;
    return 0;
}

/* ---- records ---- */

/* Where the second half of the payload stands in fm_record, and the scales that belong there. Trades and quotes alternate as they like: a branch
 * would be mispredicted all the time. */
typedef struct second_half {
    uint8_t third, fourth, third_scale, fourth_scale;
} second_half;

static const second_half second_halves[] = {
    [FM_TRADE] = {offsetof(fm_record, id_hash), offsetof(fm_record, buyer), offsetof(fm_record, number[0].scale), offsetof(fm_record, number[1].scale)},
    [FM_QUOTE] = {offsetof(fm_record, number[2].mantissa), offsetof(fm_record, number[3].mantissa), offsetof(fm_record, number[2].scale),
                  offsetof(fm_record, number[3].scale)},
    [FM_VALUE] = {0, 0, 0, 0}, /* and of the others: fill_other */
    [FM_STATUS] = {0, 0, 0, 0},
    [FM_BAR] = {0, 0, 0, 0},
    [FM_BOOK] = {0, 0, 0, 0},
    [FM_ORDER] = {0, 0, 0, 0},
};
static_assert(offsetof(fm_record, seller) == offsetof(fm_record, buyer) + 4, "the accounts are one word");
static_assert(offsetof(fm_trade, buyer) == 24 && offsetof(fm_quote, ask_size) == 24, "a payload is four words");
static_assert(offsetof(fm_record, side) == offsetof(fm_record, kind) + 1 && offsetof(fm_event, side) == offsetof(fm_event, kind) + 1, "and these half of one");

static inline uint8_t scale_of(fm_decimal_number number)
{
    return number.mantissa != FM_ABSENT ? (uint8_t)number.scale : 0;
}

static void fill_bar(fm_message_record *message, const fm_record *record)
{
    const fm_decimal_number *number = record->number;
    message->event.as.bar = (fm_bar){number[0].mantissa, number[1].mantissa, number[2].mantissa, number[3].mantissa};
    for (int i = 0; i < 4; i++)
        message->scale[i] = (int8_t)number[i].scale;
    message->head.volume_scales = (uint8_t)(scale_of(record->volume) | scale_of(record->buy_volume) << 4);
    message->event.extra_words = (uint16_t)(message->event.extra_words + sizeof(fm_bar_rest) / 8);
    *fm_message_bar_rest(message) = (fm_bar_rest){.interval_ns = record->interval_ns, .volume = record->volume.mantissa,
                                                  .buy_volume = record->buy_volume.mantissa, .trade_count = record->trade_count};
}

/* Levels and orders: price and size, as a trade has them. */
static void fill_book(fm_message_record *message, const fm_record *record)
{
    const fm_decimal_number *price = &record->number[0], *size = &record->number[1];
    fm_event *event = &message->event;
    event->flags |= record->book_flags & (FM_FLAG_MORE | FM_FLAG_SNAPSHOT);
    for (int i = 0; i < 4; i++)
        message->scale[i] = (int8_t)record->number[i % 2].scale;
    if (record->kind == FM_BOOK)
        event->as.book = (fm_book){.price = price->mantissa, .size = size->mantissa, .order_count = record->order_count, .action = record->action};
    else
        event->as.order = (fm_order){.price = price->mantissa, .size = size->mantissa, .order_id = record->order_id, .account = record->account,
                                     .action = record->action};
}

static __attribute__((noinline)) void fill_other(fm_message_record *message, const fm_record *record)
{
    memset(&message->event.as, 0, sizeof(message->event.as));
    memset(message->scale, 0, sizeof(message->scale));
    if (record->kind == FM_VALUE)
        message->event.as.value.value = record->value;
    else if (record->kind == FM_STATUS)
        message->event.as.status.phase = record->phase;
    else if (record->kind == FM_BAR)
        fill_bar(message, record);
    else
        fill_book(message, record);
}

/* The entry as far as it is known here. */
static inline void fill_event(fm_message_record *message, const fm_record *record, bool origin)
{
    fm_event *event = &message->event;
    const second_half *half = &second_halves[record->kind];
    const char *from = (const char *)record;
    event->ts_ns = record->ts_ns;
    event->series = 0;
    event->stream = 0;
    memcpy(&event->kind, &record->kind, 2);
    event->flags = origin ? FM_FLAG_ORIGIN : 0;
    event->extra_words = origin ? sizeof(fm_origin) / 8 : 0;
    event->conditions = record->conditions;
    event->seq = record->seq;
    event->as.quote = (fm_quote){record->number[0].mantissa, record->number[1].mantissa, (int64_t)fm_word_of(from + half->third, 8),
                                 (int64_t)fm_word_of(from + half->fourth, 8)};
    message->scale[0] = (int8_t)record->number[0].scale;
    message->scale[1] = (int8_t)record->number[1].scale;
    message->scale[2] = (int8_t)from[half->third_scale]; /* its low byte */
    message->scale[3] = (int8_t)from[half->fourth_scale];
    if (FM_UNLIKELY(record->kind > FM_QUOTE))
        fill_other(message, record);
}

/* Made twice: for bars and records with an origin or a long symbol, and for all the others. */
static inline __attribute__((always_inline)) int put_record(fm_lane *lane, uint32_t index, const fm_record *record, fm_met_symbol *symbol,
                                                            uint64_t stamp, const bool origin, const bool padded_here)
{
    size_t padded = padded_here ? FM_SYMBOL_PAD : fm_symbol_padded(record->symbol.size);
    size_t bar = !padded_here && record->kind == FM_BAR ? sizeof(fm_bar_rest) : 0;
    size_t extra = bar + (origin ? sizeof(fm_origin) : 0), size = sizeof(fm_message_record) + extra + padded;
    fm_message_record *message = fm_ring_reserve(lane->ring, size);
    if (FM_UNLIKELY(message == NULL))
        return no_room(lane, size);
    message->super = (fm_message){FM_MESSAGE_RECORD, index};
    message->symbol_hash = symbol->hash;
    message->head = symbol->head;
    fill_event(message, record, origin);
    if (origin)
        *fm_message_origin(message) = (fm_origin){.seq_index = record->seq_index, .row = record->row,
                                                  .session_hash = record->session.size > 0 ? fm_hash_slice(record->session) : 0};
    if (padded_here)
        memcpy(message->rest + extra, symbol->padded, FM_SYMBOL_PAD);
    else
        fm_symbol_put(message->rest + extra, record->symbol);
    lane->reserve += sizeof(fm_event) + extra;
    if (FM_UNLIKELY(symbol->stamp != stamp)) {
        symbol->stamp = stamp;
        message->head.has_room = 1;
        lane->reserve += DICTIONARY_BYTES;
    }
    return 0;
}

static __attribute__((noinline)) int add_any(fm_intake *intake, uint32_t index, const fm_record *record)
{
    uint64_t word[2];
    fm_met_symbol *symbol = symbol_words(record->symbol, word) ? find_met(intake, record->symbol, word) : find_long(intake, record->symbol);
    fm_lane *lane = &intake->lane[symbol->owner];
    if (!same_venue(intake, record) || !same_others(intake, record))
        take_names(intake, record);
    if (lane->names != intake->names)
        FM_TRY(tell(intake, symbol->owner));
    if (record->unknown_keys > 0)
        fm_count(&intake->shard->counters, FM_METRIC_UNKNOWN_KEYS, record->unknown_keys);
    bool origin = record->source.size > 0 || record->session.size > 0 || record->seq_index != 0;
    return origin ? put_record(lane, index, record, symbol, intake->stamp, true, false)
                  : put_record(lane, index, record, symbol, intake->stamp, false, false);
}

int fm_intake_add(fm_intake *intake, uint32_t index, const fm_record *record)
{
    uint64_t word[2];
    size_t rare = record->channel.size | record->source.size | record->session.size | record->seq_index | record->unknown_keys;
    if (FM_UNLIKELY(rare != 0 || record->kind == FM_BAR || !symbol_words(record->symbol, word)))
        return add_any(intake, index, record);
    fm_met_symbol *symbol = find_met(intake, record->symbol, word);
    fm_lane *lane = &intake->lane[symbol->owner];
    if (FM_UNLIKELY(lane->names != intake->venue_alone || !same_venue(intake, record)))
        return add_any(intake, index, record);
    return put_record(lane, index, record, symbol, intake->stamp, false, true);
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
    shard->taken_back++; /* nothing of it was sent, whatever symbols are stamped with */
    give_back(intake);
}

static int reserve_all(fm_intake *intake)
{
    fm_engine *engine = intake->shard->engine;
    for (uint32_t to = 0; to < engine->shard_count; to++) {
        if (((intake->touched >> to) & 1) == 0)
            continue;
        fm_lane *lane = &intake->lane[to];
        lane->reserve += 2 * DICTIONARY_BYTES; /* names that are new although the symbol is not */
        fm_message_end *end = fm_ring_reserve(lane->ring, sizeof(*end));
        int result = end == NULL ? no_room(lane, 0) : fm_journal_reserve(engine->shard[to].writer, lane->reserve);
        if (result < 0) {
            for (uint32_t undo = 0; undo < to; undo++)
                if ((intake->touched >> undo) & 1)
                    fm_journal_unreserve(engine->shard[undo].writer, intake->lane[undo].reserve);
            return result;
        }
        *end = (fm_message_end){.super = {.kind = FM_MESSAGE_END}, .reserved_bytes = lane->reserve};
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
