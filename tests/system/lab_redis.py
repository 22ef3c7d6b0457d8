"""A redis-server of our own, for tests that kill it, and what is found in it."""
import json
import os
import shutil
import socket
import subprocess

from lab import missing, wait_for


def start_redis(case, persistent=False):
    redis = Redis(case.folder, persistent)
    case.addCleanup(redis.kill)
    return redis


class Redis:
    """A redis-server of our own, in a folder of its own, on a port that stays the same when it is started again."""

    def __init__(self, folder, persistent=False):
        self.program = shutil.which("redis-server")
        if self.program is None:
            missing("redis-server is not installed")
        try:
            import redis
        except ImportError:
            missing("the Python package redis is not installed")
        self.module = redis
        self.folder = os.path.join(folder, "redis")
        os.makedirs(self.folder, exist_ok=True)
        self.persistent = persistent
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None
        self.start()

    def start(self):
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"] if self.persistent else ["--appendonly", "no"]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.client = self.module.Redis("127.0.0.1", self.port, decode_responses=True)

        def answers():
            try:
                return self.client.ping()
            except (self.module.exceptions.RedisError, OSError):
                return False
        wait_for("redis-server answers", answers)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def url(self):
        return "redis://127.0.0.1:%d" % self.port

    def stream(self):
        """The alerts in the stream, oldest first: [(entry id, envelope)]."""
        entries = []
        for entry, fields in self.client.xrange("{fmads}:alerts"):
            envelope = json.loads(fields["body"])
            assert (fields["id"], fields["seq"]) == (envelope["id"], str(envelope["seq"])), fields
            entries.append((entry, envelope))
        return entries

    def listen(self, *patterns):
        messages = self.client.pubsub(ignore_subscribe_messages=True)
        messages.psubscribe(*patterns)
        messages.get_message(timeout=2)
        return messages


def heard(messages, seconds=1.0):
    """Everything that a subscription has received, until nothing came for a while: [(channel, envelope)]."""
    found = []
    while True:
        message = messages.get_message(ignore_subscribe_messages=True, timeout=seconds)
        if message is None:
            return found
        if message["type"] == "pmessage":
            found.append((message["channel"], json.loads(message["data"])))
