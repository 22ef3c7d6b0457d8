#!/usr/bin/python3
# timeout: 900
"""Order books of a running server: a recorded one after its replay, what a venue's events mean, and the same after a crash."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import ROOT, Case, data_file, wait_for  # noqa: E402

RULES = os.path.join(ROOT, "rules")
FUTURE = "book/ESH4_cme_mbo_2023-12-25_first.csv.gz"
SECOND = 10 ** 9
T0 = 1703545200 * SECOND


def order(action, number, side=None, price=None, size=None, at=0, **more):
    record = {"type": "order", "symbol": "XF", "venue": "XV", "ts": T0 + at * SECOND, "action": action, "order": number, "side": side,
              "price": price, "size": size}
    record.update(more)
    return {name: value for name, value in record.items() if value is not None}


class Book(Case):
    def book(self, server, symbol, domain="live", more=""):
        answer = server.get("/v1/instruments/%s/book?domain=%s%s" % (symbol, domain, more))
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def test_the_cmes_book_is_the_recorded_one_also_after_a_crash(self):
        path = data_file(FUTURE)
        server = self.server(RULES)
        self.assertEqual(server.replay(path, more=["--domain", "cme"]), {"read": 38759, "accepted": 38759, "rejected": 0, "duplicate": 0})
        server.settle()
        told = self.book(server, "ESH4", "cme", "&depth=1000")
        book = told["items"][0]
        self.assertEqual((told["symbol"], told["domain"], len(told["items"]), book["venue"], book["form"]), ("ESH4", "cme", 1, "GLBX", "orders"))
        self.assertEqual((book["bids"][0]["price"], book["asks"][0]["price"], book["state"], book["degraded"]), (4809.75, 4810, "apart", []))
        counts = book["counts"]
        self.assertEqual((counts["records"], counts["crossed"], counts["locked"]), (37206, 891, 0))
        self.assertEqual([counts[name] for name in ("unknown", "duplicate", "malformed", "other_form", "left_out")], [0] * 5)
        for side, sign in (("bids", -1), ("asks", 1)):
            prices = [sign * level["price"] for level in book[side]]
            self.assertEqual(prices, sorted(set(prices)))
        self.assertEqual(sum(level["orders"] for level in book["bids"] + book["asks"]), book["orders"])
        self.assertEqual((len(book["bids"]), len(book["asks"])), (book["bid_side"]["levels"], book["ask_side"]["levels"]))
        self.assertEqual(book["bid_side"]["size"], sum(level["size"] for level in book["bids"]))

        latest = server.get("/v1/instruments/ESH4/latest?domain=cme").json()
        self.assertEqual((latest["quote"]["bid"], latest["quote"]["ask"]), (4809.75, 4810))
        wait_for("the metrics, a second old at most, have met all records", lambda: server.metric("fmads_engine_book_records_total") == 37206)
        metrics = server.metrics()
        self.assertEqual([metrics["fmads_engine_" + name] for name in ("books", "book_orders", "book_unknown_total", "book_crossed_total")],
                         [1, book["orders"], 0, 891])

        server.kill()
        server.start()
        self.assertEqual(self.book(server, "ESH4", "cme", "&depth=1000"), told)
        server.stop()
        server.verify()
        server.start()  # from the snapshot that the end wrote
        self.assertEqual(self.book(server, "ESH4", "cme", "&depth=1000"), told)

    def test_a_book_is_what_its_orders_are(self):
        server = self.server(RULES)
        server.ingest([order("add", 1, "buy", 99.5, 3), order("add", 2, "sell", 100.25, 4), order("add", "two", "sell", 100.25, 5, 1),
                       order("cancel", 2, at=2, size=1), order("execute", 9, at=3, size=1)])
        server.settle()
        book = self.book(server, "XF")["items"][0]
        self.assertEqual(book["bids"], [{"price": 99.5, "size": 3, "orders": 1, "since": T0}])
        self.assertEqual(book["asks"], [{"price": 100.25, "size": 8, "orders": 2, "since": T0}])
        self.assertEqual((book["imbalance"], book["degraded"], book["counts"]["unknown"]), (-5 / 11, ["unknown_order"], 1))
        self.assertEqual(self.book(server, "XF", more="&depth=1")["items"][0]["asks"], book["asks"])
        wait_for("the metrics tell that a book is degraded", lambda: server.metric("fmads_engine_books_degraded") == 1)
        server.ingest([order("clear", None, at=4)])
        server.settle()
        book = self.book(server, "XF")["items"][0]
        self.assertEqual((book["bids"], book["asks"], book["imbalance"], book["degraded"]), ([], [], None, []))

    def test_each_venue_has_a_book_of_its_own(self):
        server = self.server(RULES)
        level = {"type": "book", "symbol": "XF", "ts": T0, "side": "bid", "price": 5, "size": 7, "orders": 2}
        server.ingest([dict(level, venue="XA"), dict(level, venue="XB", price=6), {"type": "trade", "symbol": "XT", "ts": T0, "price": 1}])
        server.settle()
        items = self.book(server, "XF")["items"]
        self.assertEqual([(item["venue"], item["form"], item["bids"][0]["price"], item["bids"][0]["orders"]) for item in items],
                         [("XA", "levels", 5, 2), ("XB", "levels", 6, 2)])
        self.assertEqual(self.book(server, "XT")["items"], [])

    def test_limits_leave_the_touch_right_and_are_told(self):
        for name, value in (("BOOKS_MAX", "1"), ("BOOK_LEVELS_MAX", "2"), ("BOOK_ORDERS_MAX", "3")):  # also for the `fmads verify` at the end
            os.environ["FMADS_ENGINE_" + name] = value
            self.addCleanup(os.environ.pop, "FMADS_ENGINE_" + name)
        server = self.server(RULES)
        server.ingest([order("add", number, "buy", price, 1, number) for number, price in enumerate((10, 11, 12, 9, 12, 13))]
                      + [order("add", 1, "buy", 10, 1, 9, venue="XW")])
        server.settle()
        items = self.book(server, "XF")["items"]
        self.assertEqual([(item["venue"], item["degraded"], item["counts"]["left_out"]) for item in items], [("XV", ["full"], 3)])
        self.assertEqual([(level["price"], level["orders"]) for level in items[0]["bids"]], [(13, 1), (12, 2)])
        self.assertEqual(server.metric("fmads_engine_bookless_total"), 1)

    def test_a_book_that_is_not_there_is_told(self):
        server = self.server(RULES)
        for path, status in (("/v1/instruments/none/book", 404), ("/v1/instruments/XF/book?depth=0", 400), ("/v1/instruments/XF/book?depth=1001", 400),
                             ("/v1/instruments/XF/book?levels=5", 400)):
            with self.subTest(path):
                self.assertEqual(server.get(path).status, status)


if __name__ == "__main__":
    unittest.main()
