/* ingest/format/new_york.c - the daylight rule. */
#include "ingest/format/new_york.h"

#include "base/event.h"
#include "ingest/decode/time.h"

#define MS_PER_DAY  86400000
#define MS_PER_HOUR 3600000

/* Days since 1970 of the n-th Sunday of a month; 1970-01-01 was a Thursday. */
static int64_t nth_sunday(int year, int month, int nth)
{
    int64_t first = fm_days_from_civil(year, month, 1);
    int64_t weekday = (first + 4) % 7; /* 0 = Sunday; dates here are after 1970 */
    return first + (7 - weekday) % 7 + 7 * (nth - 1);
}

int64_t fm_new_york_ns(int year, int month, int day, int64_t ms)
{
    int64_t wall_ms = fm_days_from_civil(year, month, day) * MS_PER_DAY + ms;
    int64_t begin_ms = nth_sunday(year, 3, 2) * MS_PER_DAY + 2 * MS_PER_HOUR;
    int64_t end_ms = nth_sunday(year, 11, 1) * MS_PER_DAY + 2 * MS_PER_HOUR;
    int behind = wall_ms >= begin_ms && wall_ms < end_ms ? 4 : 5;
    return (wall_ms + behind * (int64_t)MS_PER_HOUR) * FM_NS_PER_MS;
}
