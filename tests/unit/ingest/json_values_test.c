/* tests/unit/ingest/json_values_test.c - prices, sizes and times in JSON: every way to write them, and what is refused.
 */
#include "records.h"

#define HEAD "{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,"
#define OUT  "trade A ts=1399033800000000000 "

/* A record, then the same three times before so much space that the end is far: from the second on its keys are
 * expected. */
static void check_thrice(const char *record, const char *expected)
{
    char body[1400], out[800];
    assert_body(FM_FORMAT_NDJSON, record, strlen(record), expected);
    snprintf(body, sizeof body, "%s\n%s\n%s\n%*s", record, record, record, 200, "");
    snprintf(out, sizeof out, "%s%s%s", expected, expected, expected);
    assert_body(FM_FORMAT_NDJSON, body, strlen(body), out);
}

static void decimals_are_exact_whatever_way_they_are_written(void **unused)
{
    (void)unused;
    static const struct {
        const char *number, *expected;
    } cases[] = {
        {"1.38512", "price=138512/5"},
        {"\"1.38512\"", "price=138512/5"},
        {"1.38512e0", "price=138512/5"},
        {"1.38512E+0", "price=138512/5"},
        {"138512e-5", "price=138512/5"},
        {"0.00000138512e6", "price=138512/5"},
        {"1e-5", "price=1/5"},
        {"1e-9", "price=1/9"},
        {"12e3", "price=12000/0"},
        {"1.50", "price=15/1"},
        {"100", "price=100/0"},
        {"100.000000000000000000000000000000", "price=100/0"},
        {"100000000000000000000000e-22", "price=10/0"},
        {"0.000000001", "price=1/9"},
        {"9007199254740992", "price=9007199254740992/0"},
        {"9007199.254740992", "price=9007199254740992/9"},
        {"90071992547409.920000", "price=9007199254740992/2"},
        {"0.000000000000000000000000000001e21", "price=1/9"},
        {"0.0000000001", "price_too_precise"},
        {"1.0000000001", "price_too_precise"},
        {"1e-10", "price_too_precise"},
        {"1e-400", "price_too_precise"},
        {"0.30000000000000004", "price_too_precise"},
        {"1.00000000000000000000000000000000001", "price_too_precise"},
        {"9007199254740993", "price_too_large"},
        {"9007199254740993000000", "price_too_large"},
        {"9007199.254740993", "price_too_large"},
        {"1e16", "price_too_large"},
        {"1e308", "price_too_large"},
        {"1e999999999999999999999", "price_too_large"},
        {"12345678901234567890123.5", "price_too_large"},
        {"0", "price_negative"},
        {"-0.0", "price_negative"},
        {"0e99999999999", "price_negative"},
        {"-1.5", "price_negative"},
        {"\"\"", "price_invalid"},
        {"\"1.2.3\"", "price_invalid"},
        {"\" 1\"", "price_invalid"},
        {"\"1 \"", "price_invalid"},
        {"\"+1\"", "price_invalid"},
        {"\"01\"", "price_invalid"},
        {"\"1,5\"", "price_invalid"},
        {"\"0x10\"", "price_invalid"},
        {"\"NaN\"", "price_invalid"},
        {"\"Infinity\"", "price_invalid"},
        {"true", "price_invalid"},
        {"[1]", "price_invalid"},
        {"{\"a\":1}", "price_invalid"},
        {"null", "price_missing"},
        {"01", "malformed"},
        {"-", "malformed"},
        {"1.", "malformed"},
        {".5", "malformed"},
        {"1e", "malformed"},
        {"1e+", "malformed"},
        {"1.5.2", "malformed"},
        {"+1", "malformed"},
        {"0x10", "malformed"},
        {"NaN", "malformed"},
        {"Infinity", "malformed"},
        {"-Infinity", "malformed"},
        {"", "malformed"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        char body[256], expected[256];
        bool good = cases[index].expected[5] == '=';
        snprintf(body, sizeof body, HEAD "\"price\":%s}", cases[index].number);
        snprintf(expected, sizeof expected, "%s%s\n", good ? OUT : "", cases[index].expected);
        check_thrice(body, expected);
    }
}

static void sizes_have_reasons_of_their_own(void **unused)
{
    (void)unused;
    static const struct {
        const char *body, *expected;
    } samples[] = {
        {HEAD "\"price\":1,\"size\":-1}", "size_negative\n"},
        {HEAD "\"price\":1,\"size\":-0}", OUT "price=1/0 size=0/0\n"},
        {HEAD "\"price\":1,\"size\":\"x\"}", "size_invalid\n"},
        {HEAD "\"price\":1,\"size\":1e17}", "size_too_large\n"},
        {HEAD "\"price\":1,\"size\":1e-17}", "size_too_precise\n"},
        {"{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"bid_size\":5,\"ask\":1}",
         "price_missing\n"},
        {"{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"bid\":1,\"bid_size\":-5}",
         "size_negative\n"},
        {"{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"bid\":0}", "price_negative\n"},
        {"{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"bid\":0,\"bid_size\":1}",
         "price_negative\n"},
        {"{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"ask\":-1}", "price_negative\n"},
        {"{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000}", "price_missing\n"},
        {HEAD "\"size\":1}", "price_missing\n"},
    };
    for (size_t index = 0; index < sizeof samples / sizeof *samples; index++)
        assert_body(FM_FORMAT_JSON, samples[index].body, strlen(samples[index].body), samples[index].expected);
}

static void times_are_nanoseconds_or_rfc_3339(void **unused)
{
    (void)unused;
    static const struct {
        const char *ts, *expected;
    } cases[] = {
        {"1399033800000000000", "1399033800000000000"},
        {"\"1399033800000000000\"", "1399033800000000000"},
        {"\"2014-05-02T12:30:00Z\"", "1399033800000000000"},
        {"\"2014-05-02t12:30:00z\"", "1399033800000000000"},
        {"\"2014-05-02 12:30:00Z\"", "1399033800000000000"},
        {"\"2014-05-02T08:30:00-04:00\"", "1399033800000000000"},
        {"\"2014-05-03T02:15:00+13:45\"", "1399033800000000000"},
        {"\"2014-05-02T12:30:00.5Z\"", "1399033800500000000"},
        {"\"2014-05-02T12:30:00.123456789Z\"", "1399033800123456789"},
        {"\"2024-02-29T00:00:00Z\"", "1709164800000000000"},
        {"631152000000000000", "631152000000000000"},
        {"631151999999999999", "ts_out_of_range"},
        {"4102444800000000000", "4102444800000000000"},
        {"4102444800000000001", "ts_out_of_range"},
        {"1399033800", "ts_out_of_range"},
        {"1399033800000", "ts_out_of_range"},
        {"0", "ts_out_of_range"},
        {"-1", "ts_out_of_range"},
        {"9223372036854775808", "ts_out_of_range"},
        {"99999999999999999999999999", "ts_out_of_range"},
        {"\"1970-01-01T00:00:00Z\"", "ts_out_of_range"},
        {"\"2100-01-01T00:00:01Z\"", "ts_out_of_range"},
        {"1399033800000000000.0", "ts_invalid"},
        {"1.3990338e18", "ts_invalid"},
        {"1399033800000000000e0", "ts_invalid"},
        {"true", "ts_invalid"},
        {"\"\"", "ts_invalid"},
        {"\"2014-05-02\"", "ts_invalid"},
        {"\"2014-05-02T12:30:00\"", "ts_invalid"},
        {"\"2014-05-02T12:30:60Z\"", "ts_invalid"},
        {"\"2014-05-02T24:00:00Z\"", "ts_invalid"},
        {"\"2014-05-02T12:60:00Z\"", "ts_invalid"},
        {"\"2014-02-29T12:30:00Z\"", "ts_invalid"},
        {"\"2014-13-01T12:30:00Z\"", "ts_invalid"},
        {"\"2014-00-01T12:30:00Z\"", "ts_invalid"},
        {"\"2014-05-00T12:30:00Z\"", "ts_invalid"},
        {"\"2014-05-02T12:30:00.Z\"", "ts_invalid"},
        {"\"2014-05-02T12:30:00.1234567890Z\"", "ts_invalid"},
        {"\"2014-05-02T12:30:00+24:00\"", "ts_invalid"},
        {"\"2014-05-02T12:30:00+0400\"", "ts_invalid"},
        {"\"2014-05-02T12:30:00Zx\"", "ts_invalid"},
        {"\"2O14-05-02T12:30:00Z\"", "ts_invalid"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        char body[256], expected[256];
        bool good = cases[index].expected[0] <= '9';
        snprintf(body, sizeof body, "{\"type\":\"trade\", \"symbol\": \"A\",\"price\":1,\"ts\":%s}", cases[index].ts);
        snprintf(expected, sizeof expected, good ? "trade A ts=%s price=1/0\n" : "%s\n", cases[index].expected);
        check_thrice(body, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_exact_whatever_way_they_are_written),
        cmocka_unit_test(sizes_have_reasons_of_their_own),
        cmocka_unit_test(times_are_nanoseconds_or_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
