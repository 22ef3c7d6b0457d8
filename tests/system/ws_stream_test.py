#!/usr/bin/python3
# labels: tsan
"""/v1/stream: records in, cumulative acks out; operations and their errors; a client that does not read is cut off."""
import json
import sys
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from net_bed import PATIENCE, Server, WebSocket, trade  # noqa: E402

MSGPACK = (b"\x85\xa4type\xa5trade\xa6symbol\xa6EURUSD\xa2ts\xcf" + (1399033800000000000).to_bytes(8, "big") + b"\xa5price\xa31.5\xa4size\x02")


def ack_of(ws, messages):
    """The ack that covers so many messages, and all errors told on the way."""
    errors = []
    while True:
        ack = ws.message("ack", 10)
        assert ack is not None, "no ack"
        errors += ack["errors"]
        if ack["messages"] >= messages:
            return ack, errors


class Ingest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = Server()
        cls.server = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def test_a_record_an_array_an_operation_and_msgpack_are_taken(self):
        with WebSocket(self.server) as ws:
            ws.send(trade())
            ws.send([trade(), trade(), trade()])
            ws.send({"op": "ingest", "records": [trade(), trade()]})
            ws.send({"records": trade(), "op": "ingest"})
            ws.send(MSGPACK * 2, opcode=2)
            ws.send(trade(note='not an "op": "ping"'))
            ack, errors = ack_of(ws, 6)
            self.assertEqual((ack["messages"], ack["accepted"], ack["rejected"], ack["duplicate"], errors), (6, 10, 0, 0, []))
            self.assertIn(ack["durable"], (True, False))

    def test_the_ack_is_cumulative_and_tells_positions(self):
        with WebSocket(self.server) as ws:
            ws.send([trade(symbol="POS1")])
            first, _ = ack_of(ws, 1)
            ws.send([trade(symbol="POS1")])
            second, _ = ack_of(ws, 2)
            self.assertEqual((first["accepted"], second["accepted"]), (1, 2))
            partition = list(first["position"])[0]
            self.assertGreater(second["position"][partition], first["position"][partition])

    def test_errors_name_message_and_index(self):
        with WebSocket(self.server) as ws:
            ws.send([trade()])
            ws.send([trade(), trade(price=-1), {"type": "trade"}])
            ws.send("[1, 2")
            ack, errors = ack_of(ws, 3)
            self.assertEqual((ack["accepted"], ack["rejected"]), (2, 2 + len([e for e in errors if e["number"] == 3])))
            self.assertEqual([(e["number"], e["index"], e["code"]) for e in errors[:2]], [(2, 1, "price_negative"), (2, 2, "symbol_missing")])
            self.assertTrue([e for e in errors if e["number"] == 3])

    def test_a_message_that_is_no_json_is_counted_as_refused(self):
        with WebSocket(self.server) as ws:
            for text in ("", "x", "7", "null", '"op"', "{"):
                ws.send(text)
            ack, errors = ack_of(ws, 6)
            self.assertEqual(ack["accepted"], 0)
            self.assertGreaterEqual(len(errors), 5)

    def test_operations_that_are_not_known_are_told(self):
        with WebSocket(self.server) as ws:
            for message, code in (('{"op":"dance"}', "operation_unknown"), ('{"op":7}', "operation_unknown"), ('{"op":"ingest"}', "parameter_invalid"),
                                  ('{"op":"subscribe"}', "parameter_invalid"), ('{"op":"subscribe","topics":[]}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["weather"]}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["alerts"],"from":-1}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["alerts"],"from":99999999999999999999}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["alerts"],"filter":{"colour":"red"}}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["alerts"],"filter":{"symbol":7}}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["alerts"],"filter":{"severity_min":"loud"}}', "parameter_invalid"),
                                  ('{"op":"subscribe","topics":["alerts"],"filter":[]}', "parameter_invalid")):
                ws.send(message)
                error = ws.message("error")
                self.assertEqual((message, error["code"]), (message, code))
                self.assertTrue(error["message"])
            ws.send({"op": "ping"})
            self.assertIsNotNone(ws.message("pong"))

    def test_a_domain_in_the_url_is_taken(self):
        with WebSocket(self.server, path="/v1/stream?domain=replay-7") as ws:
            ws.send([trade(symbol="DOM1")])
            ack, _ = ack_of(ws, 1)
            self.assertEqual(ack["accepted"], 1)

    def test_many_small_messages_are_all_acknowledged_in_order(self):
        with WebSocket(self.server) as ws:
            count = 3000
            frames = b"".join(WebSocket.frame(json.dumps(trade(symbol="S%d" % (i % 50)))) for i in range(count))
            ws.sock.sendall(frames)
            seen, last = [], 0
            while last < count:
                ack = ws.message("ack", 20)
                self.assertIsNotNone(ack)
                self.assertGreater(ack["messages"], last)
                last = ack["messages"]
                seen.append(ack["accepted"] + ack["rejected"] + ack["duplicate"])
            self.assertEqual((last, seen[-1]), (count, count))
            self.assertEqual(seen, sorted(seen))

    def test_refused_records_go_to_quarantine(self):
        with WebSocket(self.server) as ws:
            ws.send([trade(price=-98765.25)])
            ack_of(ws, 1)
        items = self.server.get("/v1/quarantine?limit=1000").json()["items"]
        self.assertEqual(len([i for i in items if "-98765.25" in i.get("data", "")]), 1)

    def test_subscribing_from_now_is_confirmed_and_unsubscribing_too(self):
        with WebSocket(self.server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"], "filter": {"symbol": "EUR*", "severity_min": "warning"}})
            self.assertIn("position", ws.message("subscribed"))
            ws.send({"op": "unsubscribe"})
            self.assertIsNotNone(ws.message("unsubscribed"))


class Deaf(unittest.TestCase):
    def test_a_sender_that_never_reads_is_cut_off_and_costs_little(self):
        with Server(NET_WRITE_TIMEOUT="800ms", NET_WS_QUEUE_BYTES_MAX=65536) as server, WebSocket(server, receive_buffer=4096) as ws:
            before = server.memory()
            ws.sock.setblocking(False)
            ping = WebSocket.frame('{"op":"ping"}') * 1000
            begin = time.monotonic()
            ended = False
            while not ended and time.monotonic() - begin < 20 * PATIENCE:
                try:
                    ws.sock.send(ping)
                except BlockingIOError:
                    time.sleep(0.02)
                except ConnectionError:
                    ended = True
            self.assertTrue(ended)
            self.assertLess(server.memory() - before, 48 << 20)
            self.assertEqual(server.settled("fmads_ws_connections", 0), 0)


if __name__ == "__main__":
    unittest.main()
