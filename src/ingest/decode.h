/* ingest/decode.h - bodies to records: one interface, a decoder for each format.
 *
 *   fm_decoder decoder;
 *   fm_decoder_init(&decoder, FM_FORMAT_NDJSON, body, size, &limits);
 *   while ((result = fm_decoder_next(&decoder, &record)) != 0) {
 *       if (result < 0) … refused: decoder.index, decoder.error (what, which, why), decoder.record (its bytes)
 *       else            … record
 *   }
 *
 * A refused record never costs the good ones beside it: decoding goes on at the next record (next array element, next
 * line, next map). Only where the bytes no longer say where the next record begins (a torn array, a torn map) decoding
 * ends: the last result is negative, `decoder.torn` is set, and everything before stands. Nothing is allocated; the
 * decoder is one struct, texts with escapes are unescaped into its scratch. Depth, key and text lengths are bounded by
 * `limits`. `body` must stay valid and is not written to; no byte at or beyond body + size is read.
 *
 * What is common to the formats: keys, their forms and reasons stand in decode/fields.def, the rules in validate.h.
 * Prices and sizes are exact and have the smallest scale, so 1.50, "1.5", 15e-1 and the double 1.5 are one record. A
 * time may also be nanoseconds as text, since JavaScript has no such integers. Of unknown keys nothing is kept, so that
 * one standing twice is not noticed. */
#ifndef FM_INGEST_DECODE_H
#define FM_INGEST_DECODE_H

#include "base/error.h"
#include "base/record.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum fm_format {
    FM_FORMAT_NONE,
    FM_FORMAT_JSON,    /* one object, or an array of them: application/json */
    FM_FORMAT_NDJSON,  /* application/x-ndjson, application/jsonl */
    FM_FORMAT_MSGPACK, /* maps one after another, or arrays of maps: application/msgpack, application/x-msgpack,
                          application/vnd.msgpack */
    FM_FORMAT_CSV,     /* text/csv with a header line: the wire's names as columns, in any order */
} fm_format;

typedef struct fm_decode_limits {
    uint32_t depth_max;      /* nesting of ignored values; preset 32 */
    uint32_t key_bytes_max;  /* a key; preset 256 */
    uint32_t text_bytes_max; /* a text that is ignored; preset 65536 */
    int32_t scale_max;       /* decimals of prices and sizes; preset 9 */
    int64_t ts_min_ns;       /* event times below are refused; preset 1990-01-01 */
    int64_t ts_max_ns;       /* event times above are refused; preset 2100-01-01 */
} fm_decode_limits;

extern const fm_decode_limits fm_decode_limits_preset;

#define FM_DECODE_SCRATCH  1024
#define FM_CSV_COLUMNS_MAX 64

typedef struct fm_decoder {
    fm_format format;
    const char *begin, *at, *end;
    fm_decode_limits limits;
    uint32_t index;  /* of the record just returned or refused, from 0 */
    fm_error error;  /* of the refused record */
    fm_slice record; /* bytes of the refused record, as far as they could be told apart */
    bool torn;
    uint32_t next_index;
    uint32_t state;      /* of the format's machine */
    uint32_t remaining;  /* MessagePack: elements left in an open array */
    uint8_t column[128]; /* CSV: field of each column; JSON and MessagePack: likely keys (decode/likely.h) */
    uint32_t column_count;
    uint8_t likely_row;   /* of the record before */
    bool reach_known;     /* JSON: of the likely keys as they are now */
    size_t reach[4];      /* JSON, by kind: bytes to be left of the body for a record to be read in one go */
    int32_t separator;    /* JSON: the byte between records; -1 = the first, or behind the only one */
    bool spaced;          /* JSON: its keys stood as in `, "price": 1` */
    uint32_t ts_head;     /* JSON: the first four characters of the last time, */
    int32_t double_scale; /* MessagePack: decimals of the last price sent as a double */
    uint64_t ts_head_ns;  /* and what its first three digits count */
    uint32_t scratch_used;
    char scratch[FM_DECODE_SCRATCH];
    uint8_t usual[2][16]; /* MessagePack: the map's head and the fields behind the type, of trades and of quotes */
} fm_decoder;

/* The format of a Content-Type ("application/json; charset=utf-8"); FM_FORMAT_NONE when it is not taken. */
fm_format fm_format_of(fm_slice content_type);

void fm_decoder_init(fm_decoder *decoder, fm_format format, const void *body, size_t size,
                     const fm_decode_limits *limits);
/* Another body of the same format. What the one before has taught of the order of keys is kept: only the speed of the
 * first records depends on it. */
void fm_decoder_next_body(fm_decoder *decoder, const void *body, size_t size);

/* 1: *record is filled. 0: the end. Negative: this record is refused for that reason, and *record means nothing.
 * Cost of a tick of 115 bytes of JSON: see tests/bench/decode_bench. */
int fm_decoder_next(fm_decoder *decoder, fm_record *record) FM_CHECKED;

#endif
