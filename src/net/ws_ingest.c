/* net/ws_ingest.c - records on a WebSocket: numbers, verdicts in order, cumulative acks. */
#include "net/websocket.h"

#include "net/ingest.h"

#define COPY_BYTES 65536 /* of a message, for quarantine: the bytes are gone when the engine's verdict comes */

/* The verdict of number answered + 1, and of all behind it that came before their turn. */
static void advance(fm_websocket *ws)
{
    for (fm_ws_slot *slot;
         ws->answered < ws->received && (slot = &ws->slot[(ws->answered + 1) % FM_WS_WINDOW])->answered;) {
        fm_submission *s = slot->submission;
        ws->answered++;
        *slot = (fm_ws_slot){NULL, false};
        ws->ack_due = true;
        if (s == NULL)
            continue;
        ws->accepted += s->reply.accepted;
        ws->duplicate += s->reply.duplicate;
        ws->rejected += fm_submission_rejected(s);
        ws->durable &= s->reply.durable;
        for (uint64_t left = s->reply.touched; left != 0; left &= left - 1) {
            int partition = __builtin_ctzll(left);
            ws->position[partition] = s->reply.position[partition];
        }
        ws->touched |= s->reply.touched;
        if (ws->error_count < FM_REPLY_ERRORS_MAX && fm_submission_rejected(s) > 0) {
            if (ws->error_count > 0)
                fm_text_add(&ws->errors, ",", 1);
            ws->error_count += fm_ingest_errors(s, FM_REPLY_ERRORS_MAX - ws->error_count, ws->answered, &ws->errors);
        }
        fm_ingest_release(s);
    }
    fm_websocket_attend(ws);
}

static void on_done(fm_submission *s, int failed)
{
    fm_websocket *ws = s->owner;
    fm_ws_slot *slot = &ws->slot[s->number % FM_WS_WINDOW];

    slot->answered = true;
    if (failed < 0) { /* the submission stays behind, without owner */
        slot->submission = NULL;
        fm_websocket_error(ws, failed,
                           "these records may or may not be accepted later; without src and n a retry may double them",
                           s->number);
    } else if (s->reply.error_count > 0) {
        fm_ingest_quarantine(s, (fm_slice){s->body.data != NULL ? s->body.data : "", s->body.size});
    }
    advance(ws);
}

int fm_ws_ingest(fm_websocket *ws, fm_format format, fm_slice records, fm_slice whole)
{
    fm_slice domain = {ws->domain, strlen(ws->domain)};
    fm_submission *submission = NULL;
    int result = fm_ingest_submit(ws->loop, format, records, domain, on_done, ws, &submission);

    if (result == FM_queue_full)
        return result;
    uint64_t number = ++ws->received;
    fm_ws_slot *slot = &ws->slot[number % FM_WS_WINDOW];
    *slot = (fm_ws_slot){submission, result != 0};
    if (submission != NULL) {
        submission->number = number;
        if (result == 0 && whole.size <= COPY_BYTES)
            fm_text_add(&submission->body, whole.data, whole.size);
    }
    if (result < 0)
        fm_websocket_error(ws, result, fm_error_text(result), number);
    if (result != 0)
        advance(ws);
    return 0;
}

void fm_ws_forget_submissions(fm_websocket *ws)
{
    for (uint32_t i = 0; i < FM_WS_WINDOW; i++) {
        if (ws->slot[i].submission != NULL)
            fm_ingest_forget(ws->slot[i].submission);
        ws->slot[i] = (fm_ws_slot){NULL, false};
    }
    ws->answered = ws->received;
}

void fm_ws_write_ack(fm_websocket *ws)
{
    fm_text *out = &ws->loop->scratch;

    ws->ack_due = false;
    fm_text_clear(out);
    fm_text_printf(
        out, "{\"op\":\"ack\",\"messages\":%llu,\"accepted\":%llu,\"rejected\":%llu,\"duplicate\":%llu,\"errors\":[",
        (unsigned long long)ws->answered, (unsigned long long)ws->accepted, (unsigned long long)ws->rejected,
        (unsigned long long)ws->duplicate);
    fm_text_add(out, ws->errors.data, ws->errors.size);
    fm_text_printf(out, "],\"durable\":%s,\"position\":", ws->durable ? "true" : "false");
    fm_ingest_position(ws->touched, ws->position, out);
    fm_text_add(out, "}", 1);
    fm_websocket_tell(ws, (fm_slice){out->data, out->size});
    ws->touched = 0;
    ws->durable = true;
    ws->error_count = 0;
    fm_text_clear(&ws->errors);
}
