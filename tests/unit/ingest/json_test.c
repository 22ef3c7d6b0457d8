/* tests/unit/ingest/json_test.c - records from JSON: what is taken, and for what reason the rest is refused. */
#include "records.h"

#include "base/hash.h"

#include <stdlib.h>

#define QUOTE1 "{\"type\":\"quote\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"bid\":1}"
#define LINE1  "quote A ts=1399033800000000000 bid=1/0\n"
#define HEAD   "{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,"
#define OUT    "trade A ts=1399033800000000000 "

typedef struct sample {
    const char *body, *expected;
} sample;

static void check(fm_format format, const sample *samples, size_t count)
{
    for (size_t index = 0; index < count; index++)
        assert_body(format, samples[index].body, strlen(samples[index].body), samples[index].expected);
}
#define CHECK(format, samples) check(format, samples, sizeof(samples) / sizeof *(samples))

static void every_key_of_every_kind_is_taken(void **unused)
{
    (void)unused;
    line expected = {.used = 0};
    line_add(&expected,
             "trade EURUSD ts=1399033800000000000 venue=XBAR channel=c1 session=s1 src=f n=7 seq=9 seq_index=2 "
             "price=138512/5 "
             "size=100/0 side=1 conditions=80000020 id=%016" PRIx64 " buyer=%x seller=%x\n",
             fm_hash_slice(FM_SLICE("t1")), (uint32_t)fm_hash_slice(FM_SLICE("A1")),
             (uint32_t)fm_hash_slice(FM_SLICE("B2")));
    const char *trade =
        "{\"type\":\"trade\",\"symbol\":\"EURUSD\",\"venue\":\"XBAR\",\"channel\":\"c1\",\"session\":\"s1\",\"src\":"
        "\"f\","
        "\"n\":7,\"seq\":9,\"seq_index\":2,\"ts\":1399033800000000000,\"price\":1.38512,\"size\":100,\"id\":\"t1\","
        "\"side\":\"buy\",\"conditions\":[\"odd_lot\",\"intermarket_sweep\"],\"buyer\":\"A1\",\"seller\":\"B2\"}";
    assert_body(FM_FORMAT_JSON, trade, strlen(trade), expected.text);
    static const sample samples[] = {
        {"{\"type\":\"quote\",\"symbol\":\"EURUSD\",\"ts\":1399033800000000000,\"bid\":1.38510,\"bid_size\":100,"
         "\"ask\":1.38514,"
         "\"ask_size\":200}",
         "quote EURUSD ts=1399033800000000000 bid=13851/4 bid_size=100/0 ask=138514/5 ask_size=200/0\n"},
        {"{\"type\":\"quote\",\"symbol\":\"E\",\"ts\":1399033800000000000,\"ask\":2,\"bid\":null}",
         "quote E ts=1399033800000000000 ask=2/0\n"},
        {"{\"type\":\"quote\",\"symbol\":\"E\",\"ts\":1399033800000000000,\"bid\":0,\"bid_size\":0}",
         "quote E ts=1399033800000000000 bid=0/0 bid_size=0/0\n"},
        {"{\"type\":\"quote\",\"symbol\":\"E\",\"ts\":1399033800000000000,\"bid\":3,\"ask\":2}",
         "quote E ts=1399033800000000000 bid=3/0 ask=2/0\n"}, /* crossed: for the engine to judge */
        {"{\"type\":\"value\",\"symbol\":\"any.series\",\"ts\":1399033800000000000,\"value\":1.5}",
         "value any.series ts=1399033800000000000 value=0x1.8p+0\n"},
        {"{\"type\":\"value\",\"symbol\":\"v\",\"ts\":1399033800000000000,\"value\":-1e308}",
         "value v ts=1399033800000000000 value=-0x1.1ccf385ebc8ap+1023\n"},
        {"{\"type\":\"status\",\"symbol\":\"E\",\"ts\":1399033800000000000,\"phase\":\"halt\"}",
         "status E ts=1399033800000000000 phase=3\n"},
        {HEAD "\"price\":1,\"size\":0}", OUT "price=1/0 size=0/0\n"},
        {HEAD "\"price\":1,\"side\":\"sell\",\"size\":null,\"venue\":null,\"conditions\":[]}",
         OUT "price=1/0 side=2\n"},
        /* keys of other kinds are checked, then counted; so is what nobody knows */
        {HEAD "\"price\":1,\"phase\":\"open\",\"value\":3,\"x\":[{\"y\":[1,2.5e-3,true,null,\"\\ud83d\\ude00\"]},{}]}",
         OUT "price=1/0 unknown=3\n"},
    };
    CHECK(FM_FORMAT_JSON, samples);
}

