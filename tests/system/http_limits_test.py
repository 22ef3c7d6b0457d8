#!/usr/bin/python3
# labels: tsan
"""Everything has a limit: sizes, times, connections, file descriptors. Hostile clients get an answer or an end, others go on."""
import gzip
import json
import select
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from net_bed import PATIENCE, SLOW, Server, parse_all, read_all, trade  # noqa: E402

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def closed_after(sock, limit):
    """Seconds until the server has closed; None when it has not within the limit."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit:
        if select.select([sock], [], [], 0.05)[0]:
            try:
                if not sock.recv(65536):
                    return time.monotonic() - begin
            except ConnectionError:
                return time.monotonic() - begin
    return None


def ingest_head(size, *lines):
    fields = [b"Host: localhost", b"Content-Type: application/json", b"Content-Length: %d" % size] + list(lines)
    return b"POST /v1/ingest HTTP/1.1\r\n" + b"\r\n".join(fields) + b"\r\n\r\n"


class Sizes(unittest.TestCase):
    def test_a_body_over_the_limit_is_answered_413(self):
        with Server(NET_BODY_BYTES_MAX=65536) as server:
            answers = server.raw(ingest_head(65537))
            self.assertEqual([a.status for a in answers], [413])
            self.assertEqual(answers[0].json()["code"], "body_too_large")
            self.assertEqual(answers[0].headers["content-type"], "application/problem+json")
            self.assertEqual(server.raw(ingest_head(10 ** 17))[0].status, 413)
            chunk = b"%x\r\n%s\r\n" % (32768, b" " * 32768)
            head = b"POST /v1/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.assertEqual(server.raw(head + chunk * 3)[0].status, 413)
            body = json.dumps([trade()]).encode()
            self.assertEqual(server.post(body + b" " * (65536 - len(body))).status, 200)

    def test_an_oversize_body_that_is_sent_anyway_does_not_lose_the_answer(self):
        with Server(NET_BODY_BYTES_MAX=65536) as server:
            for head in (ingest_head(8 << 20), ingest_head(8 << 20, b"Content-Length: 7")):
                with server.connect() as sock:
                    sock.sendall(head)
                    for _ in range(128):
                        sock.sendall(b" " * 65536)
                    sock.shutdown(socket.SHUT_WR)
                    answers = parse_all(read_all(sock))
                    self.assertEqual([a.status for a in answers], [413 if b"Length: 7" not in head else 400])
            self.assertEqual(server.post([trade()]).status, 200)

    def test_a_refused_client_that_sends_for_ever_is_ended(self):
        with Server(NET_BODY_BYTES_MAX=65536) as server, server.connect() as sock:
            sock.sendall(ingest_head(1 << 40))
            begin = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() - begin < 20 * PATIENCE:
                    sock.sendall(b" " * 65536)
            self.assertLess(time.monotonic() - begin, 10 * PATIENCE)

    def test_a_gzip_bomb_costs_the_limit_and_no_more(self):
        with Server(NET_BODY_BYTES_MAX=1 << 20) as server:
            before = server.memory()
            bomb = gzip.compress(b" " * (200 << 20))
            self.assertLess(len(bomb), 1 << 20)
            answer = server.post(bomb, Content_Encoding="gzip")
            self.assertEqual((answer.status, answer.json()["code"]), (413, "body_too_large"))
            self.assertLess(server.memory() - before, 64 << 20)
            good = gzip.compress(json.dumps([trade()]).encode())
            self.assertEqual(server.post(good, Content_Encoding="gzip").json()["accepted"], 1)

    def test_a_body_of_nothing_but_errors_is_bounded_in_the_answer(self):
        with Server() as server:
            answer = server.post(b"\n".join([b"x"] * 50000), "application/x-ndjson").json()
            self.assertEqual((answer["rejected"], len(answer["errors"])), (50000, 100))


class Times(unittest.TestCase):
    def test_an_idle_connection_is_closed(self):
        limits = {"NET_IDLE_TIMEOUT": "%dms" % (500 * SLOW), "NET_REQUEST_TIMEOUT": "5s"}
        with Server(**limits) as server, server.connect() as fresh, server.connect() as used:
            used.sendall(GET)
            time.sleep(0.2)
            self.assertEqual(parse_all(used.recv(65536))[0].status, 200)
            self.assertIsNotNone(closed_after(fresh, 3 * PATIENCE))
            self.assertIsNotNone(closed_after(used, 3 * PATIENCE))
            self.assertGreaterEqual(server.metric("fmads_http_timeouts_total"), 2)

    def test_a_slow_head_is_cut_off_however_it_drips(self):
        with Server(NET_REQUEST_TIMEOUT="800ms") as server, server.connect() as sock:
            begin, ended = time.monotonic(), None
            for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 500:
                try:
                    sock.sendall(bytes([byte]))
                except ConnectionError:
                    ended = time.monotonic()
                    break
                if closed_after(sock, 0.05) is not None:
                    ended = time.monotonic()
                    break
            self.assertIsNotNone(ended)
            self.assertLess(ended - begin, 4 * PATIENCE)

    def test_a_slow_body_is_cut_off_however_it_drips(self):
        with Server(NET_REQUEST_TIMEOUT="800ms") as server, server.connect() as sock:
            sock.sendall(ingest_head(1000))
            begin, ended = time.monotonic(), None
            while ended is None and time.monotonic() - begin < 6 * PATIENCE:
                try:
                    sock.sendall(b" ")
                except ConnectionError:
                    ended = time.monotonic()
                if closed_after(sock, 0.05) is not None:
                    ended = time.monotonic()
            self.assertIsNotNone(ended)

    def test_half_open_requests_do_not_hinder_others(self):
        with Server(NET_REQUEST_TIMEOUT="%ds" % PATIENCE) as server:
            socks = [server.connect() for _ in range(50)]
            for sock in socks:
                sock.sendall(ingest_head(1000) + b"[")
            begin = time.monotonic()
            self.assertEqual(server.post([trade()]).status, 200)
            self.assertLess(time.monotonic() - begin, PATIENCE - 0.5)  # before any of them is given up
            for sock in socks:
                self.assertIsNotNone(closed_after(sock, 5 * PATIENCE))
                sock.close()

    def test_a_client_that_shuts_its_side_down_is_forgotten(self):
        with Server() as server, server.connect() as sock:
            sock.sendall(ingest_head(1000) + b"[")
            sock.shutdown(socket.SHUT_WR)
            self.assertIsNotNone(closed_after(sock, 3 * PATIENCE))

    def test_a_reset_in_the_middle_is_forgotten(self):
        with Server() as server:
            for data in (b"GET", ingest_head(1000) + b"[", GET * 100):
                sock = server.connect()
                sock.sendall(data)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
            self.assertEqual(server.settled("fmads_http_connections", 1), 1)  # the one that asks

    def test_a_client_that_does_not_read_is_cut_off(self):
        with Server(NET_WRITE_TIMEOUT="700ms", NET_IDLE_TIMEOUT="60s") as server:
            before = server.memory()
            socks = []
            for _ in range(8):
                sock = server.connect(receive_buffer=4096)
                sock.setblocking(False)
                try:
                    for _ in range(3000):  # answers of some 10 KB each, never read
                        sock.send(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
                except BlockingIOError:
                    pass
                socks.append(sock)
            deadline = time.monotonic() + 15 * PATIENCE
            while time.monotonic() < deadline and server.metric("fmads_http_connections") > 1:
                time.sleep(0.1)
            self.assertEqual(server.settled("fmads_http_connections", 1), 1)  # the one that asks; the one that asked before may still close
            self.assertGreaterEqual(server.metric("fmads_http_timeouts_total"), 8)
            self.assertLess(server.memory() - before, 64 << 20)
            for sock in socks:
                sock.close()

    def test_a_client_that_reads_slowly_gets_all(self):
        with Server(NET_WRITE_TIMEOUT="700ms") as server, server.connect(receive_buffer=8192) as sock:
            count = 100
            sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
            data, begin = b"", time.monotonic()
            while len(parse_all_whole(data)) < count and time.monotonic() - begin < 30 * PATIENCE:
                data += sock.recv(8192)
                time.sleep(0.01)
            self.assertEqual(len(parse_all_whole(data)), count)


def parse_all_whole(data):
    """The answers that are complete."""
    found = []
    while True:
        top, gap, rest = data.partition(b"\r\n\r\n")
        if not gap:
            return found
        size = int([line for line in top.split(b"\r\n") if line.lower().startswith(b"content-length:")][0].split(b":")[1])
        if len(rest) < size:
            return found
        found.append(rest[:size])
        data = rest[size:]


class Connections(unittest.TestCase):
    def test_connections_over_the_cap_are_answered_503_and_room_is_found_again(self):
        with Server(NET_CONNECTIONS_MAX=10) as server:
            socks = [server.connect() for _ in range(10)]
            for sock in socks:  # each is taken before another comes
                sock.sendall(GET)
                self.assertEqual(parse_all(sock.recv(65536))[0].status, 200)
            refused = [server.connect() for _ in range(20)]
            for sock in refused:
                answers = parse_all(read_all(sock))
                self.assertEqual([a.status for a in answers], [503])
                self.assertEqual(answers[0].json()["code"], "too_many_connections")
                sock.close()
            used = server.cpu()
            time.sleep(1)
            self.assertLess(server.cpu() - used, 0.5 * SLOW)  # a listener at its cap does not spin
            for sock in socks:
                sock.sendall(GET)
                self.assertEqual(parse_all(sock.recv(65536))[0].status, 200)
                sock.close()
            self.assertTrue(server.healthy())
            self.assertEqual(server.settled("fmads_http_connections", 1), 1)
            self.assertGreaterEqual(server.metric("fmads_http_connections_refused_total"), 20)

    def test_without_file_descriptors_it_answers_503_does_not_spin_and_recovers(self):
        with Server(files_max=64) as server:
            socks = []
            for _ in range(100):
                sock = server.connect()
                socks.append(sock)
            time.sleep(0.5)
            used = server.cpu()
            time.sleep(1.5)
            self.assertLess(server.cpu() - used, 0.7 * SLOW)
            refused, waiting, deadline = 0, list(socks), time.monotonic() + 5 * PATIENCE
            while refused <= 10 and time.monotonic() < deadline:
                for sock in select.select(waiting, [], [], 0.1)[0]:
                    refused += [a.status for a in parse_all(read_all(sock))] == [503]
                    waiting.remove(sock)
            self.assertGreater(refused, 10)
            for sock in socks:
                sock.close()
            self.assertTrue(server.healthy())
            self.assertEqual(server.settled("fmads_http_connections", 1), 1)
            self.assertEqual(server.post([trade()]).json()["accepted"], 1)

    def test_a_thousand_connections_come_and_go(self):
        with Server() as server:
            for _ in range(4):
                socks = [server.connect() for _ in range(250)]
                for sock in socks:
                    sock.sendall(GET)
                for sock in socks:
                    self.assertIn(b"200 OK", sock.recv(65536))
                    sock.close()
            self.assertEqual(server.settled("fmads_http_connections", 1), 1)


class Stop(unittest.TestCase):
    def test_idle_connections_do_not_hold_up_the_end(self):
        with Server() as server:
            socks = [server.connect() for _ in range(20)]
            socks[0].sendall(GET)
            socks[0].recv(65536)
            begin = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begin, 3 * PATIENCE)
            for sock in socks:
                self.assertIsNotNone(closed_after(sock, PATIENCE))
                sock.close()

    def test_a_request_on_its_way_is_answered_before_the_end(self):
        with Server() as server, server.connect() as sock:
            body = json.dumps([trade()]).encode()
            sock.sendall(ingest_head(len(body)) + body[:10])
            server.taken(1)
            server.process.terminate()
            time.sleep(0.3)
            sock.sendall(body[10:])
            answers = parse_all(read_all(sock))
            self.assertEqual([a.status for a in answers], [200])
            self.assertEqual(answers[0].headers["connection"], "close")
            self.assertEqual(server.process.wait(10 * PATIENCE), 0)

    def test_a_request_that_never_comes_ends_at_the_deadline(self):
        with Server(NET_REQUEST_TIMEOUT="60s") as server, server.connect() as sock:
            sock.sendall(ingest_head(1000) + b"[")
            server.taken(1)
            begin = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begin, 9 * PATIENCE)

    def test_a_second_server_on_the_port_is_refused(self):
        with Server() as server:
            other = Server(NET_LISTEN="127.0.0.1:%d" % server.port)
            with self.assertRaises(AssertionError):
                other.__enter__()


if __name__ == "__main__":
    unittest.main()
