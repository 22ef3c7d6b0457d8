/* ingest/decode/json_usual.c - a whole record of the shape that the one of its kind before had: the way most records
 * go.
 *
 * What stands between the values is known from the row of likely keys (likely.h): sixteen bytes at a time are compared
 * with it, values go straight to their place in the record, and what only the whole record can tell of its keys (none
 * twice, none missing, none without a use) has been asked once of the row. Whatever is different leaves the record to
 * the general way, which reads it from its first byte on: an error, its place and its words always come from there.
 *
 * A step reads less than FM_JSON_FAR bytes, and only where that many are left; the records at the end of a body are
 * copied to where they are. */
#include "ingest/decode/json_text.h"

enum { SHAPE_UNKNOWN, SHAPE_USUAL, SHAPE_RARE }; /* decoder.shape */
enum { TAIL = 320 };                             /* bytes: more than most records have */

/* Keys that a record of the kind needs here; one side alone of a quote is for the general way. */
static const uint32_t needed_of_kind[] = {
    [FM_TRADE] = FM_FIELD_BIT(TYPE) | FM_FIELD_BIT(SYMBOL) | FM_FIELD_BIT(TS) | FM_FIELD_BIT(PRICE),
    [FM_QUOTE] = FM_FIELD_BIT(TYPE) | FM_FIELD_BIT(SYMBOL) | FM_FIELD_BIT(TS) | FM_FIELD_BIT(BID) | FM_FIELD_BIT(ASK),
};

/* True when records with the keys of this row need be asked for nothing but their values; asked again when the general
 * way has been gone, which may change the rows. */
static __attribute__((noinline)) bool shape_usual(fm_decoder *decoder, unsigned kind)
{
    const uint8_t *row = decoder->column + FM_LIKELY_KEYS * kind;
    uint32_t seen = 0;
    if (kind == FM_KIND_NONE || decoder->shape[kind] == SHAPE_RARE)
        return false;
    bool usual = row[0] == FM_FIELD_TYPE;
    for (unsigned place = 0; row[place] != FM_FIELD_NONE && place < FM_LIKELY_KEYS; place++) {
        unsigned field = row[place];
        usual = usual && !(seen >> field & 1) && (fm_field_rows[field].kinds >> kind & 1);
        seen |= 1u << field;
    }
    usual = usual && (seen & needed_of_kind[kind]) == needed_of_kind[kind] &&
            !((seen >> FM_FIELD_ROW ^ seen >> FM_FIELD_SOURCE) & 1);
    decoder->shape[kind] = usual ? SHAPE_USUAL : SHAPE_RARE;
    return usual;
}

/* The empty record, but for the symbol and the time, which every record has. */
static inline void begin_record(fm_record *record, unsigned kind)
{
    char *to = (char *)record;
    const __m128i zero = _mm_setzero_si128(), no_seq = _mm_set_epi64x(0, (long long)FM_SEQ_ABSENT);
    const __m128i no_number = _mm_set_epi64x(0, FM_ABSENT);
#define PUT(field, bytes)     _mm_storeu_si128((__m128i *)(void *)(to + offsetof(fm_record, field)), bytes)
#define BEHIND(field, before) (offsetof(fm_record, field) <= offsetof(fm_record, before) + 16)
    PUT(ts_ns, zero), PUT(seq, no_seq), PUT(row, no_seq), PUT(id_hash, zero);
    PUT(number[0], no_number), PUT(number[1], no_number), PUT(number[2], no_number), PUT(number[3], no_number);
    PUT(venue, zero), PUT(channel, zero), PUT(session, zero), PUT(source, zero);
    static_assert(BEHIND(seq, ts_ns) && BEHIND(row, seq) && BEHIND(number[0], row) && BEHIND(number[1], number[0]) &&
                      BEHIND(number[2], number[1]) && BEHIND(number[3], number[2]) && BEHIND(id_hash, number[3]) &&
                      BEHIND(symbol, id_hash) && BEHIND(venue, symbol) && BEHIND(channel, venue) &&
                      BEHIND(session, channel) && BEHIND(source, session) && BEHIND(unknown_keys, source),
                  "sixteen bytes a store, without a gap");
#undef BEHIND
#undef PUT
    record->unknown_keys = 0;
    record->kind = (uint8_t)kind;
}

