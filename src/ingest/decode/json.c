/* ingest/decode/json.c - records from JSON in one pass: every byte is read once, straight into the draft of the record.
 *
 * No tree is built and no text is copied unless it has escapes. A value that breaks a rule of its field is remembered
 * and parsing goes on to the end of the object, so the next record is known to begin there. Only bytes that are not
 * JSON stop the pass: in an array the brackets are then followed to the end of the element (fm_json_recover), in NDJSON
 * the next line is the next record. */
#include "ingest/decode/json_text.h"

static const char *skip_known(fm_json *json, fm_field field, const char *at)
{
    const char *begin = at;
    at = fm_json_skip(json, at);
    if (*begin == 'n')
        fm_draft_null(&json->draft, field);
    else if (at && (*begin == 't' || *begin == 'f'))
        fm_draft_flag(&json->draft, field, *begin == 't', begin);
    else if (at)
        fm_draft_refuse(&json->draft, field, 0, begin, NULL);
    return at;
}

/* ["odd_lot", …], `at` behind the bracket. */
static const char *read_conditions(fm_json *json, const char *at)
{
    at = fm_json_space(json, at);
    if (at < json->end && *at == ']')
        return at + 1;
    for (;;) {
        at = fm_json_space(json, at);
        const char *begin = at;
        if (at < json->end && *at == '"') {
            fm_slice name;
            at = fm_json_text(json, at + 1, &name);
            if (!at)
                return NULL;
            fm_draft_condition(&json->draft, name.data ? name : FM_SLICE(""), begin);
        } else {
            at = fm_json_skip(json, at);
            if (!at)
                return NULL;
            fm_draft_refuse(&json->draft, FM_FIELD_CONDITIONS, 0, begin, NULL);
        }
        at = fm_json_space(json, at);
        if (at < json->end && *at == ']')
            return at + 1;
        if (at == json->end || *at != ',')
            return fm_json_stop(json, FM_malformed, at, "expected ',' or ']'");
        at++;
    }
}

/* A text value that is not plain: escapes, other characters than ASCII, or no end. */
static const char *read_text_value(fm_json *json, fm_field field, const char *at)
{
    fm_slice text;
    const char *begin = at;
    at = fm_json_text(json, at + 1, &text);
    if (!at)
        return NULL;
    if (!text.data) {
        fm_draft_refuse(&json->draft, field, 0, begin, "is longer than 256 bytes");
        return at;
    }
    fm_draft_text(&json->draft, field, text, begin);
    fm_decoder_keep(json->decoder, field, text);
    return at;
}

/* The value of a known key, `at` behind the space before it. */
static const char *read_value(fm_json *json, fm_field field, const char *at)
{
    if (at == json->end)
        return fm_json_stop(json, FM_malformed, at, "expected a value");
    if (*at == '"')
        return read_text_value(json, field, at);
    if ((unsigned char)(*at - '0') < 10 || *at == '-') {
        fm_number number;
        const char *next = fm_number_scan(at, json->end, &number);
        if (!next)
            return fm_json_stop(json, FM_malformed, at, "is not a number by JSON's grammar");
        fm_draft_number(&json->draft, field, &number, at);
        return next;
    }
    if (*at == '[' && field == FM_FIELD_CONDITIONS)
        return read_conditions(json, at + 1);
    return skip_known(json, field, at);
}

/* A key to behind its colon and the space there; json->field is the field. */
static const char *read_key(fm_json *json, const char *at)
{
    fm_slice key;
    at = fm_json_space(json, at);
    const char *begin = at;
    json->field = FM_FIELD_NONE;
    if (FM_UNLIKELY(at == json->end || *at != '"'))
        return fm_json_stop(json, FM_malformed, at, "expected a key");
    at = fm_json_text(json, at + 1, &key);
    if (FM_UNLIKELY(!at))
        return NULL;
    if (FM_UNLIKELY(key.size > json->decoder->limits.key_bytes_max))
        return fm_json_stop(json, FM_key_too_long, begin, "a key is longer than the limit");
    json->field = FM_LIKELY(key.data != NULL) ? fm_field_of(key.data, key.size) : FM_FIELD_NONE;
    if (json->field == FM_FIELD_NONE)
        json->draft.record->unknown_keys++;
    else if (FM_UNLIKELY(!fm_draft_key(&json->draft, json->field)))
        return fm_json_stop(json, FM_key_duplicate, begin, "stands twice");
    at = fm_json_space(json, at);
    if (FM_UNLIKELY(at == json->end || *at != ':'))
        return fm_json_stop(json, FM_malformed, at, "expected ':'");
    at++;
    json->decoder->spaced = at < json->end && *at == ' ';
    return fm_json_space(json, at);
}

