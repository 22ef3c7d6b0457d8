#!/usr/bin/python3
# labels: tsan
# timeout: 240
"""Stopping is orderly, starting is careful: nothing acknowledged is lost, and what cannot work is refused with a sentence that helps."""
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import PROGRAM, SLOW, Case, Market, Server, WebSocket, seed, test_pack, wait_for  # noqa: E402

DOMAIN = "lab"


class Client(threading.Thread):
    """Sends batches of its own source until the server is gone; remembers what was acknowledged."""

    def __init__(self, server, number, src):
        super().__init__(daemon=True)
        # A connection of its own; everything else is the server's.
        self.server = Server(server.folder, server.rules)
        self.server.process, self.server.port = server.process, server.port
        self.market = Market(number, src=src)
        self.acknowledged, self.open = [], None
        self.error = None

    def run(self):
        try:
            while True:
                self.open = self.market.batch(200)
                answer = self.server.post(self.open, DOMAIN)
                if answer.status == 503:
                    return
                if answer.status != 200 or answer.json()["accepted"] != 200:
                    raise AssertionError("answered %r" % answer)
                self.acknowledged.append(self.open)
                self.open = None
        except OSError:
            pass
        except Exception as error:  # http.client's: the answer did not come
            if type(error).__module__ != "http.client":
                self.error = error


class Stop(Case):
    def stop_under_load(self, number):
        server = self.server(test_pack(self.folder))
        clients = [Client(server, number + i, "client%d" % i) for i in range(3)]
        for client in clients:
            client.start()
        wait_for("some load", lambda: all(len(client.acknowledged) > 3 for client in clients))
        with WebSocket(server) as socket:
            socket.send({"op": "subscribe", "topics": ["alerts"]})
            begin = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(20 * SLOW), 0)
            self.assertEqual(socket.close_code(), 1001)
        print("\nstopped within %.1f s" % (time.monotonic() - begin))
        for client in clients:
            client.join(30)
            self.assertIsNone(client.error)
        self.assertTrue(server.events("stopped"))
        return server, clients

    def test_a_stop_under_load_loses_nothing_that_was_acknowledged(self):
        server, clients = self.stop_under_load(seed())
        have = {}
        for record in server.records():
            have.setdefault(record["src"], []).append(record["n"])
        for client in clients:
            rows = have.get(client.market.src, [])
            self.assertEqual(len(rows), len(set(rows)))
            for batch in client.acknowledged:
                self.assertTrue(set(record["n"] for record in batch) <= set(rows))
        # It is quick to start, knows what it had, and takes what was not acknowledged.
        begin = time.monotonic()
        server.start(shards=1)
        self.assertLess(time.monotonic() - begin, 10 * SLOW)
        recovered = sum(int(event["entries"]) for event in server.events("shard_recovered")[2:])
        self.assertEqual(recovered, 0, "after a stop nothing is left to fold")
        for client in clients:
            for batch in client.acknowledged:
                self.assertEqual(server.ingest(batch, DOMAIN)["duplicate"], len(batch))
            if client.open is not None:
                verdict = server.ingest(client.open, DOMAIN)
                self.assertEqual(verdict["accepted"] + verdict["duplicate"], len(client.open))

    def test_an_idle_server_stops_at_once_although_clients_are_connected(self):
        server = self.server(shards=2)
        with server.connect(), WebSocket(server) as socket:
            server.get("/healthz")
            begin = time.monotonic()
            server.signal(signal.SIGINT)
            self.assertEqual(server.process.wait(10 * SLOW), 0)
            self.assertLess(time.monotonic() - begin, 5 * SLOW)
            self.assertEqual(socket.close_code(), 1001)


