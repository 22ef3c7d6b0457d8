/* ingest/decode/json_usual.c - a whole record of the shape that the one of its kind before had: the way most records
 * go.
 *
 * What stands between the values is known from the row of likely keys (likely.h): sixteen bytes at a time are compared
 * with it, values go straight to their place in the record, and what only the whole record can tell of its keys (none
 * twice, none missing, none without a use) has been asked once of the row. Whatever is different leaves the record to
 * the general way, which reads it from its first byte on: an error, its place and its words always come from there.
 *
 * Of a shape is known how far its longest record reaches, with what is read at once beyond a value. Where less is left,
 * the end of the body is copied to where more bytes follow. */
#include "ingest/decode/json_text.h"

#define VALUE_MAX_FORM_TYPE    6
#define VALUE_MAX_FORM_SYMBOL  (FM_NAME_MAX + 1)
#define VALUE_MAX_FORM_NAME    (FM_NAME_MAX + 1)
#define VALUE_MAX_FORM_WORD    (FM_NAME_MAX + 1)
#define VALUE_MAX_FORM_TIME    19
#define VALUE_MAX_FORM_DECIMAL 16
#define VALUE_MAX_FORM_COUNT   16
#define VALUE_MAX_FORM_REAL    0
#define VALUE_MAX_FORM_LIST    0
#define VALUE_MAX_FORM_ORDER   0
#define VALUE_MAX_FORM_SPAN    0
#define VALUE_MAX_FORM_FLAG    0

/* Bytes of a pair at most. */
enum {
    REACH_NONE = FM_JSON_FAR, /* the brace, and all that is read at once */
#define FIELD(id, name, form, code, kinds) REACH_##id = sizeof(", \"" name "\": \"") - 1 + VALUE_MAX_##form,
#include "ingest/decode/fields.def"
#undef FIELD
    REACH_LEAST = 64, /* of any record */
};

static const uint8_t reach_of_field[] = {
    REACH_NONE,
#define FIELD(id, name, form, code, kinds) REACH_##id,
#include "ingest/decode/fields.def"
#undef FIELD
};

/* Of fm_likely_first. */
const size_t fm_json_reach_first[4] = {
    FM_JSON_RARE,
    REACH_NONE + REACH_TYPE + REACH_SYMBOL + REACH_VENUE + REACH_TS + REACH_PRICE + REACH_SIZE,
    REACH_NONE + REACH_TYPE + REACH_SYMBOL + REACH_VENUE + REACH_TS + REACH_BID + REACH_BID_SIZE + REACH_ASK +
        REACH_ASK_SIZE,
    FM_JSON_RARE,
};

enum { COPY_MAX = FM_DECODE_SCRATCH - FM_JSON_FAR };

/* How far a record with the keys of this row reaches; FM_JSON_RARE when more is to be asked of it than its values. */
static size_t reach_of_row(const uint8_t *row, unsigned kind)
{
    uint64_t seen = 0;
    size_t reach = REACH_NONE;
    if (row[0] != FM_FIELD_TYPE)
        return FM_JSON_RARE;
    for (unsigned place = 0; place < FM_LIKELY_KEYS && row[place] != FM_FIELD_NONE; place++) {
        unsigned field = row[place];
        if ((seen >> field & 1) || !(fm_field_rows[field].kinds >> kind & 1) || fm_field_forms[field] == FORM_LIST)
            return FM_JSON_RARE;
        seen |= UINT64_C(1) << field;
        reach += reach_of_field[field];
    }
    return fm_likely_whole(seen, kind) && reach <= COPY_MAX ? reach : FM_JSON_RARE;
}

/* Readers of values, `at` behind the key: what follows the value (a number may still be another one than was read: the
 * next key tells), or NULL. */
#define READER static inline __attribute__((always_inline)) const char

READER *read_key(const char *at, const fm_likely_key *key, size_t size)
{
    return FM_LIKELY(fm_likely_stands(fm_load16(at), key->text, key->mask)) ? at + size : NULL;
}

READER *read_name(const fm_decoder *decoder, const char *at, bool symbol, fm_slice *out)
{
    return symbol ? fm_json_name(decoder, at, FM_LIKELY_RUN(FM_JSON_SYMBOL_BYTES, at), 0x21, out)
                  : fm_json_name(decoder, at, FM_LIKELY_RUN(FM_JSON_NAME_BYTES, at), 0x20, out);
}

