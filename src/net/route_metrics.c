/* net/route_metrics.c - GET /metrics: the counter blocks of every thread, added up. */
#include "net/answer.h"
#include "net/prometheus.h"
#include "net/route.h"
#include "net/server_internal.h"

void fm_route_metrics(fm_request *request)
{
    const fm_server *server = request->loop->server;
    const fm_server_config *config = &server->config;
    const fm_counters *block[FM_SHARDS_MAX + 5];
    fm_text *out = &request->loop->scratch;
    uint32_t count = 0;

    for (uint32_t i = 0; i < server->loop_count; i++)
        block[count++] = server->loop[i].counters;
    block[count++] = fm_router_counters(config->router);
    block[count++] = config->archive != NULL ? fm_archive_counters(config->archive) : NULL;
    block[count++] = config->redis != NULL ? fm_sink_redis_counters(config->redis) : NULL;
    block[count++] = config->journal != NULL ? fm_journal_counters(config->journal) : NULL;
    block[count++] = config->rules_counters;

    fm_text_clear(out);
    fm_prometheus_counters(out, block, count);
    fm_prometheus_build(out, config->version);
    fm_prometheus_process(out);
    fm_answer(request->h2o, 200, "text/plain; version=0.0.4; charset=utf-8", (fm_slice){out->data, out->size});
}
