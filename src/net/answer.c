/* net/answer.c - one way out for every answer, so that they are counted and look alike. */
#include "net/answer.h"

#include "net/connection.h"
#include "net/linger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static h2o_generator_t generator = {NULL, NULL};

static const struct {
    int status;
    const char *text;
} statuses[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *fm_status_text(int status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "Unknown";
}

void fm_answer_header(h2o_req_t *request, const char *name, const char *value)
{
    h2o_add_header_by_str(&request->pool, &request->res.headers, name, strlen(name), 1, NULL, value, strlen(value));
}

/* `body` lives in the request's pool. */
static void send_pooled(h2o_req_t *request, int status, const char *content_type, h2o_iovec_t body)
{
    fm_loop *loop = fm_loop_of(request);
    bool head = request->method.len == 4 && memcmp(request->method.base, "HEAD", 4) == 0;

    fm_count(loop->counters, FM_METRIC_HTTP_REQUESTS, 1);
    if (status >= 400)
        fm_count(loop->counters, FM_METRIC_HTTP_ERRORS, 1);
    if (loop->stopping)
        request->http1_is_persistent = 0; /* h2o knew when the head came, which may have been before */
    request->res.status = status;
    request->res.reason = fm_status_text(status);
    request->res.content_length = body.len;
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, content_type,
                   strlen(content_type));
    h2o_start_response(request, &generator);
    h2o_send(request, &body, head ? 0 : 1, H2O_SEND_STATE_FINAL);
}

void fm_answer(h2o_req_t *request, int status, const char *content_type, fm_slice body)
{
    h2o_iovec_t copy = h2o_strdup(&request->pool, body.data != NULL ? body.data : "", body.size);

    send_pooled(request, status, content_type, copy);
}

void fm_answer_json(h2o_req_t *request, int status, fm_slice body)
{
    fm_answer(request, status, "application/json", body);
}

static void problem_text(fm_text *out, int status, int code, const char *detail, fm_slice members)
{
    fm_text_printf(out, "{\"type\":\"urn:fmads:problem:%s\",\"title\":", fm_error_name(code));
    fm_text_json(out, fm_slice_of(fm_error_text(code)));
    fm_text_printf(out, ",\"status\":%d,\"detail\":", status);
    fm_text_json(out, fm_slice_of(detail));
    fm_text_printf(out, ",\"code\":\"%s\"", fm_error_name(code));
    if (members.size > 0) {
        fm_text_add(out, ",", 1);
        fm_text_add(out, members.data, members.size);
    }
    fm_text_put(out, "}\n");
}

void fm_answer_problem_with(h2o_req_t *request, int status, int code, const char *detail, fm_slice members)
{
    fm_text text = {NULL, 0, 0};

    problem_text(&text, status, code, detail, members);
    if (status == 429 || status == 503)
        fm_answer_header(request, "retry-after", "1");
    fm_answer(request, status, "application/problem+json", (fm_slice){text.data, text.size});
    fm_text_fini(&text);
}

void fm_answer_problem(h2o_req_t *request, int code, const char *format, ...)
{
    char detail[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    fm_answer_problem_with(request, fm_error_status(code), code, detail, (fm_slice){NULL, 0});
}

/* ---- later, from another thread ---- */

typedef struct question_handle {
    fm_question *question;
} question_handle;

static void on_request_gone(void *data)
{
    question_handle *handle = data;

    if (handle->question != NULL)
        handle->question->request = NULL;
}

static void deliver(fm_mail *mail, fm_loop *loop)
{
    fm_question *question = (fm_question *)mail;
    h2o_req_t *request = loop->ended ? NULL : question->request;

    loop->questions--;
    if (request != NULL) {
        ((question_handle *)question->handle)->question = NULL;
        if (question->finish != NULL)
            question->finish(question);
        else if (question->result >= 0)
            fm_answer_json(request, 200, (fm_slice){question->text.data, question->text.size});
        else
            fm_answer_problem(request, question->result, "could not answer for this %s: %s", question->what,
                              question->error.message[0] != '\0' ? question->error.message
                                                                 : fm_error_text(question->result));
    }
    fm_text_fini(&question->text);
    free(question);
}

fm_question *fm_question_open(h2o_req_t *request, const char *what)
{
    fm_loop *loop = fm_loop_of(request);
    fm_question *question = calloc(1, sizeof(*question));

    if (question == NULL) {
        fm_answer_problem(request, FM_ENOMEM, "there is no memory for this question");
        return NULL;
    }
    question_handle *handle = h2o_mem_alloc_shared(&request->pool, sizeof(*handle), on_request_gone);
    handle->question = question;
    question->mail.run = deliver;
    question->loop = loop;
    question->request = request;
    question->handle = handle;
    question->asked_ns = loop->now_ns;
    question->what = what;
    loop->questions++;
    return question;
}

void fm_question_answer(fm_question *question)
{
    fm_loop_post_take(question->loop, &question->mail);
}

void fm_question_done(void *context, int result, fm_slice json)
{
    fm_question *question = context;

    question->result = result;
    if (result >= 0)
        fm_text_add(&question->text, json.data, json.size);
    fm_question_answer(question);
}

void fm_question_fail(fm_question *question, int code)
{
    question->result = code;
    deliver(&question->mail, question->loop);
}

/* ---- what h2o answers by itself ---- */

typedef struct problem_stream {
    h2o_ostream_t super;
    h2o_iovec_t body;
} problem_stream;

static void send_problem(h2o_ostream_t *super, h2o_req_t *request, h2o_iovec_t *bufs, size_t count,
                         h2o_send_state_t state)
{
    problem_stream *stream = (problem_stream *)super;

    (void)bufs;
    (void)count;
    h2o_ostream_send_next(super, request, &stream->body, h2o_send_state_is_in_progress(state) ? 0 : 1, state);
}

static void on_setup(h2o_filter_t *self, h2o_req_t *request, h2o_ostream_t **slot)
{
    fm_loop *loop = fm_loop_of(request);
    fm_text text = {NULL, 0, 0};
    int status = request->res.status;
    int code = status == 413 ? FM_body_too_large : FM_request_malformed;

    (void)self;
    fm_linger_prepare(fm_connection_of(request));
    fm_count(loop->counters, FM_METRIC_HTTP_REQUESTS, 1);
    fm_count(loop->counters, FM_METRIC_HTTP_ERRORS, 1);
    problem_text(&text, status, code, status == 417 ? "Expect: only 100-continue is known" : fm_error_text(code),
                 (fm_slice){NULL, 0});
    problem_stream *stream = (problem_stream *)h2o_add_ostream(request, sizeof(*stream), slot);
    stream->super.do_send = send_problem;
    stream->body = h2o_strdup(&request->pool, text.data, text.size);
    fm_text_fini(&text);
    request->res.reason = fm_status_text(status);
    request->res.content_length = stream->body.len;
    h2o_set_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE,
                   H2O_STRLIT("application/problem+json"), 1);
    h2o_setup_next_ostream(request, &stream->super.next);
}

void fm_answer_filter(h2o_hostconf_t *host)
{
    h2o_filter_t *filter = h2o_create_filter(&host->fallback_path, sizeof(*filter));

    filter->on_setup_ostream = on_setup;
}