static void each_rule_has_its_reason(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"{}", "type_missing\n"},
        {"{\"type\":null,\"symbol\":\"A\"}", "type_missing\n"},
        {"{\"type\":\"tick\",\"symbol\":5}", "type_unknown\n"},
        {"{\"symbol\":5,\"type\":7}", "type_unknown\n"},
        {"{\"type\":[\"trade\"]}", "type_unknown\n"},
        {"{\"side\":\"up\",\"price\":\"?\",\"type\":\"news\"}", "type_unsupported\n"},
        {"{\"type\":\"news\"}", "type_unsupported\n"},
        {"{\"type\":\"trade\",\"ts\":1399033800000000000,\"price\":1}", "symbol_missing\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\",\"price\":1}", "ts_missing\n"},
        {"{\"type\":\"trade\",\"symbol\":\"\",\"ts\":1399033800000000000,\"price\":1}", "symbol_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A B\",\"ts\":1399033800000000000,\"price\":1}", "symbol_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\\u0000\",\"ts\":1399033800000000000,\"price\":1}", "symbol_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"\xc3\x84\",\"ts\":1399033800000000000,\"price\":1}", "symbol_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\x7f\",\"ts\":1399033800000000000,\"price\":1}", "symbol_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":7,\"ts\":1399033800000000000,\"price\":1}", "symbol_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"price\":1,\"venue\":\"\"}",
         "name_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"price\":1,\"id\":\"\"}", "name_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"price\":1,\"id\":12}", "name_invalid\n"},
        {"{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"price\":1,\"buyer\":\"\\t\"}",
         "name_invalid\n"},
        {HEAD "\"price\":1,\"side\":\"bid\"}", "side_invalid\n"},
        {HEAD "\"price\":1,\"side\":1}", "side_invalid\n"},
        {HEAD "\"price\":1,\"conditions\":[\"odd_lot\",\"nonsense\"]}", "condition_unknown\n"},
        {HEAD "\"price\":1,\"conditions\":\"odd_lot\"}", "condition_unknown\n"},
        {HEAD "\"price\":1,\"conditions\":[1]}", "condition_unknown\n"},
        {HEAD "\"price\":1,\"seq\":-1}", "seq_invalid\n"},
        {HEAD "\"price\":1,\"seq\":1.5}", "seq_invalid\n"},
        {HEAD "\"price\":1,\"seq\":1e3}", "seq_invalid\n"},
        {HEAD "\"price\":1,\"seq\":\"1\"}", "seq_invalid\n"},
        {HEAD "\"price\":1,\"seq\":9223372036854775808}", "seq_invalid\n"},
        {HEAD "\"price\":1,\"seq\":9223372036854775807}", OUT "seq=9223372036854775807 price=1/0\n"},
        {HEAD "\"price\":1,\"seq_index\":4294967296}", "seq_invalid\n"},
        {HEAD "\"price\":1,\"n\":1}", "row_without_source\n"},
        {HEAD "\"price\":1,\"src\":\"f\"}", "row_without_source\n"},
        {HEAD "\"price\":1,\"src\":\"f\",\"n\":null}", "row_without_source\n"},
        {HEAD "\"price\":1,\"price\":1}", "key_duplicate\n"},
        {HEAD "\"price\":1,\"pri\\u0063e\":2}", "key_duplicate\n"},
        {HEAD "\"price\":1,\"size\":null,\"size\":null}", "key_duplicate\n"},
        {HEAD "\"price\":1,\"x\":1,\"x\":2}", OUT "price=1/0 unknown=2\n"},
        {"{\"type\":\"value\",\"symbol\":\"A\",\"ts\":1399033800000000000}", "value_missing\n"},
        {"{\"type\":\"value\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"value\":1e309}", "value_invalid\n"},
        {"{\"type\":\"value\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"value\":\"1\"}", "value_invalid\n"},
        {"{\"type\":\"value\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"value\":NaN}", "malformed\n"},
        {"{\"type\":\"status\",\"symbol\":\"A\",\"ts\":1399033800000000000}", "phase_invalid\n"},
        {"{\"type\":\"status\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"phase\":\"lunch\"}", "phase_invalid\n"},
    };
    CHECK(FM_FORMAT_JSON, samples);
}

