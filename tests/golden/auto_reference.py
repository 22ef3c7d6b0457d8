"""tests/golden/auto_reference.py - the detector `auto` by the definition in its header, for kernels.py; nothing is shared with the kernel.

Ranks are those of the sketch that kernels/common/ranks.h defines, in single precision as there: a product, sum or quotient of floats
computed in double and rounded once more is the one computed in float, so f32() after each operation gives the same bits.
"""
import math
import statistics
import struct

NAN = float("nan")


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


class Sketch:
    def __init__(self, memory, due):
        self.memory, self.due = f32(memory), due
        self.centroids = []  # (mean, weight, weight below)
        self.total = 0.0
        self.waiting = []

    def add(self, value):
        self.waiting.append(f32(value))
        if len(self.waiting) >= self.due:
            self.merge()
            self.due = 32

    def merge(self):
        fresh = float(len(self.waiting))
        keep = 1.0
        if f32(self.total + fresh) > self.memory:
            keep = f32(f32(self.memory - fresh) / self.total)
        line = [(m, 0, f32(w * keep)) for m, w, _ in self.centroids] + [(m, 1, 1.0) for m in self.waiting]
        line = [(m, w) for m, _, w in sorted(line, key=lambda one: one[:2])]
        total = 0.0
        for _, w in line:
            total = f32(total + w)
        self.total, self.waiting = total, []
        join = 0.0
        while True:
            self.centroids = self.joined(line, join)
            if len(self.centroids) <= 96:
                return
            join = f32(join * 1.25) if join else f32(0.2)

    def joined(self, line, join):
        groups, below = [], 0.0
        mean, weight = line[0]
        for m, w in line[1:]:
            both = f32(weight + w)
            above = f32(f32(self.total - below) - both)
            if m == mean or both <= max(f32(join * min(below, above)), f32(0.7)):
                mean, weight = f32(mean + f32(f32(m - mean) * f32(w / both))), both
            else:
                groups.append((mean, weight, below))
                below = f32(below + weight)
                mean, weight = m, w
        return groups + [(mean, weight, below)]

    def rank(self, value):
        """weights of the smaller, the equal, all"""
        value = f32(value)
        smaller = [c for c in self.centroids if c[0] < value]
        same = [c for c in self.centroids if c[0] == value]
        below = self.centroids[len(smaller)][2] if len(smaller) < len(self.centroids) else self.total
        below = f32(below + sum(1 for w in self.waiting if w < value))
        equal = f32((same[0][1] if same else 0.0) + sum(1 for w in self.waiting if w == value))
        return below, equal, f32(self.total + len(self.waiting))


def tail(rank):
    below, equal, every = rank
    return min(1.0, 2 * (min(f32(every - below), f32(below + equal)) + 1) / (every + 1))


def normal_score(rank):
    below, equal, every = rank
    if every < 2:
        return 0.0
    p = (below + 0.5 * equal + 0.5) / (every + 1)
    return statistics.NormalDist().inv_cdf(p) * min(1.0, every / 60)


def units(x, unit):
    """x / unit, rounded to 31 bits"""
    y = max(-1e30, min(1e30, x / unit)) if unit else 0.0
    mantissa, exponent = math.frexp(y)
    return math.ldexp(float(round(math.ldexp(mantissa, 31))), exponent - 31)


def faded_mean(values, memory):
    """Of a list, oldest first: each enters with weight 1 / min(its number, memory)."""
    mean = 0.0
    for number, value in enumerate(values, 1):
        mean += (value - mean) / min(number, memory)
    return mean


def policy(level, row, state, threshold, margin, hold, horizon):
    """The score of a level >= 0; `state` holds (silent until row, level of the alarm) for each of three bounds."""
    bounds = [threshold, 0.93 * threshold, 0.86 * threshold]
    score = None
    for i, bound in enumerate(bounds):
        until, last = state[i]
        if level < bound:
            continue
        if row >= until or level >= last + margin:
            last = level
            if score is None:
                score = level if i == 0 else min(level, 0.999 * bounds[i - 1])
        state[i] = (row + hold * min(row, horizon), last)
    if score is None:
        score = min(level, 0.999 * bounds[2])
    return score / (score + threshold)


def auto(times, values, memory, threshold, margin, hold, budget, horizon):
    """(score, expected, ready, evidence) of each row; times in ns that never run backwards."""
    streams = [Sketch(memory, 32 - 4 * i) for i in range(8)]
    smooth = {(view, n): [0.0, 0.0] for view in "zs" for n in (5, 25, 125)}  # weight, mean
    slots = [[] for _ in range(48)]
    state = [(0.0, 0.0)] * 3
    unit, past, out = 0.0, [], []
    for row, (ts, value) in enumerate(zip(times, values)):
        unit = unit or abs(value)
        x = units(value, unit)
        slot = ts // 1_800_000_000_000 % 48
        near = [(share * min(5, len(slots[at % 48])), faded_mean(slots[at % 48], 5))
                for at, share in ((slot - 1, 0.5), (slot, 1.0), (slot + 1, 0.5))]
        weight = sum(w for w, _ in near)
        usual = sum(w * m for w, m in near) / weight if weight else faded_mean(past, 500) if past else x
        views = {"z": normal_score(streams[0].rank(x)), "s": x - usual}
        stream = [x, views["s"]]
        for n in (5, 25, 125):
            for view in "zs":
                one = smooth[view, n]
                one[0] = one[0] * (1 - 2 / (n + 1)) + 1
                one[1] += (views[view] - one[1]) / one[0]
                stream.append(one[1])
        evidence = -math.fsum(math.log(tail(s.rank(v))) for s, v in zip(streams, stream)) / 8
        if row >= 30:
            level = max(0.0, evidence - budget * math.log(min(row + 1, horizon) / 1000))
            out.append((policy(level, row, state, threshold, margin, hold, horizon), usual * unit, 1.0, evidence))
        else:
            out.append((NAN, NAN, 0.0, NAN))
        for s, v in zip(streams, stream):
            s.add(v)
        slots[slot].append(x)
        past.append(x)
    return out
