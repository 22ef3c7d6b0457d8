#!/usr/bin/python3
# timeout: 300
"""Hostile records: each is answered with its code, the good ones of the same batch are kept, and memory is bounded."""
import gzip
import os
import sys
import unittest

import msgpack

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import DAY, Case, trade, wait_for  # noqa: E402

MIB = 1 << 20
DOMAIN = "lab"
NDJSON = "application/x-ndjson"
MSGPACK = "application/msgpack"


def line(**fields):
    """A trade as a JSON line; values are JSON text, None removes a key."""
    record = {"type": '"trade"', "symbol": '"GOOD"', "ts": str(DAY), "price": "1.5", "size": "10"}
    record.update(fields)
    return ("{" + ",".join('"%s":%s' % pair for pair in record.items() if pair[1] is not None) + "}").encode()


GOOD = line()
QUOTE = {"type": '"quote"', "price": None, "size": None}
VALUE = {"type": '"value"', "price": None, "size": None}
HOSTILE = [
    (b"{", "malformed"), (GOOD[:-5], "malformed"), (b"\x00\x01\x02", "malformed"), (b"[1,2", "malformed"), (b"nonsense", "malformed"),
    (b"17", "not_an_object"), (b'"text"', "not_an_object"),
    (line(price="NaN"), "malformed"), (line(price="Infinity"), "malformed"), (line(price="-Infinity"), "malformed"),
    (line(price='"NaN"'), "price_invalid"), (line(price='"inf"'), "price_invalid"), (line(price='"0x10"'), "price_invalid"),
    (line(price="true"), "price_invalid"), (line(price="[1]"), "price_invalid"), (line(price='""'), "price_invalid"),
    (line(price="1e308"), "price_too_large"), (line(price="1e999999999"), "price_too_large"), (line(price='"9007199254740993"'), "price_too_large"),
    (line(price="-1"), "price_negative"), (line(price="0"), "price_negative"), (line(price="-1e308"), None),
    (line(price="1e-10"), "price_too_precise"), (line(price="1.0000000001"), "price_too_precise"), (line(price="1e-999999999"), "price_too_precise"),
    (line(price=None), "price_missing"), (line(price="null"), None),
    (line(size="-1"), "size_negative"), (line(size="1e300"), "size_too_large"), (line(size="NaN"), "malformed"),
    (line(size="0.00000000001"), "size_too_precise"), (line(size='"many"'), "size_invalid"),
    (line(ts="0"), "ts_out_of_range"), (line(ts="1"), "ts_out_of_range"), (line(ts='"1970-01-01T00:00:00Z"'), "ts_out_of_range"),
    (line(ts='"2100-06-01T00:00:00Z"'), "ts_out_of_range"), (line(ts="4133980800000000000"), "ts_out_of_range"),
    (line(ts="99999999999999999999999"), None), (line(ts="-1399032000000000000"), None), (line(ts="1399032000.5"), "ts_invalid"),
    (line(ts='"yesterday"'), "ts_invalid"), (line(ts='"2014-02-30T00:00:00Z"'), "ts_invalid"), (line(ts=None), "ts_missing"),
    (line(symbol='"\xff\xfe"').decode("utf-8").encode("latin-1"), "utf8_invalid"), (line(symbol='"\\ud800"'), None),
    (line(symbol='""'), "symbol_invalid"), (line(symbol='"a b"'), "symbol_invalid"), (line(symbol='"%s"' % ("x" * 65)), None),
    (line(symbol='"\\u0000"'), "symbol_invalid"), (line(symbol='"\u00e4"'), "symbol_invalid"), (line(symbol=None), "symbol_missing"),
    (line(type=None), "type_missing"), (line(type='"nonsense"'), "type_unknown"), (line(type='"news"'), "type_unsupported"),
    (GOOD[:-1] + b',"price":2}', "key_duplicate"), (GOOD[:-1] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}", "nesting_too_deep"),
    (GOOD[:-1] + b',"' + b"k" * 100000 + b'":1}', "key_too_long"),
    (line(side='"up"'), "side_invalid"), (line(conditions='["nonsense"]'), "condition_unknown"),
    (line(n="1"), "row_without_source"), (line(seq="-1", venue='"V"'), "seq_invalid"), (line(venue='"%s"' % ("v" * 65)), None),
    (line(**QUOTE), "price_missing"), (line(value='"NaN"', **VALUE), "value_invalid"),
    (line(value="1e309", **VALUE), "value_invalid"), (line(**VALUE), "value_missing"),
]


