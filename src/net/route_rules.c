/* net/route_rules.c - GET /v1/rules and POST /v1/rules:reload: reading and compiling rules takes long, so the clerk
 * thread does it. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

static void list(void *context, fm_server *server)
{
    fm_question *question = context;

    server->config.rules_json(server->config.rules_context, &question->text);
    fm_question_answer(question);
}

static void reload(void *context, fm_server *server)
{
    fm_question *question = context;

    question->result = server->config.rules_reload(server->config.rules_context, &question->error);
    if (question->result >= 0)
        server->config.rules_json(server->config.rules_context, &question->text);
    fm_question_answer(question);
}

/* A refused reload names file, line and column: the old rules stay. */
static void finish_reload(fm_question *question)
{
    fm_text members = {NULL, 0, 0};
    const fm_error *error = &question->error;

    if (question->result >= 0) {
        fm_answer_json(question->request, 200, (fm_slice){question->text.data, question->text.size});
        return;
    }
    fm_text_put(&members, "\"file\":");
    fm_text_json(&members, fm_slice_of(error->file));
    fm_text_printf(&members, ",\"line\":%d,\"column\":%d,\"hint\":", error->line, error->column);
    fm_text_json(&members, fm_slice_of(error->hint));
    const char *detail = error->message[0] != '\0' ? error->message : fm_error_text(question->result);
    int status =
        question->result == FM_ERULE || question->result == FM_ESYNTAX ? 400 : fm_error_status(question->result);
    fm_answer_problem_with(question->request, status, question->result, detail, (fm_slice){members.data, members.size});
    fm_text_fini(&members);
}

static void ask(fm_request *request, const char *what, fm_clerk_job job, void (*finish)(fm_question *question))
{
    fm_question *question = fm_question_open(request->h2o, what);

    if (question == NULL)
        return;
    question->finish = finish;
    int result = fm_clerk_do(request->loop->server->clerk, job, question);
    if (result < 0) {
        question->finish = NULL;
        fm_question_fail(question, result);
    }
}

void fm_route_rules(fm_request *request)
{
    ask(request, "list of rules", list, NULL);
}

void fm_route_rules_reload(fm_request *request)
{
    ask(request, "reload", reload, finish_reload);
}
