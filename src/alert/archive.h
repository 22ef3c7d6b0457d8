/* alert/archive.h - the thread that owns the store: follows the router's log into it, and answers questions about
 * alerts.
 *
 * A question is run on this thread and its answer handed to `done` there; the caller's `done` passes it to its own
 * thread. Questions wait in a bounded queue (64; FM_EBUSY when full), so a slow disk never holds up a shard. */
#ifndef FM_ALERT_ARCHIVE_H
#define FM_ALERT_ARCHIVE_H

#include "alert/router.h"
#include "store/store.h"

typedef struct fm_archive fm_archive;

/* Takes the store (not on failure); `sink` is its cursor's number in the router. Start it before the router: a store
 * that knows of later alerts than a lost log then makes the router number behind them. */
int fm_archive_start_take(fm_router *router, fm_store *store, uint32_t sink, fm_archive **out) FM_CHECKED;
/* Drains the log first, unless the store fails; questions left get FM_ESHUTDOWN. Before fm_router_close. */
void fm_archive_stop(fm_archive *archive);

/* `result` < 0: failed, `json` is empty. `json` is the body of the answer, valid during the call. The query's slices
 * are copied; `done` is called exactly once for each question that was taken (answer 0), on the archive's thread. */
typedef void (*fm_archive_done)(void *context, int result, fm_slice json);
/* {"items":[…],"next":…} */
int fm_archive_list(fm_archive *archive, const fm_alert_query *query, fm_archive_done done, void *context) FM_CHECKED;
/* One alert; FM_ENOTFOUND. */
int fm_archive_get(fm_archive *archive, fm_slice id, fm_archive_done done, void *context) FM_CHECKED;

fm_counters *fm_archive_counters(fm_archive *archive);

#endif
