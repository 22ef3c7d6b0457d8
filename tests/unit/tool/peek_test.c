/* The reader finds members, walks arrays, and never reads outside of the slice. */
#include "tool/peek.h"

#include "base/random.h"
#include "assert_near.h"

#include <stdlib.h>

static fm_slice find(const char *text, const char *path)
{
    fm_slice value = {0};
    fm_peek_member(fm_slice_of(text), path, &value);
    return value;
}

static void assert_found(const char *text, const char *path, const char *expected)
{
    fm_slice value = find(text, path);
    if (!fm_slice_equal(value, fm_slice_of(expected)))
        fail_msg("%s of %s is %.*s, expected %s", path, text, (int)value.size, value.data, expected);
}

static void members_are_found_by_path(void **unused)
{
    (void)unused;
    const char *text = " {\"a\" : 1, \"b\":{\"c\":[1,{\"c\":9}],\"d\":\"x,}\\\"\"},\"e\":null , \"f\":-1.5e3}";
    assert_found(text, "a", "1");
    assert_found(text, "b.c", "[1,{\"c\":9}]");
    assert_found(text, "b.d", "\"x,}\\\"\"");
    assert_found(text, "e", "null");
    assert_found(text, "f", "-1.5e3");
}

static void what_is_not_there_is_not_found(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"",     "{",       "{}",       "[]",         "{\"a\"}", "{\"a\":}",
                                        "{\"a", "\"a\":1", "nonsense", "{\"ab\":1}", "{\"a\\\""};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_null(find(texts[i], "a").data);
    assert_null(find("{\"a\":1}", "a.b").data);
}

static void arrays_are_walked_in_order(void **unused)
{
    (void)unused;
    fm_slice array = FM_SLICE(" [ 1, [2,3] ,{\"a\":\"]\"}, \"x\" ] "), value;
    static const char *const expected[] = {"1", "[2,3]", "{\"a\":\"]\"}", "\"x\""};
    size_t at = 0, count = 0;
    for (; fm_peek_next(array, &at, &value); count++)
        assert_true(fm_slice_equal(value, fm_slice_of(expected[count])));
    assert_int_equal(count, 4);
    at = 0;
    assert_false(fm_peek_next(FM_SLICE("[]"), &at, &value));
    at = 0;
    assert_false(fm_peek_next(FM_SLICE("{}"), &at, &value));
}

static void numbers_and_texts_are_read(void **unused)
{
    (void)unused;
    int64_t integer = 0;
    double real = 0;
    char text[16];
    assert_true(fm_peek_int(FM_SLICE("1399033800000000000"), &integer));
    assert_true(integer == INT64_C(1399033800000000000));
    assert_false(fm_peek_int(FM_SLICE("1.5"), &integer));
    assert_false(fm_peek_int(FM_SLICE("\"1\""), &integer));
    assert_true(fm_peek_real(FM_SLICE("-1.5e3"), &real));
    assert_near(real, -1500, 0);
    assert_true(fm_peek_text(FM_SLICE("\"a\\n\\u00e9\\\"\\u20ac\""), text, sizeof(text)));
    assert_string_equal(text, "a\n\xc3\xa9\"\xe2\x82\xac");
    assert_true(fm_peek_text(FM_SLICE("\"0123456789abcdefgh\""), text, sizeof(text)));
    assert_string_equal(text, "0123456789abcde");
    assert_false(fm_peek_text(FM_SLICE("12"), text, sizeof(text)));
}

/* Cut and damaged answers, each in a block of its own size, so that the sanitizer sees a byte too far. */
static void damaged_answers_are_never_read_out_of_bounds(void **unused)
{
    (void)unused;
    static const char whole[] =
        "{\"items\":[{\"seq\":12,\"rule\":{\"id\":\"a\\u00e9/b\"},\"x\":[1,2,{}]}],\"next\":\"c\\\"d\"}";
    fm_random random;
    fm_random_seed(&random, 42);
    for (int i = 0; i < 20000; i++) {
        size_t size = fm_random_below(&random, sizeof(whole));
        char *copy = malloc(size ? size : 1), text[8];
        memcpy(copy, whole, size);
        if (size && i % 2)
            copy[fm_random_below(&random, size)] = (char)fm_random_next(&random);
        fm_slice answer = {copy, size}, list, one, value;
        size_t at = 0;
        if (fm_peek_member(answer, "items", &list))
            while (fm_peek_next(list, &at, &one))
                if (fm_peek_member(one, "rule.id", &value))
                    fm_peek_text(value, text, sizeof(text));
        fm_peek_member_text(answer, "next", text, sizeof(text));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_by_path),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(arrays_are_walked_in_order),
        cmocka_unit_test(numbers_and_texts_are_read),
        cmocka_unit_test(damaged_answers_are_never_read_out_of_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
