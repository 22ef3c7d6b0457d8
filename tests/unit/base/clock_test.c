/* tests/unit/base/clock_test.c */
#include "assert_near.h"

#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"

#include <stdio.h>
#include <time.h>

static void times_are_printed_with_nine_decimals(void **unused)
{
    (void)unused;
    char out[40];
    fm_time_format(0, out);
    assert_string_equal(out, "1970-01-01T00:00:00.000000000Z");
    fm_time_format(INT64_C(1399033800000000000), out);
    assert_string_equal(out, "2014-05-02T12:30:00.000000000Z");
    fm_time_format(INT64_C(951782400123456789), out);
    assert_string_equal(out, "2000-02-29T00:00:00.123456789Z");
    fm_time_format(-1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.999999999Z");
    fm_time_format(INT64_MAX, out);
    assert_string_equal(out, "2262-04-11T23:47:16.854775807Z");
    fm_time_format(INT64_MIN, out);
    assert_string_equal(out, "1677-09-21T00:12:43.145224192Z");
}

static void any_second_is_printed_as_the_c_library_does(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 2);
    for (int i = 0; i < 20000; i++) {
        int64_t second = (int64_t)(fm_random_next(&random) >> 1) / FM_NS_PER_S * (i % 2 ? 1 : -1);
        time_t as_time = second;
        struct tm parts;
        char expected[64], out[40];
        gmtime_r(&as_time, &parts);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000000Z", &parts);
        fm_time_format(second * FM_NS_PER_S, out);
        assert_string_equal(out, expected);
    }
}

static void the_clocks_move_forward(void **unused)
{
    (void)unused;
    int64_t mono = fm_mono_ns(&fm_clock_system), cpu = fm_thread_cpu_ns();
    assert_true(fm_wall_ns(&fm_clock_system) > INT64_C(1700000000) * FM_NS_PER_S);
    volatile double burn = 0;
    for (int i = 0; i < 2000000; i++)
        burn = burn + i;
    assert_true(fm_mono_ns(&fm_clock_system) > mono);
    assert_true(fm_thread_cpu_ns() > cpu);
}

static int64_t fixed(void *context)
{
    return *(int64_t *)context;
}

static void another_clock_can_stand_in(void **unused)
{
    (void)unused;
    int64_t now = 42;
    fm_clock clock = {.wall_ns = fixed, .mono_ns = fixed, .context = &now};
    assert_int_equal(fm_wall_ns(&clock), 42);
    now = 43;
    assert_int_equal(fm_mono_ns(&clock), 43);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_printed_with_nine_decimals),
        cmocka_unit_test(any_second_is_printed_as_the_c_library_does),
        cmocka_unit_test(the_clocks_move_forward),
        cmocka_unit_test(another_clock_can_stand_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
