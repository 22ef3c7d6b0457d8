/* ingest/decode/json_likely.c - records of JSON as feeds write them: the keys of the record before (likely.h), texts
 * without escapes, plain numbers. No value takes more than a few dozen instructions here.
 *
 * Two ways of setting spaces are known, those of JSON.stringify and of Python's json.dumps: each has its table of keys,
 * with the comma before them, the colon, and the quote of a text behind it. */
#include "ingest/decode/json_text.h"

#define QUOTE_FORM_TYPE    "\""
#define QUOTE_FORM_SYMBOL  "\""
#define QUOTE_FORM_NAME    "\""
#define QUOTE_FORM_WORD    "\""
#define QUOTE_FORM_TIME    ""
#define QUOTE_FORM_DECIMAL ""
#define QUOTE_FORM_COUNT   ""
#define QUOTE_FORM_REAL    ""
#define QUOTE_FORM_LIST    ""

static const fm_likely_key keys[2][FM_FIELD_COUNT]
    __attribute__((aligned(64))) = {{
                                        {{"}"}, FM_MASK(1), 0, 0, 1, FORM_NONE, FM_FIELD_NONE, {0}},
#define FIELD(id, name, form, code, kinds) FM_LIKELY_KEY(",\"" name "\":" QUOTE_##form, id, form),
#include "ingest/decode/fields.def"
#undef FIELD
                                    },
                                    {
                                        {{"}"}, FM_MASK(1), 0, 0, 1, FORM_NONE, FM_FIELD_NONE, {0}},
#define FIELD(id, name, form, code, kinds) FM_LIKELY_KEY(", \"" name "\": " QUOTE_##form, id, form),
#include "ingest/decode/fields.def"
#undef FIELD
                                    }};

