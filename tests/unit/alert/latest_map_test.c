/* tests/unit/alert/latest_map_test.c - newest values by symbol, and the pauses between attempts. */
#include "alert/backoff.h"
#include "alert/latest_map.h"
#include "assert_near.h"

#include <stdio.h>
#include <string.h>

static bool put(fm_latest_map *map, const char *symbol, const char *text)
{
    fm_redis_latest latest = {.symbol = fm_slice_of(symbol), .count = 1};
    latest.field[0] = FM_SLICE("price");
    latest.text[0] = fm_slice_of(text);
    return fm_latest_map_put(map, &latest);
}

static void the_newest_value_stays_and_the_order_is_that_of_the_first(void **unused)
{
    (void)unused;
    fm_latest_map map;
    assert_int_equal(fm_latest_map_init(&map, 3), 0);
    for (int round = 0; round < 3; round++) {
        assert_true(put(&map, "A", "1"));
        assert_true(put(&map, "B", "2"));
        assert_true(put(&map, "A", "a much longer value than the one before it"));
        assert_true(put(&map, "C", "3"));
        assert_false(put(&map, "D", "4"));
        assert_true(put(&map, "B", "5"));
        assert_int_equal(map.count, 3);
        assert_true(fm_slice_equal(map.latest[0].symbol, FM_SLICE("A")));
        assert_true(fm_slice_equal(map.latest[0].text[0], FM_SLICE("a much longer value than the one before it")));
        assert_true(fm_slice_equal(map.latest[1].text[0], FM_SLICE("5")));
        assert_true(fm_slice_equal(map.latest[2].symbol, FM_SLICE("C")));
        fm_latest_map_clear(&map);
        assert_int_equal(map.count, 0);
    }
    fm_latest_map_fini(&map);
}

static void many_symbols_are_found_again(void **unused)
{
    (void)unused;
    enum { COUNT = 5000 };
    fm_latest_map map;
    assert_int_equal(fm_latest_map_init(&map, COUNT), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            char symbol[16], text[16];
            snprintf(symbol, sizeof symbol, "S%d", i);
            snprintf(text, sizeof text, "%d", i + round);
            assert_true(put(&map, symbol, text));
        }
    }
    assert_int_equal(map.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i + 1);
        assert_true(fm_slice_equal(map.latest[i].text[0], fm_slice_of(text)));
    }
    fm_latest_map_fini(&map);
}

static void pauses_double_up_to_a_bound_and_are_never_less_than_half(void **unused)
{
    (void)unused;
    fm_backoff backoff = {.pause_ns_min = 100, .pause_ns_max = 5000, .state = 3};
    assert_true(fm_backoff_due(&backoff, 0));
    int64_t expected = 100, now = 1000;
    for (int i = 0; i < 50; i++) {
        int64_t waited = fm_backoff_failure(&backoff, now);
        assert_true(waited >= expected / 2 && waited <= expected);
        assert_false(fm_backoff_due(&backoff, now + waited - 1));
        now += waited;
        assert_true(fm_backoff_due(&backoff, now));
        expected = expected * 2 < 5000 ? expected * 2 : 5000;
    }
    fm_backoff_success(&backoff);
    assert_true(fm_backoff_due(&backoff, 0));
    assert_true(fm_backoff_failure(&backoff, now) <= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_value_stays_and_the_order_is_that_of_the_first),
        cmocka_unit_test(many_symbols_are_found_again),
        cmocka_unit_test(pauses_double_up_to_a_bound_and_are_never_less_than_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
