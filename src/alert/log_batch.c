/* alert/log_batch.c - copying alerts out of the router's log. */
#include "alert/log_batch.h"

#include <stdlib.h>

int fm_log_batch_init(fm_log_batch *batch, uint32_t room, size_t bytes_max)
{
    fm_log_item *items = calloc(room, sizeof *items);
    if (items == NULL)
        return FM_ENOMEM;
    *batch = (fm_log_batch){.items = items, .room = room, .bytes_max = bytes_max};
    return 0;
}

void fm_log_batch_fini(fm_log_batch *batch)
{
    free(batch->items);
    fm_text_fini(&batch->text);
    *batch = (fm_log_batch){0};
}

/* The text may still move: until all is there a slice has a size only, and `settle` gives each its place, in the order
 * they were kept. */
static fm_slice keep(fm_log_batch *batch, fm_slice slice)
{
    fm_text_add(&batch->text, slice.data, slice.size);
    return (fm_slice){NULL, slice.size};
}

static int take(void *context, const fm_routed_alert *alert)
{
    fm_log_batch *batch = context;
    fm_log_item *item = &batch->items[batch->count++];
    item->router_sequence = alert->router_sequence;
    item->event_ns = alert->event_ns;
    item->severity = alert->severity;
    fm_hash128_hex(alert->id, item->id);
    item->symbol = keep(batch, alert->symbol);
    item->rule = keep(batch, alert->rule);
    item->domain = keep(batch, alert->domain);
    size_t before = batch->text.size;
    fm_routed_alert_json(alert, &batch->text);
    item->json = (fm_slice){NULL, batch->text.size - before};
    return batch->text.size >= batch->bytes_max;
}

static void settle(fm_log_batch *batch)
{
    const char *at = batch->text.data;
    for (uint32_t i = 0; i < batch->count; i++) {
        fm_slice *slices[] = {&batch->items[i].symbol, &batch->items[i].rule, &batch->items[i].domain,
                              &batch->items[i].json};
        for (size_t s = 0; s < sizeof slices / sizeof slices[0]; s++) {
            slices[s]->data = at;
            at += slices[s]->size;
        }
    }
}

int fm_log_batch_read(fm_log_batch *batch, fm_router *router, uint64_t after)
{
    batch->count = 0;
    fm_text_clear(&batch->text);
    FM_TRY(fm_router_read(router, after, batch->room, take, batch));
    settle(batch);
    return (int)batch->count;
}
