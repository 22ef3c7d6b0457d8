#!/usr/bin/env python3
"""Reference values for the kernels of volatility, quotes, trades, orders, shape and other instruments, from their headers' definitions.

python3 tests/golden/kernels_markets.py writes kernels_markets_values.csv beside itself. As in kernels.py each value is computed anew from all
rows before it, with fsum for sums; what is recursive by definition goes from row to row.
"""
import math

import kernels_rows
from kernels import NAN, Series, log_ratio, over, price_ok, quote_ok


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


# ---- quotes and trades ----

def imbalance(bid, ask):
    return (bid - ask) / (bid + ask)


def queue_imbalance(rows):
    return [(imbalance(r["bid_size"], r["ask_size"]),) for r in rows]


def depth_imbalance(rows):
    return [(imbalance(r["bid_depth"], r["ask_depth"]), r["bid_depth"] + r["ask_depth"]) for r in rows]


def signs(trades):
    """(sign, rule) of each trade: by its side, its quote, or the last different price."""
    out = []
    for k, row in enumerate(trades):
        middle = (row["bid"] + row["ask"]) / 2
        changes = [j for j in range(1, k + 1) if trades[j]["price"] != trades[j - 1]["price"]]
        if row["side"] in (1.0, -1.0):
            out.append((row["side"], 1))
        elif quote_ok(row) and row["price"] != middle:
            out.append((math.copysign(1.0, row["price"] - middle), 2))
        elif changes:
            out.append((math.copysign(1.0, trades[changes[-1]]["price"] - trades[changes[-1] - 1]["price"]), 3))
        else:
            out.append((0.0, NAN))
    return out


def trade_sign(rows):
    s = Series(rows, price_ok)
    all_of_them = signs(s.rows)
    return over(rows, s, lambda k: all_of_them[k] if all_of_them[k][0] else (NAN, NAN))


def signed_volume(rows, window):
    s = Series(rows, price_ok, window)
    sign = [v for v, _ in signs(s.rows)]

    def value(k):
        inside = s.inside(k, k + 1)
        net = math.fsum(sign[j] * s.rows[j]["size"] for j in inside)
        return (net, net / math.fsum(s.rows[j]["size"] for j in inside))
    return over(rows, s, value)


def moments(pairs, half_life):
    """Faded regression of y on x over (time, x, y), a silence fading by one half at most: slope, correlation, both means, variance of the residual."""
    age, weights = 0.0, []
    for i in range(len(pairs) - 1, -1, -1):
        weights.append(2.0 ** -age)
        if i:
            age += min((pairs[i][0] - pairs[i - 1][0]) / (half_life * 1e9), 1.0)
    weights.reverse()
    total = math.fsum(weights)
    mx = math.fsum(w * x for w, (_, x, _) in zip(weights, pairs)) / total
    my = math.fsum(w * y for w, (_, _, y) in zip(weights, pairs)) / total
    xx = math.fsum(w * (x - mx) ** 2 for w, (_, x, _) in zip(weights, pairs))
    yy = math.fsum(w * (y - my) ** 2 for w, (_, _, y) in zip(weights, pairs))
    xy = math.fsum(w * (x - mx) * (y - my) for w, (_, x, y) in zip(weights, pairs))
    slope = xy / xx if xx > 1e-100 else NAN
    correlation = xy / math.sqrt(xx * yy) if xx > 1e-100 and yy > 1e-100 else NAN
    return slope, correlation, mx, my, max(0.0, yy - xy * slope) / total


def intervals(s):
    """Of each slice with rows: (number, index of its first row, of its last)."""
    found = []
    for k, n in enumerate(s.slice):
        if found and found[-1][0] == n:
            found[-1][2] = k
        else:
            found.append([n, k, k])
    return found


