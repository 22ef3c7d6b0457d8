#!/usr/bin/python3
# labels: tsan
"""Routes: exact paths, methods, parameters, who may call, what is taken, and that every answer is what /openapi.json says."""
import gzip
import json
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from net_bed import Server, trade  # noqa: E402


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = Server()
        cls.server = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def problem(self, answer, status, code):
        self.assertEqual((answer.status, answer.headers["content-type"]), (status, "application/problem+json"), answer)
        body = answer.json()
        self.assertEqual((body["status"], body["code"]), (status, code))
        self.assertEqual(sorted(set(body) & {"type", "title", "detail"}), ["detail", "title", "type"])
        return body

    # ---- paths and methods ----
    def test_a_path_matches_whole_or_not_at_all(self):
        for path in ("/healthz/", "/healthz/x", "/healthzx", "/HEALTHZ", "//healthz", "/v1", "/v1/", "/v1/ingest/", "/v1/alerts/",
                     "/v1/alerts/a/b", "/v1/x/../alerts", "/./healthz", "/%68ealthz", "/v1/instruments//latest", "/.refused/"):
            with self.subTest(path):
                self.problem(self.server.get(path), 404, "route_unknown")

    def test_a_method_that_the_route_does_not_take_is_405_with_allow(self):
        for method, path, allow in (("POST", "/healthz", "GET, HEAD, OPTIONS"), ("DELETE", "/v1/alerts", "GET, HEAD, OPTIONS"),
                                    ("GET", "/v1/ingest", "POST, OPTIONS"), ("HEAD", "/v1/ingest", "POST, OPTIONS"),
                                    ("PUT", "/v1/rules:reload", "POST, OPTIONS"), ("get", "/healthz", "GET, HEAD, OPTIONS"),
                                    ("FOO", "/v1/alerts/x", "GET, HEAD, OPTIONS")):
            with self.subTest(method=method, path=path):
                answer = self.server.request(method, path)
                if method == "HEAD":
                    self.assertEqual(answer.status, 405)
                else:
                    self.problem(answer, 405, "method_not_allowed")
                self.assertEqual(answer.headers["allow"], allow)

    def test_options_tells_the_methods(self):
        answer = self.server.request("OPTIONS", "/v1/ingest")
        self.assertEqual((answer.status, answer.headers["allow"], answer.body), (200, "POST, OPTIONS", b""))
        self.assertEqual(self.server.request("OPTIONS", "*").status, 200)

    def test_head_is_get_without_a_body(self):
        full, head = self.server.get("/healthz"), self.server.request("HEAD", "/healthz")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], full.headers["content-length"])
        data = self.server.raw(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                               b"Connection: close\r\n\r\n".replace(b"HEAD", b"GET"))
        self.assertEqual(len(data), 2)

    def test_head_leaves_the_connection_in_step(self):
        with self.server.connect() as sock:
            sock.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            first = sock.recv(65536)
            self.assertTrue(first.endswith(b"\r\n\r\n"), first)
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 200"))

    # ---- who may call ----
    def test_host_must_be_a_loopback_name(self):
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:80"):
            with self.subTest(host):
                self.assertEqual(self.server.get("/healthz", host=host).status, 200)
        for host in ("example.com", "localhost.example.com", "127.0.0.1.nip.io", "evil-localhost", "localhost:", "localhost:x",
                     "localhost:99999", "[::2]", "::1", "0.0.0.0", "127.0.0.256", "127.1", "2130706433", "", "localhost,evil.example",
                     "user@localhost", "localhost\t", "192.168.0.1"):
            with self.subTest(host):
                answer = self.server.get("/healthz", host=host)
                if host == "localhost\t":
                    self.assertEqual(answer.status, 200)  # white space around a value is not part of it
                else:
                    self.problem(answer, 421, "host_refused")

    def test_a_foreign_origin_may_not_write(self):
        for origin in ("http://evil.example", "https://localhost.evil.example", "null", "http://127.0.0.1.evil.example", "file://",
                       "http://localhost@evil.example", "http://evil.example:8080", "localhost", "", "http://"):
            with self.subTest(origin):
                self.problem(self.server.post([trade()], Origin=origin), 403, "origin_refused")
                self.problem(self.server.request("POST", "/v1/rules:reload", headers={"Origin": origin}), 403, "origin_refused")
        for origin in ("http://localhost", "http://127.0.0.1:3000", "https://[::1]:80"):
            with self.subTest(origin):
                self.assertEqual(self.server.post([trade()], Origin=origin).status, 200)

    def test_reads_carry_no_permission_for_other_origins(self):
        answer = self.server.get("/v1/kernels", headers={"Origin": "http://evil.example"})
        self.assertEqual(answer.status, 200)
        self.assertFalse([name for name in answer.headers if name.startswith("access-control")])

    # ---- parameters ----
    def test_a_parameter_must_be_one_of_the_routes_and_in_its_range(self):
        for path in ("/healthz?x=1", "/v1/alerts?nope=1", "/v1/alerts?limit=0", "/v1/alerts?limit=1001", "/v1/alerts?limit=x", "/v1/alerts?limit=",
                     "/v1/alerts?limit", "/v1/alerts?limit=1&limit=2", "/v1/alerts?from=yesterday", "/v1/alerts?from=-1",
                     "/v1/alerts?from=2014-13-01T00:00:00Z", "/v1/alerts?from=2014-04-31T00:00:00Z", "/v1/alerts?severity_min=loud",
                     "/v1/alerts?symbol=", "/v1/alerts?symbol=" + "A" * 65, "/v1/alerts?symbol=a%20b", "/v1/alerts?symbol=%00",
                     "/v1/alerts?symbol=%zz", "/v1/alerts?symbol=%2", "/v1/alerts?cursor=99999999999999999999",
                     "/v1/alerts?limit=9223372036854775808", "/v1/alerts?symbol=%c3%a9", "/v1/instruments?domain=" + "d" * 65):
            with self.subTest(path):
                self.problem(self.server.get(path), 400, "parameter_invalid")
        self.problem(self.server.post([trade()], path="/v1/ingest?domian=x"), 400, "parameter_invalid")

    def test_parameters_in_their_range_are_taken(self):
        for path in ("/v1/alerts?limit=1000&symbol=BRK.B&rule=equity/price_spike&domain=live&severity_min=critical&cursor=5",
                     "/v1/alerts?from=2014-05-02T12:29:00Z&to=2014-05-02T12:45:00.5%2B02:00", "/v1/alerts?from=1399033800000000000",
                     "/v1/alerts?&limit=5&", "/v1/alerts?", "/v1/instruments?limit=7&cursor=EURUSD&domain=live", "/v1/quarantine?limit=1"):
            with self.subTest(path):
                self.assertEqual(self.server.get(path).status, 200)

    # ---- bodies ----
    def test_only_record_formats_are_taken(self):
        for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "text/html", "application/xml", None,
                     "json", ""):
            with self.subTest(kind):
                self.problem(self.server.post([trade()], kind), 415, "media_type")

    def test_each_format_is_taken(self):
        record = trade(venue="XBAR")
        line = json.dumps(record).encode()
        csv = b"type,symbol,ts,price,size\ntrade,EURUSD,1399033800000000000,1.5,2\n"
        msgpack = b"\x85\xa4type\xa5trade\xa6symbol\xa6EURUSD\xa2ts\xcf" + (1399033800000000000).to_bytes(8, "big") + b"\xa5price\xa31.5\xa4size\x02"
        for kind, body, count in (("application/json", line, 1), ("application/json; charset=utf-8", b"[" + line + b"," + line + b"]", 2),
                                  ("application/x-ndjson", line + b"\n" + line + b"\n", 2), ("text/csv", csv, 1),
                                  ("application/msgpack", msgpack * 3, 3)):
            with self.subTest(kind):
                answer = self.server.post(body, kind)
                self.assertEqual((answer.status, answer.json()["accepted"], answer.json()["rejected"]), (200, count, 0), answer)

    def test_content_encodings(self):
        line = json.dumps(trade()).encode()
        self.assertEqual(self.server.post(gzip.compress(line), Content_Encoding="gzip").json()["accepted"], 1)
        self.assertEqual(self.server.post(line, Content_Encoding="identity").json()["accepted"], 1)
        for encoding, body in (("br", line), ("deflate", line), ("gzip, gzip", line), ("gzip", line), ("gzip", gzip.compress(line)[:-5]),
                               ("gzip", gzip.compress(line) + b"x")):
            with self.subTest(encoding=encoding):
                self.problem(self.server.post(body, Content_Encoding=encoding), 415, "encoding")

    def test_good_records_are_kept_beside_bad_ones(self):
        batch = [trade(), {"type": "trade"}, trade(price=-1), trade(), 7, trade(symbol="a b")]
        answer = self.server.post(batch)
        body = answer.json()
        self.assertEqual((answer.status, body["accepted"], body["rejected"], body["duplicate"]), (200, 2, 4, 0))
        self.assertEqual([e["index"] for e in body["errors"]], [1, 2, 4, 5])
        self.assertEqual([e["code"] for e in body["errors"]], ["symbol_missing", "price_negative", "not_an_object", "symbol_invalid"])
        self.assertTrue(all(e["message"] for e in body["errors"]))
        self.assertTrue(body["position"])

    def test_a_body_that_is_not_understood_at_all_is_400(self):
        for body in (b"[", b"nonsense", b"{", b"[}"):
            with self.subTest(body):
                answer = self.server.post(body)
                self.assertEqual((answer.status, answer.headers["content-type"]), (400, "application/problem+json"), answer)
                self.assertEqual(answer.json()["accepted"], 0)
                self.assertTrue(answer.json()["errors"])

    def test_refused_records_are_found_in_quarantine_and_counted(self):
        def rejected():
            return self.server.metric('fmads_ingest_rejected_total{reason="price_negative"}')

        before, received = rejected(), self.server.metric("fmads_ingest_received_total")
        self.server.post([trade(price=-1234.5), trade()])
        self.assertEqual(rejected(), before + 1)
        self.assertEqual(self.server.metric("fmads_ingest_received_total"), received + 2)
        items = self.server.get("/v1/quarantine?limit=1000").json()["items"]
        mine = [i for i in items if "-1234.5" in i.get("data", "")]
        self.assertEqual([(i["code"], i["index"]) for i in mine], [("price_negative", 0)])
        self.assertEqual([i["receive_time"] for i in items], sorted([i["receive_time"] for i in items], reverse=True))

    # ---- what is read ----
    def test_metrics_pass_promtool(self):
        text = self.server.get("/metrics").body
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, b"", b""))

    def test_openapi_lists_every_route_and_parameter(self):
        api = self.server.get("/openapi.json").json()
        self.assertTrue(api["openapi"].startswith("3."))
        self.assertIn("/v1/alerts/{id}", api["paths"])
        for path, methods in api["paths"].items():
            for method, operation in methods.items():
                answer = self.server.request(method.upper(), path.replace("{id}", "none").replace("{symbol}", "none"))
                self.assertNotEqual((path, answer.json()["code"] if "json" in answer.headers["content-type"] and answer.status >= 400 else ""),
                                    (path, "route_unknown"))
                self.assertTrue(operation["summary"] and operation["responses"])
        names = [p["name"] for p in api["paths"]["/v1/alerts"]["get"]["parameters"]]
        self.assertEqual(names, ["symbol", "rule", "domain", "severity_min", "from", "to", "limit", "cursor"])

    def test_kernels_are_listed_with_their_parameters(self):
        items = self.server.get("/v1/kernels").json()["items"]
        ewma = [k for k in items if k["name"] == "ewma"]
        self.assertEqual(len(ewma), 1)
        self.assertIn("half_life", [p["name"] for p in ewma[0]["params"]])

    def test_the_index_links_and_allows_no_scripts(self):
        answer = self.server.get("/")
        self.assertIn(b'href="/openapi.json"', answer.body)
        self.assertIn("default-src 'none'", answer.headers["content-security-policy"])

    def test_an_unknown_alert_or_instrument_is_404(self):
        for path in ("/v1/alerts/none", "/v1/instruments/none/latest", "/v1/instruments/none/book"):
            self.problem(self.server.get(path), 404, "not_found")


if __name__ == "__main__":
    unittest.main()
