/* tests/unit/ingest/number_test.c - digits to exact decimals and correctly rounded doubles, against strtod and
 * whole-number arithmetic. */
#include "records.h"

#include "base/random.h"
#include "ingest/decode/number.h"
#include "ingest/decode/time.h"

#include <stdlib.h>
#include <time.h>

static void scan_whole(const char *text, fm_number *out)
{
    size_t size = strlen(text);
    if (fm_number_scan(text, text + size, out) != text + size)
        fail_msg("%s is not read as a number", text);
}

static void doubles_are_those_of_strtod(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 11);
    for (int round = 0; round < 200000; round++) {
        char text[64];
        uint64_t bits = fm_random_next(&random);
        double value;
        memcpy(&value, &bits, 8);
        if (!isfinite(value))
            continue;
        int digits = (int)fm_random_below(&random, 21);
        if (round % 3 == 0)
            snprintf(text, sizeof text, "%.*e", digits, value);
        else if (round % 3 == 1)
            snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64, fm_random_below(&random, 1000000),
                     fm_random_next(&random));
        else
            snprintf(text, sizeof text, "%" PRIu64 "e%d", fm_random_next(&random) >> fm_random_below(&random, 64),
                     (int)fm_random_below(&random, 60) - 30);
        fm_number number;
        double back;
        scan_whole(text, &number);
        double expected = strtod(text, NULL);
        bool finite = fm_number_double(&number, &back);
        assert_int_equal(finite, isfinite(expected) != 0);
        if (finite && memcmp(&back, &expected, 8) != 0)
            fail_msg("%s gives %a, expected %a", text, back, expected);
    }
}

static void halfway_cases_round_to_even(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        double expected;
    } cases[] = {
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.00000000000000000000000000001", 9007199254740994.0},
        {"1.00000000000000011102230246251565404236316680908203125", 1.0},
        {"1.00000000000000011102230246251565404236316680908203126", 1.0000000000000002},
        {"5e-324", 0x1p-1074},
        {"2.4703282292062327e-324", 0.0},
        {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
        {"-0", -0.0},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        fm_number number;
        double value;
        scan_whole(cases[index].text, &number);
        assert_true(fm_number_double(&number, &value));
        assert_memory_equal(&value, &cases[index].expected, 8);
    }
    char longest[FM_REAL_TEXT_MAX + 2];
    double value;
    fm_number number;
    memset(longest, '1', sizeof longest);
    longest[1] = '.';
    longest[FM_REAL_TEXT_MAX] = 0;
    scan_whole(longest, &number);
    assert_true(fm_number_double(&number, &value));
    longest[FM_REAL_TEXT_MAX] = '1';
    longest[FM_REAL_TEXT_MAX + 1] = 0;
    scan_whole(longest, &number);
    assert_false(fm_number_double(&number, &value));
}

static void the_short_way_agrees_with_the_long_one(void **unused)
{
    (void)unused;
    static const char alphabet[] = "0123456789.,eE-}\"\n ";
    fm_random random;
    fm_random_seed(&random, 12);
    int taken = 0;
    for (int round = 0; round < 500000; round++) {
        char text[32];
        size_t size = 1 + fm_random_below(&random, 24);
        for (size_t index = 0; index < size; index++)
            text[index] = alphabet[fm_random_below(&random, fm_random_below(&random, 4) ? 10 : sizeof alphabet - 1)];
        memset(text + size, ',', sizeof text - size);
        fm_number number;
        uint64_t digits;
        unsigned decimals;
        const char *whole = fm_number_scan(text, text + size, &number);
        const char *brief = fm_number_scan_near(text, &digits, &decimals);
        if (brief && *brief != 'e' && *brief != 'E') { /* exponents are the caller's to see */
            taken++;
            assert_ptr_equal(brief, whole);
            assert_true((int64_t)decimals <= -number.exponent);
            for (; number.exponent < -(int64_t)decimals; number.exponent++, number.digits /= 10)
                assert_int_equal(number.digits % 10, 0);
            assert_int_equal(digits, number.digits);
            assert_true(decimals == 0 || digits % 10 != 0);
            assert_false(number.negative);
        }
        whole = fm_number_scan(text, text + size, &number);
        const char *count = fm_number_scan_count(text, &digits);
        if (count && *count != '.' && *count != 'e' && *count != 'E') {
            taken++;
            assert_ptr_equal(count, whole);
            assert_true(number.integer && !number.negative && number.exponent == 0);
            assert_int_equal(digits, number.digits);
        }
        const char *ns = fm_number_scan_ns(text, &digits);
        if (ns) {
            taken++;
            assert_ptr_equal(ns, whole);
            assert_true(number.integer && number.exponent == 0);
            assert_int_equal(digits, number.digits);
        }
    }
    assert_true(taken > 100000);
}

/* Exact value of a text "ddd.ddde±x" as digits without zeros at either end and an exponent: the definition, slowly. */
static void reference(const char *text, char digits[128], int *exponent)
{
    size_t used = 0;
    *exponent = 0;
    bool point = false;
    for (; *text && *text != 'e'; text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        digits[used++] = *text;
        *exponent -= point;
    }
    if (*text == 'e')
        *exponent += atoi(text + 1);
    while (used > 0 && digits[used - 1] == '0') {
        used--;
        ++*exponent;
    }
    digits[used] = 0;
    size_t zeros = strspn(digits, "0");
    memmove(digits, digits + zeros, used - zeros + 1);
}

