/* tests/unit/ingest/bar_format_test.c - files of bars, quotes and values in the layouts that others write. */
#include "market_files.h"

#define MINUTE " interval=60000000000"
#define HOUR   " interval=3600000000000"
#define DAY    " interval=86400000000000"

static void binance_klines_end_with_their_close_time(void **unused)
{
    (void)unused;
    assert_format_rows(
        "BTCUSDT-1m-2025-02.csv", "binance-kline",
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,"
        "ignore\n"
        "1738368000000,34.4220,34.4260,34.3600,34.36,9896,1738368059999,340376.0,1391,3538.5,121691.5870,0\n"
        "1738368060000000,1,1,1,1,0,1738368119999999,0,0,0,0,0\n"
        "1738368060000,1,2,3,1,0,1738368119999,0,0,0,0,0\n"
        "1738368060000,1,1,1,1,1,1738368119999,0,0,2,0,0\n"
        "1738368060000,1,1,1,1,1,1738368059999,0,0,0,0,0\n"
        "1738368060000,1,1,1,1,1,1738368119999,0,0,0,0\n",
        "bar BTCUSDT ts=1738368060000000000 n=1 open=34422/3 high=34426/3 low=3436/2 close=3436/2 "
        "volume=9896/0 buy_volume=35385/1" MINUTE " trades=1391\n"
        "bar BTCUSDT ts=1738368120000000000 n=2 open=1/0 high=1/0 low=1/0 close=1/0 volume=0/0 buy_volume=0/0" MINUTE
        " trades=0\n"
        "bar_inconsistent line 4\nbar_inconsistent line 5\nts_invalid line 6\ncolumn_count line 7\n");
}

static void yahoo_prices_lose_the_tails_of_floats(void **unused)
{
    (void)unused;
    assert_format_rows("IDX_GSPC_yahoo_1m_202203-202204.csv", "yahoo-1m",
                       "Datetime,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
                       "2022-03-14 09:30:00-04:00,4202.75,4220.31005859375,4202.75,4217.56005859375,0,0,0\n"
                       "2022-03-14 09:31:00-04:00,,,,,,0,0\n"
                       "2022-03-14 09:32:00-04:00,1,1,nan,1,5,0,0\n"
                       "2022-03-14 09:33:00-04:00,0.0000005,9.5249995,1e-7,0.9999995,100.0,0.5,0\n",
                       "bar ^GSPC ts=1647264660000000000 n=1 open=420275/2 high=4220310059/6 low=420275/2 "
                       "close=4217560059/6 volume=0/0" MINUTE "\n"
                       "price_invalid line 4\nprice_negative line 5\n");
}

static void a_dividend_or_a_split_is_counted(void **unused)
{
    (void)unused;
    const char *content = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2021-05-12,1,1,1,1,1,0.0,0\n"
                          "2021-05-13,1,1,1,1,1,0.25,0\n2021-05-14,1,1,1,1,1,0,4.0\n2021-05-17,,,,,,,\n";
    fm_file_reader *reader;
    fm_error error;
    fm_record record;
    assert_int_equal(
        fm_file_reader_open(write_file("A_1d.csv", content, strlen(content), false), NULL, NULL, NULL, &reader, &error),
        0);
    assert_string_equal(fm_file_reader_format(reader), "yahoo-daily");
    for (int row = 1; row <= 3; row++) {
        assert_int_equal(fm_file_reader_next(reader, &record, &error), 1);
        assert_int_equal(fm_file_reader_row(reader), row);
    }
    assert_int_equal(fm_file_reader_next(reader, &record, &error), 0);
    const fm_file_counts *counts = fm_file_reader_counts(reader);
    assert_int_equal(counts->actions, 2);
    assert_int_equal(counts->rows, 4);
    assert_int_equal(counts->records, 3);
    assert_int_equal(counts->silent, 1);
    assert_int_equal(counts->refused, 0);
    assert_int_equal(fm_file_reader_refused(reader, FM_price_invalid), 0);
    fm_file_reader_close(reader);
    unlink(path);
}

