/* tests/unit/ingest/recorded_files_test.c - every recorded file of ticks and bars: its format, its rows, its times.
 *
 * The files are market/ in $FMADS_TESTDATA; without one the test is skipped by its name, with CI=true it fails. */
#include "records.h"

#include "ingest/file_format.h"

#include <stdlib.h>
#include <unistd.h>

static const struct recorded {
    const char *name, *format;
    int rows, records; /* `records` of each row */
    int refused;       /* before 1990, or a bar whose high is not the highest */
} files[] = {
    {"bars_1d/BTCUSD_coinbase_1d_2014-2018.csv.gz", "bars", 1318, 1, 0},
    {"bars_1d/DJIA_1d_1980-2012.csv.gz", "values", 8610, 1, 2609},
    {"bars_1d/GME_yahoo_1d_to_2021-05.csv.gz", "yahoo-daily", 4845, 1, 0},
    {"bars_1d/GoldSilver_1d_1977-2012.csv.gz", "values", 9132, 2, 6262},
    {"bars_1d/QQQ_1d.csv.gz", "lean-bar", 3964, 1, 0},
    {"bars_1d/sp500_5yr_stocks_dev.csv.gz", "kaggle-stocks", 49098, 1, 1},
    {"bars_1h/EURUSD_oanda_1h_2007-2018.csv.gz", "oanda-bar", 74439, 2, 0},
    {"bars_1h/SPY_1h_1998-2021.csv.gz", "lean-bar", 40832, 1, 0},
    {"bars_1m/6EH4_cme_1m_2024-01.csv.gz", "bars", 29996, 1, 0},
    {"bars_1m/AVAXUSDT_binance_1m_2025-02.csv.gz", "binance-kline", 40320, 1, 0},
    {"bars_1m/BTCPERP_1m_202201.csv.gz", "bars", 45031, 1, 0},
    {"bars_1m/BTCUSD_coinbase_1m_20161007.csv.gz", "coinbase", 1419, 1, 0},
    {"bars_1m/BTCUSD_coinbase_1m_20161008.csv.gz", "coinbase", 1400, 1, 0},
    {"bars_1m/BTCUSD_coinbase_1m_20170903.csv.gz", "coinbase", 1440, 1, 0},
    {"bars_1m/BTCUSD_coinbase_1m_20170904.csv.gz", "coinbase", 1440, 1, 0},
    {"bars_1m/ETHUSD_coinbase_1m_20170903.csv.gz", "coinbase", 1440, 1, 0},
    {"bars_1m/ETHUSD_coinbase_1m_20170904.csv.gz", "coinbase", 1440, 1, 0},
    {"bars_1m/FILUSDT_binance_1m_2023-06.csv.gz", "binance-kline", 43200, 1, 0},
    {"bars_1m/FILUSDT_binance_1m_2023-08.csv.gz", "binance-kline", 44640, 1, 0},
    {"bars_1m/GME_yahoo_1m_202203-202204.csv.gz", "yahoo-1m", 18528, 1, 0},
    {"bars_1m/IDX_GSPC_yahoo_1m_202203-202204.csv.gz", "yahoo-1m", 9052, 1, 0},
    {"bars_1m/LUNAUSDT_binance_1m_2022-05.csv.gz", "binance-kline", 18400, 1, 0},
    {"bars_1m/NEARUSDT_binance_1m_2025-04.csv.gz", "binance-kline", 43200, 1, 0},
    {"bars_1m/TSLA_yahoo_1m_202203-202204.csv.gz", "yahoo-1m", 20829, 1, 0},
    {"bars_1m/USDJPY_fxcm_1m_ask_2013-02.csv.gz", "bars", 28761, 1, 0},
    {"bars_1m/USDJPY_fxcm_1m_bid_2013-02.csv.gz", "bars", 28761, 1, 0},
    {"tick/cfd_1s_XAUUSD_oanda_20140501.csv.gz", "oanda-bar", 24359, 2, 0},
    {"tick/cfd_1s_XAUUSD_oanda_20140502.csv.gz", "oanda-bar", 33192, 2, 0},
    {"tick/cfd_1s_XAUUSD_oanda_20140505.csv.gz", "oanda-bar", 34136, 2, 0},
    {"tick/cfd_1s_XAUUSD_oanda_20140506.csv.gz", "oanda-bar", 30235, 2, 0},
    {"tick/crypto_1s_BTCUSD_coinbase_20161007.csv.gz", "coinbase", 4063, 1, 0},
    {"tick/crypto_1s_BTCUSD_coinbase_20161008.csv.gz", "coinbase", 3453, 1, 0},
    {"tick/crypto_1s_BTCUSD_coinbase_20161009.csv.gz", "coinbase", 4004, 1, 0},
    {"tick/eq_quotes_BAC_20131008.csv.gz", "lean-quote", 576096, 1, 0},
    {"tick/eq_quotes_IBM_20131007.csv.gz", "lean-quote", 109067, 1, 0},
    {"tick/eq_trades_BAC_20131008.csv.gz", "lean-trade", 125872, 1, 0},
    {"tick/eq_trades_IBM_20131007.csv.gz", "lean-trade", 24293, 1, 0},
    {"tick/eq_trades_SPY_20131007.csv.gz", "lean-trade", 250601, 1, 0},
    {"tick/fx_ticks_EURUSD_oanda_20140501.csv.gz", "oanda-tick", 24179, 1, 0},
    {"tick/fx_ticks_EURUSD_oanda_20140502.csv.gz", "oanda-tick", 49341, 1, 0},
    {"tick/fx_ticks_EURUSD_oanda_20140505.csv.gz", "oanda-tick", 25177, 1, 0},
    {"tick/fx_ticks_EURUSD_oanda_20140506.csv.gz", "oanda-tick", 44864, 1, 0},
    {"tick/fx_ticks_EURUSD_oanda_20140507.csv.gz", "oanda-tick", 41367, 1, 0},
    {"tick/fx_ticks_EURUSD_oanda_20140508.csv.gz", "oanda-tick", 87833, 1, 0},
};