static void an_expected_key_is_only_a_guess(void **unused)
{
    (void)unused;
    /* each follows a record with other keys in its places, far from the end; the last two have a key twice */
    static const sample samples[] = {
        {HEAD "\"price\":1,\"size\":2}", OUT "price=1/0 size=2/0\n"},
        {HEAD "\"price\":1,\"sizes\":2}", OUT "price=1/0 unknown=1\n"},
        {HEAD "\"price\" :1,\"size\": 2}", OUT "price=1/0 size=2/0\n"},
        {"{ \"type\": \"trade\", \"symbol\": \"A\", \"ts\": 1399033800000000000, \"price\": 1, \"size\":  2 }",
         OUT "price=1/0 size=2/0\n"},
        {"{\"ts\":1399033800000000000,\"type\":\"trade\",\"symbol\":\"A\",\"size\":2,\"price\":1}",
         OUT "price=1/0 size=2/0\n"},
        {HEAD "\"price\":null,\"size\":2}", "price_missing\n"},
        {HEAD "\"price\":1,\"price\":2}", "key_duplicate\n"},
        {"{\"type\":\"trade\",\"type\":\"trade\"}", "key_duplicate\n"},
    };
    enum { COUNT = sizeof samples / sizeof *samples };
    char body[2048], expected[2048];
    for (int first = 0; first < COUNT; first++) {
        for (int second = 0; second < COUNT; second++) {
            snprintf(body, sizeof body, "%s\n%s\n%s\n%*s", samples[first].body, samples[second].body,
                     samples[first].body, 200, "");
            snprintf(expected, sizeof expected, "%s%s%s", samples[first].expected, samples[second].expected,
                     samples[first].expected);
            assert_body(FM_FORMAT_NDJSON, body, strlen(body), expected);
        }
    }
}

static void texts_are_json_and_utf_8(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"abc", ""},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\uD83D\\uDE00", ""},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", ""},
        {"\x7f", ""},
        {"\\u12", "malformed"},
        {"\\u12g4", "malformed"},
        {"\\x41", "malformed"},
        {"\\", "malformed"},
        {"a\tb", "malformed"},
        {"\x01", "malformed"},
        {"\\ud800", "utf8_invalid"},
        {"\\ud800\\u0041", "utf8_invalid"},
        {"\\udc00\\ud800", "utf8_invalid"},
        {"\\ud83dx", "utf8_invalid"},
        {"\x80", "utf8_invalid"},
        {"\xc3", "utf8_invalid"},
        {"\xc0\xaf", "utf8_invalid"},
        {"\xe0\x80\xaf", "utf8_invalid"},
        {"\xed\xa0\x80", "utf8_invalid"},
        {"\xf4\x90\x80\x80", "utf8_invalid"},
        {"\xf5\x80\x80\x80", "utf8_invalid"},
        {"\xff", "utf8_invalid"},
    };
    static const char *const places[] = {"\"x\":\"%s\"", "\"%s\":1", "\"x\":{\"a\":[\"%s\"]}", "\"x\":[{\"%s\":0}]"};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        for (size_t place = 0; place < sizeof places / sizeof *places; place++) {
            char body[400], inner[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(inner, sizeof inner, places[place], cases[index].text);
#pragma GCC diagnostic pop
            snprintf(body, sizeof body, HEAD "%s,\"price\":1}", inner);
            char expected[200];
            snprintf(expected, sizeof expected, "%s\n",
                     *cases[index].expected ? cases[index].expected : OUT "price=1/0 unknown=1");
            assert_body(FM_FORMAT_NDJSON, body, strlen(body), expected);
        }
    }
}

