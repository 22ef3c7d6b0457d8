/* tool/eval_events.h - files of market data through the detector `market`: a score for every record, and for silences.
 *
 * Columns time_ns,score and, where the file has a column Name, instrument. A score depends on the records up to it
 * alone. Where nothing comes for 3, 5 and 9 usual intervals in hours that are busy in other weeks, a row between the
 * records tells the score of the silence. Of several columns of prices the largest score less log10 of their number
 * counts. What has no score (the first bars, a missing price) gets 0. */
#ifndef FM_TOOL_EVAL_EVENTS_H
#define FM_TOOL_EVAL_EVENTS_H

#include "tool/eval_file.h"

fm_eval_file fm_eval_events;

/* Calls `each` with every value of a key "file" in the JSON at `path`, once for each; nothing else of it is read. */
int fm_eval_events_list(const char *path, int (*each)(void *context, const char *file, fm_error *error), void *context,
                        fm_error *error) FM_CHECKED;

#endif
