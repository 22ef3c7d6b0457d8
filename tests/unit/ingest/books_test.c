/* Bars, levels of a book and orders: what is taken, what is not, and that every format says the same. */
#include "records.h"

#include "base/hash.h"

#define TS       "\"ts\":1399033800000000000"
#define BAR      "{\"type\":\"bar\",\"symbol\":\"E\"," TS ",\"interval\":\"1m\","
#define BOOK     "{\"type\":\"book\",\"symbol\":\"E\"," TS ","
#define ORDER    "{\"type\":\"order\",\"symbol\":\"E\"," TS ","
#define PRICES   "\"open\":1.5,\"high\":2,\"low\":1.25,\"close\":1.75"
#define IS_BAR   "bar E ts=1399033800000000000 open=15/1 high=2/0 low=125/2 close=175/2"
#define MINUTE   " interval=60000000000"
#define IS_BOOK  "book E ts=1399033800000000000"
#define IS_ORDER "order E ts=1399033800000000000"

typedef struct sample {
    const char *body, *expected;
} sample;

#define CHECK(samples)                                                                                                 \
    for (size_t index = 0; index < sizeof samples / sizeof *samples; index++)                                          \
    assert_body(FM_FORMAT_JSON, samples[index].body, strlen(samples[index].body), samples[index].expected)

static void a_bar_has_four_prices_in_order_and_a_length(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {BAR PRICES "}", IS_BAR MINUTE "\n"},
        {BAR PRICES ",\"volume\":10,\"buy_volume\":2.5,\"trades\":7}",
         IS_BAR " volume=10/0 buy_volume=25/1" MINUTE " trades=7\n"},
        {BAR "\"open\":1,\"high\":1.0,\"low\":1,\"close\":1}",
         "bar E ts=1399033800000000000 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n"},
        {BAR "\"open\":1,\"high\":2,\"low\":1}", "price_missing\n"},
        {BAR "\"open\":0,\"high\":2,\"low\":1,\"close\":1}", "price_negative\n"},
        {BAR "\"open\":-1,\"high\":2,\"low\":1,\"close\":1}", "price_negative\n"},
        {BAR "\"open\":3,\"high\":2,\"low\":1,\"close\":1}", "bar_inconsistent\n"},
        {BAR "\"open\":1,\"high\":1.999999999,\"low\":1,\"close\":2}", "bar_inconsistent\n"},
        {BAR "\"open\":1,\"high\":2,\"low\":1.5,\"close\":2}", "bar_inconsistent\n"},
        {BAR "\"open\":9007199254740992,\"high\":9007199254740992,\"low\":0.000000001,\"close\":1}",
         "bar E ts=1399033800000000000 open=9007199254740992/0 high=9007199254740992/0 low=1/9 close=1/0" MINUTE "\n"},
        {BAR PRICES ",\"buy_volume\":1}", "bar_inconsistent\n"},
        {BAR PRICES ",\"volume\":1,\"buy_volume\":1.1}", "bar_inconsistent\n"},
        {BAR PRICES ",\"volume\":-1}", "size_negative\n"},
        {BAR PRICES ",\"trades\":-1}", "count_invalid\n"},
        {"{\"type\":\"bar\",\"symbol\":\"E\"," TS "," PRICES "}", "interval_missing\n"},
        {"{\"type\":\"bar\",\"symbol\":\"E\"," TS ",\"interval\":null," PRICES "}", "interval_missing\n"},
        {BAR PRICES ",\"price\":5,\"side\":\"buy\"}", IS_BAR MINUTE " unknown=2\n"},
        {BAR PRICES ",\"price\":\"x\"}", "price_invalid\n"},
    };
    CHECK(samples);
}