static void escapes_in_keys_and_values_mean_what_they_spell(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"{\"\\u0074ype\":\"tr\\u0061de\",\"symbol\":\"\\u0045URUSD\",\"ts\":\"2014-05-02T12\\u003a30:00Z\",\"price\":"
         "\"1\\u002e5\","
         "\"venue\":\"\\/"
         "\",\"channel\":\"\\\\\",\"session\":\"\\\"\",\"src\":\"\\u0020\",\"n\":1,\"side\":\"\\u0062uy\","
         "\"conditions\":[\"odd\\u005flot\"]}",
         "trade EURUSD ts=1399033800000000000 venue=/ channel=\\ session=\" src=  n=1 price=15/1 side=1 "
         "conditions=80000000\n"},
    };
    CHECK(FM_FORMAT_JSON, samples);
}

static void the_longest_names_with_escapes_fit_together(void **unused)
{
    (void)unused;
    char body[4096], name[64 * 6 + 1] = "", plain[65] = "", expected[1024];
    for (int index = 0; index < 64; index++) {
        strcat(name, "\\u0061");
        strcat(plain, "a");
    }
    snprintf(body, sizeof body,
             "{\"symbol\":\"%s\",\"venue\":\"%s\",\"channel\":\"%s\",\"session\":\"%s\",\"src\":\"%s\",\"type\":"
             "\"trade\",\"side\":\"buy\","
             "\"n\":1,\"ts\":1399033800000000000,\"price\":1,\"buyer\":null}",
             name, name, name, name, name);
    snprintf(expected, sizeof expected,
             "trade %s ts=1399033800000000000 venue=%s channel=%s session=%s src=%s n=1 price=1/0 side=1\n", plain,
             plain, plain, plain, plain);
    assert_body(FM_FORMAT_JSON, body, strlen(body), expected);
    snprintf(body, sizeof body, "{\"symbol\":\"a%s\",\"type\":\"trade\"}", name);
    assert_body(FM_FORMAT_JSON, body, strlen(body), "symbol_invalid\n");
}

static void space_stands_wherever_json_lets_it(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {" \t\r\n{ \"type\" : \"trade\" ,\n\t\"symbol\":\r\n\"A\",\"ts\"\t:1399033800000000000 , \"price\" : 1 , \"x\" "
         ": [ 1 , { } ] } \n",
         OUT "price=1/0 unknown=1\n"},
        {"{\"type\": \"trade\", \"symbol\": \"A\", \"ts\": 1399033800000000000, \"price\": 1}", OUT "price=1/0\n"},
        {" [ ] ", ""},
        {"[\n" QUOTE1 "\n,\n" QUOTE1 "\n]\n", LINE1 LINE1},
    };
    CHECK(FM_FORMAT_JSON, samples);
}

static void an_array_goes_on_behind_a_refused_record(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"[" QUOTE1 ",{\"type\":\"x\"}," QUOTE1 "]", LINE1 "type_unknown\n" LINE1},
        {"[5," QUOTE1 ",\"a]\",null,[{}],true," QUOTE1 "]",
         "not_an_object\n" LINE1 "not_an_object\nnot_an_object\nnot_an_object\nnot_an_object\n" LINE1},
        {"[{\"a\" 1}," QUOTE1 "]", "malformed\n" LINE1},
        {"[{\"a\":01}," QUOTE1 "]", "malformed\n" LINE1},
        {"[{\"a\":\"\\x}{\\\"\"}," QUOTE1 "]", "malformed\n" LINE1},
        {"[nul," QUOTE1 "]", "malformed\n" LINE1},
        {"[{\"a\":[1,}," QUOTE1 "]", "malformed\ntorn\n"},
        {"[{\"a\":\"x}," QUOTE1 "]", "malformed\ntorn\n"},
        {"[" QUOTE1, LINE1 "malformed\ntorn\n"},
        {"[" QUOTE1 ",", LINE1 "malformed\ntorn\n"},
        {"[" QUOTE1 ",]", LINE1 "malformed\ntorn\n"},
        {"[," QUOTE1 "]", "malformed\ntorn\n"},
        {"[" QUOTE1 " " QUOTE1 "]", LINE1 "malformed\ntorn\n"},
        {"[" QUOTE1 "]x", LINE1 "malformed\ntorn\n"},
        {"[]x", "malformed\ntorn\n"},
        {"[", "malformed\ntorn\n"},
    };
    CHECK(FM_FORMAT_JSON, samples);
}