static void yahoo_days_end_with_the_session_in_new_york(void **unused)
{
    (void)unused;
    assert_format_rows(
        "GME_yahoo_1d_to_2021-05.csv", "yahoo-daily",
        "Date,High,Low,Open,Close,Volume,Adj Close\n"
        "2002-02-13,10.0600004196167,9.524999618530273,9.625,10.050000190734863,19054000.0,6.76\n"
        "2006-04-03,4,1,2,3,1.0,1\n",
        "bar GME ts=1013634000000000000 n=1 open=9625/3 high=1006/2 low=9525/3 close=1005/2 volume=19054000/0" DAY "\n"
        "bar GME ts=1144094400000000000 n=2 open=2/0 high=4/0 low=1/0 close=3/0 volume=1/0" DAY "\n");
}

static void kaggle_rows_name_their_stock(void **unused)
{
    (void)unused;
    assert_format_rows("all_stocks.csv", "kaggle-stocks",
                       "date,open,high,low,close,volume,Name\n2015-01-12,2,4,1,3,5,AAL\n2015-01-13,2,4,1,3,5,AAL\n"
                       "2015-01-12,2,4,1,3,,B.F\n2015-01-13,2,4,1,3,5,\n",
                       "bar AAL ts=1421096400000000000 n=1 open=2/0 high=4/0 low=1/0 close=3/0 volume=5/0" DAY "\n"
                       "bar AAL ts=1421182800000000000 n=2 open=2/0 high=4/0 low=1/0 close=3/0 volume=5/0" DAY "\n"
                       "bar B.F ts=1421096400000000000 n=3 open=2/0 high=4/0 low=1/0 close=3/0" DAY "\n"
                       "symbol_invalid line 5\n");
}

static void coinbase_bars_count_from_midnight_of_the_day_in_the_name(void **unused)
{
    (void)unused;
    const char *content = "time_ms,open,high,low,close,volume\n0,611.78,611.91,611.78,611.9,1.13872\n"
                          "30000,1,1,1,1,0.00000001\n31000,1,1,1,1,1\n90000000,1,1,1,1,1\n";
    assert_format_rows("crypto_1s_BTCUSD_coinbase_20161007.csv", "coinbase", content,
                       "bar BTCUSD ts=1475798401000000000 n=1 open=61178/2 high=61191/2 low=61178/2 "
                       "close=6119/1 volume=113872/5 interval=1000000000\n"
                       "bar BTCUSD ts=1475798431000000000 n=2 open=1/0 high=1/0 low=1/0 close=1/0 "
                       "volume=1/8 interval=1000000000\n"
                       "bar BTCUSD ts=1475798432000000000 n=3 open=1/0 high=1/0 low=1/0 close=1/0 "
                       "volume=1/0 interval=1000000000\n"
                       "ts_invalid line 5\n");
    line out;
    read_rows(&out, write_file("BTCUSD_coinbase_1m.csv", content, strlen(content), false), NULL, NULL, NULL);
    assert_non_null(strstr(out.text, "invalid: could not tell the date"));
    read_rows(&out, path, NULL, "X", "20161007");
    assert_non_null(strstr(out.text, "bar X ts=1475798401000000000 n=1 "));
    unlink(path);
}

static void lean_bars_follow_new_york_and_a_day_ends_with_the_session(void **unused)
{
    (void)unused;
    const char *hours = "datetime,open_dcents,high_dcents,low_dcents,close_dcents,volume\n"
                        "19980102 09:00,973100,975300,970300,970300,384500\n20050404 09:00,1,1,1,1,1\n"
                        "20210331 15:00,3972400,3977500,3960500,3963301,0\n2021033 15:00,1,1,1,1,1\n";
    const char *days = "datetime,open_dcents,high_dcents,low_dcents,close_dcents,volume\n"
                       "19990310 00:00,1022500,1023100,1005600,1019400,2632800\n20210331 00:00,1,1,1,1,5\n";
    assert_format_rows("SPY_1h_1998-2021.csv", "lean-bar", hours,
                       "bar SPY ts=883753200000000000 n=1 open=9731/2 high=9753/2 low=9703/2 close=9703/2 "
                       "volume=384500/0" HOUR "\n"
                       "bar SPY ts=1112623200000000000 n=2 open=1/4 high=1/4 low=1/4 close=1/4 volume=1/0" HOUR "\n"
                       "bar SPY ts=1617220800000000000 n=3 open=39724/2 high=39775/2 low=39605/2 "
                       "close=3963301/4 volume=0/0" HOUR "\n"
                       "ts_invalid line 5\n");
    assert_format_rows("QQQ_1d.csv", "lean-bar", days,
                       "bar QQQ ts=921099600000000000 n=1 open=10225/2 high=10231/2 low=10056/2 close=10194/2 "
                       "volume=2632800/0" DAY "\n"
                       "bar QQQ ts=1617220800000000000 n=2 open=1/4 high=1/4 low=1/4 close=1/4 volume=5/0" DAY "\n");
}