static inline __m128i load16(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline bool ends_value(char c)
{
    return FM_LIKELY(c == ',') || c == '}';
}

/* The first digits of the times of a body are the same: what they count is kept. */
static __attribute__((noinline, cold)) bool learn_ts_head(fm_decoder *decoder, const char *at)
{
    uint64_t digits = 0;
    for (int index = 0; index < 4; index++)
        if ((unsigned char)(at[index] - '0') > 9)
            return false;
    if (*at == '0')
        return false;
    for (int index = 0; index < 3; index++)
        digits = digits * 10 + (uint64_t)(at[index] - '0');
    decoder->ts_head_ns = digits * UINT64_C(10000000000000000);
    memcpy(&decoder->ts_head, at, 4);
    return true;
}

/* Nineteen digits, twenty bytes readable. */
static inline const char *read_ts(fm_json *json, const char *at)
{
    uint32_t head;
    uint64_t digits;
    fm_decoder *decoder = json->decoder;
    memcpy(&head, at, 4);
    if (FM_UNLIKELY(head != decoder->ts_head) && !learn_ts_head(decoder, at))
        return NULL;
    if (FM_UNLIKELY(!fm_digits_sixteen(load16(at + 3), &digits) || !ends_value(at[19]) ||
                    !fm_draft_ts_good(&json->draft, decoder->ts_head_ns + digits)))
        return NULL;
    return at + 19;
}

static inline const char *read_decimal(fm_json *json, const fm_likely_key *key, const char *at)
{
    uint64_t digits;
    unsigned decimals;
    const char *next = fm_number_scan_near(at, &digits, &decimals);
    if (FM_UNLIKELY(!next || !ends_value(*next) || (int)decimals > json->decoder->limits.scale_max))
        return NULL;
    fm_likely_decimal(&json->draft, key, (int64_t)digits, (int)decimals);
    return next;
}

static inline const char *read_count(fm_json *json, const fm_likely_key *key, const char *at)
{
    uint64_t digits;
    const char *next = fm_number_scan_count(at, &digits);
    if (FM_UNLIKELY(!next || !ends_value(*next)))
        return NULL;
    fm_draft_count(&json->draft, (fm_field)key->field, digits, true, at);
    return next;
}

/* A text that `run` bytes began, to behind its closing quote; NULL when it is empty, longer than a name or not plain.
 */
static inline const char *read_text(const fm_json *json, const char *at, unsigned run, char lowest, fm_slice *text)
{
    size_t size = run;
    if (FM_UNLIKELY(run == 16)) {
        size += fm_scan_plain(at + 16, json->end, lowest);
        if (size > FM_NAME_MAX || at + size == json->end)
            return NULL;
    }
    if (FM_UNLIKELY(at[size] != '"' || size == 0))
        return NULL;
    *text = (fm_slice){at, size};
    return at + size + 1;
}

/* `trade"` or `quote"`; returns the kind. */
static inline unsigned kind_of(const char *at)
{
    static const char trade[8] = "trade\"", quote[8] = "quote\"";
    uint64_t word, trade_word, quote_word;
    memcpy(&word, at, 8);
    memcpy(&trade_word, trade, 8);
    memcpy(&quote_word, quote, 8);
    return word << 16 == trade_word << 16 ? FM_TRADE : word << 16 == quote_word << 16 ? FM_QUOTE : FM_KIND_NONE;
}

static inline const char *read_word(fm_json *json, const fm_likely_key *key, const char *at, unsigned run)
{
    fm_slice text;
    const char *next = read_text(json, at, run, 0x20, &text);
    if (FM_LIKELY(next != NULL))
        fm_draft_word(&json->draft, (fm_field)key->field, text, at - 1);
    return next;
}

/* The value behind a key; NULL when it is not as feeds write it. */
static inline __attribute__((always_inline)) const char *read_likely(fm_json *json, const fm_likely_key *key,
                                                                     const char *at, uint8_t **expected)
{
    const __m128i name = _mm_setr_epi8(0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i symbol = _mm_setr_epi8(0x21, 0x21, 0x23, 0x5b, 0x5d, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    unsigned kind;
    switch ((fm_form)key->form) {
    case FORM_NONE:
        json->closed = true;
        return NULL;
    case FORM_TYPE:
        kind = kind_of(at);
        json->draft.record->kind = (uint8_t)kind;
        if (kind == FM_KIND_NONE)
            return NULL;
        *expected = fm_likely_kind(json->decoder, *expected, kind);
        return at + 6;
    case FORM_SYMBOL:
        return read_text(json, at, FM_LIKELY_RUN(symbol, at), 0x21, fm_likely_name(&json->draft, key));
    case FORM_NAME:
        return read_text(json, at, FM_LIKELY_RUN(name, at), 0x20, fm_likely_name(&json->draft, key));
    case FORM_WORD:
        return read_word(json, key, at, FM_LIKELY_RUN(name, at));
    case FORM_TIME:
        return read_ts(json, at);
    case FORM_DECIMAL:
        return read_decimal(json, key, at);
    case FORM_COUNT:
        return read_count(json, key, at);
    case FORM_REAL:
    case FORM_LIST:
        return NULL;
    }
    __builtin_unreachable();
}

/* Pairs from `at` on, where `bytes` stand, as long as they are the expected ones. `before` keys have set their bits in
 * json->draft.seen. */
static inline __attribute__((always_inline)) const char *read_pairs(fm_json *json, const char *at, __m128i bytes,
                                                                    uint8_t *expected, int before)
{
    fm_decoder *decoder = json->decoder;
    const char *far = json->far;
    const fm_likely_key *table = keys[decoder->spaced];
    uint32_t seen = json->draft.seen;
    unsigned begin = fm_likely_place(decoder, expected);
    for (;;) {
        const fm_likely_key *key = &table[*expected];
        if (FM_UNLIKELY(!fm_likely_stands(bytes, key->text, key->mask)))
            break;
        const char *next = read_likely(json, key, at + key->size, &expected);
        if (FM_UNLIKELY(!next))
            break;
        at = next;
        seen |= key->bit;
        expected++;
        if (FM_UNLIKELY(at > far))
            break;
        bytes = load16(at);
    }
    json->expected = expected;
    json->draft.seen = seen;
    before += (int)(fm_likely_place(decoder, expected) - begin);
    if (FM_UNLIKELY(__builtin_popcount(seen) != before))
        json->twice = true;
    return json->closed ? at + 1 : at;
}

const char *fm_json_likely(fm_json *json, const char *at)
{
    if (!json->far || at > json->far)
        return at;
    return read_pairs(json, at, load16(at), json->expected, __builtin_popcount(json->draft.seen));
}

/* How most records begin. */
static const char openings[2][2][16] __attribute__((aligned(16))) = {{"{\"type\":\"trade\",", "{\"type\":\"quote\","},
                                                                     {"{\"type\": \"trade\"", "{\"type\": \"quote\""}};

static inline bool opens(__m128i bytes, const char opening[16])
{
    __m128i other = _mm_xor_si128(bytes, _mm_load_si128((const __m128i *)(const void *)opening));
    return _mm_testz_si128(other, other);
}

/* Another key than the type comes first: as if a comma stood for the brace, as the keys have it. */
static __attribute__((noinline)) const char *open_other(fm_json *json, const char *at)
{
    const char *next;
    __m128i bytes = load16(at);
    if (json->decoder->spaced) {
        if (at == json->decoder->begin)
            return at;
        bytes = _mm_insert_epi16(load16(at - 1), ',' | ' ' << 8, 0);
        next = read_pairs(json, at - 1, bytes, json->expected, 0);
        return next == at - 1 ? at : next;
    }
    return read_pairs(json, at, _mm_insert_epi8(bytes, ',', 0), json->expected, 0);
}

const char *fm_json_likely_open(fm_json *json, const char *at)
{
    if (FM_UNLIKELY(!json->far || at > json->far))
        return at;
    fm_decoder *decoder = json->decoder;
    __m128i bytes = load16(at);
    unsigned kind = FM_TRADE;
    if (!opens(bytes, openings[decoder->spaced][0])) {
        if (!opens(bytes, openings[decoder->spaced][1]))
            return open_other(json, at);
        kind = FM_QUOTE;
    }
    json->draft.record->kind = (uint8_t)kind;
    json->draft.seen = FM_FIELD_BIT(TYPE);
    decoder->likely_row = (uint8_t)(FM_LIKELY_KEYS * kind);
    at += 15 + decoder->spaced;
    uint8_t *expected = json->expected = decoder->column + FM_LIKELY_KEYS * kind + 1;
    return FM_LIKELY(at <= json->far) ? read_pairs(json, at, load16(at), expected, 1) : at;
}
