/* ingest/decode/time.h - text to nanoseconds: civil time by RFC 3339 with the calendar it needs, and durations. */
#ifndef FM_INGEST_DECODE_TIME_H
#define FM_INGEST_DECODE_TIME_H

#include <stddef.h>
#include <stdint.h>

/* Days from 1970-01-01 of a date in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date
 * algorithms", 2013). */
int64_t fm_days_from_civil(int year, int month, int day);

/* Days in a month; 0 when month is not 1..12. */
int fm_days_in_month(int year, int month);

/* "2014-05-02T12:30:00.123456789Z" or with an offset such as -04:00; 't', 'z' and a space for the 'T' are taken too; at
 * most nine decimals; years 1678 to 2261, which int64 nanoseconds can hold. NULL and *ts_ns, or why it was refused (a
 * static text). */
const char *fm_time_parse(const char *text, size_t size, int64_t *ts_ns);

/* "1m", "1h30m", "1.5s": numbers with ns, us, ms, s, m, h, d or w behind each, as durations are written in rules and
 * settings. NULL and *span_ns, which is above 0 and at most FM_SPAN_MAX_NS, or why it was refused (a static text). */
#define FM_SPAN_MAX_NS (366 * 86400 * INT64_C(1000000000))
const char *fm_span_parse(const char *text, size_t size, int64_t *span_ns);

#endif