class Records(Case):
    def test_each_hostile_record_has_its_code_and_the_good_ones_beside_it_are_kept(self):
        server = self.server()
        lines = []
        for text, _ in HOSTILE:
            lines += [text, GOOD]
        answer = server.post(b"\n".join(lines), DOMAIN, NDJSON)
        self.assertEqual(answer.status, 200, answer)
        verdict = answer.json()
        codes = {error["index"]: error["code"] for error in verdict["errors"]}
        wrong = []
        for i, (text, code) in enumerate(HOSTILE):
            have = codes.pop(2 * i, None)
            if have is None or (code is not None and have != code):
                wrong.append("%r: %s, not %s" % (text[:120], have, code))
        self.assertEqual(wrong, [])
        self.assertEqual(codes, {}, "good records were refused")
        self.assertEqual((verdict["accepted"], verdict["rejected"]), (len(HOSTILE), len(HOSTILE)))
        metrics = server.settle()
        self.assertAccounting(metrics, 2 * len(HOSTILE))
        self.assertEqual(metrics['fmads_ingest_rejected_total{reason="price_too_precise"}'], 3)
        kept = server.items("/v1/quarantine")
        self.assertEqual(len(kept), len(HOSTILE))
        self.assertTrue(all(item["code"] for item in kept))

    def test_a_key_of_ten_megabytes(self):
        server = self.server(net__body_bytes_max="32MiB")
        before = server.memory()
        huge = GOOD[:-1] + b',"' + b"k" * (10 * MIB) + b'":1}'
        for body in (GOOD + b"\n" + huge + b"\n" + GOOD, b"[" + GOOD + b"," + huge + b"," + GOOD + b"]"):
            answer = server.post(body, DOMAIN, NDJSON if body[:1] == b"{" else "application/json")
            self.assertEqual(answer.status, 200, answer)
            verdict = answer.json()
            self.assertEqual((verdict["accepted"], verdict["rejected"]), (2, 1), verdict)
            self.assertEqual([(e["index"], e["code"]) for e in verdict["errors"]], [(1, "key_too_long")])
        self.assertLess(server.memory() - before, 160 * MIB)
        with self.server(name="small").connect() as sock:  # refused before it is sent
            sock.sendall(b"POST /v1/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
                NDJSON.encode(), len(huge)))
            answer = sock.recv(65536)
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assertIn(b"body_too_large", answer)

    def test_messagepack_bombs(self):
        server = self.server()
        good = msgpack.packb(trade("GOOD", DAY, 15, 10))
        before = server.memory()
        bombs = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01",
                 b"\x91" * 200000, b"\x81\xa1x" * 100000, b"\xc1", b"\xde\xff\xff", b"\xdc\xff\xff" + b"\xc0" * 100, good[:-3],
                 b"\x81\xa4type\xdb\x7f\xff\xff\xff"]
        for bomb in bombs:
            answer = server.post(good + bomb, DOMAIN, MSGPACK)
            self.assertEqual(answer.status, 200, (bomb[:20], answer))
            verdict = answer.json()
            self.assertEqual(verdict["accepted"], 1, (bomb[:20], verdict))
            self.assertGreaterEqual(verdict["rejected"], 1, (bomb[:20], verdict))
            self.assertEqual(verdict["errors"][0]["index"], 1, (bomb[:20], verdict))
        floats = [float("nan"), float("inf"), -float("inf"), 1e308, -1.0, 5e-324, 0.1234567890123]
        answer = server.post(good + b"".join(msgpack.packb(trade("GOOD", DAY, price, 10)) for price in floats) + good, DOMAIN, MSGPACK).json()
        self.assertEqual((answer["accepted"], answer["rejected"]), (2, len(floats)), answer)
        deep = msgpack.packb(dict(trade("GOOD", DAY, 15, 10), more={"a": [{"b": [1, 2, {"c": b"x"}]}]}))
        self.assertEqual(server.post(deep + good, DOMAIN, MSGPACK).json()["accepted"], 2, "what is not known is skipped, however it looks")
        self.assertLess(server.memory() - before, 64 * MIB)
        self.assertAccounting(server.settle())

    def test_a_gzip_bomb_of_good_records_is_bounded(self):
        server = self.server()
        before = server.memory()
        answer = server.post(gzip.compress((GOOD + b"\n") * (100 * MIB // len(GOOD)), 1), DOMAIN, NDJSON, Content_Encoding="gzip")
        self.assertEqual((answer.status, answer.json()["code"]), (413, "body_too_large"))
        self.assertLess(server.memory() - before, 96 * MIB)
        for body in (b"", b"\x1f\x8b", b"no gzip at all", gzip.compress(GOOD)[:-6]):
            answer = server.post(body, DOMAIN, NDJSON, Content_Encoding="gzip")
            self.assertIn(answer.status, (400, 415), (body, answer))
        self.assertEqual(server.post(gzip.compress(GOOD), DOMAIN, NDJSON, Content_Encoding="gzip").json()["accepted"], 1)

    def test_csv_that_does_not_fit(self):
        server = self.server()
        rows = ["type,symbol,ts,price,size", "trade,GOOD,%d,1.5,10" % DAY, "trade,GOOD,%d,1.5" % DAY, "trade,GOOD,%d,1.5,10,11" % DAY,
                'trade,"GO', "trade,GOOD,%d,abc,10" % DAY, ",,,,"]
        verdict = server.post("\n".join(rows).encode(), DOMAIN, "text/csv").json()
        self.assertEqual(verdict["accepted"], 1, verdict)
        codes = {error["index"]: error["code"] for error in verdict["errors"]}
        self.assertEqual((codes.get(1), codes.get(2)), ("column_count", "column_count"), verdict)
        self.assertEqual(server.post(b"\x00\xff\xfe" * 1000, DOMAIN, "text/csv").status in (200, 400), True)
        self.assertAccounting(server.settle())


class Symbols(Case):
    COUNT = 1000000

    def test_a_million_new_symbols_cost_what_the_limit_allows(self):
        server = self.server(engine__instruments_max=2000)
        server.ingest([trade("FIRST", DAY, src="x", n=1)], DOMAIN)
        before = server.memory()
        accepted, codes = 0, set()
        for start in range(0, self.COUNT, 10000):
            rows = ["type,symbol,ts,price"] + ["trade,S%07d,%d,1.5" % (i, DAY) for i in range(start, start + 10000)]
            answer = server.post("\n".join(rows).encode(), DOMAIN, "text/csv")
            self.assertEqual(answer.status, 200, answer)
            verdict = answer.json()
            self.assertEqual(verdict["accepted"] + verdict["rejected"], 10000)
            accepted += verdict["accepted"]
            codes |= {error["code"] for error in verdict["errors"]}
            if start % 200000 == 0:
                self.assertLess(server.memory() - before, 200 * MIB)
        self.assertEqual(codes, {"instrument_limit"})
        self.assertEqual(accepted, 1999)
        wait_for("the number of instruments is told", lambda: server.metric("fmads_engine_series") == 2000)
        self.assertLess(server.memory() - before, 200 * MIB)
        self.assertEqual(server.ingest([trade("FIRST", DAY, src="x", n=2)], DOMAIN)["accepted"], 1, "who is known goes on")
        self.assertAccounting(server.settle(), self.COUNT + 2)

    def test_unknown_symbols_may_be_refused(self):
        server = self.server(engine__unknown_symbols="refuse")
        verdict = server.ingest([trade("ANY", DAY)], DOMAIN)
        self.assertEqual([error["code"] for error in verdict["errors"]], ["unknown_symbol"])

    def test_domains_and_sources_are_bounded(self):
        server = self.server(engine__domains_max=4, ingest__sources_max=4)
        codes = []
        for i in range(8):
            verdict = server.ingest([trade("ONE", DAY)], "domain%d" % i)
            codes += [error["code"] for error in verdict["errors"]]
        self.assertTrue(codes and set(codes) == {"domain_limit"}, codes)
        for i in range(8):
            self.assertEqual(server.ingest([trade("ONE", DAY, src="source%d" % i, n=1)], "domain0")["accepted"], 1)
        wait_for("forgotten sources are counted", lambda: server.metric("fmads_ingest_sources_forgotten_total") >= 4)
        verdict = server.ingest([trade("ONE", DAY, src="wide", n=10 ** 9), trade("ONE", DAY, src="wide", n=1)], "domain0")
        self.assertEqual([error["code"] for error in verdict["errors"]], ["row_too_old"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
