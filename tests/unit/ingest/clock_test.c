/* tests/unit/ingest/clock_test.c - times as files write them, and numbers that lose the tails of floats. */
#include "assert_near.h"

#include "ingest/format/cells.h"
#include "ingest/format/clock.h"

static void a_time_is_text_a_date_or_a_number_of_its_size(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t wall_ns, utc_ns, unit_ns;
        bool zoned;
    } cases[] = {
        {"2014-05-02T09:30:00.25-04:00", 1399023000250000000, 1399037400250000000, 0, true},
        {"2014-05-02 09:30:00Z", 1399023000000000000, 1399023000000000000, 0, true},
        {"2014-05-02 09:30:00.000000", 1399023000000000000, 1399023000000000000, 0, false},
        {"2014-05-02 09:30", 1399023000000000000, 1399023000000000000, 0, false},
        {"2014-05-02", 1398988800000000000, 1398988800000000000, 0, false},
        {"20140502", 1398988800000000000, 1398988800000000000, 0, false},
        {"20140502 09:30", 1399023000000000000, 1399023000000000000, 0, false},
        {"20140502 09:30:01", 1399023001000000000, 1399023001000000000, 0, false},
        {"1399023000", 1399023000000000000, 1399023000000000000, 1000000000, true},
        {"1399023000001", 1399023000001000000, 1399023000001000000, 1000000, true},
        {"1399023000000001", 1399023000000001000, 1399023000000001000, 1000, true},
        {"1399023000000000001", 1399023000000000001, 1399023000000000001, 1, true},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        fm_file_time time;
        if (!fm_file_time_parse(fm_slice_of(cases[index].text), &time))
            fail_msg("%s is no time", cases[index].text);
        assert_int_equal(time.wall_ns, cases[index].wall_ns);
        assert_int_equal(time.utc_ns, cases[index].utc_ns);
        assert_int_equal(time.unit_ns, cases[index].unit_ns);
        assert_int_equal(time.zoned, cases[index].zoned);
    }
}

static void what_is_no_time_is_told(void **unused)
{
    (void)unused;
    static const char *const cases[] = {"",
                                        "x",
                                        "1",
                                        "99999999999999999999",
                                        "9223372036854775807",
                                        "-1399023000",
                                        "1.399023e9",
                                        "2014-02-30",
                                        "20141301",
                                        "20140502 ",
                                        "20140502 25:00",
                                        "2014-05-02 09",
                                        "09:30",
                                        "2014-05-02 09:30:00 Z",
                                        "2014-05-02T09:30:00.000000000000000000000000000-04:00"};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        fm_file_time time;
        if (fm_file_time_parse(fm_slice_of(cases[index]), &time))
            fail_msg("\"%s\" is taken for %lld", cases[index], (long long)time.utc_ns);
    }
}

static void only_more_decimals_than_are_kept_are_rounded(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int shift, kept, code;
        int64_t mantissa;
        int32_t scale;
    } cases[] = {
        {"4220.31005859375", 0, 6, 0, 4220310059, 6},
        {"4220.310058", 0, 6, 0, 4220310058, 6},
        {"1.1234565", 0, 6, 0, 1123457, 6}, /* half away from zero */
        {"1.123456789", 0, 9, 0, 1123456789, 9},
        {"1.1234567891", 0, 9, 0, 1123457, 6},
        {"1.1000000000000", 0, 6, 0, 11, 1}, /* zeros are no tail */
        {"0.99999999999999999999", 0, 9, 0, 1, 0},
        {"8007199254.12345678901234567", 0, 9, 0, 8007199254123457, 6},
        {"90071992540.12345678901234567", 0, 9, FM_price_too_large, 0, 0},
        {"1.00000000000000000000005e2", 0, 9, FM_price_too_large, 0, 0},
        {"1.00000000000000005e2", 0, 9, 0, 100, 0},
        {"973100", 4, 9, 0, 9731, 2},
        {"0.000001", 4, 6, 0, 0, 0},
        {"1e-1000000000", 0, 6, 0, 0, 0},
        {"0e-1000000000", 0, 6, 0, 0, 0},
        {"1e30", 0, 6, FM_price_too_large, 0, 0},
        {"-1", 0, 6, FM_price_negative, 0, 0},
        {"x", 0, 6, FM_price_invalid, 0, 0},
        {"1 ", 0, 6, FM_price_invalid, 0, 0},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        fm_record record;
        fm_draft draft;
        fm_draft_init(&draft, &record, &fm_decode_limits_preset);
        fm_cell_rounded(&draft, FM_FIELD_PRICE, fm_slice_of(cases[index].text), cases[index].shift, cases[index].kept,
                        6);
        if (draft.code != cases[index].code ||
            (draft.code == 0 && (draft.decimal[0].mantissa != cases[index].mantissa ||
                                 (draft.decimal[0].mantissa != 0 && draft.decimal[0].scale != cases[index].scale))))
            fail_msg("%s gives %d, %lld / 10^%d", cases[index].text, draft.code, (long long)draft.decimal[0].mantissa,
                     draft.decimal[0].scale);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_text_a_date_or_a_number_of_its_size),
        cmocka_unit_test(what_is_no_time_is_told),
        cmocka_unit_test(only_more_decimals_than_are_kept_are_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
