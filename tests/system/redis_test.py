#!/usr/bin/python3
# labels: tsan
# timeout: 300
"""Redis goes away, comes back, hangs, forgets: ingest never notices, and in the end every alert is in the stream once."""
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import NS, Case, Market, seed, test_pack, trade, wait_for  # noqa: E402
from lab_redis import heard, start_redis  # noqa: E402

DOMAIN = "lab"


class Away(Case):
    def setUp(self):
        super().setUp()
        self.market = Market(seed())

    def connected(self, server):
        return server.metric("fmads_redis_connected") == 1

    def begin(self, persistent=False):
        redis = start_redis(self, persistent)
        server = self.server(test_pack(self.folder), redis__url=redis.url(), redis__heartbeat="200ms")
        wait_for("the server is connected to Redis", lambda: self.connected(server))
        return redis, server

    def send(self, server, batches=6):
        """Sends some thousand records; the longest that one request took."""
        longest = 0
        for _ in range(batches):
            batch = self.market.batch(500)
            begin = time.monotonic()
            self.assertEqual(server.ingest(batch, DOMAIN)["accepted"], 500)
            longest = max(longest, time.monotonic() - begin)
        server.settle()
        return longest

    def drained(self, server, redis):
        """Waits until the newest alert is in the stream. (The backlog alone may be older than the alert.)"""
        newest = max(alert["seq"] for alert in server.alerts())

        def there():
            last = redis.client.xrevrange("{fmads}:alerts", count=1)
            return last and int(last[0][1]["seq"]) == newest and server.metric("fmads_redis_backlog") == 0
        wait_for("the backlog is drained", there, 30)
        self.assertTrue(self.connected(server))

    def ids(self, redis):
        return [envelope["id"] for _, envelope in redis.stream()]

    def test_killed_and_restarted_with_its_data_nothing_is_told_twice_or_lost(self):
        redis, server = self.begin(persistent=True)
        self.send(server)
        self.drained(server, redis)
        redis.kill()
        wait_for("the loss is seen", lambda: not self.connected(server))
        self.send(server)
        ready = server.get("/readyz")
        self.assertEqual((ready.status, ready.json()["status"], ready.json()["degraded"]), (200, "degraded", ["redis_down"]))
        wait_for("the backlog is told", lambda: server.metric("fmads_redis_backlog") > 0)
        redis.start()
        channel = redis.listen("fmads:alerts:*")
        self.drained(server, redis)
        self.assertEqual(server.get("/readyz").json()["status"], "ready")
        self.send(server)
        self.drained(server, redis)
        want = sorted(alert["id"] for alert in server.alerts())
        self.assertGreater(len(want), 30)
        self.assertEqual(sorted(self.ids(redis)), want)
        published = [envelope["id"] for _, envelope in heard(channel)]
        self.assertEqual(len(published), len(set(published)), "something was published twice")
        # In the order of the router's log.
        sequence = [envelope["seq"] for _, envelope in redis.stream()]
        self.assertEqual(sequence, sorted(sequence))

    def test_killed_while_it_takes_alerts_every_alert_is_there_once(self):
        redis, server = self.begin(persistent=True)
        for _ in range(4):
            for _ in range(3):
                self.assertEqual(server.ingest(self.market.batch(500), DOMAIN)["accepted"], 500)
            redis.kill()
            self.assertEqual(server.ingest(self.market.batch(500), DOMAIN)["accepted"], 500)
            redis.start()
        server.settle()
        self.drained(server, redis)
        self.assertEqual(sorted(self.ids(redis)), sorted(alert["id"] for alert in server.alerts()))

    def test_restarted_empty_it_gets_what_comes_and_what_waited(self):
        redis, server = self.begin()
        self.send(server)
        self.drained(server, redis)
        before = set(self.ids(redis))
        redis.kill()
        wait_for("the loss is seen", lambda: not self.connected(server))
        self.send(server)
        redis.start()  # without persistence: an empty Redis
        self.drained(server, redis)
        self.send(server)
        self.drained(server, redis)
        have = self.ids(redis)
        self.assertEqual(len(have), len(set(have)))
        missing = {alert["id"] for alert in server.alerts()} - set(have)
        self.assertTrue(missing <= before, "alerts that Redis had never taken are missing")

    def test_the_server_restarted_meanwhile_tells_nothing_twice(self):
        redis, server = self.begin(persistent=True)
        self.send(server)
        redis.kill()
        self.send(server)
        server.kill()
        server.start(shards=1)
        self.send(server)
        redis.start()
        self.drained(server, redis)
        self.assertEqual(sorted(self.ids(redis)), sorted(alert["id"] for alert in server.alerts()))
        server.kill()
        server.start(shards=2)
        self.send(server)
        self.drained(server, redis)
        self.assertEqual(sorted(self.ids(redis)), sorted(alert["id"] for alert in server.alerts()))

    def test_a_redis_that_hangs_never_slows_ingest(self):
        redis, server = self.begin()
        usual = self.send(server)
        redis.process.send_signal(signal.SIGSTOP)
        try:
            longest = self.send(server, 12)
            self.assertLess(longest, max(1.0, 20 * usual))
            wait_for("the hanging Redis is seen", lambda: server.get("/readyz").json()["status"] == "degraded", 30)
            self.send(server)
        finally:
            redis.process.send_signal(signal.SIGCONT)
        self.drained(server, redis)
        self.assertEqual(sorted(self.ids(redis)), sorted(alert["id"] for alert in server.alerts()))

    def test_a_server_starts_and_stops_without_its_redis(self):
        redis = start_redis(self)
        redis.kill()
        server = self.server(test_pack(self.folder), redis__url=redis.url())
        self.send(server)
        self.assertEqual(server.get("/readyz").json()["degraded"], ["redis_down"])
        begin = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begin, 10)
        redis.start()
        server.start()
        self.drained(server, redis)
        self.assertEqual(sorted(self.ids(redis)), sorted(alert["id"] for alert in server.alerts()))


class Values(Case):
    def test_latest_values_of_live_records_and_the_heartbeat(self):
        redis = start_redis(self)
        server = self.server(redis__url=redis.url(), redis__heartbeat="200ms")
        wait_for("the server is connected to Redis", lambda: server.metric("fmads_redis_connected") == 1)
        pulse = redis.listen("fmads:heartbeat")
        now = time.time_ns()
        records = [trade("ACME", now, "10.5", 7), {"type": "quote", "symbol": "ACME", "ts": now + 1, "bid": "10.4", "ask": "10.6"},
                   trade("ACME", now + 2, "10.75", 9)]
        self.assertEqual(server.ingest(records)["accepted"], 3)
        self.assertEqual(server.ingest([trade("PAST", now - 3600 * NS, "1.5")], DOMAIN)["accepted"], 1)

        def latest():
            fields = redis.client.hgetall("{fmads}:latest:ACME")
            return fields if fields.get("price") == "10.75" else None
        fields = wait_for("the latest values are there", latest)
        self.assertEqual((fields["bid"], fields["ask"], fields["size"]), ("10.4", "10.6", "9"), fields)
        self.assertEqual(redis.client.hgetall("{fmads}:latest:PAST"), {}, "values of a replay domain are not the market's")
        beats = []
        while len(beats) < 3:
            message = pulse.get_message(ignore_subscribe_messages=True, timeout=3)
            self.assertIsNotNone(message, "no heartbeat")
            beats.append(message["data"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
