/* tests/unit/ingest/book_format_test.c - files of order books: orders (Databento, LOBSTER) and levels (Tardis, Binance,
 * Bybit). */
#include "market_files.h"

#define MBO                                                                                                            \
    "ts_recv,ts_event,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,"        \
    "sequence\n"

static void databento_orders_keep_their_events_and_their_packets(void **unused)
{
    (void)unused;
    assert_format_rows("ESH4_cme_mbo.csv", "databento-mbo",
                       MBO
                       "1703545200105900877,1703545200000000000,1,17077,T,N,4800.25,44,0,0,0,18276,6000\n"
                       "1703545200105900877,1703545200000000000,1,17077,F,A,4800.25,1,0,6412777265263,0,18276,6000\n"
                       "1703545200105900878,1703545200000000001,1,17077,C,A,4800.25,1,0,6412777265263,128,1,6003\n"
                       "1703545200105900879,1703545200000000002,1,17077,M,B,-0.5,1,0,7,130,1,6004\n"
                       "1703545200105900879,1703545200000000003,2,17077,A,B,1,0,0,7,130,1,6005\n"
                       "1703545200105900879,1703545200000000003,2,17077,M,B,1.50,2,0,7,,1,6006\n"
                       "1703545200105900879,1703545200000000003,2,17077,N,N,,0,0,0,128,1,6007\n"
                       "1703545200105900879,1703545200000000003,77,17077,R,N,,0,0,0,136,1,6008\n"
                       "1703545200105900879,1703545200000000003,1,17077,A,X,1,1,0,7,130,1,6005\n"
                       "1703545200105900879,1703545200000000003,1,17077,Q,B,1,1,0,7,130,1,6005\n"
                       "1703545200105900879,1703545200000000003,1,17077,A,B,1,1,0,7,256,1,6005\n"
                       "1703545200105900879,1703545200000000003,1,17077,A,B,1,1,0,7,130,1,x\n",
                       "trade ESH4 ts=1703545200000000000 venue=GLBX n=1 seq=6000 price=480025/2 size=44/0\n"
                       "order ESH4 ts=1703545200000000000 venue=GLBX n=2 seq=6000 seq_index=1 price=480025/2 size=1/0 "
                       "action=5 order=6412777265263 flags=4 side=2\n"
                       "order ESH4 ts=1703545200000000001 venue=GLBX n=3 seq=6003 price=480025/2 size=1/0 action=3 "
                       "order=6412777265263 side=2\n"
                       "price_negative line 5\n"
                       "size_invalid line 6\n"
                       "order ESH4 ts=1703545200000000003 venue=XNAS n=6 seq=6006 price=15/1 size=2/0 action=2 order=7 "
                       "flags=4 side=1\n"
                       "order ESH4 ts=1703545200000000003 venue=77 n=7 seq=6008 action=6 order=0\n"
                       "side_invalid line 10\n"
                       "action_invalid line 11\n"
                       "flag_invalid line 12\n"
                       "seq_invalid line 13\n");
}

static void a_databento_snapshot_begins_with_a_clear_and_happens_when_it_is_sent(void **unused)
{
    (void)unused;
    const char *row = "1703462400000000000,1703422805243925307,1,17077,A,B,4799,2,0,6412777162812,40,0,682\n";
    const char *live = "1703541600181198464,1703541600180087113,1,17077,A,B,4797.5,6,0,6412777264941,130,17261,4957\n";
    char content[2000];
    snprintf(content, sizeof content, "%s%s%s%s%s", MBO, row, row, live, row);
    assert_format_rows("ESH4.csv", "databento-mbo", content,
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=1 action=6 order=0 flags=c\n"
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=2 price=4799/0 size=2/0 action=1 "
                       "order=6412777162812 flags=c side=1\n"
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=3 price=4799/0 size=2/0 action=1 "
                       "order=6412777162812 flags=c side=1\n"
                       "order ESH4 ts=1703541600180087113 venue=GLBX n=4 seq=4957 price=47975/1 size=6/0 action=1 "
                       "order=6412777264941 side=1\n"
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=5 action=6 order=0 flags=c\n"
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=6 price=4799/0 size=2/0 action=1 "
                       "order=6412777162812 flags=c side=1\n");
    snprintf(content, sizeof content, "%s%s%s%s", MBO,
             "1703462400000000000,1703422805243925307,1,17077,R,N,,0,0,0,40,0,0\n", row, live);
    assert_format_rows("ESH4.csv", "databento-mbo", content,
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=1 action=6 order=0 flags=c\n"
                       "order ESH4 ts=1703462400000000000 venue=GLBX n=2 price=4799/0 size=2/0 action=1 "
                       "order=6412777162812 flags=c side=1\n"
                       "order ESH4 ts=1703541600180087113 venue=GLBX n=3 seq=4957 price=47975/1 size=6/0 action=1 "
                       "order=6412777264941 side=1\n");
}

