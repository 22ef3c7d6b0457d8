/* net/ingest.c - decode, admit whole or refuse whole, and the verdict in words. */
#include "net/ingest.h"

#include "base/assert.h"
#include "net/server_internal.h"

#include <stdlib.h>

#define KEEP_BYTES 65536 /* text memory that a pooled submission keeps */

static fm_submission *open_submission(fm_loop *loop)
{
    if (loop->submission_count >= loop->server->config.requests_max)
        return NULL;
    fm_submission *s = loop->submissions_free;
    if (s != NULL)
        loop->submissions_free = s->next;
    else if ((s = calloc(1, sizeof(*s))) == NULL)
        return NULL;

    memset(s, 0, offsetof(fm_submission, refusal)); /* the texts behind keep their memory */
    fm_text_clear(&s->text);
    fm_text_clear(&s->body);
    memset(&s->reply, 0, offsetof(fm_reply, error));
    s->reply.touched = 0;
    s->reply.durable = true; /* of nothing */
    s->loop = loop;
    s->opened_ns = loop->now_ns;
    s->next = loop->submissions;
    if (s->next != NULL)
        s->next->previous = s;
    else
        loop->submissions_last = s;
    loop->submissions = s;
    loop->submission_count++;
    return s;
}

void fm_ingest_release(fm_submission *s)
{
    fm_loop *loop = s->loop;

    FM_ASSERT(!s->waiting);
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        loop->submissions = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
    else
        loop->submissions_last = s->previous;
    s->previous = NULL;
    s->next = loop->submissions_free;
    loop->submissions_free = s;
    loop->submission_count--;
    if (s->text.capacity > KEEP_BYTES)
        fm_text_fini(&s->text);
    if (s->body.capacity > KEEP_BYTES)
        fm_text_fini(&s->body);
}

void fm_ingest_forget(fm_submission *s)
{
    s->owner = NULL;
    if (!s->waiting)
        fm_ingest_release(s);
}

/* What the reply has, of what it could have: a message of one record would pay more for the copy than for its decoding.
 */
static void keep_reply(fm_reply *to, const fm_reply *from)
{
    memcpy(to, from, offsetof(fm_reply, error));
    for (uint32_t i = 0; i < from->error_count; i++)
        to->error[i] = from->error[i];
    to->touched = from->touched;
    for (uint64_t left = from->touched; left != 0; left &= left - 1) {
        int partition = __builtin_ctzll(left);
        to->position[partition] = from->position[partition];
    }
}

static void on_reply(void *context, const fm_reply *reply)
{
    fm_submission *s = context;

    keep_reply(&s->reply, reply);
    s->waiting = false;
    if (s->owner != NULL)
        s->done(s, 0);
    else
        fm_ingest_release(s);
}

/* The record's own sentence is kept: "price must be …" says more than the code. */
static void note_refusal(fm_submission *s, const fm_decoder *decoder, int code)
{
    s->refused++;
    if (s->refusal_count >= FM_REPLY_ERRORS_MAX)
        return;
    fm_refusal *r = &s->refusal[s->refusal_count++];
    *r = (fm_refusal){decoder->index, code, UINT32_MAX};
    if (decoder->error.message[0] != '\0') {
        r->text = (uint32_t)s->text.size;
        fm_text_add(&s->text, decoder->error.message, strlen(decoder->error.message) + 1);
    }
}

/* Every record of the body into *intake, which is opened at the first good one. Refusals are noted. */
static int decode_into(fm_submission *s, fm_decoder *decoder, fm_slice domain, fm_intake **intake)
{
    fm_loop *loop = s->loop;
    fm_record record;
    int result;

    while ((result = fm_decoder_next(decoder, &record)) != 0) {
        if (FM_UNLIKELY(result < 0)) {
            note_refusal(s, decoder, result);
            continue;
        }
        if (*intake == NULL && (*intake = fm_intake_open(loop->shard, domain, s->receive_ns)) == NULL)
            return FM_queue_full;
        if ((result = fm_intake_add(*intake, decoder->index, &record)) < 0)
            return result;
    }
    s->torn = decoder->torn;
    return 0;
}

