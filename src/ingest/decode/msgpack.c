/* ingest/decode/msgpack.c - records from MessagePack maps (msgpack.org specification, 2017), read in place.
 *
 * The same keys, rules and reasons as JSON. Numbers may be integers, floats or text: a float price is the shortest
 * decimal that reads back as that float (number.h), never its binary expansion. nil is "not given". bin and ext are no
 * form of any key: they are refused as values of known keys and skipped elsewhere; keys that are not text are unknown
 * keys. Lengths that promise more than the body holds cost nothing: nothing is reserved, and every element that is read
 * has at least one byte. */
#include "ingest/decode/msgpack_read.h"

typedef enum shape {
    SHAPE_NIL,
    SHAPE_BOOL,
    SHAPE_INTEGER,
    SHAPE_FLOAT,
    SHAPE_TEXT,
    SHAPE_BYTES,
    SHAPE_ARRAY,
    SHAPE_MAP
} shape;

/* The head of a value: for text and bytes `count` bytes follow, for arrays as many values, for maps twice as many. */
typedef struct head {
    shape shape;
    bool negative, single;
    uint64_t count; /* or the magnitude of an integer */
    double real;
} head;

static const char *stop(fm_msgpack *in, int code, const char *at, const char *reason)
{
    in->code = code;
    in->at = at;
    in->reason = reason;
    return NULL;
}

static inline uint64_t load(const char *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned index = 0; index < size; index++)
        value = value << 8 | (unsigned char)at[index];
    return value;
}

static void put_integer(head *out, uint64_t bits, bool is_signed)
{
    out->shape = SHAPE_INTEGER;
    out->negative = is_signed && (int64_t)bits < 0;
    out->count = out->negative ? 0 - bits : bits;
}

/* What follows the type byte of the long forms: 0xc0 .. 0xdf. */
static const struct {
    uint8_t shape, size, extra; /* bytes of the number or length; of the ext type */
} long_forms[32] = {
    [0x00] = {SHAPE_NIL, 0, 0},     [0x02] = {SHAPE_BOOL, 0, 0},    [0x03] = {SHAPE_BOOL, 0, 0},
    [0x04] = {SHAPE_BYTES, 1, 0},   [0x05] = {SHAPE_BYTES, 2, 0},   [0x06] = {SHAPE_BYTES, 4, 0},
    [0x07] = {SHAPE_BYTES, 1, 1},   [0x08] = {SHAPE_BYTES, 2, 1},   [0x09] = {SHAPE_BYTES, 4, 1},
    [0x0a] = {SHAPE_FLOAT, 4, 0},   [0x0b] = {SHAPE_FLOAT, 8, 0},   [0x0c] = {SHAPE_INTEGER, 1, 0},
    [0x0d] = {SHAPE_INTEGER, 2, 0}, [0x0e] = {SHAPE_INTEGER, 4, 0}, [0x0f] = {SHAPE_INTEGER, 8, 0},
    [0x10] = {SHAPE_INTEGER, 1, 0}, [0x11] = {SHAPE_INTEGER, 2, 0}, [0x12] = {SHAPE_INTEGER, 4, 0},
    [0x13] = {SHAPE_INTEGER, 8, 0}, [0x14] = {SHAPE_BYTES, 0, 2},   [0x15] = {SHAPE_BYTES, 0, 3},
    [0x16] = {SHAPE_BYTES, 0, 5},   [0x17] = {SHAPE_BYTES, 0, 9},   [0x18] = {SHAPE_BYTES, 0, 17},
    [0x19] = {SHAPE_TEXT, 1, 0},    [0x1a] = {SHAPE_TEXT, 2, 0},    [0x1b] = {SHAPE_TEXT, 4, 0},
    [0x1c] = {SHAPE_ARRAY, 2, 0},   [0x1d] = {SHAPE_ARRAY, 4, 0},   [0x1e] = {SHAPE_MAP, 2, 0},
    [0x1f] = {SHAPE_MAP, 4, 0},
};

