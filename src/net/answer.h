/* net/answer.h - what goes back: JSON, text, problems (RFC 9457), now or later from another thread. */
#ifndef FM_NET_ANSWER_H
#define FM_NET_ANSWER_H

#include "net/loop.h"

/* The body is copied. Each request is answered exactly once, on its loop's thread. */
void fm_answer(h2o_req_t *request, int status, const char *content_type, fm_slice body);
void fm_answer_json(h2o_req_t *request, int status, fm_slice body);

/* Status, title and "code" come from errors.def; `detail` says what, which and why. 429 and 503 carry Retry-After. */
void fm_answer_problem(h2o_req_t *request, int code, const char *format, ...) FM_PRINTF(3, 4);
/* The same with further members ("\"errors\":[…]") behind. */
void fm_answer_problem_with(h2o_req_t *request, int status, int code, const char *detail, fm_slice members);

void fm_answer_header(h2o_req_t *request, const char *name,
                      const char *value); /* before the answer; both are static or pooled */

const char *fm_status_text(int status);

/* A question asked of another thread. The request may go away before the answer comes: then the answer is dropped. */
typedef struct fm_question {
    fm_mail mail;
    fm_loop *loop;
    h2o_req_t *request; /* NULL when it is gone */
    void *handle;
    int64_t asked_ns;
    void (*finish)(struct fm_question *question); /* NULL: the text is the answer, or a problem when result < 0 */
    const char *what;                             /* for messages: "alert"; static */
    int result;
    fm_error error;
    fm_text text;
} fm_question;

fm_question *fm_question_open(h2o_req_t *request, const char *what);
/* `done` of fm_archive_* and the engine's questions: any thread, once. */
void fm_question_done(void *question, int result, fm_slice json);
void fm_question_answer(fm_question *question);         /* any thread: result, error and text are filled */
void fm_question_fail(fm_question *question, int code); /* it could not be asked: answers at once */

/* What h2o itself answers (413, 417, 400 of a broken chunk) becomes a problem too: a filter of the fallback path. */
void fm_answer_filter(h2o_hostconf_t *host);

#endif