static void quarantine(const fm_submission *s, int code, uint32_t index, const char *message, fm_slice bytes)
{
    fm_quarantine *q = &s->loop->quarantine;

    if (q->capacity == 0)
        return;
    fm_quarantine_add(q, s->receive_ns, code, index, message, bytes);
    fm_gauge(s->loop->counters, FM_METRIC_QUARANTINE, q->count < q->capacity ? q->count : q->capacity);
}

/* Counts what the decoder refused, once it is certain that the request as a whole is taken. The engine counts the rest.
 */
static void settle(fm_submission *s, fm_slice body)
{
    fm_loop *loop = s->loop;
    fm_decoder decoder;
    fm_record record;
    uint32_t kept = 0;
    int result;

    if (s->refused == 0)
        return;
    fm_count(loop->counters, FM_METRIC_RECEIVED, s->refused);
    fm_decoder_init(&decoder, s->format, body.data, body.size, &loop->server->config.limits);
    while ((result = fm_decoder_next(&decoder, &record)) != 0) {
        if (result > 0)
            continue;
        fm_count_rejected(loop->counters, result, 1);
        if (kept++ < FM_REPLY_ERRORS_MAX)
            quarantine(s, result, decoder.index, decoder.error.message, decoder.record);
    }
}

int fm_ingest_submit(fm_loop *loop, fm_format format, fm_slice body, fm_slice domain, fm_submission_done done,
                     void *owner, fm_submission **out)
{
    fm_submission *s = open_submission(loop);
    fm_decoder *decoder = &loop->decoder[format];
    fm_intake *intake = NULL;

    if (s == NULL) {
        fm_count(loop->counters, FM_METRIC_REQUESTS_REFUSED, 1);
        return FM_queue_full;
    }
    s->owner = owner;
    s->done = done;
    s->format = format;
    s->receive_ns = fm_wall_ns(&loop->server->config.clock);
    fm_decoder_next_body(decoder, body.data, body.size);
    int result = decode_into(s, decoder, domain, &intake);
    if (result < 0) {
        fm_count(loop->counters, FM_METRIC_REQUESTS_REFUSED, 1);
        if (intake != NULL)
            fm_intake_abort(intake);
    } else if (intake != NULL && (result = fm_intake_publish(intake, on_reply, s)) == 0) { /* counts its own refusals */
        s->waiting = true;
        fm_loop_expect_turn(loop);
    }
    if (result < 0) {
        fm_ingest_release(s);
        return result;
    }
    settle(s, body);
    *out = s;
    return s->waiting ? 0 : 1;
}

/* The engine knows a refused record by its index only, so the body is walked once more, as far as the last one listed.
 */
void fm_ingest_quarantine(fm_submission *s, fm_slice body)
{
    const fm_reply *reply = &s->reply;
    fm_decoder decoder;
    fm_record record;
    uint32_t at = 0;

    if (reply->error_count == 0)
        return;
    fm_decoder_init(&decoder, s->format, body.data, body.size, &s->loop->server->config.limits);
    for (const char *begin = decoder.at; at < reply->error_count; begin = decoder.at) {
        int result = body.size > 0 ? fm_decoder_next(&decoder, &record) : 0;
        if (result == 0)
            break;
        if (result < 0 || decoder.index < reply->error[at].index)
            continue;
        fm_slice bytes = {begin, (size_t)(decoder.at - begin)};
        while (bytes.size > 0 && strchr(", \t\r\n[", bytes.data[0]) != NULL && s->format != FM_FORMAT_MSGPACK)
            bytes.data++, bytes.size--;
        while (at < reply->error_count && reply->error[at].index < decoder.index)
            at++;
        if (at < reply->error_count && reply->error[at].index == decoder.index) {
            int code = reply->error[at++].code;
            quarantine(s, code, decoder.index, fm_error_text(code), bytes);
        }
    }
    for (; at < reply->error_count; at++)
        quarantine(s, reply->error[at].code, reply->error[at].index, fm_error_text(reply->error[at].code),
                   (fm_slice){NULL, 0});
}