/* Readers of values, `at` behind the key: what follows the value (a number may still be another one than was read: the
 * next key tells), or NULL. */
#define READER static inline __attribute__((always_inline)) const char

READER *read_name(const char *at, const char *end, bool symbol, fm_slice *out)
{
    return symbol ? fm_json_name(at, FM_LIKELY_RUN(FM_JSON_SYMBOL_BYTES, at), end, 0x21, out)
                  : fm_json_name(at, FM_LIKELY_RUN(FM_JSON_NAME_BYTES, at), end, 0x20, out);
}

READER *read_decimal(const fm_decoder *decoder, const char *at, fm_decimal_number *out)
{
    uint64_t digits;
    unsigned decimals;
    at = fm_number_scan_near(at, &digits, &decimals);
    if (FM_UNLIKELY(!at || (int)decimals > decoder->limits.scale_max))
        return NULL;
    out->mantissa = (int64_t)digits;
    out->scale = (int32_t)decimals;
    return at;
}

READER *read_count(const char *at, fm_field field, fm_record *record)
{
    uint64_t count;
    at = fm_number_scan_count(at, &count);
    if (FM_UNLIKELY(!at || (field == FM_FIELD_SEQ_INDEX && count > UINT32_MAX)))
        return NULL;
    if (field == FM_FIELD_SEQ)
        record->seq = count;
    else if (field == FM_FIELD_ROW)
        record->row = count;
    else
        record->seq_index = (uint32_t)count;
    return at;
}

/* Buyers and sellers come in no order that a branch could learn. */
READER *read_side(const char *at, fm_record *record)
{
    bool buy = fm_load4(at) == fm_load4("buy\""), sell = fm_load4(at) == fm_load4("sell");
    if (FM_UNLIKELY(!(buy | sell) || at[3 + sell] != '"'))
        return NULL;
    record->side = (uint8_t)(FM_BUY + sell);
    return at + 4 + sell;
}

READER *read_word(const char *at, const char *end, fm_field field, fm_record *record)
{
    if (field == FM_FIELD_SIDE)
        return read_side(at, record);
    fm_slice text;
    if (field == FM_FIELD_PHASE || !(at = read_name(at, end, false, &text)))
        return NULL;
    fm_draft_identity(record, field, text);
    return at;
}

#define READ_FORM_TYPE(field)    NULL
#define READ_FORM_SYMBOL(field)  read_name(at, in->end, true, &record->symbol)
#define READ_FORM_NAME(field)    read_name(at, in->end, false, &record->venue + ((field)-FM_FIELD_VENUE))
#define READ_FORM_WORD(field)    read_word(at, in->end, field, record)
#define READ_FORM_TIME(field)    fm_json_ts(decoder, at, &record->ts_ns)
#define READ_FORM_DECIMAL(field) read_decimal(decoder, at, &record->number[FM_NUMBER_OF(field)])
#define READ_FORM_COUNT(field)   read_count(at, field, record)
#define READ_FORM_REAL(field)    NULL
#define READ_FORM_LIST(field)    NULL

/* Where a record is read: `far` is the last place with FM_JSON_FAR bytes to read behind it. */
typedef struct window {
    const char *at, *end, *far;
} window;

