/* ingest/decode/msgpack_usual.c - a whole trade or quote of MessagePack with the keys that are expected of its kind:
 * the way most records go.
 *
 * What must stand where is known from the row of likely keys (likely.h): keys are compared as they stand, values go
 * straight to their place in the record, and what only the whole record can tell of its keys (none twice, none missing,
 * none without a use) has been asked once of as many likely keys as the map has pairs. Whatever is different leaves the
 * record to the other ways, which read it from its first byte on: an error, its place and its words come from there.
 *
 * No record read here has more than FM_MSGPACK_USUAL bytes. Where fewer are left in the body they are copied to where
 * zeros follow: no key begins with one, so nothing is read far beyond them. */
#include "ingest/decode/msgpack_read.h"

#define FIELD_REFUSED FM_FIELD_COUNT /* of decoder.usual: nothing is expected */

enum { OPENING = 12 };         /* bytes: the head of the map, "type", "trade" or "quote" */
enum { PAIR = 16 + 17 };       /* bytes that a key and a value have at most */
enum { FAR = FM_MSGPACK_FAR }; /* bytes that a reader may look at */
enum { USUAL = OPENING + (FM_LIKELY_KEYS - 2) * PAIR + FAR };

void fm_msgpack_usual_forget(fm_decoder *decoder)
{
    memset(decoder->usual, FIELD_REFUSED, sizeof decoder->usual);
}

/* Expects the likely keys of the kind in maps with this head, if such a record need be asked for nothing but its
 * values.
 */
static __attribute__((noinline)) void expect(fm_decoder *decoder, unsigned kind, uint8_t head)
{
    const uint8_t *row = decoder->column + FM_LIKELY_KEYS * kind;
    uint8_t *usual = decoder->usual[kind - FM_TRADE];
    unsigned count = head & 0x0f;
    uint64_t seen = 0;
    bool good = (head & 0xf0) == 0x80 && row[0] == FM_FIELD_TYPE;
    for (unsigned place = 0; place < count; place++) {
        unsigned field = row[place];
        good = good && !(seen >> field & 1) && (fm_field_rows[field].kinds >> kind & 1);
        seen |= UINT64_C(1) << field;
        usual[place] = (uint8_t)field;
    }
    good = good && fm_likely_whole(seen, kind);
    usual[count] = FM_FIELD_NONE;
    usual[0] = head; /* where the type stood */
    if (!good)
        usual[1] = FIELD_REFUSED;
}

/* Readers of values, `at` behind the key: what follows the value, or NULL. */
#define READER static inline __attribute__((always_inline)) const char

static __attribute__((noinline)) bool double_far(fm_decoder *decoder, double x, fm_decimal_number *out)
{
    if (!(x >= 0) || x > (double)FM_MAGNITUDE_MAX || fm_decimal_of_double(x, false, decoder->limits.scale_max, out) < 0)
        return false;
    decoder->double_scale = out->scale;
    return true;
}

/* Integers, text and doubles. */
READER *read_decimal(fm_decoder *decoder, const char *at, fm_decimal_number *out)
{
    unsigned byte = (unsigned char)*at;
    if (byte == 0xcb) {
        double x = fm_msgpack_double(at);
        if (FM_UNLIKELY(!fm_decimal_of_double_near(x, decoder->double_scale, out)) && !double_far(decoder, x, out))
            return NULL;
        return at + 9;
    }
    if ((byte & 0xe0) == 0xa0)
        return fm_msgpack_digits(at, decoder->limits.scale_max, out);
    uint64_t digits;
    at = fm_msgpack_unsigned(at, &digits);
    if (FM_UNLIKELY(!at || digits > (uint64_t)FM_MAGNITUDE_MAX))
        return NULL;
    out->mantissa = (int64_t)digits; /* the scale is that of an absent one */
    return at;
}

READER *read_ts(const fm_decoder *decoder, const char *at, int64_t *ts_ns)
{
    uint64_t value = fm_msgpack_word(at + 1);
    if (FM_UNLIKELY((unsigned char)*at != 0xcf || value < (uint64_t)decoder->limits.ts_min_ns ||
                    value > (uint64_t)decoder->limits.ts_max_ns))
        return NULL;
    *ts_ns = (int64_t)value;
    return at + 9;
}

READER *read_count(const char *at, fm_field field, fm_record *record)
{
    uint64_t count;
    at = fm_msgpack_unsigned(at, &count);
    if (FM_UNLIKELY(!at || count > (field == FM_FIELD_SEQ_INDEX ? UINT32_MAX : (uint64_t)INT64_MAX)))
        return NULL;
    fm_likely_count(record, field, count);
    return at;
}

READER *read_name(const char *at, bool symbol, fm_slice *out)
{
    const __m128i allowed = _mm_cvtsi32_si128(symbol ? 0x7e21 : 0x7e20); /* the first and the last */
    return fm_msgpack_text(at, allowed, out);
}

