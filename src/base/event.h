/* base/event.h - one market data record, the value that travels from the decoder to the rules.
 *
 * 64 bytes, one cache line; the journal stores this very line (docs/decisions/0002). Ids in it (series, stream, source) are
 * indices into the dictionary of one partition: they are assigned by dictionary records of that partition's log, never
 * leave the process, and never order or seed anything.
 *
 * Prices and sizes are integers; a value is integer / 10^scale, with the scales of the series. Magnitudes are <= 2^53, so that
 * the division is one correctly rounded operation. */
#ifndef FM_BASE_EVENT_H
#define FM_BASE_EVENT_H

#include "base/assert.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

#define FM_NS_PER_US 1000LL
#define FM_NS_PER_MS 1000000LL
#define FM_NS_PER_S  1000000000LL

#define FM_PARTITION_COUNT 64                  /* fixed when a data directory is made; order exists within one partition */
#define FM_SYMBOL_MAX      64                  /* bytes, printable ASCII without spaces */
#define FM_NAME_MAX        64                  /* venue, channel, session, source, domain: bytes */
#define FM_ABSENT          INT64_MIN           /* a price or size that the record does not have; never 0 */
#define FM_SEQ_ABSENT      UINT64_MAX          /* no venue sequence, no source row */
#define FM_MAGNITUDE_MAX   (INT64_C(1) << 53)
#define FM_SCALE_MAX       9                   /* decimals kept of a price or size at most */

/* Kinds below FM_KIND_CONTROL are data; the rest change how later data are read (engine/control.h). */
typedef enum fm_kind {
    FM_KIND_NONE = 0,
    FM_TRADE     = 1,
    FM_QUOTE     = 2,
    FM_VALUE     = 3,
    FM_STATUS    = 4,
    FM_BAR       = 5, /* two lines: an fm_bar_rest follows */
    FM_BOOK      = 6, /* one level of an aggregated book (L2) */
    FM_ORDER     = 7, /* one order of an order-by-order book (L3) */
    FM_KIND_CONTROL = 32,
    FM_DOMAIN     = 32, /* first sight of a time domain: text = its name */
    FM_STREAM     = 33, /* first sight of (venue, channel): text = "venue\0channel" */
    FM_SOURCE     = 34, /* first sight of a source (`src`): text = its name */
    FM_SERIES     = 35, /* first sight of a symbol in a domain; scales */
    FM_SCALE      = 36, /* the scales of a series grow */
    FM_GENERATION = 37, /* a rule generation becomes current: text = content hash, hex */
    FM_BUILD      = 38, /* the engine's build changed: text = build id */
    FM_CLOCK      = 39, /* wall time of a domain without data */
    FM_KILL       = 40, /* a rule was stopped by deadline, memory or an operator: text = "rule id\0reason" */
    FM_CROSS      = 42, /* a value of another partition, as of an event-time grid: engine/cross.h */
    FM_REFERENCE  = 41, /* a set of reference data holds from here on: text = its hash, hex */
} fm_kind;

typedef enum fm_side { FM_SIDE_NONE = 0, FM_BUY = 1, FM_SELL = 2 } fm_side; /* trade: the aggressor */
typedef enum fm_phase { FM_PHASE_OPEN = 1, FM_PHASE_AUCTION = 2, FM_PHASE_HALT = 3, FM_PHASE_CLOSED = 4 } fm_phase;

#define FM_FLAG_LATE   0x0001u /* event time below the domain's time when it was accepted: applied in place, moves no time */
#define FM_FLAG_ORIGIN 0x0002u /* an fm_origin follows the line in the log (and the fm_bar_rest of a bar) */
#define FM_FLAG_MORE   0x0004u /* FM_BOOK, FM_ORDER: more records of the same venue event follow; the book is read at its end */
#define FM_FLAG_SNAPSHOT 0x0008u /* FM_BOOK, FM_ORDER: part of a snapshot, not a change that happened now */

typedef struct fm_trade { /* price scale, size scale */
    int64_t  price;
    int64_t  size;    /* FM_ABSENT when the feed has none */
    uint64_t id_hash; /* fixed-seed hash of the trade id; 0 = none */
    uint32_t buyer;   /* low half of the account's hash; 0 = none */
    uint32_t seller;
} fm_trade;

typedef struct fm_quote { /* a side whose price is FM_ABSENT is unchanged; size 0 withdraws it */
    int64_t bid;
    int64_t bid_size;
    int64_t ask;
    int64_t ask_size;
} fm_quote;

typedef struct fm_value {
    double   value; /* finite */
    uint64_t unused[3];
} fm_value;

typedef struct fm_status {
    uint32_t phase; /* fm_phase */
    uint32_t unused32;
    uint64_t unused[3];
} fm_status;

typedef struct fm_bar { /* price scale; ts_ns of the event is the bar's end, when it is known */
    int64_t open;
    int64_t high;
    int64_t low;
    int64_t close;
} fm_bar;

typedef struct fm_bar_rest { /* the second line of a bar */
    int64_t  interval_ns; /* length: the bar began interval_ns before its event time */
    int64_t  volume;      /* size scale; FM_ABSENT when the feed has none */
    int64_t  buy_volume;  /* of it, bought by takers; FM_ABSENT when not given */
    uint64_t trade_count; /* FM_SEQ_ABSENT when not given */
    uint64_t unused[4];
} fm_bar_rest;

