/* net/ws_message.c - a small JSON walker over one object: operations are few and short; records go to the real decoder
 * as they are. */
#include "net/ws_message.h"

#include "net/route.h"

#include <emmintrin.h>

#define DEPTH_MAX 32

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (c->at >= c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* A string as it stands between its quotes. */
static bool take_string(cursor *c, fm_slice *out)
{
    if (!take(c, '"'))
        return false;
    const char *begin = c->at;
    for (; c->at < c->end; c->at++) {
        if (*c->at == '"') {
            *out = (fm_slice){begin, (size_t)(c->at - begin)};
            c->at++;
            return true;
        }
        if ((unsigned char)*c->at < 0x20)
            return false;
        if (*c->at == '\\' && ++c->at == c->end)
            return false;
    }
    return false;
}

/* Any value; its bytes in *out. Strings inside are honoured; numbers and words are taken as far as they go. */
static bool take_value(cursor *c, fm_slice *out)
{
    fm_slice text;
    uint32_t depth = 0;

    skip_space(c);
    const char *begin = c->at;
    do {
        skip_space(c);
        if (c->at >= c->end)
            return false;
        char ch = *c->at;
        if (ch == '"') {
            if (!take_string(c, &text))
                return false;
        } else if (ch == '{' || ch == '[') {
            if (++depth > DEPTH_MAX)
                return false;
            c->at++;
        } else if (ch == '}' || ch == ']') {
            if (depth-- == 0)
                return false;
            c->at++;
        } else if (ch == ',' || ch == ':') {
            if (depth == 0)
                return false;
            c->at++;
        } else {
            const char *word = c->at;
            while (c->at < c->end && strchr(" \t\r\n,:{}[]\"", *c->at) == NULL)
                c->at++;
            if (c->at == word) /* a NUL */
                return false;
        }
    } while (depth > 0);
    *out = (fm_slice){begin, (size_t)(c->at - begin)};
    return true;
}

static bool is(fm_slice text, const char *name)
{
    return fm_slice_equal(text, fm_slice_of(name));
}

/* The text of a string value without escapes: names and globs need none. */
static bool plain_text(fm_slice value, fm_slice *out)
{
    cursor c = {value.data, value.data + value.size};

    return take_string(&c, out) && c.at == c.end && memchr(out->data, '\\', out->size) == NULL;
}

static int parse_filter_member(fm_slice key, fm_slice value, fm_ws_filter *filter, fm_error *error)
{
    fm_slice text;
    char *target = is(key, "symbol")   ? filter->symbol
                   : is(key, "rule")   ? filter->rule
                   : is(key, "domain") ? filter->domain
                                       : NULL;

    if (target == NULL && !is(key, "severity_min"))
        return fm_fail(error, FM_parameter_invalid,
                       "filter has no \"%.*s\"; it knows symbol, rule, domain and severity_min",
                       (int)(key.size < 64 ? key.size : 64), key.data);
    if (!plain_text(value, &text) || (target != NULL && !fm_slice_copy(text, target, FM_FILTER_BYTES)))
        return fm_fail(error, FM_parameter_invalid, "filter's \"%.*s\" must be text of at most %d bytes", (int)key.size,
                       key.data, FM_FILTER_BYTES - 1);
    if (target == NULL) {
        int severity = fm_severity_parse(text);
        if (severity < 0)
            return fm_fail(error, FM_parameter_invalid, "severity_min must be info, warning, error or critical");
        filter->severity_min = (uint32_t)severity;
    }
    return 0;
}

static int parse_filter(fm_slice object, fm_ws_filter *filter, fm_error *error)
{
    cursor c = {object.data, object.data + object.size};
    fm_slice key, value;

    if (!take(&c, '{'))
        return fm_fail(error, FM_parameter_invalid, "\"filter\" must be an object");
    if (take(&c, '}'))
        return 0;
    do {
        if (!take_string(&c, &key) || !take(&c, ':') || !take_value(&c, &value))
            return fm_fail(error, FM_ESYNTAX, "\"filter\" is not valid JSON");
        FM_TRY(parse_filter_member(key, value, filter, error));
    } while (take(&c, ','));
    return take(&c, '}') ? 0 : fm_fail(error, FM_ESYNTAX, "\"filter\" is not valid JSON");
}

static int parse_topics(fm_slice array, fm_error *error)
{
    cursor c = {array.data, array.data + array.size};
    fm_slice value, text;
    bool any = false;

    if (!take(&c, '['))
        return fm_fail(error, FM_parameter_invalid, "\"topics\" must be an array");
    if (!take(&c, ']')) {
        do {
            if (!take_value(&c, &value) || !plain_text(value, &text))
                return fm_fail(error, FM_ESYNTAX, "\"topics\" must be an array of text");
            if (!is(text, "alerts"))
                return fm_fail(error, FM_parameter_invalid, "topic \"%.*s\" is not offered; \"alerts\" is",
                               (int)(text.size < 64 ? text.size : 64), text.data);
            any = true;
        } while (take(&c, ','));
        if (!take(&c, ']'))
            return fm_fail(error, FM_ESYNTAX, "\"topics\" is not valid JSON");
    }
    return any ? 0 : fm_fail(error, FM_parameter_invalid, "\"topics\" names no topic");
}

static int parse_from(fm_slice value, fm_ws_command *out, fm_error *error)
{
    uint64_t from = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || __builtin_mul_overflow(from, 10u, &from) ||
            __builtin_add_overflow(from, (uint64_t)(value.data[i] - '0'), &from))
            return fm_fail(error, FM_parameter_invalid, "\"from\" must be a position: an integer from 0");
    }
    out->has_from = true;
    out->from = from;
    return 0;
}