READER *read_decimal(const fm_decoder *decoder, const char *at, fm_decimal_number *out)
{
    uint64_t digits;
    unsigned decimals;
    at = fm_number_scan_near(at, &digits, &decimals);
    if (FM_UNLIKELY(!at || (decimals != 0 && (int)decimals > decoder->limits.scale_max)))
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
    fm_likely_count(record, field, count);
    return at;
}

/* Buyers and sellers come in no order that a branch could learn. */
READER *read_side(const char *at, fm_record *record)
{
    static const char sides[2][8] = {"buy\"", "sell\""};
    static const uint64_t bytes[2] = {0xffffffff, 0xffffffffff};
    unsigned sell = *at == 's';
    if (FM_UNLIKELY(((fm_load8(at) ^ fm_load8(sides[sell])) & bytes[sell]) != 0))
        return NULL;
    record->side = (uint8_t)(FM_BUY + sell);
    return at + 4 + sell;
}

READER *read_word(const fm_decoder *decoder, const char *at, fm_field field, fm_record *record)
{
    if (field == FM_FIELD_SIDE)
        return read_side(at, record);
    fm_slice text;
    if (!(at = read_name(decoder, at, false, &text)))
        return NULL;
    fm_draft_identity(record, field, text);
    return at;
}

#define READ_FORM_TYPE(field)    NULL
#define READ_FORM_SYMBOL(field)  read_name(decoder, at, true, &record->symbol)
#define READ_FORM_NAME(field)    read_name(decoder, at, false, &record->venue + ((field)-FM_FIELD_VENUE))
#define READ_FORM_WORD(field)    read_word(decoder, at, field, record)
#define READ_FORM_TIME(field)    fm_json_ts(decoder, at, &record->ts_ns)
#define READ_FORM_DECIMAL(field) read_decimal(decoder, at, &record->number[FM_NUMBER_OF(field)])
#define READ_FORM_COUNT(field)   read_count(at, field, record)
#define READ_FORM_REAL(field)    NULL
#define READ_FORM_LIST(field)    NULL
#define READ_FORM_ORDER(field)   NULL
#define READ_FORM_SPAN(field)    NULL
#define READ_FORM_FLAG(field)    NULL

/* What stands behind a record of a line, `at` behind its brace: to the line end, or NULL. */
static __attribute__((noinline)) const char *end_line(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == end || *at == '\n' ? at : NULL;
}

/* To behind the type; NULL where no usual record begins. */
READER *begin_usual(fm_decoder *decoder, fm_record *record, const uint8_t **row)
{
    const char *at = decoder->at;
    size_t left = (size_t)(decoder->end - at);
    if (FM_UNLIKELY(left < REACH_LEAST))
        return NULL;
    if (FM_LIKELY((unsigned char)*at == decoder->separator)) {
        at++;
        if (FM_UNLIKELY(*at == ' '))
            at++;
    } else if (decoder->separator != '\n') {
        return NULL;
    }
    unsigned quote = at[9 + decoder->spaced] == 'q', kind = FM_TRADE + quote; /* feeds mix them: no branch */
    static_assert(FM_QUOTE == FM_TRADE + 1, "the next kind");
    if (FM_UNLIKELY(!fm_json_opens(fm_load16(at), decoder->spaced, quote) || left < decoder->reach[kind]))
        return NULL;
    fm_record_begin(record);
    record->kind = (uint8_t)kind;
    *row = decoder->column + FM_LIKELY_KEYS * kind + 1;
    return at + 15 + decoder->spaced;
}

/* `at` at the brace; what follows the record, or NULL. */
READER *end_usual(const fm_decoder *decoder, const fm_record *record, const char *at)
{
    if (FM_UNLIKELY(*at != '}' || record->number[0].mantissa == 0 || record->number[2].mantissa == 0))
        return NULL; /* a price of 0 may withdraw a side */
    at++;
    if (FM_UNLIKELY((unsigned char)*at != decoder->separator) && decoder->separator == '\n')
        return end_line(at, decoder->end);
    return at;
}

