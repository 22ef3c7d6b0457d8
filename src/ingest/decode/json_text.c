/* ingest/decode/json_text.c - texts with escapes, values without a use, and finding the next record behind a broken
 * one. */
#include "ingest/decode/json_text.h"

const char *fm_json_stop(fm_json *json, int code, const char *at, const char *reason)
{
    json->code = code;
    json->at = at;
    json->reason = reason;
    return NULL;
}

const char *fm_json_space_slow(const fm_json *json, const char *at)
{
    while (at < json->end && (*at == ' ' || *at == '\t' || *at == '\r' || (*at == '\n' && !json->lines)))
        at++;
    return at;
}

const char *fm_json_name_long(const fm_decoder *decoder, const char *at, char lowest, fm_slice *text)
{
    size_t size = fm_scan_plain(at, decoder->end, lowest);
    if (size > FM_NAME_MAX || at + size == decoder->end || at[size] != '"')
        return NULL;
    *text = (fm_slice){at, size};
    return at + size + 1;
}

/* Four hexadecimal digits; -1 when they are not. */
static int hex4(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int value = 0;
    for (int index = 0; index < 4; index++) {
        unsigned c = (unsigned char)at[index], letter = c | 0x20;
        if (c - '0' < 10u)
            value = value * 16 + (int)(c - '0');
        else if (letter - 'a' < 6u)
            value = value * 16 + (int)(letter - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static size_t utf8_put(unsigned code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}

/* \uXXXX, `at` behind the u; a pair of surrogates is one character, a lone one is none (RFC 8259, section 8.2). */
static const char *unicode_escape(fm_json *json, const char *at, char out[4], size_t *size)
{
    int high = hex4(at, json->end);
    if (high < 0)
        return fm_json_stop(json, FM_malformed, at, "\\u needs four hexadecimal digits");
    unsigned code_point = (unsigned)high;
    const char *next = at + 4;
    if (high >= 0xd800 && high <= 0xdfff) {
        int low = high < 0xdc00 && json->end - next >= 6 && next[0] == '\\' && next[1] == 'u'
                      ? hex4(next + 2, json->end)
                      : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return fm_json_stop(json, FM_utf8_invalid, at, "a surrogate stands alone");
        code_point = 0x10000 + ((unsigned)(high - 0xd800) << 10) + (unsigned)(low - 0xdc00);
        next += 6;
    }
    *size = utf8_put(code_point, out);
    return next;
}

/* An escape, `at` behind the backslash. */
static const char *escape(fm_json *json, const char *at, char out[4], size_t *size)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (at == json->end)
        return fm_json_stop(json, FM_malformed, at, "a text has no end");
    if (*at == 'u')
        return unicode_escape(json, at + 1, out, size);
    const char *found = memchr(from, *at, sizeof from - 1);
    if (!found)
        return fm_json_stop(json, FM_malformed, at, "there is no such escape in JSON");
    out[0] = to[found - from];
    *size = 1;
    return at + 1;
}

/* A text to its end: checked, and its first `capacity` bytes without escapes put to out. *size counts all of them. */
static const char *read_text(fm_json *json, const char *at, char *out, size_t capacity, size_t *size)
{
    size_t used = 0;
    for (;;) {
        size_t run = fm_scan_plain(at, json->end, 0x20);
        if (used < capacity)
            memcpy(out + used, at, run < capacity - used ? run : capacity - used);
        used += run;
        at += run;
        if (at == json->end)
            return fm_json_stop(json, FM_malformed, at, "a text has no end");
        unsigned char c = (unsigned char)*at;
        if (c == '"') {
            *size = used;
            return at + 1;
        }
        if (c < 0x20)
            return fm_json_stop(json, FM_malformed, at, "a control character in a text must be escaped");
        char bytes[4];
        size_t step;
        if (c == '\\') {
            at = escape(json, at + 1, bytes, &step);
            if (!at)
                return NULL;
        } else {
            step = fm_utf8_sequence(at, json->end);
            if (step == 0)
                return fm_json_stop(json, FM_utf8_invalid, at, "a text is not valid UTF-8");
            memcpy(bytes, at, step);
            at += step;
        }
        if (used + step <= capacity)
            memcpy(out + used, bytes, step);
        used += step;
    }
}

const char *fm_json_text_slow(fm_json *json, const char *at, fm_slice *text)
{
    char *out = json->decoder->scratch + json->decoder->scratch_used;
    at = read_text(json, at, out, FM_TEXT_MAX, &text->size);
    if (at)
        text->data = text->size <= FM_TEXT_MAX ? out : NULL;
    return at;
}

static const char *skip_text(fm_json *json, const char *at, uint32_t bytes_max)
{
    size_t size;
    const char *next = read_text(json, at, NULL, 0, &size);
    if (next && size > bytes_max)
        return fm_json_stop(json, FM_key_too_long, at, "a key or text is longer than the limit");
    return next;
}

static const char *skip_literal(fm_json *json, const char *at)
{
    static const char *const literals[] = {"true", "false", "null"};
    for (int index = 0; index < 3; index++) {
        size_t size = strlen(literals[index]);
        if ((size_t)(json->end - at) >= size && memcmp(at, literals[index], size) == 0)
            return at + size;
    }
    return fm_json_stop(json, FM_malformed, at, "expected a value");
}

static const char *skip_scalar(fm_json *json, const char *at)
{
    if (*at == '"')
        return skip_text(json, at + 1, json->decoder->limits.text_bytes_max);
    if (*at == '-' || (unsigned char)(*at - '0') < 10) {
        fm_number number;
        const char *next = fm_number_scan(at, json->end, &number);
        return next ? next : fm_json_stop(json, FM_malformed, at, "is not a number by JSON's grammar");
    }
    return skip_literal(json, at);
}

static const char *skip_key(fm_json *json, const char *at)
{
    at = fm_json_space(json, at);
    if (at == json->end || *at != '"')
        return fm_json_stop(json, FM_malformed, at, "expected a key");
    at = skip_text(json, at + 1, json->decoder->limits.key_bytes_max);
    if (!at)
        return NULL;
    at = fm_json_space(json, at);
    if (at == json->end || *at != ':')
        return fm_json_stop(json, FM_malformed, at, "expected ':'");
    return at + 1;
}

/* The kinds of the brackets that are open, a bit each: 1 is an object. */
typedef struct brackets {
    uint64_t objects[FM_DEPTH_MAX / 64];
    uint32_t depth;
} brackets;

static void push(brackets *open, bool object)
{
    uint64_t bit = UINT64_C(1) << (open->depth % 64), *word = &open->objects[open->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    open->depth++;
}

static bool in_object(const brackets *open)
{
    return open->objects[(open->depth - 1) / 64] >> ((open->depth - 1) % 64) & 1;
}

/* Behind a value within brackets: over what closes them and a comma, to the next value. NULL with code 0 = all are
 * closed at *close. */
static const char *skip_between(fm_json *json, brackets *open, const char *at, const char **close)
{
    *close = NULL;
    while (open->depth > 0) {
        at = fm_json_space(json, at);
        bool object = in_object(open);
        if (at < json->end && *at == ',')
            return object ? skip_key(json, at + 1) : at + 1;
        if (at == json->end || *at != (object ? '}' : ']'))
            return fm_json_stop(json, FM_malformed, at, object ? "expected ',' or '}'" : "expected ',' or ']'");
        at++;
        open->depth--;
    }
    *close = at;
    return NULL;
}

const char *fm_json_skip(fm_json *json, const char *at)
{
    brackets open = {0};
    for (;;) {
        at = fm_json_space(json, at);
        if (at == json->end)
            return fm_json_stop(json, FM_malformed, at, "expected a value");
        bool object = *at == '{';
        if (object || *at == '[') {
            if (open.depth == json->decoder->limits.depth_max)
                return fm_json_stop(json, FM_nesting_too_deep, at, "values nest deeper than the limit");
            push(&open, object);
            at = fm_json_space(json, at + 1);
            if (at < json->end && *at == (object ? '}' : ']')) {
                open.depth--;
                at++;
            } else if (object) {
                at = skip_key(json, at);
                if (!at)
                    return NULL;
                continue;
            } else {
                continue;
            }
        } else {
            at = skip_scalar(json, at);
            if (!at)
                return NULL;
        }
        const char *close;
        at = skip_between(json, &open, at, &close);
        if (!at)
            return close;
    }
}

static const char *text_end(const char *at, const char *end)
{
    for (; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

const char *fm_json_recover(const char *at, const char *end)
{
    uint64_t objects = 0; /* of the outer 64 levels; further in only the depth is counted */
    uint64_t depth = 0;
    while (at < end) {
        char c = *at++;
        if (c == '"') {
            at = text_end(at, end);
            if (!at)
                return NULL;
        } else if (c == '{' || c == '[') {
            if (depth < 64)
                objects = c == '{' ? objects | UINT64_C(1) << depth : objects & ~(UINT64_C(1) << depth);
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return c == ']' ? at - 1 : NULL;
            depth--;
            if (depth < 64 && (objects >> depth & 1) != (c == '}'))
                return NULL;
            if (depth == 0)
                return at;
        } else if (c == ',' && depth == 0) {
            return at - 1;
        }
    }
    return NULL;
}
