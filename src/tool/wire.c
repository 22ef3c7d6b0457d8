/* tool/wire.c - digits and lengths by hand: printf would be most of the cost of a replay. */
#include "tool/wire.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct condition {
    const char *name;
    uint32_t bit;
} conditions[] = {
#define CONDITION(bit, name, moves_last, counts_volume) {#name, 1u << (bit)},
#include "base/conditions.def"
#undef CONDITION
};
#define CONDITION_COUNT (sizeof(conditions) / sizeof(conditions[0]))

const char *fm_wire_content_type(fm_wire wire)
{
    return wire == FM_WIRE_MSGPACK ? "application/msgpack" : "application/x-ndjson";
}

static char *put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}
#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *put_unsigned(char *at, uint64_t value)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_signed(char *at, int64_t value)
{
    if (value < 0) {
        *at++ = '-';
        return put_unsigned(at, 0 - (uint64_t)value);
    }
    return put_unsigned(at, (uint64_t)value);
}

static char *put_hex(char *at, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--)
        *at++ = "0123456789abcdef"[(value >> (4 * i)) & 15];
    return at;
}

size_t fm_wire_decimal(fm_decimal_number number, char *out)
{
    char *at = out, digits[24];
    uint64_t magnitude = number.mantissa < 0 ? 0 - (uint64_t)number.mantissa : (uint64_t)number.mantissa;
    int count = (int)(put_unsigned(digits, magnitude) - digits);

    if (number.mantissa < 0)
        *at++ = '-';
    if (number.scale <= 0) {
        at = put(at, digits, (size_t)count);
        return (size_t)(at - out);
    }
    int whole = count - number.scale;
    if (whole <= 0) {
        *at++ = '0';
        *at++ = '.';
        for (; whole < 0; whole++)
            *at++ = '0';
        at = put(at, digits, (size_t)count);
    } else {
        at = put(at, digits, (size_t)whole);
        *at++ = '.';
        at = put(at, digits + whole, (size_t)number.scale);
    }
    return (size_t)(at - out);
}

/* ---- JSON ---- */

static char *json_text(char *at, fm_slice text)
{
    *at++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            *at++ = '\\';
        *at++ = text.data[i];
    }
    *at++ = '"';
    return at;
}

static char *json_number(char *at, const char *key, fm_decimal_number number)
{
    if (number.mantissa == FM_ABSENT)
        return at;
    at = put(at, key, strlen(key));
    return at + fm_wire_decimal(number, at);
}

static char *json_named(char *at, const char *key, fm_slice text)
{
    if (text.size == 0)
        return at;
    at = put(at, key, strlen(key));
    return json_text(at, text);
}

static fm_slice side_name(const fm_record *record)
{
    return record->side == FM_BUY ? FM_SLICE("buy") : record->side == FM_SELL ? FM_SLICE("sell") : FM_SLICE("");
}

static fm_slice action_name(const fm_record *record)
{
    static const char *const of_book[] = {"", "set", "delete", "clear"};
    static const char *const of_order[] = {"", "add", "modify", "cancel", "execute", "fill", "clear"};
    if (record->kind == FM_BOOK)
        return fm_slice_of(record->action <= FM_BOOK_CLEAR ? of_book[record->action] : "");
    return fm_slice_of(record->action <= FM_ORDER_CLEAR ? of_order[record->action] : "");
}

static char *json_trade(char *at, const fm_record *record)
{
    at = json_number(at, ",\"price\":", record->number[0]);
    at = json_number(at, ",\"size\":", record->number[1]);
    at = json_named(at, ",\"side\":", side_name(record));
    if (record->id_hash != 0)
        at = PUT(put_hex(PUT(at, ",\"id\":\""), record->id_hash, 16), "\"");
    if (record->buyer != 0)
        at = PUT(put_hex(PUT(at, ",\"buyer\":\""), record->buyer, 8), "\"");
    if (record->seller != 0)
        at = PUT(put_hex(PUT(at, ",\"seller\":\""), record->seller, 8), "\"");
    if (record->conditions != 0) {
        const char *separator = ",\"conditions\":[\"";
        for (size_t i = 0; i < CONDITION_COUNT; i++)
            if (record->conditions & conditions[i].bit) {
                at = put(at, separator, strlen(separator));
                at = put(at, conditions[i].name, strlen(conditions[i].name));
                separator = "\",\"";
            }
        at = PUT(at, "\"]");
    }
    return at;
}