static bool open_file(const struct recorded *file, fm_file_reader **reader)
{
    const char *data = getenv("FMADS_TESTDATA"), *ci = getenv("CI");
    char path[700];
    fm_error error;
    snprintf(path, sizeof path, "%s/market/%s", data ? data : FMADS_SOURCE_DIR "/../shared/data", file->name);
    if (access(path, R_OK) != 0) {
        if (ci && strcmp(ci, "true") == 0)
            fail_msg("%s is not there", file->name);
        print_message("skipped: %s is not there (FMADS_TESTDATA)\n", file->name);
        return false;
    }
    if (fm_file_reader_open(path, NULL, NULL, NULL, reader, &error) < 0)
        fail_msg("%s: %s", file->name, error.message);
    return true;
}

/* Rows are all accounted for; bars come in order of time, have their length, and end no earlier than they are named. */
static void read_file(const struct recorded *file, fm_file_reader *reader)
{
    fm_record record;
    fm_error error;
    int result, good = 0, refused = 0;
    int64_t interval_ns = 0;
    while ((result = fm_file_reader_next(reader, &record, &error)) != 0) {
        good += result > 0;
        refused += result < 0;
        if (result < 0 && result != FM_ts_out_of_range && result != FM_bar_inconsistent)
            fail_msg("%s: %s", file->name, error.message);
        if (result < 0 || record.kind != FM_BAR)
            continue;
        interval_ns = interval_ns ? interval_ns : record.interval_ns;
        assert_int_equal(record.interval_ns, interval_ns);
        assert_true(record.ts_ns > fm_file_reader_named_ns(reader));
    }
    const fm_file_counts *counts = fm_file_reader_counts(reader);
    if (counts->rows != (uint64_t)file->rows || good + refused != file->rows * file->records ||
        refused != file->refused)
        fail_msg("%s: %d rows, %d good, %d refused", file->name, (int)counts->rows, good, refused);
    assert_int_equal(counts->records, good + refused);
    assert_int_equal(counts->refused, refused);
    assert_int_equal(fm_file_reader_refused(reader, FM_ts_out_of_range) +
                         fm_file_reader_refused(reader, FM_bar_inconsistent),
                     refused);
    assert_int_equal(counts->silent, 0);
    assert_int_equal(fm_file_reader_bytes(reader), fm_file_reader_size(reader));
}

static void every_row_of_every_file_is_accounted_for(void **unused)
{
    (void)unused;
    bool all = true;
    for (size_t index = 0; index < sizeof files / sizeof *files; index++) {
        fm_file_reader *reader;
        if (!open_file(&files[index], &reader)) {
            all = false;
            continue;
        }
        assert_string_equal(fm_file_reader_format(reader), files[index].format);
        read_file(&files[index], reader);
        fm_file_reader_close(reader);
    }
    if (!all)
        skip();
}

static void check_ends(const char *name, int64_t first_s, int64_t last_s)
{
    const struct recorded *file = NULL;
    for (size_t index = 0; index < sizeof files / sizeof *files; index++)
        file = strstr(files[index].name, name) ? &files[index] : file;
    assert_non_null(file);
    fm_file_reader *reader;
    fm_error error;
    fm_record record;
    int64_t first_ns = 0, last_ns = 0;
    if (!open_file(file, &reader))
        skip();
    for (int result; (result = fm_file_reader_next(reader, &record, &error)) != 0;) {
        assert_true(result > 0);
        first_ns = first_ns ? first_ns : record.ts_ns;
        last_ns = record.ts_ns;
    }
    assert_int_equal(first_ns / FM_NS_PER_S, first_s);
    assert_int_equal(last_ns / FM_NS_PER_S, last_s);
    fm_file_reader_close(reader);
}

static void first_and_last_times_are_those_of_the_clocks(void **unused)
{
    (void)unused;
    check_ends("fx_ticks_EURUSD_oanda_20140502", 1398988800, 1399064398);
    check_ends("eq_trades_BAC_20131008", 1381226348, 1381276793);
    check_ends("eq_quotes_BAC_20131008", 1381219200, 1381276800);
    check_ends("SPY_1h", 883753200, 1617220800);              /* 09:00 to 10:00 EST, 15:00 to 16:00 EDT */
    check_ends("QQQ_1d", 921099600, 1617220800);              /* 16:00 EST and EDT */
    check_ends("GME_yahoo_1m", 1647244860, 1650315480);       /* 04:00 and 16:57 EDT, a minute long */
    check_ends("BTCUSD_coinbase_1d", 1417478400, 1534204800); /* 24:00 UTC */
    check_ends("AVAXUSDT_binance_1m", 1738368060, 1740787200);
    check_ends("EURUSD_oanda_1h", 1167688800, 1546293600);
    check_ends("cfd_1s_XAUUSD_oanda_20140501", 1398902401, 1398988795);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_every_file_is_accounted_for),
        cmocka_unit_test(first_and_last_times_are_those_of_the_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