typedef struct members {
    fm_slice op, records, topics, filter, from;
} members;

/* The members of the top object; false when it is no object, or torn. */
static bool walk(fm_slice message, members *m)
{
    cursor c = {message.data, message.data + message.size};
    fm_slice key, value;

    if (!take(&c, '{'))
        return false;
    if (take(&c, '}'))
        return true;
    do {
        if (!take_string(&c, &key) || !take(&c, ':') || !take_value(&c, &value))
            return false;
        fm_slice *member = is(key, "op")        ? &m->op
                           : is(key, "records") ? &m->records
                           : is(key, "topics")  ? &m->topics
                           : is(key, "filter")  ? &m->filter
                           : is(key, "from")    ? &m->from
                                                : NULL;
        if (member != NULL)
            *member = value;
    } while (take(&c, ','));
    if (!take(&c, '}'))
        return false;
    skip_space(&c);
    return c.at == c.end;
}

static int parse_op(const members *m, fm_ws_command *out, fm_error *error)
{
    fm_slice op;

    if (!plain_text(m->op, &op))
        return fm_fail(error, FM_operation_unknown, "\"op\" must be text");
    if (is(op, "ingest")) {
        out->records = m->records;
        return m->records.size > 0 ? 0 : fm_fail(error, FM_parameter_invalid, "\"ingest\" needs \"records\"");
    }
    if (is(op, "subscribe")) {
        out->op = FM_OP_SUBSCRIBE;
        if (m->topics.size == 0)
            return fm_fail(error, FM_parameter_invalid, "\"subscribe\" needs \"topics\"");
        FM_TRY(parse_topics(m->topics, error));
        if (m->filter.size > 0)
            FM_TRY(parse_filter(m->filter, &out->filter, error));
        return m->from.size > 0 ? parse_from(m->from, out, error) : 0;
    }
    out->op = is(op, "ping") ? FM_OP_PING : FM_OP_UNSUBSCRIBE;
    if (is(op, "ping") || is(op, "unsubscribe"))
        return 0;
    return fm_fail(error, FM_operation_unknown, "\"op\" must be ingest, subscribe, unsubscribe or ping, not \"%.*s\"",
                   (int)(op.size < 64 ? op.size : 64), op.data);
}

/* Where `c` stands in the sixteen bytes from `at` on, a bit each. */
static unsigned places(const char *at, char c)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

/* Does "op" stand in it, quotes and all? Sixteen places at a time, the last ones perhaps twice. */
static bool has_op(fm_slice text)
{
    if (text.size < 19)
        return memmem(text.data, text.size, "\"op\"", 4) != NULL;
    for (const char *at = text.data, *last = text.data + text.size - 19;; at = last - at < 16 ? last : at + 16) {
        if ((places(at + 1, 'o') & places(at + 2, 'p') & places(at, '"') & places(at + 3, '"')) != 0)
            return true;
        if (at == last)
            return false;
    }
}

int fm_ws_command_parse(fm_slice message, fm_ws_command *out, fm_error *error)
{
    cursor c = {message.data, message.data + message.size};
    members m;

    out->op = FM_OP_INGEST;
    out->records = message;
    skip_space(&c);
    /* Records are what comes a million times: an array never holds an operation, and an object only when "op" stands in
     * it. */
    if (c.at == c.end || *c.at != '{' || !has_op(message))
        return 0;
    memset(&out->filter, 0, sizeof(out->filter));
    out->has_from = false;
    out->from = 0;
    memset(&m, 0, sizeof(m));
    if (!walk(message, &m) || m.op.size == 0)
        return 0;
    return parse_op(&m, out, error);
}
