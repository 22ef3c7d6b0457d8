/* tests/unit/base/text_test.c */
#include "assert_near.h"

#include "base/random.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void assert_json(fm_slice in, const char *expected)
{
    fm_text text = {0};
    fm_text_json(&text, in);
    assert_string_equal(text.data, expected);
    fm_text_fini(&text);
}

static void text_grows_and_stays_terminated(void **unused)
{
    (void)unused;
    fm_text text = {0};
    for (int i = 0; i < 1000; i++) {
        fm_text_printf(&text, "%03d,", i);
        assert_int_equal(text.size, 4 * (size_t)(i + 1));
        assert_int_equal(text.data[text.size], 0);
    }
    assert_memory_equal(text.data + 4 * 517, "517,", 4);
    size_t capacity = text.capacity;
    fm_text_clear(&text);
    assert_int_equal(text.size, 0);
    assert_int_equal(text.capacity, capacity);
    fm_text_put(&text, "");
    assert_string_equal(text.data, "");
    fm_text_add(&text, NULL, 0);
    fm_text_fini(&text);
    assert_null(text.data);
    fm_text_clear(&text);
}

static void a_long_printf_is_not_cut(void **unused)
{
    (void)unused;
    char long_text[5000];
    memset(long_text, 'y', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    fm_text text = {0};
    fm_text_printf(&text, "<%s>", long_text);
    assert_int_equal(text.size, 5001);
    assert_int_equal(text.data[5000], '>');
    fm_text_fini(&text);
}

static void json_escapes_what_must_be_escaped(void **unused)
{
    (void)unused;
    assert_json(FM_SLICE(""), "\"\"");
    assert_json((fm_slice){NULL, 0}, "\"\"");
    assert_json(FM_SLICE("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    assert_json(FM_SLICE("\n\r\t\b\0\x1f\x7f"), "\"\\n\\r\\t\\u0008\\u0000\\u001f\x7f\"");
    assert_json(FM_SLICE("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
                "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

#define BAD "\xef\xbf\xbd"

static void json_replaces_each_byte_that_is_not_utf8(void **unused)
{
    (void)unused;
    assert_json(FM_SLICE("\xff"), "\"" BAD "\"");
    assert_json(FM_SLICE("a\x80z"), "\"a" BAD "z\"");
    assert_json(FM_SLICE("\xc0\xaf"), "\"" BAD BAD "\"");                 /* overlong */
    assert_json(FM_SLICE("\xe0\x80\xaf"), "\"" BAD BAD BAD "\"");         /* overlong */
    assert_json(FM_SLICE("\xed\xa0\x80"), "\"" BAD BAD BAD "\"");         /* surrogate */
    assert_json(FM_SLICE("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\""); /* above U+10FFFF */
    assert_json(FM_SLICE("\xe2\x82"), "\"" BAD BAD "\"");                 /* cut off */
    assert_json((fm_slice){"\xe2\x82\xac", 2}, "\"" BAD BAD "\"");        /* nothing is read behind the end */
}

static void assert_real(double value, const char *expected)
{
    fm_text text = {0};
    fm_text_real(&text, value);
    assert_string_equal(text.data, expected);
    fm_text_fini(&text);
}

static void reals_are_short(void **unused)
{
    (void)unused;
    assert_real(0.1, "0.1");
    assert_real(1.0, "1");
    assert_real(-0.0, "-0");
    assert_real(1.38512, "1.38512");
    assert_real(0.1 + 0.2, "0.30000000000000004");
    assert_real(1e300, "1e+300");
    assert_real(5e-324, "5e-324");
    assert_real(9007199254740993.0, "9007199254740992");
    assert_real(NAN, "null");
    assert_real(INFINITY, "null");
    assert_real(-INFINITY, "null");
}

static void reals_read_back_the_same(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 12);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = fm_random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        fm_text text = {0};
        fm_text_real(&text, value);
        if (strtod(text.data, NULL) != value)
            fail_msg("%.17g became %s", value, text.data);
        fm_text_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_stays_terminated),
        cmocka_unit_test(a_long_printf_is_not_cut),
        cmocka_unit_test(json_escapes_what_must_be_escaped),
        cmocka_unit_test(json_replaces_each_byte_that_is_not_utf8),
        cmocka_unit_test(reals_are_short),
        cmocka_unit_test(reals_read_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
