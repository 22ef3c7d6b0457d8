#!/usr/bin/env python3
"""Reference values for the kernels of volatility, quotes, trades, orders, shape and other instruments, from their headers' definitions.

python3 tests/golden/kernels_markets.py writes kernels_markets_values.csv beside itself. As in kernels.py each value is computed anew from all
rows before it, with fsum for sums; what is recursive by definition goes from row to row.
"""
import math
from fractions import Fraction

import kernels_rows
from kernels import NAN, Series, log_ratio, over, price_ok, quiet_weights, quote_ok


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


def from_middle(row):
    """Twice the distance of the price from the middle of the quote, of the decimals that the feed sent."""
    price, bid, ask = (Fraction(repr(row[name])) for name in ("price", "bid", "ask"))
    return 2 * price - bid - ask


def signs(trades):
    """(sign, rule) of each trade: by its side, its quote, or the last different price."""
    out = []
    for k, row in enumerate(trades):
        changes = [j for j in range(1, k + 1) if trades[j]["price"] != trades[j - 1]["price"]]
        if row["side"] in (1.0, -1.0):
            out.append((row["side"], 1))
        elif quote_ok(row) and from_middle(row) != 0:
            out.append((math.copysign(1.0, from_middle(row)), 2))
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
    weights = quiet_weights([t for t, _, _ in pairs], half_life)
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


