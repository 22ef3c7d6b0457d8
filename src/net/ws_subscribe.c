/* net/ws_subscribe.c - following alerts: catch up in batches as fast as the client reads, then live; too slow is told
 * and cut. */
#include "net/websocket.h"

#include "net/server_internal.h"

static bool wanted(const fm_ws_filter *filter, const fm_stream_alert *alert)
{
    if (alert->severity < filter->severity_min)
        return false;
    if (filter->symbol[0] != '\0' && !fm_glob(fm_slice_of(filter->symbol), alert->symbol))
        return false;
    if (filter->rule[0] != '\0' && !fm_glob(fm_slice_of(filter->rule), alert->rule))
        return false;
    return filter->domain[0] == '\0' || fm_glob(fm_slice_of(filter->domain), alert->domain);
}

static void tell_position(fm_websocket *ws, const char *format, uint64_t a, uint64_t b)
{
    char text[160];
    int size = snprintf(text, sizeof(text), format, (unsigned long long)a, (unsigned long long)b);

    fm_websocket_tell(ws, (fm_slice){text, (size_t)size});
}

static void too_slow(fm_websocket *ws)
{
    fm_count(ws->loop->counters, FM_METRIC_WS_SLOW, 1);
    tell_position(ws, "{\"op\":\"slow_consumer\",\"topic\":\"alerts\",\"position\":%llu}", ws->seen, 0);
    fm_ws_unsubscribe(ws);
    fm_websocket_close(ws, 1013, "too slow: subscribe again from the position told");
}

static void give(fm_websocket *ws, const fm_stream_batch *batch)
{
    uint64_t limit = ws->loop->server->config.ws_queue_bytes_max;

    if (batch->gap_to > ws->seen)
        tell_position(ws, "{\"op\":\"gap\",\"topic\":\"alerts\",\"from\":%llu,\"to\":%llu}",
                      batch->gap_from > ws->seen ? batch->gap_from : ws->seen + 1, batch->gap_to);
    for (uint32_t i = 0; i < batch->count; i++) {
        const fm_stream_alert *alert = &batch->alert[i];
        if (alert->position <= ws->seen)
            continue;
        if (wanted(&ws->filter, alert)) {
            if (fm_websocket_unsent(ws) + alert->event.size > limit) {
                too_slow(ws);
                return;
            }
            fm_websocket_tell(ws, alert->event);
        }
        ws->seen = alert->position;
    }
    if (batch->last > ws->seen)
        ws->seen = batch->last;
}

static void take(fm_websocket *ws, const fm_stream_batch *batch)
{
    if (batch->failed < 0) {
        fm_websocket_close(ws, 1011, "the log of alerts could not be read");
        return;
    }
    if (ws->asked && !ws->live && batch->last < ws->seen) {
        fm_websocket_error(ws, FM_parameter_invalid,
                           "\"from\" lies beyond the newest position; the newest is taken instead", 0);
        ws->seen = batch->last;
    }
    give(ws, batch);
    if (ws->subscribed && ws->asked) {
        ws->asked = false;
        if (!ws->live && batch->caught_up) {
            ws->live = true;
            tell_position(ws, "{\"op\":\"subscribed\",\"topic\":\"alerts\",\"position\":%llu}", ws->seen, 0);
        }
        fm_ws_want_more(ws);
    }
    fm_websocket_attend(ws);
}

void fm_websocket_deliver(fm_loop *loop, uint64_t websocket, const fm_stream_batch *batch)
{
    for (fm_websocket *ws = loop->websockets; ws != NULL; ws = ws->next) {
        if (ws->dead || ws->closing || !ws->subscribed)
            continue;
        if (websocket == 0 ? ws->live : ws->id == websocket && ws->asked)
            take(ws, batch);
    }
}

void fm_ws_want_more(fm_websocket *ws)
{
    if (!ws->subscribed || ws->live || ws->asked || ws->closing)
        return;
    if (fm_websocket_unsent(ws) > ws->loop->server->config.ws_queue_bytes_max / 2)
        return; /* on_written comes back */
    ws->asked = true;
    fm_stream_follow(ws->loop->server->stream, ws->loop, ws->id, ws->seen);
}

void fm_ws_subscribe(fm_websocket *ws, const fm_ws_command *command)
{
    fm_ws_unsubscribe(ws);
    ws->filter = command->filter;
    ws->subscribed = true;
    ws->asked = true;
    ws->seen = command->has_from ? command->from : 0;
    ws->id = ++ws->loop->websocket_next_id; /* an answer to a question of the subscription before finds nobody */
    atomic_fetch_add(&ws->loop->subscribers, 1);
    fm_stream_follow(ws->loop->server->stream, ws->loop, ws->id, command->has_from ? command->from : UINT64_MAX);
}

void fm_ws_unsubscribe(fm_websocket *ws)
{
    if (ws->subscribed) {
        ws->subscribed = ws->live = ws->asked = false;
        atomic_fetch_sub(&ws->loop->subscribers, 1);
    }
}
