#!/usr/bin/python3
"""How well `auto` finds labelled anomalies (tests/bench/quality), held at what was reached; and the scorer by examples worked by hand.

The recordings are nab/data and nab/windows.json in $FMADS_TESTDATA; without them the test is skipped by name, in CI it fails.
"""
import json
import math
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorded import data, script  # noqa: E402
import nab_score  # noqa: E402

STANDARD, CROSS_VALIDATED = 75, 68  # no less


class Quality(unittest.TestCase):
    def test_it_finds_what_it_has_found_before(self):
        folder = data("nab", "windows.json")
        with tempfile.TemporaryDirectory(prefix="fmads-quality-") as out:
            quality = script("quality")
            figures = quality.measure(os.environ["FMADS_BINARY"], folder, out)
        print("\n" + "\n".join(quality.table(figures)))
        self.assertGreaterEqual(figures["standard"]["score"], STANDARD)
        self.assertGreaterEqual(figures["standard"]["at_alarm"], STANDARD)
        self.assertGreaterEqual(figures["standard"]["cv"], CROSS_VALIDATED)


class Scorer(unittest.TestCase):
    """200 rows, one window: rows 100 to 119; 30 rows of probation."""

    def score(self, alarms, profile="standard"):
        times = ["2020-01-01 %02d:%02d:00" % (i // 60, i % 60) for i in range(200)]
        scores = [1.0 if i in alarms else 0.0 for i in range(200)]
        file = nab_score.File("a/b.csv", times, scores, [(times[100], times[119])])
        return nab_score.at_threshold(nab_score.Sweep([file]), profile, 0.5)

    def test_the_first_row_of_the_window_alone_is_perfect_and_nothing_is_zero(self):
        self.assertAlmostEqual(self.score({100}), 100)
        self.assertAlmostEqual(self.score({100, 105, 119}), 100)
        self.assertAlmostEqual(self.score(set()), 0)

    def test_a_late_find_is_worth_less(self):
        late = (2 / (1 + math.exp(5 * -1 / 20)) - 1) / (2 / (1 + math.exp(-5)) - 1)
        self.assertAlmostEqual(self.score({119}), 50 * (1 + late))
        self.assertAlmostEqual(self.score({119}, "reward_low_FN_rate"), 100 * (2 + late) / 3)

    def test_a_false_alarm_costs_its_weight_less_behind_a_window_and_nothing_in_probation(self):
        self.assertAlmostEqual(self.score({50, 100}), 50 * (2 - 0.11))
        self.assertAlmostEqual(self.score({100, 199}), 50 * (2 - 0.11))
        self.assertAlmostEqual(self.score({100, 199}, "reward_low_FP_rate"), 50 * (2 - 0.22))
        self.assertAlmostEqual(self.score({100, 120}), 50 * (2 + 0.11 * (2 / (1 + math.exp(5 / 19)) - 1)))
        self.assertAlmostEqual(self.score({29, 100}), 100)

    def test_the_threshold_is_the_best_in_sample_and_that_of_the_others_in_cross_validation(self):
        times = ["2020-01-01 %02d:%02d:00" % (i // 60, i % 60) for i in range(200)]
        files = []
        for k in range(4):  # in the last file the window's score is lower than another's false alarm
            scores = [0.0] * 200
            scores[100], scores[50] = (0.9, 0.8) if k < 3 else (0.7, 0.0)
            files.append(nab_score.File("%d.csv" % k, times, scores, [(times[100], times[119])]))
        sweep = nab_score.Sweep(files)
        best = nab_score.in_sample(sweep, "standard")
        self.assertEqual((best["threshold"], best["found"], best["false"]), (0.7, 4, 3))
        self.assertAlmostEqual(best["score"], 100 * (8 - 3 * 0.11) / 8)
        mean, _ = nab_score.cross_validated(sweep, "standard", cuts=3)
        # the last file is judged at 0.9 and missed; the others at 0.7 with a false alarm each
        self.assertAlmostEqual(mean, 100 * (6 - 3 * 0.11) / 8)

    def test_labels_of_both_spellings_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "a"))
            with open(os.path.join(folder, "a", "b.csv"), "w", encoding="utf-8") as file:
                file.write("timestamp,value,anomaly_score\n2020-01-01 00:00:00,1,0\n2020-01-01 00:01:00,1,\n")
            windows = [["2020-01-01 00:00:00.000000", "2020-01-01T00:01:00"]]
            for labels in ({"a/b.csv": windows}, {"a/b.csv": {"rows": 2, "windows": windows}}):
                with open(os.path.join(folder, "w.json"), "w", encoding="utf-8") as file:
                    json.dump(labels, file)
                (one,) = nab_score.load(folder, os.path.join(folder, "w.json"))
                self.assertEqual((one.window_count, len(one.judged())), (1, 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
