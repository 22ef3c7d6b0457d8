/* tests/unit/ingest/file_format_test.c - market data files: ticks and our own columns, what cannot be told, damaged
 * files.
 */
#include "market_files.h"

#include "ingest/decode/time.h"
#include "ingest/format/new_york.h"

static void oanda_rows_are_quotes_in_utc(void **unused)
{
    (void)unused;
    assert_format_rows(
        "fx_ticks_EURUSD_oanda_20140502.csv", "oanda-tick",
        "time_ms,bid,ask\n277,1.38694,1.38705\r\n45000000,1.38690,1.38706\n\n45000001,x,1\n1,2\n86399999,1.5,1.5",
        "quote EURUSD ts=1398988800277000000 n=1 bid=138694/5 ask=138705/5\n"
        "quote EURUSD ts=1399033800000000000 n=2 bid=13869/4 ask=138706/5\n"
        "price_invalid line 4\n"
        "column_count line 5\n"
        "quote EURUSD ts=1399075199999000000 n=5 bid=15/1 ask=15/1\n");
}

static void lean_trades_are_in_new_york_time(void **unused)
{
    (void)unused;
    assert_format_rows(
        "eq_trades_BAC_20131008.csv", "lean-trade",
        "time_ms,price_dcents,size,exchange,sale_condition,suspicious\n"
        "21548450,138000,1000,P,2000,0\n24555178,138325,500,Q,20002020,1\n1,138000,0,,,0\n"
        "1,0,1,P,0,0\n1,1,1,P,xyz,0\n1,1,-1,P,0,0\n99999999,1,1,P,0,0\n1,1.55,1,P,FFFFFFFF,0\n1,1,1,P,100000000,0\n",
        "trade BAC ts=1381226348450000000 venue=P n=1 price=138/1 size=1000/0 conditions=2000\n"
        "trade BAC ts=1381229355178000000 venue=Q n=2 price=138325/4 size=500/0 conditions=20002020\n"
        "trade BAC ts=1381204800001000000 n=3 price=138/1 size=0/0\n"
        "price_negative line 5\ncondition_unknown line 6\nsize_negative line 7\nts_invalid line 8\n"
        "trade BAC ts=1381204800001000000 venue=P n=8 price=155/6 size=1/0 conditions=ffffffff\n"
        "condition_unknown line 10\n");
}

static void lean_quotes_have_one_side_or_both(void **unused)
{
    (void)unused;
    assert_format_rows(
        "eq_quotes_BAC_20131008.csv", "lean-quote",
        "time_ms,bid_price_dcents,bid_size,ask_price_dcents,ask_size,exchange,quote_condition,suspicious\n"
        "14400142,138000,1000,0,0,P,1,0\n14400142,0,0,139200,500,P,1,0\n14400142,138001,0,139200,500,P,1,1\n"
        "14400142,0,0,0,0,P,1,0\n",
        "quote BAC ts=1381219200142000000 venue=P n=1 bid=138/1 bid_size=1000/0\n"
        "quote BAC ts=1381219200142000000 venue=P n=2 ask=1392/2 ask_size=500/0\n"
        "quote BAC ts=1381219200142000000 venue=P n=3 bid=138001/4 bid_size=0/0 ask=1392/2 ask_size=500/0\n"
        "price_missing line 5\n");
}

static void our_own_columns_are_read_with_quotes_and_line_ends_in_cells(void **unused)
{
    (void)unused;
    assert_format_rows("mine.csv", "fmads-csv",
                       "note,symbol,type,ts,price,src,n\n"
                       "\"two\nlines\",A,trade,1399033800000000000,1.5,f,9\n"
                       ",\"B\",trade,2014-05-02T12:30:00Z,x,,\n"
                       ",C,trade,2014-05-02T12:30:00Z,2,,\n",
                       "trade A ts=1399033800000000000 n=1 price=15/1 unknown=1\n"
                       "price_invalid line 3\n"
                       "trade C ts=1399033800000000000 n=3 price=2/0\n");
}

