/* net/route_book.c - GET /v1/instruments/{symbol}/book: asked of the shard that keeps it. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

#include "engine/query.h"

void fm_route_book(fm_request *request)
{
    fm_slice domain = fm_request_text(request, FM_PARAMETER_book_domain, FM_SLICE("live"));
    uint32_t depth = (uint32_t)fm_request_number(request, FM_PARAMETER_book_depth, 10);
    fm_question *question = fm_question_open(request->h2o, "instrument");

    if (question == NULL)
        return;
    int result = fm_engine_books_json(request->loop->server->config.engine, domain, request->capture, depth,
                                      fm_question_done, question);
    if (result < 0)
        fm_question_fail(question, result);
}
