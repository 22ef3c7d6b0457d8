/* tests/unit/base/slice_test.c */
#include "assert_near.h"

#include "base/random.h"
#include "base/slice.h"

static bool glob(const char *pattern, const char *text)
{
    return fm_glob(fm_slice_of(pattern), fm_slice_of(text));
}

static void equal_compares_bytes_and_sizes(void **unused)
{
    (void)unused;
    assert_true(fm_slice_equal(FM_SLICE("abc"), fm_slice_of("abc")));
    assert_false(fm_slice_equal(FM_SLICE("abc"), FM_SLICE("ab")));
    assert_false(fm_slice_equal(FM_SLICE("a\0b"), FM_SLICE("a\0c")));
    assert_true(fm_slice_equal((fm_slice){NULL, 0}, FM_SLICE("")));
}

static void short_texts_are_compared_and_copied_to_the_last_byte(void **unused)
{
    (void)unused;
    for (size_t size = 0; size <= 40; size++) {
        char from[40], out[42];
        for (size_t i = 0; i < size; i++)
            from[i] = (char)('a' + i % 26);
        memset(out, '#', sizeof(out));
        assert_ptr_equal(fm_bytes_put(out + 1, (fm_slice){from, size}), out + 1 + size);
        assert_memory_equal(out + 1, from, size);
        assert_int_equal(out[0], '#');
        assert_int_equal(out[1 + size], '#');
        assert_true(fm_bytes_equal(out + 1, from, size));
        for (size_t i = 0; i < size; i++) {
            out[1 + i] ^= 1;
            assert_false(fm_bytes_equal(out + 1, from, size));
            out[1 + i] ^= 1;
        }
    }
}

static void copy_always_ends_with_nul_and_tells_a_cut(void **unused)
{
    (void)unused;
    char out[4] = "xxx";
    assert_true(fm_slice_copy(FM_SLICE("abc"), out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_false(fm_slice_copy(FM_SLICE("abcd"), out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_true(fm_slice_copy((fm_slice){NULL, 0}, out, sizeof(out)));
    assert_string_equal(out, "");
    out[0] = 'x';
    assert_false(fm_slice_copy(FM_SLICE(""), out, 0));
    assert_int_equal(out[0], 'x');
}

static void stars_and_question_marks_match_as_in_a_shell(void **unused)
{
    (void)unused;
    assert_true(glob("", ""));
    assert_false(glob("", "a"));
    assert_true(glob("*", ""));
    assert_true(glob("**", "abc"));
    assert_false(glob("?", ""));
    assert_true(glob("EUR*", "EURUSD"));
    assert_true(glob("*USD", "EURUSD"));
    assert_true(glob("*USD*", "USD"));
    assert_false(glob("*USD", "USDJPY"));
    assert_true(glob("???USD", "EURUSD"));
    assert_false(glob("??USD", "EURUSD"));
    assert_true(glob("a*b*c", "aXbXbXc"));
    assert_false(glob("a*b*c", "aXbXbX"));
    assert_true(glob("*ab*ab", "abab"));
    assert_false(glob("*ab*ab", "aab"));
    assert_false(glob("[ab]", "a")); /* brackets are themselves */
    assert_true(glob("[ab]", "[ab]"));
}

/* By recursion, as the definition says. */
static bool glob_by_definition(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return glob_by_definition(pattern + 1, text) || (*text != '\0' && glob_by_definition(pattern, text + 1));
    return *text != '\0' && (*pattern == '?' || *pattern == *text) && glob_by_definition(pattern + 1, text + 1);
}

static void random_patterns_match_as_the_definition_says(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 5);
    int matched = 0;
    for (int round = 0; round < 50000; round++) {
        char pattern[9] = "", text[11] = "";
        uint64_t pattern_size = fm_random_below(&random, 9), text_size = fm_random_below(&random, 11);
        for (uint64_t i = 0; i < pattern_size; i++)
            pattern[i] = "ab?**"[fm_random_below(&random, 5)];
        for (uint64_t i = 0; i < text_size; i++)
            text[i] = "ab"[fm_random_below(&random, 2)];
        bool expected = glob_by_definition(pattern, text);
        if (glob(pattern, text) != expected)
            fail_msg("\"%s\" against \"%s\"", pattern, text);
        matched += expected;
    }
    assert_true(matched > 5000 && matched < 45000);
}

static void a_hostile_pattern_ends_soon(void **unused)
{
    (void)unused;
    static char text[20000], pattern[64];
    memset(text, 'a', sizeof(text));
    for (int i = 0; i + 1 < (int)sizeof(pattern); i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[63] = 'b'; /* backtracking over every star would take 20000^31 steps */
    assert_false(fm_glob((fm_slice){pattern, sizeof(pattern)}, (fm_slice){text, sizeof(text)}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_compares_bytes_and_sizes),
        cmocka_unit_test(short_texts_are_compared_and_copied_to_the_last_byte),
        cmocka_unit_test(copy_always_ends_with_nul_and_tells_a_cut),
        cmocka_unit_test(stars_and_question_marks_match_as_in_a_shell),
        cmocka_unit_test(random_patterns_match_as_the_definition_says),
        cmocka_unit_test(a_hostile_pattern_ends_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