static void what_cannot_be_told_is_said(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *content, *format, *symbol, *date, *expected;
    } cases[] = {
        {"x.csv", "time_ms,bid,ask\n1,2,3\n", NULL, NULL, NULL, "invalid: could not tell the symbol"},
        {"fx_ticks_EURUSD.csv", "time_ms,bid,ask\n1,2,3\n", NULL, NULL, NULL, "invalid: could not tell the date"},
        {"x.csv", "time_ms,bid,ask\n1,2,3\n", NULL, "E", "20140532", "invalid: could not tell the date"},
        {"x.csv", "time_ms,bid,ask\n1,2,3\n", NULL, "E E", "20140502", "invalid: could not tell the symbol"},
        {"x.csv", "time_ms,bid,ask\n1,2,3\n", NULL, "E", "20140502",
         "quote E ts=1398988800001000000 n=1 bid=2/0 ask=3/0\n"},
        {"x.csv", "time_ms,bid,ask\n1,2,3\n", "lean-trade", "E", "20140502", "invalid: its header is"},
        {"x.csv", "time_ms,bid,ask\n1,2,3\n", "nonsense", "E", "20140502", "invalid: no format is called"},
        {"x.csv", "a,b,c\n1,2,3\n", NULL, "E", "20140502", "invalid: its header is"},
        {"x.csv", "symbol,ts\nA,1\n", NULL, NULL, NULL, "type_missing: the header has no column \"type\""},
        {"x.csv", "", NULL, NULL, NULL, "invalid: it is empty"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        line out;
        write_file(cases[index].name, cases[index].content, strlen(cases[index].content), false);
        read_rows(&out, path, cases[index].format, cases[index].symbol, cases[index].date);
        if (strncmp(out.text, cases[index].expected, strlen(cases[index].expected)) != 0)
            fail_msg("case %zu gives %s", index, out.text);
        unlink(path);
    }
    line out;
    read_rows(&out, "/nonexistent/file.csv", NULL, NULL, NULL);
    assert_string_equal(out.text, "not_found: no such file or directory");
    read_rows(&out, folder, NULL, NULL, NULL);
    assert_string_equal(out.text, "invalid: it is not a regular file");
}

static void a_file_that_is_cut_off_says_so_behind_its_good_rows(void **unused)
{
    (void)unused;
    size_t size = 0, capacity = 600000;
    char *content = malloc(capacity), *zipped = malloc(capacity);
    size += (size_t)sprintf(content, "time_ms,bid,ask\n");
    for (int row = 0; row < 20000; row++)
        size += (size_t)sprintf(content + size, "%d,1.%05d,2.%05d\n", row, row * 7919 % 100000, row * 104729 % 100000);
    write_file("fx_ticks_E_x_20140502.csv.gz", content, size, true);
    FILE *file = fopen(path, "rb");
    size_t whole = fread(zipped, 1, capacity, file);
    fclose(file);
    write_file("fx_ticks_E_x_20140502.csv.gz", zipped, whole / 2, false);

    fm_file_reader *reader;
    fm_error error;
    fm_record record;
    int result, good = 0, bad = 0;
    assert_int_equal(fm_file_reader_open(path, NULL, NULL, NULL, &reader, &error), 0);
    while ((result = fm_file_reader_next(reader, &record, &error)) != 0) {
        good += result > 0;
        bad += result < 0;
    }
    assert_int_equal(result, 0);
    assert_true(good > 5000 && good < 15000);
    assert_true(bad == 1 || bad == 2); /* the row that is cut, and the file */
    assert_int_equal(error.code, FM_encoding);
    fm_file_reader_close(reader);
    unlink(path);
    free(content);
    free(zipped);
}

