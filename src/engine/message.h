/* engine/message.h - what travels through the rings between the threads of the engine. 8-byte aligned, variable length. */
#ifndef FM_ENGINE_MESSAGE_H
#define FM_ENGINE_MESSAGE_H

#include "base/event.h"
#include "base/slice.h"

#include <stdint.h>

typedef enum fm_message_kind { FM_MESSAGE_BEGIN = 1, FM_MESSAGE_RECORD = 2, FM_MESSAGE_END = 3 } fm_message_kind;

typedef struct fm_message {
    uint32_t kind;
    uint32_t index; /* RECORD: in its request */
} fm_message;

typedef struct fm_message_begin {
    fm_message super;
    uint32_t   request; /* the receiving thread's number of it */
    uint32_t   domain_size;
    int64_t    receive_ns;
    char       domain[FM_NAME_MAX];
} fm_message_begin;

typedef struct fm_message_end {
    fm_message super;
    uint64_t   reserved_bytes; /* of the journal, for this shard; what was not used goes back */
} fm_message_end;

/* A decoded record whose decimals still have their own scales and whose texts follow: symbol, venue, channel, source. */
typedef struct fm_message_record {
    fm_message super;
    fm_event   event; /* series, stream unset; decimals as mantissas */
    uint64_t   symbol_hash;
    uint64_t   row;          /* FM_SEQ_ABSENT = none */
    uint64_t   session_hash; /* 0 = not given */
    uint32_t   seq_index;
    int8_t     scale[4];
    uint8_t    partition;
    uint8_t    symbol_size, venue_size, channel_size, source_size;
    uint8_t    has_room;     /* was room for the dictionary entries that it may need reserved with it? */
    uint8_t    unused[2];
    char       text[]; /* padded to 8 */
} fm_message_record;

static inline fm_slice fm_message_symbol(const fm_message_record *m)
{
    return (fm_slice){m->text, m->symbol_size};
}
static inline fm_slice fm_message_stream(const fm_message_record *m) /* venue, then channel */
{
    return (fm_slice){m->text + m->symbol_size, (size_t)m->venue_size + m->channel_size};
}
static inline fm_slice fm_message_source(const fm_message_record *m)
{
    return (fm_slice){m->text + m->symbol_size + m->venue_size + m->channel_size, m->source_size};
}

#endif