static const char *read_pair(fm_json *json, const char *at)
{
    at = read_key(json, at);
    if (FM_UNLIKELY(!at))
        return NULL;
    fm_field field = json->field;
    at = field != FM_FIELD_NONE ? read_value(json, field, at) : fm_json_skip(json, at);
    json->expected = fm_likely_learn(&json->draft, json->decoder, json->expected, field);
    return at;
}

/* What fm_json_likely did not read of an object; it goes on after each pair. */
static __attribute__((noinline)) const char *read_rest(fm_json *json, const char *at, bool open)
{
    json->decoder->reach_known = false; /* the likely keys may change */
    memset(json->decoder->reach, 0xff, sizeof json->decoder->reach);
    static_assert(FM_JSON_RARE == SIZE_MAX, "every kind is rare");
    if (open) {
        at = fm_json_space(json, at + 1);
        if (at < json->end && *at == '}')
            return at + 1;
        at = read_pair(json, at);
        if (!at)
            return NULL;
        at = fm_json_likely(json, at);
    }
    while (!json->closed) {
        at = fm_json_space(json, at);
        if (FM_UNLIKELY(at == json->end || *at != ',')) {
            *json->expected = FM_FIELD_NONE;
            return at < json->end && *at == '}' ? at + 1 : fm_json_stop(json, FM_malformed, at, "expected ',' or '}'");
        }
        at = read_pair(json, at + 1);
        if (FM_UNLIKELY(!at))
            return NULL;
        at = fm_json_likely(json, at);
    }
    return at;
}

static void begin_object(fm_json *json, fm_record *record)
{
    json->expected = fm_likely_begin(json->decoder);
    json->closed = json->twice = false;
    fm_draft_init(&json->draft, record, &json->decoder->limits);
}

/* An object, `at` at its brace; returns what follows it. */
static inline const char *read_object(fm_json *json, const char *at)
{
    const char *next = fm_json_likely_open(json, at);
    if (FM_UNLIKELY(!json->closed))
        next = read_rest(json, next, next == at);
    if (FM_UNLIKELY(json->twice)) {
        json->far = NULL; /* once more, key by key */
        json->decoder->scratch_used = 0;
        begin_object(json, json->draft.record);
        next = read_rest(json, at, true);
    }
    return next;
}

/* One value at `at`: 1 and *next behind it, a refusal and *next behind it, or a refusal and NULL when it is not JSON.
 */
static inline int read_record(fm_json *json, const char *at, const char **next)
{
    fm_decoder *decoder = json->decoder;
    const char *begin = at;
    json->code = 0;
    json->field = FM_FIELD_NONE;
    if (FM_LIKELY(*at == '{')) {
        *next = at = read_object(json, at);
        if (FM_LIKELY(at != NULL)) {
            int result = fm_draft_finish(&json->draft);
            if (FM_LIKELY(result > 0))
                return result;
            return fm_decoder_refuse_draft(decoder, &json->draft, (fm_slice){begin, (size_t)(at - begin)});
        }
    } else {
        *next = at = fm_json_skip(json, at);
        if (at)
            return fm_decoder_refuse(decoder, FM_not_an_object, FM_FIELD_NONE, (fm_slice){begin, (size_t)(at - begin)},
                                     NULL, "a record must be an object");
    }
    if (*begin == '\xef')
        json->reason = "a byte order mark stands before the record";
    return json->code;
}

static void json_init(fm_json *json, fm_decoder *decoder, fm_record *record, bool lines)
{
    json->decoder = decoder;
    json->end = decoder->end;
    json->far = decoder->end - decoder->at > FM_JSON_FAR ? decoder->end - FM_JSON_FAR : NULL;
    json->lines = lines;
    begin_object(json, record);
}

