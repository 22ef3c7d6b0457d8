#!/usr/bin/env python3
"""Reference values for averages, windows, quantiles and indicators: python3 tests/golden/kernels_windows.py writes kernels_windows_values.csv.

Each value is computed anew from the rows before it by the definition in the kernel's header, with exact fractions where sums could round;
only what is recursive by definition (Wilder's averages, P-square's markers, MACD) goes from row to row. No code is shared with the kernels.
"""
import decimal
import math
from fractions import Fraction

import kernels_rows

NAN = float("nan")
decimal.getcontext().prec = 40


def prices(rows):
    """(row, price) of the rows that a kernel of x takes."""
    return [(i, r["price"]) for i, r in enumerate(rows) if not math.isnan(r["price"])]


def placed(rows, at, values):
    """Values of the rows `at`, None for the others."""
    out = [None] * len(rows)
    for i, v in zip(at, values):
        out[i] = v
    return out


def over_prices(rows, value):
    """value(x, k): outputs of the k-th price, from all prices x."""
    taken = prices(rows)
    x = [p for _, p in taken]
    return placed(rows, [i for i, _ in taken], [value(x, k) for k in range(len(x))])


def rolling_extremes(rows, count):
    def value(x, k):
        window = x[max(0, k + 1 - count):k + 1]
        low, high = min(window), max(window)
        return low, high, (x[k] - low) / (high - low) if high > low else NAN
    return over_prices(rows, value)


def wilder(values, count):
    """Means of Wilder: None until `count` values are in."""
    out, average = [], None
    for k in range(len(values)):
        if k == count - 1:
            average = sum(Fraction(v) for v in values[:count]) / count
        elif k >= count:
            average = Fraction(float(average + (Fraction(values[k]) - average) / count))
        out.append(average)
    return out


def rsi(rows, count):
    x = [p for _, p in prices(rows)]
    change = [Fraction(b) - Fraction(a) for a, b in zip(x, x[1:])]
    up, down = wilder([max(c, 0) for c in change], count), wilder([max(-c, 0) for c in change], count)
    values = [(NAN,)]
    for u, d in zip(up, down):
        values.append((NAN,) if u is None else (float(100 * u / (u + d)),))
    return over_prices(rows, lambda _, k: values[k])


def atr(rows, count):
    """Bars without an input missing; every row is a bar."""
    ranges = []
    for k, row in enumerate(rows):
        high, low = Fraction(row["high"]), Fraction(row["low"])
        before = Fraction(rows[k - 1]["close"]) if k else None
        ranges.append(high - low if k == 0 else max(high - low, abs(high - before), abs(low - before)))
    return [(NAN if a is None else float(a), float(t), NAN if a is None else float(t / a)) for t, a in zip(ranges, wilder(ranges, count))]


def moments(sample, x):
    """Mean, standard deviation, skewness, excess kurtosis, z of x; sums are exact."""
    values = [Fraction(v) for v in sample]
    mean = sum(values) / len(values)
    m2, m3, m4 = (sum((v - mean) ** p for v in values) / len(values) for p in (2, 3, 4))
    if m2 == 0:
        return float(mean), 0.0, NAN, NAN, NAN
    std = math.sqrt(m2)
    return float(mean), std, float(m3) / std ** 3, float(m4 / m2 ** 2 - 3), float(Fraction(x) - mean) / std


