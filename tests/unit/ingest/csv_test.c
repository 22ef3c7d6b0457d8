/* tests/unit/ingest/csv_test.c - records from CSV: headers, cells, quotes, and where a refused row ends. */
#include "records.h"

#define HEADER "type,symbol,ts,price,size\n"
#define GOOD   "trade,A,1399033800000000000,1.5,10\n"
#define LINE   "trade A ts=1399033800000000000 price=15/1 size=10/0\n"

typedef struct sample {
    const char *body, *expected;
} sample;

static void check(const sample *samples, size_t count)
{
    for (size_t index = 0; index < count; index++)
        assert_body(FM_FORMAT_CSV, samples[index].body, strlen(samples[index].body), samples[index].expected);
}
#define CHECK(samples) check(samples, sizeof(samples) / sizeof *(samples))

static void columns_stand_in_any_order_and_empty_cells_are_absent(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"", ""},
        {HEADER, ""},
        {"type,symbol", ""},
        {HEADER GOOD GOOD, LINE LINE},
        {"size,price,ts,symbol,type\r\n10,1.50,2014-05-02T12:30:00Z,A,trade\r\n\r\n", LINE},
        {HEADER "trade,A,1399033800000000000,1.5,", "trade A ts=1399033800000000000 price=15/1\n"},
        {"\xef\xbb\xbf" HEADER GOOD, LINE},
        {HEADER "\n\r\n" GOOD "\n", LINE},
        {"type,symbol,ts,bid,ask,conditions,side,seq,src,n,value,phase,id\n"
         "quote,A,1399033800000000000,1,2,,,5,f,3,,,\n"
         "value,A,1399033800000000000,,,,,,,,-1.5e3,,\n"
         "status,A,1399033800000000000,,,,,,,,,closed,\n",
         "quote A ts=1399033800000000000 src=f n=3 seq=5 bid=1/0 ask=2/0\n"
         "value A ts=1399033800000000000 value=-0x1.77p+10\n"
         "status A ts=1399033800000000000 phase=4\n"},
        {"type,symbol,ts,price,conditions\ntrade,A,1399033800000000000,1,odd_lot|form_t\n",
         "trade A ts=1399033800000000000 price=1/0 conditions=80000400\n"},
        {"type,symbol,ts,price,conditions\ntrade,A,1399033800000000000,1,odd_lot|nonsense\n", "condition_unknown\n"},
        {"type,symbol,ts,price,conditions\ntrade,A,1399033800000000000,1,odd_lot||form_t\n", "condition_unknown\n"},
        /* other columns are counted where they hold something */
        {"type,x,symbol,ts,price,y\ntrade,,A,1399033800000000000,1,abc\n",
         "trade A ts=1399033800000000000 price=1/0 unknown=1\n"},
    };
    CHECK(samples);
}

static void cells_may_be_quoted(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"\"type\",\"symbol\",ts,price,\"venue\"\n\"trade\",\"A\",\"1399033800000000000\",\"1.5\",\"a,\"\"b\"\"\"\n",
         "trade A ts=1399033800000000000 venue=a,\"b\" price=15/1\n"},
        {"type,symbol,ts,price,note\ntrade,A,1399033800000000000,1,\"two\r\nlines, \"\"quoted\"\"\"\n" GOOD,
         "trade A ts=1399033800000000000 price=1/0 unknown=1\ntrade A ts=1399033800000000000 price=15/1 unknown=1\n"},
        {HEADER "\"trade\",\"\",1399033800000000000,1,\n", "symbol_missing\n"},
        {HEADER "\"trade\"x,A,1399033800000000000,1,\n" GOOD, "malformed\n" LINE},
        {HEADER "tr\"ade,A,1399033800000000000,1,\n" GOOD, "malformed\n" LINE},
        {HEADER GOOD "trade,\"A,1399033800000000000,1,\n" GOOD, LINE "malformed\ntorn\n"},
        {HEADER "trade,\"A", "malformed\ntorn\n"},
        {HEADER "trade,A\r,1399033800000000000,1,\n" GOOD, "symbol_invalid\n" LINE},
    };
    CHECK(samples);
}