static void put_float(head *out, uint64_t bits, unsigned size)
{
    out->single = size == 4;
    if (size == 4) {
        uint32_t narrow = (uint32_t)bits;
        float single;
        memcpy(&single, &narrow, 4);
        out->real = (double)single;
    } else {
        memcpy(&out->real, &bits, 8);
    }
}

static const char *read_long_head(const char *at, const char *end, head *out)
{
    unsigned byte = (unsigned char)*at++;
    if (byte == 0xc1)
        return NULL;
    unsigned size = long_forms[byte - 0xc0].size, extra = long_forms[byte - 0xc0].extra;
    if ((size_t)(end - at) < size)
        return NULL;
    uint64_t bits = load(at, size);
    at += size;
    out->shape = (shape)long_forms[byte - 0xc0].shape;
    out->count = bits + extra; /* bytes of bin, and of ext with its type; values of arrays and maps */
    if (out->shape == SHAPE_INTEGER) {
        bool is_signed = byte >= 0xd0;
        unsigned unused = 64 - 8 * size;
        put_integer(out, is_signed ? (uint64_t)((int64_t)(bits << unused) >> unused) : bits, is_signed);
    } else if (out->shape == SHAPE_FLOAT) {
        put_float(out, bits, size);
    }
    return at;
}

/* The head at `at`; returns what follows it, or NULL when it is cut off or 0xc1, which is never used. */
static inline const char *read_head(const char *at, const char *end, head *out)
{
    if (FM_UNLIKELY(at == end))
        return NULL;
    unsigned byte = (unsigned char)*at;
    if (byte >= 0xc0 && byte < 0xe0)
        return read_long_head(at, end, out);
    if (byte < 0x80 || byte >= 0xe0) {
        put_integer(out, (uint64_t)(int64_t)(int8_t)byte, true);
    } else if (byte >= 0xa0) {
        out->shape = SHAPE_TEXT;
        out->count = byte & 0x1f;
    } else {
        out->shape = byte < 0x90 ? SHAPE_MAP : SHAPE_ARRAY;
        out->count = byte & 0x0f;
    }
    return at + 1;
}

static const char cut_off[] = "a value is cut off, or its type byte does not exist";

static const char *skip_bytes(fm_msgpack *in, const char *at, const head *value, uint32_t bytes_max)
{
    if ((size_t)(in->end - at) < value->count)
        return stop(in, FM_malformed, at, cut_off);
    if (value->count > bytes_max)
        return stop(in, FM_key_too_long, at, "a key or text is longer than the limit");
    if (value->shape == SHAPE_TEXT && !fm_utf8_valid(at, value->count))
        return stop(in, FM_utf8_invalid, at, "a text is not valid UTF-8");
    return at + value->count;
}

/* What follows a head that has been read: bytes, or values within values, bounded by the limits. */
static const char *skip_rest(fm_msgpack *in, const char *at, head value)
{
    uint64_t left[FM_DEPTH_MAX]; /* values to come, by level */
    uint32_t depth = 0;
    for (;;) {
        if (value.shape == SHAPE_TEXT || value.shape == SHAPE_BYTES) {
            at = skip_bytes(in, at, &value, in->decoder->limits.text_bytes_max);
            if (!at)
                return NULL;
        } else if (value.shape == SHAPE_ARRAY || value.shape == SHAPE_MAP) {
            if (depth == in->decoder->limits.depth_max)
                return stop(in, FM_nesting_too_deep, at, "values nest deeper than the limit");
            left[depth++] = value.shape == SHAPE_MAP ? 2 * value.count : value.count;
        }
        while (depth > 0 && left[depth - 1] == 0)
            depth--;
        if (depth == 0)
            return at;
        left[depth - 1]--;
        const char *next = read_head(at, in->end, &value);
        if (!next)
            return stop(in, FM_malformed, at, cut_off);
        at = next;
    }
}

static const char *skip(fm_msgpack *in, const char *at)
{
    head value;
    const char *next = read_head(at, in->end, &value);
    return next ? skip_rest(in, next, value) : stop(in, FM_malformed, at, cut_off);
}

