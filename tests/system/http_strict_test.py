#!/usr/bin/python3
# labels: tsan
"""Heads that two readers could read differently are refused, and nothing behind them is run as a request."""
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from net_bed import Server  # noqa: E402

BODY = b'[{"type":"trade","symbol":"EURUSD","ts":1399033800000000000,"price":1.5,"size":1}]'
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def head(*lines, method=b"POST", target=b"/v1/ingest", version=b"HTTP/1.1", host=b"Host: localhost"):
    fields = ([host] if host else []) + [b"Content-Type: application/json"] + list(lines)
    return method + b" " + target + b" " + version + b"\r\n" + b"\r\n".join(fields) + b"\r\n\r\n"


class Strict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = Server(NET_HEADER_BYTES_MAX=4096)
        cls.server = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def refused(self, data, status=400, code="request_malformed"):
        """Exactly one answer, that one, and the connection ends: a smuggled request gets none."""
        answers = self.server.raw(data)
        self.assertEqual([a.status for a in answers], [status], answers)
        self.assertEqual(answers[0].headers["content-type"], "application/problem+json")
        self.assertEqual(answers[0].headers["connection"], "close")
        self.assertEqual(answers[0].json()["code"], code)
        self.assertEqual(answers[0].json()["status"], status)

    def accepted(self, data, count=1):
        answers = self.server.raw(data)
        self.assertEqual([a.status for a in answers], [200] * count, answers)
        return answers

    def test_two_content_lengths_are_refused(self):
        self.refused(head(b"Content-Length: %d" % len(BODY), b"Content-Length: 0") + BODY + SMUGGLED)

    def test_two_equal_content_lengths_are_refused(self):
        self.refused(head(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % len(BODY)) + BODY + SMUGGLED)

    def test_content_length_and_transfer_encoding_are_refused(self):
        self.refused(head(b"Content-Length: 4", b"Transfer-Encoding: chunked") + CHUNKED + SMUGGLED)
        self.refused(head(b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(CHUNKED)) + CHUNKED + SMUGGLED)

    def test_content_length_must_be_digits(self):
        for value in (b"+5", b"-1", b"0x5", b"5 5", b"5,5", b"", b"99999999999999999999", b"\xb2"):
            with self.subTest(value):
                self.refused(head(b"Content-Length: " + value) + BODY + SMUGGLED)

    def test_transfer_encoding_must_be_chunked_and_nothing_else(self):
        for value in (b"gzip, chunked", b"identity", b"chunked, chunked", b"xchunked", b"chunked;q=1", b"\x0bchunked", b""):
            with self.subTest(value):
                self.refused(head(b"Transfer-Encoding: " + value) + CHUNKED + SMUGGLED)

    def test_transfer_encoding_twice_is_refused(self):
        self.refused(head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + CHUNKED + SMUGGLED)
        self.refused(head(b"Transfer-Encoding: chunked", b"Transfer-encoding: identity") + CHUNKED + SMUGGLED)

    def test_http_1_0_knows_no_transfer_encoding(self):
        self.refused(head(b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + CHUNKED + SMUGGLED)

    def test_chunked_is_taken(self):
        answer = self.accepted(head(b"Transfer-Encoding: Chunked") + CHUNKED)[0]
        self.assertEqual(answer.json()["accepted"], 1)

    def test_a_broken_chunk_is_refused(self):
        self.refused(head(b"Transfer-Encoding: chunked") + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n" + SMUGGLED)

    def test_chunks_are_read_by_the_letter(self):
        chunked = head(b"Transfer-Encoding: chunked")
        size = b"%x" % len(BODY)
        for bad in (size + b"\n" + BODY + b"\r\n0\r\n\r\n", size + b"\r\n" + BODY + b"\n0\r\n\r\n", size + b"\r\n" + BODY + b"\r\n0\n\r\n",
                    size + b"\r\n" + BODY + b"\r\n0\r\n\n", size + b";a\nb\r\n" + BODY + b"\r\n0\r\n\r\n", b"0" * 9 + size + b"\r\n",
                    b"0x" + size + b"\r\n", size + b" \r\n", b"-1\r\n", b"ffffffffffffffff\r\n", b"0\r\nX: a\nb\r\n\r\n"):
            with self.subTest(bad):
                self.refused(chunked + bad + SMUGGLED)
        self.accepted(chunked + size + b";ext=1\r\n" + BODY + b"\r\n0\r\nTrailer: x\r\n\r\n" + SMUGGLED, 2)

    def test_host_is_needed_once(self):
        self.refused(head(b"Content-Length: 0", host=None) + SMUGGLED)
        self.refused(head(b"Host: localhost", b"Content-Length: 0") + SMUGGLED)

    def test_http_1_0_without_host_is_no_loopback_name(self):
        answers = self.server.raw(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual([a.status for a in answers], [421])

    def test_http_1_0_is_answered_and_closed(self):
        answers = self.server.raw(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" + SMUGGLED)
        self.assertEqual([a.status for a in answers], [200])
        self.assertEqual(answers[0].headers["connection"], "close")

    def test_a_folded_header_is_refused(self):
        self.refused(head(b"X: a\r\n b", b"Content-Length: 0") + SMUGGLED)

    def test_a_space_before_the_colon_is_refused(self):
        self.refused(head(b"Content-Length : 0") + SMUGGLED)
        self.refused(head(b"X Y: 0") + SMUGGLED)
        self.refused(head(b": 0") + SMUGGLED)

    def test_control_characters_are_refused(self):
        for bad in (b"\x00", b"\x01", b"\x0b", b"\x1f", b"\x7f"):
            with self.subTest(bad):
                self.refused(head(b"X: a" + bad + b"b", b"Content-Length: 0") + SMUGGLED)

    def test_a_bare_line_feed_ends_no_line(self):
        self.refused(b"GET /healthz HTTP/1.1\nHost: localhost\n\n" + SMUGGLED)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n" + SMUGGLED)

    def test_a_bare_carriage_return_is_refused(self):
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n" + SMUGGLED)

    def test_a_long_head_is_refused_while_it_comes(self):
        self.refused(head(b"X: " + b"a" * 8000, b"Content-Length: 0"), 431, "header_too_large")
        self.refused(b"GET /" + b"a" * 8000, 431, "header_too_large")
        self.accepted(head(b"X: " + b"a" * 3000, method=b"GET", target=b"/healthz"))

    def test_many_headers_are_refused(self):
        self.refused(head(*[b"X%d: y" % i for i in range(70)]), 431, "header_too_large")
        self.refused(head(*[b"X%d: y" % i for i in range(120)]))
        self.accepted(head(*[b"X%d: y" % i for i in range(50)], method=b"GET", target=b"/healthz"))

    def test_an_absolute_target_replaces_host(self):
        self.accepted(b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = self.server.raw(b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual([a.status for a in answers], [421])

    def test_strange_targets_are_refused(self):
        for target in (b"http://user@localhost/healthz", b"http:///healthz", b"ftp://localhost/", b"healthz", b"*", b"/a#b", b"/a\x80",
                       b"localhost:80"):
            with self.subTest(target):
                self.refused(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" + SMUGGLED)

    def test_http_2_is_not_spoken_with_prior_knowledge(self):
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
        self.refused(preface)

    def test_http_2_is_not_upgraded_to(self):
        request = (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                   b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
        self.accepted(request)

    def test_garbage_is_refused(self):
        for data in (b"\r\n\r\n\0\0", b"hello\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                     b"GET / HTTP/9.9\r\n\r\n"):
            with self.subTest(data):
                self.refused(data)

    def test_requests_in_a_row_are_answered_in_order(self):
        one = head(b"Content-Length: %d" % len(BODY)) + BODY
        answers = self.server.raw(one + SMUGGLED + one + head(b"Transfer-Encoding: chunked") + CHUNKED + SMUGGLED)
        self.assertEqual([a.status for a in answers], [200] * 5)
        self.assertEqual(["accepted" in a.json() for a in answers], [True, False, True, True, False])

    def test_a_refused_head_in_a_row_ends_it(self):
        answers = self.server.raw(SMUGGLED + head(b"Content-Length: 1", b"Content-Length: 2") + SMUGGLED)
        self.assertEqual([a.status for a in answers], [200, 400])

    def test_expect_100_continue_is_answered(self):
        answers = self.server.raw(head(b"Content-Length: %d" % len(BODY), b"Expect: 100-continue") + BODY)
        self.assertEqual([a.status for a in answers], [100, 200])

    def test_another_expectation_is_refused(self):
        answers = self.server.raw(head(b"Content-Length: %d" % len(BODY), b"Expect: 200-maybe"))
        self.assertEqual([a.status for a in answers], [417])
        self.assertEqual(answers[0].headers["content-type"], "application/problem+json")

    def test_the_path_of_refusals_is_no_back_door(self):
        answers = self.server.raw(b"GET /.refused/99 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual([a.status for a in answers], [400])


if __name__ == "__main__":
    unittest.main()
