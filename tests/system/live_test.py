#!/usr/bin/python3
# labels: tsan
# timeout: 180
"""The live domain: wall time enters where no data come, and nowhere else."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import NS, ROOT, SLOW, Case, test_pack, trade, wait_for, write  # noqa: E402

NAMES = ["LIVE%d" % i for i in range(8)]  # they lie in several partitions, on both shards


class Live(Case):
    def stale_rules(self):
        """The rule in the box, with seconds where it has minutes."""
        with open(os.path.join(ROOT, "rules", "feed", "stale_feed.lua")) as file:
            text = file.read()
        for name, value in (("times", 4), ("least", 1.5), ("warm", 5)):
            head, _, rest = text.partition(name + " = ")
            self.assertTrue(rest, "the rule has no parameter " + name)
            text = head + "%s = %s" % (name, value) + rest[rest.index(","):]
        rules = os.path.join(self.folder, "rules")
        os.makedirs(os.path.join(rules, "feed"), exist_ok=True)
        write(os.path.join(rules, "feed", "stale_feed.lua"), text)
        return rules

    def feed(self, server, seconds=1.2):
        """All names, ten times a second; the time of the last record of each."""
        last = {}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            records = []
            for name in NAMES:
                last[name] = time.time_ns()
                records.append(trade(name, last[name], "10.5"))
            self.assertEqual(server.ingest(records)["accepted"], len(NAMES))
            time.sleep(0.1)
        return last

    def test_a_silent_feed_is_seen_by_the_wall_clock(self):
        server = self.server(self.stale_rules(), engine__lag_allowed="200ms")
        last = self.feed(server)
        self.assertEqual(server.alerts(), [])
        self.assertEqual(server.metric("fmads_engine_clock_records_total"), 0, "the clock was asked while data came")
        wait_for("every name is called silent", lambda: len(server.alerts()) == len(NAMES), 10)
        for alert in server.alerts():
            self.assertEqual(alert["rule"]["id"], "feed/stale_feed")
            silent = alert["event_time"] - last[alert["symbol"]]
            self.assertGreaterEqual(silent, 1.4 * NS)
            self.assertLess(silent, 4 * NS)
            self.assertGreaterEqual(alert["detect_time"], alert["event_time"] + NS // 5, "the lag that was allowed was not waited for")
            self.assertLess(alert["detect_time"] - alert["event_time"], 4 * SLOW * NS)
        self.assertGreater(server.metric("fmads_engine_clock_records_total"), 0)
        self.assertEqual(server.stop(), 0)
        self.assertTrue(any(entry["kind"] == "clock" for entry in server.dump()))

    def test_a_silence_over_a_crash_is_told_once(self):
        server = self.server(self.stale_rules(), engine__lag_allowed="200ms")
        self.feed(server)
        server.kill()
        server.start(shards=1)
        wait_for("every name is called silent", lambda: len(server.alerts()) == len(NAMES), 15)
        ids = sorted(alert["id"] for alert in server.alerts())
        server.kill()
        server.start(shards=2)
        time.sleep(1.5)
        self.assertEqual(sorted(alert["id"] for alert in server.alerts()), ids)

    def test_records_of_the_future_are_refused_and_good_ones_beside_them_kept(self):
        server = self.server(ingest__future_max="5s")
        now = time.time_ns()
        batch = [trade("A", now), trade("A", now + 60 * NS), trade("B", now + NS), trade("B", now + 3600 * NS), trade("A", now + 1)]
        verdict = server.ingest(batch)
        self.assertEqual((verdict["accepted"], verdict["rejected"]), (3, 2))
        self.assertEqual([(e["index"], e["code"]) for e in verdict["errors"]], [(1, "ts_in_future"), (3, "ts_in_future")])
        self.assertEqual(server.metric('fmads_ingest_rejected_total{reason="ts_in_future"}'), 2)
        self.assertEqual(server.ingest(batch, "another")["accepted"], 5, "only the live domain has a clock")
        self.assertAccounting(server.settle(), 10)

    def test_late_records_are_kept_and_counted_and_move_no_time(self):
        server = self.server(test_pack(self.folder, "lab/silent"), engine__lag_allowed="200ms")
        now = time.time_ns()
        self.assertEqual(server.ingest([trade("A", now), trade("A", now - 30 * NS), trade("A", now + 1)])["accepted"], 3)
        self.assertEqual(server.metric("fmads_ingest_late_total"), 1)
        alert = wait_for("the name is called silent", server.alerts, 10)[0]
        self.assertEqual((alert["symbol"], alert["event_time"], alert["score"]), ("A", now + 1 + 3 * NS, 3))

    def test_live_and_replayed_time_do_not_meet(self):
        server = self.server(test_pack(self.folder, "lab/silent"))
        now = time.time_ns()
        past = [trade("A", now - 86400 * NS + i * NS, src="past", n=i) for i in range(5)]
        self.assertEqual(server.ingest(past, "yesterday")["accepted"], 5)
        self.assertEqual(server.ingest([trade("A", now)])["accepted"], 1)
        time.sleep(1)
        self.assertEqual(server.metric("fmads_ingest_late_total"), 0)
        self.assertEqual(server.alerts("?domain=yesterday"), [], "wall time moves no replay")
        self.assertEqual(server.ingest([trade("A", now - 86400 * NS + 60 * NS, src="past", n=9)], "yesterday")["accepted"], 1)
        server.settle()
        self.assertEqual([a["event_time"] for a in server.alerts("?domain=yesterday")], [now - 86400 * NS + 7 * NS])


if __name__ == "__main__":
    unittest.main(verbosity=2)
