/* tool/client.h - a small blocking HTTP/1.1 client: one kept-alive connection to our own server.
 *
 * Everything the tools send may be sent twice: records carry `src` and `n`, so a second copy is answered as duplicates.
 * Therefore a connection that breaks is made anew and the request repeated. Refusals that ask for patience are waited
 * for: 429 and 503 as long as Retry-After says, 507 (the disk is full) a second at a time. One thread a client; plain
 * TCP, no TLS, no redirects. */
#ifndef FM_TOOL_CLIENT_H
#define FM_TOOL_CLIENT_H

#include "base/error.h"
#include "base/slice.h"

#include <signal.h>
#include <stdint.h>

typedef struct fm_client fm_client;

typedef struct fm_client_config {
    const char *url;    /* http://host[:port]; preset port 80 */
    int32_t timeout_ms; /* of one request, from first byte sent to last byte read; 0 = 10 s */
    int32_t
        patience_ms; /* how long one ingest is tried again without any success; 0 = a single try, negative = for ever */
    const volatile sig_atomic_t *stop; /* not 0: give up with FM_ESHUTDOWN at the next wait; may be NULL */
} fm_client_config;

typedef struct fm_response {
    int status;
    int32_t retry_after_ms; /* 0 = not said */
    fm_slice body;          /* valid until the next request of this client */
} fm_response;

/* Sums of answers; the same identity as the server's: sent = accepted + rejected + duplicate. */
typedef struct fm_verdict {
    uint64_t accepted, rejected, duplicate;
    uint64_t resent; /* requests that were sent more than once */
    char first[256]; /* the first refusal of the last request: "record 3: price_negative: …"; empty when none */
} fm_verdict;

int fm_client_open(const fm_client_config *config, fm_client **out,
                   fm_error *error) FM_CHECKED; /* reads the url; connects when needed */
void fm_client_close(fm_client *client);

/* One request and its answer. A kept connection that the server has closed meanwhile is made anew once. FM_ENETWORK,
 * FM_ESHUTDOWN. */
int fm_client_request(fm_client *client, const char *method, const char *path, const char *content_type, fm_slice body,
                      fm_response *out, fm_error *error) FM_CHECKED;
int fm_client_get(fm_client *client, const char *path, fm_response *out, fm_error *error) FM_CHECKED;

/* Sends a batch of records to `path` until it is answered with a verdict, which is added to *verdict. Another answer is
 * FM_EINVAL (a 4xx that patience does not help), FM_ENETWORK (patience is over), FM_ESHUTDOWN. */
int fm_client_ingest(fm_client *client, const char *path, const char *content_type, fm_slice body, fm_verdict *verdict,
                     fm_error *error) FM_CHECKED;

#endif