/* With the record header they are Databento's own: prices in 1e-9, or with nine decimals and times as text. */
static void databentos_own_files_have_fixed_prices_and_symbols(void **unused)
{
    (void)unused;
    assert_format_rows(
        "glbx-mdp3-20231225.mbo.csv", "databento-mbo",
        "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,"
        "flags,ts_in_delta,sequence,symbol\n"
        "1703545200105900877,1703545200000000000,160,1,17077,A,B,6490500,44,0,5,128,18276,6000,6JH4\n"
        "2023-12-25T23:00:00.105900877Z,2023-12-25T23:00:00.000000001Z,160,1,17077,A,B,4800.250000000,44,"
        "0,6,128,18276,6001,ESH4\n",
        "order 6JH4 ts=1703545200000000000 venue=GLBX n=1 seq=6000 price=64905/7 size=44/0 action=1 order=5 side=1\n"
        "order ESH4 ts=1703545200000000001 venue=GLBX n=2 seq=6001 price=480025/2 size=44/0 action=1 order=6 side=1\n");
}

static void databentos_best_prices_are_quotes_and_trades(void **unused)
{
    (void)unused;
    assert_format_rows(
        "ES_cme_mbp1.csv", "databento-mbp1",
        "ts_recv,ts_event,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,"
        "bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00\n"
        "1719878281218485389,1719878281218218853,1,118,T,B,0,5528.75,2,0,17664,9060643,5528.5,5528.75,29,6,22,3\n"
        "1719878281218493289,1719878281218218853,1,118,C,A,0,5528.75,2,130,13133,9060644,5528.5,,29,0,22,0\n",
        "trade ES ts=1719878281218218853 venue=GLBX n=1 seq=9060643 price=552875/2 size=2/0 side=1\n"
        "quote ES ts=1719878281218218853 venue=GLBX n=2 seq=9060644 bid=55285/1 bid_size=29/0 ask=0/0 ask_size=0/0\n");
}

static void lobster_messages_are_orders_trades_and_halts(void **unused)
{
    (void)unused;
    assert_format_rows(
        "AAPL_2012-06-21_34200000_57600000_message_10.csv", "lobster",
        "34200.004241176,1,16113575,18,5853300,1\n"
        "34200.00426064,2,16113575,8,5853300,1\n"
        "34201,3,16113575,10,5853300,1\n"
        "34202.5,4,16113579,5,5853400,-1\n"
        "34203.123456789,5,0,5,5853450,1\n"
        "34204.1234567891,6,-1,5,5853450,1\n"
        "34205,7,0,0,-1,-1\n34206,7,0,0,0,-1\n34207,7,0,0,1,-1\n"
        "90000,1,1,1,1,1\n34208,8,1,1,1,1\n34208,1,1,1,1,0\n34208,1,1,1,1\n-1,1,1,1,1,1\n",
        "order AAPL ts=1340285400004241176 venue=NASDAQ n=1 price=58533/2 size=18/0 action=1 order=16113575 side=1\n"
        "order AAPL ts=1340285400004260640 venue=NASDAQ n=2 price=58533/2 size=8/0 action=3 order=16113575 side=1\n"
        "order AAPL ts=1340285401000000000 venue=NASDAQ n=3 price=58533/2 size=10/0 action=3 order=16113575 side=1\n"
        "trade AAPL ts=1340285402500000000 venue=NASDAQ n=4 price=58534/2 size=5/0 side=1\n"
        "order AAPL ts=1340285402500000000 venue=NASDAQ n=5 price=58534/2 size=5/0 action=4 order=16113579 side=2\n"
        "trade AAPL ts=1340285403123456789 venue=NASDAQ n=6 price=585345/3 size=5/0 side=2\n"
        "trade AAPL ts=1340285404123456789 venue=NASDAQ n=7 price=585345/3 size=5/0\n"
        "status AAPL ts=1340285405000000000 venue=NASDAQ n=8 phase=3\n"
        "status AAPL ts=1340285406000000000 venue=NASDAQ n=9 phase=2\n"
        "status AAPL ts=1340285407000000000 venue=NASDAQ n=10 phase=1\n"
        "ts_invalid line 10\n"
        "type_unknown line 11\n"
        "side_invalid line 12\n"
        "column_count line 13\n"
        "ts_invalid line 14\n");
    assert_format_rows(
        "LOBSTER_A_2012-12-21_message_1.csv", "lobster", "34200,1,1,18,5853300,-1\n",
        "order A ts=1356100200000000000 venue=NASDAQ n=1 price=58533/2 size=18/0 action=1 order=1 side=2\n");
}

