/* ingest/decode/msgpack_likely.c - maps of MessagePack as feeds write them: the keys of the record before (likely.h),
 * short texts, unsigned integers, doubles. */
#include "ingest/decode/msgpack_read.h"

const fm_likely_key fm_msgpack_keys[FM_FIELD_COUNT] __attribute__((aligned(64))) = {
    {{"\xc1"}, FM_MASK(1), 0, 0, 1, FORM_NONE, FM_FIELD_NONE, {0}}, /* stands nowhere */
#define FIELD(id, key, kind_of_value, code, kinds)                                                                     \
    {{.head = (char)(0xa0 + sizeof(key) - 1), .name = key},                                                            \
     FM_MASK(sizeof(key)),                                                                                             \
     FM_FIELD_BIT(id),                                                                                                 \
     FM_LIKELY_PLACE(id),                                                                                              \
     sizeof(key),                                                                                                      \
     kind_of_value,                                                                                                    \
     FM_FIELD_##id,                                                                                                    \
     {0}},
#include "ingest/decode/fields.def"
#undef FIELD
};

static inline const char *likely_decimal(fm_msgpack *in, const fm_likely_key *key, const char *at)
{
    fm_decoder *decoder = in->decoder;
    fm_decimal_number *decimal = &in->draft.decimal[key->field - FM_FIELD_PRICE];
    if ((unsigned char)*at != 0xcb) {
        if (((unsigned char)*at & 0xe0) == 0xa0)
            return fm_msgpack_digits(at, decoder->limits.scale_max, decimal);
        uint64_t digits;
        at = fm_msgpack_unsigned(at, &digits);
        if (FM_UNLIKELY(!at || digits > (uint64_t)FM_MAGNITUDE_MAX))
            return NULL;
        fm_likely_decimal(&in->draft, key, (int64_t)digits, 0);
        return at;
    }
    double x = fm_msgpack_double(at);
    if (FM_UNLIKELY(!fm_decimal_of_double_near(x, decoder->double_scale, decimal))) {
        int code = in->draft.code;
        fm_draft_double(&in->draft, (fm_field)key->field, x, false, at);
        if (in->draft.code == code && code == 0 && !(in->draft.absent >> key->field & 1))
            decoder->double_scale = decimal->scale;
    }
    return at + 9;
}

/* The value behind a key in the form that feeds write; NULL when it has another. */
static inline __attribute__((always_inline)) const char *read_likely(fm_msgpack *in, const fm_likely_key *key,
                                                                     const char *at, uint8_t **expected, uint8_t **stop)
{
    const __m128i name = _mm_setr_epi8(0x20, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i symbol = _mm_setr_epi8(0x21, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const char *next;
    fm_slice text;
    uint64_t count;
    switch ((fm_form)key->form) {
    case FORM_TYPE:
        next = fm_msgpack_text(at, name, &text);
        if (FM_LIKELY(next != NULL)) {
            fm_draft_type(&in->draft, text, at);
            uint8_t *place = fm_likely_kind(in->decoder, *expected, in->draft.record->kind);
            *stop += place - *expected;
            *expected = place;
        }
        return next;
    case FORM_SYMBOL:
        return fm_msgpack_text(at, symbol, &in->draft.record->symbol);
    case FORM_NAME:
        return fm_msgpack_text(at, name, fm_likely_name(&in->draft, key));
    case FORM_WORD:
        next = fm_msgpack_text(at, name, &text);
        if (FM_LIKELY(next != NULL))
            fm_draft_word(&in->draft, (fm_field)key->field, text, at);
        return next;
    case FORM_TIME:
        return (unsigned char)*at == 0xcf && fm_draft_ts_good(&in->draft, fm_msgpack_word(at + 1)) ? at + 9 : NULL;
    case FORM_DECIMAL:
        return likely_decimal(in, key, at);
    case FORM_COUNT:
        next = fm_msgpack_unsigned(at, &count);
        if (FM_LIKELY(next != NULL))
            fm_draft_count(&in->draft, (fm_field)key->field, count, true, at);
        return next;
    case FORM_NONE:
    case FORM_REAL:
    case FORM_LIST:
    case FORM_ORDER:
    case FORM_SPAN:
    case FORM_FLAG:
        return NULL;
    }
    __builtin_unreachable();
}

static inline bool stands(const char *at, const char text[16], const uint8_t mask[16])
{
    return fm_likely_stands(_mm_loadu_si128((const __m128i *)(const void *)at), text, mask);
}

/* `type` first, as most records have it: its kind, or FM_KIND_NONE. */
static inline unsigned opening_kind(const char *at)
{
    static const char types[2][16] __attribute__((aligned(16))) = {"\xa4type\xa5trade", "\xa4type\xa5quote"};
    static const uint8_t mask[16] __attribute__((aligned(16))) = FM_MASK(11);
    return stands(at, types[0], mask) ? FM_TRADE : stands(at, types[1], mask) ? FM_QUOTE : FM_KIND_NONE;
}

const char *fm_msgpack_likely(fm_msgpack *in, const char *at, uint64_t *left)
{
    const char *far = in->far;
    if (FM_UNLIKELY(!far || at > far || *left == 0))
        return at;
    uint8_t *expected = in->expected;
    uint64_t seen = in->draft.seen;
    unsigned begin = fm_likely_place(in->decoder, expected), before = (unsigned)__builtin_popcountll(seen);
    unsigned room = FM_LIKELY_KEYS - 1 - begin, most = *left < room ? (unsigned)*left : room;
    if (FM_LIKELY(seen == 0)) {
        unsigned kind = opening_kind(at);
        if (FM_LIKELY(kind != FM_KIND_NONE)) {
            in->draft.record->kind = (uint8_t)kind;
            expected = fm_likely_kind(in->decoder, expected, kind) + 1;
            seen = FM_FIELD_BIT(TYPE);
            at += 11;
        }
    }
    uint8_t *stop = expected + (most - (seen != in->draft.seen));
    const fm_likely_key *table = fm_msgpack_keys;
    __asm__("" : "+r"(table)); /* an address in a register, not one made anew for each use */
    while (expected != stop && FM_LIKELY(at <= far)) {
        const fm_likely_key *key = &table[*expected];
        if (FM_UNLIKELY(!stands(at, key->text, key->mask)))
            break;
        const char *next = read_likely(in, key, at + key->size, &expected, &stop);
        if (FM_UNLIKELY(!next))
            break;
        at = next;
        seen |= key->bit;
        expected++;
    }
    in->expected = expected;
    in->draft.seen = seen;
    unsigned read = fm_likely_place(in->decoder, expected) - begin;
    *left -= read;
    in->twice |= (unsigned)__builtin_popcountll(seen) - before != read;
    return at;
}
