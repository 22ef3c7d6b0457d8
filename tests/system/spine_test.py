#!/usr/bin/python3
# timeout: 600
"""The way of a tick on recorded days: files in, alerts out on every channel with one id, nothing lost, nothing told twice."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import ROOT, Case, WebSocket, canonical, data_file, nanoseconds, wait_for  # noqa: E402
from lab_redis import heard, start_redis  # noqa: E402

RULES = os.path.join(ROOT, "rules")
JOBS_DAY = "tick/fx_ticks_EURUSD_oanda_20140502.csv.gz"
SIX_DAYS = ["tick/fx_ticks_EURUSD_oanda_201405%02d.csv.gz" % day for day in (1, 2, 5, 6, 7, 8)]


def windows():
    """The labelled windows of the FX files: [(start, end)] in nanoseconds."""
    with open(data_file("events.json")) as file:
        events = json.load(file)["events"]
    return [(nanoseconds(e["start"]), nanoseconds(e["end"])) for e in events if e["file"] in SIX_DAYS]


def outside(alerts):
    labelled = windows()
    return [a for a in alerts if not any(start <= a["event_time"] < end for start, end in labelled)]


class JobsReport(Case):
    def test_the_jobs_report_is_heard_everywhere_with_one_id_and_only_once(self):
        path = data_file(JOBS_DAY)
        redis = start_redis(self)
        server = self.server(RULES, redis__url=redis.url())
        wait_for("the server is connected to Redis", lambda: server.metric("fmads_redis_connected") == 1)
        channel = redis.listen("fmads:alerts:*")
        with WebSocket(server) as socket:
            socket.send({"op": "subscribe", "topics": ["alerts"]})
            self.assertEqual(server.replay(path), {"read": 49341, "accepted": 49341, "rejected": 0, "duplicate": 0})
            self.assertAccounting(server.settle(), 49341)
            listed = server.alerts("?symbol=EURUSD")
            ids = sorted(alert["id"] for alert in listed)
            wait_for("Redis has them all", lambda: len(redis.stream()) >= len(ids))
            published = heard(channel)
            told = []
            while len(told) < len(ids):
                message = socket.message("event")
                self.assertIsNotNone(message, "the WebSocket told %d of %d alerts" % (len(told), len(ids)))
                self.assertEqual(message["topic"], "alerts")
                told.append(message["data"])
            stream = redis.stream()

            begin, end = nanoseconds("2014-05-02T12:29:00Z"), nanoseconds("2014-05-02T12:45:00Z")
            report = [alert for alert in listed if begin <= alert["event_time"] < end]
            self.assertGreaterEqual(len(report), 1, "no alert in the window of the jobs report")
            self.assertLessEqual(len(outside(listed)), 3)
            print("\n%d alerts, %d of them in the window, %d outside all windows" % (len(listed), len(report), len(outside(listed))))

            self.assertEqual(sorted(a["id"] for a in told), ids)
            self.assertEqual(sorted(envelope["id"] for _, envelope in stream), ids)
            self.assertEqual(sorted(envelope["id"] for _, envelope in published), ids)
            bodies = {alert["id"]: canonical(alert) for alert in listed}
            for alert in told + [e["data"] for _, e in stream] + [e["data"] for _, e in published]:
                self.assertEqual(canonical(alert), bodies[alert["id"]])
            for name, envelope in published:
                self.assertEqual(name, "fmads:alerts:%s:EURUSD" % envelope["data"]["severity"])
                self.assertEqual((envelope["schema"], envelope["seq"]), ("fmads.alert/1", envelope["data"]["seq"]))
            self.assertEqual([int(entry.split("-")[1]) for entry, _ in stream], sorted(alert["seq"] for alert in listed))
            one = report[0]
            self.assertEqual(server.get("/v1/alerts/" + one["id"]).json(), one)
            self.assertTrue(one["features"] and one["rule"]["line"] > 0 and one["evidence"]["from"] > 0, one)

            # The file again: every row was there before, and nobody hears anything.
            self.assertEqual(server.replay(path), {"read": 49341, "accepted": 0, "rejected": 0, "duplicate": 49341})
            self.assertAccounting(server.settle(), 2 * 49341)
            self.assertEqual(sorted(alert["id"] for alert in server.alerts()), ids)
            self.assertEqual(redis.stream(), stream)
            self.assertEqual(heard(channel, 0.5), [])
            self.assertIsNone(socket.message("event", 0.5))
        self.assertEqual(server.stop(), 0)

        # And after a restart too, on another number of threads.
        server.start(shards=1)
        self.assertEqual(server.replay(path)["duplicate"], 49341)
        self.assertEqual(sorted(alert["id"] for alert in server.alerts()), ids)
        self.assertEqual(redis.stream(), stream)

    def test_a_processor_without_fused_arithmetic_gives_the_same_bytes(self):
        told = []
        for name, tunables in (("as it is", ""), ("hidden", "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA")):
            server = self.server(RULES, name=name, start=False)
            server.environment = {"GLIBC_TUNABLES": tunables}
            server.start()
            server.replay(data_file(JOBS_DAY))
            server.settle()
            told.append({alert["id"]: canonical(alert) for alert in server.alerts()})
            self.assertEqual(server.stop(), 0)
        self.assertGreaterEqual(len(told[0]), 1)
        self.assertEqual(told[1], told[0])

    def test_six_days_of_euro_are_calm(self):
        paths = [data_file(name) for name in SIX_DAYS]
        server = self.server(RULES)
        verdict = server.replay(*paths)
        self.assertEqual(verdict["accepted"], verdict["read"])
        self.assertAccounting(server.settle(), verdict["read"])
        alerts = server.alerts("?symbol=EURUSD")
        print("\nsix days: %d alerts, %d outside all windows" % (len(alerts), len(outside(alerts))))
        for alert in outside(alerts):
            print("  outside:", alert["event_time"], alert["message"])
        self.assertLessEqual(len(outside(alerts)), 10)


class BankOfAmerica(Case):
    def test_equal_trades_are_all_kept_and_the_accounting_is_exact(self):
        server = self.server(RULES)
        trades = server.replay(data_file("tick/eq_trades_BAC_20131008.csv.gz"))
        self.assertEqual(trades, {"read": 125872, "accepted": 125872, "rejected": 0, "duplicate": 0})
        self.assertAccounting(server.settle(), 125872)
        quotes = server.replay(data_file("tick/eq_quotes_BAC_20131008.csv.gz"), more=("--wire", "msgpack", "--batch", "2000"))
        self.assertEqual((quotes["read"], quotes["accepted"] + quotes["rejected"]), (576096, 576096))
        self.assertAccounting(server.settle(), 125872 + 576096)
        self.assertEqual(server.stop(), 0)
        records = server.records()
        kept = [tuple(sorted((k, v) for k, v in r.items() if k not in ("sequence", "receive", "n")))
                for r in records if r["kind"] == "trade"]
        self.assertEqual(len(kept), 125872)
        self.assertEqual(len(kept) - len(set(map(str, kept))), 14136, "rows of the file that equal an earlier one, byte for byte")
        self.assertEqual(len(records), 125872 + quotes["accepted"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