/* Exponents that nobody lives to count to. */
static void lobster_times_of_absurd_exponents_are_read_at_once(void **unused)
{
    (void)unused;
    assert_format_rows(
        "LOBSTER_A_2012-12-21_message_1.csv", "lobster",
        "34200,1,1,18,5853300,-1\n0e999999999999,1,2,18,5853300,-1\n1e-999999999999,1,3,18,5853300,-1\n"
        "1e999999999999,1,4,18,5853300,-1\n",
        "order A ts=1356100200000000000 venue=NASDAQ n=1 price=58533/2 size=18/0 action=1 order=1 side=2\n"
        "order A ts=1356066000000000000 venue=NASDAQ n=2 price=58533/2 size=18/0 action=1 order=2 side=2\n"
        "order A ts=1356066000000000000 venue=NASDAQ n=3 price=58533/2 size=18/0 action=1 order=3 side=2\n"
        "ts_invalid line 4\n");
}

#define TARDIS "exchange,symbol,timestamp,local_timestamp,"

static void tardis_snapshots_replace_the_book(void **unused)
{
    (void)unused;
    assert_format_rows("x.csv", "tardis-book-snapshot",
                       TARDIS "asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,asks[1].amount,"
                              "bids[1].price,bids[1].amount\n"
                              "binance-futures,BTCUSDT,1598918403696000,1598918403810979,11657.08,1.714,11657.07,"
                              "10.896,11657.54,5.4,11656.97,0.2\n"
                              "binance-futures,BTCUSDT,1598918403696001,1598918403810980,,,11657.07,10.896,,,x,0.2\n"
                              "binance-futures,BTCUSDT,1598918403696002,1598918403810980,,,,,,,,\n",
                       "book BTCUSDT ts=1598918403696000000 venue=binance-futures n=1 action=3 flags=c\n"
                       "book BTCUSDT ts=1598918403696000000 venue=binance-futures n=2 price=1165708/2 size=1714/3 "
                       "action=1 flags=c side=2\n"
                       "book BTCUSDT ts=1598918403696000000 venue=binance-futures n=3 price=1165707/2 size=10896/3 "
                       "action=1 flags=c side=1\n"
                       "book BTCUSDT ts=1598918403696000000 venue=binance-futures n=4 price=1165754/2 size=54/1 "
                       "action=1 flags=c side=2\n"
                       "book BTCUSDT ts=1598918403696000000 venue=binance-futures n=5 price=1165697/2 size=2/1 "
                       "action=1 flags=8 side=1\n"
                       "book BTCUSDT ts=1598918403696001000 venue=binance-futures n=6 action=3 flags=c\n"
                       "book BTCUSDT ts=1598918403696001000 venue=binance-futures n=7 price=1165707/2 size=10896/3 "
                       "action=1 flags=c side=1\n"
                       "price_invalid line 3\n"
                       "book BTCUSDT ts=1598918403696002000 venue=binance-futures n=9 action=3 flags=8\n");
}

static void tardis_changes_of_one_message_are_one_event(void **unused)
{
    (void)unused;
    assert_format_rows(
        "x.csv", "tardis-incremental-book",
        TARDIS "is_snapshot,side,price,amount\n"
               "deribit,BTC-PERPETUAL,1585699200245000,1585699200355684,true,ask,6421.5,18640\n"
               "deribit,BTC-PERPETUAL,1585699200245000,1585699200355684,true,bid,6421,5\n"
               "deribit,BTC-PERPETUAL,1585699200250000,1585699200360000,false,bid,6421,0\n"
               "deribit,BTC-PERPETUAL,1585699200260000,1585699200370000,false,bid,6420,1\n"
               "deribit,BTC-PERPETUAL,1585699200260000,1585699200370000,false,up,6420,1\n"
               "deribit,BTC-PERPETUAL,1585699200270000,1585699200380000,true,bid,6420,1\n",
        "book BTC-PERPETUAL ts=1585699200245000000 venue=deribit n=1 action=3 flags=c\n"
        "book BTC-PERPETUAL ts=1585699200245000000 venue=deribit n=2 price=64215/1 size=18640/0 action=1 flags=c "
        "side=2\n"
        "book BTC-PERPETUAL ts=1585699200245000000 venue=deribit n=3 price=6421/0 size=5/0 action=1 flags=8 side=1\n"
        "book BTC-PERPETUAL ts=1585699200250000000 venue=deribit n=4 price=6421/0 size=0/0 action=2 side=1\n"
        "book BTC-PERPETUAL ts=1585699200260000000 venue=deribit n=5 price=6420/0 size=1/0 action=1 flags=4 side=1\n"
        "side_invalid line 6\n"
        "book BTC-PERPETUAL ts=1585699200270000000 venue=deribit n=7 action=3 flags=c\n"
        "book BTC-PERPETUAL ts=1585699200270000000 venue=deribit n=8 price=6420/0 size=1/0 action=1 flags=8 side=1\n");
}

