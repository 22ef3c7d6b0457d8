/* Paths, escapes, parameters, and that the tables agree with each other. */
#include "assert_near.h"
#include "net/prometheus.h"
#include "net/route.h"

#include <stdlib.h>

static void patterns_match_whole_paths(void **unused)
{
    fm_slice capture = {NULL, 0};

    (void)unused;
    assert_true(fm_path_matches("/healthz", FM_SLICE("/healthz"), &capture));
    assert_false(fm_path_matches("/healthz", FM_SLICE("/healthz/"), &capture));
    assert_false(fm_path_matches("/healthz", FM_SLICE("/health"), &capture));
    assert_false(fm_path_matches("/healthz", FM_SLICE(""), &capture));
    assert_true(
        fm_path_matches("/v1/instruments/{symbol}/latest", FM_SLICE("/v1/instruments/BRK%2FB/latest"), &capture));
    assert_true(fm_slice_equal(capture, FM_SLICE("BRK%2FB")));
    assert_false(fm_path_matches("/v1/instruments/{symbol}/latest", FM_SLICE("/v1/instruments//latest"), &capture));
    assert_false(fm_path_matches("/v1/instruments/{symbol}/latest", FM_SLICE("/v1/instruments/a/b/latest"), &capture));
    assert_false(fm_path_matches("/v1/alerts/{id}", FM_SLICE("/v1/alerts/"), &capture));
    assert_true(fm_path_matches("/v1/alerts/{id}", FM_SLICE("/v1/alerts/latest"), &capture));
}

static void escapes_are_decoded_once_and_within_bounds(void **unused)
{
    char out[8];

    (void)unused;
    assert_int_equal(fm_percent_decode(FM_SLICE("a%2Fb"), false, out, 7), 3);
    assert_string_equal(out, "a/b");
    assert_int_equal(fm_percent_decode(FM_SLICE("%2525"), false, out, 7), 3);
    assert_string_equal(out, "%25");
    assert_int_equal(fm_percent_decode(FM_SLICE("a+b"), true, out, 7), 3);
    assert_string_equal(out, "a b");
    assert_int_equal(fm_percent_decode(FM_SLICE("a+b"), false, out, 7), 3);
    assert_string_equal(out, "a+b");
    assert_int_equal(fm_percent_decode(FM_SLICE("1234567"), false, out, 7), 7);
    assert_int_equal(fm_percent_decode(FM_SLICE("12345678"), false, out, 7), -1);
    static const char *const bad[] = {"%", "%1", "%zz", "%00", "%1f", "%7f", "a%2", "\x01"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(fm_percent_decode(fm_slice_of(bad[i]), false, out, 7), -1);
}

static void times_are_read_in_both_forms(void **unused)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"0", 0},
                {"1399033800000000000", 1399033800000000000},
                {"2014-05-02T12:30:00Z", 1399033800000000000},
                {"2014-05-02t12:30:00.000000001z", 1399033800000000001},
                {"2014-05-02T14:30:00.5+02:00", 1399033800500000000},
                {"2014-05-02T14:30:00 02:00", 1399033800000000000}, /* an unescaped '+' */
                {"2014-05-02T08:30:00-04:00", 1399033800000000000},
                {"2012-02-29T00:00:00Z", 1330473600000000000}};
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      "1.5",
                                      "2014-05-02",
                                      "2014-05-02T12:30Z",
                                      "2014-05-02T12:30:00",
                                      "2014-13-02T12:30:00Z",
                                      "2014-02-29T12:30:00Z",
                                      "2014-04-31T12:30:00Z",
                                      "2014-05-02T24:30:00Z",
                                      "2014-05-02T12:30:61Z",
                                      "2014-05-02T12:30:00.Z",
                                      "2014-05-02T12:30:00.1234567890Z",
                                      "2014-05-02T12:30:00+25:00",
                                      "2014-05-02T12:30:00+0200",
                                      "9999999999999999999",
                                      "2014-05-02T12:30:00Zx",
                                      "2014/05/02T12:30:00Z"};
    int64_t ns;

    (void)unused;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ns = -1;
        if (fm_parameter_time(fm_slice_of(good[i].text), &ns) != 0 || ns != good[i].ns)
            fail_msg("\"%s\" is %lld", good[i].text, (long long)ns);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (fm_parameter_time(fm_slice_of(bad[i]), &ns) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
}