def kyle_lambda(rows, interval, half_life):
    s = Series(rows, price_ok, interval, 1)
    sign = [v for v, _ in signs(s.rows)]
    pairs = []
    for before, this in zip(intervals(s), intervals(s)[1:]):
        r = 1e4 * log_ratio(s.rows[this[2]]["price"], s.rows[before[2]]["price"])
        flow = math.fsum(sign[j] * s.rows[j]["size"] for j in range(this[1], this[2] + 1))
        pairs.append(((this[0] + 1) * s.width, flow, r))

    def value(k):
        past = [p for p in pairs if p[0] <= s.slice[k] * s.width]
        if len(past) < 16:
            return (NAN, NAN)
        slope, correlation = moments(past, half_life)[:2]
        return (slope, correlation ** 2)
    return over(rows, s, value)


def amihud(rows, window):
    s = Series(rows, price_ok, window)
    ratio = {}
    for before, this in zip(intervals(s), intervals(s)[1:]):
        value = math.fsum(s.rows[j]["price"] * s.rows[j]["size"] for j in range(this[1], this[2] + 1))
        ratio[this[0]] = abs(log_ratio(s.rows[this[2]]["price"], s.rows[before[2]]["price"])) / value

    def value(k):
        inside = [v for n, v in ratio.items() if s.slice[k] - 32 < n < s.slice[k]]
        traded = math.fsum(s.rows[j]["price"] * s.rows[j]["size"] for j in s.inside(k, k + 1))
        return (1e10 * math.fsum(inside) / len(inside) if inside else NAN, traded)
    return over(rows, s, value)


def roll_spread(rows, window):
    s = Series(rows, price_ok, window)
    r = [1e4 * v for v in returns([x["price"] for x in s.rows])]

    def value(k):
        inside = [j for j in s.inside(k, k + 1) if j > 1]
        if len(inside) < 16:
            return (NAN, NAN)
        newer, older = math.fsum(r[j] for j in inside) / len(inside), math.fsum(r[j - 1] for j in inside) / len(inside)
        covariance = math.fsum((r[j] - newer) * (r[j - 1] - older) for j in inside) / len(inside)
        return (2 * math.sqrt(max(0.0, -covariance)), covariance)
    return over(rows, s, value)


def vpin(rows, volume, count):
    s = Series(rows, price_ok)
    count, part, out = int(count), [], []  # part: of the open bucket, (size, side)
    buckets, squares, before = [], [], s.rows[0]["price"]
    for row in s.rows:
        left = min(row["size"], volume * count)
        while left > 0:
            take = min(left, volume - sum(v for v, _ in part))
            part.append((take, row["side"]))
            left -= take
            if sum(v for v, _ in part) < volume:
                continue
            r, before = log_ratio(row["price"], before), row["price"]
            squares.append(r * r)
            recent = squares[-count:]
            sigma = math.sqrt(math.fsum(recent) / len(recent))
            bulk = math.erfc(-r / sigma / math.sqrt(2)) / 2 if sigma > 0 else 0.5
            bought = math.fsum(v * (bulk if math.isnan(side) else max(side, 0)) for v, side in part)
            buckets.append((2 * bought - volume) / volume)
            part = []
        recent = buckets[-count:]
        out.append((math.fsum(map(abs, recent)) / count if len(recent) == count else NAN, buckets[-1] if buckets else NAN))
    return over(rows, s, lambda k: out[k])


CASES = [
    (bipower_variation, [3]), (bipower_variation, [20]), (jump, [10, 1000]), (jump, [60, 50]), (parkinson, [1]), (parkinson, [20]),
    (garman_klass, [1]), (garman_klass, [20]),
    (queue_imbalance, []), (depth_imbalance, []), (trade_sign, []), (signed_volume, [3]), (kyle_lambda, [0.5, 10]), (kyle_lambda, [2, 1000]),
    (amihud, [4]), (amihud, [40]), (roll_spread, [3]), (roll_spread, [30]), (vpin, [5000, 10]), (vpin, [500, 50]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
