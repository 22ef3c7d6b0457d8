/* tests/unit/base/event_test.c */
#include "assert_near.h"

#include "base/event.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strtod rounds the decimal text correctly; one division must give the same bits. */
static void decimals_are_the_doubles_nearest_to_their_text(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 1);
    for (int i = 0; i < 200000; i++) {
        int64_t integer =
            (int64_t)fm_random_below(&random, (uint64_t)FM_MAGNITUDE_MAX + 1) >> fm_random_below(&random, 50);
        int scale = (int)fm_random_below(&random, FM_SCALE_MAX + 1);
        if (i % 2 == 1)
            integer = -integer;
        char text[64];
        snprintf(text, sizeof(text), "%llde-%d", (long long)integer, scale);
        if (fm_decimal(integer, scale) != strtod(text, NULL))
            fail_msg("%s gives %.17g", text, fm_decimal(integer, scale));
    }
    assert_true(fm_decimal(138512, 5) == 1.38512);
    assert_true(fm_decimal(FM_MAGNITUDE_MAX, 0) == 9007199254740992.0);
    assert_true(fm_decimal(0, 9) == 0.0);
}

static void an_absent_decimal_is_nan_at_every_scale(void **unused)
{
    (void)unused;
    for (int scale = 0; scale <= FM_SCALE_MAX; scale++)
        assert_true(isnan(fm_decimal(FM_ABSENT, scale)));
}

static void every_kind_has_a_name_of_its_own(void **unused)
{
    (void)unused;
    static const int kinds[] = {FM_TRADE,  FM_QUOTE, FM_VALUE,      FM_STATUS, FM_DOMAIN, FM_STREAM, FM_SOURCE,
                                FM_SERIES, FM_SCALE, FM_GENERATION, FM_BUILD,  FM_CLOCK,  FM_KILL};
    int count = (int)(sizeof(kinds) / sizeof(kinds[0]));
    for (int i = 0; i < count; i++) {
        assert_string_not_equal(fm_kind_name(kinds[i]), "unknown");
        for (int k = 0; k < i; k++)
            assert_string_not_equal(fm_kind_name(kinds[i]), fm_kind_name(kinds[k]));
    }
    assert_string_equal(fm_kind_name(FM_KIND_NONE), "unknown");
    assert_string_equal(fm_kind_name(-1), "unknown");
    assert_string_equal(fm_kind_name(255), "unknown");
}

/* The journal stores these bytes: every offset is part of the layout (docs/decisions/0002). */
static void the_layout_is_the_stored_one(void **unused)
{
    (void)unused;
    assert_int_equal(offsetof(fm_event, ts_ns), 0);
    assert_int_equal(offsetof(fm_event, series), 8);
    assert_int_equal(offsetof(fm_event, stream), 12);
    assert_int_equal(offsetof(fm_event, kind), 14);
    assert_int_equal(offsetof(fm_event, side), 15);
    assert_int_equal(offsetof(fm_event, flags), 16);
    assert_int_equal(offsetof(fm_event, extra_words), 18);
    assert_int_equal(offsetof(fm_event, conditions), 20);
    assert_int_equal(offsetof(fm_event, seq), 24);
    assert_int_equal(offsetof(fm_event, as), 32);
    assert_int_equal(offsetof(fm_control, text_size), 10);
    assert_int_equal(offsetof(fm_control, at_sequence), 16);
    fm_event event = {.extra_words = 3};
    assert_int_equal(fm_event_size(&event), 88);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_the_doubles_nearest_to_their_text),
        cmocka_unit_test(an_absent_decimal_is_nan_at_every_scale),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(the_layout_is_the_stored_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
