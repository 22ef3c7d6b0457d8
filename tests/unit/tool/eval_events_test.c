/* tests/unit/tool/eval_events_test.c - layouts of market data, and what their scores depend on. */
#include "tool/eval_events.h"

#include "assert_near.h"
#include "base/random.h"
#include "tool/market_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 2000

static char folder[] = "/tmp/fmads-events-XXXXXX";
static char path[256];

static const char *place(const char *name, const char *text)
{
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return path;
}

static void check_row(const char *name, const char *text, int64_t ts_s, double open, double close, double spread)
{
    fm_error error = {0};
    fm_market_file *file = calloc(1, sizeof(*file));
    assert_non_null(file);
    if (fm_market_file_open(file, place(name, text), &error) < 0 || fm_market_file_next(file, &error) != 1)
        fail_msg("%s: %s", name, error.message);
    assert_int_equal(file->ts_ns / 1000000000, ts_s);
    assert_near(file->record[0].open, open, 1e-12);
    assert_near(file->record[0].close, close, 1e-12);
    assert_true(isnan(spread) ? isnan(file->record[0].spread) : fabs(file->record[0].spread - spread) < 1e-9);
    assert_int_equal(fm_market_file_next(file, &error), 0);
    fm_market_file_fini(file);
    free(file);
}

static void every_layout_is_read(void **unused)
{
    (void)unused;
    check_row("a.csv", "Date,High,Low,Open,Close,Volume,Adj Close\n2014-05-02,12,9,10,11,5,3\n", 1398988800, 10, 11,
              NAN);
    check_row("b.csv",
              "open_time,open,high,low,close,volume,close_time,x\n1398988800000,10,12,9,11,0,1398988859999,0\n",
              1398988800, 10, 11, NAN);
    check_row("c_1m.csv", "Datetime,Open,High,Low,Close\n2014-05-02 09:30:00-04:00,10,12,9,11\n", 1399037400, 10, 11,
              NAN);
    check_row("d_1h.csv",
              "datetime,open_dcents,high_dcents,low_dcents,close_dcents,volume\n"
              "20140502 09:30,100000,120000,90000,110000,7\n",
              1399037400, 10, 11, NAN);
    check_row("e_1h.csv",
              "datetime,open_dcents,high_dcents,low_dcents,close_dcents,volume\n"
              "20050404 09:00,100000,120000,90000,110000,7\n",
              1112619600, 10, 11, NAN);
    check_row("f.csv",
              "datetime,open_dcents,high_dcents,low_dcents,close_dcents,volume\n"
              "20140502 00:00,100000,120000,90000,110000,7\n",
              1398988800, 10, 11, NAN);
    check_row("g_1h.csv",
              "datetime,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_close\n"
              "20140502 01:00,10,12,9,11,0,10.5,11.5\n",
              1398992400, 10, 11, 0.5);
    check_row("x_20140502.csv", "time_ms,bid,ask\n2000,10,11\n", 1398988802, 10.5, 10.5, 1);
    check_row("y_20140502.csv",
              "time_ms,price_dcents,size,exchange,sale_condition,suspicious\n34200000,100000,1,P,0,0\n", 1399037400, 10,
              10, NAN);
    check_row("z_20140502.csv",
              "time_ms,bid_price_dcents,bid_size,ask_price_dcents,ask_size,exchange,quote_condition,suspicious\n"
              "34200000,100000,1,110000,1,P,0,0\n",
              1399037400, 10.5, 10.5, 1);
    check_row("p.csv", "rownames,dat\n1977-12-30,824.5\n", 252288000, 824.5, 824.5, NAN);
    check_row("q.csv", "timestamp,bid,ask\n2014-05-02T00:00:00Z,10,11\n", 1398988800, 10.5, 10.5, 1);
    check_row("own.csv", "type,symbol,ts,price\ntrade,A,1398988800000000000,7.5\n", 1398988800, 7.5, 7.5, NAN);
}