static void bars_of_both_sides_are_the_closing_quote_and_the_bids(void **unused)
{
    (void)unused;
    assert_format_rows(
        "EURUSD_oanda_1h_2007-2018.csv", "oanda-bar",
        "datetime,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size\n"
        "20070101 21:00,1.31927,1.31955,1.3187,1.31935,0,1.32027,1.32055,1.3197,1.32035,0\n"
        "20070101 22:00,2,1,2,2,0,2,2,2,3,0\n20070101 23:00,1,1,1,1,0,1,1,1,x,0\n",
        "quote EURUSD ts=1167688800000000000 n=1 bid=131935/5 ask=132035/5\n"
        "bar EURUSD ts=1167688800000000000 n=2 open=131927/5 high=131955/5 low=13187/4 close=131935/5" HOUR "\n"
        "quote EURUSD ts=1167692400000000000 n=3 bid=2/0 ask=3/0\n"
        "bar_inconsistent line 3\n"
        "price_invalid line 4\n"
        "bar EURUSD ts=1167696000000000000 n=6 open=1/0 high=1/0 low=1/0 close=1/0" HOUR "\n");
    assert_format_rows(
        "cfd_1s_XAUUSD_oanda_20140501.csv", "oanda-bar",
        "time_ms,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size\n"
        "1000,1291.918,1291.955,1291.71,1291.874,0,1292.399,1292.423,1292.143,1292.276,0\n",
        "quote XAUUSD ts=1398902402000000000 n=1 bid=1291874/3 ask=1292276/3\n"
        "bar XAUUSD ts=1398902402000000000 n=2 open=1291918/3 high=1291955/3 low=129171/2 "
        "close=1291874/3 interval=1000000000\n");
}

static void other_bars_are_told_by_their_four_columns(void **unused)
{
    (void)unused;
    assert_format_rows(
        "USDJPY_fxcm_bid.csv", "bars",
        "timestamp,Close,LOW,high,open\n2013-02-01 00:00:00+00:00,91.655,91.655,91.717,91.7\n"
        "2013-02-01 00:05:00+00:00,1,1,1,1\n2013-02-01 00:10:00+00:00,1,1,1,1\n"
        "2013-02-01 00:11:00+00:00,1,1,1,1\n",
        "bar USDJPY ts=1359677100000000000 n=1 open=917/1 high=91717/3 low=91655/3 "
        "close=91655/3 interval=300000000000\n"
        "bar USDJPY ts=1359677400000000000 n=2 open=1/0 high=1/0 low=1/0 close=1/0 interval=300000000000\n"
        "bar USDJPY ts=1359677700000000000 n=3 open=1/0 high=1/0 low=1/0 close=1/0 interval=300000000000\n"
        "bar USDJPY ts=1359677760000000000 n=4 open=1/0 high=1/0 low=1/0 close=1/0 interval=300000000000\n");
    assert_format_rows("BTCPERP_1m_202201.csv", "bars",
                       "timestamp,open,high,low,close,volume\n"
                       "2021-12-31 23:01:00.000000,46319.0,46385.0,46319.0,46377.0,2300413.72950000001\n",
                       "bar BTCPERP ts=1640991720000000000 n=1 open=46319/0 high=46385/0 low=46319/0 close=46377/0 "
                       "volume=23004137295/4" MINUTE "\n");
    assert_format_rows(
        "BTCUSD_coinbase_1d_2014.csv", "bars",
        "datetime,open,high,low,close,volume\n20141201 00:00,300,370,300,370,0.05655554\n",
        "bar BTCUSD ts=1417478400000000000 n=1 open=300/0 high=370/0 low=300/0 close=370/0 volume=5655554/8" DAY "\n");
    assert_format_rows("mine.csv", "bars", "ts,symbol,open,high,low,close\n1700000000,A,1,1,1,1\n",
                       "interval_missing line 2\n");
}

