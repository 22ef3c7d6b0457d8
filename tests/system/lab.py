"""What system tests share: a server that can be killed and started again on the same data, and a market from a seed.

Whatever a test does to a server, at the end the server is stopped, its log is searched for reports of the sanitizers, and `fmads verify` folds
its journal again: a difference fails the test. FMADS_BINARY is the program; without it tests are skipped, in CI they fail.
"""
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from net_bed import SLOW, WebSocket  # noqa: E402,F401

PROGRAM = os.environ.get("FMADS_BINARY")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEST_RULES = os.path.join(ROOT, "tests", "system", "rules")
IN_CI = os.environ.get("CI") == "true"
NS = 10 ** 9
DAY = 1399032000 * NS  # 2014-05-02 12:00 UTC
RECORD_KINDS = ("trade", "quote", "value", "status")
# What the contract promises byte for byte; the rest of an alert says when and where it was seen.
ENVELOPE = ("domain", "seq", "detect_time", "receive_time", "publish_time")


def missing(what):
    """Skips the test by name; where nothing may be missing, fails it."""
    if IN_CI:
        raise AssertionError(what)
    raise unittest.SkipTest(what)


def data_file(name):
    folder = os.environ.get("FMADS_TESTDATA") or os.path.join(ROOT, "..", "shared", "data")
    path = os.path.join(folder, "market", name)
    if not os.path.exists(path):
        missing("recorded data are not there: market/" + name)
    return path


def seed():
    """The seed of this run: FMADS_SEED, or a fresh one; printed, so that a failure can be repeated."""
    number = int(os.environ.get("FMADS_SEED") or random.SystemRandom().randrange(2 ** 32))
    print("FMADS_SEED=%d" % number, flush=True)
    return number