static void rows_have_the_columns_of_the_header(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {HEADER "trade,A,1399033800000000000,1.5\n" GOOD, "column_count\n" LINE},
        {HEADER "trade,A,1399033800000000000,1.5,1,\n" GOOD, "column_count\n" LINE},
        {HEADER "trade\n" GOOD, "column_count\n" LINE},
        {HEADER ",,,,\n" GOOD, "type_missing\n" LINE},
        {HEADER " trade,A,1399033800000000000,1.5,1\n" GOOD, "type_unknown\n" LINE},
        {HEADER "trade,A,1399033800000000000, 1.5,1\n" GOOD, "price_invalid\n" LINE},
        {HEADER "trade,A,1399033800000000000,1.5x,1\n" GOOD, "price_invalid\n" LINE},
        {HEADER "trade,A,1399033800000000000,-1.5,1\n" GOOD, "price_negative\n" LINE},
        {HEADER "trade,A,1399033800000000000,1.5,1e99\n" GOOD, "size_too_large\n" LINE},
        {HEADER "trade,A,13990338000000000000,1.5,1\n" GOOD, "ts_out_of_range\n" LINE},
        {HEADER "trade,A,1399033800000000000x,1.5,1\n" GOOD, "ts_invalid\n" LINE},
        {HEADER "news,A,1399033800000000000,1.5,1\n" GOOD, "type_unsupported\n" LINE},
        {HEADER "book,A,1399033800000000000,1.5,1\n" GOOD, "side_missing\n" LINE},
        {HEADER "trade,\x80,1399033800000000000,1.5,1\n" GOOD, "utf8_invalid\n" LINE},
        {"type,symbol,ts,price,x\ntrade,A,1399033800000000000,1,\xff\n", "utf8_invalid\n"},
        {"type,symbol,ts,price,seq\ntrade,A,1399033800000000000,1,1.5\n", "seq_invalid\n"},
        {"type,symbol,ts,price,seq\ntrade,A,1399033800000000000,1,x\n", "seq_invalid\n"},
        {"type,symbol,ts,value\nvalue,A,1399033800000000000,1e309\n", "value_invalid\n"},
        {"type,symbol,ts,value\nvalue,A,1399033800000000000,nan\n", "value_invalid\n"},
    };
    CHECK(samples);
}

static void a_header_that_cannot_be_used_refuses_the_body(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {"symbol,ts,price\nA,1,1\n", "type_missing\ntorn\n"},
        {"type,symbol,type\n" GOOD, "key_duplicate\ntorn\n"},
        {"type,\"symbol\n" GOOD, "malformed\ntorn\n"},
        {"\n" HEADER GOOD, "type_missing\ntorn\n"},
    };
    CHECK(samples);
    char body[512] = "type";
    for (int index = 0; index < 64; index++)
        strcat(body, ",x");
    assert_body(FM_FORMAT_CSV, body, strlen(body), "column_count\ntorn\n");
}

static void limits_bound_cells(void **unused)
{
    (void)unused;
    char body[512];
    fm_decode_limits limits = fm_decode_limits_preset;
    limits.text_bytes_max = 10;
    line out;
    snprintf(body, sizeof body,
             "type,symbol,ts,price,x\ntrade,A,1399033800000000000,1,12345678901\ntrade,A,1399033800000000000,1,1\n");
    line_body(&out, FM_FORMAT_CSV, body, strlen(body), &limits);
    assert_string_equal(out.text, "key_too_long\ntrade A ts=1399033800000000000 price=1/0 unknown=1\n");
    char quoted[400];
    memset(quoted, 'v', sizeof quoted);
    memcpy(quoted + 100, "\"\"", 2);
    snprintf(body, sizeof body, "type,symbol,ts,price,venue\ntrade,A,1399033800000000000,1,\"%.*s\"\n",
             (int)sizeof quoted, quoted);
    assert_body(FM_FORMAT_CSV, body, strlen(body), "name_invalid\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_stand_in_any_order_and_empty_cells_are_absent),
        cmocka_unit_test(cells_may_be_quoted),
        cmocka_unit_test(rows_have_the_columns_of_the_header),
        cmocka_unit_test(a_header_that_cannot_be_used_refuses_the_body),
        cmocka_unit_test(limits_bound_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