static char *json_bar(char *at, const fm_record *record)
{
    at = put_unsigned(PUT(at, ",\"interval\":"), (uint64_t)record->interval_ns);
    at = json_number(at, ",\"open\":", record->number[0]);
    at = json_number(at, ",\"high\":", record->number[1]);
    at = json_number(at, ",\"low\":", record->number[2]);
    at = json_number(at, ",\"close\":", record->number[3]);
    at = json_number(at, ",\"volume\":", record->volume);
    at = json_number(at, ",\"buy_volume\":", record->buy_volume);
    return record->trade_count == FM_SEQ_ABSENT ? at : put_unsigned(PUT(at, ",\"trades\":"), record->trade_count);
}

/* A level of a book, or an order. */
static char *json_level(char *at, const fm_record *record)
{
    at = json_named(at, ",\"action\":", action_name(record));
    if (record->kind == FM_ORDER && record->action != FM_ORDER_CLEAR)
        at = put_unsigned(PUT(at, ",\"order\":"), record->order_id);
    at = json_named(at, ",\"side\":", side_name(record));
    at = json_number(at, ",\"price\":", record->number[0]);
    at = json_number(at, ",\"size\":", record->number[1]);
    if (record->kind == FM_BOOK && record->order_count != 0)
        at = put_unsigned(PUT(at, ",\"orders\":"), record->order_count);
    if (record->kind == FM_ORDER && record->account != 0)
        at = PUT(put_hex(PUT(at, ",\"account\":\""), record->account, 8), "\"");
    if (record->book_flags & FM_FLAG_SNAPSHOT)
        at = PUT(at, ",\"snapshot\":true");
    return record->book_flags & FM_FLAG_MORE ? PUT(at, ",\"more\":true") : at;
}

static const char *phase_name(uint32_t phase)
{
    static const char *const names[] = {"", "open", "auction", "halt", "closed"};
    return phase <= FM_PHASE_CLOSED ? names[phase] : "";
}

static char *json_body(char *at, const fm_record *record)
{
    switch (record->kind) {
    case FM_TRADE:
        return json_trade(at, record);
    case FM_QUOTE:
        at = json_number(at, ",\"bid\":", record->number[0]);
        at = json_number(at, ",\"bid_size\":", record->number[1]);
        at = json_number(at, ",\"ask\":", record->number[2]);
        return json_number(at, ",\"ask_size\":", record->number[3]);
    case FM_VALUE:
        return at + snprintf(at, 48, ",\"value\":%.17g", record->value);
    case FM_STATUS:
        return json_named(at, ",\"phase\":", fm_slice_of(phase_name(record->phase)));
    case FM_BAR:
        return json_bar(at, record);
    case FM_BOOK:
    case FM_ORDER:
        return json_level(at, record);
    default:
        return at;
    }
}