/* Every answer has some, a batch over all partitions 64: printf would cost more than the decoding of fifty records. */
static void put_number(fm_text *out, uint64_t value)
{
    char digits[20], *at = digits + sizeof(digits);

    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    fm_text_add(out, at, (size_t)(digits + sizeof(digits) - at));
}

uint32_t fm_ingest_errors(const fm_submission *s, uint32_t limit, uint64_t number, fm_text *out)
{
    const fm_reply *reply = &s->reply;
    uint32_t mine = 0, theirs = 0, count = 0;

    for (; count < limit && (mine < s->refusal_count || theirs < reply->error_count); count++) {
        bool own = theirs >= reply->error_count ||
                   (mine < s->refusal_count && s->refusal[mine].index <= reply->error[theirs].index);
        uint32_t index = own ? s->refusal[mine].index : reply->error[theirs].index;
        int code = own ? s->refusal[mine].code : reply->error[theirs].code;
        const char *message =
            own && s->refusal[mine].text != UINT32_MAX ? s->text.data + s->refusal[mine].text : fm_error_text(code);
        if (own)
            mine++;
        else
            theirs++;
        fm_text_put(out, count > 0 ? ",{" : "{");
        if (number > 0)
            fm_text_printf(out, "\"number\":%llu,", (unsigned long long)number);
        fm_text_printf(out, "\"index\":%u,\"code\":\"%s\",\"message\":", index, fm_error_name(code));
        fm_text_json(out, fm_slice_of(message));
        fm_text_add(out, "}", 1);
    }
    return count;
}

void fm_ingest_position(uint64_t touched, const uint64_t position[FM_PARTITION_COUNT], fm_text *out)
{
    bool first = true;

    fm_text_add(out, "{", 1);
    for (uint64_t left = touched; left != 0; left &= left - 1, first = false) {
        unsigned partition = (unsigned)__builtin_ctzll(left);
        fm_text_put(out, first ? "\"" : ",\"");
        put_number(out, partition);
        fm_text_add(out, "\":", 2);
        put_number(out, position[partition]);
    }
    fm_text_add(out, "}", 1);
}

void fm_ingest_answer(const fm_submission *s, fm_text *out)
{
    fm_text_put(out, "\"accepted\":");
    put_number(out, s->reply.accepted);
    fm_text_put(out, ",\"rejected\":");
    put_number(out, fm_submission_rejected(s));
    fm_text_put(out, ",\"duplicate\":");
    put_number(out, s->reply.duplicate);
    fm_text_put(out, ",\"errors\":[");
    fm_ingest_errors(s, FM_REPLY_ERRORS_MAX, 0, out);
    fm_text_put(out, s->reply.durable ? "],\"durable\":true,\"position\":" : "],\"durable\":false,\"position\":");
    fm_ingest_position(s->reply.touched, s->reply.position, out);
}

static void fail(fm_submission *s, int code)
{
    if (s->owner != NULL) {
        fm_submission_done done = s->done;
        done(s, code);
        s->owner = NULL;
    }
}

void fm_ingest_sweep(fm_loop *loop)
{
    int64_t limit = loop->server->config.request_timeout_ns;

    for (fm_submission *s = loop->submissions_last, *before; s != NULL && loop->now_ns - s->opened_ns > limit;
         s = before) {
        before = s->previous;
        if (s->waiting)
            fail(s, FM_timeout);
    }
}

void fm_ingest_give_up(fm_loop *loop)
{
    for (fm_submission *s = loop->submissions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->waiting)
            fail(s, FM_ESHUTDOWN);
    }
}

static void free_list(fm_submission *s)
{
    for (fm_submission *next; s != NULL; s = next) {
        next = s->next;
        fm_text_fini(&s->text);
        fm_text_fini(&s->body);
        free(s);
    }
}

void fm_ingest_fini(fm_loop *loop)
{
    free_list(loop->submissions_free);
    free_list(loop->submissions);
    loop->submissions = loop->submissions_free = NULL;
}
