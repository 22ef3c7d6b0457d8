/* base/record.h - one record as a decoder hands it over: texts are still text, decimals still have their own scale.
 *
 * The decoder has checked all that one record alone can be checked for (types, ranges, names). What depends on the instrument
 * (scales, known symbols, duplicates, the clock) is judged by the shard that owns its partition. */
#ifndef FM_BASE_RECORD_H
#define FM_BASE_RECORD_H

#include "base/event.h"
#include "base/slice.h"

/* An exact decimal: mantissa / 10^scale, scale 0..FM_SCALE_MAX with no trailing zeros kept beyond what the text had; |mantissa| <= 2^53. */
typedef struct fm_decimal_number {
    int64_t mantissa; /* FM_ABSENT when the record does not have it */
    int32_t scale;
} fm_decimal_number;

typedef struct fm_record {
    int64_t  ts_ns;
    uint8_t  kind; /* fm_kind, data only */
    uint8_t  side;
    uint16_t unused;
    uint32_t conditions;
    uint64_t seq;       /* FM_SEQ_ABSENT when not given */
    uint32_t seq_index;
    uint32_t phase;     /* FM_STATUS */
    uint64_t row;       /* `n`, FM_SEQ_ABSENT when not given */
    double   value;     /* FM_VALUE */
    /* FM_TRADE: [0] price, [1] size.  FM_QUOTE: [0] bid, [1] bid_size, [2] ask, [3] ask_size. */
    fm_decimal_number number[4];
    uint64_t id_hash;   /* 0 = none */
    uint32_t buyer, seller;
    fm_slice symbol;    /* into the body being decoded, or the decoder's scratch; valid until the next record is asked for */
    fm_slice venue, channel, session, source; /* size 0 = not given */
    uint32_t unknown_keys; /* ignored keys, to be counted */
    /* Only of the kinds named; of others what stands here means nothing. */
    uint8_t  action;       /* FM_BOOK: fm_book_action; FM_ORDER: fm_order_action. FM_BOOK has [0] price, [1] size; FM_ORDER too */
    uint8_t  book_flags;   /* FM_BOOK, FM_ORDER: FM_FLAG_MORE, FM_FLAG_SNAPSHOT */
    uint16_t unused16;
    uint32_t order_count;  /* FM_BOOK */
    uint32_t account;      /* FM_ORDER */
    uint64_t order_id;     /* FM_ORDER */
    int64_t  interval_ns;  /* FM_BAR, which has number[0] open, [1] high, [2] low, [3] close */
    uint64_t trade_count;  /* FM_BAR; FM_SEQ_ABSENT when not given */
    fm_decimal_number volume, buy_volume; /* FM_BAR */
} fm_record;

#endif
