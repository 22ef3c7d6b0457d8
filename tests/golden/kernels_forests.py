#!/usr/bin/env python3
"""Reference values for forests and projections of several series: python3 tests/golden/kernels_forests.py writes kernels_forests_values.csv.

Written from the headers of the kernels: the same random numbers, the same scale, the same windows, but plain lists, one node at a time.
"""
import math

import kernels_rows
from kernels import Tail

NAN = float("nan")
MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
ODD = 0xBF58476D1CE4E5B9


def mix(n):
    z = n * STEP & MASK
    z = (z ^ z >> 30) * ODD & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def mix_at(stream, n):
    return mix(stream << 40 | n)


def mix_fast(n):
    z = n * STEP & MASK
    return (z ^ z >> 32) * ODD & MASK


class Scaling:
    """kernels/common/scaling.h"""

    def __init__(self, dims, memory):
        self.dims, self.memory, self.count = dims, memory, 0.0
        self.centre, self.spread, self.inverse = [0.0] * dims, [0.0] * dims, [1e300] * dims

    def z(self, x):
        return [max(min((v - c) * i, 16.0), -16.0) for v, c, i in zip(x, self.centre, self.inverse)]

    def add(self, x):
        if self.count < self.memory:
            self.count += 1.0
            self.rate = 1.0 / self.count
        for j in range(self.dims):
            apart, floor = x[j] - self.centre[j], max(abs(self.centre[j]) * 1e-12, 1e-300)
            cut = abs(apart) if self.spread[j] <= floor else min(abs(apart), 8 * self.spread[j])
            self.centre[j] += math.copysign(cut, apart) * self.rate
            if self.count > 1:
                self.spread[j] += (cut - self.spread[j]) * self.rate
            self.inverse[j] = 1.0 / max(self.spread[j], abs(self.centre[j]) * 1e-12, 1e-300)


def inputs(row, dims):
    x = [row["price"]] + [row[f"x{k}"] for k in range(2, dims + 1)]
    return None if any(math.isnan(v) for v in x) else x


def over(rows, dims, step):
    """One tuple of outputs a row that has all its inputs, None for the others."""
    return [None if inputs(row, dims) is None else step(inputs(row, dims)) for row in rows]


def half_space_trees(rows, dims, trees, depth, count):
    scaling, tail = Scaling(dims, 4.0 * count), Tail()
    stands = {1: 1, 2: 2, 3: 3, 4: 4, 8: 5, 9: 6, 5: 7, 10: 8, 11: 9, 6: 10, 12: 11, 13: 12, 7: 13, 14: 14, 15: 15}
    ranges = [[mix(8 * t + j) >> 48 for j in range(8)] for t in range(trees)]
    windows = [{}]

    def way(t, u):
        """Keys of the nodes on the way down tree t: (levels above the block, place of the block, part of the level)."""
        digits = []
        for j in range(dims):
            far = max(ranges[t][j], 65536 - ranges[t][j])
            digits.append((u[j] * ((1 << 30) // far) >> 16) + 32768 - ranges[t][j] * 16384 // far)
        keys, path = [], 0
        for group in range((depth + 3) // 4):
            random = mix_fast((1 + 4 * t + group) << 40 | path)
            place, node = (path if group < 2 else random & 31), 1
            for level in range(4 * group + 1, min(4 * group + 4, depth) + 1):
                j = ((random >> 4 * stands[node] & 15) * dims // 16 + t) % dims
                node = 2 * node + (digits[j] >> 15)
                digits[j] = digits[j] * 2 & 65535
                keys.append((t, group, place, node))
            path = path << 4 | node & 15
        return keys

    def mass(window, key):
        t, group, place, node = key
        last = min(4, depth - 4 * group)
        while node < 1 << last:
            return mass(window, (t, group, place, 2 * node)) + mass(window, (t, group, place, 2 * node + 1))
        return min(window.get(key, 0), 255)

    def step(x):
        u = [max(0, min(65535, int(z * 4096.0 + 32768.0))) for z in scaling.z(x)]
        ways = [way(t, u) for t in range(trees)]
        out = (NAN, NAN, NAN, 0.0)
        if len(windows) > 1:
            total = 0
            for keys in ways:
                for level, key in enumerate(keys, 1):
                    m = mass(windows[-2], key)
                    if m <= count // 10 or level == depth:
                        total += m * 2 ** level
                        break
            score = 1.0 / (total * (8.0 / (trees * count * 2.0 ** depth)) + 1 / 1024)
            out = (score, tail.p(score), NAN, 1.0)
            tail.add(score)
        for keys in ways:
            for key in keys:
                windows[-1][key] = windows[-1].get(key, 0) + 1
        scaling.add(x)
        step.filled += 1
        if step.filled == count:
            windows.append({})
            step.filled = 0
        return out

    step.filled = 0
    return over(rows, dims, step)


CASES = [
    (half_space_trees, [8, 10, 8, 50]), (half_space_trees, [3, 4, 15, 40]), (half_space_trees, [1, 3, 6, 20]),
    (half_space_trees, [5, 64, 3, 300]),
]

if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
