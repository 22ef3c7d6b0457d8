/* tests/unit/ingest/records.h - records and refusals as one line of text, so that a case is input beside output. */
#ifndef FM_TESTS_INGEST_RECORDS_H
#define FM_TESTS_INGEST_RECORDS_H

#include "assert_near.h"

#include "base/error.h"
#include "ingest/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct line {
    char text[8192];
    size_t used;
} line;

static inline void line_add(line *out, const char *format, ...) FM_PRINTF(2, 3);
static inline void line_add(line *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(out->text + out->used, sizeof out->text - out->used, format, arguments);
    va_end(arguments);
    assert_true(count >= 0 && (size_t)count < sizeof out->text - out->used);
    out->used += (size_t)count;
}

static inline void line_name(line *out, const char *key, fm_slice text)
{
    if (text.size > 0)
        line_add(out, " %s=%.*s", key, (int)text.size, text.data);
}

static inline void line_decimal(line *out, const char *key, fm_decimal_number number)
{
    if (number.mantissa != FM_ABSENT)
        line_add(out, " %s=%" PRId64 "/%d", key, number.mantissa, number.scale);
}

/* What only bars, levels and orders have. */
static inline void line_rare(line *out, const fm_record *record)
{
    if (record->kind == FM_BAR) {
        line_decimal(out, "volume", record->volume);
        line_decimal(out, "buy_volume", record->buy_volume);
        line_add(out, " interval=%" PRId64, record->interval_ns);
        if (record->trade_count != FM_SEQ_ABSENT)
            line_add(out, " trades=%" PRIu64, record->trade_count);
    }
    if (record->kind != FM_BOOK && record->kind != FM_ORDER)
        return;
    line_add(out, " action=%u", record->action);
    if (record->kind == FM_BOOK && record->order_count)
        line_add(out, " orders=%u", record->order_count);
    if (record->kind == FM_ORDER)
        line_add(out, " order=%" PRIu64, record->order_id);
    if (record->kind == FM_ORDER && record->account)
        line_add(out, " account=%x", record->account);
    if (record->book_flags)
        line_add(out, " flags=%x", record->book_flags);
}

/* "trade EURUSD ts=1 price=138512/5 …"; what is absent is not shown. */
static inline void line_record(line *out, const fm_record *record)
{
    line_add(out, "%s %.*s ts=%" PRId64, fm_kind_name(record->kind), (int)record->symbol.size, record->symbol.data,
             record->ts_ns);
    line_name(out, "venue", record->venue);
    line_name(out, "channel", record->channel);
    line_name(out, "session", record->session);
    line_name(out, "src", record->source);
    if (record->row != FM_SEQ_ABSENT)
        line_add(out, " n=%" PRIu64, record->row);
    if (record->seq != FM_SEQ_ABSENT)
        line_add(out, " seq=%" PRIu64, record->seq);
    if (record->seq_index)
        line_add(out, " seq_index=%u", record->seq_index);
    bool quote = record->kind == FM_QUOTE, bar = record->kind == FM_BAR;
    line_decimal(out, quote ? "bid" : bar ? "open" : "price", record->number[0]);
    line_decimal(out, quote ? "bid_size" : bar ? "high" : "size", record->number[1]);
    line_decimal(out, bar ? "low" : "ask", record->number[2]);
    line_decimal(out, bar ? "close" : "ask_size", record->number[3]);
    line_rare(out, record);
    if (record->kind == FM_VALUE)
        line_add(out, " value=%a", record->value);
    if (record->phase)
        line_add(out, " phase=%u", record->phase);
    if (record->side)
        line_add(out, " side=%u", record->side);
    if (record->conditions)
        line_add(out, " conditions=%x", record->conditions);
    if (record->id_hash)
        line_add(out, " id=%016" PRIx64, record->id_hash);
    if (record->buyer || record->seller)
        line_add(out, " buyer=%x seller=%x", record->buyer, record->seller);
    if (record->unknown_keys)
        line_add(out, " unknown=%u", record->unknown_keys);
}

/* All results of a decoder's body: records and refusals, '\n' behind each; "torn" at the end when it is. Indices are
 * checked. */
static inline void line_decoder(line *out, fm_decoder *decoder)
{
    const char *body = decoder->begin, *end = decoder->end;
    fm_record record;
    uint32_t count = 0;
    int result;
    out->used = 0;
    out->text[0] = 0;
    while ((result = fm_decoder_next(decoder, &record)) != 0) {
        assert_int_equal(decoder->index, count);
        count++;
        if (result > 0) {
            line_record(out, &record);
        } else {
            assert_int_equal(decoder->error.code, result);
            line_add(out, "%s", fm_error_name(result));
            assert_true(decoder->record.data == NULL ||
                        (body <= decoder->record.data && decoder->record.data + decoder->record.size <= end));
        }
        line_add(out, "\n");
    }
    if (decoder->torn)
        line_add(out, "torn\n");
    assert_int_equal(fm_decoder_next(decoder, &record), 0);
}

static inline void line_body(line *out, fm_format format, const void *body, size_t size, const fm_decode_limits *limits)
{
    fm_decoder decoder;
    fm_decoder_init(&decoder, format, body, size, limits);
    line_decoder(out, &decoder);
}

#define assert_body(format, body, size, expected)                                                                      \
    do {                                                                                                               \
        line line_;                                                                                                    \
        line_body(&line_, format, body, size, &fm_decode_limits_preset);                                               \
        if (strcmp(line_.text, expected) != 0)                                                                         \
            fail_msg("%.*s\n  gives    %s  expected %s", (int)((size) < 400 ? (size) : 400), (const char *)(body),     \
                     line_.text, expected);                                                                            \
    } while (0)

#endif