/* Buyers and sellers come in no order that a branch could learn. */
READER *read_side(const char *at, fm_record *record)
{
    bool buy = fm_load4(at) == fm_load4("\xa3"
                                        "buy"),
         sell = fm_load4(at) == fm_load4("\xa4"
                                         "sel");
    if (FM_UNLIKELY(!(buy | sell) || at[3 + sell] != (sell ? 'l' : 'y')))
        return NULL;
    record->side = (uint8_t)(FM_BUY + sell);
    return at + 4 + sell;
}

READER *read_word(const char *at, fm_field field, fm_record *record)
{
    if (field == FM_FIELD_SIDE)
        return read_side(at, record);
    fm_slice text;
    if (!(at = read_name(at, false, &text)))
        return NULL;
    fm_draft_identity(record, field, text);
    return at;
}

#define READ_FORM_TYPE(at, field)    NULL
#define READ_FORM_SYMBOL(at, field)  read_name(at, true, &record->symbol)
#define READ_FORM_NAME(at, field)    read_name(at, false, &record->venue + ((field)-FM_FIELD_VENUE))
#define READ_FORM_WORD(at, field)    read_word(at, field, record)
#define READ_FORM_TIME(at, field)    read_ts(decoder, at, &record->ts_ns)
#define READ_FORM_DECIMAL(at, field) read_decimal(decoder, at, &record->number[FM_NUMBER_OF(field)])
#define READ_FORM_COUNT(at, field)   read_count(at, field, record)
#define READ_FORM_REAL(at, field)    NULL
#define READ_FORM_LIST(at, field)    NULL
#define READ_FORM_ORDER(at, field)   NULL
#define READ_FORM_SPAN(at, field)    NULL
#define READ_FORM_FLAG(at, field)    NULL

static inline unsigned kind_of(const char *at)
{
    static const char trade[] = "\xa4type\xa5trade", quote[] = "\xa4type\xa5quote";
    if (fm_load8(at) == fm_load8(trade) && fm_load4(at + 7) == fm_load4(trade + 7))
        return FM_TRADE;
    return fm_load8(at) == fm_load8(quote) && fm_load4(at + 7) == fm_load4(quote + 7) ? FM_QUOTE : FM_KIND_NONE;
}

static __attribute__((noinline)) int expect_and_read(fm_decoder *decoder, fm_record *record, unsigned kind)
{
    expect(decoder, kind, (uint8_t)*decoder->at);
    return fm_msgpack_next(decoder, record);
}

/* The record at `begin`: at decoder->at or a copy of what stands there. From value to value by labels: what follows a
 * key in one record follows it in the next, and a jump of its own for each lets the processor learn that. */
static __attribute__((noinline)) int read_whole(fm_decoder *decoder, fm_record *record, const char *begin)
{
    static const void *const ways[FM_FIELD_COUNT + 1] = {
        &&done,
#define FIELD(id, name, form, code, kinds) &&read_##id,
#include "ingest/decode/fields.def"
#undef FIELD
        &&unusual,
    };
    unsigned kind = kind_of(begin + 1);
    if (FM_UNLIKELY(kind == FM_KIND_NONE))
        goto unusual;
    const uint8_t *row = decoder->usual[kind - FM_TRADE];
    if (FM_UNLIKELY(*row != (uint8_t)*begin))
        return expect_and_read(decoder, record, kind);
    fm_record_begin(record);
    record->kind = (uint8_t)kind;
    const char *at = begin + OPENING;
    goto *ways[*++row];

#define FIELD(id, name, form, code, kinds)                                                                             \
    read_##id : if (FM_UNLIKELY(!fm_likely_stands(fm_load16(at), fm_msgpack_keys[FM_FIELD_##id].text,                  \
                                                  fm_msgpack_keys[FM_FIELD_##id].mask))) goto unusual;                 \
    at = FM_FIELD_USUAL(FM_FIELD_##id) ? READ_##form(at + sizeof(name), FM_FIELD_##id) : NULL;                         \
    if (FM_UNLIKELY(!at))                                                                                              \
        goto unusual;                                                                                                  \
    goto *ways[*++row];
#include "ingest/decode/fields.def"
#undef FIELD

done:
    at = decoder->at + (at - begin);
    if (FM_LIKELY(at <= decoder->end && record->number[0].mantissa != 0 && record->number[2].mantissa != 0)) {
        decoder->at = at;
        decoder->remaining -= decoder->remaining > 0;
        return fm_decoder_count(decoder, 1);
    }
unusual: /* a price of 0 too: it may withdraw a side */
    return fm_decoder_count(decoder, fm_msgpack_next_unusual(decoder, record));
}

static __attribute__((noinline)) int read_tail(fm_decoder *decoder, fm_record *record)
{
    size_t size = (size_t)(decoder->end - decoder->at);
    static_assert(USUAL + PAIR + FAR <= FM_DECODE_SCRATCH, "room for the tail and its zeros");
    memcpy(decoder->scratch, decoder->at, size);
    memset(decoder->scratch + size, 0, PAIR + FAR);
    return read_whole(decoder, record, decoder->scratch);
}

int fm_msgpack_next(fm_decoder *decoder, fm_record *record)
{
    const char *at = decoder->at;
    return FM_LIKELY(decoder->end - at >= USUAL) ? read_whole(decoder, record, at) : read_tail(decoder, record);
}
