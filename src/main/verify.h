/* main/verify.h - folds a journal again, from its beginning or its oldest snapshot, and compares what comes out with what the server wrote:
 * every snapshot byte for byte, every alert in the router's log id for id and body for body. For `fmads verify` and for tests. */
#ifndef FM_MAIN_VERIFY_H
#define FM_MAIN_VERIFY_H

#include "main/settings.h"

#include <stdint.h>
#include <stdio.h>

typedef struct fm_verdict {
    uint64_t entries, records;    /* folded */
    uint64_t snapshots;           /* partitions of snapshots compared */
    uint64_t alerts;              /* in the router's log, compared */
    uint64_t state_differences;   /* snapshots that are not what the fold gives */
    uint64_t alert_differences;   /* alerts that only one side has, or with another body */
} fm_verdict;

/* The first differences are written to `out` (may be NULL), a line each. FM_EBUSY while a server uses the directory. */
int fm_verify(const fm_settings *settings, FILE *out, fm_verdict *verdict, fm_error *error) FM_CHECKED;

#endif
