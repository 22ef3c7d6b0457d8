/* net/route_stream.c - GET /v1/stream: is this a WebSocket handshake that we take? Host and Origin have been judged by
 * the router. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"
#include "net/websocket.h"

static fm_slice only_header(const h2o_req_t *request, const char *name)
{
    ssize_t at = h2o_find_header_by_str(&request->headers, name, strlen(name), -1);

    if (at < 0 || h2o_find_header_by_str(&request->headers, name, strlen(name), at) >= 0)
        return (fm_slice){NULL, 0};
    return (fm_slice){request->headers.entries[at].value.base, request->headers.entries[at].value.len};
}

void fm_route_stream(fm_request *request)
{
    h2o_req_t *h2o = request->h2o;
    fm_slice key = only_header(h2o, "sec-websocket-key");
    bool upgrade =
        h2o->upgrade.base != NULL && h2o_lcstris(h2o->upgrade.base, h2o->upgrade.len, H2O_STRLIT("websocket"));
    bool get = h2o->method.len == 3; /* not HEAD */

    if (!get || h2o->version != 0x101 || !upgrade ||
        !fm_slice_equal(only_header(h2o, "sec-websocket-version"), FM_SLICE("13"))) {
        fm_answer_header(h2o, "sec-websocket-version", "13");
        fm_answer_header(h2o, "upgrade", "websocket");
        fm_answer_problem(h2o, FM_upgrade_required, "this route speaks WebSocket version 13 over HTTP/1.1");
        return;
    }
    if (!fm_ws_key_is_valid(key)) {
        fm_answer_problem(h2o, FM_request_malformed, "Sec-WebSocket-Key must be given once, as 16 bytes in base64");
        return;
    }
    if (h2o->entity.len > 0) {
        fm_answer_problem(h2o, FM_request_malformed, "a WebSocket handshake has no body");
        return;
    }
    if (request->loop->stopping) {
        fm_answer_problem(h2o, FM_ESHUTDOWN, "no new WebSocket is taken");
        return;
    }
    fm_websocket_open(h2o, key, fm_request_text(request, FM_PARAMETER_stream_domain, FM_SLICE("")));
}
