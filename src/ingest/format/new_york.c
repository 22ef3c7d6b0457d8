/* ingest/format/new_york.c - the daylight rules. */
#include "ingest/format/new_york.h"

#include "base/event.h"
#include "ingest/decode/time.h"

#define S_PER_DAY  86400
#define S_PER_HOUR 3600

/* The first Sunday from a date on, as days since 1970; 1970-01-01 was a Thursday. */
static int64_t sunday_from(int year, int month, int day)
{
    int64_t days = fm_days_from_civil(year, month, day);
    return days + (10 - days % 7) % 7;
}

static int64_t first_day(int year)
{
    if (year >= 2007)
        return sunday_from(year, 3, 8);
    if (year >= 1987)
        return sunday_from(year, 4, 1);
    if (year == 1974)
        return fm_days_from_civil(year, 1, 6);
    return year == 1975 ? fm_days_from_civil(year, 2, 23) : sunday_from(year, 4, 24);
}

static int64_t last_day(int year)
{
    return year >= 2007 ? sunday_from(year, 11, 1) : sunday_from(year, 10, 25);
}

static int64_t utc_ns(int year, int64_t wall_ns)
{
    int64_t begin_ns = (first_day(year) * S_PER_DAY + 2 * S_PER_HOUR) * FM_NS_PER_S;
    int64_t end_ns = (last_day(year) * S_PER_DAY + 2 * S_PER_HOUR) * FM_NS_PER_S;
    int behind = wall_ns >= begin_ns && wall_ns < end_ns ? 4 : 5;
    return wall_ns + behind * S_PER_HOUR * FM_NS_PER_S;
}

int64_t fm_new_york_ns(int year, int month, int day, int64_t ms)
{
    return utc_ns(year, fm_days_from_civil(year, month, day) * S_PER_DAY * FM_NS_PER_S + ms * FM_NS_PER_MS);
}

int64_t fm_new_york_of_wall_ns(int64_t wall_ns)
{
    int64_t days = wall_ns / (S_PER_DAY * FM_NS_PER_S);
    int year = 1970 + (int)(days / 366); /* never too late, and hardly too early */
    while (fm_days_from_civil(year + 1, 1, 1) <= days)
        year++;
    return utc_ns(year, wall_ns);
}