static void a_length_is_nanoseconds_or_a_duration(void **unused)
{
    (void)unused;
    static const struct {
        const char *value;
        int64_t ns; /* 0 = refused */
    } samples[] = {
        {"60000000000", 60 * FM_NS_PER_S},
        {"\"60000000000\"", 60 * FM_NS_PER_S},
        {"1", 1},
        {"\"1ns\"", 1},
        {"\"1m\"", 60 * FM_NS_PER_S},
        {"\"1h30m\"", 5400 * FM_NS_PER_S},
        {"\"1.5s\"", 1500 * FM_NS_PER_MS},
        {"\"0.25us\"", 250},
        {"\"1d\"", 86400 * FM_NS_PER_S},
        {"\"2w\"", 1209600 * FM_NS_PER_S},
        {"\"366d\"", 366 * 86400 * FM_NS_PER_S},
        {"\"8784h\"", 366 * 86400 * FM_NS_PER_S},
        {"\"100ms\"", 100 * FM_NS_PER_MS},
        {"0", 0},
        {"-1", 0},
        {"1.5", 0},
        {"1e9", 0},
        {"\"0s\"", 0},
        {"\"0\"", 0},
        {"\"\"", 0},
        {"\"m\"", 0},
        {"\"1\\u006d\"", 60 * FM_NS_PER_S},
        {"\"1 m\"", 0},
        {"\"1M\"", 0},
        {"\"1mo\"", 0},
        {"\"1..5s\"", 0},
        {"\".5s\"", 0},
        {"\"0.5ns\"", 0},
        {"\"366d1ns\"", 0},
        {"\"99999999999999999999d\"", 0},
        {"31622400000000001", 0},
        {"18446744073709551616", 0},
        {"true", 0},
        {"[]", 0},
    };
    for (size_t index = 0; index < sizeof samples / sizeof *samples; index++) {
        char body[512], expected[256];
        snprintf(body, sizeof body, "{\"type\":\"bar\",\"symbol\":\"E\"," TS ",\"interval\":%s," PRICES "}",
                 samples[index].value);
        if (samples[index].ns > 0)
            snprintf(expected, sizeof expected, IS_BAR " interval=%" PRId64 "\n", samples[index].ns);
        else
            snprintf(expected, sizeof expected, "interval_invalid\n");
        assert_body(FM_FORMAT_JSON, body, strlen(body), expected);
    }
}

static void a_level_is_set_deleted_or_cleared(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {BOOK "\"side\":\"buy\",\"price\":1.5,\"size\":3}", IS_BOOK " price=15/1 size=3/0 action=1 side=1\n"},
        {BOOK "\"side\":\"ask\",\"price\":1.5,\"size\":3,\"orders\":2,\"action\":\"set\"}",
         IS_BOOK " price=15/1 size=3/0 action=1 orders=2 side=2\n"},
        {BOOK "\"side\":\"bid\",\"price\":1.5,\"size\":0,\"orders\":2}",
         IS_BOOK " price=15/1 size=0/0 action=2 side=1\n"},
        {BOOK "\"side\":\"sell\",\"price\":1.5,\"action\":\"delete\",\"size\":7}",
         IS_BOOK " price=15/1 size=0/0 action=2 side=2\n"},
        {BOOK "\"action\":\"clear\"}", IS_BOOK " action=3\n"},
        {BOOK "\"action\":\"clear\",\"side\":\"ask\",\"price\":5}", IS_BOOK " action=3 side=2\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"more\":true,\"snapshot\":true}",
         IS_BOOK " price=1/0 size=1/0 action=1 flags=c side=1\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"more\":false,\"snapshot\":null}",
         IS_BOOK " price=1/0 size=1/0 action=1 side=1\n"},
        {BOOK "\"price\":1,\"size\":1}", "side_missing\n"},
        {BOOK "\"side\":\"bid\",\"size\":1}", "price_missing\n"},
        {BOOK "\"side\":\"bid\",\"price\":0,\"size\":1}", "price_negative\n"},
        {BOOK "\"side\":\"bid\",\"price\":1}", "size_missing\n"},
        {BOOK "\"side\":\"up\",\"price\":1,\"size\":1}", "side_invalid\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"action\":\"add\"}", "action_invalid\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"action\":\"SET\"}", "action_invalid\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"action\":1}", "action_invalid\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"more\":1}", "flag_invalid\n"},
        {BOOK "\"side\":\"bid\",\"price\":1,\"size\":1,\"orders\":4294967296}", "count_invalid\n"},
        {"{\"side\":\"bid\",\"price\":1,\"size\":1," TS ",\"symbol\":\"E\",\"type\":\"book\"}",
         IS_BOOK " price=1/0 size=1/0 action=1 side=1\n"},
    };
    CHECK(samples);
}