static void tardis_trades_and_quotes_are_theirs(void **unused)
{
    (void)unused;
    assert_format_rows(
        "x.csv", "tardis-trades",
        TARDIS "id,side,price,amount\n"
               "bitmex,XBTUSD,1583020803145000,1583020803307160,ccc3c1fa,sell,8531.5,2152\n"
               "bitmex,XBTUSD,1583020803145000,1583020803307160,,unknown,8531.5,1\n"
               "bitmex,XBTUSD,1583020803145000,1583020803307160,1,up,8531.5,1\n",
        "trade XBTUSD ts=1583020803145000000 venue=bitmex n=1 price=85315/1 size=2152/0 side=2 id=b5d7a92157d49f6a\n"
        "trade XBTUSD ts=1583020803145000000 venue=bitmex n=2 price=85315/1 size=1/0\n"
        "side_invalid line 4\n");
    assert_format_rows("x.csv", "tardis-quotes",
                       TARDIS "ask_amount,ask_price,bid_price,bid_amount\n"
                              "huobi-dm-swap,BTC-USD,1588291201099000,1588291201234268,5494,8629.3,8629.2,806\n"
                              "huobi-dm-swap,BTC-USD,1588291201099001,1588291201234269,5494,8629.3,,\n",
                       "quote BTC-USD ts=1588291201099000000 venue=huobi-dm-swap n=1 bid=86292/1 bid_size=806/0 "
                       "ask=86293/1 ask_size=5494/0\n"
                       "quote BTC-USD ts=1588291201099001000 venue=huobi-dm-swap n=2 bid=0/0 bid_size=0/0 ask=86293/1 "
                       "ask_size=5494/0\n");
}

static void binance_rows_of_one_update_are_one_event(void **unused)
{
    (void)unused;
    assert_format_rows("BTCUSDT.csv", "binance-depth",
                       "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu\n"
                       "BTCUSDT,1667346579146,2098021528332,2098021528332,b,snap,20377.00,1.770,-1\n"
                       "BTCUSDT,1667346579146,2098021528332,2098021528332,a,snap,20378.00,1,-1\n"
                       "BTCUSDT,1667347199939,2098041693435,2098041696700,a,set,20472.80,0.000,2098041693400\n"
                       "BTCUSDT,1667347199939,2098041693435,2098041696700,b,set,20472.90,1.000,2098041693400\n"
                       "BTCUSDT,1667347199940,2098041696701,2098041696702,b,put,20472.90,1.000,2098041696700\n"
                       "BTCUSDT,1667347199941,2098041696701,2098041696703,c,set,20472.90,1.000,2098041696700\n"
                       "BTCUSDT,1667347199941,2098041696701,,b,set,20472.90,1.000,2098041696700\n",
                       "book BTCUSDT ts=1667346579146000000 venue=binance channel=depth n=1 action=3 flags=c\n"
                       "book BTCUSDT ts=1667346579146000000 venue=binance channel=depth n=2 price=20377/0 size=177/2 "
                       "action=1 flags=c side=1\n"
                       "book BTCUSDT ts=1667346579146000000 venue=binance channel=depth n=3 price=20378/0 size=1/0 "
                       "action=1 flags=8 side=2\n"
                       "book BTCUSDT ts=1667347199939000000 venue=binance channel=depth n=4 seq=2098041696700 "
                       "price=204728/1 size=0/0 action=2 flags=4 side=2\n"
                       "book BTCUSDT ts=1667347199939000000 venue=binance channel=depth n=5 seq=2098041696700 "
                       "seq_index=1 price=204729/1 size=1/0 action=1 side=1\n"
                       "action_invalid line 6\n"
                       "side_invalid line 7\n"
                       "seq_invalid line 8\n");
}

