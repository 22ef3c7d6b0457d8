/* base/clock.c - the system's clocks, and times as text without the C library's time zones. */
#include "base/clock.h"

#include "base/event.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * FM_NS_PER_S + now.tv_nsec;
}

static int64_t wall_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

static int64_t mono_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

const fm_clock fm_clock_system = {.wall_ns = wall_ns, .mono_ns = mono_ns, .context = NULL};

int64_t fm_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* Days to a date by eras of 400 years that begin on 1 March (H. Hinnant, "chrono-compatible low-level date algorithms",
 * 2013). */
static void date_of_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

void fm_time_format(int64_t ts_ns, char out[40])
{
    int64_t seconds = ts_ns / FM_NS_PER_S, ns = ts_ns % FM_NS_PER_S;
    if (ns < 0) {
        ns += FM_NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400, second = seconds % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    int year, month, day;
    date_of_days(days, &year, &month, &day);
    snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", year, month, day, (int)(second / 3600),
             (int)(second / 60 % 60), (int)(second % 60), (int)ns);
}