static fm_market_file *open_rows(const char *name, const char *text)
{
    fm_error error = {0};
    fm_market_file *file = calloc(1, sizeof(*file));
    assert_non_null(file);
    if (fm_market_file_open(file, place(name, text), &error) < 0)
        fail_msg("%s", error.message);
    return file;
}

static void a_side_stays_until_another_comes_and_a_middle_needs_both(void **unused)
{
    (void)unused;
    fm_error error = {0};
    fm_market_file *file = open_rows("eq_quotes_A_20140502.csv", "time_ms,bid_price_dcents,bid_size,ask_price_dcents,"
                                                                 "ask_size,exchange,quote_condition,suspicious\n"
                                                                 "1,100000,1,0,0,P,0,0\n2,0,0,100200,1,P,0,0\n"
                                                                 "3,100100,1,0,0,P,0,0\n4,0,0,200000,1,P,0,0\n");
    assert_int_equal(fm_market_file_next(file, &error), 1); /* passes over the first, which has no middle */
    assert_near(file->record[0].close, 10.01, 1e-12);
    assert_int_equal(fm_market_file_next(file, &error), 1);
    assert_near(file->record[0].spread, 0.01, 1e-12);
    assert_int_equal(fm_market_file_next(file, &error), 0); /* twice the bid is no middle */
    fm_market_file_fini(file);
    free(file);
}

static void columns_of_values_are_series_of_one_row(void **unused)
{
    (void)unused;
    fm_error error = {0};
    fm_market_file *file = open_rows("v_1d.csv", "date,gold,silver\n2014-05-02,1,2\n2014-05-03,,3\n2014-05-04,,\n");
    assert_int_equal(file->series_count, 2);
    assert_false(file->named);
    assert_int_equal(fm_market_file_next(file, &error), 1);
    assert_near(file->record[0].close, 1, 0);
    assert_near(file->record[1].close, 2, 0);
    assert_int_equal(fm_market_file_next(file, &error), 1);
    assert_true(isnan(file->record[0].close));
    assert_near(file->record[1].close, 3, 0);
    assert_int_equal(fm_market_file_next(file, &error), 0);
    fm_market_file_fini(file);
    free(file);
}

static void a_refused_row_is_counted_and_costs_no_other(void **unused)
{
    (void)unused;
    fm_error error = {0};
    fm_market_file *file =
        open_rows("r_1m.csv", "timestamp,open,high,low,close\n2014-05-02,1,x,1,1\n2014-05-02,2,2,2,2\n2014-05-02,1\n");
    assert_int_equal(fm_market_file_next(file, &error), 1);
    assert_near(file->record[0].close, 2, 0);
    assert_int_equal(fm_market_file_next(file, &error), 0);
    assert_int_equal(file->refused, 2);
    assert_non_null(strstr(file->first.message, "row 1: \"high\": must be a number"));
    fm_market_file_fini(file);
    free(file);
}

