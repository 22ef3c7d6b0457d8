/* net/route_healthz.c - GET /healthz: the process runs and its loop turns. */
#include "net/answer.h"
#include "net/route.h"

void fm_route_healthz(fm_request *request)
{
    fm_answer_json(request->h2o, 200, FM_SLICE("{\"status\":\"ok\"}\n"));
}
