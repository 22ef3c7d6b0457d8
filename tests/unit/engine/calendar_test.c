/* tests/unit/engine/calendar_test.c - sessions across daylight changes, nights and holidays. */
#include "engine/calendar.h"

#include "assert_near.h"
#include "base/event.h"
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

/* UTC seconds of a civil time. */
static int64_t at(int year, int month, int day, int hour, int minute)
{
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, yoe = y - 400 * era;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = 146097 * era + 365 * yoe + yoe / 4 - yoe / 100 + doy - 719468;
    return 86400 * days + 3600 * hour + 60 * minute;
}

static int64_t ns(int64_t s)
{
    return s * FM_NS_PER_S;
}

static void load_zone(fm_calendar *calendar, const char *name)
{
    fm_zone_offset *offset;
    fm_error error = {0};
    if (fm_zone_read(name, at(1990, 1, 1, 0, 0), &offset, &calendar->offset_count, &error) < 0)
        fail_msg("%s", error.message);
    calendar->offset = calloc(calendar->offset_count, sizeof(*calendar->offset));
    for (uint32_t i = 0; i < calendar->offset_count; i++)
        calendar->offset[i] = (fm_calendar_offset){offset[i].from_s, offset[i].offset_s};
    free(offset);
}

static void make_stocks(fm_calendar *calendar)
{
    *calendar = (fm_calendar){.name = "XNYS"};
    for (int day = 1; day <= 5; day++)
        calendar->session[day] = (fm_calendar_session){570, 960};
    load_zone(calendar, "America/New_York");
    calendar->holiday = calloc(1, sizeof(int32_t));
    calendar->holiday[calendar->holiday_count++] = (int32_t)(at(2024, 7, 4, 0, 0) / 86400);
    calendar->half = calloc(1, sizeof(fm_calendar_half));
    calendar->half[calendar->half_count++] = (fm_calendar_half){(int32_t)(at(2024, 7, 3, 0, 0) / 86400), 780};
}

static void a_session_opens_at_half_past_nine_in_summer_and_in_winter(void **unused)
{
    (void)unused;
    fm_calendar stocks;
    make_stocks(&stocks);
    fm_calendar_span winter = fm_calendar_at(&stocks, ns(at(2024, 3, 8, 15, 0))),
                     summer = fm_calendar_at(&stocks, ns(at(2024, 3, 11, 15, 0)));
    assert_true(winter.open && summer.open);
    assert_int_equal(winter.begin_ns, ns(at(2024, 3, 8, 14, 30)));
    assert_int_equal(winter.end_ns, ns(at(2024, 3, 8, 21, 0)));
    assert_int_equal(summer.begin_ns, ns(at(2024, 3, 11, 13, 30)));
    assert_int_equal(summer.end_ns, ns(at(2024, 3, 11, 20, 0)));
    assert_true(fm_calendar_at(&stocks, winter.begin_ns).open);
    assert_false(fm_calendar_at(&stocks, winter.begin_ns - 1).open);
    assert_false(fm_calendar_at(&stocks, winter.end_ns).open);
    fm_calendar_fini(&stocks);
}

static void a_closed_span_ends_when_the_next_session_opens(void **unused)
{
    (void)unused;
    fm_calendar stocks;
    make_stocks(&stocks);
    fm_calendar_span night = fm_calendar_at(&stocks, ns(at(2024, 5, 7, 23, 0))),
                     weekend = fm_calendar_at(&stocks, ns(at(2024, 5, 11, 12, 0)));
    assert_int_equal(night.end_ns, ns(at(2024, 5, 8, 13, 30)));
    assert_false(weekend.open);
    int64_t seen =
        ns(at(2024, 5, 11, 12, 0)); /* asked again whenever time leaves what is known, it leads to Monday's open */
    while (!weekend.open) {
        assert_true(weekend.end_ns > seen);
        seen = weekend.end_ns;
        weekend = fm_calendar_at(&stocks, seen);
    }
    assert_int_equal(seen, ns(at(2024, 5, 13, 13, 30)));
    fm_calendar_fini(&stocks);
}

static void holidays_have_no_session_and_half_days_close_early(void **unused)
{
    (void)unused;
    fm_calendar stocks;
    make_stocks(&stocks);
    assert_false(fm_calendar_at(&stocks, ns(at(2024, 7, 4, 15, 0))).open);
    fm_calendar_span half = fm_calendar_at(&stocks, ns(at(2024, 7, 3, 16, 0)));
    assert_true(half.open && half.half_day);
    assert_int_equal(half.end_ns, ns(at(2024, 7, 3, 17, 0)));
    assert_false(fm_calendar_at(&stocks, ns(at(2024, 7, 2, 16, 0))).half_day);
    fm_calendar_fini(&stocks);
}

