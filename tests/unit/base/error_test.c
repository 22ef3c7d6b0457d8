/* tests/unit/base/error_test.c */
#include "assert_near.h"

#include "base/counters.h"
#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static void every_row_is_found_by_its_code(void **unused)
{
    (void)unused;
    assert_true(fm_error_count() > 0 && fm_error_count() <= FM_REASON_MAX);
    for (int i = 0; i < fm_error_count(); i++) {
        int code = fm_error_at(i);
        assert_true(code < 0);
        assert_int_equal(fm_error_index(code), i);
        assert_in_range(fm_error_status(code), 400, 599);
        assert_true(strlen(fm_error_text(code)) > 0);
    }
    assert_int_equal(fm_error_status(FM_queue_full), 429);
    assert_int_equal(fm_error_status(FM_ENOSPC), 507);
    assert_string_equal(fm_error_name(FM_price_invalid), "price_invalid");
}

static void names_are_lower_case_and_told_once(void **unused)
{
    (void)unused;
    for (int i = 0; i < fm_error_count(); i++) {
        const char *name = fm_error_name(fm_error_at(i));
        for (const char *at = name; *at != '\0'; at++) {
            if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_')
                fail_msg("\"%s\" is not a lower-case name", name);
        }
        for (int k = 0; k < i; k++)
            assert_string_not_equal(name, fm_error_name(fm_error_at(k)));
    }
}

static void a_code_without_a_row_is_unknown(void **unused)
{
    (void)unused;
    static const int codes[] = {0, 1, -99, -100000, INT32_MIN, INT32_MAX};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(fm_error_index(codes[i]), -1);
        assert_string_equal(fm_error_name(codes[i]), "unknown");
        assert_int_equal(fm_error_status(codes[i]), 500);
    }
}

static void a_failure_fills_code_and_message(void **unused)
{
    (void)unused;
    fm_error error;
    memset(&error, 0xee, sizeof(error));
    assert_int_equal(fm_fail(&error, FM_EINVAL, "could not read \"%s\": %d is too large", "x.lua", 7), FM_EINVAL);
    assert_int_equal(error.code, FM_EINVAL);
    assert_string_equal(error.message, "could not read \"x.lua\": 7 is too large");
    assert_int_equal(error.line, 0);
    assert_string_equal(error.hint, "");
    assert_string_equal(error.file, "");
    assert_int_equal(fm_fail(NULL, FM_EIO, "nobody listens"), FM_EIO);
}

static void the_reason_of_errno_is_appended_in_lower_case(void **unused)
{
    (void)unused;
    fm_error error;
    errno = ENOENT;
    assert_int_equal(fm_fail_errno(&error, FM_ENOTFOUND, "could not open \"%s\"", "x"), FM_ENOTFOUND);
    assert_string_equal(error.message, "could not open \"x\": no such file or directory");
    assert_int_equal(errno, ENOENT);
    errno = EIO; /* "Input/output error" */
    assert_int_equal(fm_fail_errno(&error, FM_EIO, "could not read"), FM_EIO);
    assert_string_equal(error.message, "could not read: input/output error");
}

static void a_long_message_is_cut_not_overrun(void **unused)
{
    (void)unused;
    fm_error error;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    errno = ENOENT;
    assert_int_equal(fm_fail_errno(&error, FM_EIO, "%s", text), FM_EIO);
    assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
    assert_int_equal(fm_fail_errno(&error, FM_EIO, "%.505s", text), FM_EIO);
    assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
}

static int passes_up(int result)
{
    FM_TRY(result);
    return 1;
}

static void try_passes_only_failures_up(void **unused)
{
    (void)unused;
    assert_int_equal(passes_up(0), 1);
    assert_int_equal(passes_up(5), 1);
    assert_int_equal(passes_up(FM_EBUSY), FM_EBUSY);
}

static void counters_count_by_metric_and_reason(void **unused)
{
    (void)unused;
    static fm_counters counters;
    fm_count(&counters, FM_METRIC_RECEIVED, 3);
    fm_count(&counters, FM_METRIC_RECEIVED, 4);
    fm_gauge(&counters, FM_METRIC_IN_FLIGHT, 9);
    fm_count_rejected(&counters, FM_price_invalid, 2);
    assert_int_equal(fm_counter(&counters, FM_METRIC_RECEIVED), 7);
    assert_int_equal(fm_counter(&counters, FM_METRIC_IN_FLIGHT), 9);
    assert_int_equal(counters.rejected[fm_error_index(FM_price_invalid)], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_code),
        cmocka_unit_test(names_are_lower_case_and_told_once),
        cmocka_unit_test(a_code_without_a_row_is_unknown),
        cmocka_unit_test(a_failure_fills_code_and_message),
        cmocka_unit_test(the_reason_of_errno_is_appended_in_lower_case),
        cmocka_unit_test(a_long_message_is_cut_not_overrun),
        cmocka_unit_test(try_passes_only_failures_up),
        cmocka_unit_test(counters_count_by_metric_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
