/* ingest/format/new_york.h - New York wall clock to UTC by the US daylight rule since 2007: daylight time (UTC-4) from
 * the second Sunday of March 02:00 to the first Sunday of November 02:00, else UTC-5. */
#ifndef FM_INGEST_FORMAT_NEW_YORK_H
#define FM_INGEST_FORMAT_NEW_YORK_H

#include <stdint.h>

#define FM_NEW_YORK_FIRST_YEAR 2007 /* other rules held before */

/* Nanoseconds since 1970 UTC of the wall clock `ms` after midnight of a date. The hour that a clock shows twice in
 * November is taken for its first passing, the hour it skips in March for the time it would have shown. */
int64_t fm_new_york_ns(int year, int month, int day, int64_t ms);

#endif
