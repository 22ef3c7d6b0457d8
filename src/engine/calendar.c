/* engine/calendar.c - see the header. */
#include "engine/calendar.h"

#include "base/event.h"

#include <stdlib.h>

#define DAY_S 86400

static int64_t floor_day(int64_t s)
{
    return s >= 0 ? s / DAY_S : -((-s + DAY_S - 1) / DAY_S);
}

static int32_t offset_at(const fm_calendar *calendar, int64_t utc_s)
{
    uint32_t low = 0, high = calendar->offset_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (calendar->offset[middle].from_s <= utc_s)
            low = middle;
        else
            high = middle;
    }
    return calendar->offset[low].offset_s;
}

int64_t fm_calendar_utc_s(const fm_calendar *calendar, int64_t local_s)
{
    /* Of the offsets a day before and a day after, one is right: nothing changes twice within two days. */
    int32_t before = offset_at(calendar, local_s - DAY_S), after = offset_at(calendar, local_s + DAY_S);
    int64_t first = local_s - before, second = local_s - after;
    return offset_at(calendar, first) != before && offset_at(calendar, second) == after ? second : first;
}

static bool is_holiday(const fm_calendar *calendar, int64_t day)
{
    uint32_t low = 0, high = calendar->holiday_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (calendar->holiday[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < calendar->holiday_count && calendar->holiday[low] == day;
}

static const fm_calendar_half *half_of(const fm_calendar *calendar, int64_t day)
{
    for (uint32_t i = 0; i < calendar->half_count; i++)
        if (calendar->half[i].day == day)
            return &calendar->half[i];
    return NULL;
}

/* The session that ends on that local day, as its row says; false when there is none. */
static bool told_session(const fm_calendar *calendar, int64_t day, fm_calendar_span *out)
{
    const fm_calendar_session *session = &calendar->session[((day + 4) % 7 + 7) % 7]; /* 1970-01-01 was a Thursday */
    const fm_calendar_half *half = half_of(calendar, day);
    int16_t close = half != NULL ? half->close : session->close;
    if (session->open >= close || is_holiday(calendar, day))
        return false;
    *out = (fm_calendar_span){.begin_ns = fm_calendar_utc_s(calendar, day * DAY_S + 60 * session->open) * FM_NS_PER_S,
                              .end_ns = fm_calendar_utc_s(calendar, day * DAY_S + 60 * close) * FM_NS_PER_S,
                              .open = true,
                              .half_day = half != NULL};
    return out->begin_ns < out->end_ns;
}

/* One that would begin before the last one has ended begins then: no time is in two. */
static bool session_of(const fm_calendar *calendar, int64_t day, fm_calendar_span *out)
{
    fm_calendar_span before;
    if (!told_session(calendar, day, out))
        return false;
    if (told_session(calendar, day - 1, &before) && before.end_ns > out->begin_ns)
        out->begin_ns = before.end_ns;
    return out->begin_ns < out->end_ns;
}

/* Callers ask again when time has left the span, or have forgotten it: whatever time in it they ask about, the answer
 * must be the same. So all sessions that might begin in the day that a closed span lasts at most are looked at: of a
 * local day that a zone may skip, of that on which it ends, and of the next, which may begin the evening before. */
fm_calendar_span fm_calendar_at(const fm_calendar *calendar, int64_t ts_ns)
{
    fm_calendar_span session, closed = {.begin_ns = ts_ns};
    if (__builtin_add_overflow(ts_ns, DAY_S * FM_NS_PER_S, &closed.end_ns))
        closed.end_ns = INT64_MAX;
    int64_t utc_s = ts_ns >= 0 ? ts_ns / FM_NS_PER_S : -((-(ts_ns + 1)) / FM_NS_PER_S) - 1;
    int64_t day = floor_day(utc_s + offset_at(calendar, utc_s));
    for (int64_t d = day - 1; d <= day + 3; d++)
        if (session_of(calendar, d, &session)) {
            if (ts_ns >= session.begin_ns && ts_ns < session.end_ns)
                return session;
            if (ts_ns < session.begin_ns && session.begin_ns < closed.end_ns)
                closed.end_ns = session.begin_ns;
        }
    return closed;
}

void fm_calendar_fini(fm_calendar *calendar)
{
    free(calendar->offset);
    free(calendar->holiday);
    free(calendar->half);
    *calendar = (fm_calendar){0};
}
