"""tests/bench/nab_score.py - the score of the Numenta Anomaly Benchmark, from its published definition; standard library only.

A. Lavin & S. Ahmad, "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark" (2015):
  - A row is a detection if its score is at least the threshold, one threshold for all files. The first 15 % of a file (of its first 5000
    rows) are probation and do not count.
  - In a label window of w rows, of which r is the last, the detection at row i is worth sigma(-(r - i + 1) / w) / sigma(-1), with
    sigma(y) = 2 / (1 + exp(5 y)) - 1. The earliest one alone counts; a window without one costs A_fn.
  - A detection outside costs A_fp * -sigma((i - r) / (w - 1)), r and w of the window before it: nearly nothing right behind it, A_fp from
    three widths on and where no window is before it.
  - The sum is scaled so that no detections at all are 0, and a detection in the first row of every window and nowhere else is 100.

The threshold that NAB publishes is the best one on the very files it is judged on (`in_sample`). `cross_validated` cuts the files into
folds at random, takes for each fold the threshold that is best on the others, and scores all folds together; mean and standard deviation
over a number of such cuts.
"""
import csv
import gzip
import json
import math
import os
import random

PROFILES = {  # weights of a window found, of a false detection, of a window missed
    "standard": (1.0, 0.11, 1.0),
    "reward_low_FP_rate": (1.0, 0.22, 1.0),
    "reward_low_FN_rate": (1.0, 0.11, 2.0),
}
CANDIDATES = 20000  # rows of the highest scores, among which the threshold is looked for


def sigma(y):
    return 2.0 / (1.0 + math.exp(5.0 * y)) - 1.0 if y <= 3.0 else -1.0


def same_time(text):
    return text.strip().replace("T", " ")[:19]


def read_rows(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class File:
    """Scores of one file and what each row is worth as a detection: (window or None, worth)."""

    def __init__(self, name, times, scores, windows):
        self.name, self.scores = name, scores
        self.probation = int(0.15 * min(len(times), 5000))
        self.window_count = len(windows)
        at = {}
        for i, time in enumerate(times):
            at.setdefault(same_time(time), i)
        spans = sorted((at[same_time(first)], at[same_time(last)]) for first, last in windows)
        self.worth = []
        for i in range(len(times)):
            inside = [k for k, (first, last) in enumerate(spans) if first <= i <= last]
            before = [span for span in spans if span[1] < i]
            if inside:
                first, last = spans[inside[-1]]
                self.worth.append((inside[-1], sigma(-(last - i + 1) / (last - first + 1)) / sigma(-1.0)))
            elif before:
                first, last = before[-1]
                self.worth.append((None, sigma((i - last) / (last - first)) if last > first else -1.0))
            else:
                self.worth.append((None, -1.0))

    def judged(self):
        """(score, window or None, worth) of the rows after probation that have a score."""
        return [(score, *worth) for score, worth in list(zip(self.scores, self.worth))[self.probation:] if not math.isnan(score)]


def load(results, labels):
    """The files that `labels` names, with their scores from the tree `results`."""
    with open(labels, encoding="utf-8") as file:
        named = json.load(file)
    files = []
    for name in sorted(named):
        windows = named[name]["windows"] if isinstance(named[name], dict) else named[name]
        rows = read_rows(os.path.join(results, name))
        if isinstance(named[name], dict) and named[name].get("rows", len(rows)) != len(rows):
            raise ValueError(f"{name}: {len(rows)} rows, the labels were made for {named[name]['rows']}")
        scores = [float(row["anomaly_score"] or "nan") for row in rows]
        files.append(File(name, [row["timestamp"] for row in rows], scores, windows))
    return files


class Sweep:
    """What every threshold makes of every file: for each file, the sums (true, false, found) that change at each candidate threshold."""

    def __init__(self, files):
        rows = sorted((score for file in files for score, *_ in file.judged()), reverse=True)[:CANDIDATES]
        self.thresholds = sorted(set(rows), reverse=True)
        index = {threshold: k for k, threshold in enumerate(self.thresholds)}
        self.files, self.changes = files, []
        for file in files:
            best, changes = {}, []
            events = sorted((e for e in file.judged() if e[0] in index), key=lambda e: -e[0])
            for score, window, worth in events:
                k = index[score]
                if window is None:
                    changes.append((k, 0.0, worth, 0))
                elif window not in best:
                    changes.append((k, worth, 0.0, 1))
                    best[window] = worth
                elif worth > best[window]:
                    changes.append((k, worth - best[window], 0.0, 0))
                    best[window] = worth
            self.changes.append(changes)

    def raw(self, members, weights):
        """Raw score of these files at every candidate; [0] is no detection at all."""
        tp, fp, fn = weights
        change = [0.0] * len(self.thresholds)
        windows = 0
        for m in members:
            windows += self.files[m].window_count
            for k, true, false, found in self.changes[m]:
                change[k] += tp * true + fp * false + fn * found
        total = [-fn * windows]
        for value in change:
            total.append(total[-1] + value)
        return total, windows


def best_of(raw):
    return max(range(len(raw)), key=lambda k: (raw[k], -k))


def scaled(raw, windows, weights):
    tp, _, fn = weights
    return 100.0 * (raw + fn * windows) / ((tp + fn) * windows)


def in_sample(sweep, profile):
    """{"score", "threshold", "found", "windows", "false"} at the threshold that is best on these very files."""
    weights = PROFILES[profile]
    raw, windows = sweep.raw(range(len(sweep.files)), weights)
    k = best_of(raw)
    threshold = sweep.thresholds[k - 1] if k else math.inf
    judged = [(m, e) for m, file in enumerate(sweep.files) for e in file.judged() if e[0] >= threshold]
    return {"score": scaled(raw[k], windows, weights), "threshold": threshold, "windows": windows,
            "found": len({(m, window) for m, (_, window, _) in judged if window is not None}),
            "false": sum(window is None for _, (_, window, _) in judged)}


def at_threshold(sweep, profile, threshold):
    """The score at one threshold for all."""
    weights = PROFILES[profile]
    raw, windows = sweep.raw(range(len(sweep.files)), weights)
    return scaled(raw[sum(t >= threshold for t in sweep.thresholds)], windows, weights)


def cross_validated(sweep, profile, folds=4, cuts=25, seed=1):
    """(mean, standard deviation) over `cuts` random cuts into folds, each judged at the threshold of the others."""
    weights = PROFILES[profile]
    rng = random.Random(seed)
    scores = []
    for _ in range(cuts):
        order = list(range(len(sweep.files)))
        rng.shuffle(order)
        parts = [sweep.raw(order[f::folds], weights) for f in range(folds)]
        total = 0.0
        for f in range(folds):
            others = [sum(values) for values in zip(*(parts[g][0] for g in range(folds) if g != f))]
            total += parts[f][0][best_of(others)]
        scores.append(scaled(total, sum(windows for _, windows in parts), weights))
    mean = sum(scores) / cuts
    return mean, math.sqrt(sum((s - mean) ** 2 for s in scores) / (cuts - 1))


def by_folder(sweep, profile):
    """{folder: score} with the threshold that is best on all the other folders."""
    weights = PROFILES[profile]
    folders = {}
    for m, file in enumerate(sweep.files):
        folders.setdefault(os.path.dirname(file.name), []).append(m)
    out = {}
    for folder, members in folders.items():
        others, _ = sweep.raw([m for m in range(len(sweep.files)) if m not in members], weights)
        raw, windows = sweep.raw(members, weights)
        if windows:
            out[folder] = scaled(raw[best_of(others)], windows, weights)
    return out