static void a_row_longer_than_the_window_costs_only_itself(void **unused)
{
    (void)unused;
    size_t size = 1000000;
    char *content = malloc(size + 100);
    size_t used = (size_t)sprintf(content, "time_ms,bid,ask\n1,2,3\n");
    memset(content + used, '9', size - used);
    used = size + (size_t)sprintf(content + size, "\n2,2,3\n");
    line out;
    read_rows(&out, write_file("fx_ticks_E_x_20140502.csv", content, used, false), NULL, NULL, NULL);
    assert_string_equal(out.text, "quote E ts=1398988800001000000 n=1 bid=2/0 ask=3/0\nkey_too_long line 3\n"
                                  "quote E ts=1398988800002000000 n=3 bid=2/0 ask=3/0\n");
    unlink(path);
    free(content);
}

static void new_york_follows_the_rule_of_its_year(void **unused)
{
    (void)unused;
    static const struct {
        int year, month, day;
        int64_t ms, utc_s;
    } cases[] = {
        {2013, 10, 8, 0, 1381204800},        /* 04:00 UTC */
        {2014, 1, 2, 34200000, 1388673000},  /* 09:30 -> 14:30 UTC */
        {2024, 3, 10, 7199000, 1710053999},  /* 01:59:59 EST */
        {2024, 3, 10, 10800000, 1710054000}, /* 03:00 EDT, one second later */
        {2024, 11, 3, 7199000, 1730613599},  /* 01:59:59 EDT, the first passing */
        {2024, 11, 3, 7200000, 1730617200},  /* 02:00 EST */
        {2015, 3, 8, 10800000, 1425798000},  /* the second Sunday is the 8th */
        {2015, 11, 1, 10800000, 1446364800}, /* the first Sunday is the 1st */
        {2006, 4, 2, 3600000, 1143957600},   /* the first Sunday of April, an hour before */
        {2006, 4, 2, 10800000, 1143961200},
        {2006, 10, 29, 10800000, 1162108800}, /* the last Sunday of October, back */
        {2006, 10, 28, 43200000, 1162051200},
        {2005, 4, 3, 10800000, 1112511600},
        {1998, 1, 2, 32400000, 883749600},
        {1987, 4, 5, 10800000, 544604400}, /* the first year of that rule */
        {1986, 4, 26, 43200000, 514918800},
        {1986, 4, 27, 10800000, 514969200}, /* the last Sunday of April */
        {1986, 10, 26, 10800000, 530697600},
        {1975, 2, 22, 43200000, 162320400},
        {1975, 2, 23, 10800000, 162370800}, /* the energy crisis */
        {1974, 1, 6, 10800000, 126687600},
        {1974, 1, 5, 43200000, 126637200},
        {1999, 12, 31, 82800000, 946699200},
        {2000, 1, 1, 0, 946702800},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        int64_t utc_ns = fm_new_york_ns(cases[index].year, cases[index].month, cases[index].day, cases[index].ms);
        int64_t wall_s = fm_days_from_civil(cases[index].year, cases[index].month, cases[index].day) * 86400;
        assert_int_equal(utc_ns, cases[index].utc_s * FM_NS_PER_S);
        assert_int_equal(fm_new_york_of_wall_ns(wall_s * FM_NS_PER_S + cases[index].ms * FM_NS_PER_MS), utc_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oanda_rows_are_quotes_in_utc),
        cmocka_unit_test(lean_trades_are_in_new_york_time),
        cmocka_unit_test(lean_quotes_have_one_side_or_both),
        cmocka_unit_test(our_own_columns_are_read_with_quotes_and_line_ends_in_cells),
        cmocka_unit_test(what_cannot_be_told_is_said),
        cmocka_unit_test(a_file_that_is_cut_off_says_so_behind_its_good_rows),
        cmocka_unit_test(a_row_longer_than_the_window_costs_only_itself),
        cmocka_unit_test(new_york_follows_the_rule_of_its_year),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
