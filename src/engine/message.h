/* engine/message.h - what travels through the rings between the threads of the engine. 8-byte aligned, variable length. */
#ifndef FM_ENGINE_MESSAGE_H
#define FM_ENGINE_MESSAGE_H

#include "base/event.h"
#include "base/slice.h"

#include <stdint.h>

typedef enum fm_message_kind { FM_MESSAGE_BEGIN = 1, FM_MESSAGE_NAMES = 2, FM_MESSAGE_RECORD = 3, FM_MESSAGE_END = 4, FM_MESSAGE_CROSS = 5 } fm_message_kind;

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

/* Venue, channel and source of the records that follow, until the next of these. They hardly change within a request, so that records need not
 * carry them; the first one stands before the first record. */
typedef struct fm_message_names {
    fm_message super;
    uint8_t    venue_size, channel_size, source_size;
    uint8_t    unused[5];
    char       text[]; /* venue, channel, source; padded to 8 */
} fm_message_names;

/* A value of another shard's partition for one of this one's (engine/cross.h); stands outside of requests. */
typedef struct fm_message_cross {
    fm_message super;
    uint32_t   partition, cross_kind; /* that it is for */
    int64_t    grid_ns;
    uint64_t   position;
    uint32_t   domain_size, text_size;
    char       rest[]; /* domain, text; padded to 8 */
} fm_message_cross;

typedef struct fm_message_end {
    fm_message super;
    uint64_t   reserved_bytes; /* of the journal, for this shard; what was not used goes back */
} fm_message_end;

typedef struct fm_symbol_head {
    uint8_t partition;
    uint8_t symbol_size;
    uint8_t has_room; /* was room for the dictionary entries that it may need reserved with it? */
    uint8_t volume_scales; /* FM_BAR: of its volume, and 16 times that of buy_volume */
} fm_symbol_head;

/* A decoded record: the entry of the log as far as it is known before it is judged, then its symbol. */
typedef struct fm_message_record {
    fm_message super;
    uint64_t   symbol_hash;
    int8_t     scale[4];    /* of the decimals; where there are only two, [2] and [3] say the same as [0] and [1] */
    fm_symbol_head head;
    fm_event   event;       /* series, stream unset; decimals as mantissas */
    char       rest[];      /* an fm_bar_rest, an fm_origin without its source, as the event says; then the symbol, padded with zeros to a multiple
                             * of FM_SYMBOL_PAD */
} fm_message_record;

#define FM_SYMBOL_PAD 16

static inline fm_origin *fm_message_origin(fm_message_record *m)
{
    return (fm_origin *)(void *)(m->rest + 8u * m->event.extra_words - sizeof(fm_origin));
}
static inline fm_bar_rest *fm_message_bar_rest(fm_message_record *m)
{
    return (fm_bar_rest *)(void *)m->rest;
}
static inline fm_slice fm_message_symbol(const fm_message_record *m)
{
    return (fm_slice){m->rest + 8u * m->event.extra_words, m->head.symbol_size};
}

/* Its bytes, and zeros up to fm_symbol_padded. */
static inline size_t fm_symbol_padded(size_t size)
{
    return (size + FM_SYMBOL_PAD - 1) & ~(size_t)(FM_SYMBOL_PAD - 1);
}

/* Its bytes, and zeros up to fm_symbol_padded. */
static inline void fm_symbol_put(char *out, fm_slice symbol)
{
    if (symbol.size % FM_SYMBOL_PAD != 0)
        memset(out + symbol.size / FM_SYMBOL_PAD * FM_SYMBOL_PAD, 0, FM_SYMBOL_PAD);
    fm_bytes_put(out, symbol);
}

#endif