typedef enum fm_book_action { FM_BOOK_SET = 1, FM_BOOK_DELETE = 2, FM_BOOK_CLEAR = 3 } fm_book_action;

typedef struct fm_book { /* side FM_BUY = bid, FM_SELL = ask, FM_SIDE_NONE = both (clear) */
    int64_t  price;
    int64_t  size;        /* resting at the price from now on */
    uint32_t order_count; /* 0 = not told */
    uint8_t  action;      /* fm_book_action */
    uint8_t  unused[11];
} fm_book;

typedef enum fm_order_action {
    FM_ORDER_ADD     = 1,
    FM_ORDER_MODIFY  = 2, /* price and size are the new ones; loses its place in the queue unless only the size shrinks */
    FM_ORDER_CANCEL  = 3, /* `size` of it leaves; absent or no less than what rests: all */
    FM_ORDER_EXECUTE = 4, /* `size` of it is filled and leaves */
    FM_ORDER_FILL    = 5, /* a notice that `size` of it was filled; the book changes by the cancel or modify that follows (CME) */
    FM_ORDER_CLEAR   = 6, /* the whole book goes */
} fm_order_action;

typedef struct fm_order { /* side FM_BUY = bid, FM_SELL = ask */
    int64_t  price;    /* FM_ABSENT where it was not told; so size */
    int64_t  size;
    uint64_t order_id; /* the venue's number, or the fixed-seed hash of its text */
    uint32_t account;  /* low half of the account's hash; 0 = none */
    uint8_t  action;   /* fm_order_action */
    uint8_t  unused[3];
} fm_order;

typedef struct fm_control {
    uint32_t index;     /* the dictionary index that is defined or changed */
    uint32_t domain;    /* FM_SERIES: the domain's index */
    int8_t   price_scale;
    int8_t   size_scale;
    uint16_t text_size; /* bytes of text behind the line, padded with zeros to a multiple of 8 */
    uint32_t at_timer;    /* FM_KILL: of the timers that fire before that record, how many come before the first one that the rule does not see */
    uint64_t at_sequence; /* FM_KILL: the first record that the rule does not see */
    uint64_t unused64;
} fm_control;

typedef struct fm_event {
    int64_t  ts_ns;       /* event time, UTC since 1970 */
    uint32_t series;      /* partition-local index of (domain, symbol) */
    uint16_t stream;      /* partition-local index of (venue, channel); 0 = not named */
    uint8_t  kind;        /* fm_kind */
    uint8_t  side;        /* fm_side */
    uint16_t flags;       /* FM_FLAG_* */
    uint16_t extra_words; /* 8-byte words behind this line in the log: an fm_bar_rest, an fm_origin, or a control record's text */
    uint32_t conditions;  /* conditions.def, a bit each */
    uint64_t seq;         /* the venue's sequence, or FM_SEQ_ABSENT */
    union {
        fm_trade   trade;
        fm_quote   quote;
        fm_value   value;
        fm_status  status;
        fm_bar     bar;
        fm_book    book;
        fm_order   order;
        fm_control control;
    } as;
} fm_event;

/* Where a record came from, for duplicates; behind the line when any of it was given. */
typedef struct fm_origin {
    uint32_t source;       /* partition-local index of `src`; 0 = none */
    uint32_t seq_index;    /* position among equal `seq`; 0 when not given */
    uint64_t row;          /* `n`, or FM_SEQ_ABSENT */
    uint64_t session_hash; /* fixed-seed hash of `session`; 0 = the event date stands for it */
} fm_origin;

static_assert(sizeof(fm_event) == 64, "an event is one cache line");
static_assert(sizeof(fm_control) == 32 && sizeof(fm_quote) == 32 && sizeof(fm_trade) == 32, "payloads fill half the line");
static_assert(sizeof(fm_bar) == 32 && sizeof(fm_book) == 32 && sizeof(fm_order) == 32, "payloads fill half the line");
static_assert(sizeof(fm_bar_rest) == 64, "a bar is two lines");
static_assert(sizeof(fm_origin) == 24, "an origin is three words");

/* Bytes that an event takes in the log. */
static inline uint32_t fm_event_size(const fm_event *event)
{
    return (uint32_t)sizeof(fm_event) + 8u * event->extra_words;
}

/* Of a data record; NULL when nothing of it was given. It is the last of what follows the line. */
static inline const fm_origin *fm_event_origin(const fm_event *event)
{
    if (FM_LIKELY(!(event->flags & FM_FLAG_ORIGIN)))
        return NULL;
    return (const fm_origin *)(const void *)((const char *)event + fm_event_size(event) - sizeof(fm_origin));
}

/* Of an FM_BAR. */
static inline const fm_bar_rest *fm_event_bar_rest(const fm_event *event)
{
    return (const fm_bar_rest *)(const void *)(event + 1);
}

#define FM_POWERS_OF_TEN 23 /* 10^22 is the last that is exact in binary64 */
extern const double fm_powers_of_ten[FM_POWERS_OF_TEN];

/* The double nearest to integer / 10^scale; NaN when absent. One correctly rounded division. */
static inline double fm_decimal(int64_t integer, int scale)
{
    FM_ASSERT((unsigned)scale < FM_POWERS_OF_TEN);
    return FM_LIKELY(integer != FM_ABSENT) ? (double)integer / fm_powers_of_ten[scale] : (double)NAN;
}

const char *fm_kind_name(int kind); /* "trade", "quote", …; "unknown" otherwise; a static string */

#endif