static void a_session_may_begin_the_evening_before(void **unused)
{
    (void)unused;
    fm_calendar futures = {.name = "XCME"};
    for (int day = 1; day <= 5; day++)
        futures.session[day] = (fm_calendar_session){-420, 960}; /* 17:00 the evening before to 16:00, Chicago */
    load_zone(&futures, "America/Chicago");
    fm_calendar_span sunday = fm_calendar_at(&futures, ns(at(2023, 12, 17, 23, 30)));
    assert_true(sunday.open);
    assert_int_equal(sunday.begin_ns, ns(at(2023, 12, 17, 23, 0)));
    assert_int_equal(sunday.end_ns, ns(at(2023, 12, 18, 22, 0)));
    assert_false(fm_calendar_at(&futures, ns(at(2023, 12, 18, 22, 30))).open); /* the hour between two */
    assert_true(fm_calendar_at(&futures, ns(at(2023, 12, 18, 23, 0))).open);
    assert_false(fm_calendar_at(&futures, ns(at(2023, 12, 16, 12, 0))).open);
    /* The night in which the clocks change has 22 hours. */
    fm_calendar_span spring = fm_calendar_at(&futures, ns(at(2024, 3, 11, 12, 0)));
    assert_int_equal((spring.end_ns - spring.begin_ns) / ns(3600), 23);
    fm_calendar_fini(&futures);
}

/* Whoever asks once keeps the answer while time is in it, and whoever has forgotten it asks again: they must hear the
 * same. */
static void an_answer_holds_for_all_of_its_span(void **unused)
{
    (void)unused;
    fm_calendar futures = {.name = "XCME"};
    for (int day = 1; day <= 5; day++)
        futures.session[day] = (fm_calendar_session){-420, 960};
    load_zone(&futures, "America/Chicago");
    fm_calendar_span saturday = fm_calendar_at(&futures, ns(at(2023, 12, 17, 1, 0))); /* 19:00 of Saturday there */
    assert_false(saturday.open);
    assert_int_equal(saturday.end_ns, ns(at(2023, 12, 17, 23, 0))); /* Sunday's open, not a day later */
    futures.session[2].open = -600; /* Tuesday's begins at 14:00 of Monday, while Monday's goes on until 16:00 */
    fm_calendar_span kept = {0};
    for (int64_t ts = at(2024, 3, 1, 0, 0); ts < at(2024, 3, 20, 0, 0); ts += 617) {
        fm_calendar_span fresh = fm_calendar_at(&futures, ns(ts));
        if (ns(ts) < kept.begin_ns || ns(ts) >= kept.end_ns)
            kept = fresh;
        assert_int_equal(kept.open, fresh.open);
        if (fresh.open)
            assert_true(kept.begin_ns == fresh.begin_ns && kept.end_ns == fresh.end_ns);
    }
    fm_calendar_fini(&futures);
}

static void local_times_become_utc_also_where_clocks_change(void **unused)
{
    (void)unused;
    fm_calendar zone = {0};
    load_zone(&zone, "America/New_York");
    assert_int_equal(fm_calendar_utc_s(&zone, at(2024, 1, 15, 12, 0)), at(2024, 1, 15, 17, 0));
    assert_int_equal(fm_calendar_utc_s(&zone, at(2024, 7, 15, 12, 0)), at(2024, 7, 15, 16, 0));
    assert_int_equal(fm_calendar_utc_s(&zone, at(2024, 3, 10, 1, 59)), at(2024, 3, 10, 6, 59));
    assert_int_equal(fm_calendar_utc_s(&zone, at(2024, 3, 10, 3, 0)), at(2024, 3, 10, 7, 0));
    assert_int_equal(fm_calendar_utc_s(&zone, at(2024, 11, 3, 1, 30)), at(2024, 11, 3, 5, 30)); /* of two, the first */
    assert_int_equal(fm_calendar_utc_s(&zone, at(2024, 11, 3, 2, 0)), at(2024, 11, 3, 7, 0));
    assert_int_equal(fm_calendar_utc_s(&zone, at(1995, 4, 2, 12, 0)),
                     at(1995, 4, 2, 16, 0)); /* first Sunday of April, then */
    fm_calendar_fini(&zone);
}

static void a_zone_that_is_none_is_refused(void **unused)
{
    (void)unused;
    static const char *const WRONG[] = {"America/Gotham", "../passwd", "/etc/passwd", "", "tzdata.zi"};
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        fm_zone_offset *offset;
        uint32_t count;
        fm_error error = {0};
        assert_true(fm_zone_read(WRONG[i], 0, &offset, &count, &error) < 0);
        assert_true(error.message[0] != '\0');
    }
    fm_zone_offset *utc;
    uint32_t count;
    fm_error error = {0};
    assert_int_equal(fm_zone_read("UTC", 0, &utc, &count, &error), 0);
    assert_int_equal(count, 1);
    assert_int_equal(utc[0].offset_s, 0);
    free(utc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_opens_at_half_past_nine_in_summer_and_in_winter),
        cmocka_unit_test(a_closed_span_ends_when_the_next_session_opens),
        cmocka_unit_test(holidays_have_no_session_and_half_days_close_early),
        cmocka_unit_test(a_session_may_begin_the_evening_before),
        cmocka_unit_test(an_answer_holds_for_all_of_its_span),
        cmocka_unit_test(local_times_become_utc_also_where_clocks_change),
        cmocka_unit_test(a_zone_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
