#!/usr/bin/python3
# timeout: 240
"""Reference data from files to alerts: a split that is told of raises none, one that is not looks like a crash; what is told later holds from then on."""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import NS, ROOT, Case, wait_for, write  # noqa: E402

SPLIT = 1402272000  # 2014-06-09, seven for one
RULES = os.path.join(ROOT, "rules")


def trades(rows=6000, step=5):
    """A random walk whose quoted price is a seventh from the split on."""
    rng, price = random.Random(1), 645.0
    for i in range(rows):
        ts = SPLIT + (i - rows * 2 // 3) * step
        price *= 1 + rng.gauss(0, 1e-4)
        yield {"type": "trade", "symbol": "AAPL", "ts": ts * NS, "price": round(price / (7 if ts >= SPLIT else 1), 2), "size": 100}


class Reference(Case):
    def folder_of(self, **files):
        folder = os.path.join(self.folder, "reference")
        os.makedirs(folder, exist_ok=True)
        for name, text in files.items():
            write(os.path.join(folder, name + ".csv"), text)
        return folder

    def start(self, **files):
        return self.server(RULES, **{"reference.dir": self.folder_of(**files), "rules.watch": "100ms"})

    def rules_that_fired(self, server):
        server.settle()
        return [alert["rule"]["id"] for alert in server.alerts()]

    def test_a_split_that_is_told_of_raises_no_alert(self):
        server = self.start(instruments="symbol,class\nAAPL,equity\n", actions="symbol,effective,what,number,to\nAAPL,2014-06-09,split,7,\n")
        server.ingest(list(trades()), "run")
        self.assertNotIn("market/price_spike", self.rules_that_fired(server))
        self.assertEqual(server.metric("fmads_engine_actions_applied_total"), 1)
        latest = server.get("/v1/instruments/AAPL/latest?domain=run").json()
        self.assertLess(latest["trade"]["price"], 100)  # as quoted
        self.assertEqual(latest["trade"]["size"], 100)
        server.stop()  # state and ratio come back from the snapshot
        server.start()
        later = [dict(record, ts=record["ts"] + 86400 * NS, price=record["price"] / 7 if record["price"] > 200 else record["price"])
                 for record in list(trades())[-20:]]
        server.ingest(later, "run")
        self.assertNotIn("market/price_spike", self.rules_that_fired(server))

    def test_a_split_that_is_not_told_of_looks_like_a_crash(self):
        server = self.start()
        server.ingest(list(trades()), "run")
        self.assertIn("market/price_spike", self.rules_that_fired(server))

    def test_files_are_read_again_when_they_change_and_kept_when_they_are_wrong(self):
        server = self.start(instruments="symbol,class\nAAPL,equity\n")
        self.folder_of(actions="symbol,effective,what,number,to\nAAPL,2014-06-09,spilt,7,\n")
        refused = wait_for("the refusal", lambda: server.events("reference_refused"))
        self.assertIn("kind of an action is not known", refused[0]["message"])
        self.folder_of(actions="symbol,effective,what,number,to\nAAPL,2014-06-09,split,7,\n")
        wait_for("the set with the action", lambda: [event for event in server.events("reference_current") if event["actions"] == "1"])
        server.ingest(list(trades()), "run")
        self.assertNotIn("market/price_spike", self.rules_that_fired(server))


if __name__ == "__main__":
    unittest.main()
