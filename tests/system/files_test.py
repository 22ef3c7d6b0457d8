#!/usr/bin/python3
# timeout: 600
"""Files in the layouts of vendors, replayed into a server: what is journaled, and that every row of every recorded file of bars is accounted for."""
import hashlib
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import RECORD_KINDS, Case, data_file, nanoseconds, run  # noqa: E402

# name, rows, what is read and accepted, and of the first record: its kind, symbol and time
FILES = [
    ("fx_ticks_EURUSD_oanda_20140502.csv", "time_ms,bid,ask\n1000,1.38694,1.38705\n1,2\n",
     (2, 1), ("quote", "EURUSD", "2014-05-02T00:00:01Z")),
    ("eq_trades_BAC_20131008.csv", "time_ms,price_dcents,size,exchange,sale_condition,suspicious\n21549000,138000,1000,P,2000,0\n",
     (1, 1), ("trade", "BAC", "2013-10-08T09:59:09Z")),
    ("eq_quotes_BAC_20131008.csv", "time_ms,bid_price_dcents,bid_size,ask_price_dcents,ask_size,exchange,quote_condition,suspicious\n"
     "14400000,138000,1000,0,0,P,1,0\n", (1, 1), ("quote", "BAC", "2013-10-08T08:00:00Z")),
    ("BTCUSDT-1m-2025-02.csv", "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
     "1738368000000,34.422,34.426,34.36,34.36,9896,1738368059999,340376.0,1391,3538,121691.58,0\n",
     (1, 1), ("bar", "BTCUSDT", "2025-02-01T00:01:00Z")),
    ("GME_yahoo_1m.csv", "Datetime,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
     "2022-03-14 04:00:00-04:00,94.5,94.5,93.62999725342,93.63,0,0,0\n", (1, 1), ("bar", "GME", "2022-03-14T08:01:00Z")),
    ("GME_yahoo_1d.csv", "Date,High,Low,Open,Close,Volume,Adj Close\n2021-05-12,150.5,142.22,145.7,144.79,2719700.0,144.79\n",
     (1, 1), ("bar", "GME", "2021-05-12T20:00:00Z")),
    ("sp500.csv", "Date,High,Low,Open,Close,Volume,Adj Close,Name\n2015-01-12,4,1,2,3,5,3,AAPL\n2015-01-13,4,1,2,3,5,3,BRK.B\n",
     (2, 2), ("bar", "AAPL", "2015-01-12T21:00:00Z")),
    ("BTCUSD_coinbase_1m_20161007.csv", "time_ms,open,high,low,close,volume\n0,611.78,611.91,611.78,611.9,1.13872\n60000,1,1,2,1,1\n",
     (2, 1), ("bar", "BTCUSD", "2016-10-07T00:01:00Z")),
    ("SPY_1h_1998-2021.csv", "datetime,open_dcents,high_dcents,low_dcents,close_dcents,volume\n19980102 09:00,973100,975300,970300,970300,384500\n",
     (1, 1), ("bar", "SPY", "1998-01-02T15:00:00Z")),
    ("EURUSD_oanda_1h.csv", "datetime,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size\n"
     "20070101 21:00,1.31927,1.31955,1.3187,1.31935,0,1.32027,1.32055,1.3197,1.32035,0\n", (2, 2), ("quote", "EURUSD", "2007-01-01T22:00:00Z")),
    ("USDJPY_fxcm_1m.csv", "timestamp,open,high,low,close\n2013-02-01 00:00:00+00:00,91.715,91.715,91.653,91.653\n",
     (1, 1), ("bar", "USDJPY", "2013-02-01T00:01:00Z")),
    ("EURUSD_ticks.csv", "timestamp,bid,ask\n2014-05-02T12:30:00Z,1.1,1.2\n", (1, 1), ("quote", "EURUSD", "2014-05-02T12:30:00Z")),
    ("GoldSilver_1d.csv", "rownames,gold,silver\n2012-12-31,915.88,1100.34\n", (2, 2), ("value", "gold", "2013-01-01T00:00:00Z")),
    ("own.csv", "type,symbol,ts,price\ntrade,A,2014-05-02T12:30:00Z,1.5\n", (1, 1), ("trade", "A", "2014-05-02T12:30:00Z")),
]
# Recorded files of which not each row becomes one good record: records of a row, and how many a server refuses.
ODD = {
    "bars_1d/DJIA_1d_1980-2012.csv.gz": (1, 2609),           # before 1990
    "bars_1d/GoldSilver_1d_1977-2012.csv.gz": (2, 6262),     # before 1990
    "bars_1d/sp500_5yr_stocks_dev.csv.gz": (1, 1),           # a high below the close
    "bars_1h/EURUSD_oanda_1h_2007-2018.csv.gz": (2, 0),
}


class Files(Case):
    def test_a_file_of_each_format_is_replayed_and_its_first_record_stands_in_the_journal(self):
        server = self.server()
        sent = accepted = 0
        for name, text, (read, good), _ in FILES:
            with self.subTest(file=name):
                path = os.path.join(self.folder, name)
                with open(path, "w") as file:
                    file.write(text)
                verdict = server.replay(path, expect=0 if read == good else 1, more=("--domain", name))
                self.assertEqual(verdict, {"read": read, "accepted": good, "rejected": read - good, "duplicate": 0})
                sent, accepted = sent + read, accepted + good
        server.settle()
        self.assertEqual(server.stop(), 0)
        records = [entry for entry in server.dump() if entry["kind"] in (*RECORD_KINDS, "bar")]
        self.assertEqual(len(records), accepted)
        for name, text, _, (kind, symbol, at) in FILES:
            with self.subTest(file=name):
                source = hashlib.sha256(text.encode()).hexdigest()[:32]
                first = min((record for record in records if record["src"] == source), key=lambda record: record["n"])
                self.assertEqual((first["kind"], first["symbol"], first["ts"]), (kind, symbol, nanoseconds(at)))

    def test_what_is_refused_is_told_by_its_reason(self):
        server = self.server()
        path = os.path.join(self.folder, "A_1d.csv")
        with open(path, "w") as file:
            file.write("Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n1989-01-02,1,1,1,1,1,0,0\n"
                       "2021-05-12,1,1,2,1,1,0,0\n2021-05-13,1,1,2,1,1,0.5,0\n2021-05-14,1,1,1,1,1,0,4.0\n")
        said = run("replay", path, "--to", server.url(), "--quiet", expect=1)
        for line in ("refused here: 1 ts_out_of_range\n", "refused here: 2 bar_inconsistent\n",
                     "2 rows name a dividend or a split, which are not taken yet\n", "read 4  accepted 1  rejected 3  duplicate 0"):
            self.assertIn(line, said)
        server.settle()
        self.assertEqual(server.stop(), 0)

    def test_every_row_of_every_recorded_file_of_bars_is_accepted_or_refused(self):
        with open(data_file("README.md")) as readme:
            counted = re.findall(r"^\| (bars_1[dhm]/\S+) \| (\d+) \|", readme.read(), re.MULTILINE)
        self.assertEqual(len(counted), 26)
        server = self.server()
        for name, rows in counted:
            with self.subTest(file=name):
                each, refused = ODD.get(name, (1, 0))
                read = int(rows) * each
                verdict = server.replay(data_file(name), expect=1 if refused else 0)
                self.assertEqual(verdict, {"read": read, "accepted": read - refused, "rejected": refused, "duplicate": 0})
        server.settle()
        self.assertEqual(server.stop(60), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