static void what_cannot_be_read_is_told(void **unused)
{
    (void)unused;
    static const char *const CASES[][2] = {
        {"timestamp,open,high,low,close\nyesterday,1,1,1,1\n", "row 1: \"ts\": is not a time"},
        {"timestamp,open,high,low,close\n2014-05-02,1,x,1,1\n", "row 1: \"high\": must be a number"},
        {"time_ms,bid,ask\n0,1,2\n", "could not tell the date of file"},
        {"timestamp\n2014-05-02\n", "could not tell the format of file"},
        {"when,price\n2014-05-02,1\n", "could not tell the format of file"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        fm_text out = {0};
        fm_eval_count count = {0};
        fm_error error = {0};
        assert_true(fm_eval_events(place("bad.csv", CASES[i][0]), &out, &count, &error) < 0);
        if (strncmp(error.message, CASES[i][1], strlen(CASES[i][1])) != 0)
            fail_msg("\"%s\" is not \"%s…\"", error.message, CASES[i][1]);
        fm_text_fini(&out);
    }
}

/* Bars of a minute with a crash in row 1500, as seen by one of two instruments or alone. */
static fm_text score_rows(int rows, bool named)
{
    fm_text text = {0}, out = {0};
    fm_random random;
    fm_random_seed(&random, 5);
    double price = 100.0;
    fm_text_put(&text, named ? "open_time,open,high,low,close,Name\n" : "open_time,open,high,low,close\n");
    for (int i = 0; i < rows; i++) {
        double open = price;
        price *= 1.0 + 5e-4 * fm_random_normal(&random) - (i == 1500 ? 0.05 : 0.0);
        fm_text_printf(&text, "%lld,%.4f,%.4f,%.4f,%.4f%s\n", 1398988800000LL + i * 60000LL, open,
                       open > price ? open : price, open < price ? open : price, price, named ? ",B" : "");
        if (named)
            fm_text_printf(&text, "%lld,1,1,1,1,A\n", 1398988800000LL + i * 60000LL);
    }
    fm_eval_count count = {0};
    fm_error error = {0};
    if (fm_eval_events(place("bars.csv", text.data), &out, &count, &error) < 0)
        fail_msg("%s", error.message);
    fm_text_fini(&text);
    return out;
}

static void a_truncated_file_scores_as_the_prefix_and_the_crash_stands_out(void **unused)
{
    (void)unused;
    fm_text whole = score_rows(ROWS, false), part = score_rows(1501, false);
    assert_true(part.size < whole.size);
    assert_memory_equal(whole.data, part.data, part.size);
    const char *last = strrchr(part.data, ',');
    assert_true(strtod(last + 1, NULL) > 2.0);
    fm_text_fini(&whole);
    fm_text_fini(&part);
}

static void instruments_of_one_file_do_not_see_each_other(void **unused)
{
    (void)unused;
    fm_text alone = score_rows(ROWS, false), both = score_rows(ROWS, true);
    assert_non_null(strstr(both.data, "time_ns,score,instrument\n"));
    const char *a = strchr(alone.data, '\n'), *b = strchr(both.data, '\n');
    for (int i = 0; i < ROWS; i++) {
        size_t size = (size_t)(strchr(a + 1, '\n') - a);
        assert_memory_equal(a, b, size);
        assert_memory_equal(b + size, ",B\n", 3);
        a += size;
        b = strchr(strchr(b + 1, '\n') + 1, '\n'); /* passes over the other one */
    }
    fm_text_fini(&alone);
    fm_text_fini(&both);
}

static int note_file(void *context, const char *file, fm_error *error)
{
    (void)error;
    strcat(strcat(context, file), " ");
    return 0;
}

static void the_list_of_files_is_all_that_is_read_of_the_events(void **unused)
{
    (void)unused;
    fm_error error = {0};
    char files[256] = "";
    const char *events =
        "{\"events\": [{\"file\": \"a/b.csv\", \"at\": 1}, {\"file\":\"c.csv\"},\n{\"file\" : \"a/b.csv\"}]}";
    assert_int_equal(fm_eval_events_list(place("events.json", events), note_file, files, &error), 0);
    assert_string_equal(files, "a/b.csv c.csv ");
    assert_true(fm_eval_events_list(place("events.json", "{\"file\": \"../x.csv\"}"), note_file, files, &error) < 0);
    assert_true(fm_eval_events_list(place("events.json", "{\"file\": 7}"), note_file, files, &error) < 0);
    assert_true(fm_eval_events_list(place("events.json", "{}"), note_file, files, &error) < 0);
}

static int setup(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    char command[300];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_is_read),
        cmocka_unit_test(a_side_stays_until_another_comes_and_a_middle_needs_both),
        cmocka_unit_test(columns_of_values_are_series_of_one_row),
        cmocka_unit_test(a_refused_row_is_counted_and_costs_no_other),
        cmocka_unit_test(what_cannot_be_read_is_told),
        cmocka_unit_test(a_truncated_file_scores_as_the_prefix_and_the_crash_stands_out),
        cmocka_unit_test(instruments_of_one_file_do_not_see_each_other),
        cmocka_unit_test(the_list_of_files_is_all_that_is_read_of_the_events),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