static void one_object_is_all_of_a_body(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {QUOTE1, LINE1},
        {QUOTE1 " " QUOTE1, LINE1 "malformed\ntorn\n"},
        {QUOTE1 ",", LINE1 "malformed\ntorn\n"},
        {"", "malformed\ntorn\n"},
        {"  ", "malformed\ntorn\n"},
        {"5", "not_an_object\n"},
        {"\"a\"", "not_an_object\n"},
        {"{", "malformed\ntorn\n"},
        {"{\"type\"", "malformed\ntorn\n"},
        {"{\"type\":\"trade\",}", "malformed\n"},
        {"{,}", "malformed\n"},
        {"{\"a\":1 \"b\":2}", "malformed\n"},
        {"{a:1}", "malformed\n"},
        {"{'a':1}", "malformed\n"},
        {"\xef\xbb\xbf" QUOTE1, "malformed\n"},
        {"{\"a\":1/*c*/}", "malformed\n"},
    };
    CHECK(FM_FORMAT_JSON, samples);
}

static void a_line_of_ndjson_is_a_record(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"", ""},
        {"\n \r\n\n", ""},
        {QUOTE1 "\n" QUOTE1 "\r\n\n" QUOTE1, LINE1 LINE1 LINE1},
        {QUOTE1 "\n{\"type\":\n\"trade\"}\n" QUOTE1, LINE1 "malformed\nmalformed\n" LINE1},
        {"{\"a\":\"x\n" QUOTE1, "malformed\n" LINE1},
        {"5\n" QUOTE1 " x\n" QUOTE1, "not_an_object\nmalformed\n" LINE1},
        {QUOTE1 QUOTE1 "\n" QUOTE1, "malformed\n" LINE1},
        {"[" QUOTE1 "]\n" QUOTE1, "not_an_object\n" LINE1},
        {"\xef\xbb\xbf" QUOTE1 "\n" QUOTE1, "malformed\n" LINE1},
        {QUOTE1 "\n{\"type\":\"trade\"", LINE1 "malformed\n"},
    };
    CHECK(FM_FORMAT_NDJSON, samples);
}

static void limits_bound_what_is_ignored(void **unused)
{
    (void)unused;
    fm_decode_limits limits = fm_decode_limits_preset;
    limits.depth_max = 3;
    limits.key_bytes_max = 8;
    limits.text_bytes_max = 10;
    static const sample samples[] = {
        {HEAD "\"price\":1,\"x\":[[[1]]]}", OUT "price=1/0 unknown=1\n"},
        {HEAD "\"price\":1,\"x\":[[[[]]]]}\n" QUOTE1, "nesting_too_deep\n" LINE1},
        {HEAD "\"price\":1,\"x\":{\"a\":{\"b\":{\"c\":{}}}}}\n" QUOTE1, "nesting_too_deep\n" LINE1},
        {HEAD "\"price\":1,\"12345678\":1}", OUT "price=1/0 unknown=1\n"},
        {HEAD "\"price\":1,\"123456789\":1}\n" QUOTE1, "key_too_long\n" LINE1},
        {HEAD "\"price\":1,\"x\":{\"123456789\":1}}", "key_too_long\n"},
        {HEAD "\"price\":1,\"x\":\"1234567890\"}", OUT "price=1/0 unknown=1\n"},
        {HEAD "\"price\":1,\"x\":\"12345678901\"}", "key_too_long\n"},
        {HEAD "\"price\":1,\"x\":\"\\u0041\\u0041\\u0041\"}", OUT "price=1/0 unknown=1\n"},
    };
    for (size_t index = 0; index < sizeof samples / sizeof *samples; index++) {
        line out;
        line_body(&out, FM_FORMAT_NDJSON, samples[index].body, strlen(samples[index].body), &limits);
        assert_string_equal(out.text, samples[index].expected);
    }
}

