"""system.demo - what a newcomer sees first: `fmads demo`, which is what `./dev run` starts.
timeout: 900
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import PROGRAM, ROOT, missing  # noqa: E402

INJECTED = re.compile(r"^\d\d:\d\d:\d\d\.\d{3}  injected (\w+) into (\w+) for \d+ s$")
ALERT = re.compile(r"^\d\d:\d\d:\d\d\.\d{3}  (?:info|warning|error|critical) +(\w+) +([\w/]+)  (.+?)(?:  <- (\w+))?$")
URL = re.compile(r"^  ([\w ]+?) +(http://127\.0\.0\.1:\d+(/\S+))$")


class Demo:
    """The program in the project's folder, as ./dev run starts it, with a folder of its own for what it keeps."""

    def __init__(self, folder, *options):
        self.kept = os.path.join(folder, "tmp")
        os.mkdir(self.kept)
        self.said = open(os.path.join(folder, "stderr"), "w+")
        self.started = time.monotonic()
        self.process = subprocess.Popen([PROGRAM, "demo", "--set", "net.listen=127.0.0.1:0", *options], cwd=ROOT, text=True,
                                        stdout=subprocess.PIPE, stderr=self.said, env=dict(os.environ, TMPDIR=self.kept))
        self.lines = []

    def line(self):
        """The next line, "" at the end."""
        line = self.process.stdout.readline()
        self.lines.append(line.rstrip("\n"))
        return line

    def until(self, start):
        while True:
            line = self.line()
            if line.startswith(start):
                return
            if line == "":
                raise AssertionError("it ended without %r: %s" % (start, self.lines))

    def end(self):
        """Reads what is left; its exit status."""
        while self.line():
            pass
        self.process.stdout.close()
        return self.process.wait()

    def errors(self):
        self.said.seek(0)
        return self.said.read()


@unittest.skipUnless(PROGRAM or os.environ.get("CI") == "true", "FMADS_BINARY is not set")
class DemoTest(unittest.TestCase):
    def setUp(self):
        if not PROGRAM:
            missing("FMADS_BINARY is not set")
        self.folder = tempfile.mkdtemp(prefix="fmads-demo-test-")
        self.addCleanup(shutil.rmtree, self.folder)

    def demo(self, *options):
        demo = Demo(self.folder, *options)
        self.addCleanup(demo.said.close)
        self.addCleanup(demo.process.wait)
        self.addCleanup(demo.process.kill)
        return demo

    def assertEnded(self, demo):
        self.assertEqual(demo.end(), 0, "\n".join(demo.lines) + demo.errors())
        self.assertEqual(demo.errors(), "", "a terminal that belongs to the alerts")
        self.assertEqual(os.listdir(demo.kept), [], "nothing stays behind")

    def test_twenty_seconds_show_where_to_look_and_what_was_found(self):
        demo = self.demo("--seconds", "20")
        demo.until("sending 30 minutes of history")
        urls = dict(match.group(1, 2) for match in map(URL.match, demo.lines) if match)
        self.assertEqual(list(urls), ["alerts", "instruments", "rules", "metrics", "API"])
        for url in urls.values():
            with urllib.request.urlopen(url, timeout=60) as answer:
                self.assertEqual(answer.status, 200, url)

        while not ALERT.match(demo.lines[-1]):
            self.assertNotEqual(demo.line(), "", "no alert came: %s" % demo.lines)
        first_s = time.monotonic() - demo.started
        print("\nthe first alert came after %.1f s" % first_s, flush=True)
        self.assertEnded(demo)

        injected = [match.groups() for match in map(INJECTED.match, demo.lines) if match]
        alerts = [match.groups() for match in map(ALERT.match, demo.lines) if match]
        self.assertGreater(len(injected), 0)
        for symbol, _, _, label in alerts:
            if label:
                self.assertIn((label, symbol), injected)
        sums = re.search(r"^(\d+) records sent: (\d+) accepted, 0 rejected, 0 duplicate\n(\d+) anomalies injected, (\d+) found; "
                         r"(\d+) alerts, (\d+) of them belong to an anomaly$", "\n".join(demo.lines), re.M)
        self.assertIsNotNone(sums, demo.lines)
        sent, accepted, known, found, told, belong = map(int, sums.groups())
        self.assertEqual(accepted, sent)
        more = sum(int(count) for count in re.findall(r"\.\.\. and (\d+) more alerts at once", "\n".join(demo.lines)))
        self.assertEqual((known, told), (len(injected), len(alerts) + more))
        labelled = [alert[::3] for alert in alerts if alert[3]]
        self.assertTrue(len(labelled) <= belong <= len(labelled) + more)
        self.assertTrue(1 <= len(set(labelled)) <= found <= known)
        # A machine that stalls for a second while the history is behind the clock makes the feed look dead, rightly; all others are right.
        for symbol, rule, message, label in alerts:
            if not rule.startswith("feed/"):
                self.assertIn((label, symbol), injected, message)
        # A minute is what the README says of the release; where a sanitizer or other work slows the history down, what
        # counts is that the first alert follows it at once: the first anomaly comes ten seconds after the start.
        history = re.search(r"^\d+ records in (\d+\.\d) s$", "\n".join(demo.lines), re.M)
        self.assertLess(first_s, 60 + float(history.group(1)))

    def test_ctrl_c_ends_it_at_any_time_and_nothing_stays(self):
        for moment in ("A simulated market of ", "sending 30 minutes of history"):
            with self.subTest(moment):
                demo = self.demo()
                demo.until(moment)
                demo.process.send_signal(signal.SIGINT)
                self.assertEnded(demo)
                os.rmdir(demo.kept)

    def test_a_named_folder_is_kept(self):
        data = os.path.join(self.folder, "data")
        demo = self.demo("--data", data)
        demo.until("sending 30 minutes of history")
        demo.process.send_signal(signal.SIGTERM)
        self.assertEnded(demo)
        self.assertTrue(os.path.isdir(data))


class DevRunTest(unittest.TestCase):
    """./dev run with tools that only write down how they were called."""

    def test_it_builds_the_release_and_starts_the_demo_with_what_it_was_given(self):
        with tempfile.TemporaryDirectory(prefix="fmads-demo-test-") as folder:
            def tool(path, text):
                path = os.path.join(folder, path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as file:
                    file.write("#!/bin/sh\n" + text + "\n")
                os.chmod(path, 0o755)

            shutil.copy(os.path.join(ROOT, "dev"), folder)
            tool("bin/dpkg-query", "printf 'install ok installed'")
            tool("bin/cmake", "echo cmake \"$@\" >>calls")
            tool("build/release/fmads", "echo fmads \"$@\" >>calls; exit 7")
            done = subprocess.run([os.path.join(folder, "dev"), "run", "--seconds", "20"],
                                  env=dict(os.environ, PATH=os.path.join(folder, "bin") + ":" + os.environ["PATH"]))
            self.assertEqual(done.returncode, 7, "its exit status is the demo's")
            with open(os.path.join(folder, "calls")) as calls:
                calls = calls.read().splitlines()
            self.assertEqual(calls[0], "cmake --preset release")
            self.assertTrue(calls[1].startswith("cmake --build --preset release --target fmads"), calls[1])
            self.assertEqual(calls[2:], ["fmads demo --seconds 20"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
