/* ingest/decode/json_likely.c - records of JSON as feeds write them: the keys of the record before (likely.h), texts
 * without escapes, plain numbers. No value takes more than a few dozen instructions here.
 *
 * Two ways of setting spaces are known, those of JSON.stringify and of Python's json.dumps: each has its table of keys,
 * with the comma before them, the colon, and the quote of a text behind it. */
#include "ingest/decode/json_text.h"

const fm_likely_key fm_json_keys[2][FM_FIELD_COUNT]
    __attribute__((aligned(64))) = {{
                                        {{"}"}, FM_MASK(1), 0, 0, 1, FORM_NONE, FM_FIELD_NONE, {0}},
#define FIELD(id, name, form, code, kinds) FM_LIKELY_KEY(",\"" name "\":" FM_JSON_QUOTE_##form, id, form),
#include "ingest/decode/fields.def"
#undef FIELD
                                    },
                                    {
                                        {{"}"}, FM_MASK(1), 0, 0, 1, FORM_NONE, FM_FIELD_NONE, {0}},
#define FIELD(id, name, form, code, kinds) FM_LIKELY_KEY(", \"" name "\": " FM_JSON_QUOTE_##form, id, form),
#include "ingest/decode/fields.def"
#undef FIELD
                                    }};

static inline bool ends_value(char c)
{
    return FM_LIKELY(c == ',') || c == '}';
}

bool fm_json_learn_ts_head(fm_decoder *decoder, const char *at)
{
    const uint64_t step = UINT64_C(1000000000000000); /* what the fourth digit counts */
    uint64_t digits = 0;
    for (int index = 0; index < 4; index++) {
        if ((unsigned char)(at[index] - '0') > 9)
            return false;
        digits = digits * 10 + (uint64_t)(at[index] - '0');
    }
    if (digits < 1000 || digits * step < (uint64_t)decoder->limits.ts_min_ns ||
        digits * step + (step - 1) > (uint64_t)decoder->limits.ts_max_ns)
        return false;
    decoder->ts_head_ns = digits / 10 * (10 * step);
    memcpy(&decoder->ts_head, at, 4);
    return true;
}

static inline const char *read_ts(fm_json *json, const char *at)
{
    at = fm_json_ts(json->decoder, at, &json->draft.record->ts_ns);
    return at && ends_value(*at) ? at : NULL;
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
    const char *next = fm_json_name(json->decoder, at, run, 0x20, &text);
    if (FM_LIKELY(next != NULL))
        fm_draft_word(&json->draft, (fm_field)key->field, text, at - 1);
    return next;
}

/* The value behind a key; NULL when it is not as feeds write it. */
static inline __attribute__((always_inline)) const char *read_likely(fm_json *json, const fm_likely_key *key,
                                                                     const char *at, uint8_t **expected)
{
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
        return fm_json_name(json->decoder, at, FM_LIKELY_RUN(FM_JSON_SYMBOL_BYTES, at), 0x21,
                            fm_likely_name(&json->draft, key));
    case FORM_NAME:
        return fm_json_name(json->decoder, at, FM_LIKELY_RUN(FM_JSON_NAME_BYTES, at), 0x20,
                            fm_likely_name(&json->draft, key));
    case FORM_WORD:
        return read_word(json, key, at, FM_LIKELY_RUN(FM_JSON_NAME_BYTES, at));
    case FORM_TIME:
        return read_ts(json, at);
    case FORM_DECIMAL:
        return read_decimal(json, key, at);
    case FORM_COUNT:
        return read_count(json, key, at);
    case FORM_REAL:
    case FORM_LIST:
    case FORM_ORDER:
    case FORM_SPAN:
    case FORM_FLAG:
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
    const fm_likely_key *table = fm_json_keys[decoder->spaced];
    uint64_t seen = json->draft.seen;
    unsigned begin = fm_likely_place(decoder, expected);
    for (;;) {
        const fm_likely_key *key = &table[*expected];
        if (FM_UNLIKELY(!fm_likely_stands(bytes, key->text, key->mask)))
            break;
        const char *next = read_likely(json, key, at + key->size, &expected);
        if (FM_UNLIKELY(!next))
            break;
        at = next;
        json->field = (fm_field)key->field; /* of which an error behind it speaks */
        seen |= key->bit;
        expected++;
        if (FM_UNLIKELY(at > far))
            break;
        bytes = fm_load16(at);
    }
    json->expected = expected;
    json->draft.seen = seen;
    before += (int)(fm_likely_place(decoder, expected) - begin);
    if (FM_UNLIKELY(__builtin_popcountll(seen) != before))
        json->twice = true;
    return json->closed ? at + 1 : at;
}

const char *fm_json_likely(fm_json *json, const char *at)
{
    if (!json->far || at > json->far)
        return at;
    return read_pairs(json, at, fm_load16(at), json->expected, __builtin_popcountll(json->draft.seen));
}

const char fm_json_openings[2][2][16] __attribute__((aligned(16))) = {{"{\"type\":\"trade\",", "{\"type\":\"quote\","},
                                                                      {"{\"type\": \"trade\"", "{\"type\": \"quote\""}};

/* Another key than the type comes first: as if a comma stood for the brace, as the keys have it. */
static __attribute__((noinline)) const char *open_other(fm_json *json, const char *at)
{
    const char *next;
    __m128i bytes = fm_load16(at);
    if (json->decoder->spaced) {
        if (at == json->decoder->begin)
            return at;
        bytes = _mm_insert_epi16(fm_load16(at - 1), ',' | ' ' << 8, 0);
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
    __m128i bytes = fm_load16(at);
    unsigned kind = FM_TRADE;
    if (!fm_json_opens(bytes, decoder->spaced, 0)) {
        if (!fm_json_opens(bytes, decoder->spaced, 1))
            return open_other(json, at);
        kind = FM_QUOTE;
    }
    json->draft.record->kind = (uint8_t)kind;
    json->draft.seen = FM_FIELD_BIT(TYPE);
    json->field = FM_FIELD_TYPE;
    decoder->likely_row = (uint8_t)(FM_LIKELY_KEYS * kind);
    at += 15 + decoder->spaced;
    uint8_t *expected = json->expected = decoder->column + FM_LIKELY_KEYS * kind + 1;
    return FM_LIKELY(at <= json->far) ? read_pairs(json, at, fm_load16(at), expected, 1) : at;
}
