/* net/ingest.h - a body of records on its way through the engine: one submission for an HTTP request or a WebSocket
 * message.
 *
 * The body is decoded in place, each record goes into the shard's intake, all are published at once. Submissions are
 * pooled; nothing is allocated for a record. The verdict comes later, on the same thread, from fm_shard_turn. */
#ifndef FM_NET_INGEST_H
#define FM_NET_INGEST_H

#include "net/loop.h"

typedef struct fm_refusal {
    uint32_t index;
    int32_t code;
    uint32_t text; /* offset of the sentence in `text`; UINT32_MAX = the code's own */
} fm_refusal;

/* Called once, on the loop's thread, with the whole verdict. `failed` < 0: there is none (timeout, shutdown). Not
 * called without owner. */
typedef void (*fm_submission_done)(fm_submission *submission, int failed);

struct fm_submission {
    fm_submission *previous, *next;
    fm_loop *loop;
    void *owner; /* NULL: whoever asked is gone; the verdict is for the counters only */
    fm_submission_done done;
    int64_t opened_ns; /* monotonic */
    int64_t receive_ns;
    bool waiting; /* the engine will answer */
    fm_format format;
    uint64_t number;  /* for the owner */
    uint32_t refused; /* by the decoder */
    bool torn;
    uint32_t refusal_count; /* listed */
    fm_refusal refusal[FM_REPLY_ERRORS_MAX];
    fm_text text;
    fm_text body; /* for the owner: what quarantine needs when the bytes themselves are gone */
    fm_reply reply;
};

/* Takes a body in. 1: nothing waits for the engine, the verdict is in *out now. 0: `done` will be called. Negative:
 * refused whole, *out untouched: FM_queue_full, FM_batch_too_large, FM_journal_full, FM_name_invalid (domain). */
int fm_ingest_submit(fm_loop *loop, fm_format format, fm_slice body, fm_slice domain, fm_submission_done done,
                     void *owner, fm_submission **out) FM_CHECKED;

/* The engine's refused records into quarantine: `body` is what was submitted. */
void fm_ingest_quarantine(fm_submission *submission, fm_slice body);

static inline uint32_t fm_submission_rejected(const fm_submission *s)
{
    return s->refused + s->reply.rejected;
}

/* {"index":…,"code":…,"message":…} of the first records refused, by index, at most `limit`, with commas; returns how
 * many. `number` > 0: each begins with "number", the message on a WebSocket. */
uint32_t fm_ingest_errors(const fm_submission *submission, uint32_t limit, uint64_t number, fm_text *out);
void fm_ingest_position(uint64_t touched, const uint64_t position[FM_PARTITION_COUNT],
                        fm_text *out); /* {"<partition>":<sequence>,…} */
/* The whole answer to POST /v1/ingest, without braces. */
void fm_ingest_answer(const fm_submission *submission, fm_text *out);

void fm_ingest_release(fm_submission *submission); /* after `done`, or after a 1 */
void fm_ingest_forget(fm_submission *submission);  /* the owner goes: no `done` any more */

void fm_ingest_sweep(fm_loop *loop);   /* FM_timeout for those that wait too long */
void fm_ingest_give_up(fm_loop *loop); /* FM_ESHUTDOWN for all */
void fm_ingest_fini(fm_loop *loop);

#endif