class Start(Case):
    def refused(self, *arguments, code=None, environment=None, config=None):
        """Tries to start the program; what it said."""
        command = [PROGRAM, "serve", *arguments] + ([] if "--listen" in arguments else ["--listen", "127.0.0.1:0"])
        if config is not None:
            path = os.path.join(self.folder, "fmads.lua")
            with open(path, "w") as file:
                file.write(config)
            command += ["--config", path]
        if "--data" not in arguments:
            command += ["--data", os.path.join(self.folder, "unused")]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30 * SLOW, cwd=self.folder,
                              env=dict(os.environ, **(environment or {})))
        said = done.stdout.decode(errors="replace")
        self.assertIn(done.returncode, (2, 3) if code is None else (code,), said)
        self.assertNotIn("Sanitizer", said)
        return said

    def test_a_second_server_on_the_same_data_is_refused(self):
        server = self.server()
        said = self.refused("--data", server.data, "--rules", server.rules)
        self.assertIn("in use by another process", said)
        self.assertIn(server.data, said)
        self.assertEqual(server.get("/healthz").status, 200)
        said = subprocess.run([PROGRAM, "verify", "--data", server.data], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
        self.assertIn("in use", said)

    def test_a_misspelt_setting_is_refused_and_the_nearest_named(self):
        self.assertIn("journal.sync", self.refused("--set", "journal.sycn=always"))
        self.assertIn("engine.shards", self.refused("--set", "engine.shard=2"))
        self.assertIn("redis.url", self.refused(config='return { redis = { ulr = "" } }\n'))
        self.assertIn("journal", self.refused(config='return { journl = { sync = "off" } }\n'))
        said = self.refused(environment={"FMADS_JOURNAL_SYCN": "off"})
        self.assertIn('"journal.sync"', said)
        self.assertIn("FMADS_JOURNAL_SYCN", said)
        self.assertIn("FMADS_ENGINE_SHARDS", self.refused(environment={"FMADS_ENGINE_SHARDS": "many"}))

    def test_values_outside_their_range_are_refused_by_name(self):
        for setting in ("engine.shards=65", "engine.shards=many", "journal.segment_bytes=1KiB", "journal.sync=sometimes", "ingest.scale_max=10",
                        "rules.watch=soon", "engine.unknown_symbols=maybe", "rules.jit=perhaps", "redis.url=http://127.0.0.1", "store.backend=paper",
                        "log.level=loud", "data.file_layer=paper"):
            self.assertIn(setting.split("=")[0], self.refused("--set", setting), setting)

    def test_a_config_that_is_no_data_is_refused(self):
        for config in ("return {", "while true do end", "return 17", "error('no')", "os.exit(0)", 'return { log = { level = function() end } }'):
            self.refused(config=config)

    def test_it_listens_on_loopback_only(self):
        for address in ("0.0.0.0:0", "192.0.2.1:80", "[::]:0", "127.0.0.1:99999", "nonsense"):
            self.assertIn("net.listen", self.refused("--listen", address))

    def test_a_port_that_is_taken_is_named(self):
        server = self.server()
        said = self.refused("--data", os.path.join(self.folder, "other"), "--listen", "127.0.0.1:%d" % server.port)
        self.assertIn(str(server.port), said)

    def test_a_broken_rule_at_the_start_is_refused_or_told(self):
        rules = test_pack(self.folder, "lab/count")
        with open(os.path.join(rules, "lab", "broken.lua"), "w") as file:
            file.write('rule "broken" {\n  when = function(f) return f.nothing > end,\n}\n')
        server = self.server(rules, start=False)
        try:
            server.start()
        except AssertionError:
            pass
        self.assertIn("lab/broken.lua", server.log())
        self.assertTrue(any(event.get("line") == "2" for event in server.events("rule_file_refused")), server.log())

    def test_damaged_data_are_named_and_not_guessed(self):
        server = self.server(test_pack(self.folder))
        market = Market(1)
        for _ in range(10):
            server.ingest(market.batch(200), DOMAIN)
        self.assertEqual(server.stop(), 0)
        meta = os.path.join(server.data, "meta")
        with open(meta, "rb") as file:
            whole = file.read()
        with open(meta, "wb") as file:
            file.write(b"nonsense")
        try:
            said = self.refused("--data", server.data, "--rules", server.rules)
            self.assertIn(meta, said)
        finally:
            with open(meta, "wb") as file:
                file.write(whole)
        server.start()
        self.assertEqual(server.ingest(market.batch(100), DOMAIN)["accepted"], 100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
