"""A server to test from outside: started on a free loopback port, spoken to with raw sockets, ended, and looked at for sanitizer reports.

FMADS_DOUBLE (the server on a pretended engine) goes before FMADS_BINARY (the program). Without either a test is skipped, in CI it fails.
"""
import base64
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("FMADS_DOUBLE") or os.environ.get("FMADS_BINARY")
IS_DOUBLE = bool(os.environ.get("FMADS_DOUBLE"))
SLOW = 4 if "tsan" in (PROGRAM or "") else 1  # how long to look whether something happens that should not
PATIENCE = 4 * SLOW  # how long something that must happen may take: other work runs on the machine too


def trade(symbol="EURUSD", **more):
    record = {"type": "trade", "symbol": symbol, "ts": 1399033800000000000, "price": 1.38512, "size": 100}
    record.update(more)
    return record


class Server:
    """with Server(NET_IDLE_TIMEOUT="500ms") as server: …"""

    def __init__(self, files_max=None, **settings):
        if PROGRAM is None:
            if os.environ.get("CI") == "true":
                raise AssertionError("neither FMADS_DOUBLE nor FMADS_BINARY is set")
            raise unittest.SkipTest("neither FMADS_DOUBLE nor FMADS_BINARY is set")
        self.folder = tempfile.TemporaryDirectory(prefix="fmads-net-")
        self.settings = settings
        self.files_max = files_max
        self.process = None
        self.expect_clean = True

    def __enter__(self):
        environment = dict(os.environ, FMADS_NET_LISTEN="127.0.0.1:0", FMADS_DATA_DIR=os.path.join(self.folder.name, "data"))
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"  # some tests look at memory
        environment.update({"FMADS_" + name: str(value) for name, value in self.settings.items()})
        command = [PROGRAM] if IS_DOUBLE else [PROGRAM, "serve"]
        if not IS_DOUBLE:
            rules = os.path.join(self.folder.name, "rules")
            os.mkdir(rules)
            environment.setdefault("FMADS_RULES_DIR", rules)
            environment.setdefault("FMADS_ENGINE_SHARDS", "2")
        self.log_path = os.path.join(self.folder.name, "log")
        limit = self.files_max

        def before():
            if limit is not None:
                import resource
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder.name, preexec_fn=before)
        deadline = time.monotonic() + 20 * PATIENCE
        while time.monotonic() < deadline:
            found = re.search(r'"event":"listening".*?"port":"?(\d+)', self.log())
            if found:
                self.port = int(found.group(1))
                break
            if self.process.poll() is not None:
                raise AssertionError("the server ended at once:\n" + self.log())
            time.sleep(0.02)
        else:
            raise AssertionError("the server did not say that it listens:\n" + self.log())
        self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self):
        deadline = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.get("/readyz").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)

    def __exit__(self, kind, value, trace):
        try:
            code = self.stop() if self.process.poll() is None else self.process.returncode
            log = self.log()
            if kind is None and self.expect_clean:
                assert code == 0, "exit code %s\n%s" % (code, log)
                assert "Sanitizer" not in log and "runtime error" not in log, log
            elif kind is not None:
                print("--- the server's log\n" + log[-6000:])
        finally:
            self.folder.cleanup()

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def stop(self, patience=15):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patience * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the server did not end:\n" + self.log())

    # ---- HTTP ----
    def connect(self, receive_buffer=None, timeout=10):
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(timeout * PATIENCE)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def raw(self, data, timeout=5):
        """Sends bytes, and reads until the server closes or is silent for a while. The answers."""
        with self.connect(timeout=timeout) as sock:
            sock.sendall(data)
            return parse_all(self.read_all(sock, 0.4 * SLOW))

    def request(self, method, path, body=b"", headers=(), host="localhost"):
        head = ["%s %s HTTP/1.1" % (method, path), "Host: " + host, "Connection: close"]
        if body or method == "POST":
            head.append("Content-Length: %d" % len(body))
        head += ["%s: %s" % pair for pair in dict(headers).items()]
        with self.connect() as sock:
            sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
            answers = parse_all(read_all(sock), head=method == "HEAD")
        assert len(answers) == 1, answers
        return answers[0]

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, records, content_type="application/json", path="/v1/ingest", **headers):
        body = records if isinstance(records, bytes) else json.dumps(records).encode()
        fields = {"Content-Type": content_type} if content_type else {}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("POST", path, body, fields)

    def metric(self, name):
        found = re.search(r"^%s (\S+)$" % re.escape(name), self.get("/metrics").body.decode(), re.M)
        return float(found.group(1)) if found else None

    def settled(self, name, value):
        """A metric that must come to a value: the value, or the last one seen."""
        deadline = time.monotonic() + 10 * PATIENCE
        while (seen := self.metric(name)) != value and time.monotonic() < deadline:
            time.sleep(0.05)
        return seen

    def taken(self, count):
        """Waits until so many connections are taken beside the one that asks, and what they have sent has been read."""
        assert self.settled("fmads_http_connections", count + 1) == count + 1
        time.sleep(0.05 * SLOW)

    def healthy(self):
        """True when /healthz is answered, now or soon: connections that end make room one after another."""
        deadline = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.get("/healthz").status == 200:
                    return True
            except (OSError, AssertionError):  # no descriptor for an answer
                pass
            time.sleep(0.05)
        return False

    def read_all(self, sock, quiet):
        """What comes until the server closes, or says nothing for a while in which it had nothing to do."""
        data = read_all(sock, quiet)
        while self.busy():
            data += read_all(sock, quiet)
        return data

    def busy(self):
        """True while a thread of the server runs, or waits for a processor or a disk."""
        if self.process.poll() is not None:
            return False
        for thread in os.listdir("/proc/%d/task" % self.process.pid):
            try:
                with open("/proc/%d/task/%s/stat" % (self.process.pid, thread)) as file:
                    if file.read().rsplit(")", 1)[1].split()[0] in "RD":
                        return True
            except OSError:  # it has ended
                pass
        return False

    def memory(self):
        with open("/proc/%d/statm" % self.process.pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %s %r" % (self.status, self.headers, self.body[:300])


def read_all(sock, quiet=None):
    data = b""
    if quiet is not None:
        sock.settimeout(quiet if quiet > 1 else max(quiet, 0.4))
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            data += piece
    except (socket.timeout, ConnectionResetError, BrokenPipeError):
        pass
    return data


def parse_all(data, head=False):
    """Every answer in the bytes, in order."""
    answers = []
    while data:
        top, gap, rest = data.partition(b"\r\n\r\n")
        if not gap:
            raise AssertionError("not an answer: %r" % data[:200])
        lines = top.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        size = 0 if head or status in (100, 101) else int(headers.get("content-length", 0))
        answers.append(Answer(status, headers, rest[:size]))
        data = rest[size:]
    return answers


class WebSocket:
    """A WebSocket client that can also misbehave."""
    KEY = base64.b64encode(b"0123456789abcdef").decode()

    def __init__(self, server, path="/v1/stream", receive_buffer=None, extra=b"", **headers):
        self.sock = server.connect(receive_buffer)
        fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": self.KEY,
                  "Sec-WebSocket-Version": "13"}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        head = "GET %s HTTP/1.1\r\n" % path + "".join("%s: %s\r\n" % pair for pair in fields.items() if pair[1] is not None)
        self.sock.sendall(head.encode() + b"\r\n" + extra)
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            piece = self.sock.recv(65536)
            if not piece:
                break
            self.data += piece
        top, gap, self.data = self.data.partition(b"\r\n\r\n")
        self.answer = parse_all(top + gap + (b"" if b" 101 " in top else self.data))[0]
        self.status = self.answer.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    @staticmethod
    def frame(payload, opcode=1, final=True, masked=True, reserved=0, size=None):
        payload = payload.encode() if isinstance(payload, str) else payload
        size = len(payload) if size is None else size
        head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
        bit = 0x80 if masked else 0
        if size < 126:
            head += bytes([bit | size])
        elif size < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", size)
        if not masked:
            return head + payload
        mask = b"\x11\x22\x33\x44"
        return head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))

    def send(self, payload, **how):
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        self.sock.sendall(self.frame(payload, **how))

    def receive(self, timeout=5):
        """(opcode, payload) of the next frame; None when the server has closed, or nothing came."""
        deadline = time.monotonic() + timeout * PATIENCE
        while True:
            if len(self.data) >= 2:
                size, at = self.data[1] & 0x7f, 2
                if size == 126 and len(self.data) >= 4:
                    size, at = struct.unpack(">H", self.data[2:4])[0], 4
                elif size == 127 and len(self.data) >= 10:
                    size, at = struct.unpack(">Q", self.data[2:10])[0], 10
                if len(self.data) >= at + size and not (at == 2 and size >= 126):
                    opcode, payload = self.data[0] & 0x0f, self.data[at:at + size]
                    self.data = self.data[at + size:]
                    return opcode, payload
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            try:
                piece = self.sock.recv(65536)
            except ConnectionError:
                return None
            if not piece:
                return None
            self.data += piece

    def message(self, op, timeout=5):
        """The next JSON message with this op; others are skipped. None when none came."""
        deadline = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < deadline:
            frame = self.receive(timeout)
            if frame is None:
                return None
            if frame[0] == 1:
                message = json.loads(frame[1])
                if message["op"] == op:
                    return message
        return None

    def close_code(self, timeout=5):
        """The code of the server's close frame; None when the connection ended without."""
        deadline = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < deadline:
            frame = self.receive(timeout)
            if frame is None:
                return None
            if frame[0] == 8:
                return struct.unpack(">H", frame[1][:2])[0] if len(frame[1]) >= 2 else 1005
        return None

    def ended(self, timeout=5):
        """True when the server has closed the TCP connection."""
        self.sock.settimeout(timeout * PATIENCE)
        try:
            while True:
                if not self.sock.recv(65536):
                    return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False