static void integers_keep_their_range(void **unused)
{
    const fm_parameter row = {FM_ROUTE_alerts, "x", FM_PARAMETER_INTEGER, 1, 1000, ""};
    const fm_parameter wide = {FM_ROUTE_alerts, "x", FM_PARAMETER_INTEGER, 0, INT64_MAX, ""};
    int64_t number = -1;

    (void)unused;
    assert_int_equal(fm_parameter_parse(&row, FM_SLICE("1000"), &number), 0);
    assert_int_equal(number, 1000);
    assert_int_equal(fm_parameter_parse(&row, FM_SLICE("1001"), &number), FM_EINVAL);
    assert_int_equal(fm_parameter_parse(&row, FM_SLICE("0"), &number), FM_EINVAL);
    assert_int_equal(fm_parameter_parse(&wide, FM_SLICE("9223372036854775807"), &number), 0);
    assert_int_equal(fm_parameter_parse(&wide, FM_SLICE("9223372036854775808"), &number), FM_EINVAL);
    assert_int_equal(fm_parameter_parse(&wide, FM_SLICE("+1"), &number), FM_EINVAL);
    assert_true(number == INT64_MAX); /* untouched by what failed */
}

static void the_tables_fit_the_code(void **unused)
{
    (void)unused;
    for (int route = 0; route < FM_ROUTE_COUNT; route++) {
        int count = 0;
        for (int i = 0; i < FM_PARAMETER_COUNT; i++)
            count += fm_parameters[i].route == (fm_route_id)route;
        assert_true(count <= FM_PARAMETERS_MAX);
        assert_true(fm_routes[route].path[0] == '/');
        assert_true(strcmp(fm_routes[route].method, "GET") == 0 || strcmp(fm_routes[route].method, "POST") == 0);
        /* Whatever changes something must be behind the Origin check. */
        if (strcmp(fm_routes[route].method, "GET") != 0)
            assert_true(fm_routes[route].access != FM_ACCESS_READ);
        for (int other = 0; other < route; other++)
            assert_false(strcmp(fm_routes[route].path, fm_routes[other].path) == 0 &&
                         strcmp(fm_routes[route].method, fm_routes[other].method) == 0);
    }
    for (int i = 0; i < FM_PARAMETER_COUNT; i++)
        if (fm_parameters[i].type == FM_PARAMETER_NAME)
            assert_true(fm_parameters[i].high <= 64); /* what fm_request.text has room for */
}

static void counters_of_all_threads_are_added_up(void **unused)
{
    static fm_counters a, b;
    const fm_counters *const blocks[] = {&a, NULL, &b};
    fm_text out = {NULL, 0, 0};

    (void)unused;
    fm_count(&a, FM_METRIC_ACCEPTED, 3);
    fm_count(&b, FM_METRIC_ACCEPTED, 4);
    fm_count_rejected(&a, FM_price_negative, 2);
    fm_count_rejected(&b, FM_EINVAL, 1); /* not a record's reason, and yet it happened */
    fm_prometheus_counters(&out, blocks, 3);
    assert_non_null(strstr(out.data, "\nfmads_ingest_accepted_total 7\n"));
    assert_non_null(strstr(out.data, "\nfmads_ingest_rejected_total{reason=\"price_negative\"} 2\n"));
    assert_non_null(strstr(out.data, "\nfmads_ingest_rejected_total{reason=\"price_missing\"} 0\n"));
    assert_non_null(strstr(out.data, "{reason=\"invalid\"} 1\n"));
    assert_null(strstr(out.data, "{reason=\"queue_full\"}"));
    fm_text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_whole_paths),   cmocka_unit_test(escapes_are_decoded_once_and_within_bounds),
        cmocka_unit_test(times_are_read_in_both_forms), cmocka_unit_test(integers_keep_their_range),
        cmocka_unit_test(the_tables_fit_the_code),      cmocka_unit_test(counters_of_all_threads_are_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