static void other_quotes_are_told_by_bid_and_ask(void **unused)
{
    (void)unused;
    assert_format_rows("EURUSD.csv", "quotes",
                       "timestamp,Bid,Ask,ask_size\n2014-05-02T12:30:00.25Z,1.1,,\n1399033800,,1.2,7\nx,1,2,3\n",
                       "quote EURUSD ts=1399033800250000000 n=1 bid=11/1\n"
                       "quote EURUSD ts=1399033800000000000 n=2 ask=12/1 ask_size=7/0\nts_invalid line 4\n");
}

static void a_column_of_values_is_a_symbol_and_a_day_is_known_at_its_end(void **unused)
{
    (void)unused;
    assert_format_rows("GoldSilver_1d_1977-2012.csv", "values",
                       "rownames,gold,silver\n1977-12-30,100.0,223.42\n2012-12-28,1,NA\n2012-12-31,,\n"
                       "2013-01-02,x,0.5\n",
                       "ts_out_of_range line 2\nts_out_of_range line 2\n"
                       "value gold ts=1356739200000000000 n=3 value=0x1p+0\n"
                       "value_invalid line 5\nvalue silver ts=1357171200000000000 n=5 value=0x1p-1\n");
    assert_format_rows("DJIA_1d_1980-2012.csv", "values", "rownames,dat\n2012-12-31,2\n",
                       "value DJIA ts=1356998400000000000 n=1 value=0x1p+1\n");
    assert_format_rows("load.csv", "values", "timestamp,value\n2014-04-01 00:05:00,2\n2014-04-01 00:10:00,2\n",
                       "value load ts=1396310700000000000 n=1 value=0x1p+1\n"
                       "value load ts=1396311000000000000 n=2 value=0x1p+1\n");
}

static void rows_closer_than_the_name_tells_are_believed(void **unused)
{
    (void)unused;
    assert_format_rows("A_5d.csv", "bars",
                       "timestamp,open,high,low,close\n2014-04-01 00:05,1,1,1,1\n2014-04-01 00:06,1,1,1,1\n"
                       "2014-04-02 00:06,1,1,1,1\n2014-04-02 00:07,1,1,1,1\n",
                       "bar A ts=1396310760000000000 n=1 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n"
                       "bar A ts=1396310820000000000 n=2 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n"
                       "bar A ts=1396397220000000000 n=3 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n"
                       "bar A ts=1396397280000000000 n=4 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n");
    assert_format_rows("A_1m.csv", "bars",
                       "timestamp,open,high,low,close\n2014-04-01 00:05,1,1,1,1\n2014-04-01 00:07,1,1,1,1\n",
                       "bar A ts=1396310760000000000 n=1 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n"
                       "bar A ts=1396310880000000000 n=2 open=1/0 high=1/0 low=1/0 close=1/0" MINUTE "\n");
}

static void cells_may_stand_in_quotes(void **unused)
{
    (void)unused;
    assert_format_rows("A_1m.csv", "bars",
                       "\"timestamp\",\"open\",\"high\",\"low\",\"close\"\n\"2014-04-01 00:05\",\"1\",2,1,\"2\"\n"
                       "\"2014-04-01 00:06,1,2,1,2\n",
                       "bar A ts=1396310760000000000 n=1 open=1/0 high=2/0 low=1/0 close=2/0" MINUTE "\n"
                       "column_count line 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binance_klines_end_with_their_close_time),
        cmocka_unit_test(yahoo_prices_lose_the_tails_of_floats),
        cmocka_unit_test(a_dividend_or_a_split_is_counted),
        cmocka_unit_test(yahoo_days_end_with_the_session_in_new_york),
        cmocka_unit_test(kaggle_rows_name_their_stock),
        cmocka_unit_test(coinbase_bars_count_from_midnight_of_the_day_in_the_name),
        cmocka_unit_test(lean_bars_follow_new_york_and_a_day_ends_with_the_session),
        cmocka_unit_test(bars_of_both_sides_are_the_closing_quote_and_the_bids),
        cmocka_unit_test(other_bars_are_told_by_their_four_columns),
        cmocka_unit_test(other_quotes_are_told_by_bid_and_ask),
        cmocka_unit_test(a_column_of_values_is_a_symbol_and_a_day_is_known_at_its_end),
        cmocka_unit_test(rows_closer_than_the_name_tells_are_believed),
        cmocka_unit_test(cells_may_stand_in_quotes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
