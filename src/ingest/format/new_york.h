/* ingest/format/new_york.h - New York wall clock to UTC by the US daylight rules since 1967, so that no tz database is
 * read. Daylight time (UTC-4) begins and ends at 02:00 of wall clock, else it is UTC-5:
 *
 *   2007 -     second Sunday of March to first Sunday of November   Energy Policy Act of 2005, Pub. L. 109-58, sec. 110
 *   1987-2006  first Sunday of April to last Sunday of October      Pub. L. 99-359 (1986)
 *   1967-1986  last Sunday of April to last Sunday of October       Uniform Time Act of 1966, Pub. L. 89-387
 *   1974, 1975 from 6 January and 23 February                       Pub. L. 93-182 (1973), Pub. L. 93-434 (1974) */
#ifndef FM_INGEST_FORMAT_NEW_YORK_H
#define FM_INGEST_FORMAT_NEW_YORK_H

#include <stdint.h>

/* Nanoseconds since 1970 UTC of the wall clock `ms` after midnight of a date from 1970 on. The hour that a clock shows
 * twice in autumn is taken for its first passing, the hour it skips in spring for the time it would have shown. */
int64_t fm_new_york_ns(int year, int month, int day, int64_t ms);

/* The same of a wall clock in nanoseconds, as if it were UTC. */
int64_t fm_new_york_of_wall_ns(int64_t wall_ns);

#endif
