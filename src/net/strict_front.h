/* net/strict_front.h - between the socket and h2o: every HTTP/1 head is judged here before h2o believes it.
 *
 * h2o 2.2.5 takes a request with two Content-Lengths, or with Content-Length and Transfer-Encoding, and hides both
 * headers from its handlers, so no handler can refuse it. Its parser is reached through the dynamic symbol
 * `phr_parse_request`, which this program defines (strict_front.c): the real parser is called first, then the head is
 * judged. A head that breaks the rules reaches h2o as `GET /.refused/<n>` with `Connection: close` and no body, so that
 * the client is answered with the reason and the connection ends before a byte behind the head is read as a request.
 * docs/decisions/0006-request-smuggling.md tells what this does not cover.
 *
 * An executable in which the definition does not take effect (static h2o, hidden symbols) must not serve:
 * fm_server_create sends a forged request through a socket pair and refuses to start unless it is refused. Chunked
 * bodies: strict_chunks.h. */
#ifndef FM_NET_STRICT_FRONT_H
#define FM_NET_STRICT_FRONT_H

#include <stddef.h>
#include <stdint.h>

#define FM_STRICT_HEADERS_MAX 64 /* header lines of one request */
#define FM_STRICT_REFUSED     "/.refused/"

/* Why a head is refused; the number stands in the path. */
typedef enum fm_strict_reason {
    FM_STRICT_MALFORMED,
    FM_STRICT_TOO_LARGE,
    FM_STRICT_TOO_MANY,
    FM_STRICT_LINE_END,
    FM_STRICT_CONTROL,
    FM_STRICT_FOLDED,
    FM_STRICT_NAME,
    FM_STRICT_LENGTH_TWICE,
    FM_STRICT_LENGTH,
    FM_STRICT_LENGTH_AND_ENCODING,
    FM_STRICT_ENCODING_TWICE,
    FM_STRICT_ENCODING,
    FM_STRICT_ENCODING_OLD,
    FM_STRICT_HOST_MISSING,
    FM_STRICT_HOST_TWICE,
    FM_STRICT_TARGET,
    FM_STRICT_USER,
    FM_STRICT_PREFACE,
    FM_STRICT_COUNT
} fm_strict_reason;

/* Longest head taken, all threads; before the first request. Preset 16 KiB. */
void fm_strict_front_limit(uint32_t header_bytes_max);

const char *fm_strict_text(int reason); /* one sentence for the client */
int fm_strict_code(int reason);         /* errors.def */
uint64_t
fm_strict_front_calls(void); /* heads seen by this thread: 0 after a request means that the definition has no effect */

/* The parser that h2o calls; the picohttpparser's own signature. */
struct phr_header {
    const char *name; /* NULL: the line continues the one before */
    size_t name_len;
    const char *value;
    size_t value_len;
};
int phr_parse_request(const char *buf, size_t len, const char **method, size_t *method_len, const char **path,
                      size_t *path_len, int *minor_version, struct phr_header *headers, size_t *num_headers,
                      size_t last_len);

#endif
