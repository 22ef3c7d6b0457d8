/* engine/calendar.h - when a venue trades: sessions by weekday in its own time zone, holidays, half days.
 *
 * A zone is the list of its offsets from UTC, taken from the tz database when the calendar was compiled
 * (main/reference_files.h): two machines with different time zone data fold one journal alike. A session belongs to the
 * weekday on which it ends; it may begin the evening before (futures), but not before the last one has ended. */
#ifndef FM_ENGINE_CALENDAR_H
#define FM_ENGINE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define FM_CALENDAR_NAME_MAX 31

typedef struct fm_calendar_offset {
    int64_t from_s; /* UTC seconds since 1970; INT64_MIN in the first */
    int32_t offset_s;
} fm_calendar_offset;

typedef struct fm_calendar_half {
    int32_t day;   /* local days since 1970 */
    int16_t close; /* minutes after local midnight */
} fm_calendar_half;

typedef struct fm_calendar_session { /* minutes after local midnight; open < 0 is the evening before; open = close: none
                                      */
    int16_t open, close;
} fm_calendar_session;

typedef struct fm_calendar {
    char name[FM_CALENDAR_NAME_MAX + 1];
    fm_calendar_session session[7]; /* by weekday, Sunday first */
    fm_calendar_offset *offset;     /* ascending, at least one */
    uint32_t offset_count;
    int32_t *holiday; /* local days, ascending */
    uint32_t holiday_count;
    fm_calendar_half *half; /* ascending by day */
    uint32_t half_count;
} fm_calendar;

typedef struct fm_calendar_span { /* a session, or a time between two */
    int64_t begin_ns, end_ns;     /* of an open one, the session; of a closed one, what is known of it: ts is inside */
    bool open;
    bool half_day;
} fm_calendar_span;

/* What ts lies in. A few dozen comparisons: callers keep the span and ask again when time has left it. */
fm_calendar_span fm_calendar_at(const fm_calendar *calendar, int64_t ts_ns);

/* The UTC second of a local one; of the two in the hour that is repeated in autumn, the first; in the hour that is
 * skipped in spring, the time that a clock without the change shows. */
int64_t fm_calendar_utc_s(const fm_calendar *calendar, int64_t local_s);

void fm_calendar_fini(fm_calendar *calendar);

#endif