static const char *read_conditions(fm_msgpack *in, const char *at, uint64_t count)
{
    for (; count > 0; count--) {
        head name;
        const char *begin = at, *next = read_head(at, in->end, &name);
        if (!next)
            return stop(in, FM_malformed, at, cut_off);
        at = skip_rest(in, next, name);
        if (!at)
            return NULL;
        if (name.shape == SHAPE_TEXT)
            fm_draft_condition(&in->draft, (fm_slice){next, name.count}, begin);
        else
            fm_draft_refuse(&in->draft, FM_FIELD_CONDITIONS, 0, begin, NULL);
    }
    return at;
}

/* The value of a known key. */
static const char *read_value(fm_msgpack *in, fm_field field, const char *at)
{
    head value;
    const char *begin = at;
    at = read_head(at, in->end, &value);
    if (FM_UNLIKELY(!at))
        return stop(in, FM_malformed, begin, cut_off);
    switch (value.shape) {
    case SHAPE_TEXT: {
        fm_slice text = {at, value.count};
        if (FM_UNLIKELY((size_t)(in->end - at) < value.count))
            return stop(in, FM_malformed, begin, cut_off);
        if (FM_UNLIKELY(!fm_name_valid(text.data, text.size, 0x20) && !fm_utf8_valid(text.data, text.size)))
            return stop(in, FM_utf8_invalid, begin, "is not valid UTF-8");
        fm_draft_text(&in->draft, field, text, begin);
        return at + value.count;
    }
    case SHAPE_INTEGER: {
        fm_number number = {.digits = value.count, .negative = value.negative, .integer = true};
        fm_draft_number(&in->draft, field, &number, begin);
        return at;
    }
    case SHAPE_FLOAT:
        fm_draft_double(&in->draft, field, value.real, value.single, begin);
        return at;
    case SHAPE_NIL:
        fm_draft_null(&in->draft, field);
        return at;
    case SHAPE_BOOL:
        fm_draft_flag(&in->draft, field, *begin == '\xc3', begin);
        return at;
    case SHAPE_ARRAY:
        if (field == FM_FIELD_CONDITIONS)
            return read_conditions(in, at, value.count);
        /* fall through */
    default:
        fm_draft_refuse(&in->draft, field, 0, begin, NULL);
        return skip_rest(in, at, value);
    }
}

/* A key; in->field is the field. */
static const char *read_key(fm_msgpack *in, const char *at)
{
    head key;
    const char *begin = at;
    in->field = FM_FIELD_NONE;
    at = read_head(at, in->end, &key);
    if (FM_UNLIKELY(!at))
        return stop(in, FM_malformed, begin, cut_off);
    if (FM_UNLIKELY(key.shape != SHAPE_TEXT)) {
        in->draft.record->unknown_keys++;
        return skip_rest(in, at, key);
    }
    if (FM_LIKELY((size_t)(in->end - at) >= key.count))
        in->field = fm_field_of(at, key.count);
    if (FM_UNLIKELY(in->field == FM_FIELD_NONE)) {
        in->draft.record->unknown_keys++;
        return skip_bytes(in, at, &key, in->decoder->limits.key_bytes_max);
    }
    if (FM_UNLIKELY(!fm_draft_key(&in->draft, in->field)))
        return stop(in, FM_key_duplicate, begin, "stands twice");
    return at + key.count;
}

/* Pairs in the general way, and the expected ones between them. */
static __attribute__((noinline)) const char *read_rest(fm_msgpack *in, const char *at, uint64_t count)
{
    fm_msgpack_usual_forget(in->decoder);
    while (count > 0) {
        at = read_key(in, at);
        if (FM_UNLIKELY(!at))
            return NULL;
        fm_field field = in->field;
        at = field != FM_FIELD_NONE ? read_value(in, field, at) : skip(in, at);
        if (FM_UNLIKELY(!at))
            return NULL;
        in->expected = fm_likely_learn(&in->draft, in->decoder, in->expected, field);
        count--;
        at = fm_msgpack_likely(in, at, &count);
    }
    return at;
}