static void bybit_messages_are_events_of_many_levels(void **unused)
{
    (void)unused;
    assert_format_rows(
        "XRPUSDT.jsonl", "bybit-orderbook",
        "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"snapshot\",\"ts\":1733011200691,\"data\":{\"s\":\"XRPUSDT\","
        "\"b\":[[\"1.9531\",\"6203\"]],\"a\":[[\"1.9535\",\"8415\"],[\"1.9544\",\"11653\"]],\"u\":1,\"seq\":2}}\n"
        "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"delta\",\"ts\":1733011200693,\"data\":{\"s\":\"XRPUSDT\","
        "\"b\":[],\"a\":[[\"1.9535\",\"0\"]],\"u\":2,\"seq\":3}}\n"
        "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"delta\",\"ts\":1733011200694,\"data\":{\"s\":\"XRPUSDT\","
        "\"b\":[],\"a\":[],\"u\":2,\"seq\":3}}\n"
        "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"delta\",\"ts\":1733011200695,\"data\":{\"s\":\"XRPUSDT\","
        "\"b\":[[\"1.9535\",0]],\"a\":[],\"u\":2,\"seq\":3}}\n"
        "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"delta\",\"ts\":1733011200695,\"data\":{\"s\":\"XRPUSDT\","
        "\"b\":[[\"1.9535\",\"0\"]\n"
        "{}\n",
        "book XRPUSDT ts=1733011200691000000 venue=bybit channel=orderbook n=1 action=3 flags=c\n"
        "book XRPUSDT ts=1733011200691000000 venue=bybit channel=orderbook n=2 price=19531/4 size=6203/0 action=1 "
        "flags=c side=1\n"
        "book XRPUSDT ts=1733011200691000000 venue=bybit channel=orderbook n=3 price=19535/4 size=8415/0 action=1 "
        "flags=c side=2\n"
        "book XRPUSDT ts=1733011200691000000 venue=bybit channel=orderbook n=4 price=19544/4 size=11653/0 action=1 "
        "flags=8 side=2\n"
        "book XRPUSDT ts=1733011200693000000 venue=bybit channel=orderbook n=5 price=19535/4 size=0/0 action=2 side=2\n"
        "malformed line 4\n"
        "malformed line 5\n");
}

/* Where the row behind lies beyond the window that is held of the file, the event goes on all the same. */
static void an_event_may_span_the_window_of_the_file(void **unused)
{
    (void)unused;
    enum { ROWS = 20000 };
    const char *file = write_file("x.csv", "", 0, false);
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    fprintf(out, "%s", TARDIS "is_snapshot,side,price,amount\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "deribit,BTC,1585699200245000,1585699200355684,true,ask,%d.5,%d\n", 10000 + i, 1 + i % 777);
    assert_int_equal(fclose(out), 0);
    fm_file_reader *reader;
    fm_error error;
    fm_record record;
    assert_int_equal(fm_file_reader_open(file, NULL, NULL, NULL, &reader, &error), 0);
    for (int i = 0; i <= ROWS; i++) {
        assert_int_equal(fm_file_reader_next(reader, &record, &error), 1);
        assert_int_equal(record.book_flags, FM_FLAG_SNAPSHOT | (i < ROWS ? FM_FLAG_MORE : 0));
        assert_int_equal(record.action, i == 0 ? FM_BOOK_CLEAR : FM_BOOK_SET);
    }
    assert_int_equal(fm_file_reader_next(reader, &record, &error), 0);
    fm_file_reader_close(reader);
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(databento_orders_keep_their_events_and_their_packets),
        cmocka_unit_test(a_databento_snapshot_begins_with_a_clear_and_happens_when_it_is_sent),
        cmocka_unit_test(databentos_own_files_have_fixed_prices_and_symbols),
        cmocka_unit_test(databentos_best_prices_are_quotes_and_trades),
        cmocka_unit_test(lobster_messages_are_orders_trades_and_halts),
        cmocka_unit_test(lobster_times_of_absurd_exponents_are_read_at_once),
        cmocka_unit_test(tardis_snapshots_replace_the_book),
        cmocka_unit_test(tardis_changes_of_one_message_are_one_event),
        cmocka_unit_test(tardis_trades_and_quotes_are_theirs),
        cmocka_unit_test(binance_rows_of_one_update_are_one_event),
        cmocka_unit_test(bybit_messages_are_events_of_many_levels),
        cmocka_unit_test(an_event_may_span_the_window_of_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
