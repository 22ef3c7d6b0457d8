/* net/route_instruments.c - GET /v1/instruments and …/{symbol}/latest: asked of the shards. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

#include "engine/query.h"

void fm_route_instruments(fm_request *request)
{
    fm_slice domain = fm_request_text(request, FM_PARAMETER_instruments_domain, FM_SLICE("live"));
    fm_slice after = fm_request_text(request, FM_PARAMETER_instruments_cursor, FM_SLICE(""));
    uint32_t limit = (uint32_t)fm_request_number(request, FM_PARAMETER_instruments_limit, 100);
    fm_question *question = fm_question_open(request->h2o, "list of instruments");

    if (question == NULL)
        return;
    int result = fm_engine_instruments_json(request->loop->server->config.engine, domain, after, limit,
                                            fm_question_done, question);
    if (result < 0)
        fm_question_fail(question, result);
}

void fm_route_latest(fm_request *request)
{
    fm_slice domain = fm_request_text(request, FM_PARAMETER_latest_domain, FM_SLICE("live"));
    fm_question *question = fm_question_open(request->h2o, "instrument");

    if (question == NULL)
        return;
    int result = fm_engine_latest_json(request->loop->server->config.engine, domain, request->capture, fm_question_done,
                                       question);
    if (result < 0)
        fm_question_fail(question, result);
}