/* The same with the last bytes of the body, read from a copy with line ends behind it, which no record goes on with. */
static bool read_copy(fm_decoder *decoder, fm_record *record)
{
    const char *begin = decoder->begin, *at = decoder->at, *end = decoder->end;
    size_t size = (size_t)(end - at);
    memcpy(decoder->scratch, at, size);
    memset(decoder->scratch + size, '\n', FM_JSON_FAR);
    fm_decoder_window(decoder, decoder->scratch, decoder->scratch + sizeof decoder->scratch);
    bool taken = fm_json_usual(decoder, record) > 0;
    decoder->at = taken ? at + (decoder->at - decoder->begin) : at;
    decoder->begin = begin;
    decoder->end = end;
    return taken;
}

/* True when a record of the kind may reach beyond what is left. */
static bool reaches(const fm_decoder *decoder, unsigned kind, size_t left)
{
    return decoder->reach[kind] != FM_JSON_RARE && decoder->reach[kind] > left;
}

/* The first record of JSON, as if it stood behind a bracket or in a line; from then on the state says what is next. */
static int read_first(fm_decoder *decoder, fm_record *record)
{
    bool array = *decoder->at == '[';
    decoder->separator = array ? '[' : '\n';
    int result = fm_json_usual(decoder, record);
    if (decoder->state == FM_JSON_START && result > 0) /* in one go */
        decoder->state = array ? FM_JSON_BETWEEN : FM_JSON_CLOSED;
    decoder->separator = decoder->state == FM_JSON_BETWEEN ? ',' : -1;
    return result;
}

static __attribute__((noinline)) int read_unusual(fm_decoder *decoder, fm_record *record)
{
    bool lines = decoder->format == FM_FORMAT_NDJSON;
    size_t left = (size_t)(decoder->end - decoder->at);
    if (decoder->begin == decoder->scratch)
        return 0; /* not in the copy either */
    if (left > 0 && decoder->separator < 0 && decoder->state == FM_JSON_START && !lines)
        return read_first(decoder, record);
    if (left > 0 && decoder->separator >= 0) {
        if (!decoder->reach_known) {
            for (unsigned kind = FM_TRADE; kind <= FM_QUOTE; kind++)
                decoder->reach[kind] = reach_of_row(decoder->column + FM_LIKELY_KEYS * kind, kind);
            decoder->reach_known = true;
            return fm_json_usual(decoder, record);
        }
        if (left <= COPY_MAX && (reaches(decoder, FM_TRADE, left) || reaches(decoder, FM_QUOTE, left)) &&
            read_copy(decoder, record))
            return 1;
    }
    return fm_decoder_count(decoder, lines ? fm_ndjson_next(decoder, record) : fm_json_next(decoder, record));
}

/* Pairs in the order of their row, each leading straight to the next. Two spaces a pair make the other table. */
int fm_json_usual(fm_decoder *decoder, fm_record *record)
{
    static const void *const steps[] = {
        &&brace,
#define FIELD(id, name, form, code, kinds) &&pair_##id,
#include "ingest/decode/fields.def"
#undef FIELD
    };
    const fm_likely_key *keys = fm_json_keys[decoder->spaced];
    const size_t spaces = 2 * (size_t)decoder->spaced;
    const uint8_t *row;
    const char *at = begin_usual(decoder, record, &row);
    if (FM_UNLIKELY(!at))
        goto unusual;
    goto *steps[*row++];
#define FIELD(id, name, form, code, kinds)                                                                             \
    pair_##id : at = read_key(at, &keys[FM_FIELD_##id], sizeof(",\"" name "\":" FM_JSON_QUOTE_##form) - 1 + spaces);   \
    at = FM_LIKELY(at != NULL) && FM_FIELD_USUAL(FM_FIELD_##id) ? READ_##form(FM_FIELD_##id) : NULL;                   \
    if (FM_UNLIKELY(!at))                                                                                              \
        goto unusual;                                                                                                  \
    goto *steps[*row++];
#include "ingest/decode/fields.def"
#undef FIELD
brace:
    at = end_usual(decoder, record, at);
    if (FM_UNLIKELY(!at))
        goto unusual;
    decoder->at = at;
    return fm_decoder_count(decoder, 1);
unusual:
    return read_unusual(decoder, record);
}
