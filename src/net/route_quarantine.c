/* net/route_quarantine.c - GET /v1/quarantine: refused records of all threads, newest first.
 *
 * Each thread owns its ring, so each is asked in turn: the question travels from loop to loop, every one adds what it
 * has, and the last one sends it home. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

#include "net/ws_frame.h"

#include <stdlib.h>

typedef struct row {
    int64_t receive_ns;
    size_t at, size; /* in the gather's text */
} row;

typedef struct gather {
    fm_mail mail;
    fm_question *question;
    uint32_t asked, limit;
    fm_text text;
    row *row;
    uint32_t row_count;
} gather;

static void add_bytes(fm_text *out, const fm_quarantine_entry *entry)
{
    if (fm_utf8_is_valid((fm_slice){entry->data, entry->size}) || entry->size < entry->full_size) {
        fm_text_put(out, ",\"data\":"); /* a cut in the middle of a letter shows as U+FFFD */
        fm_text_json(out, (fm_slice){entry->data, entry->size});
        return;
    }
    fm_text_put(out, ",\"data_hex\":\"");
    for (uint32_t i = 0; i < entry->size; i++)
        fm_text_printf(out, "%02x", (unsigned char)entry->data[i]);
    fm_text_add(out, "\"", 1);
}

static void add_entry(gather *g, const fm_loop *loop, const fm_quarantine_entry *entry)
{
    size_t begin = g->text.size;
    char at[40];

    fm_time_format(entry->receive_ns, at);
    fm_text_printf(&g->text,
                   "{\"thread\":%u,\"number\":%llu,\"receive_time\":%lld,\"received\":\"%s\",\"code\":\"%s\",\"index\":"
                   "%u,\"message\":",
                   loop->index, (unsigned long long)entry->number, (long long)entry->receive_ns, at,
                   fm_error_name(entry->code), entry->index);
    fm_text_json(&g->text, fm_slice_of(entry->message));
    fm_text_printf(&g->text, ",\"size\":%u", entry->full_size);
    add_bytes(&g->text, entry);
    fm_text_add(&g->text, "}", 1);
    g->row[g->row_count++] = (row){entry->receive_ns, begin, g->text.size - begin};
}

static int newest_first(const void *a, const void *b)
{
    const row *left = a, *right = b;

    return left->receive_ns < right->receive_ns ? 1 : left->receive_ns > right->receive_ns ? -1 : 0;
}

static void finish(gather *g)
{
    fm_text *out = &g->question->text;

    qsort(g->row, g->row_count, sizeof(row), newest_first);
    fm_text_put(out, "{\"items\":[");
    for (uint32_t i = 0; i < g->row_count && i < g->limit; i++) {
        if (i > 0)
            fm_text_put(out, ",\n");
        fm_text_add(out, g->text.data + g->row[i].at, g->row[i].size);
    }
    fm_text_put(out, "],\"next\":null}\n");
    fm_question_answer(g->question);
    fm_text_fini(&g->text);
    free(g->row);
    free(g);
}

static void visit(fm_mail *mail, fm_loop *loop)
{
    gather *g = (gather *)mail;
    const fm_quarantine_entry **entry = calloc(g->limit, sizeof(*entry));
    row *rows = realloc(g->row, (g->row_count + g->limit) * sizeof(row));

    if (rows != NULL)
        g->row = rows;
    if (entry != NULL && rows != NULL) {
        uint32_t count = fm_quarantine_list(&loop->quarantine, 0, g->limit, entry);
        for (uint32_t i = 0; i < count; i++)
            add_entry(g, loop, entry[i]);
    }
    free(entry);
    if (++g->asked < loop->server->loop_count)
        fm_loop_post_take(&loop->server->loop[(loop->index + 1) % loop->server->loop_count], mail);
    else
        finish(g);
}

void fm_route_quarantine(fm_request *request)
{
    gather *g = calloc(1, sizeof(*g));

    if (g == NULL) {
        fm_answer_problem(request->h2o, FM_ENOMEM, "there is no memory for this list");
        return;
    }
    if ((g->question = fm_question_open(request->h2o, "list of refused records")) == NULL) {
        free(g);
        return;
    }
    g->mail.run = visit;
    g->limit = (uint32_t)fm_request_number(request, FM_PARAMETER_quarantine_limit, 100);
    visit(&g->mail, request->loop);
}