static void a_key_of_ten_megabytes_costs_only_its_record(void **unused)
{
    (void)unused;
    size_t size = 10 * 1024 * 1024;
    char *body = malloc(size + 256);
    size_t used = (size_t)sprintf(body, "[{\"");
    memset(body + used, 'k', size);
    used += size;
    used += (size_t)sprintf(body + used, "\":1}," QUOTE1 "]");
    assert_body(FM_FORMAT_JSON, body, used, "key_too_long\n" LINE1);
    memset(body, '[', size); /* ten million brackets */
    assert_body(FM_FORMAT_JSON, body, size, "nesting_too_deep\ntorn\n");
    free(body);
}

static void a_message_names_key_reason_and_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *body, *message;
        size_t begin, size;
    } cases[] = {
        {"[" QUOTE1 "," HEAD "\"price\":1.0000000001}]",
         "\"price\": has more decimals than ingest.scale_max, at byte 62 of the record", sizeof QUOTE1 + 1, 75},
        {"  {\"type\":\"trade\"}", "\"symbol\": is missing", 2, 16},
        {"{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1x}", "expected ',' or '}', at byte 35 of the record", 0, 37},
        {"{\"ts\":1,\"ts\":2}", "\"ts\": stands twice, at byte 8 of the record", 0, 15},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        fm_decoder decoder;
        fm_record record;
        int result;
        fm_decoder_init(&decoder, FM_FORMAT_JSON, cases[index].body, strlen(cases[index].body),
                        &fm_decode_limits_preset);
        while ((result = fm_decoder_next(&decoder, &record)) > 0)
            ;
        assert_true(result < 0);
        assert_non_null(strstr(decoder.error.message, cases[index].message));
        assert_ptr_equal(decoder.record.data, cases[index].body + cases[index].begin);
        assert_int_equal(decoder.record.size, cases[index].size);
    }
}

static void media_types_name_formats(void **unused)
{
    (void)unused;
    assert_int_equal(fm_format_of(FM_SLICE("application/json")), FM_FORMAT_JSON);
    assert_int_equal(fm_format_of(FM_SLICE("Application/JSON ; charset=utf-8")), FM_FORMAT_JSON);
    assert_int_equal(fm_format_of(FM_SLICE("application/x-ndjson")), FM_FORMAT_NDJSON);
    assert_int_equal(fm_format_of(FM_SLICE("application/jsonl")), FM_FORMAT_NDJSON);
    assert_int_equal(fm_format_of(FM_SLICE("application/msgpack")), FM_FORMAT_MSGPACK);
    assert_int_equal(fm_format_of(FM_SLICE("application/x-msgpack")), FM_FORMAT_MSGPACK);
    assert_int_equal(fm_format_of(FM_SLICE("application/vnd.msgpack")), FM_FORMAT_MSGPACK);
    assert_int_equal(fm_format_of(FM_SLICE("text/csv;header=present")), FM_FORMAT_CSV);
    assert_int_equal(fm_format_of(FM_SLICE("text/plain")), FM_FORMAT_NONE);
    assert_int_equal(fm_format_of(FM_SLICE("application/jsonx")), FM_FORMAT_NONE);
    assert_int_equal(fm_format_of(FM_SLICE("")), FM_FORMAT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_every_kind_is_taken),
        cmocka_unit_test(each_rule_has_its_reason),
        cmocka_unit_test(an_expected_key_is_only_a_guess),
        cmocka_unit_test(texts_are_json_and_utf_8),
        cmocka_unit_test(escapes_in_keys_and_values_mean_what_they_spell),
        cmocka_unit_test(the_longest_names_with_escapes_fit_together),
        cmocka_unit_test(space_stands_wherever_json_lets_it),
        cmocka_unit_test(an_array_goes_on_behind_a_refused_record),
        cmocka_unit_test(one_object_is_all_of_a_body),
        cmocka_unit_test(a_line_of_ndjson_is_a_record),
        cmocka_unit_test(limits_bound_what_is_ignored),
        cmocka_unit_test(a_key_of_ten_megabytes_costs_only_its_record),
        cmocka_unit_test(a_message_names_key_reason_and_place),
        cmocka_unit_test(media_types_name_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
