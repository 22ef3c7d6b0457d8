/* tests/fuzz/decode_fuzz.h - what holds for any bytes in any format: decoding ends, goes forward, gives only records
 * that keep the rules, and each of those, written down again as JSON, is read as the same record. */
#ifndef FM_TESTS_FUZZ_DECODE_FUZZ_H
#define FM_TESTS_FUZZ_DECODE_FUZZ_H

#include "base/assert.h"
#include "ingest/decode.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct written {
    char data[8192];
    size_t size;
} written;

static void write_format(written *out, const char *format, ...) FM_PRINTF(2, 3);
static void write_format(written *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(out->data + out->size, sizeof out->data - out->size, format, arguments);
    va_end(arguments);
    FM_ASSERT(count >= 0 && (size_t)count < sizeof out->data - out->size);
    out->size += (size_t)count;
}

static void check_name(fm_slice name, size_t least, char lowest)
{
    FM_ASSERT(name.size >= least && name.size <= 64);
    for (size_t index = 0; index < name.size; index++)
        FM_ASSERT(name.data[index] >= lowest && name.data[index] < 0x7f);
}

static void check_decimal(fm_decimal_number number)
{
    if (number.mantissa == FM_ABSENT)
        return;
    FM_ASSERT(number.mantissa >= 0 && number.mantissa <= FM_MAGNITUDE_MAX);
    FM_ASSERT(number.scale >= 0 && number.scale <= FM_SCALE_MAX);
    FM_ASSERT(number.scale == 0 || number.mantissa % 10 != 0); /* the smallest scale */
}

static void check_rare(const fm_record *record)
{
    if (record->kind == FM_BAR) {
        check_decimal(record->volume);
        check_decimal(record->buy_volume);
        FM_ASSERT(record->interval_ns > 0 && record->buy_volume.mantissa <= FM_MAGNITUDE_MAX);
        FM_ASSERT(record->volume.mantissa != FM_ABSENT || record->buy_volume.mantissa == FM_ABSENT);
    } else {
        bool clear = record->action == (record->kind == FM_BOOK ? (int)FM_BOOK_CLEAR : (int)FM_ORDER_CLEAR);
        FM_ASSERT(record->action >= 1 &&
                  record->action <= (record->kind == FM_BOOK ? (int)FM_BOOK_CLEAR : (int)FM_ORDER_CLEAR));
        FM_ASSERT((record->book_flags & ~(FM_FLAG_MORE | FM_FLAG_SNAPSHOT)) == 0 && record->number[0].mantissa != 0);
        FM_ASSERT(!clear || record->number[0].mantissa == FM_ABSENT);
        FM_ASSERT(clear || record->kind == FM_ORDER || (record->side && record->number[1].mantissa >= 0));
    }
}

static void check_record(const fm_record *record)
{
    FM_ASSERT(record->kind >= FM_TRADE && record->kind <= FM_ORDER);
    FM_ASSERT(record->ts_ns >= fm_decode_limits_preset.ts_min_ns && record->ts_ns <= fm_decode_limits_preset.ts_max_ns);
    check_name(record->symbol, 1, 0x21);
    check_name(record->venue, 0, 0x20);
    check_name(record->channel, 0, 0x20);
    check_name(record->session, 0, 0x20);
    check_name(record->source, 0, 0x20);
    FM_ASSERT((record->source.size > 0) == (record->row != FM_SEQ_ABSENT));
    for (int index = 0; index < 4; index++)
        check_decimal(record->number[index]);
    if (record->kind == FM_TRADE)
        FM_ASSERT(record->number[0].mantissa > 0 && record->number[2].mantissa == FM_ABSENT);
    if (record->kind == FM_QUOTE)
        FM_ASSERT(record->number[0].mantissa != FM_ABSENT || record->number[2].mantissa != FM_ABSENT);
    if (record->kind >= FM_BAR)
        check_rare(record);
    FM_ASSERT(isfinite(record->value));
    FM_ASSERT((record->phase != 0) == (record->kind == FM_STATUS) && record->phase <= FM_PHASE_CLOSED);
    FM_ASSERT(record->side <= FM_SELL);
}

static void write_name(written *out, const char *key, fm_slice name)
{
    if (name.size == 0)
        return;
    write_format(out, ",\"%s\":\"", key);
    for (size_t index = 0; index < name.size; index++)
        write_format(out, name.data[index] == '"' || name.data[index] == '\\' ? "\\%c" : "%c", name.data[index]);
    write_format(out, "\"");
}

static void write_decimal(written *out, const char *key, fm_decimal_number number)
{
    if (number.mantissa != FM_ABSENT)
        write_format(out, ",\"%s\":%" PRId64 "e-%d", key, number.mantissa, number.scale);
}

static void write_rare(written *out, const fm_record *record)
{
    static const char *const book[] = {"", "set", "delete", "clear"};
    static const char *const order[] = {"", "add", "modify", "cancel", "execute", "fill", "clear"};
    if (record->kind == FM_BAR) {
        write_format(out, ",\"interval\":%" PRId64, record->interval_ns);
        write_decimal(out, "volume", record->volume);
        write_decimal(out, "buy_volume", record->buy_volume);
        if (record->trade_count != FM_SEQ_ABSENT)
            write_format(out, ",\"trades\":%" PRIu64, record->trade_count);
        return;
    }
    write_format(out, ",\"action\":\"%s\"", record->kind == FM_BOOK ? book[record->action] : order[record->action]);
    if (record->kind == FM_BOOK)
        write_format(out, ",\"orders\":%u", record->order_count);
    else
        write_format(out, ",\"order\":%" PRIu64, record->order_id);
    write_format(out, ",\"more\":%s,\"snapshot\":%s", record->book_flags & FM_FLAG_MORE ? "true" : "false",
                 record->book_flags & FM_FLAG_SNAPSHOT ? "true" : "false");
}

