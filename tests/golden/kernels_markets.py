#!/usr/bin/env python3
"""Reference values for the kernels of volatility, quotes, trades, orders, shape and other instruments, from their headers' definitions.

python3 tests/golden/kernels_markets.py writes kernels_markets_values.csv beside itself. As in kernels.py each value is computed anew from all
rows before it, with fsum for sums; what is recursive by definition goes from row to row.
"""
import math

import kernels_rows
from kernels import NAN, Series, log_ratio, over, price_ok


def root(x):
    return math.sqrt(x) if x >= 0 else NAN


def returns(prices):
    """Log return to each price; NaN for the first."""
    return [NAN] + [log_ratio(b, a) for a, b in zip(prices, prices[1:])]


def whole(s, k):
    return s.slice[k] >= s.slice[0] + 32


# ---- volatility ----

def bipower_variation(rows, window):
    s = Series(rows, price_ok, window)
    r = returns([x["price"] for x in s.rows])

    def value(k):
        if not whole(s, k):
            return (NAN,) * 3
        inside = s.inside(k, k + 1)
        all_of_it = math.fsum(r[j] ** 2 for j in inside if j > 0)
        smooth = math.pi / 2 * math.fsum(abs(r[j]) * abs(r[j - 1]) for j in inside if j > 1)
        return (smooth, math.sqrt(smooth), max(0.0, 1 - smooth / all_of_it) if all_of_it > 0 else NAN)
    return over(rows, s, value)


def jump(rows, count, among):
    s = Series(rows, price_ok)
    count, c = int(count), math.sqrt(2 / math.pi)
    r = returns([x["price"] for x in s.rows])
    d = math.sqrt(2 * math.log(among))
    centre, scale = d / c - (math.log(math.pi) + math.log(math.log(among))) / (2 * c * d), 1 / (c * d)

    def value(k):
        if k < count + 2:
            return (NAN,) * 3
        sigma = math.sqrt(math.fsum(abs(r[j] * r[j - 1]) for j in range(k - count, k)) / count)
        if sigma == 0:
            return (NAN,) * 3
        statistic = abs(r[k]) / sigma
        return (statistic, -math.expm1(-math.exp(-(statistic - centre) / scale)), math.sqrt(math.pi / 2) * sigma)
    return over(rows, s, value)


def bars(rows, count, variance_of):
    count = int(count)
    v = [variance_of(r) for r in rows]

    def value(k):
        if k + 1 < count:
            return (NAN,) * 3
        mean = math.fsum(v[k + 1 - count:k + 1]) / count
        before = math.fsum(v[k - count:k]) / count if k >= count else 0.0
        return (math.sqrt(mean), mean, math.sqrt(v[k] / before) if before > 0 else NAN)
    return [value(k) for k in range(len(rows))]


def parkinson(rows, count):
    return bars(rows, count, lambda r: log_ratio(r["high"], r["low"]) ** 2 / (4 * math.log(2)))


def garman_klass(rows, count):
    return bars(rows, count, lambda r: log_ratio(r["high"], r["low"]) ** 2 / 2 - (2 * math.log(2) - 1) * log_ratio(r["close"], r["open"]) ** 2)


CASES = [
    (bipower_variation, [3]), (bipower_variation, [20]), (jump, [10, 1000]), (jump, [60, 50]), (parkinson, [1]), (parkinson, [20]),
    (garman_klass, [1]), (garman_klass, [20]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
