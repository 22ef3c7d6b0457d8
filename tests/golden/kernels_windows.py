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


CASES = [
    (simple_return, [0]), (simple_return, [3]), (event_return, [100]), (event_return, [1]), (volume_return, [32768]), (volume_return, [2048]),
    (rolling_moments, [100, 0]), (rolling_moments, [9, 0]), (rolling_moments, [100, 4]), (rolling_quantile, [0.5, 100]),
    (rolling_quantile, [0.99, 100]), (rolling_quantile, [0.1, 12]), (rolling_extremes, [100]), (rolling_extremes, [7]), (rsi, [14]), (rsi, [3]), (atr, [14]), (atr, [5]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
