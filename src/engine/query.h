/* engine/query.h - what others may ask of the engine's state. Answers are JSON, made on the shards' threads. */
#ifndef FM_ENGINE_QUERY_H
#define FM_ENGINE_QUERY_H

#include "base/slice.h"
#include "base/text.h"
#include "engine/shard.h"

/* `done` is called once, on some shard's thread: pass the answer on to your own. `json` is valid during the call; result < 0: it is empty. It is not
 * called when the question itself fails (FM_EINVAL, FM_ESHUTDOWN), nor when the engine is destroyed before all shards have answered. */
typedef void (*fm_query_done)(void *context, int result, fm_slice json);

/* {"items":[{symbol, venue, domain, records, …}],"next":symbol|null}, sorted by symbol, those after `after`; limit 1..1000. */
int fm_engine_instruments_json(fm_engine *engine, fm_slice domain, fm_slice after, uint32_t limit, fm_query_done done, void *context) FM_CHECKED;

/* Latest values of one instrument: last trade, quote, value, and its features. FM_ENOTFOUND to `done` when it is not known. */
int fm_engine_latest_json(fm_engine *engine, fm_slice domain, fm_slice symbol, fm_query_done done, void *context) FM_CHECKED;

#define FM_QUERY_DEPTH_MAX 1000

/* Its order books, one for each venue that sends one, with the best `depth` levels of each side: {"symbol":…,"items":[{venue, bids, asks, …}]}. FM_ENOTFOUND
 * to `done` when the instrument is not known; no items when it has no book. */
int fm_engine_books_json(fm_engine *engine, fm_slice domain, fm_slice symbol, uint32_t depth, fm_query_done done, void *context) FM_CHECKED;

/* Rules of the current generation with their counters, last error, quarantine, and instruments that are not ready: {"items":[…]}. As of at most a second
 * ago; any thread; takes a short lock. */
void fm_engine_rules_json(fm_engine *engine, fm_text *out);

/* Latest values for the hot cache: name and text pairs. */
typedef struct fm_latest {
    fm_slice symbol;
    fm_slice field[16], text[16];
    uint32_t count;
} fm_latest;

#endif
