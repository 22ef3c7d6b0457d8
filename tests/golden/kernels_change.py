#!/usr/bin/env python3
"""Reference values for the detectors of changes, seasons and tails: writes kernels_change_values.csv beside itself.

By the definitions in the kernels' headers, from scratch where these allow it; only the Python library, nothing shared with the kernels.
"""
import math
import statistics

import kernels_rows
from kernels import NAN, Series, Tail, over, price_ok

NORMAL = 1 / statistics.NormalDist().inv_cdf(0.75)


def detector(rows, judge, usable=price_ok):
    """judge(time, row) gives the outputs of a row, and is called in order."""
    s = Series(rows, usable)
    out = [judge(t, r) for t, r in zip(s.time, s.rows)]
    return over(rows, s, lambda k: out[k])


def hampel(rows, count, floor):
    values, tail = [], Tail()

    def judge(_, row):
        x, last = row["price"], values[-count:]
        result = (NAN, NAN, NAN, 0.0)
        if len(last) >= 16:
            centre = statistics.median(last)
            sigma = max(NORMAL * statistics.median(abs(v - centre) for v in last), floor)
            if sigma > 0:
                score = abs(x - centre) / sigma
                result = (score, tail.p(score), centre, 1.0)
                tail.add(score)
        values.append(x)
        return result
    return detector(rows, judge)


def adwin(rows, delta, clock, clip):
    """Buckets are the lists of their values, oldest first."""
    tail = Tail()
    buckets = []
    now = {"score": NAN, "p": NAN, "mean": NAN, "sigma": NAN, "width": NAN, "change": 0.0, "seen": 0}

    def insert(x):
        buckets.append([x])
        size = 1
        while True:
            row = [i for i, b in enumerate(buckets) if len(b) == size]
            if len(row) <= 5:
                return
            first, second = row[:2]
            buckets[first:second + 1] = [buckets[first] + buckets[second]]
            size *= 2

    def ratios():
        every = [v for b in buckets for v in b]
        n, sigma, older = len(every), statistics.pstdev(every), 0
        for i, bucket in enumerate(buckets):
            older += len(bucket)
            if older >= 5 and n - older >= 5 and sigma > 0:
                m = 1 / (1 / older + 1 / (n - older))
                big = math.log(2 * math.log(n) / delta)
                epsilon = sigma * (math.sqrt(2 * big / m) + 2 * big / (3 * m))
                yield abs(statistics.fmean(every[:older]) - statistics.fmean(every[older:])) / epsilon, -i

    def fold():
        every = [v for b in buckets for v in b]
        now["mean"], now["sigma"] = statistics.fmean(every), statistics.pstdev(every)

    def check():
        fold()
        best = max(ratios(), default=(0.0, 0)) if now["sigma"] > 0 else None
        now["score"], now["p"] = (best[0], tail.p(8 * best[0])) if best else (NAN, NAN)
        if not best:
            return
        tail.add(8 * best[0])
        now["change"] = float(best[0] > 1)
        while best[0] > 1:
            del buckets[:1 - best[1]]
            best = max(ratios(), default=(0.0, 0))
            fold()
        if now["change"]:
            now["sigma"] = NAN

    def judge(_, row):
        x, ready = row["price"], not math.isnan(now["score"])
        width = sum(len(b) for b in buckets)
        result = (now["score"], now["p"], now["mean"], 1.0, width, now["change"]) if ready else (NAN, NAN, NAN, 0.0, NAN, NAN)
        if now["sigma"] > 0:
            x = max(now["mean"] - clip * now["sigma"], min(now["mean"] + clip * now["sigma"], x))
        insert(x)
        now["seen"] += 1
        now["change"] = 0.0
        if now["seen"] % clock == 0 and (width + 1 >= 30 or ready):
            check()
        return result
    return detector(rows, judge)


CASES = [
    (adwin, [0.002, 32, 5]), (adwin, [0.1, 5, 3]),
    (hampel, [100, 0]), (hampel, [21, 0.02]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
