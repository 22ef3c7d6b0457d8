/* tool/report_labels.h - which windows of which files are labelled as anomalies: what a report draws and counts
 * against.
 *
 *   {"events": [{"file", "instrument", "start", "end", "at", "kind", "note", "optional"}, ...]}    market events
 *   {"folder/file.csv": [["from", "to"], ...], ...}                 the windows of the Numenta Anomaly Benchmark,
 *   {"folder/file.csv": {"windows": [["from", "to"], ...]}, ...}    or with more about each file
 *
 * Times as tool/table.h takes them, UTC. A window is [start, end); those of the benchmark include their last row. */
#ifndef FM_TOOL_REPORT_LABELS_H
#define FM_TOOL_REPORT_LABELS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_label {
    char *file, *instrument, *kind, *note; /* instrument, kind, note: "" when not given */
    int64_t start_ns, end_ns, at_ns;       /* at: best known time of the event, else start */
    bool optional;                         /* found or not, it counts neither way */
} fm_label;

typedef struct fm_labels {
    fm_label *label; /* by file, then start */
    int count;
    char **file; /* every file that is named, also those without a window; sorted */
    int file_count;
    bool windows; /* they are benchmark windows: scores from 0 to 1, an alarm at 0.5 */
} fm_labels;

int fm_labels_read(const char *path, fm_labels *out, fm_error *error) FM_CHECKED;
void fm_labels_fini(fm_labels *labels);

#endif
