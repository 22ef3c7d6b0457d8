"""How many labelled market events a detector's scores find at a given budget of false alarms.

A row above the threshold is an alarm. Outside of every event's window [start, end) alarms that follow each other within the group's merge time are
one false alarm; inside, they find the event. Optional events count neither way. The threshold of a group (tick, 1m, 1h, 1d) and budget is the lowest
at which the false alarms of all files together stay within budget * days (UTC days with a row). It is sought in the top 6 % of the rows alone:
below, alarms run into one another, and a detector that always alarms would have no false ones.
"""
import bisect
import collections
import csv
import datetime
import json
import os

GROUPS = {  # folder: name, merge time in seconds, budgets a file-day
    "tick": ("tick", 1800, (0.1, 1)),
    "bars_1m": ("1m", 1800, (0.1, 1)),
    "bars_1h": ("1h", 6 * 3600, (1 / 90, 1 / 30)),
    "bars_1d": ("1d", 3 * 86400, (1 / 250, 1 / 60)),
}
TOP = 0.06
FOLDS = 4
DAY_NS = 86400 * 10**9


def nanoseconds(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9


class Series:
    """The scores of one instrument of one file, with its events."""

    def __init__(self, file, rows, events):
        self.file, self.days = file, len({t // DAY_NS for t, _ in rows})
        self.size = len(rows)
        times = [t for t, _ in rows]
        self.best = []  # the highest score within each event that counts
        inside = bytearray(len(rows))
        for event in events:
            begin, end = (bisect.bisect_left(times, nanoseconds(event[k])) for k in ("start", "end"))
            inside[begin:end] = b"\1" * (end - begin)
            if not event.get("optional"):
                self.best.append(max((score for _, score in rows[begin:end]), default=0.0))
        self.outside = [row for row, found in zip(rows, inside) if not found]
        self.scores = [score for _, score in rows]

    def false_alarms(self, threshold, merge_s):
        count, last = 0, None
        for t, score in self.outside:
            if score > threshold:
                count += last is None or t - last > merge_s * 10**9
                last = t
        return count

    def keep_above(self, least):
        """Rows that no threshold sought can reach are forgotten."""
        self.outside = [row for row in self.outside if row[1] > least]


def load(scores, events_file):
    """-> {folder: [Series]}; fails where a file of the events has no scores."""
    with open(events_file, encoding="utf-8") as file:
        events = json.load(file)["events"]
    groups = {folder: [] for folder in GROUPS}
    for name in sorted({event["file"] for event in events}):
        rows = collections.defaultdict(list)
        with open(os.path.join(scores, name.split(".csv")[0] + ".scores.csv"), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows[row.get("instrument", "")].append((int(row["time_ns"]), float(row["score"])))
        for instrument, its in rows.items():
            mine = [e for e in events if e["file"] == name and (len(rows) == 1 or e["instrument"] == instrument)]
            if mine:
                groups[name.split("/")[0]].append(Series(name, its, mine))
    return groups


def candidates(group):
    """Thresholds worth a look, ascending."""
    scores = sorted((score for series in group for score in series.scores), reverse=True)
    top = sorted(set(scores[: max(1, int(TOP * len(scores)))]))
    for series in group:
        series.keep_above(top[0])
    return top


def threshold_of(group, values, merge_s, budget):
    low, high, allowed = 0, len(values) - 1, budget * sum(series.days for series in group)
    while low < high:
        middle = (low + high) // 2
        if sum(series.false_alarms(values[middle], merge_s) for series in group) > allowed:
            low = middle + 1
        else:
            high = middle
    return values[low]


def judge(group, threshold, merge_s):
    """-> events found, events, false alarms"""
    found = sum(best > threshold for series in group for best in series.best)
    return found, sum(len(series.best) for series in group), sum(series.false_alarms(threshold, merge_s) for series in group)


def figures(groups):
    """A row for each group and budget: in sample, and with the threshold of the other folds of files."""
    rows = []
    for folder, (name, merge_s, budgets) in GROUPS.items():
        group = groups[folder]
        values = candidates(group)
        files = sorted({series.file for series in group})
        folds = min(FOLDS, len(files))
        for budget in budgets:
            threshold = threshold_of(group, values, merge_s, budget)
            found, events, false = judge(group, threshold, merge_s)
            row = {"group": name, "budget": budget, "threshold": threshold, "found": found, "events": events, "false": false}
            frozen = [0, 0]
            for fold in range(folds):
                held = [series for series in group if files.index(series.file) % folds == fold]
                others = [series for series in group if files.index(series.file) % folds != fold]
                one = judge(held, threshold_of(others, values, merge_s, budget), merge_s)
                frozen = [frozen[0] + one[0], frozen[1] + one[2]]
            allowed = budget * sum(series.days for series in group)
            row.update(frozen=frozen[0], frozen_false_of_budget=round(frozen[1] / allowed, 2))
            rows.append(row)
    return rows
