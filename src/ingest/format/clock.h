/* ingest/format/clock.h - the time of a row as files write it.
 *
 *   2014-01-02 09:30:00.000-05:00   RFC 3339, T or a space; without an offset a wall clock; seconds may be left out
 *   2014-01-02, 20140102            a date: 00:00 of a wall clock
 *   20140102 09:30                  a wall clock
 *   1388673000                      seconds, ms, us or ns since 1970, told by its size: from 1973 on in each */
#ifndef FM_INGEST_FORMAT_CLOCK_H
#define FM_INGEST_FORMAT_CLOCK_H

#include "base/slice.h"

#include <stdint.h>

typedef struct fm_file_time {
    int64_t wall_ns; /* as the clock in the row shows it, as if it were UTC */
    int64_t utc_ns;  /* where the row tells its zone, else wall_ns */
    int64_t unit_ns; /* of numbers: how long one is; else 0 */
    bool zoned;      /* the row tells its zone; numbers are UTC */
} fm_file_time;

bool fm_file_time_parse(fm_slice cell, fm_file_time *out); /* false when it is none of these */

#endif