def neighbours(s):
    """(before, this) of intervals() where no night lies between: over half an hour and four slices without a row."""
    found = intervals(s)
    return [(a, b) for a, b in zip(found, found[1:]) if b[0] - a[0] - 1 <= max(4, 1800_000_000_000 // s.width)]


def kyle_lambda(rows, interval, half_life):
    s = Series(rows, price_ok, interval, 1)
    sign = [v for v, _ in signs(s.rows)]
    pairs = []
    for before, this in neighbours(s):
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
    for before, this in neighbours(s):
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


# ---- activity ----

def mean_of(values, weights):
    return math.fsum(w * v for w, v in zip(weights, values)) / math.fsum(weights)


def inter_arrival(rows, half_life):
    s = Series(rows, lambda r: True)
    out, waits = [(NAN,) * 3], []
    for k in range(1, len(rows)):
        wait = (s.time[k] - s.time[k - 1]) * 1e-9
        if len(waits) < 16:
            out.append((wait, NAN, NAN))
            waits.append(wait)
            continue
        mean = mean_of(waits, quiet_weights(s.time[1:k], half_life))
        out.append((wait, wait / mean, mean))
        waits.append(min(wait, 8 * mean))
    return out


def branching_of(dispersion):
    """n of a Hawkes process whose counts over 8 half-lives have that variance over mean, 0 … 0.95."""
    def surplus(n):
        k = (1 - n) * 8 * math.log(2)
        return 1 + n * (2 - n) / (1 - n) ** 2 * (1 + math.expm1(-k) / k) - dispersion
    low, high = 0.0, 0.95
    if surplus(high) <= 0 or dispersion <= 1:
        return high if dispersion > 1 else low
    for _ in range(200):
        n = (low + high) / 2
        low, high = (n, high) if surplus(n) < 0 else (low, n)
    return low


def hawkes(rows, half_life, memory, branching):
    s = Series(rows, lambda r: True, 8 * half_life, 1)
    beta, out = math.log(2) / half_life, []
    for k in range(len(rows)):
        counts, first = [], s.slice[0]
        for (a, i, j), b in zip(intervals(s), [n for n, _, _ in intervals(s)][1:]):
            if b <= s.slice[k]:
                counts += ([j - i + 1] if a > first else []) + [0] * min(b - a - 1, 16)
        if len(counts) < 8:
            out.append((NAN,) * 4)
            continue
        weights = [2.0 ** (-8 * half_life / memory * i) for i in range(len(counts))][::-1]
        m = mean_of(counts, weights)
        v = mean_of([(c - m) ** 2 for c in counts], weights)
        n = branching or branching_of(v / m)
        usual = m / (8 * half_life)
        excited = math.fsum(2.0 ** (-(s.time[k] - t) * 1e-9 / half_life) for t in s.time[:k])
        intensity = (1 - n) * usual + n * beta * excited
        out.append((intensity, intensity / usual, usual, n))
    return out


def action_counts(rows, window, over_line, under_line):
    s = Series(rows, lambda r: True, window)

    def value(k):
        inside = [rows[j]["action"] for j in s.inside(k, k + 1)]
        a, b = sum(v in over_line for v in inside), sum(v in under_line for v in inside)
        return (a / max(b, 1), a, b)
    return over(rows, s, value)


def order_to_trade(rows, window):
    return action_counts(rows, window, (1, 2, 3), (4,))


def cancel_ratio(rows, window):
    return action_counts(rows, window, (3,), (1,))


def quote_lifetime(rows, half_life, young):
    s = Series(rows, lambda r: True)

    def value(k):
        past = [(r["order_age"], w) for r, w in zip(rows, quiet_weights(s.time[:k + 1], half_life)) if r["action"] == 3]
        if len(past) < 16:
            return (NAN, NAN)
        weights = [w for _, w in past]
        return (math.exp(mean_of([math.log(a) for a, _ in past], weights)), mean_of([float(a < young) for a, _ in past], weights))
    return over(rows, s, value)


# ---- shape ----

def autocorrelation(rows, half_life, lag):
    s = Series(rows, price_ok)
    lag, r = int(lag), returns([x["price"] for x in s.rows])

    def value(k):
        pairs = [(s.time[j], r[j - lag], r[j]) for j in range(lag + 1, k + 1)]
        if len(pairs) < 30:
            return (NAN, NAN)
        weights = quiet_weights([t for t, _, _ in pairs], half_life)
        rho = moments(pairs, half_life)[1]
        return (rho, rho * math.fsum(weights) / math.sqrt(math.fsum(w * w for w in weights)))
    return over(rows, s, value)


def hurst(rows, half_life, scales):
    s = Series(rows, price_ok)
    scales, r = int(scales), returns([x["price"] for x in s.rows])
    weight = [2.0 ** (-i / 2) for i in range(scales)]
    centre = mean_of(range(scales), weight)

    def value(k):
        logs = []
        if k < 8 * 2 ** (scales - 1):
            return (NAN,)
        for i in range(scales):
            ends = range(2 ** i, k + 1, 2 ** i)  # the returns are r[1] … r[k]
            blocks = [math.fsum(r[e - 2 ** i + 1:e + 1]) ** 2 for e in ends]
            logs.append(math.log2(mean_of(blocks, quiet_weights([s.time[e] for e in ends], half_life))))
        slope = math.fsum(w * (i - centre) * v for i, (w, v) in enumerate(zip(weight, logs)))
        return (slope / math.fsum(w * (i - centre) ** 2 for i, w in enumerate(weight)) / 2,)
    return over(rows, s, value)


def permutation_entropy(rows, order, count):
    s = Series(rows, price_ok)
    order, count = int(order), int(count)
    x = [r["price"] for r in s.rows]

    def value(k):
        if k + 2 < count + order:
            return (NAN, NAN)
        runs = [tuple(sorted(range(order), key=lambda i: (x[e - order + 1 + i], i))) for e in range(k - count + 1, k + 1)]
        shares = [runs.count(p) / count for p in set(runs)]
        bits = -math.fsum(q * math.log2(q) for q in shares)
        return (abs(bits) / math.log2(math.factorial(order)), 1 - len(shares) / math.factorial(order))
    return over(rows, s, value)


def benford(rows, count):
    count = int(count)
    digits = [int(f"{r['size']:e}"[0]) for r in rows]
    expected = {d: count * math.log10(1 + 1 / d) for d in range(1, 10)}

    def value(k):
        if k + 1 < count:
            return (NAN,) * 3
        last = digits[k - count + 1:k + 1]
        part = {d: (last.count(d) - e) ** 2 / e for d, e in expected.items()}
        h = math.fsum(part.values()) / 2
        return (2 * h, math.exp(-h) * math.fsum(h ** i / math.factorial(i) for i in range(4)), max(part, key=part.get))
    return [value(k) for k in range(len(rows))]


# ---- sessions and other instruments ----

def session_profile(rows, bucket, days, sessions):
    s = Series(rows, lambda r: price_ok(r) and not math.isnan(r["session_minute"]))
    visits, out = [], []  # visit: [session, bucket, values, learnt]
    newest, session, time = -1.0, 0, 0
    for row in s.rows:
        x, minute, before, time = row["price"], row["session_minute"], time, max(time, row["ts_ns"])
        if visits and time - before > (minute - newest + 30) * 60e9 and row["ts_ns"] >= before:
            session, newest = session + 1, minute
        elif row["ts_ns"] >= before:
            newest = max(newest, minute)
        at = [session, int(newest / bucket)]
        if not visits or visits[-1][:2] != at:
            visits.append(at + [[], True])
        visits[-1][2].append(x)
        visits[-1][3] &= row["day_type"] == 0
        past = [v for v in visits[:-1] if v[1] == at[1] and v[3]]
        level = math.fsum(visits[-1][2]) / len(visits[-1][2])
        if len(past) < sessions:
            out.append((NAN, NAN, NAN, level))
            continue
        weights = [2.0 ** (-(past[-1][0] - v[0]) / days) for v in past]
        means = [math.fsum(v[2]) / len(v[2]) for v in past]
        expected = mean_of(means, weights)
        spreads = [math.fsum((y - m) ** 2 for y in v[2]) / len(v[2]) + (m - expected) ** 2 for v, m in zip(past, means)]
        out.append((x / expected, (x - expected) / math.sqrt(mean_of(spreads, weights)), expected, level))
    return over(rows, s, lambda k: out[k])


def both_ok(row):
    return price_ok(row) and not math.isnan(row["market"])


def slice_returns(s):
    """(slice, return of x, of the market) of each slice with rows after the first such."""
    return [(this[0], *(log_ratio(s.rows[this[2]][c], s.rows[before[2]][c]) for c in ("price", "market"))) for before, this in neighbours(s)]


def market_beta(rows, interval, half_life):
    s = Series(rows, both_ok, interval, 1)
    closed, found = slice_returns(s), intervals(s)

    def value(k):
        pairs = [((n + 1) * s.width, m, x) for n, x, m in closed if n < s.slice[k]]
        if len(pairs) < 30:
            return (NAN,) * 4
        beta, correlation, _, _, variance = moments(pairs, half_life)
        before = s.rows[[j for n, _, j in found if n < s.slice[k]][-1]]
        residual = log_ratio(s.rows[k]["price"], before["price"]) - beta * log_ratio(s.rows[k]["market"], before["market"])
        return (beta, residual, residual / math.sqrt(variance), correlation ** 2)
    return over(rows, s, value)


def market_correlation(rows, window):
    s = Series(rows, both_ok, window, 64)
    closed = slice_returns(s)

    def value(k):
        pairs = [(0, x, m) for n, x, m in closed if s.slice[k] - 64 < n < s.slice[k]]
        return (moments(pairs, 1.0)[1] if len(pairs) >= 16 else NAN, len(pairs))
    return over(rows, s, value)


def lead_lag(rows, interval, lags, half_life):
    s = Series(rows, both_ok, interval, 1)
    lags, series, last = int(lags), [], None  # series: (slice by which it is known, x, market)
    for n, x, m in slice_returns(s):
        if last is not None:
            series += [(n, 0.0, 0.0)] * min(n - last - 1, lags)
        series.append((n + 1, x, m))
        last = n

    def value(k):
        past = [(x, m) for n, x, m in series if n <= s.slice[k]]
        if len(past) < 64:
            return (NAN,) * 3
        weight = [2.0 ** (-interval / half_life * i) for i in range(len(past))][::-1]
        scale = math.sqrt(math.fsum(w * x * x for w, (x, _) in zip(weight, past)) * math.fsum(w * m * m for w, (_, m) in zip(weight, past)))
        r = {}
        for lag in sorted(range(-lags, lags + 1), key=lambda v: (abs(v), -v)):
            r[lag] = math.fsum(weight[j] * (past[j][0] * past[j - lag][1] if lag >= 0 else past[j][1] * past[j + lag][0])
                               for j in range(abs(lag), len(past))) / scale
        best = max(r, key=lambda v: abs(r[v]))
        return (best * interval, max(-1.0, min(1.0, r[best])), r[0])
    return over(rows, s, value)


def cross_rank(rows):
    return [((r["price"] - r["sector_mean"]) / r["sector_sd"] if r["sector_sd"] > 0 else NAN, r["sector_rank"]) if price_ok(r) else None for r in rows]


CASES = [
    (bipower_variation, [3]), (bipower_variation, [20]), (jump, [10, 1000]), (jump, [60, 50]), (parkinson, [1]), (parkinson, [20]),
    (garman_klass, [1]), (garman_klass, [20]),
    (queue_imbalance, []), (depth_imbalance, []), (trade_sign, []), (signed_volume, [3]), (kyle_lambda, [0.5, 10]), (kyle_lambda, [2, 1000]),
    (amihud, [4]), (amihud, [40]), (roll_spread, [3]), (roll_spread, [30]), (vpin, [5000, 10]), (vpin, [500, 50]),
    (inter_arrival, [5]), (inter_arrival, [600]), (hawkes, [0.1, 10, 0]), (hawkes, [0.5, 100, 0.6]), (order_to_trade, [3]), (cancel_ratio, [3]),
    (quote_lifetime, [10, 0.3]), (autocorrelation, [10, 1]), (autocorrelation, [100, 5]), (hurst, [20, 4]), (hurst, [1000, 6]),
    (permutation_entropy, [3, 50]), (permutation_entropy, [5, 300]), (benford, [50]), (benford, [400]),
    (session_profile, [1, 20, 1]), (session_profile, [5, 20, 5]), (market_beta, [0.5, 20]), (market_beta, [1.5, 1000]), (market_correlation, [16]),
    (market_correlation, [64]), (lead_lag, [0.2, 5, 10]), (lead_lag, [0.7, 20, 100]), (cross_rank, []),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