size_t fm_wire_json(const fm_record *record, char *out)
{
    const char *kind = fm_kind_name(record->kind);
    char *at = PUT(out, "{\"type\":\"");
    at = put(at, kind, strlen(kind));
    at = json_text(PUT(at, "\",\"symbol\":"), record->symbol);
    at = put_signed(PUT(at, ",\"ts\":"), record->ts_ns);
    at = json_body(at, record);
    at = json_named(at, ",\"venue\":", record->venue);
    at = json_named(at, ",\"channel\":", record->channel);
    at = json_named(at, ",\"session\":", record->session);
    if (record->seq != FM_SEQ_ABSENT) {
        at = put_unsigned(PUT(at, ",\"seq\":"), record->seq);
        if (record->seq_index != 0)
            at = put_unsigned(PUT(at, ",\"seq_index\":"), record->seq_index);
    }
    if (record->source.size != 0 && record->row != FM_SEQ_ABSENT) {
        at = json_named(at, ",\"src\":", record->source);
        at = put_unsigned(PUT(at, ",\"n\":"), record->row);
    }
    at = PUT(at, "}\n");
    return (size_t)(at - out);
}

/* ---- MessagePack ---- */

static char *pack_big_endian(char *at, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        *at++ = (char)(value >> (8 * i));
    return at;
}

static char *pack_unsigned(char *at, uint64_t value)
{
    if (value < 128) {
        *at++ = (char)value;
        return at;
    }
    int bytes = value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
    *at++ = (char)(bytes == 1 ? 0xcc : bytes == 2 ? 0xcd : bytes == 4 ? 0xce : 0xcf);
    return pack_big_endian(at, value, bytes);
}

static char *pack_signed(char *at, int64_t value)
{
    if (value >= 0)
        return pack_unsigned(at, (uint64_t)value);
    *at++ = (char)0xd3;
    return pack_big_endian(at, (uint64_t)value, 8);
}

static char *pack_text(char *at, fm_slice text)
{
    if (text.size < 32) {
        *at++ = (char)(0xa0 | text.size);
    } else {
        *at++ = (char)0xd9;
        *at++ = (char)text.size; /* names are at most 64 bytes */
    }
    return put(at, text.data, text.size);
}

static char *pack_key(char *at, const char *key, uint32_t *members)
{
    ++*members;
    return pack_text(at, fm_slice_of(key));
}

/* An integer where it is one, else its digits as text: a float could not hold them. */
static char *pack_number(char *at, const char *key, fm_decimal_number number, uint32_t *members)
{
    if (number.mantissa == FM_ABSENT)
        return at;
    at = pack_key(at, key, members);
    if (number.scale == 0)
        return pack_signed(at, number.mantissa);
    char digits[32];
    size_t size = fm_wire_decimal(number, digits);
    return pack_text(at, (fm_slice){digits, size});
}

static char *pack_named(char *at, const char *key, fm_slice text, uint32_t *members)
{
    return text.size == 0 ? at : pack_text(pack_key(at, key, members), text);
}

static char *pack_hash(char *at, const char *key, uint64_t hash, int digits, uint32_t *members)
{
    char text[16];
    if (hash == 0)
        return at;
    put_hex(text, hash, digits);
    return pack_named(at, key, (fm_slice){text, (size_t)digits}, members);
}

static char *pack_trade(char *at, const fm_record *record, uint32_t *members)
{
    at = pack_number(at, "price", record->number[0], members);
    at = pack_number(at, "size", record->number[1], members);
    at = pack_named(at, "side", side_name(record), members);
    at = pack_hash(at, "id", record->id_hash, 16, members);
    at = pack_hash(at, "buyer", record->buyer, 8, members);
    at = pack_hash(at, "seller", record->seller, 8, members);
    if (record->conditions != 0) {
        at = pack_key(at, "conditions", members);
        *at++ = (char)0xdc;
        at = pack_big_endian(at, (uint64_t)__builtin_popcount(record->conditions), 2);
        for (size_t i = 0; i < CONDITION_COUNT; i++)
            if (record->conditions & conditions[i].bit)
                at = pack_text(at, fm_slice_of(conditions[i].name));
    }
    return at;
}

