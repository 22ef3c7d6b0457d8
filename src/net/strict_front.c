/* net/strict_front.c - the definition of phr_parse_request that h2o's dynamic symbol finds first.
 *
 * The rules are those of RFC 9112 where it lets a server choose, always the strict choice: two readers of one byte
 * stream that choose differently are what request smuggling lives on. */
#include "net/strict_front.h"

#include "base/assert.h"
#include "base/error.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

typedef int (*parse_function)(const char *, size_t, const char **, size_t *, const char **, size_t *, int *,
                              struct phr_header *, size_t *, size_t);

typedef struct head {
    const char **method, **path;
    size_t *method_size, *path_size;
    int *minor;
    struct phr_header *header;
    size_t *count;
} head;

static parse_function parse;
static pthread_once_t parse_once = PTHREAD_ONCE_INIT;
static _Atomic uint32_t limit = 16384;
static _Thread_local uint64_t calls;

static const struct {
    const char *path;
    const char *text;
    int code;
} reasons[FM_STRICT_COUNT] = {
    [FM_STRICT_MALFORMED] = {FM_STRICT_REFUSED "00", "the request line or a header could not be parsed",
                             FM_request_malformed},
    [FM_STRICT_TOO_LARGE] = {FM_STRICT_REFUSED "01",
                             "the request line and headers are longer than net.header_bytes_max", FM_header_too_large},
    [FM_STRICT_TOO_MANY] = {FM_STRICT_REFUSED "02", "there are more than 64 headers", FM_header_too_large},
    [FM_STRICT_LINE_END] = {FM_STRICT_REFUSED "03", "every line must end with CR LF, and CR and LF stand nowhere else",
                            FM_request_malformed},
    [FM_STRICT_CONTROL] = {FM_STRICT_REFUSED "04", "a control character stands in the request line or a header",
                           FM_request_malformed},
    [FM_STRICT_FOLDED] = {FM_STRICT_REFUSED "05", "a header continues on the next line", FM_request_malformed},
    [FM_STRICT_NAME] = {FM_STRICT_REFUSED "06", "a header's name is not a token, or a space stands before its colon",
                        FM_request_malformed},
    [FM_STRICT_LENGTH_TWICE] = {FM_STRICT_REFUSED "07", "Content-Length is given more than once", FM_request_malformed},
    [FM_STRICT_LENGTH] = {FM_STRICT_REFUSED "08", "Content-Length must be digits only", FM_request_malformed},
    [FM_STRICT_LENGTH_AND_ENCODING] = {FM_STRICT_REFUSED "09", "Content-Length and Transfer-Encoding are both given",
                                       FM_request_malformed},
    [FM_STRICT_ENCODING_TWICE] = {FM_STRICT_REFUSED "10", "Transfer-Encoding is given more than once",
                                  FM_request_malformed},
    [FM_STRICT_ENCODING] = {FM_STRICT_REFUSED "11", "Transfer-Encoding must be \"chunked\" and nothing else",
                            FM_request_malformed},
    [FM_STRICT_ENCODING_OLD] = {FM_STRICT_REFUSED "12", "HTTP/1.0 knows no Transfer-Encoding", FM_request_malformed},
    [FM_STRICT_HOST_MISSING] = {FM_STRICT_REFUSED "13", "HTTP/1.1 needs a Host header", FM_request_malformed},
    [FM_STRICT_HOST_TWICE] = {FM_STRICT_REFUSED "14", "Host is given more than once", FM_request_malformed},
    [FM_STRICT_TARGET] = {FM_STRICT_REFUSED "15", "the request target must be a path, or an http URL",
                          FM_request_malformed},
    [FM_STRICT_USER] = {FM_STRICT_REFUSED "16", "the request target must not name a user", FM_request_malformed},
    [FM_STRICT_PREFACE] = {FM_STRICT_REFUSED "17", "HTTP/2 is not offered here; speak HTTP/1.1", FM_request_malformed},
};

void fm_strict_front_limit(uint32_t header_bytes_max)
{
    atomic_store_explicit(&limit, header_bytes_max, memory_order_relaxed);
}

const char *fm_strict_text(int reason)
{
    return reason >= 0 && reason < FM_STRICT_COUNT ? reasons[reason].text : reasons[FM_STRICT_MALFORMED].text;
}

int fm_strict_code(int reason)
{
    return reason >= 0 && reason < FM_STRICT_COUNT ? reasons[reason].code : FM_request_malformed;
}

uint64_t fm_strict_front_calls(void)
{
    return calls;
}

static void find_parser(void)
{
    void *found = dlsym(RTLD_NEXT, "phr_parse_request");
    FM_ASSERT(found != NULL);
    memcpy(&parse, &found, sizeof(parse));
}

/* What h2o sees in place of a refused head. It lower-cases names in place, so the name is memory of this thread. */
static int refuse(head *h, fm_strict_reason reason, size_t consumed)
{
    static _Thread_local char name[] = "connection";

    *h->method = "GET";
    *h->method_size = 3;
    *h->path = reasons[reason].path;
    *h->path_size = strlen(reasons[reason].path);
    *h->minor = 1;
    h->header[0] = (struct phr_header){name, sizeof(name) - 1, "close", 5};
    *h->count = 1;
    return (int)consumed;
}

static bool is_token(const char *data, size_t size)
{
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return true;
}

static bool is_name(const struct phr_header *header, const char *name, size_t size)
{
    return header->name_len == size && strncasecmp(header->name, name, size) == 0;
}