static inline const char *read_map(fm_msgpack *in, const char *at, uint64_t count)
{
    const char *begin = at;
    uint64_t left = count;
    in->far = in->end - at >= FM_MSGPACK_FAR ? in->end - FM_MSGPACK_FAR : NULL;
    in->expected = fm_likely_begin(in->decoder);
    in->twice = false;
    at = fm_msgpack_likely(in, at, &left);
    if (FM_UNLIKELY(left > 0))
        at = read_rest(in, at, left);
    if (FM_UNLIKELY(in->twice)) { /* once more, key by key, to find it */
        fm_draft_init(&in->draft, in->draft.record, &in->decoder->limits);
        in->expected = fm_likely_begin(in->decoder);
        in->far = NULL;
        at = read_rest(in, begin, count);
    }
    return at;
}

/* The end of the value at `at`, whatever it holds and however deep; NULL when it is cut off. No stack: only how many
 * are to come. */
static const char *recover(const char *at, const char *end)
{
    uint64_t left = 1;
    while (left > 0) {
        head value;
        at = read_head(at, end, &value);
        if (!at)
            return NULL;
        left--;
        if (value.shape == SHAPE_ARRAY || value.shape == SHAPE_MAP) {
            left += value.shape == SHAPE_MAP ? 2 * value.count : value.count;
        } else if (value.shape == SHAPE_TEXT || value.shape == SHAPE_BYTES) {
            if ((size_t)(end - at) < value.count)
                return NULL;
            at += value.count;
        }
    }
    return at;
}

/* The record at `begin` could not be read; the next one is behind it, if its end can be told. */
static int refuse(fm_msgpack *in, const char *begin)
{
    fm_decoder *decoder = in->decoder;
    const char *next = recover(begin, in->end);
    decoder->torn = !next;
    decoder->at = next ? next : decoder->end;
    if (decoder->torn)
        decoder->remaining = 0;
    return fm_decoder_refuse(decoder, in->code, in->field, (fm_slice){begin, (size_t)(decoder->at - begin)}, in->at,
                             in->reason);
}

int fm_msgpack_next_unusual(fm_decoder *decoder, fm_record *record)
{
    const char *at, *begin = decoder->at;
    head value;
    fm_msgpack in;
    in.decoder = decoder;
    in.end = decoder->end;
    in.field = FM_FIELD_NONE;
    for (;;) {
        if (begin == decoder->end) {
            if (decoder->remaining == 0)
                return 0;
            decoder->remaining = 0;
            return fm_decoder_tear(decoder, FM_malformed, begin, "the body ends before the array does");
        }
        if (FM_LIKELY((*begin & 0xf0) == 0x80)) { /* a map of up to fifteen pairs */
            value.shape = SHAPE_MAP;
            value.count = *begin & 0x0f;
            at = begin + 1;
            break;
        }
        at = read_head(begin, decoder->end, &value);
        if (FM_UNLIKELY(!at)) {
            stop(&in, FM_malformed, begin, cut_off);
            return refuse(&in, begin);
        }
        if (FM_LIKELY(value.shape != SHAPE_ARRAY || decoder->remaining > 0))
            break;
        decoder->remaining = (uint32_t)value.count;
        decoder->at = begin = at;
    }
    decoder->remaining -= decoder->remaining > 0;
    fm_draft_init(&in.draft, record, &decoder->limits);
    if (FM_UNLIKELY(value.shape != SHAPE_MAP)) {
        stop(&in, FM_not_an_object, begin, "a record must be a map");
        return refuse(&in, begin);
    }
    at = read_map(&in, at, value.count);
    if (FM_UNLIKELY(!at))
        return refuse(&in, begin);
    decoder->at = at;
    int result = fm_draft_finish(&in.draft);
    if (FM_LIKELY(result > 0))
        return result;
    return fm_decoder_refuse_draft(decoder, &in.draft, (fm_slice){begin, (size_t)(at - begin)});
}
