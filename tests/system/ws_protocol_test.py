#!/usr/bin/python3
# labels: tsan
"""WebSocket, RFC 6455: the handshake is judged, frames that break the protocol end the connection with its code, and nothing else suffers."""
import os
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from net_bed import PATIENCE, Server, WebSocket, trade  # noqa: E402


class Handshake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = Server()
        cls.server = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def refused(self, status, code, **headers):
        with WebSocket(self.server, **headers) as ws:
            self.assertEqual((ws.status, ws.answer.json()["code"]), (status, code))

    def test_the_accept_key_is_right(self):
        with WebSocket(self.server, Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==") as ws:  # the example of RFC 6455
            self.assertEqual(ws.status, 101)
            self.assertEqual(ws.answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

    def test_only_version_13_is_spoken(self):
        for version in ("8", "14", "", None):
            self.refused(426, "upgrade_required", Sec_WebSocket_Version=version)
        with WebSocket(self.server, Sec_WebSocket_Version="8") as ws:
            self.assertEqual(ws.answer.headers["sec-websocket-version"], "13")

    def test_what_is_no_handshake_is_426(self):
        self.refused(426, "upgrade_required", Upgrade=None)
        self.refused(426, "upgrade_required", Upgrade="h2c")
        self.refused(426, "upgrade_required", Connection="keep-alive")
        self.assertEqual(self.server.get("/v1/stream").status, 426)
        self.assertEqual(self.server.request("HEAD", "/v1/stream").status, 426)

    def test_the_key_is_16_bytes_in_base64(self):
        for key in ("", "short", "!" * 22 + "==", "A" * 24, None):
            self.refused(400, "request_malformed", Sec_WebSocket_Key=key)

    def test_a_foreign_origin_or_host_is_refused_before_the_upgrade(self):
        self.refused(403, "origin_refused", Origin="http://evil.example")
        self.refused(403, "origin_refused", Origin="null")
        self.refused(421, "host_refused", Host="evil.example")
        with WebSocket(self.server, Origin="http://localhost:3000") as ws:
            self.assertEqual(ws.status, 101)

    def test_an_unknown_parameter_is_refused(self):
        with WebSocket(self.server, path="/v1/stream?x=1") as ws:
            self.assertEqual((ws.status, ws.answer.json()["code"]), (400, "parameter_invalid"))

    def test_http_1_0_cannot_upgrade(self):
        request = (b"GET /v1/stream HTTP/1.0\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: " + WebSocket.KEY.encode() + b"\r\n\r\n")
        self.assertEqual([a.status for a in self.server.raw(request)], [426])

    def test_frames_that_come_with_the_handshake_are_read(self):
        with WebSocket(self.server, extra=WebSocket.frame('{"op":"ping"}') + WebSocket.frame(b"hi", opcode=9)) as ws:
            self.assertEqual(ws.receive(), (1, b'{"op":"pong"}'))
            self.assertEqual(ws.receive(), (10, b"hi"))


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = Server(NET_WS_MESSAGE_BYTES_MAX=65536)
        cls.server = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def closes(self, code, *frames):
        with WebSocket(self.server) as ws:
            for frame in frames:
                ws.sock.sendall(frame)
            self.assertEqual(ws.close_code(), code)
            ws.sock.sendall(WebSocket.frame(struct.pack(">H", code), opcode=8))
            self.assertTrue(ws.ended())

    def test_an_unmasked_frame_closes_1002(self):
        self.closes(1002, WebSocket.frame("{}", masked=False))

    def test_a_reserved_bit_closes_1002(self):
        for bits in (4, 2, 1):  # 4 is compression, which was not agreed
            self.closes(1002, WebSocket.frame("{}", reserved=bits))

    def test_an_unknown_opcode_closes_1002(self):
        for opcode in (3, 7, 11, 15):
            self.closes(1002, WebSocket.frame("{}", opcode=opcode))

    def test_a_bad_control_frame_closes_1002(self):
        self.closes(1002, WebSocket.frame(b"x", opcode=9, final=False))
        self.closes(1002, WebSocket.frame(b"x" * 126, opcode=9))

    def test_fragments_out_of_order_close_1002(self):
        self.closes(1002, WebSocket.frame("x", opcode=0))
        self.closes(1002, WebSocket.frame("{", final=False), WebSocket.frame("}", opcode=1))

    def test_bad_utf_8_closes_1007(self):
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"\xf8\x88\x80\x80\x80"):
            self.closes(1007, WebSocket.frame(b'{"op":"' + bad))
        self.closes(1007, WebSocket.frame(b"\xe2", final=False), WebSocket.frame(b"\x82", opcode=0))

    def test_good_utf_8_cut_between_fragments_is_whole(self):
        text = '{"op":"ping","x":"€\U0001f600"}'.encode()
        for cut in range(1, len(text)):
            with WebSocket(self.server) as ws:
                ws.sock.sendall(WebSocket.frame(text[:cut], final=False) + WebSocket.frame(text[cut:], opcode=0))
                self.assertEqual(ws.receive(), (1, b'{"op":"pong"}'))

    def test_an_oversize_message_closes_1009(self):
        self.closes(1009, WebSocket.frame(b"x" * 65537))
        self.closes(1009, WebSocket.frame(b"", size=2 ** 62))
        self.closes(1009, WebSocket.frame(b"", size=2 ** 63 + 5))
        self.closes(1009, WebSocket.frame(b"x" * 40000, final=False), WebSocket.frame(b"x" * 40000, opcode=0))
        with WebSocket(self.server) as ws:
            text = b'{"op":"ping"' + b" " * (65536 - 13) + b"}"
            ws.sock.sendall(WebSocket.frame(text))
            self.assertEqual(ws.receive(), (1, b'{"op":"pong"}'))

    def test_pings_between_fragments_are_answered(self):
        with WebSocket(self.server) as ws:
            ws.sock.sendall(WebSocket.frame('{"op":', final=False) + WebSocket.frame(b"a", opcode=9) + WebSocket.frame("", opcode=0, final=False)
                            + WebSocket.frame(b"b", opcode=10) + WebSocket.frame('"ping"}', opcode=0))
            self.assertEqual(ws.receive(), (10, b"a"))
            self.assertEqual(ws.receive(), (1, b'{"op":"pong"}'))

    def test_a_close_is_echoed(self):
        for sent, echoed in ((b"", 1000), (struct.pack(">H", 1000) + b"bye", 1000), (struct.pack(">H", 4321), 4321), (struct.pack(">H", 3000), 3000)):
            with WebSocket(self.server) as ws:
                ws.send(sent, opcode=8)
                self.assertEqual(ws.close_code(), echoed)
                self.assertTrue(ws.ended())

    def test_a_bad_close_is_1002_or_1007(self):
        for payload, code in ((b"x", 1002), (struct.pack(">H", 999), 1002), (struct.pack(">H", 1005), 1002), (struct.pack(">H", 1006), 1002),
                              (struct.pack(">H", 2999), 1002), (struct.pack(">H", 5000), 1002), (struct.pack(">H", 1000) + b"\xff", 1007)):
            self.closes(code, WebSocket.frame(payload, opcode=8))

    def test_frames_one_byte_at_a_time_are_whole(self):
        with WebSocket(self.server) as ws:
            for byte in WebSocket.frame('{"op":"ping"}'):
                ws.sock.sendall(bytes([byte]))
                time.sleep(0.001)
            self.assertEqual(ws.receive(), (1, b'{"op":"pong"}'))

    def test_nothing_is_read_behind_a_close(self):
        with WebSocket(self.server) as ws:
            ws.sock.sendall(WebSocket.frame(b"", opcode=8) + WebSocket.frame('{"op":"ping"}'))
            self.assertEqual(ws.receive(), (8, struct.pack(">H", 1000)))
            self.assertTrue(ws.ended())

    def test_a_kill_in_the_middle_of_a_frame_is_forgotten(self):
        for cut in (1, 2, 5, 8, 100):
            for linger in (False, True):
                ws = WebSocket(self.server)
                ws.sock.sendall(WebSocket.frame([trade()].__repr__() * 10)[:cut])
                if linger:
                    ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                ws.sock.close()
        self.assertEqual(self.server.settled("fmads_ws_connections", 0), 0)

    def test_random_bytes_never_hurt_others(self):
        import random
        seed = int(os.environ.get("FMADS_SEED", "20140502"))
        noise = random.Random(seed)
        with WebSocket(self.server) as good:
            for _ in range(60):
                with WebSocket(self.server) as ws:
                    data = bytes(noise.randrange(256) for _ in range(noise.randrange(200)))
                    if noise.random() < 0.7:
                        data = WebSocket.frame(data, opcode=noise.choice([0, 1, 2, 8, 9, 10]), final=noise.random() < 0.8)
                    ws.sock.sendall(data)
            good.send({"op": "ping"})
            self.assertEqual(good.receive(), (1, b'{"op":"pong"}'), "seed %d" % seed)


class Times(unittest.TestCase):
    def test_a_silent_peer_is_pinged_and_then_cut_off(self):
        with Server(NET_IDLE_TIMEOUT="900ms") as server, WebSocket(server) as ws:
            self.assertEqual(ws.receive()[0], 9)
            self.assertTrue(ws.ended(6))

    def test_a_peer_that_pongs_stays(self):
        with Server(NET_IDLE_TIMEOUT="3s") as server, WebSocket(server) as ws:
            pings = 0
            end = time.monotonic() + 5
            while time.monotonic() < end or pings < 3:
                frame = ws.receive()
                self.assertIsNotNone(frame, "closed, or no ping after %d" % pings)
                if frame[0] == 9:
                    pings += 1
                    ws.send(frame[1], opcode=10)
            self.assertGreaterEqual(pings, 3)
            ws.send({"op": "ping"})
            self.assertEqual(ws.message("pong"), {"op": "pong"})

    def test_a_close_without_answer_is_ended_by_the_server(self):
        with Server() as server, WebSocket(server) as ws:
            ws.send("x", opcode=3)
            self.assertEqual(ws.close_code(), 1002)
            begin = time.monotonic()
            self.assertTrue(ws.ended(6))
            self.assertLess(time.monotonic() - begin, 5 * PATIENCE)

    def test_a_stop_closes_1001_and_waits_for_nobody(self):
        with Server() as server, WebSocket(server) as polite, WebSocket(server) as rude, WebSocket(server) as half:
            half.sock.sendall(WebSocket.frame("x" * 100)[:50])
            polite.send({"op": "ping"})
            self.assertEqual(polite.message("pong"), {"op": "pong"})
            begin = time.monotonic()
            server.process.terminate()
            self.assertEqual(polite.close_code(), 1001)
            polite.send(struct.pack(">H", 1001), opcode=8)
            self.assertTrue(polite.ended())
            self.assertEqual(rude.close_code(), 1001)
            self.assertEqual(half.close_code(), 1001)
            self.assertEqual(server.process.wait(10 * PATIENCE), 0)
            self.assertLess(time.monotonic() - begin, 6 * PATIENCE)


class Library(unittest.TestCase):
    def test_a_common_client_library_gets_on_with_it(self):
        try:
            from websockets.sync.client import connect  # not in every release
        except ImportError:
            try:
                import asyncio
                import websockets
            except ImportError:
                self.skipTest("python3-websockets is not installed")

            def talk(port):
                async def run():
                    async with websockets.connect("ws://127.0.0.1:%d/v1/stream" % port) as ws:
                        await ws.send('{"op":"ping"}')
                        pong = await asyncio.wait_for(ws.recv(), 10)
                        await (await ws.ping())
                        return pong
                return asyncio.run(run())
        else:
            def talk(port):
                with connect("ws://127.0.0.1:%d/v1/stream" % port) as ws:
                    ws.send('{"op":"ping"}')
                    return ws.recv(10)
        with Server() as server:
            self.assertEqual(talk(server.port), '{"op":"pong"}')


class Many(unittest.TestCase):
    def test_many_at_once(self):
        with Server() as server:
            failures = []

            def one():
                try:
                    for _ in range(5):
                        with WebSocket(server) as ws:
                            for _ in range(20):
                                ws.send([trade()])
                            ack = None
                            while ack is None or ack["messages"] < 20:
                                ack = ws.message("ack")
                                if ack is None:
                                    failures.append("no ack")
                                    return
                            if ack["accepted"] + ack["duplicate"] + ack["rejected"] != 20:
                                failures.append(ack)
                except Exception as error:  # pylint: disable=broad-except
                    failures.append(error)

            threads = [threading.Thread(target=one) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