/* Bytes of the head: no control characters, every line end is CR LF. */
static int judge_bytes(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c >= 0x20 && c != 0x7f)
            continue;
        if (c == '\t')
            continue;
        if (c == '\r' && i + 1 < size && data[i + 1] == '\n') {
            i++;
            continue;
        }
        return c == '\r' || c == '\n' ? FM_STRICT_LINE_END : FM_STRICT_CONTROL;
    }
    return -1;
}

static bool all_digits(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] < '0' || data[i] > '9')
            return false;
    return size > 0 && size <= 18;
}

/* Framing and Host: what decides where this request ends and whom it is for. *host is the Host header or NULL. */
static int judge_headers(const head *h, struct phr_header **host)
{
    uint32_t lengths = 0, encodings = 0, hosts = 0;
    bool length_bad = false, encoding_bad = false;

    for (size_t i = 0; i < *h->count; i++) {
        struct phr_header *header = &h->header[i];
        if (header->name == NULL)
            return FM_STRICT_FOLDED;
        if (!is_token(header->name, header->name_len))
            return FM_STRICT_NAME;
        while (header->value_len > 0 && strchr(" \t", header->value[header->value_len - 1]) != NULL)
            header->value_len--; /* white space behind a value is not part of it; h2o's parser leaves it there */
        if (is_name(header, "content-length", 14)) {
            lengths++;
            length_bad |= !all_digits(header->value, header->value_len);
        } else if (is_name(header, "transfer-encoding", 17)) {
            encodings++;
            encoding_bad |= header->value_len != 7 || strncasecmp(header->value, "chunked", 7) != 0;
        } else if (is_name(header, "host", 4)) {
            hosts++;
            *host = header;
        }
    }
    if (lengths > 0 && encodings > 0)
        return FM_STRICT_LENGTH_AND_ENCODING;
    if (lengths > 1)
        return FM_STRICT_LENGTH_TWICE;
    if (length_bad)
        return FM_STRICT_LENGTH;
    if (encodings > 1)
        return FM_STRICT_ENCODING_TWICE;
    if (encodings == 1 && *h->minor == 0)
        return FM_STRICT_ENCODING_OLD;
    if (encoding_bad)
        return FM_STRICT_ENCODING;
    if (hosts > 1)
        return FM_STRICT_HOST_TWICE;
    if (hosts == 0 && *h->minor != 0)
        return FM_STRICT_HOST_MISSING;
    return -1;
}

/* A path, "*" for OPTIONS, or an http URL, which is reduced to its path; its authority then stands for Host (RFC
 * 9112, 3.2.2). */
static int judge_target(head *h, struct phr_header *host)
{
    const char *target = *h->path;
    size_t size = *h->path_size;

    for (size_t i = 0; i < size; i++)
        if ((unsigned char)target[i] <= 0x20 || (unsigned char)target[i] >= 0x7f || target[i] == '#')
            return FM_STRICT_TARGET;
    if (size > 0 && target[0] == '/')
        return -1;
    if (size == 1 && target[0] == '*')
        return *h->method_size == 7 && memcmp(*h->method, "OPTIONS", 7) == 0 ? -1 : FM_STRICT_TARGET;
    if (size < 8 || strncasecmp(target, "http://", 7) != 0)
        return FM_STRICT_TARGET;

    const char *authority = target + 7, *end = target + size;
    const char *path = authority;
    while (path < end && *path != '/' && *path != '?')
        path++;
    if (memchr(authority, '@', (size_t)(path - authority)) != NULL)
        return FM_STRICT_USER;
    if (path == authority || (path < end && *path == '?'))
        return FM_STRICT_TARGET;
    if (host != NULL) {
        host->value = authority;
        host->value_len = (size_t)(path - authority);
    }
    *h->path = path < end ? path : "/";
    *h->path_size = path < end ? (size_t)(end - path) : 1;
    return -1;
}

int phr_parse_request(const char *buf, size_t len, const char **method, size_t *method_len, const char **path,
                      size_t *path_len, int *minor_version, struct phr_header *headers, size_t *num_headers,
                      size_t last_len)
{
    head h = {method, path, method_len, path_len, minor_version, headers, num_headers};
    uint32_t size_max = atomic_load_explicit(&limit, memory_order_relaxed);
    struct phr_header *host = NULL;
    int reason;

    calls++;
    pthread_once(&parse_once, find_parser);
    int size = parse(buf, len, method, method_len, path, path_len, minor_version, headers, num_headers, last_len);

    if (size == -2)
        return len > size_max ? refuse(&h, FM_STRICT_TOO_LARGE, len) : -2;
    if (size < 0) {
        if (len > size_max)
            return refuse(&h, FM_STRICT_TOO_LARGE, len);
        bool preface = len >= 12 && memcmp(buf, "PRI * HTTP/2", 12) == 0;
        reason = judge_bytes(buf, len);
        if (preface || reason != FM_STRICT_CONTROL)
            reason = preface ? FM_STRICT_PREFACE : FM_STRICT_MALFORMED;
        return refuse(&h, (fm_strict_reason)reason, len);
    }
    if ((uint32_t)size > size_max)
        return refuse(&h, FM_STRICT_TOO_LARGE, (size_t)size);
    if (*num_headers > FM_STRICT_HEADERS_MAX)
        return refuse(&h, FM_STRICT_TOO_MANY, (size_t)size);
    if ((reason = judge_bytes(buf, (size_t)size)) >= 0 || (reason = judge_headers(&h, &host)) >= 0 ||
        (reason = judge_target(&h, host)) >= 0)
        return refuse(&h, (fm_strict_reason)reason, (size_t)size);
    return size;
}