static void an_order_has_what_its_action_needs(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {ORDER "\"action\":\"add\",\"order\":7,\"side\":\"bid\",\"price\":1.5,\"size\":3}",
         IS_ORDER " price=15/1 size=3/0 action=1 order=7 side=1\n"},
        {ORDER "\"order\":7,\"side\":\"sell\",\"price\":1.5,\"size\":3,\"action\":\"modify\",\"more\":true}",
         IS_ORDER " price=15/1 size=3/0 action=2 order=7 flags=4 side=2\n"},
        {ORDER "\"action\":\"modify\",\"order\":7,\"size\":3}", IS_ORDER " size=3/0 action=2 order=7\n"},
        {ORDER "\"action\":\"cancel\",\"order\":7}", IS_ORDER " action=3 order=7\n"},
        {ORDER "\"action\":\"cancel\",\"order\":7,\"size\":2}", IS_ORDER " size=2/0 action=3 order=7\n"},
        {ORDER "\"action\":\"execute\",\"order\":7,\"size\":2}", IS_ORDER " size=2/0 action=4 order=7\n"},
        {ORDER "\"action\":\"fill\",\"order\":7,\"size\":2,\"price\":1}",
         IS_ORDER " price=1/0 size=2/0 action=5 order=7\n"},
        {ORDER "\"action\":\"clear\"}", IS_ORDER " action=6 order=0\n"},
        {ORDER "\"action\":\"clear\",\"order\":5,\"size\":1}", IS_ORDER " action=6 order=0\n"},
        {ORDER "\"action\":\"cancel\",\"order\":18446744073709551615}",
         IS_ORDER " action=3 order=18446744073709551615\n"},
        {ORDER "\"action\":\"cancel\",\"order\":\"18446744073709551615\"}",
         IS_ORDER " action=3 order=18446744073709551615\n"},
        {ORDER "\"action\":\"cancel\",\"order\":0}", IS_ORDER " action=3 order=0\n"},
        {ORDER "\"order\":7,\"side\":\"bid\",\"price\":1.5,\"size\":3}", "action_missing\n"},
        {ORDER "\"action\":\"set\",\"order\":7,\"side\":\"bid\",\"price\":1.5,\"size\":3}", "action_invalid\n"},
        {ORDER "\"action\":\"add\",\"side\":\"bid\",\"price\":1.5,\"size\":3}", "order_missing\n"},
        {ORDER "\"action\":\"add\",\"order\":7,\"price\":1.5,\"size\":3}", "side_missing\n"},
        {ORDER "\"action\":\"add\",\"order\":7,\"side\":\"bid\",\"size\":3}", "price_missing\n"},
        {ORDER "\"action\":\"add\",\"order\":7,\"side\":\"bid\",\"price\":1}", "size_missing\n"},
        {ORDER "\"action\":\"add\",\"order\":7,\"side\":\"bid\",\"price\":1,\"size\":0}", "size_invalid\n"},
        {ORDER "\"action\":\"execute\",\"order\":7}", "size_missing\n"},
        {ORDER "\"action\":\"cancel\",\"order\":18446744073709551616}", "order_invalid\n"},
        {ORDER "\"action\":\"cancel\",\"order\":-1}", "order_invalid\n"},
        {ORDER "\"action\":\"cancel\",\"order\":1.5}", "order_invalid\n"},
        {ORDER "\"action\":\"cancel\",\"order\":1e3}", "order_invalid\n"},
        {ORDER "\"action\":\"cancel\",\"order\":\"\"}", "order_invalid\n"},
        {ORDER "\"action\":\"cancel\",\"order\":true}", "order_invalid\n"},
        {ORDER "\"action\":\"cancel\",\"order\":1,\"account\":\"\"}", "name_invalid\n"},
    };
    CHECK(samples);
}

