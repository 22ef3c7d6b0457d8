#!/usr/bin/env python3
"""Reference values for kernels: python3 tests/golden/kernels.py writes kernels_values.csv beside itself; kernels_rows.py makes the input.

Nothing here is incremental: each value is computed anew from all the rows before it, by the definition in the kernel's header, with
exact decimals for logarithms and fsum for sums. Only what is recursive by definition (samples cut before they enter a baseline, the
sums of Page-Hinkley) goes from row to row. Python's own library only; no code is shared with the kernels.
"""
import decimal
import functools
import math
import os
import random
import statistics

import auto_reference
import kernels_rows
import market_reference

NAN = float("nan")
HERE = os.path.dirname(os.path.abspath(__file__))
decimal.getcontext().prec = 40


def ln(x):
    return decimal.Decimal(x).ln()


def log_ratio(x, past):
    return float(ln(x) - ln(past))


class Series:
    """The rows that a kernel takes: index, time that never runs backwards, slice of a window."""

    def __init__(self, rows, usable, window=None, slices=32):
        newest = -(1 << 62)
        self.at = {}
        self.rows, self.time, self.slice = [], [], []
        self.width = int(window * 1e9) // slices if window else 1
        self.count = slices
        for i, row in enumerate(rows):
            if not usable(row):
                continue
            newest = max(newest, row["ts_ns"])
            self.at[i] = len(self.rows)
            self.rows.append(row)
            self.time.append(newest)
            self.slice.append(newest // self.width)

    def inside(self, k, past):
        """Rows before `past` in the window of row k."""
        return [j for j in range(past) if self.slice[j] > self.slice[k] - self.count]


def price_ok(row):
    return not math.isnan(row["price"])


def quote_ok(row):
    return row["bid"] > 0 and row["ask"] >= row["bid"]


def quiet_weights(times, half_life):
    """Weight of each row at the last one: 2^-age, where the time between two rows counts for one half-life at most."""
    age, weights = 0.0, [1.0]
    for a, b in zip(times[-2::-1], times[:0:-1]):
        age += min((b - a) / (half_life * 1e9), 1.0)
        weights.append(2.0 ** -age)
    return weights[::-1]


def weighted(values, times, half_life):
    """Mean and variance with these weights, from scratch."""
    w = quiet_weights(times, half_life)
    total = math.fsum(w)
    mean = math.fsum(a * v for a, v in zip(w, values)) / total
    variance = math.fsum(a * (v - mean) ** 2 for a, v in zip(w, values)) / total
    return mean, variance


def over(rows, series, value):
    """value(k) for rows that the kernel takes, None for the others."""
    return [value(series.at[i]) if i in series.at else None for i in range(len(rows))]


# ---- one function a kernel: list of output tuples, None = the row is missing ----

def log_return(rows, window):
    s = Series(rows, price_ok, window if window > 0 else None)
    x = [r["price"] for r in s.rows]

    def value(k):
        if window > 0:
            old = [j for j in range(k) if s.slice[j] <= s.slice[k] - 32]
        else:
            old = list(range(k))
        return (log_ratio(x[k], x[old[-1]]) if old else NAN,)
    return over(rows, s, value)


def return_z(rows, half_life, floor):
    s = Series(rows, price_ok)
    out, kept, times = [], [], []
    for k, row in enumerate(s.rows):
        r = log_ratio(row["price"], s.rows[k - 1]["price"]) if k else NAN
        z = sigma = NAN
        if len(kept) >= 30:
            mean, variance = weighted(kept, times, half_life)
            sigma = max(math.sqrt(variance), floor * 1e-4)
            z = (r - mean) / sigma
        out.append((z, sigma, r))
        if k:
            kept.append(mean + math.copysign(8.0, z) * sigma if abs(z) > 8.0 else r)
            times.append(s.time[k])
    return over(rows, s, lambda k: out[k])


class Baseline:
    """Samples with the active time at which they came; a silence counts for one window at most."""

    def __init__(self, half_life, warm_up, cut, floor):
        self.half_life, self.warm = half_life * 1e9, (warm_up or half_life / 4) * 1e9
        self.cut, self.floor, self.age, self.samples = cut, floor, 0, []

    def mean(self):
        if not self.samples:
            return 0.0
        newest = self.samples[-1][0]
        w = [2.0 ** (-(newest - t) / self.half_life) for t, _ in self.samples]
        return math.fsum(a * v for a, (_, v) in zip(w, self.samples)) / math.fsum(w)

    def add(self, elapsed, sample):
        self.age += elapsed
        if math.isnan(sample):
            return
        limit = self.cut * max(self.mean(), self.floor)
        if len(self.samples) >= 16 and limit > 0:
            sample = min(sample, limit)
        self.samples.append((self.age, sample))

    def ready(self):
        return len(self.samples) >= 16 and self.age >= self.warm


def move_z(rows, window, half_life, floor, warm_up):
    s = Series(rows, price_ok, window)
    squares = Baseline(half_life, warm_up, 16.0, (floor * 1e-4) ** 2)
    out = []

    def past(k, before):
        old = [j for j in range(before) if s.slice[j] <= s.slice[k] - 32]
        return s.rows[old[-1]]["price"] if old else NAN

    for k, row in enumerate(s.rows):
        if k and s.slice[k] > s.slice[k - 1]:
            p = past(k - 1, k - 1)
            m = NAN if math.isnan(p) else log_ratio(s.rows[k - 1]["price"], p)
            squares.add(min(s.slice[k] - s.slice[k - 1], 32) * s.width, m * m)
        p = past(k, k)
        m = NAN if math.isnan(p) else log_ratio(row["price"], p)
        sigma = math.sqrt(max(squares.mean(), squares.floor)) if squares.ready() else NAN
        out.append((m / sigma, m, sigma))
    return over(rows, s, lambda k: out[k])


def ewma(rows, half_life):
    s = Series(rows, price_ok)
    x = [r["price"] for r in s.rows]

    @functools.cache
    def faded(k):
        """Mean and weight of the rows before k, at the last of them."""
        w = [2.0 ** (-(s.time[k - 1] - t) / (half_life * 1e9)) for t in s.time[:k]]
        return (math.fsum(a * v for a, v in zip(w, x)) / math.fsum(w) if k else NAN), math.fsum(w)

    def value(k):
        if k == 0:
            return (NAN, NAN)
        gains = []
        for j in range(k):
            mean, weight = faded(j)
            gains.append((x[j] - mean) ** 2 * (1 - 1 / (weight * 2.0 ** (-(s.time[j] - s.time[max(j, 1) - 1]) / half_life / 1e9) + 1)) if j else 0.0)
        quiet = quiet_weights(s.time[:k], half_life)
        variance = math.fsum(w * g for w, g in zip(quiet, gains)) / math.fsum(quiet)
        return (faded(k)[0], (x[k] - faded(k)[0]) / math.sqrt(variance) if variance > 1e-24 else NAN)
    return over(rows, s, value)


def mid(rows):
    return [(float((decimal.Decimal(r["bid"]) + decimal.Decimal(r["ask"])) / 2),) if quote_ok(r) else (NAN,) for r in rows]


def microprice(rows):
    out = []
    for r in rows:
        if not quote_ok(r):
            out.append((NAN, NAN))
            continue
        b, bs, a, az = (decimal.Decimal(r[c]) for c in ("bid", "bid_size", "ask", "ask_size"))
        out.append((float((b * az + a * bs) / (bs + az)), float((bs - az) / (bs + az))))
    return out


def spread_of(row):
    if not (quote_ok(row) and row["ask"] > row["bid"]):
        return NAN, NAN
    b, a = decimal.Decimal(row["bid"]), decimal.Decimal(row["ask"])
    return float(a - b), float((a - b) / ((a + b) / 2) * 10000)


def spread(rows):
    return [spread_of(r) for r in rows]


def spread_ratio(rows, window, half_life, floor, warm_up):
    s = Series(rows, lambda r: not math.isnan(spread_of(r)[0]), window)
    usual = Baseline(half_life, warm_up, 4.0, floor)
    whole_ns = 32 * s.width
    bp = [spread_of(r)[1] for r in s.rows]
    stood = [0.0] + [min(s.time[k] - s.time[k - 1], whole_ns) * 1e-9 for k in range(1, len(bp))]

    def mean(k, last):
        inside = [j for j in range(1, last + 1) if s.slice[j] > s.slice[k] - 32]
        time = math.fsum(stood[j] for j in inside)
        return math.fsum(stood[j] * bp[j - 1] for j in inside) / time if time > 0 else NAN

    out = []
    for k in range(len(bp)):
        if k and s.slice[k] > s.slice[k - 1]:
            sample = mean(k - 1, k - 1) if usual.age + s.width >= whole_ns else NAN
            usual.add(min(s.slice[k] - s.slice[k - 1], 32) * s.width, sample)
        now = mean(k, k) if usual.age >= whole_ns else NAN
        u = usual.mean() if usual.ready() else NAN
        out.append((now / max(u, floor) if not math.isnan(u) else NAN, now, u))
    return over(rows, s, lambda k: out[k])


def rolling_min_max(rows, window):
    s = Series(rows, price_ok, window)

    def value(k):
        x = [s.rows[j]["price"] for j in s.inside(k, k) + [k]]
        low, high = min(x), max(x)
        return (low, high, (x[-1] - low) / (high - low) if high > low else NAN)
    return over(rows, s, value)


def realised_variance(rows, window):
    s = Series(rows, price_ok, window)
    squares = [0.0] + [log_ratio(s.rows[k]["price"], s.rows[k - 1]["price"]) ** 2 for k in range(1, len(s.rows))]

    def value(k):
        if s.time[k] < s.time[0] + 32 * s.width:
            return (NAN, NAN)
        total = math.fsum(squares[j] for j in s.inside(k, k + 1))
        return (total, math.sqrt(total))
    return over(rows, s, value)


def order_flow_imbalance(rows, window):
    s = Series(rows, quote_ok, window)
    e = [0.0]
    for old, new in zip(s.rows, s.rows[1:]):
        up = (new["bid_size"] if new["bid"] >= old["bid"] else 0.0) - (old["bid_size"] if new["bid"] <= old["bid"] else 0.0)
        down = (new["ask_size"] if new["ask"] <= old["ask"] else 0.0) - (old["ask_size"] if new["ask"] >= old["ask"] else 0.0)
        e.append(up - down)

    def value(k):
        if k == 0:
            return (NAN, NAN)
        inside = [e[j] for j in s.inside(k, k + 1)]
        gross = math.fsum(abs(v) for v in inside)
        return (math.fsum(inside), math.fsum(inside) / gross if gross > 0 else NAN)
    return over(rows, s, value)


def trade_imbalance(rows, window):
    s = Series(rows, price_ok, window)
    signed = []
    for k, row in enumerate(s.rows):
        side = row["side"]
        if math.isnan(side):
            changes = [j for j in range(1, k + 1) if s.rows[j]["price"] != s.rows[j - 1]["price"]]
            side = math.copysign(1.0, s.rows[changes[-1]]["price"] - s.rows[changes[-1] - 1]["price"]) if changes else 0.0
        signed.append(side * row["size"])

    def value(k):
        inside = s.inside(k, k + 1)
        net = math.fsum(signed[j] for j in inside)
        return (net / math.fsum(s.rows[j]["size"] for j in inside), net)
    return over(rows, s, value)


def surge(rows, amounts, window, half_life, warm_up, floor):
    """(total of the window, its ratio to the usual one, the usual one)"""
    s = Series(rows, lambda r: True, window)
    usual = Baseline(half_life, warm_up, 8.0, floor)
    whole_ns = 32 * s.width
    out = []
    for k in range(len(rows)):
        if k and s.slice[k] > s.slice[k - 1]:
            whole = usual.age + s.width >= whole_ns
            sample = math.fsum(amounts[j] for j in s.inside(k - 1, k)) if whole else NAN
            usual.add(min(s.slice[k] - s.slice[k - 1], 32) * s.width, sample)
        total = math.fsum(amounts[j] for j in s.inside(k, k + 1)) if usual.age >= whole_ns else NAN
        u = usual.mean() if usual.ready() else NAN
        out.append((total, total / max(u, floor) if not math.isnan(u) else NAN, u))
    return out


def event_rate(rows, window, half_life, floor, warm_up):
    out = surge(rows, [1.0] * len(rows), window, half_life, warm_up, floor * window)
    return [(total / window, ratio, usual / window) for total, ratio, usual in out]


def volume_ratio(rows, window, half_life, floor, warm_up):
    out = surge(rows, [r["size"] for r in rows], window, half_life, warm_up, floor)
    return [(ratio, total, usual) for total, ratio, usual in out]


def vwap_deviation(rows, window, floor):
    s = Series(rows, price_ok, window)

    def value(k):
        inside = [(decimal.Decimal(s.rows[j]["price"]), decimal.Decimal(s.rows[j]["size"])) for j in s.inside(k, k)]
        if not inside:
            return (NAN, NAN, NAN)
        volume = sum(v for _, v in inside)
        vwap = sum(p * v for p, v in inside) / volume
        sigma = float((sum(v * (p - vwap) ** 2 for p, v in inside) / volume).sqrt() / vwap)
        deviation = float(decimal.Decimal(s.rows[k]["price"]) / vwap - 1)
        return (1e4 * deviation, deviation / max(sigma, floor * 1e-4), float(vwap))
    return over(rows, s, value)


def bucket(score):
    if score < 1 / 16:
        return 0
    octave = math.floor(math.log2(score))
    return min(4 * (octave + 4) + int((score / 2.0 ** octave - 1.0) * 4) + 1, 63)


class Tail:
    def __init__(self):
        self.scores = []

    def p(self, score):
        larger = sum(1 for b in self.scores if b >= bucket(score))
        return (1 + larger) / (1 + len(self.scores))

    def add(self, score):
        self.scores.append(bucket(score))


def robust_scale(sample, centre, before):
    """1.4826 MAD; where that is 0, the share and the median distance of the values that differ; `before` if none does."""
    distances = [abs(v - centre) for v in sample]
    differ = [d for d in distances if d > 0]
    wide = statistics.median(distances) or (statistics.median(differ) * len(differ) / len(sample) if differ else 0.0)
    return wide / statistics.NormalDist().inv_cdf(0.75) or before


def robust_z(rows, window, floor):
    s = Series(rows, price_ok, window, 64)
    tail, out, sigma = Tail(), [], 0.0
    for k, row in enumerate(s.rows):
        last = {}
        for j in range(k):
            if s.slice[k] - 64 < s.slice[j] < s.slice[k]:
                last[s.slice[j]] = s.rows[j]["price"]
        sample = list(last.values())
        score = p = median = NAN
        ready = 0.0
        sigma = sigma if len(sample) >= 16 else 0.0
        if len(sample) >= 16:
            centre = statistics.median(sample)
            sigma = max(robust_scale(sample, centre, sigma), floor)
            if sigma > 0:
                score, median, ready = abs(row["price"] - centre) / sigma, centre, 1.0
                p = tail.p(score)
                tail.add(score)
        out.append((score, p, median, ready))
    return over(rows, s, lambda k: out[k])


def faded_detector(rows, half_life, clip, floor, judge):
    """`judge(z)` gives the score; a value is cut to clip sigma before it is learnt."""
    s = Series(rows, price_ok)
    tail, out, kept, times = Tail(), [], [], []
    for k, row in enumerate(s.rows):
        x, result = row["price"], (NAN, NAN, NAN, 0.0)
        if len(kept) >= 30:
            mean, variance = weighted(kept, times, half_life)
            sigma = max(math.sqrt(variance), floor)
            z = (x - mean) / sigma
            score = judge(z)
            result = (score, tail.p(score), mean, 1.0)
            tail.add(score)
            if clip and abs(z) > clip:
                x = mean + math.copysign(clip, z) * sigma
        out.append(result)
        kept.append(x)
        times.append(s.time[k])
    return over(rows, s, lambda k: out[k])


def ewma_z(rows, half_life, clip, floor):
    return faded_detector(rows, half_life, clip, floor, abs)


def page_hinkley(rows, half_life, drift, limit, clip, floor):
    sums = [0.0, 0.0]

    def judge(z):
        z = max(-clip, min(clip, z))
        up, down = max(0.0, sums[0] + z - drift), max(0.0, sums[1] - z - drift)
        score = max(up, down)
        sums[:] = [0.0, 0.0] if score > limit else [up, down]
        return score
    return faded_detector(rows, half_life, clip, floor, judge)


def auto(rows, *params):
    s = Series(rows, price_ok)
    tail, out = Tail(), []
    for score, expected, ready, evidence in auto_reference.auto(s.time, [r["price"] for r in s.rows], *params):
        p = NAN
        if ready:
            p = tail.p(evidence)
            tail.add(evidence)
        out.append((score, p, expected, ready, evidence))
    return over(rows, s, lambda k: out[k])


def judged_market(s, records, params):
    tail, out = Tail(), []
    for score, expected, ready, kind in market_reference.market(s.time, records, *params):
        p = NAN
        if ready:
            p = tail.p(score)
            tail.add(score)
        out.append((score, p, expected, ready, kind))
    return lambda k: out[k]


def market(rows, *params):
    s = Series(rows, price_ok)
    return over(rows, s, judged_market(s, [(r["price"],) * 4 for r in s.rows], params))


def market_bars(rows, *params):
    s = Series(rows, lambda row: True)
    return over(rows, s, judged_market(s, [(r["open"], r["high"], r["low"], r["close"]) for r in s.rows], params))


CASES = [
    (log_return, [0]), (log_return, [3]), (return_z, [10, 0.1]), (return_z, [0.8, 0.1]), (move_z, [2, 20, 1, 4]), (ewma, [5]), (ewma, [0.3]), (mid, []), (microprice, []),
    (spread, []), (spread_ratio, [2, 20, 0, 4]), (rolling_min_max, [3]), (realised_variance, [3]), (order_flow_imbalance, [2]),
    (trade_imbalance, [3]), (event_rate, [2, 20, 1, 4]), (volume_ratio, [2, 20, 0, 4]), (vwap_deviation, [3, 0.1]),
    (robust_z, [12, 0]), (ewma_z, [10, 8, 0]), (ewma_z, [0.8, 8, 0]), (page_hinkley, [10, 0.5, 20, 5, 0]),
    (auto, [2000, 3.5, 3, 0.03, 0.5, 5000]), (auto, [150, 1, 0.5, 0.05, 0.2, 1000]),
    (market, [1, 5000, 480, 20000, 3000, 4]), (market, [1.5, 100, 10, 100, 10, 2]),
    (market_bars, [1, 5000, 480, 20000, 3000, 4]), (market_bars, [1.5, 100, 10, 100, 10, 2]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
