/* net/route_readyz.c - GET /readyz: may records be sent here? Reasons that do not stop ingest are "degraded" and leave
 * it ready. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

static void add(fm_text *out, bool when, const char *reason, int *count)
{
    if (when)
        fm_text_printf(out, "%s\"%s\"", (*count)++ > 0 ? "," : "", reason);
}

void fm_route_readyz(fm_request *request)
{
    fm_server *server = request->loop->server;
    const fm_server_config *config = &server->config;
    fm_text *out = &request->loop->scratch;
    int stops = 0, degraded = 0;

    fm_text_clear(out);
    fm_text_put(out, "],\"degraded\":[");
    add(out, config->redis != NULL && !fm_sink_redis_connected(config->redis), "redis_down", &degraded);
    fm_text_put(out, "]}\n");

    fm_text reasons = {NULL, 0, 0};
    add(&reasons, atomic_load(&server->running) < server->loop_count, "recovering", &stops);
    add(&reasons,
        config->journal != NULL && fm_counter(fm_journal_counters(config->journal), FM_METRIC_JOURNAL_FULL) != 0,
        "journal_full", &stops);
    add(&reasons, fm_router_behind(config->router) != 0, "router_behind", &stops);
    add(&reasons, atomic_load(&server->stopping), "stopping", &stops);

    fm_text answer = {NULL, 0, 0};
    fm_text_printf(&answer, "{\"status\":\"%s\",\"reasons\":[",
                   stops > 0      ? "unready"
                   : degraded > 0 ? "degraded"
                                  : "ready");
    fm_text_add(&answer, reasons.data, reasons.size);
    fm_text_add(&answer, out->data, out->size);
    if (stops > 0)
        fm_answer_header(request->h2o, "retry-after", "1");
    fm_answer_json(request->h2o, stops > 0 ? 503 : 200, (fm_slice){answer.data, answer.size});
    fm_text_fini(&answer);
    fm_text_fini(&reasons);
}
