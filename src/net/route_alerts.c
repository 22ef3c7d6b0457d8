/* net/route_alerts.c - GET /v1/alerts and /v1/alerts/{id}: asked of the archive's thread. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

void fm_route_alerts(fm_request *request)
{
    fm_alert_query query = {
        .symbol = fm_request_text(request, FM_PARAMETER_alerts_symbol, FM_SLICE("")),
        .rule = fm_request_text(request, FM_PARAMETER_alerts_rule, FM_SLICE("")),
        .domain = fm_request_text(request, FM_PARAMETER_alerts_domain, FM_SLICE("")),
        .from_ns = fm_request_number(request, FM_PARAMETER_alerts_from, 0),
        .to_ns = fm_request_number(request, FM_PARAMETER_alerts_to, INT64_MAX),
        .severity_min = (uint32_t)fm_request_number(request, FM_PARAMETER_alerts_severity_min, 0),
        .before = (uint64_t)fm_request_number(request, FM_PARAMETER_alerts_cursor, 0),
        .limit = (uint32_t)fm_request_number(request, FM_PARAMETER_alerts_limit, 100),
    };
    fm_question *question = fm_question_open(request->h2o, "list of alerts");

    if (question == NULL)
        return;
    int result = fm_archive_list(request->loop->server->config.archive, &query, fm_question_done, question);
    if (result < 0)
        fm_question_fail(question, result);
}

void fm_route_alert(fm_request *request)
{
    fm_question *question = fm_question_open(request->h2o, "alert");

    if (question == NULL)
        return;
    int result = fm_archive_get(request->loop->server->config.archive, request->capture, fm_question_done, question);
    if (result < 0)
        fm_question_fail(question, result);
}
