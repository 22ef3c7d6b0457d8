/* net/route_ingest.c - POST /v1/ingest. */
#include "net/answer.h"
#include "net/ingest.h"
#include "net/route.h"
#include "net/server_internal.h"

#include "ingest/inflate.h"

#include <stdlib.h>

/* Lives in the request's pool; `submission` waits with `request`. Whoever goes first clears the other's pointer. */
typedef struct waiting {
    h2o_req_t *request;
    fm_submission *submission;
    bool gzip;
} waiting;

static void on_request_gone(void *data)
{
    waiting *w = data;

    if (w->submission != NULL)
        fm_ingest_forget(w->submission);
}

/* The body as records; inflated again when it is asked for twice, which only quarantine does. */
static int body_of(fm_loop *loop, const h2o_req_t *request, bool gzip, fm_slice *body)
{
    size_t size = 0, limit = loop->server->config.body_bytes_max;

    *body = (fm_slice){request->entity.base != NULL ? request->entity.base : "", request->entity.len};
    if (!gzip)
        return 0;
    if (loop->inflate == NULL && (loop->inflate = malloc(limit)) == NULL)
        return FM_ENOMEM;
    FM_TRY(fm_inflate_gzip(body->data, body->size, loop->inflate, limit, &size));
    *body = (fm_slice){loop->inflate, size};
    return 0;
}

static void answer(fm_loop *loop, h2o_req_t *request, const fm_submission *s)
{
    fm_text *out = &loop->scratch;
    bool nothing = s->torn && s->reply.accepted == 0 && s->reply.duplicate == 0;

    fm_text_clear(out);
    if (nothing) {
        fm_ingest_answer(s, out);
        int code = s->refusal[0].code;
        const char *detail = s->refusal[0].text != UINT32_MAX ? s->text.data + s->refusal[0].text : fm_error_text(code);
        fm_answer_problem_with(request, 400, code, detail, (fm_slice){out->data, out->size});
        return;
    }
    fm_text_add(out, "{", 1);
    fm_ingest_answer(s, out);
    fm_text_put(out, "}\n");
    fm_answer_json(request, 200, (fm_slice){out->data, out->size});
}

static void on_done(fm_submission *s, int failed)
{
    waiting *w = s->owner;
    fm_loop *loop = s->loop;
    fm_slice body = {NULL, 0};

    w->submission = NULL;
    if (failed < 0) {
        fm_answer_problem(w->request, failed,
                          "these records may or may not be accepted later; without src and n a retry may double them");
        return;
    }
    if (s->reply.error_count > 0 && body_of(loop, w->request, w->gzip, &body) == 0)
        fm_ingest_quarantine(s, body);
    answer(loop, w->request, s);
    fm_ingest_release(s);
}

static fm_slice header(const h2o_req_t *request, const h2o_token_t *token)
{
    ssize_t at = h2o_find_header(&request->headers, token, -1);

    if (at < 0)
        return (fm_slice){NULL, 0};
    return (fm_slice){request->headers.entries[at].value.base, request->headers.entries[at].value.len};
}

/* 1: *gzip is set. 0: answered. */
static int encoding_of(h2o_req_t *request, bool *gzip)
{
    fm_slice encoding = header(request, H2O_TOKEN_CONTENT_ENCODING);

    *gzip = encoding.size == 4 && strncasecmp(encoding.data, "gzip", 4) == 0;
    if (*gzip || encoding.size == 0 || (encoding.size == 8 && strncasecmp(encoding.data, "identity", 8) == 0))
        return 1;
    fm_answer_header(request, "accept-encoding", "gzip, identity");
    fm_answer_problem(request, FM_encoding, "Content-Encoding \"%.*s\" is not taken; send gzip or none",
                      (int)(encoding.size < 64 ? encoding.size : 64), encoding.data);
    return 0;
}

static const char *refusal_of(int code)
{
    switch (code) {
    case FM_queue_full:
        return "the engine is behind; nothing of this request was taken, send it again";
    case FM_journal_full:
        return "the journal cannot grow; nothing of this request was taken";
    case FM_batch_too_large:
        return "the batch does not fit the queue to the engine; nothing was taken, send fewer records at once";
    default:
        return "nothing of this request was taken";
    }
}

void fm_route_ingest(fm_request *request)
{
    h2o_req_t *h2o = request->h2o;
    fm_loop *loop = request->loop;
    fm_slice type = header(h2o, H2O_TOKEN_CONTENT_TYPE), body;
    fm_format format = fm_format_of(type);
    fm_submission *submission;
    bool gzip;

    if (format == FM_FORMAT_NONE) {
        fm_answer_problem(h2o, FM_media_type,
                          "Content-Type \"%.*s\" is not taken; send JSON, NDJSON, MessagePack or CSV",
                          (int)(type.size < 64 ? type.size : 64), type.data != NULL ? type.data : "");
        return;
    }
    if (!encoding_of(h2o, &gzip))
        return;
    if (h2o->entity.len > loop->server->config.body_bytes_max) {
        fm_answer_problem(h2o, FM_body_too_large, "the body is larger than net.body_bytes_max");
        return;
    }
    int result = body_of(loop, h2o, gzip, &body);
    if (result < 0) {
        fm_answer_problem(h2o, result,
                          result == FM_body_too_large ? "the inflated body is larger than net.body_bytes_max"
                                                      : "the gzip body could not be inflated");
        return;
    }
    waiting *w = h2o_mem_alloc_shared(&h2o->pool, sizeof(*w), on_request_gone);
    *w = (waiting){h2o, NULL, gzip};
    fm_slice domain = fm_request_text(request, FM_PARAMETER_ingest_domain, FM_SLICE(""));
    result = fm_ingest_submit(loop, format, body, domain, on_done, w, &submission);
    if (result < 0) {
        fm_answer_problem(h2o, result, "%s", refusal_of(result));
    } else if (result == 0) {
        w->submission = submission;
    } else {
        answer(loop, h2o, submission);
        fm_ingest_release(submission);
    }
}
