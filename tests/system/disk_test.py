#!/usr/bin/python3
# timeout: 300
"""The disk is full: ingest is refused whole with 507, questions are answered, nothing is corrupted, and it goes on by itself when there is room.

The data directory lies on a disk of a few MiB: a tmpfs of our own, or where mounting is not permitted a small /dev/shm with ballast in it.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Case, Market, missing, seed, test_pack, wait_for  # noqa: E402

DISK = 24 << 20
DOMAIN = "lab"


class Disk:
    """A folder on a disk of 24 MiB with a ballast file in it."""

    def __init__(self, case):
        self.path = os.path.join(case.folder, "disk")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % DISK, "tmpfs", self.path], stderr=subprocess.PIPE)
        self.ballasts = []
        if done.returncode == 0:
            case.addCleanup(subprocess.run, ["umount", "-l", self.path], check=True)
            return
        if not os.path.isdir("/dev/shm") or shutil.disk_usage("/dev/shm").total > 1 << 30:
            missing("no small disk: mount says %r, and /dev/shm is not small" % done.stderr.decode())
        self.path = tempfile.mkdtemp(prefix="fmads-disk-", dir="/dev/shm")
        case.addCleanup(shutil.rmtree, self.path)
        self.fill(DISK)

    def fill(self, free):
        """Puts ballast on the disk so that this many bytes are free."""
        size = shutil.disk_usage(self.path).free - free
        path = os.path.join(self.path, "ballast%d" % len(self.ballasts))
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        self.ballasts.append(path)

    def free(self):
        os.unlink(self.ballasts.pop())


class Full(Case):
    def setUp(self):
        super().setUp()
        self.disk = Disk(self)
        self.market = Market(seed())
        self.sent = []

    def start(self):
        server = self.server(test_pack(self.folder), start=False, journal__segment_bytes="1MiB", rules__watch="0s")
        server.data = os.path.join(self.disk.path, "data")
        return server.start()

    def send_until_full(self, server):
        """Sends until a batch is refused; that batch."""
        for _ in range(2000):
            batch = self.market.batch(400)
            answer = server.post(batch, DOMAIN)
            if answer.status == 507:
                self.assertEqual(answer.headers["content-type"], "application/problem+json")
                self.assertEqual((answer.json()["code"], answer.json()["status"]), ("journal_full", 507))
                return batch
            self.assertEqual((answer.status, answer.json()["accepted"]), (200, 400), answer)
            self.sent.append(batch)
        raise AssertionError("the disk did not fill up")

    def send_more(self, server, batch, count):
        """Sends the refused batch again until it is taken, then more."""
        def taken():
            answer = server.post(batch, DOMAIN)
            self.assertIn(answer.status, (200, 507), answer)
            return answer if answer.status == 200 else None
        verdict = wait_for("ingest goes on by itself", taken, 10).json()
        self.assertEqual((verdict["accepted"], verdict["duplicate"]), (400, 0), "a refused request had left records behind")
        self.sent.append(batch)
        for _ in range(count):
            batch = self.market.batch(400)
            self.assertEqual(server.ingest(batch, DOMAIN)["accepted"], 400)
            self.sent.append(batch)

    def check_complete(self, server):
        """Everything acknowledged is there once, and the alerts are those of a server with room."""
        server.settle()
        alerts = server.alerts()
        self.assertEqual(server.stop(), 0)
        rows = [record["n"] for record in server.records()]
        self.assertEqual(sorted(rows), sorted(record["n"] for batch in self.sent for record in batch))
        calm = self.server(test_pack(self.folder), name="calm")
        for batch in self.sent:
            calm.ingest(batch, DOMAIN)
        calm.settle()
        self.assertSameAlerts(alerts, calm.alerts())

    def test_it_answers_507_and_goes_on_by_itself(self):
        server = self.start()
        for _ in range(3):
            self.sent.append(self.market.batch(400))
            server.ingest(self.sent[-1], DOMAIN)
        self.disk.fill(6 << 20)
        refused = self.send_until_full(server)
        for _ in range(5):
            self.assertEqual(server.post(refused, DOMAIN).status, 507)
        ready = server.get("/readyz")
        self.assertEqual((ready.status, "journal_full" in ready.json()["reasons"]), (503, True), ready)
        self.assertEqual(server.metric("fmads_journal_full"), 1)
        for path in ("/healthz", "/v1/alerts", "/v1/instruments", "/v1/rules", "/v1/quarantine", "/v1/instruments/SYM00/latest?domain=" + DOMAIN):
            self.assertEqual(server.get(path).status, 200, path)
        self.assertAccounting(server.metrics(), sum(map(len, self.sent)))
        self.disk.free()
        self.send_more(server, refused, 20)
        wait_for("readiness", server.is_ready)
        self.assertEqual(server.metric("fmads_journal_full"), 0)
        self.check_complete(server)

    def test_a_stop_with_a_full_disk_loses_nothing(self):
        server = self.start()
        self.disk.fill(5 << 20)
        refused = self.send_until_full(server)
        server.stop()
        self.disk.free()
        server.start()
        self.send_more(server, refused, 5)
        self.check_complete(server)

    def test_a_kill_with_a_full_disk_loses_nothing(self):
        server = self.start()
        self.disk.fill(5 << 20)
        refused = self.send_until_full(server)
        server.kill()
        self.disk.free()
        server.start(shards=1)
        self.send_more(server, refused, 5)
        self.check_complete(server)


if __name__ == "__main__":
    unittest.main(verbosity=2)
