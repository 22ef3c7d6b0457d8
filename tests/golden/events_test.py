#!/usr/bin/python3
"""How many labelled market events `market` finds (tests/bench/quality events), held at what was reached; and the scorer by examples worked by hand.

The recordings are market/events.json and the files it names in $FMADS_TESTDATA; without them the test is skipped by name, in CI it fails.
"""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorded import data, script  # noqa: E402
import market_score  # noqa: E402

FOUND = {"tick": (7, 7), "1m": (29, 39), "1h": (29, 30), "1d": (41, 45)}  # no less, at the low and the high budget
FROZEN = 0.85  # of these, with the threshold of other files
DAY = "2020-01-01T00:%02d:00Z"


class Quality(unittest.TestCase):
    def test_it_finds_what_it_has_found_before(self):
        folder = data("market", "events.json")
        with tempfile.TemporaryDirectory(prefix="fmads-events-") as out:
            quality = script("quality")
            figures = quality.measure_events(os.environ["FMADS_BINARY"], folder, out)
        print("\n" + "\n".join(quality.events_table(figures)))
        for k, row in enumerate(figures["groups"]):
            with self.subTest(group=row["group"], budget=row["budget"]):
                self.assertGreaterEqual(row["found"], FOUND[row["group"]][k % 2])
                self.assertGreaterEqual(row["frozen"], FROZEN * row["found"])


class Scorer(unittest.TestCase):
    """Rows a minute; an event from minute 20 to 30."""

    def series(self, scores, optional=False, count=60):
        begin = market_score.nanoseconds(DAY % 0)
        rows = [(begin + i * 60 * 10**9, scores.get(i, 0.0)) for i in range(count)]
        return market_score.Series("a", rows, [{"start": DAY % 20, "end": DAY % 30, "optional": optional}])

    def test_an_alarm_within_finds_the_event_and_one_at_its_end_is_false(self):
        self.assertEqual(market_score.judge([self.series({20: 3})], 2, 60), (1, 1, 0))
        self.assertEqual(market_score.judge([self.series({30: 3})], 2, 60), (0, 1, 1))
        self.assertEqual(market_score.judge([self.series({20: 2})], 2, 60), (0, 1, 0))

    def test_alarms_that_follow_each_other_are_one(self):
        scores = {1: 3, 2: 3, 3: 3, 9: 3, 20: 3}
        self.assertEqual(market_score.judge([self.series(scores)], 2, 60), (1, 1, 2))
        self.assertEqual(market_score.judge([self.series(scores)], 2, 600), (1, 1, 1))

    def test_an_optional_event_counts_neither_way(self):
        self.assertEqual(market_score.judge([self.series({20: 3}, optional=True)], 2, 60), (0, 0, 0))

    def test_the_threshold_is_the_lowest_within_budget(self):
        series = self.series({1: 5, 10: 4, 40: 3, 20: 6})
        values = [0.0, 3, 4, 5, 6]
        self.assertEqual(market_score.threshold_of([series], values, 60, 0), 5)
        self.assertEqual(market_score.threshold_of([series], values, 60, 1), 4)
        self.assertEqual(market_score.threshold_of([series], values, 60, 2), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