/* Pairs in the order of `row` and the brace behind them. Two spaces a pair make the other table. */
READER *read_pairs(fm_decoder *decoder, fm_record *record, const char *at, const window *in, const uint8_t *row)
{
    const fm_likely_key *keys = fm_json_keys[decoder->spaced];
    const size_t spaces = 2 * (size_t)decoder->spaced;
    while (FM_LIKELY(at <= in->far)) {
        switch ((fm_field)*row++) {
        case FM_FIELD_NONE:
            return *at == '}' ? at + 1 : NULL;
#define FIELD(id, name, form, code, kinds)                                                                             \
    case FM_FIELD_##id:                                                                                                \
        if (FM_UNLIKELY(!fm_likely_stands(fm_load16(at), keys[FM_FIELD_##id].text, keys[FM_FIELD_##id].mask)))         \
            return NULL;                                                                                               \
        at += spaces + sizeof(",\"" name "\":" FM_JSON_QUOTE_##form) - 1;                                              \
        at = READ_##form(FM_FIELD_##id);                                                                               \
        if (FM_UNLIKELY(!at))                                                                                          \
            return NULL;                                                                                               \
        continue;
#include "ingest/decode/fields.def"
#undef FIELD
        case FM_FIELD_COUNT:
            break;
        }
        __builtin_unreachable();
    }
    return NULL;
}

/* `{"type":"trade"` or `{"type":"quote"`, with one space or none: the kind is taken without a branch, since feeds mix
 * them. */
static inline unsigned open_record(const fm_decoder *decoder, const char *at)
{
    static const char opening[2][16] __attribute__((aligned(16))) = {"{\"type\":\"", "{\"type\": \""};
    static const uint8_t mask[2][16] __attribute__((aligned(16))) = {FM_MASK(9), FM_MASK(10)};
    unsigned spaced = decoder->spaced;
    uint64_t word = fm_load8(at + 9 + spaced) << 16;
    bool trade = word == fm_load8("trade\"\0") << 16, quote = word == fm_load8("quote\"\0") << 16;
    if (FM_UNLIKELY(!fm_likely_stands(fm_load16(at), opening[spaced], mask[spaced]) || !(trade | quote)))
        return FM_KIND_NONE;
    return FM_TRADE + (unsigned)quote;
}

/* What stands behind a record of a line, `at` behind its brace: to the line end, or NULL. */
static __attribute__((noinline)) const char *end_line(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == end || *at == '\n' ? at : NULL;
}

READER *read_record(fm_decoder *decoder, fm_record *record, const window *in)
{
    const char *at = in->at;
    if (FM_LIKELY((unsigned char)*at == decoder->separator))
        at += at[1] == ' ' ? 2 : 1;
    else if (decoder->separator != '\n')
        return NULL;
    unsigned kind = open_record(decoder, at);
    if (FM_UNLIKELY(decoder->shape[kind] != SHAPE_USUAL) && !shape_usual(decoder, kind))
        return NULL;
    begin_record(record, kind);
    at = read_pairs(decoder, record, at + 15 + decoder->spaced, in, decoder->column + FM_LIKELY_KEYS * kind + 1);
    if (FM_UNLIKELY(!at || record->number[0].mantissa == 0 || record->number[2].mantissa == 0))
        return NULL; /* a price of 0 may withdraw a side */
    if (FM_UNLIKELY((unsigned char)*at != decoder->separator) && decoder->separator == '\n')
        return end_line(at, in->end);
    return at;
}

/* The last bytes of a body, where sixteen could reach beyond it, are read from a copy with zeros behind it. */
static __attribute__((noinline)) void copy_tail(fm_decoder *decoder, window *in)
{
    size_t size = (size_t)(decoder->end - decoder->at);
    static_assert(TAIL + FM_JSON_FAR <= FM_DECODE_SCRATCH, "room for the tail and its zeros");
    memcpy(decoder->scratch, decoder->at, size);
    memset(decoder->scratch + size, 0, FM_JSON_FAR);
    in->at = decoder->scratch;
    in->end = in->far = decoder->scratch + size;
}

int fm_json_usual(fm_decoder *decoder, fm_record *record)
{
    window in = {decoder->at, decoder->end, NULL};
    if (FM_LIKELY(in.end - in.at >= TAIL))
        in.far = in.end - FM_JSON_FAR;
    else
        copy_tail(decoder, &in);
    const char *next = read_record(decoder, record, &in);
    if (FM_UNLIKELY(!next))
        return decoder->format == FM_FORMAT_NDJSON ? fm_ndjson_next(decoder, record) : fm_json_next(decoder, record);
    decoder->at += next - in.at;
    return 1;
}
