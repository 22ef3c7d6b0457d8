/* alert/log_batch.h - some alerts of the router's log, copied out, so that a slow store or network works on them at
 * leisure. */
#ifndef FM_ALERT_LOG_BATCH_H
#define FM_ALERT_LOG_BATCH_H

#include "alert/router.h"

typedef struct fm_log_item {
    uint64_t router_sequence;
    int64_t event_ns;
    uint32_t severity;
    char id[33];
    fm_slice symbol, rule, domain; /* into the batch */
    fm_slice json;                 /* as fm_routed_alert_json writes it */
} fm_log_item;

typedef struct fm_log_batch {
    fm_log_item *items;
    uint32_t count, room;
    size_t bytes_max;
    fm_text text;
} fm_log_batch;

int fm_log_batch_init(fm_log_batch *batch, uint32_t room, size_t bytes_max) FM_CHECKED;
void fm_log_batch_fini(fm_log_batch *batch);

/* Replaces the contents by what follows `after`: at most `room` alerts or about bytes_max. Returns their number;
 * failures of fm_router_read. */
int fm_log_batch_read(fm_log_batch *batch, fm_router *router, uint64_t after) FM_CHECKED;

#endif
