#!/usr/bin/python3
# timeout: 900
"""kill -9 at random moments: what was acknowledged is there once, and the alerts are those of a run that nobody disturbed.

A replay-domain run of records from a seed, with several batches in flight. Half of the kills are aimed: at a segment roll, a snapshot, or a
reload that changes no output. After each the server is started on the same data, at times on another number of threads, and the client sends
again what it has no answer for. FMADS_SEED repeats a run.
"""
import json
import os
import random
import signal
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Case, Market, WebSocket, seed, test_pack, write  # noqa: E402

KILLS = 20
BATCH = 400
IN_FLIGHT = 8
AIMED, FREE = 48, 14  # batches until a kill: a segment of 1 MiB takes some thirty of them, on two threads
DOMAIN = "lab"
AIMS = ("roll", "snapshot", "reload")


class Sender:
    """Sends batches in order on one WebSocket, several in flight; remembers which are acknowledged, over as many servers as it takes."""

    def __init__(self, batches, durable):
        self.bodies = [json.dumps(batch).encode() for batch in batches]
        self.sizes = [len(batch) for batch in batches]
        self.durable = durable
        self.done = 0  # batches acknowledged
        self.limit = len(batches)  # no batch from here on is sent before the kill

    def send(self, server):
        """Sends what is left until everything is acknowledged (True), or the server is gone (False)."""
        try:
            with WebSocket(server, "/v1/stream?domain=" + DOMAIN) as socket:
                return self.send_on(socket)
        except (OSError, IndexError):
            return False

    def send_on(self, socket):
        begin = self.done
        sent = begin
        while self.done < len(self.bodies):
            while sent < self.limit and sent - self.done < IN_FLIGHT:
                body = self.bodies[sent]
                # A mask of zeroes is a mask: the bytes go out as they are.
                socket.sock.sendall(b"\x81" + (struct.pack(">BH", 254, len(body)) if len(body) < 65536 else struct.pack(">BQ", 255, len(body)))
                                    + b"\0\0\0\0" + body)
                sent += 1
            frame = socket.receive(30)
            if frame is None or frame[0] == 8:
                return False
            message = json.loads(frame[1])
            if message["op"] != "ack":
                raise AssertionError("the server said %r" % message)
            if message["errors"] or message["rejected"]:
                raise AssertionError("records were refused: %r" % message)
            if self.durable and not message["durable"]:
                raise AssertionError("journal.sync = always, and the answer is not durable: %r" % message)
            done = begin + message["messages"]
            want = sum(self.sizes[begin:done])
            if message["accepted"] + message["duplicate"] != want:
                raise AssertionError("%d records sent, answered %r" % (want, message))
            self.done = done
        return True


def listing(folder):
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


class Killer(threading.Thread):
    """Waits until the sender has come so far, then for the moment that it aims at, then kills."""

    def __init__(self, server, sender, after, aim, chance):
        super().__init__(daemon=True)
        self.server, self.sender, self.after, self.aim = server, sender, after, aim
        self.delay = chance.uniform(0, 0.1 if aim is None else 0.004)
        self.hit = False
        self.version = chance.randrange(10 ** 9)

    def run(self):
        while self.sender.done < self.after:
            time.sleep(0.0005)
        if self.aim == "reload":
            path = os.path.join(self.server.rules, "lab", "count.lua")
            with open(path) as file:
                lines = file.read().split("\n")
            lines[0] = lines[0].split(" [")[0] + " [%d]" % self.version
            write(path, "\n".join(lines))
        folder = {"roll": "journal", "snapshot": "snapshots", "reload": "generations"}.get(self.aim)
        if folder is not None:
            folder = os.path.join(self.server.data, folder)
            before = listing(folder)
            if self.aim == "reload":
                self.server.signal(signal.SIGHUP)
            deadline = time.monotonic() + 6
            while time.monotonic() < deadline and not self.hit:
                self.hit = bool(listing(folder) - before)
                time.sleep(0.0001)
        time.sleep(self.delay)
        self.server.process.kill()


class Kill(Case):
    def undisturbed(self, batches):
        server = self.server(test_pack(os.path.join(self.folder, "calm")), name="calm")
        sender = Sender(batches, False)
        self.assertTrue(sender.send(server))
        server.settle()
        alerts = server.alerts()
        self.assertEqual(server.stop(), 0)
        return alerts

    def disturbed(self, batches, number, durable, **settings):
        chance = random.Random(number)
        server = self.server(test_pack(os.path.join(self.folder, "killed")), name="killed", journal__segment_bytes="1MiB", rules__watch="0s",
                             **settings)
        sender = Sender(batches, durable)
        aims = [AIMS[i % len(AIMS)] for i in range(KILLS // 2)] + [None] * (KILLS - KILLS // 2)
        chance.shuffle(aims)
        hits, kills = 0, 0
        for aim in aims:
            span = FREE if aim in (None, "reload") else AIMED
            sender.limit = min(sender.done + span, len(batches))
            killer = Killer(server, sender, sender.done + chance.randrange(span // 4), aim, chance)
            killer.start()
            finished = sender.send(server)
            killer.join()
            server.process.wait()
            server.disconnect()
            self.assertEqual(server.process.returncode, -signal.SIGKILL, server.log()[-6000:])
            kills += not finished
            hits += killer.hit
            server.start(shards=chance.choice((1, 2, 2, 2, 3)))
            if sender.done > 0:  # what was acknowledged last is there, every record of it
                again = server.post(sender.bodies[sender.done - 1], DOMAIN).json()
                self.assertEqual((again["accepted"], again["duplicate"]), (0, sender.sizes[sender.done - 1]), aim)
        sender.limit = len(batches)
        print("\n%d kills while sending, %d of %d aimed ones hit; %d of %d batches were sent before the last" %
              (kills, hits, KILLS // 2, sender.done, len(batches)), flush=True)
        self.assertTrue(sender.send(server))
        server.settle()
        alerts = server.alerts()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(kills, KILLS, "every kill should have met a client that has not ended")
        self.assertGreaterEqual(hits, KILLS // 2 - 2, "the aimed kills should have hit")
        return server, alerts

    def check(self, durable, **settings):
        number = seed()
        market = Market(number)
        batches = [market.batch(BATCH) for _ in range(7 * AIMED + 14 * FREE)]
        want = self.undisturbed(batches)
        self.assertGreater(len(want), 200)
        server, have = self.disturbed(batches, number, durable, **settings)
        rows = [record["n"] for record in server.records()]
        self.assertEqual(len(rows), len(set(rows)), "a record is there twice")
        self.assertEqual(set(rows), set(range(1, market.n + 1)), "a record is missing")
        self.assertSameAlerts(have, want, without=("rule.hash",))
        print("%d alerts, the same in both runs" % len(want), flush=True)

    def test_a_killed_process_loses_nothing_that_it_acknowledged(self):
        self.check(False)

    def test_a_machine_without_power_loses_nothing_that_was_durable(self):
        self.check(True, journal__sync="always", data__file_layer="withholding")


if __name__ == "__main__":
    unittest.main(verbosity=2)