static void check_rare_again(const fm_record *again, const fm_record *record)
{
    if (record->kind == FM_BAR) {
        FM_ASSERT(again->interval_ns == record->interval_ns && again->trade_count == record->trade_count);
        FM_ASSERT(again->volume.mantissa == record->volume.mantissa &&
                  again->buy_volume.mantissa == record->buy_volume.mantissa);
        FM_ASSERT(record->volume.mantissa == FM_ABSENT || again->volume.scale == record->volume.scale);
    } else {
        FM_ASSERT(again->action == record->action && again->book_flags == record->book_flags);
        FM_ASSERT(record->kind == FM_BOOK ? again->order_count == record->order_count
                                          : again->order_id == record->order_id);
    }
}

static void write_record(written *out, const fm_record *record)
{
    static const char *const conditions[32] = {
#define CONDITION(bit, name, moves_last, counts_volume) [bit] = #name,
#include "base/conditions.def"
#undef CONDITION
    };
    static const char *const phases[] = {"", "open", "auction", "halt", "closed"};
    bool quote = record->kind == FM_QUOTE, bar = record->kind == FM_BAR;
    write_format(out, "{\"type\":\"%s\",\"ts\":%" PRId64, fm_kind_name(record->kind), record->ts_ns);
    write_name(out, "symbol", record->symbol);
    write_name(out, "venue", record->venue);
    write_name(out, "channel", record->channel);
    write_name(out, "session", record->session);
    write_name(out, "src", record->source);
    if (record->row != FM_SEQ_ABSENT)
        write_format(out, ",\"n\":%" PRIu64, record->row);
    if (record->seq != FM_SEQ_ABSENT)
        write_format(out, ",\"seq\":%" PRIu64, record->seq);
    write_format(out, ",\"seq_index\":%u", record->seq_index);
    write_decimal(out, quote ? "bid" : bar ? "open" : "price", record->number[0]);
    write_decimal(out, quote ? "bid_size" : bar ? "high" : "size", record->number[1]);
    write_decimal(out, bar ? "low" : "ask", record->number[2]);
    write_decimal(out, bar ? "close" : "ask_size", record->number[3]);
    if (record->kind >= FM_BAR)
        write_rare(out, record);
    if (record->kind == FM_VALUE)
        write_format(out, ",\"value\":%.17g", record->value);
    if (record->kind == FM_STATUS)
        write_format(out, ",\"phase\":\"%s\"", phases[record->phase]);
    if (record->side)
        write_format(out, ",\"side\":\"%s\"", record->side == FM_BUY ? "buy" : "sell");
    write_format(out, ",\"conditions\":[");
    bool first = true;
    for (int bit = 0; bit < 32; bit++) {
        if (!(record->conditions >> bit & 1))
            continue;
        write_format(out, "%s\"%s\"", first ? "" : ",", conditions[bit]);
        first = false;
    }
    write_format(out, "]}");
}

static void check_written_again(const fm_record *record)
{
    static written text;
    fm_decoder decoder;
    fm_record again;
    text.size = 0;
    write_record(&text, record);
    fm_decoder_init(&decoder, FM_FORMAT_JSON, text.data, text.size, &fm_decode_limits_preset);
    FM_ASSERT(fm_decoder_next(&decoder, &again) == 1);
    FM_ASSERT(again.kind == record->kind && again.ts_ns == record->ts_ns && again.side == record->side);
    FM_ASSERT(again.conditions == record->conditions && again.seq == record->seq &&
              again.seq_index == record->seq_index);
    FM_ASSERT(again.phase == record->phase && again.row == record->row);
    FM_ASSERT(memcmp(&again.value, &record->value, 8) == 0);
    if (record->kind >= FM_BAR)
        check_rare_again(&again, record);
    for (int index = 0; index < 4; index++)
        FM_ASSERT(again.number[index].mantissa == record->number[index].mantissa &&
                  again.number[index].scale == record->number[index].scale);
    FM_ASSERT(fm_slice_equal(again.symbol, record->symbol) && fm_slice_equal(again.venue, record->venue) &&
              fm_slice_equal(again.channel, record->channel));
    FM_ASSERT(fm_slice_equal(again.session, record->session) && fm_slice_equal(again.source, record->source));
    FM_ASSERT(fm_decoder_next(&decoder, &again) == 0);
}

static inline void decode_all(fm_format format, const uint8_t *data, size_t size)
{
    fm_decoder decoder;
    fm_record record;
    const char *at = (const char *)data, *end = at + size;
    uint32_t count = 0;
    int result;
    fm_decoder_init(&decoder, format, data, size, &fm_decode_limits_preset);
    while ((result = fm_decoder_next(&decoder, &record)) != 0) {
        FM_ASSERT(decoder.index == count++);
        FM_ASSERT(decoder.at >= at && decoder.at <= end);
        FM_ASSERT(decoder.at > at || decoder.torn || size == 0);
        at = decoder.at;
        if (result > 0) {
            check_record(&record);
            check_written_again(&record);
        } else {
            FM_ASSERT(result == decoder.error.code && decoder.error.message[0] && fm_error_index(result) >= 0);
            FM_ASSERT(decoder.record.size == 0 ||
                      (decoder.record.data >= (const char *)data && decoder.record.data + decoder.record.size <= end));
        }
    }
    FM_ASSERT(fm_decoder_next(&decoder, &record) == 0);
}

#endif