static char *pack_bar(char *at, const fm_record *record, uint32_t *members)
{
    at = pack_signed(pack_key(at, "interval", members), record->interval_ns);
    at = pack_number(at, "open", record->number[0], members);
    at = pack_number(at, "high", record->number[1], members);
    at = pack_number(at, "low", record->number[2], members);
    at = pack_number(at, "close", record->number[3], members);
    at = pack_number(at, "volume", record->volume, members);
    at = pack_number(at, "buy_volume", record->buy_volume, members);
    return record->trade_count == FM_SEQ_ABSENT ? at
                                                : pack_unsigned(pack_key(at, "trades", members), record->trade_count);
}

static char *pack_true(char *at, const char *key, bool value, uint32_t *members)
{
    if (!value)
        return at;
    at = pack_key(at, key, members);
    *at++ = (char)0xc3;
    return at;
}

static char *pack_level(char *at, const fm_record *record, uint32_t *members)
{
    at = pack_named(at, "action", action_name(record), members);
    if (record->kind == FM_ORDER && record->action != FM_ORDER_CLEAR)
        at = pack_unsigned(pack_key(at, "order", members), record->order_id);
    at = pack_named(at, "side", side_name(record), members);
    at = pack_number(at, "price", record->number[0], members);
    at = pack_number(at, "size", record->number[1], members);
    if (record->kind == FM_BOOK && record->order_count != 0)
        at = pack_unsigned(pack_key(at, "orders", members), record->order_count);
    if (record->kind == FM_ORDER)
        at = pack_hash(at, "account", record->account, 8, members);
    at = pack_true(at, "snapshot", record->book_flags & FM_FLAG_SNAPSHOT, members);
    return pack_true(at, "more", record->book_flags & FM_FLAG_MORE, members);
}

static char *pack_body(char *at, const fm_record *record, uint32_t *members)
{
    switch (record->kind) {
    case FM_TRADE:
        return pack_trade(at, record, members);
    case FM_QUOTE:
        at = pack_number(at, "bid", record->number[0], members);
        at = pack_number(at, "bid_size", record->number[1], members);
        at = pack_number(at, "ask", record->number[2], members);
        return pack_number(at, "ask_size", record->number[3], members);
    case FM_VALUE: {
        uint64_t bits;
        memcpy(&bits, &record->value, sizeof(bits));
        at = pack_key(at, "value", members);
        *at++ = (char)0xcb;
        return pack_big_endian(at, bits, 8);
    }
    case FM_STATUS:
        return pack_named(at, "phase", fm_slice_of(phase_name(record->phase)), members);
    case FM_BAR:
        return pack_bar(at, record, members);
    case FM_BOOK:
    case FM_ORDER:
        return pack_level(at, record, members);
    default:
        return at;
    }
}

size_t fm_wire_msgpack(const fm_record *record, char *out)
{
    uint32_t members = 0;
    char *at = out + 3; /* map 16, its count is known last */

    at = pack_named(at, "type", fm_slice_of(fm_kind_name(record->kind)), &members);
    at = pack_named(at, "symbol", record->symbol, &members);
    at = pack_signed(pack_key(at, "ts", &members), record->ts_ns);
    at = pack_body(at, record, &members);
    at = pack_named(at, "venue", record->venue, &members);
    at = pack_named(at, "channel", record->channel, &members);
    at = pack_named(at, "session", record->session, &members);
    if (record->seq != FM_SEQ_ABSENT) {
        at = pack_unsigned(pack_key(at, "seq", &members), record->seq);
        if (record->seq_index != 0)
            at = pack_unsigned(pack_key(at, "seq_index", &members), record->seq_index);
    }
    if (record->source.size != 0 && record->row != FM_SEQ_ABSENT) {
        at = pack_named(at, "src", record->source, &members);
        at = pack_unsigned(pack_key(at, "n", &members), record->row);
    }
    if (members >= 16) {
        out[0] = (char)0xde;
        pack_big_endian(out + 1, members, 2);
        return (size_t)(at - out);
    }
    memmove(out + 1, out + 3, (size_t)(at - out - 3));
    out[0] = (char)(0x80 | members);
    return (size_t)(at - out - 2);
}
