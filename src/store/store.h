/* store/store.h - where alerts are kept for questions: an interface; embedded/ (SQLite, WAL) is the first
 * implementation.
 *
 * The store is downstream of the router's log: whatever it lacks is written again from the log, so it may be deleted
 * and is rebuilt. One thread uses a store; calls may block on the disk. */
#ifndef FM_STORE_STORE_H
#define FM_STORE_STORE_H

#include "base/error.h"
#include "base/slice.h"
#include "base/text.h"

#include <stdint.h>

typedef struct fm_stored_alert {
    uint64_t router_sequence;
    fm_slice id; /* 32 hex digits */
    fm_slice symbol, rule, domain;
    uint32_t severity;
    int64_t event_ns;
    fm_slice json; /* the whole alert as GET /v1/alerts answers it */
} fm_stored_alert;

typedef struct fm_alert_query {
    fm_slice symbol, rule, domain; /* size 0 = any; exact */
    int64_t from_ns, to_ns;        /* event time, [from, to); 0 and INT64_MAX = any */
    uint32_t severity_min;
    uint64_t before; /* router sequences below this; 0 = from the newest. The cursor of paging */
    uint32_t limit;  /* 1..1000 */
} fm_alert_query;

typedef struct fm_store fm_store;
struct fm_store {
    /* All or nothing; an alert whose router_sequence or id is there already is left as it is. Moves the cursor to the
     * last one's. */
    int (*put_alerts)(fm_store *store, const fm_stored_alert *alerts, uint32_t count);
    int (*cursor)(fm_store *store, uint64_t *router_sequence); /* of the last alert stored; 0 = none */
    /* Appends a JSON array of the alerts, newest first; *next = cursor of the next page, 0 at the end. */
    int (*list_alerts)(fm_store *store, const fm_alert_query *query, fm_text *out, uint64_t *next);
    int (*get_alert)(fm_store *store, fm_slice id, fm_text *out); /* FM_ENOTFOUND */
    void (*close)(fm_store *store);
};

int fm_store_open_embedded(const char *path, fm_store **out, fm_error *error) FM_CHECKED; /* path of the SQLite file */

#endif
