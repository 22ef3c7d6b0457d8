#!/usr/bin/python3
# timeout: 300
"""Rules that go wrong are stopped and named, beside rules that must not notice; rules that change are taken while the feed goes on."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import DAY, NS, TEST_RULES, Case, Market, seed, test_pack, trade, wait_for, write  # noqa: E402

DOMAIN = "lab"


def line_of(name, text):
    """The line of a rule file on which something stands."""
    with open(os.path.join(TEST_RULES, name + ".lua")) as file:
        for number, line in enumerate(file, 1):
            if text in line:
                return number
    raise AssertionError(text)


def read(path):
    with open(path) as file:
        return file.read()


class Hostile(Case):
    def run_beside_each_other(self, *hostile):
        """Runs the same records through the healthy rule alone and beside hostile ones; the second server."""
        batches = Market(seed())
        batches = [batches.batch(500) for _ in range(40)]
        alone = self.server(test_pack(os.path.join(self.folder, "one"), "lab/count"), name="alone")
        beside = self.server(test_pack(os.path.join(self.folder, "two"), "lab/count", *hostile), name="beside")
        for server in (alone, beside):
            for batch in batches:
                self.assertEqual(server.ingest(batch, DOMAIN)["accepted"], len(batch))
            self.assertAccounting(server.settle(), sum(map(len, batches)))
        want, have = alone.alerts(), beside.alerts()
        self.assertGreater(len(want), 50)
        self.assertSameAlerts([alert for alert in have if alert["rule"]["id"] == "lab/count"], want)
        self.assertEqual([alert for alert in have if alert["rule"]["id"] != "lab/count"], [])
        wait_for("the list of rules is of now", lambda: beside.rule("lab/count")["alerts"] == len(want))
        self.assertEqual(beside.rule("lab/count")["status"], "ok")
        return beside

    def assertStopped(self, server, name, line, words):
        rule = server.rule(name)
        self.assertIn(rule["status"], ("quarantined", "stopped"), rule)
        self.assertGreater(rule["quarantined_in"] + rule["stopped_in"], 0, rule)
        place = "%s.lua:%d" % (name, line)
        self.assertIn(place, rule["last_error"] or "", rule)
        self.assertRegex(rule["last_error"], words)
        told = [e for e in server.log().splitlines() if '"rule":"%s"' % name in e]
        self.assertTrue(told, "the log says nothing of " + name)
        self.assertTrue(any(place in e for e in told), told[:3])

    def test_an_endless_loop_is_stopped_and_named(self):
        server = self.run_beside_each_other("hostile/endless")
        self.assertStopped(server, "hostile/endless", line_of("hostile/endless", "while true"), "budget|turns")

    def test_a_rule_that_errs_at_each_tick_is_stopped_and_named(self):
        server = self.run_beside_each_other("hostile/failing")
        self.assertStopped(server, "hostile/failing", line_of("hostile/failing", "error("), "on purpose")

    def test_a_rule_that_allocates_without_end_is_stopped_and_named(self):
        server = self.run_beside_each_other("hostile/greedy")
        # Which of its lines it was cannot be told; a slow build may come to the deadline first.
        self.assertStopped(server, "hostile/greedy", line_of("hostile/greedy", "on_event"), "memory|deadline")
        self.assertGreater(server.metric("fmads_rules_kills_total"), 0)

    def test_a_pathological_pattern_is_stopped_and_named(self):
        server = self.run_beside_each_other("hostile/stuck")
        self.assertStopped(server, "hostile/stuck", line_of("hostile/stuck", "string.find"), ".")

    def test_all_of_them_at_once_and_a_kill_between(self):
        server = self.run_beside_each_other("hostile")
        stopped = {name: server.rule("hostile/" + name)["stopped_in"] for name in ("endless", "greedy", "failing", "stuck")}
        alerts = server.alerts()
        server.kill()
        server.start(shards=1)
        self.assertSameAlerts(server.alerts(), alerts)
        wait_for("the list of rules", lambda: server.rule("hostile/greedy")["status"] != "ok")
        for name, count in stopped.items():  # what was written into the journal holds after a restart
            self.assertEqual(server.rule("hostile/" + name)["stopped_in"], count, name)
            self.assertIn(server.rule("hostile/" + name)["status"], ("quarantined", "stopped"))


class Reload(Case):
    """One name, one record a millisecond; lab/count alerts at each hundredth."""

    def setUp(self):
        super().setUp()
        self.rules = test_pack(self.folder, "lab/count", "lab/jump")
        self.sent = 0

    def path(self, name):
        return os.path.join(self.rules, "lab", name + ".lua")

    def send(self, server, count):
        records = [trade("ONE", DAY + (self.sent + i) * NS // 1000, "10.%02d" % (i % 7), src="r", n=self.sent + i) for i in range(count)]
        self.assertEqual(server.ingest(records, DOMAIN)["accepted"], count)
        self.sent += count
        server.settle()

    def counts(self, server):
        """At which records lab/count has alerted, by its evidence."""
        return sorted(alert["evidence"]["to"] for alert in server.alerts("?rule=lab/count"))

    def generations(self, server):
        return {entry["text"] for entry in server.dump() if entry["kind"] == "generation"}

    def test_a_changed_file_is_taken_by_itself_and_unchanged_rules_keep_their_state(self):
        server = self.server(self.rules, rules__watch="200ms")
        before = server.rule("lab/jump")["hash"]
        self.send(server, 150)
        write(self.path("jump"), read(self.path("jump")).replace("sigma = 8", "sigma = 9"))
        wait_for("the changed rule is taken", lambda: server.rule("lab/jump")["hash"] != before, 10)
        self.send(server, 60)
        self.assertEqual(self.counts(server), [100, 200], "an unchanged rule goes on counting")
        # The rule itself changes: its state is carried over by the names of its slots.
        old = server.rule("lab/count")["hash"]
        write(self.path("count"), read(self.path("count")).replace("s.n % 100 == 0", "s.n % 50 == 0"))
        wait_for("the changed rule is taken", lambda: server.rule("lab/count")["hash"] != old, 10)
        self.send(server, 100)
        self.assertEqual(self.counts(server), [100, 200, 250, 300])
        self.assertEqual(server.alerts("?rule=lab/count")[0]["rule"]["hash"], server.rule("lab/count")["hash"])
        self.assertEqual(server.metric("fmads_rules_reloads_total"), 3)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(len(self.generations(server)), 3)

    def test_a_new_file_is_a_new_rule_and_a_removed_one_is_gone(self):
        server = self.server(self.rules, rules__watch="200ms")
        test_pack(self.folder, "lab/wide")
        wait_for("the new rule is there", lambda: server.rule("lab/wide"), 10)
        os.unlink(self.path("jump"))
        wait_for("the removed rule is gone", lambda: not server.rule("lab/jump"), 10)
        self.send(server, 100)
        self.assertEqual(self.counts(server), [100])

    def test_a_bad_file_leaves_the_old_rules_and_says_why(self):
        server = self.server(self.rules, rules__watch="0s")
        self.send(server, 50)
        old = server.get("/v1/rules").json()["items"]
        good = read(self.path("count"))
        bad = {
            "syntax": (good.replace("if s.n % 100", "if if s.n % 100"), line_of("lab/count", "s.n % 100")),
            "a misspelt field": (good.replace("message =", "mesage ="), line_of("lab/count", "message =")),
            "a misspelt feature": (good.replace("state =", "needs = { x = feature.ewmaa {} },\n  state ="), line_of("lab/count", "state =")),
        }
        for what, (text, line) in bad.items():
            seen = len(server.log())
            write(self.path("count"), text)
            # A good change beside the bad one is not taken either: all or nothing.
            write(self.path("jump"), read(self.path("jump")).replace("sigma = 8", "sigma = 7"))
            answer = server.request("POST", "/v1/rules:reload")
            self.assertEqual((answer.status, answer.headers["content-type"]), (400, "application/problem+json"), (what, answer))
            self.assertEqual((answer.json()["file"], answer.json()["line"]), ("lab/count.lua", line), (what, answer))
            self.assertTrue(answer.json()["detail"], what)
            told = server.log()[seen:]
            self.assertIn('"event":"rules_refused"', told, what)
            self.assertIn('"file":"lab/count.lua"', told, what)
            self.assertEqual([(r["id"], r["hash"]) for r in server.get("/v1/rules").json()["items"]], [(r["id"], r["hash"]) for r in old], what)
        self.assertEqual(server.metric("fmads_rules_reload_failures_total"), len(bad))
        self.send(server, 50)
        self.assertEqual(self.counts(server), [100])
        write(self.path("count"), good)
        self.assertEqual(server.request("POST", "/v1/rules:reload").status, 200)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(len(self.generations(server)), 2, "refused generations leave no record")

    def test_a_failing_rule_test_refuses_the_file(self):
        server = self.server(self.rules, rules__watch="0s")
        write(os.path.join(self.rules, "lab", "jump_test.lua"), 'test "is silent on a jump" { given = { move = 50 }, expect = nil }\n')
        answer = server.request("POST", "/v1/rules:reload")
        self.assertEqual(answer.status, 400, answer)
        self.assertIn("jump_test.lua", answer.json()["file"], answer)
        self.send(server, 100)
        self.assertEqual(self.counts(server), [100])

    def test_a_stopped_rule_runs_again_when_its_file_changes(self):
        test_pack(self.folder, "hostile/failing")
        server = self.server(self.rules, rules__watch="0s")
        self.send(server, 20)
        wait_for("it is quarantined", lambda: server.rule("hostile/failing")["status"] == "quarantined")
        path = os.path.join(self.rules, "hostile", "failing.lua")
        write(path, read(path).replace('error("on purpose")', "ctx.alert {}"))
        self.assertEqual(server.request("POST", "/v1/rules:reload").status, 200)
        self.send(server, 20)
        self.assertEqual(len(server.alerts("?rule=hostile/failing")), 20)
        wait_for("it is well", lambda: server.rule("hostile/failing")["status"] == "ok")


if __name__ == "__main__":
    unittest.main(verbosity=2)