/* "bid" of a trade would be the side that waited, where a trade's side is the one that took. */
static void only_books_take_bid_and_ask_for_a_side(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"{\"type\":\"trade\",\"symbol\":\"E\"," TS ",\"price\":1,\"side\":\"bid\"}", "side_invalid\n"},
        {"{\"side\":\"ask\",\"type\":\"trade\",\"symbol\":\"E\"," TS ",\"price\":1}", "side_invalid\n"},
        {"{\"type\":\"quote\",\"symbol\":\"E\"," TS ",\"bid\":1,\"side\":\"bid\"}",
         "quote E ts=1399033800000000000 bid=1/0 unknown=1\n"},
        {"{\"type\":\"trade\",\"symbol\":\"E\"," TS ",\"price\":1,\"open\":5,\"more\":true,\"order\":\"x\"}",
         "trade E ts=1399033800000000000 price=1/0 unknown=3\n"},
        /* what means something else to whoever sent it */
        {"{\"type\":\"trade\",\"symbol\":\"E\"," TS
         ",\"price\":1,\"open\":\"n/a\",\"more\":{\"a\":[1]},\"order\":-1,\"action\":\"buy\"}",
         "trade E ts=1399033800000000000 price=1/0 unknown=4\n"},
        {"{\"interval\":\"x\",\"volume\":-1,\"trades\":1.5,\"account\":7,\"type\":\"quote\",\"symbol\":\"E\"," TS
         ",\"bid\":1}",
         "quote E ts=1399033800000000000 bid=1/0 unknown=4\n"},
        {"{\"interval\":\"x\",\"type\":\"bar\",\"symbol\":\"E\"," TS "," PRICES "}", "interval_invalid\n"},
    };
    CHECK(samples);
}

/* A name's hash is its own; digits with a zero before them are a name. */
static void an_order_is_known_by_its_number_or_its_name(void **unused)
{
    (void)unused;
    static const char *const names[] = {"ABC-1", "007", "1.0", "18446744073709551616", "-1"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        char body[256], expected[256];
        snprintf(body, sizeof body, ORDER "\"action\":\"cancel\",\"order\":\"%s\"}", names[index]);
        snprintf(expected, sizeof expected, IS_ORDER " action=3 order=%" PRIu64 "\n",
                 fm_hash_slice(fm_slice_of(names[index])));
        assert_body(FM_FORMAT_JSON, body, strlen(body), expected);
    }
}

static void csv_and_messagepack_say_the_same(void **unused)
{
    (void)unused;
    static const char csv[] = "type,symbol,ts,action,order,side,price,size,snapshot,more,interval,open,high,low,close\n"
                              "order,E,1399033800000000000,add,12,bid,1.5,3,1,true,,,,,\n"
                              "book,E,1399033800000000000,,,sell,1.5,3,0,false,,,,,\n"
                              "bar,E,1399033800000000000,,,,,,,,1m,1.5,2,1.25,1.75\n"
                              "bar,E,1399033800000000000,,,,,,,,60000000000,1.5,2,1.25,1.75\n"
                              "book,E,1399033800000000000,,,sell,1.5,3,yes,,,,,,\n";
    assert_body(FM_FORMAT_CSV, csv, sizeof csv - 1,
                IS_ORDER " price=15/1 size=3/0 action=1 order=12 flags=c side=1\n" IS_BOOK
                         " price=15/1 size=3/0 action=1 side=2\n" IS_BAR MINUTE "\n" IS_BAR MINUTE "\nflag_invalid\n");
    static const char pack[] = "\x88\xa4type\xa5order\xa6symbol\xa1"
                               "E\xa2ts\xcf\x13\x6a\x68\x1a\xb6\x9a\x90\x00"
                               "\xa6"
                               "action\xa6"
                               "cancel\xa5order\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa4more\xc3"
                               "\xa8snapshot\xc2\xa7"
                               "account\xc0";
    line out;
    line_body(&out, FM_FORMAT_MSGPACK, pack, sizeof pack - 1, &fm_decode_limits_preset);
    assert_non_null(strstr(out.text, " action=3 order=18446744073709551615 flags=4\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_has_four_prices_in_order_and_a_length),
        cmocka_unit_test(a_length_is_nanoseconds_or_a_duration),
        cmocka_unit_test(a_level_is_set_deleted_or_cleared),
        cmocka_unit_test(an_order_has_what_its_action_needs),
        cmocka_unit_test(only_books_take_bid_and_ask_for_a_side),
        cmocka_unit_test(an_order_is_known_by_its_number_or_its_name),
        cmocka_unit_test(csv_and_messagepack_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
