#!/usr/bin/env python3
"""Reference values for averages, windows, quantiles and indicators: python3 tests/golden/kernels_windows.py writes kernels_windows_values.csv.

Each value is computed anew from the rows before it by the definition in the kernel's header, with exact fractions where sums could round;
only what is recursive by definition (Wilder's averages, P-square's markers, MACD) goes from row to row. No code is shared with the kernels.
"""
import math
from fractions import Fraction

import kernels_rows

NAN = float("nan")


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


CASES = [
    (rolling_extremes, [100]), (rolling_extremes, [7]), (rsi, [14]), (rsi, [3]), (atr, [14]), (atr, [5]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