int fm_ndjson_next(fm_decoder *decoder, fm_record *record)
{
    const char *at = decoder->at, *end = decoder->end;
    if (FM_LIKELY(at < end && *at == '\n'))
        at++;
    while (at < end && (unsigned char)*at <= ' ' && (*at == '\n' || *at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    decoder->at = at;
    if (at == end)
        return 0;

    fm_json json;
    json_init(&json, decoder, record, true);
    const char *begin = at;
    int result = read_record(&json, at, &at);
    if (FM_LIKELY(at != NULL)) {
        if (FM_UNLIKELY(at < end && *at != '\n'))
            at = fm_json_space(&json, at);
        if (FM_LIKELY(at == end || *at == '\n')) {
            decoder->at = at;
            return result;
        }
        json.field = FM_FIELD_NONE;
        fm_json_stop(&json, FM_malformed, at, "a line holds one record, and more follows it");
    }
    const char *line_end = memchr(begin, '\n', (size_t)(end - begin));
    decoder->at = line_end ? line_end : end;
    fm_slice line = {begin, (size_t)(decoder->at - begin)};
    return fm_decoder_refuse(decoder, json.code, json.field, line, json.at, json.reason);
}

/* An element of the array or the only object. */
static int next_value(fm_json *json, const char *at)
{
    fm_decoder *decoder = json->decoder;
    const char *begin = at;
    int result = read_record(json, at, &at);
    if (FM_LIKELY(at != NULL)) {
        decoder->at = at;
        return result;
    }
    at = fm_json_recover(begin, decoder->end);
    decoder->torn = !at;
    decoder->at = at ? at : decoder->end;
    if (!at)
        decoder->state = FM_JSON_END;
    fm_slice bytes = {begin, (size_t)(decoder->at - begin)};
    return fm_decoder_refuse(decoder, json->code, json->field, bytes, json->at, json->reason);
}

static int tear(fm_decoder *decoder, const char *at, const char *reason)
{
    decoder->state = FM_JSON_END;
    return fm_decoder_tear(decoder, FM_malformed, at, reason);
}

/* Behind the last value: nothing may follow. */
static int finish(const fm_json *json, const char *at)
{
    at = fm_json_space(json, at);
    if (at < json->end)
        return tear(json->decoder, at, "more follows the end of the JSON");
    json->decoder->state = FM_JSON_END;
    json->decoder->at = at;
    return 0;
}

/* To the first value, or NULL when there is none and *result is final. */
static const char *open_body(fm_json *json, const char *at, int *result)
{
    fm_decoder *decoder = json->decoder;
    if (at == json->end) {
        *result = tear(decoder, at, "the body is empty");
        return NULL;
    }
    if (*at != '[') {
        decoder->state = FM_JSON_CLOSED;
        return at;
    }
    decoder->state = FM_JSON_BETWEEN;
    at = fm_json_space(json, at + 1);
    if (at < json->end && *at == ']') {
        *result = finish(json, at + 1);
        return NULL;
    }
    return at;
}

int fm_json_next(fm_decoder *decoder, fm_record *record)
{
    fm_json json;
    int result = 0;
    json_init(&json, decoder, record, false);
    const char *at = fm_json_space(&json, decoder->at), *end = decoder->end;
    if (FM_LIKELY(decoder->state == FM_JSON_BETWEEN)) {
        if (FM_UNLIKELY(at == end || (*at != ',' && *at != ']')))
            return tear(decoder, at, at == end ? "the array has no end" : "expected ',' or ']' between records");
        if (*at == ']')
            return finish(&json, at + 1);
        at = fm_json_space(&json, at + 1);
    } else if (decoder->state == FM_JSON_START) {
        at = open_body(&json, at, &result);
        if (!at)
            return result;
    } else {
        return decoder->state == FM_JSON_CLOSED ? finish(&json, at) : 0;
    }
    if (FM_UNLIKELY(at == end || *at == ',' || *at == ']'))
        return tear(decoder, at, "expected a record");
    return next_value(&json, at);
}