def wait_for(what, condition, seconds=15):
    """The first true value of condition(); fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s" % (seconds * SLOW, what))
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %r" % (self.status, self.body[:600])


class Server:
    """`fmads serve` on one data directory; started, killed and started again as often as the test likes."""

    def __init__(self, folder, rules=None, shards=2, settings=None):
        self.folder, self.shards = folder, shards
        self.data = os.path.join(folder, "data")
        self.rules = rules
        self.settings = dict(settings or {})
        self.log_path = os.path.join(folder, "log")
        self.environment = {}  # beside the test's own
        self.process = None
        self.connection = None
        self.port = None

    # ---- its life ----
    def command(self, **more):
        settings = {"engine.shards": self.shards, "net.listen": "127.0.0.1:0"}
        settings.update(self.settings)
        settings.update(more)
        command = [PROGRAM, "serve", "--data", self.data, "--rules", self.rules]
        for name, value in settings.items():
            command += ["--set", "%s=%s" % (name, value)]
        return command

    def start(self, shards=None, settings=None, ready=True):
        if shards is not None:
            self.shards = shards
        if settings is not None:
            self.settings.update(settings)
        seen = len(self.log())
        environment = dict(os.environ)
        environment.update(self.environment)
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder, env=environment)
        deadline = time.monotonic() + 60 * SLOW
        while True:
            found = re.search(r'"event":"listening".*?"port":"?(\d+)', self.log()[seen:])
            if found:
                break
            if self.process.poll() is not None:
                raise AssertionError("the server ended at once:\n" + self.log()[seen:])
            if time.monotonic() > deadline:
                raise AssertionError("the server does not say that it listens:\n" + self.log()[seen:])
            time.sleep(0.01)
        self.port = int(found.group(1))
        if ready:
            wait_for("readiness", self.is_ready, 60)
        return self

    def is_ready(self):
        try:
            return self.get("/readyz").status == 200
        except (OSError, http.client.HTTPException):
            self.raise_if_dead()
            return False

    def raise_if_dead(self):
        if self.process.poll() is not None:
            raise AssertionError("the server has ended with %s:\n%s" % (self.process.returncode, self.log()[-6000:]))

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9; returns when the process is gone."""
        self.process.kill()
        self.process.wait()
        self.disconnect()

    def stop(self, patience=30):
        self.disconnect()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patience * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not end:\n" + self.log()[-6000:])

    def log(self):
        try:
            with open(self.log_path, errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def events(self, name):
        """Log lines of an event."""
        found = []
        for line in self.log().splitlines():
            if '"event":"%s"' % name in line:
                found.append(json.loads(line))
        return found

    def memory(self):
        with open("/proc/%d/statm" % self.process.pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # ---- HTTP, on one connection that is opened again when it was closed ----
    def connect(self, receive_buffer=None, timeout=30):
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(timeout * SLOW)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def disconnect(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def request(self, method, path, body=None, headers=None):
        for attempt in (0, 1):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60 * SLOW)
            try:
                self.connection.request(method, path, body, headers or {})
                answer = self.connection.getresponse()
                return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
            except (OSError, http.client.HTTPException):
                self.disconnect()
                if fresh or method != "GET":
                    raise

    def get(self, path):
        return self.request("GET", path)

    def post(self, records, domain=None, content_type="application/json", **headers):
        body = records if isinstance(records, bytes) else json.dumps(records).encode()
        fields = {"Content-Type": content_type}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("POST", "/v1/ingest" + ("?domain=" + domain if domain else ""), body, fields)

    def ingest(self, records, domain=None):
        """Sends records that must be taken as a whole; the verdict."""
        answer = self.post(records, domain)
        if answer.status != 200:
            raise AssertionError("ingest was answered %r" % answer)
        return answer.json()

    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def metrics(self):
        found = {}
        for line in self.get("/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def metric(self, name):
        return self.metrics().get(name)

    def items(self, path):
        """All pages of a list."""
        items, cursor = [], None
        while True:
            page = path + ("?" if "?" not in path else "&") + "limit=500" + ("&cursor=%s" % cursor if cursor is not None else "")
            answer = self.get(page)
            if answer.status != 200:
                raise AssertionError("GET %s was answered %r" % (page, answer))
            document = answer.json()
            items += document["items"]
            cursor = document["next"]
            if cursor is None:
                return items

    def alerts(self, query=""):
        return self.items("/v1/alerts" + query)

    def rule(self, name):
        for item in self.get("/v1/rules").json()["items"]:
            if item["id"] == name:
                return item
        return None

    def settle(self):
        """Waits until everything that was accepted is applied, and its alerts are logged and stored; the metrics then."""
        def settled():
            m = self.metrics()
            done = m["fmads_engine_in_flight"] == 0 and m["fmads_engine_applied_total"] == m["fmads_ingest_accepted_total"]
            logged = m["fmads_router_logged_total"] + m["fmads_router_duplicate_total"] == m["fmads_alerts_emitted_total"]
            # The backlog is a gauge that the store's thread renews when it looks; the count tells that it has looked.
            stored = m["fmads_store_backlog"] == 0 and m["fmads_store_alerts_total"] >= m["fmads_router_logged_total"]
            return m if done and logged and stored else None
        return wait_for("everything is applied, logged and stored", settled, 60)

    # ---- the program's other commands ----
    def replay(self, *files, expect=0, more=()):
        out = run("replay", *files, "--to", self.url(), "--json", "--quiet", *more, expect=expect)
        return json.loads(out.splitlines()[-1])

    def dump(self):
        """The journal's entries, of a stopped server."""
        return [json.loads(line) for line in run("journal", "dump", "--data", self.data, "--json").splitlines()]

    def records(self):
        return [entry for entry in self.dump() if entry["kind"] in RECORD_KINDS]

    def verify(self):
        out = run("verify", "--data", self.data, "--json", expect=None)
        try:
            document = json.loads(out.splitlines()[-1])
        except (ValueError, IndexError):
            raise AssertionError("verify said: " + out)
        if document.get("differences") != 0:
            raise AssertionError("the journal's replay differs: " + out[-3000:])
        return document


def run(*arguments, expect=0, timeout=280):
    """Runs a command of the program; its output."""
    done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout * SLOW)
    out, said = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if "Sanitizer" in said or "runtime error" in said:
        raise AssertionError("fmads %s: %s" % (" ".join(arguments), said))
    if expect is not None and done.returncode != expect:
        raise AssertionError("fmads %s ended with %d:\n%s%s" % (" ".join(arguments), done.returncode, out[-2000:], said[-2000:]))
    return out if out else said


def canonical(alert, without=()):
    """The part of an alert that is a function of the journal, as text."""
    body = {name: value for name, value in alert.items() if name not in ENVELOPE}
    if "rule.hash" in without:
        body["rule"] = {name: value for name, value in body["rule"].items() if name != "hash"}
    return json.dumps(body)


def write(path, text):
    """Replaces a file in one step, as an editor or a deployment does."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def test_pack(folder, *names):
    """A copy of tests/system/rules/lab that the test may change, or of those named: "lab", "lab/count", "hostile"."""
    rules = os.path.join(folder, "rules")
    for name in names or ("lab",):
        source = os.path.join(TEST_RULES, name)
        files = [name + ".lua"] if not os.path.isdir(source) else sorted(os.path.join(name, file) for file in os.listdir(source))
        for file in files:
            os.makedirs(os.path.dirname(os.path.join(rules, file)), exist_ok=True)
            shutil.copy(os.path.join(TEST_RULES, file), os.path.join(rules, file))
    return rules


def trade(symbol="EURUSD", ts=DAY, price="1.38512", size=100, **more):
    record = {"type": "trade", "symbol": symbol, "ts": ts, "price": price, "size": size}
    record.update(more)
    return record


class Market:
    """Records from a seed: trades and quotes of some names, with jumps, silences and late ones; row n is always the same record."""

    def __init__(self, number, symbols=24, src="lab"):
        self.random = random.Random(number)
        self.src = src
        self.symbols = ["SYM%02d" % i for i in range(symbols)]
        self.price = {symbol: 10000 + 1000 * i for i, symbol in enumerate(self.symbols)}
        self.now = DAY
        self.n = 0

    def record(self):
        chance = self.random
        self.n += 1
        self.now += int(chance.expovariate(1 / 2e6)) if chance.random() > 0.0005 else 5 * NS
        symbol = self.symbols[min(int(chance.expovariate(0.25)), len(self.symbols) - 1)]
        step = chance.choice((-1, 0, 0, 1)) if chance.random() > 0.002 else chance.choice((-1, 1)) * chance.randrange(100, 300)
        price = self.price[symbol] = max(100, self.price[symbol] + step)
        ts = self.now - (chance.randrange(NS) if chance.random() < 0.01 else 0)
        record = {"symbol": symbol, "ts": ts, "src": self.src, "n": self.n}
        if chance.random() < 0.5:
            record.update(type="trade", price="%d.%02d" % divmod(price, 100), size=chance.randrange(1, 500))
        else:
            half = chance.choice((1, 1, 2, 3))
            record.update(type="quote", bid="%d.%02d" % divmod(price - half, 100), ask="%d.%02d" % divmod(price + half, 100),
                          bid_size=chance.randrange(1, 50), ask_size=chance.randrange(1, 50))
        return record

    def batch(self, count):
        return [self.record() for _ in range(count)]


class Case(unittest.TestCase):
    """A test with a folder and any number of servers. At the end each must have ended well and its journal must fold to what it said."""

    def setUp(self):
        if PROGRAM is None:
            missing("FMADS_BINARY is not set")
        warnings.simplefilter("ignore", ResourceWarning)  # connections of servers that were killed
        holder = tempfile.TemporaryDirectory(prefix="fmads-system-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.servers = []

    def server(self, rules=None, shards=2, name="server", start=True, **settings):
        """A server, started; settings are written journal__sync="always"."""
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        if rules is None:
            rules = os.path.join(folder, "rules")
            os.makedirs(rules, exist_ok=True)
        server = Server(folder, rules, shards, {key.replace("__", "."): value for key, value in settings.items()})
        self.servers.append(server)
        self.addCleanup(self.end, server)
        if start:
            server.start()
        return server

    def end(self, server):
        failed = not self._outcome.success
        try:
            if server.running():
                self.assertEqual(server.stop(), 0, server.log()[-6000:])
            log = server.log()
            self.assertNotIn("Sanitizer", log, log[-20000:])
            self.assertNotIn("runtime error", log)
            if os.path.exists(os.path.join(server.data, "meta")):
                server.verify()
        except BaseException:
            failed = True
            raise
        finally:
            if failed:
                print("--- the server's log\n" + server.log()[-6000:])

    def assertAccounting(self, metrics, received=None):
        """The identity of accounting holds exactly."""
        rejected = sum(value for name, value in metrics.items() if name.startswith("fmads_ingest_rejected_total"))
        accepted = metrics["fmads_ingest_accepted_total"]
        self.assertEqual(metrics["fmads_ingest_received_total"], accepted + rejected + metrics["fmads_ingest_duplicate_total"])
        self.assertEqual(accepted, metrics["fmads_engine_applied_total"] + metrics["fmads_engine_in_flight"])
        if received is not None:
            self.assertEqual(metrics["fmads_ingest_received_total"], received)

    def assertSameAlerts(self, have, want, without=()):
        """The same alerts, byte for byte in what the contract promises: none new, none missing."""
        have = {alert["id"]: canonical(alert, without) for alert in have}
        want = {alert["id"]: canonical(alert, without) for alert in want}
        self.assertEqual(sorted(set(want) - set(have)), [], "alerts are missing")
        self.assertEqual(sorted(set(have) - set(want)), [], "alerts are new")
        for name, body in want.items():
            self.assertEqual(have[name], body)


def nanoseconds(text):
    """2014-05-02T12:29:00Z as nanoseconds."""
    import calendar
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) * NS
