#!/usr/bin/python3
"""What the engine, the router and the archive can do to the server: full, slow, dead, gone; made to happen by the double's symbols."""
import json
import os
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "system"))
from net_bed import PATIENCE, SLOW, Server, WebSocket, parse_all, read_all, trade  # noqa: E402


def ingest(symbol):
    body = json.dumps([trade(symbol=symbol)]).encode()
    return b"POST /v1/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Http(unittest.TestCase):
    def refused(self, symbol, status, code):
        with Server() as server:
            answer = server.post([trade(), trade(price=-1), trade(symbol=symbol)])
            self.assertEqual((answer.status, answer.json()["code"]), (status, code))
            self.assertEqual(server.metric("fmads_ingest_received_total"), 0)  # a refused request has no verdicts
            self.assertEqual(server.get("/v1/quarantine").json()["items"], [])
            self.assertEqual(server.post([trade()]).json()["accepted"], 1)
            return answer

    def test_a_full_ring_is_429_with_retry_after_and_nothing_is_taken(self):
        self.assertEqual(self.refused("FULL", 429, "queue_full").headers["retry-after"], "1")

    def test_a_full_disk_is_507(self):
        self.refused("DISK", 507, "journal_full")

    def test_a_batch_that_never_fits_is_413(self):
        self.refused("HUGE", 413, "batch_too_large")

    def test_verdicts_of_decoder_and_engine_are_merged_by_index(self):
        with Server() as server:
            batch = [trade(), trade(symbol="UNKNOWN"), trade(price=-1), trade(symbol="TWICE"), trade(symbol="UNKNOWN"), 7]
            body = server.post(batch).json()
            self.assertEqual((body["accepted"], body["rejected"], body["duplicate"]), (1, 4, 1))
            self.assertEqual([(e["index"], e["code"]) for e in body["errors"]],
                             [(1, "unknown_symbol"), (2, "price_negative"), (4, "unknown_symbol"), (5, "not_an_object")])
            items = server.get("/v1/quarantine").json()["items"]
            self.assertEqual(sorted(i["index"] for i in items), [1, 2, 4, 5])
            self.assertEqual([json.loads(i["data"])["symbol"] for i in items if i["index"] in (1, 4)], ["UNKNOWN", "UNKNOWN"])
            self.assertEqual(server.metric("fmads_ingest_received_total"), 6)
            self.assertEqual(server.metric("fmads_ingest_accepted_total"), 1)
            self.assertEqual(server.metric('fmads_ingest_rejected_total{reason="unknown_symbol"}'), 2)

    def test_a_refused_record_is_found_again_in_every_format(self):
        import gzip
        lines = b"\n".join(json.dumps(trade(symbol=s)).encode() for s in ("A", "UNKNOWN", "B"))
        csv = b"type,symbol,ts,price,size\n" + b"".join(b"trade,%s,1399033800000000000,1.5,2\n" % s for s in (b"A", b"UNKNOWN"))
        with Server() as server:
            server.post(lines, "application/x-ndjson")
            server.post(gzip.compress(lines), "application/x-ndjson", Content_Encoding="gzip")
            server.post(csv, "text/csv")
            items = server.get("/v1/quarantine").json()["items"]
            self.assertEqual(len([i for i in items if i["code"] == "unknown_symbol" and "UNKNOWN" in i["data"]]), 3)

    def test_a_verdict_that_does_not_come_is_504(self):
        with Server(NET_REQUEST_TIMEOUT="700ms") as server:
            begin = time.monotonic()
            answer = server.post([trade(symbol="NEVER")])
            self.assertEqual((answer.status, answer.json()["code"]), (504, "timeout"))
            self.assertLess(time.monotonic() - begin, 3 * PATIENCE)
            server.expect_clean = False  # the end waits for that verdict until its deadline; the double never frees it
            self.assertEqual(server.post([trade()]).json()["accepted"], 1)

    def test_more_than_requests_max_waiting_is_429(self):
        with Server(NET_REQUESTS_MAX=3) as server:
            socks = [server.connect() for _ in range(20)]
            for sock in socks:
                sock.sendall(ingest("SLOW"))
            answers = [parse_all(server.read_all(sock, 1.2 * SLOW))[0].status for sock in socks]
            self.assertEqual(sorted(set(answers)), [200, 429])
            self.assertLessEqual(answers.count(200), 6)
            for sock in socks:
                sock.close()

    def test_a_client_that_goes_while_its_verdict_is_due_hurts_nobody(self):
        import socket
        with Server() as server:
            for linger in (False, True):
                for _ in range(10):
                    sock = server.connect()
                    sock.sendall(ingest("SLOW"))
                    if linger:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sock.close()
            sock = server.connect()
            sock.sendall(b"GET /v1/instruments/slow/latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
            sock.close()
            self.assertEqual(server.settled("fmads_ingest_accepted_total", 20), 20)
            self.assertEqual(server.settled("fmads_http_connections", 1), 1)

    def test_requests_in_a_row_wait_for_each_other(self):
        with Server() as server:
            answers = server.raw(ingest("SLOW") + ingest("EURUSD") + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 10)
            self.assertEqual([a.status for a in answers], [200, 200, 200])

    def test_a_stop_waits_for_verdicts(self):
        with Server() as server, server.connect() as sock:
            sock.sendall(ingest("SLOW"))
            server.taken(1)
            server.process.terminate()
            self.assertEqual(parse_all(read_all(sock))[0].json()["accepted"], 1)
            self.assertEqual(server.process.wait(10 * PATIENCE), 0)

    def test_a_stop_gives_up_at_its_deadline_with_503(self):
        with Server(NET_REQUEST_TIMEOUT="60s") as server, server.connect(timeout=20) as sock:
            server.expect_clean = False
            sock.sendall(ingest("NEVER"))
            server.taken(1)
            begin = time.monotonic()
            server.process.terminate()
            answers = parse_all(read_all(sock))
            self.assertEqual([a.status for a in answers], [503])
            server.process.wait(10 * PATIENCE)
            self.assertLess(time.monotonic() - begin, 9 * PATIENCE)
            self.assertNotIn("Sanitizer: heap", server.log())

    def test_a_busy_archive_is_429(self):
        with Server() as server:
            answer = server.get("/v1/alerts/busy")
            self.assertEqual((answer.status, answer.headers["retry-after"]), (429, "1"))

    def test_questions_reach_the_archive_as_asked(self):
        with Server() as server:
            body = server.get("/v1/alerts?symbol=BRK.B&from=2014-05-02T12:29:00Z&severity_min=error&limit=7").json()
            self.assertEqual((body["symbol"], body["from"], body["severity_min"], body["limit"]), ("BRK.B", 1399033740000000000, 2, 7))
            self.assertEqual(server.get("/v1/alerts/a%2Fb").json()["id"], "a/b")
            self.assertEqual(server.get("/v1/instruments?cursor=EUR&limit=3").json()["after"], "EUR")

    def test_a_bad_rule_file_is_told_with_file_and_line(self):
        with Server(DOUBLE_BAD_RULE=1) as server:
            answer = server.request("POST", "/v1/rules:reload")
            body = answer.json()
            self.assertEqual((answer.status, body["file"], body["line"]), (400, "equity/x.lua", 7))
            self.assertIn("expected", body["detail"])
        with Server() as server:
            self.assertEqual(server.request("POST", "/v1/rules:reload").status, 200)
            self.assertEqual(server.get("/v1/rules").json()["items"], [])

    def test_readiness_tells_reasons(self):
        with Server(DOUBLE_REDIS=1) as server:
            answer = server.get("/readyz")
            self.assertEqual((answer.status, answer.json()["status"], answer.json()["degraded"]), (200, "degraded", ["redis_down"]))

    def test_a_full_journal_is_not_ready(self):
        context = Server(DOUBLE_JOURNAL_FULL=1)
        context.wait_until_it_answers = lambda: time.sleep(0.5)
        with context as server:
            answer = server.get("/readyz")
            self.assertEqual((answer.status, answer.json()["reasons"]), (503, ["journal_full"]))


class Stream(unittest.TestCase):
    def test_a_full_engine_holds_the_sender_back_and_loses_nothing(self):
        with Server() as server, WebSocket(server) as ws:
            for _ in range(50):
                ws.send([trade(), trade(symbol="BUSY")])
            begin, ack = time.monotonic(), None
            while ack is None or ack["messages"] < 50:
                ack = ws.message("ack", 10)
                self.assertIsNotNone(ack)
            self.assertGreater(time.monotonic() - begin, 0.2)
            self.assertEqual((ack["accepted"], ack["rejected"]), (100, 0))

    def test_a_sender_held_back_for_ever_costs_a_bounded_amount(self):
        with Server() as server, WebSocket(server) as ws:
            before = server.memory()
            ws.send([trade(symbol="FULL")])
            ws.sock.setblocking(False)
            frame = WebSocket.frame(json.dumps([trade()] * 100))
            sent, quiet = 0, 0
            while quiet < 20:
                try:
                    sent += ws.sock.send(frame * 10)
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                    time.sleep(0.02)
            self.assertLess(server.memory() - before, 24 << 20)
            used = server.cpu()
            time.sleep(1)
            self.assertLess(server.cpu() - used, 0.6 * SLOW)
            self.assertEqual(server.post([trade()]).json()["accepted"], 1)

    def test_slow_verdicts_are_acknowledged_in_order(self):
        with Server() as server, WebSocket(server) as ws:
            ws.send([trade(symbol="SLOW")])
            ws.send([trade()])
            ws.send([trade(price=-1)])
            ack = ws.message("ack")
            self.assertEqual((ack["messages"], ack["accepted"], ack["rejected"]), (3, 2, 1))

    def test_what_is_refused_whole_is_told_with_its_number(self):
        with Server() as server, WebSocket(server) as ws:
            ws.send([trade()])
            ws.send([trade(symbol="DISK")])
            ws.send([trade(symbol="HUGE")])
            ws.send([trade()])
            errors = [ws.message("error"), ws.message("error")]
            self.assertEqual([(e["code"], e["number"]) for e in errors], [("journal_full", 2), ("batch_too_large", 3)])
            ws.send([trade()])
            ack = {"messages": 0}
            while ack["messages"] < 5:
                ack = ws.message("ack")
            self.assertEqual(ack["accepted"], 3)

    def test_the_engines_refusals_are_quarantined_with_their_bytes(self):
        with Server() as server, WebSocket(server) as ws:
            ws.send([trade(), trade(symbol="UNKNOWN", note="mine")])
            self.assertEqual(ws.message("ack")["rejected"], 1)
            items = server.get("/v1/quarantine").json()["items"]
            self.assertEqual([("mine" in i["data"], i["index"]) for i in items], [(True, 1)])

    def test_a_socket_that_goes_while_verdicts_are_due_hurts_nobody(self):
        with Server() as server:
            for _ in range(10):
                with WebSocket(server) as ws:
                    for _ in range(80):  # more than the window
                        ws.send([trade(symbol="SLOW")])
            self.assertEqual(server.settled("fmads_ws_connections", 0), 0)
            self.assertEqual(server.post([trade()]).json()["accepted"], 1)

    def test_a_stop_acknowledges_what_was_taken_and_then_closes_1001(self):
        with Server() as server, WebSocket(server) as ws:
            ws.send([trade(symbol="SLOW")])
            self.assertEqual(server.settled("fmads_ws_messages_total", 1), 1)
            server.process.terminate()
            self.assertEqual(ws.message("ack")["accepted"], 1)
            self.assertEqual(ws.close_code(), 1001)
            ws.send(struct.pack(">H", 1001), opcode=8)
            self.assertEqual(server.process.wait(10 * PATIENCE), 0)

    def test_verdicts_that_do_not_come_are_told(self):
        with Server(NET_REQUEST_TIMEOUT="700ms") as server, WebSocket(server) as ws:
            server.expect_clean = False
            ws.send([trade(symbol="NEVER")])
            self.assertEqual(ws.message("error")["code"], "timeout")
            self.assertEqual(ws.message("ack")["messages"], 1)


class Alerts(unittest.TestCase):
    def events(self, ws, count):
        found = []
        while len(found) < count:
            event = ws.message("event", 10)
            self.assertIsNotNone(event, found[-3:])
            found.append(event)
        return found

    def test_a_subscriber_hears_of_alerts_from_now_on(self):
        with Server(DOUBLE_ALERTS=5) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"]})
            self.assertEqual(ws.message("subscribed")["position"], 5)
            server.post([trade(symbol="ALERT")])
            event = self.events(ws, 1)[0]
            self.assertEqual((event["topic"], event["position"], event["data"]["id"]), ("alerts", 6, "6"))

    def test_from_is_the_last_position_seen_and_nothing_is_missed_or_told_twice(self):
        with Server(DOUBLE_ALERTS=1000) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"], "from": 10})
            for _ in range(20):
                server.post([trade(symbol="ALERT")])
            positions = [e["position"] for e in self.events(ws, 1010)]
            self.assertEqual(positions, list(range(11, 1021)))

    def test_two_threads_of_alerts_and_subscribers_on_both_loops(self):
        with Server() as server:
            socks = [WebSocket(server) for _ in range(12)]
            for ws in socks:
                ws.send({"op": "subscribe", "topics": ["alerts"], "from": 0})
            for _ in range(50):
                server.post([trade(symbol="ALERT")])
            for ws in socks:
                self.assertEqual([e["position"] for e in self.events(ws, 50)], list(range(1, 51)))
                ws.sock.close()

    def test_the_filter_chooses(self):
        with Server(DOUBLE_ALERTS=40) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"], "from": 0, "filter": {"symbol": "*USD", "severity_min": "warning", "rule": "pack/*"}})
            self.assertEqual([e["data"]["symbol"] for e in self.events(ws, 10)], ["GBPUSD"] * 10)
            self.assertEqual(ws.message("subscribed")["position"], 40)

    def test_positions_that_are_gone_are_told_as_a_gap(self):
        with Server(DOUBLE_ALERTS=100, DOUBLE_KEPT=61) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"], "from": 7})
            gap = ws.message("gap")
            self.assertEqual((gap["from"], gap["to"]), (8, 60))
            self.assertEqual([e["position"] for e in self.events(ws, 40)], list(range(61, 101)))

    def test_a_position_of_the_future_is_told_and_the_newest_taken(self):
        with Server(DOUBLE_ALERTS=3) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"], "from": 1000})
            self.assertEqual(ws.message("error")["code"], "parameter_invalid")
            self.assertEqual(ws.message("subscribed")["position"], 3)
            server.post([trade(symbol="ALERT")])
            self.assertEqual(self.events(ws, 1)[0]["position"], 4)

    def test_a_slow_consumer_is_told_and_closed_1013_and_may_resume(self):
        with Server(NET_WS_QUEUE_BYTES_MAX=65536) as server, WebSocket(server, receive_buffer=4096) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"]})
            self.assertIsNotNone(ws.message("subscribed"))
            for _ in range(4):  # 8000 alerts of 4 KiB: more than any socket buffer holds
                server.post([trade(symbol="FLOOD")])
            time.sleep(0.5)
            seen, slow = 0, None
            while slow is None:
                frame = ws.receive(10)
                self.assertIsNotNone(frame)
                self.assertEqual(frame[0], 1)
                message = json.loads(frame[1])
                if message["op"] == "event":
                    self.assertEqual(message["position"], seen + 1)
                    seen = message["position"]
                elif message["op"] == "slow_consumer":
                    slow = message
            self.assertEqual(slow["position"], seen)
            self.assertEqual(ws.close_code(), 1013)
            self.assertEqual(server.metric("fmads_ws_slow_consumers_total"), 1)
            with WebSocket(server) as again:
                again.send({"op": "subscribe", "topics": ["alerts"], "from": seen})
                self.assertEqual(self.events(again, 3)[0]["position"], seen + 1)

    def test_a_slow_reader_of_the_past_is_not_too_slow(self):
        with Server(NET_WS_QUEUE_BYTES_MAX=1048576) as server:
            server.post([trade(symbol="FLOOD")])
            with WebSocket(server, receive_buffer=4096) as ws:
                ws.send({"op": "subscribe", "topics": ["alerts"], "from": 0})
                time.sleep(1)
                self.assertEqual([e["position"] for e in self.events(ws, 2000)], list(range(1, 2001)))
                self.assertIsNotNone(ws.message("subscribed"))

    def test_subscribing_anew_replaces_the_old_subscription(self):
        with Server(DOUBLE_ALERTS=300) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"], "from": 0})
            ws.send({"op": "subscribe", "topics": ["alerts"], "from": 290})
            self.assertEqual(ws.message("subscribed")["position"], 300)
            server.post([trade(symbol="ALERT")])
            self.assertEqual(self.events(ws, 1)[0]["position"], 301)

    def test_subscribers_that_vanish_hurt_nobody(self):
        with Server(DOUBLE_ALERTS=2000) as server:
            for i in range(30):
                ws = WebSocket(server)
                ws.send({"op": "subscribe", "topics": ["alerts"], "from": 0})
                if i % 3 == 0:
                    ws.receive()
                ws.sock.close()
            server.post([trade(symbol="ALERT")])
            self.assertEqual(server.settled("fmads_ws_connections", 0), 0)

    def test_a_quiet_subscriber_gets_heartbeats(self):
        with Server(DOUBLE_ALERTS=2) as server, WebSocket(server) as ws:
            ws.send({"op": "subscribe", "topics": ["alerts"]})
            beat = ws.message("heartbeat", 8)
            self.assertEqual(beat["position"], 2)
            self.assertGreater(beat["time"], 1)


if __name__ == "__main__":
    unittest.main()