def slices(rows, window):
    """For each price: the slice of a 32nd of the window that it lies in; time never runs backwards."""
    newest, out = 0, []
    for i, _ in prices(rows):
        newest = max(newest, rows[i]["ts_ns"])
        out.append(newest // (int(window * 1e9) // 32))
    return out


def rolling_moments(rows, count, window):
    at = slices(rows, window) if window else None

    def value(x, k):
        if not window:
            return moments(x[k - count:k], x[k]) if k >= count else (NAN,) * 5
        sample = [x[j] for j in range(k) if at[j] > at[k] - 32]
        if not sample:
            return (NAN,) * 5
        return moments(sample, x[k]) if len(sample) >= 8 else (moments(sample, x[k])[0],) + (NAN,) * 4
    return over_prices(rows, value)


def rolling_quantile(rows, q, count):
    def value(x, k):
        if k < count:
            return NAN, NAN
        sample = sorted(x[k - count:k])
        place = Fraction(q) * (count - 1)
        low = min(math.floor(place), count - 2)
        quantile = sample[low] + (place - low) * (Fraction(sample[low + 1]) - Fraction(sample[low]))
        return float(quantile), (sum(v < x[k] for v in sample) + sum(v <= x[k] for v in sample)) / (2 * count)
    return over_prices(rows, value)


def log_ratio(x, past):
    return float(decimal.Decimal(x).ln() - decimal.Decimal(past).ln())


def simple_return(rows, window):
    at = slices(rows, window) if window else None

    def value(x, k):
        old = [j for j in range(k) if not window or at[j] <= at[k] - 32]
        return (float(Fraction(x[k]) / Fraction(x[old[-1]]) - 1) if old else NAN,)
    return over_prices(rows, value)


def event_return(rows, count):
    return over_prices(rows, lambda x, k: (log_ratio(x[k], x[k - count]) if k >= count else NAN,))


def volume_return(rows, volume):
    taken = [i for i, _ in prices(rows)]
    width, traded, units, values = Fraction(volume) / 32, Fraction(0), [], []
    for i in taken:
        before, traded = traded, traded + Fraction(rows[i]["size"])
        units.append((before, traded, rows[i]["price"]))
        boundary = (traded // width - 31) * width
        held = [p for a, b, p in units if a < boundary <= b]
        values.append((log_ratio(rows[i]["price"], held[0]) if held else NAN,))
    return placed(rows, taken, values)


def welford(rows):
    def value(x, k):
        if k < 8:
            return (moments(x[:k], x[k])[0] if k else NAN,) + (NAN,) * 4
        return moments(x[:k], x[k])
    return over_prices(rows, value)


def p2(rows, q):
    x, values = [p for _, p in prices(rows)], []
    heights, places, shares = [], [1, 2, 3, 4, 5], [0.0, q / 2, q, (1 + q) / 2, 1.0]
    for k, v in enumerate(x):
        values.append((heights[{0: 0, 1: 4}.get(q, 2)] if k >= 5 else NAN,))
        if k < 5:
            heights = sorted(heights + [v])
            continue
        heights[0], heights[4] = min(v, heights[0]), max(v, heights[4])
        cell = max(i for i in range(4) if i == 0 or v >= heights[i])
        for i in range(cell + 1, 5):
            places[i] += 1
        for i in (1, 2, 3):
            off = 1.0 + k * shares[i] - places[i]
            d = 1 if off >= 1 and places[i + 1] - places[i] > 1 else -1 if off <= -1 and places[i - 1] - places[i] < -1 else 0
            if d == 0:
                continue
            h, n = heights, places
            up, down = (h[i + 1] - h[i]) / (n[i + 1] - n[i]), (h[i] - h[i - 1]) / (n[i] - n[i - 1])
            new = h[i] + d / (n[i + 1] - n[i - 1]) * ((n[i] - n[i - 1] + d) * up + (n[i + 1] - n[i] - d) * down)
            heights[i] = new if h[i - 1] < new < h[i + 1] else h[i] + d * (h[i + d] - h[i]) / (n[i + d] - n[i])
            places[i] += d
    return over_prices(rows, lambda _, k: values[k])


def splitmix64(n):
    z = n * 0x9E3779B97F4A7C15 % 2 ** 64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2 ** 64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2 ** 64
    return z ^ z >> 31


def quantile_sketch(rows, q, accuracy):
    top = math.ceil((3.06 / accuracy) ** 1.1085)
    levels, coins, values, answer, due = [[]], 0, [], NAN, 0

    def shares():
        out = [top]
        while len(out) < len(levels):
            out.insert(0, max(8, -(-2 * out[0] // 3)))
        return out

    for k, v in enumerate(p for _, p in prices(rows)):
        values.append((answer if k * accuracy >= 1 else NAN,))
        if sum(map(len, levels)) == sum(shares()):
            h = next(i for i, (level, share) in enumerate(zip(levels, shares())) if len(level) >= share)
            if h == len(levels) - 1:
                levels.append([])
            coins += 1
            rest = len(levels[h]) % 2
            levels[h + 1] = sorted(levels[h + 1] + levels[h][rest + splitmix64(coins) % 2::2])
            levels[h] = levels[h][:rest]
        levels[0] = sorted(levels[0] + [v])
        if k + 1 >= due:
            weight = 0
            for answer, w in sorted((u, 2 ** h) for h, level in enumerate(levels) for u in level):
                weight += w
                if weight >= q * (k + 1):
                    break
            due = k + 1 + int(0.25 * accuracy * (k + 1)) if len(levels) > 1 else 0
    return over_prices(rows, lambda _, k: values[k])


def bollinger(rows, count, width):
    def value(x, k):
        if k + 1 < count:
            return (NAN,) * 5
        mean, std, *_ = moments(x[k + 1 - count:k + 1], x[k])
        half = width * std
        return mean, mean + half, mean - half, 0.5 + 0.5 * (x[k] - mean) / half, 2 * half / mean
    return over_prices(rows, value)


def macd(rows, fast, slow, signal):
    x, values = [Fraction(p) for _, p in prices(rows)], []

    def averages(series, n, start):
        gain, average = Fraction(2) / (Fraction(n) + 1), start
        for v in series:
            average = Fraction(float(average + gain * (v - average)))
            yield average
    lines = [f - s for f, s in zip(averages(x, fast, x[0]), averages(x, slow, x[0]))]
    for k, (line, mean) in enumerate(zip(lines, averages(lines, signal, Fraction(0)))):
        values.append((float(line), float(mean), float(line - mean)) if k + 1 >= slow + signal else (NAN,) * 3)
    return over_prices(rows, lambda _, k: values[k])


def donchian(rows, count):
    values = []
    for k, row in enumerate(rows):
        if k < count:
            values.append((NAN,) * 4)
            continue
        upper, lower = max(r["high"] for r in rows[k - count:k]), min(r["low"] for r in rows[k - count:k])
        values.append((upper, lower, (upper + lower) / 2, (row["close"] - lower) / (upper - lower)))
    return values


def vwap(rows, window):
    at, taken = slices(rows, window), [i for i, _ in prices(rows)]

    def value(x, k):
        inside = [(Fraction(x[j]), Fraction(rows[taken[j]]["size"])) for j in range(k) if at[j] > at[k] - 32]
        if not inside:
            return NAN, NAN
        mean = sum(p * v for p, v in inside) / sum(v for _, v in inside)
        return float(mean), float(10000 * (Fraction(x[k]) / mean - 1))
    return over_prices(rows, value)


def twap(rows, window):
    width, newest, times = int(window * 1e9) // 32, 0, []
    for i, _ in prices(rows):
        newest = max(newest, rows[i]["ts_ns"])
        times.append(newest)

    def value(x, k):
        begin, total, time = (times[k] // width - 31) * width, Fraction(0), 0
        for j in range(k):
            stood = times[j + 1] - max(times[j], begin)
            if stood > 0:
                total, time = total + stood * Fraction(x[j]), time + stood
        if time == 0:
            return NAN, NAN
        return float(total / time), float(10000 * (Fraction(x[k]) * time / total - 1))
    return over_prices(rows, value)


CASES = [
    (bollinger, [20, 2]), (bollinger, [7, 3]), (macd, [12, 26, 9]), (macd, [3, 7, 2]), (donchian, [20]), (donchian, [4]),
    (vwap, [3]), (twap, [3]), (twap, [0.4]),
    (welford, []), (p2, [0.5]), (p2, [0.95]), (p2, [1]), (quantile_sketch, [0.5, 0.1]), (quantile_sketch, [0.9, 0.05]), (quantile_sketch, [0.01, 0.01]),
    (simple_return, [0]), (simple_return, [3]), (event_return, [100]), (event_return, [1]), (volume_return, [32768]), (volume_return, [2048]),
    (rolling_moments, [100, 0]), (rolling_moments, [9, 0]), (rolling_moments, [100, 4]), (rolling_quantile, [0.5, 100]),
    (rolling_quantile, [0.99, 100]), (rolling_quantile, [0.1, 12]), (rolling_extremes, [100]), (rolling_extremes, [7]), (rsi, [14]), (rsi, [3]), (atr, [14]), (atr, [5]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
