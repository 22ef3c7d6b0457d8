/* tool/report.h - `fmads eval report`: a page that shows scores over prices, with labelled events, and counts what was
 * found. */
#ifndef FM_TOOL_REPORT_H
#define FM_TOOL_REPORT_H

#include "base/error.h"

/* `fmads eval report`; argv[0] is "report". */
int fm_eval_report(int argc, char **argv);

/* `data` and `scores` are the folders that went into and came out of `fmads eval nab` or `events`; `labels` is the file
 * of windows; the page is written to the file `out`. */
int fm_report(const char *data, const char *scores, const char *labels, const char *out, fm_error *error) FM_CHECKED;

#endif
