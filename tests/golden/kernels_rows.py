#!/usr/bin/env python3
"""The rows that kernels are tested on: python3 tests/golden/kernels_rows.py writes kernels_input.csv beside itself.

A script of reference values, NAME.py, ends with `kernels_rows.write_values(__file__, CASES)`, which writes NAME_values.csv; CASES are
(function of the kernel's name, parameters), and the function gives one tuple of outputs a row, None for a row that the kernel passes over.
"""
import math
import os
import random

NAN = float("nan")
HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = ["ts_ns", "price", "size", "side", "bid", "bid_size", "ask", "ask_size", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "open", "high", "low",
           "close", "volume", "bid_depth", "ask_depth", "action", "order_size", "order_age", "session_minute", "day_type", "market",
           "sector_mean", "sector_sd", "sector_rank"]
KEPT = (1, 300, 350, 351, 411, 480, 530)  # and every thirteenth row


def make_rows(count=660, seed=20140502):
    """A random walk with quotes and trades; gaps, equal times, late rows, missing values, a bad print, a burst."""
    rng = random.Random(seed)
    rows, ts, price = [], 1399033800_000000000, 100.0
    for i in range(count):
        if i == 300:
            ts += 9_000_000_000
        elif i == 480:
            ts += 1_300_000_000
        elif 400 <= i < 440:
            ts += rng.randrange(1, 8_000_000)
        elif i % 29 != 7:
            ts += rng.randrange(1, 250_000_000)
        late = rng.randrange(0, 400_000_000) if i % 41 == 20 else 0
        price *= math.exp(rng.gauss(0, 2e-4))
        middle = round(price, 2)
        half = 0.005 * rng.randrange(1, 6 if i < 500 else 14)
        row = {
            "ts_ns": ts - late,
            "price": round(middle * (1.2 if i == 350 else 1.0), 2),
            "size": float(rng.randrange(1, 900) * (30 if i in (410, 411, 530) else 1)),
            "side": rng.choice([1.0, -1.0, NAN]),
            "bid": round(middle - half, 3),
            "bid_size": float(rng.randrange(1, 1000)),
            "ask": round(middle + half, 3),
            "ask_size": float(rng.randrange(1, 1000)),
        }
        if i % 53 == 11:
            row["price"] = NAN
        if i % 59 == 13:
            row["bid"] = NAN
        if i % 61 == 17:
            row["ask"] = row["bid"]
        rows.append(row)
    add_columns(rows)
    add_sector(rows)
    return rows


def add_columns(rows, seed=20250406):
    """Inputs of further kernels, from their own random numbers: other series, bars, depths, orders, a session, a market."""
    rng = random.Random(seed)
    before, market = 100.0, 50.0
    for i, row in enumerate(rows):
        price = row["price"] if not math.isnan(row["price"]) else before
        for k in range(2, 9):
            row[f"x{k}"] = k * price + rng.gauss(0, 1 + k) + (40 if i in (410, 530) and k in (3, 5) else 0)
        low, high = min(price, before), max(price, before)
        row["open"], row["close"] = before, price
        row["high"] = high + 0.01 * rng.randrange(0, 4)
        row["low"] = low - 0.01 * rng.randrange(0, 4)
        row["volume"] = float(rng.randrange(0, 5000))
        row["bid_depth"], row["ask_depth"] = float(rng.randrange(1, 5000)), float(rng.randrange(1, 5000))
        row["action"] = float(rng.choice([1, 1, 2, 3, 3, 4]))
        row["order_size"] = float(rng.randrange(1, 200))
        row["order_age"] = round(rng.expovariate(0.5), 6)
        row["session_minute"] = float((row["ts_ns"] // 1_000_000_000 - 1399033800) // 60) if i % 67 != 5 else NAN
        row["day_type"] = 0.0
        market = round(market * math.exp(rng.gauss(0, 1e-4) + 0.5 * math.log(price / before)), 4)
        row["market"] = market if i % 71 != 9 else NAN
        before = price


def add_sector(rows, seed=20261123):
    """How the price stands among those of its sector, from their own random numbers again."""
    rng = random.Random(seed)
    for i, row in enumerate(rows):
        row["sector_mean"] = round(100 + rng.gauss(0, 0.5), 4)
        row["sector_sd"] = round(rng.uniform(0.2, 2), 4) if i % 31 != 3 else 0.0
        row["sector_rank"] = round(rng.random(), 4)


def kept(i):
    return i % 13 == 5 or i in KEPT


def write_values(script, cases):
    rows, name = make_rows(), os.path.basename(script)
    with open(os.path.splitext(script)[0] + "_values.csv", "w") as file:
        file.write(f"# case,KERNEL,parameters...   then rows: index,outputs...   made by {name}\n")
        for function, params in cases:
            file.write(",".join(["case", function.__name__] + [f"{p:.17g}" for p in params]) + "\n")
            for i, values in enumerate(function(rows, *params)):
                if values is not None and kept(i):
                    file.write(",".join([str(i)] + [f"{v:.17g}" for v in values]) + "\n")


if __name__ == "__main__":
    with open(os.path.join(HERE, "kernels_input.csv"), "w") as out:
        out.write(",".join(COLUMNS) + "\n")
        for line in make_rows():
            out.write(",".join(str(line["ts_ns"]) if c == "ts_ns" else f"{line[c]:.17g}" for c in COLUMNS) + "\n")