static void decimals_are_exact_or_refused(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 13);
    int outcomes[3] = {0};
    for (int round = 0; round < 200000; round++) {
        char text[96] = "", digits[128];
        size_t used = 0;
        for (int count = 1 + (int)fm_random_below(&random, 22); count > 0; count--) {
            bool leading = used == 0 && count > 1;
            uint64_t digit = leading ? 1 + fm_random_below(&random, 9) : fm_random_below(&random, 10);
            text[used++] = (char)('0' + digit);
        }
        if (fm_random_below(&random, 2)) {
            text[used++] = '.';
            for (int count = 1 + (int)fm_random_below(&random, 20); count > 0; count--)
                text[used++] = (char)('0' + (fm_random_below(&random, 2) ? 0 : fm_random_below(&random, 10)));
        }
        if (fm_random_below(&random, 2))
            sprintf(text + used, "e%d", (int)fm_random_below(&random, 60) - 30);
        int exponent, scale_max = (int)fm_random_below(&random, 10);
        reference(text, digits, &exponent);
        fm_number number;
        fm_decimal_number decimal;
        scan_whole(text, &number);
        int result = fm_number_decimal(&number, scale_max, &decimal);
        char expected[160] = "0";
        int scale = 0, expected_result = 0;
        if (*digits) {
            strcpy(expected, digits);
            for (; exponent > 0 && strlen(expected) < 40; exponent--)
                strcat(expected, "0");
            scale = exponent < 0 ? -exponent : 0;
            if (scale > scale_max)
                expected_result = FM_DECIMAL_TOO_PRECISE;
            else if (strlen(expected) > 16 || strtoull(expected, NULL, 10) > (uint64_t)FM_MAGNITUDE_MAX)
                expected_result = FM_DECIMAL_TOO_LARGE;
        }
        if (result != expected_result)
            fail_msg("%s at scale %d gives %d, expected %d", text, scale_max, result, expected_result);
        outcomes[-result]++;
        if (result == 0 && (decimal.scale != scale || decimal.mantissa != strtoll(expected, NULL, 10)))
            fail_msg("%s gives %" PRId64 "/%d, expected %s/%d", text, decimal.mantissa, decimal.scale, expected, scale);
    }
    assert_true(outcomes[0] > 20000 && outcomes[1] > 20000 && outcomes[2] > 20000);
}

static void a_double_is_the_shortest_decimal_that_reads_back(void **unused)
{
    (void)unused;
    static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    fm_random random;
    fm_random_seed(&random, 14);
    for (int round = 0; round < 300000; round++) {
        int scale = (int)fm_random_below(&random, 10);
        int64_t mantissa = (int64_t)(fm_random_next(&random) >> (12 + fm_random_below(&random, 50)));
        while (scale > 0 && mantissa % 10 == 0) {
            mantissa /= 10;
            scale--;
        }
        scale = mantissa == 0 ? 0 : scale;
        double x = (double)mantissa / (double)powers[scale];
        fm_decimal_number decimal;
        assert_int_equal(fm_decimal_of_double(x, false, 9, &decimal), 0);
        if (mantissa < 1000000000000000) { /* 15 digits and their double determine each other */
            assert_int_equal(decimal.mantissa, mantissa);
            assert_int_equal(decimal.scale, scale);
        } else {
            assert_true(decimal.scale <= scale && (double)decimal.mantissa / (double)powers[decimal.scale] == x);
        }
        if (mantissa < 1000000) { /* six digits and their float */
            float narrow = (float)x;
            assert_int_equal(fm_decimal_of_double((double)narrow, true, 9, &decimal), 0);
            assert_int_equal(decimal.mantissa, mantissa);
            assert_int_equal(decimal.scale, scale);
        }
    }
}

static void doubles_that_are_no_decimal_are_refused(void **unused)
{
    (void)unused;
    fm_decimal_number decimal = {1, 1};
    assert_int_equal(fm_decimal_of_double(0.1 + 0.2, false, 9, &decimal), FM_DECIMAL_TOO_PRECISE);
    assert_int_equal(fm_decimal_of_double(1e-10, false, 9, &decimal), FM_DECIMAL_TOO_PRECISE);
    assert_int_equal(fm_decimal_of_double(5e-324, false, 9, &decimal), FM_DECIMAL_TOO_PRECISE);
    assert_int_equal(fm_decimal_of_double(1.38512, false, 4, &decimal), FM_DECIMAL_TOO_PRECISE);
    assert_int_equal(fm_decimal_of_double(1e308, false, 9, &decimal), FM_DECIMAL_TOO_LARGE);
    assert_int_equal(fm_decimal_of_double(9007199254740994.0, false, 9, &decimal), FM_DECIMAL_TOO_LARGE);
    assert_int_equal(decimal.mantissa, 1); /* untouched */
    assert_int_equal(fm_decimal_of_double(-1.5, false, 9, &decimal), 0);
    assert_int_equal(decimal.mantissa, -15);
    assert_int_equal(fm_decimal_of_double(9007199254740992.0, false, 9, &decimal), 0);
    assert_int_equal(decimal.mantissa, FM_MAGNITUDE_MAX);
}

static void the_calendar_is_that_of_timegm(void **unused)
{
    (void)unused;
    for (int64_t day = -110000; day < 110000; day += 7) {
        time_t seconds = (time_t)(day * 86400);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        assert_int_equal(fm_days_from_civil(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday), day);
    }
    assert_int_equal(fm_days_in_month(2000, 2), 29);
    assert_int_equal(fm_days_in_month(1900, 2), 28);
    assert_int_equal(fm_days_in_month(2024, 13), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_are_those_of_strtod),
        cmocka_unit_test(halfway_cases_round_to_even),
        cmocka_unit_test(the_short_way_agrees_with_the_long_one),
        cmocka_unit_test(decimals_are_exact_or_refused),
        cmocka_unit_test(a_double_is_the_shortest_decimal_that_reads_back),
        cmocka_unit_test(doubles_that_are_no_decimal_are_refused),
        cmocka_unit_test(the_calendar_is_that_of_timegm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
