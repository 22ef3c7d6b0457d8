/* journal/dump.h - the journal as lines of JSON, one an event: how everyone debugs (`fmads journal dump`).
 *
 * Names (symbol, venue, channel, source, domain) and scales are taken from the dictionary records on the way, so prices
 * are printed as the decimals that they are; where retention has removed a dictionary record, the index and the integer
 * stand alone. Whole frames are checked as `fm_journal_read` checks them. */
#ifndef FM_JOURNAL_DUMP_H
#define FM_JOURNAL_DUMP_H

#include "journal/journal.h"

#include <stdio.h>

typedef struct fm_journal_dump_options {
    uint64_t partitions; /* a bit each */
    uint64_t from;       /* the first sequence that is printed; 0 and 1 are all */
    uint64_t limit;      /* lines at most */
} fm_journal_dump_options;

/* What `fm_journal_read` returns; FM_EIO when `out` takes no more. */
int fm_journal_dump(fm_journal *journal, const fm_journal_dump_options *options, FILE *out, fm_error *error) FM_CHECKED;

#endif
