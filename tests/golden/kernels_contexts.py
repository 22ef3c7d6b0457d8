#!/usr/bin/env python3
"""Reference values for the detectors of windows and contexts: python3 tests/golden/kernels_contexts.py writes kernels_contexts_values.csv.

By the definitions in the headers, in plain Python, every row from all the rows before it. No code is shared with the kernels.
"""
import cmath
import math

import auto_reference
import kernels
import kernels_rows

NAN = float("nan")


class HalvedTail:
    """Counts of scores in higher groups of eight buckets, and in a bucket or a higher one of its group; all halved when `most` are in."""

    def __init__(self, most):
        self.most, self.count, self.above, self.at_least = most, 0, [0] * 8, [0] * 64

    def p(self, score):
        b = kernels.bucket(score)
        return (1 + self.above[b // 8] + self.at_least[b]) / (1 + self.count)

    def add(self, score):
        b = kernels.bucket(score)
        self.count += 1
        self.above = [n + (g < b // 8) for g, n in enumerate(self.above)]
        self.at_least = [n + (k // 8 == b // 8 and k <= b) for k, n in enumerate(self.at_least)]
        if self.count >= self.most:
            self.count //= 2
            self.above, self.at_least = [n // 2 for n in self.above], [n // 2 for n in self.at_least]


def judged(rows, readings, tail=None):
    """readings(values) gives, value by value, None until ready, else (score, what the tail ranks, expected, further outputs...)."""
    s = kernels.Series(rows, kernels.price_ok)
    tail, out, width = tail or kernels.Tail(), [], 4
    for reading in readings([row["price"] for row in s.rows]):
        if reading is None:
            out.append(None)
            continue
        score, ranked, expected, *others = reading
        width = 4 + len(others)
        out.append((score, tail.p(ranked), expected, 1.0, *others))
        tail.add(ranked)
    return kernels.over(rows, s, lambda k: out[k] or (NAN, NAN, NAN, 0.0) + (NAN,) * (width - 4))


def unit_shape(stretch):
    """Mean, norm and the stretch less the one and over the other; a flat one is the zero vector."""
    mean = math.fsum(stretch) / len(stretch)
    square = math.fsum((v - mean) ** 2 for v in stretch)
    if square <= (1e-10 * mean) ** 2 * len(stretch) or square <= 1e-200:
        return mean, 0.0, [0.0] * len(stretch)
    return mean, math.sqrt(square), [(v - mean) / math.sqrt(square) for v in stretch]


def matrix_profile(rows, length, kept):
    def readings(x):
        first, shapes, neighbour = (length + 1) // 2, {}, 0
        for n in range(len(x)):
            if n < length - 1:
                yield None
                continue
            shapes[n] = unit_shape(x[n - length + 1:n + 1])
            lags = [k for k in range(first, first + kept) if n - k >= length - 1]
            squares = {k: math.fsum((a - b) ** 2 for a, b in zip(shapes[n][2], shapes[n - k][2])) for k in lags}
            best = min(lags, key=lambda k: squares[k]) if lags else 0
            if lags:
                best = min(k for k in lags if squares[k] <= squares[best] + 1e-12)
            if len(lags) < min(kept, 4 * length):
                yield None
            else:
                mean, norm, _ = shapes[n - 1]
                past_mean, past_norm, _ = shapes[n - 1 - neighbour]
                expected = mean + (x[n - neighbour] - past_mean) * norm / past_norm if norm and past_norm else mean
                yield math.sqrt(length * squares[best]), 3072 * (squares[best] / 4) ** 2, expected, float(best)
            neighbour = best
    return judged(rows, readings)


def knn_shingle(rows, shingle, kept, neighbours, level):
    def apart(x, n, m):
        a, b = x[n - shingle + 1:n + 1], x[m - shingle + 1:m + 1]
        shift = 0.0 if level >= 0.5 else math.fsum(a) / shingle - math.fsum(b) / shingle
        return math.fsum((u - v - shift) ** 2 for u, v in zip(a, b)) / shingle

    def readings(x):
        distances, usual, nearest = 0, 0.0, []
        for n in range(len(x)):
            lags = [k for k in range(shingle, shingle + kept) if n - k >= shingle - 1]
            if not lags:
                yield None
                continue
            squares = {k: apart(x, n, n - k) for k in lags}
            found = sorted(lags, key=lambda k: (round(squares[k], 14), k))[:neighbours]
            distance = math.fsum(math.sqrt(squares[k]) for k in found) / len(found)
            score = min(1000.0, distance / usual) if usual > 0 else 1000.0 if distance > 0 else 0.0
            if len(lags) < min(kept, 4 * max(shingle, neighbours)):
                yield None
            else:
                level_now = math.fsum(x[n - shingle:n]) / shingle
                followed = [x[n - k] + (0.0 if level >= 0.5 else level_now - math.fsum(x[n - k - shingle:n - k]) / shingle) for k in nearest]
                yield score, 16 * score * score, math.fsum(followed) / len(followed), distance, float(found[0])
            nearest = found
            cut = min(distance, 8 * usual) if distances >= 16 and usual > 0 else distance
            distances = min(distances + 1, kept)
            usual += (cut - usual) / distances
    return judged(rows, readings)


def spectral_residual(rows, count):
    places = 16
    while places < count:
        places *= 2
    real = places - 5
    turn = [cmath.exp(-2j * math.pi * k / places) for k in range(places)]

    def transform(values, sign):
        return [sum(v * turn[sign * j * k % places] for j, v in enumerate(values)) for k in range(places)]

    def estimate(x, n):
        return x[n - 4] + math.fsum((x[n] - x[n - i]) / i for i in range(1, 6))

    def readings(x):
        for n in range(len(x)):
            if n < real - 1:
                yield None
                continue
            window = [v - x[n] for v in x[n - real + 1:n + 1]]  # exact, as neighbouring numbers are
            mean = math.fsum(window) / real
            amplitude = transform([v - mean for v in window] + [estimate(window, real - 2) - mean] * 5, 1)
            size = [max(abs(f), 1e-8 * max(abs(g) for g in amplitude)) for f in amplitude]
            flat = [f / (size[k - 1] * size[k] * size[(k + 1) % places]) ** (1 / 3) for k, f in enumerate(amplitude)]
            saliency = [abs(v) for v in transform(flat, -1)]
            near = saliency[max(0, real - 22):real - 1]
            score = min(1000.0, saliency[real - 1] / (math.fsum(near) / len(near)))
            yield score, score * score, estimate(x, n - 1)
    return judged(rows, readings)


class Contexts:
    """Counts of what followed each context, in groups of four places chosen by a hash of it."""

    def __init__(self, kept, levels):
        self.groups, self.levels = [[] for _ in range(kept // 4)], levels  # group: lists of tag, row met last, counts

    def find(self, key):
        key = (key ^ key >> 32) * 0x9E3779B97F4A7C15 % 2 ** 64
        group = self.groups[(key >> 32) * len(self.groups) >> 32]
        return group, key % 2 ** 32 | 1, next((one for one in group if one[0] == key % 2 ** 32 | 1), None)

    def came(self, key, level, row):
        group, tag, found = self.find(key)
        if found is None:
            found = [tag, row, [0] * self.levels]
            if len(group) < 4:
                group.append(found)
            else:
                group[min(range(4), key=lambda i: group[i][1])] = found
        found[1] = row
        found[2][level] += 1
        if sum(found[2]) == 512:
            found[2] = [c // 2 for c in found[2]]


def context_novelty(rows, levels, depth, kept, memory):
    def readings(x):
        sketch, contexts, past = auto_reference.Sketch(memory, 32), Contexts(kept, levels), []
        mean, number = [0.0] * levels, [0] * levels
        for n, value in enumerate(x):
            unit = next((abs(v - x[0]) for v in x[:n] if v != x[0]), 0.0)
            y = (value - x[0]) / unit if unit else 0.0
            below, equal, every = sketch.rank(y)
            r = (below + 0.5 * equal + 0.5) / (every + 1)
            at = r / 0.01 if r < 0.01 else levels - 1 + (r - 0.99) / 0.01 if r >= 0.99 else 1 + (r - 0.01) / 0.98 * (levels - 2)
            level = int(at)
            near = min(levels - 1, max(0, level - 1 if at - level < 0.25 else level + 1 if at - level >= 0.75 else level))
            keys = [17 ** d + sum((past[-1 - i] + 1) * 17 ** (d - 1 - i) for i in range(d)) for d in range(min(n, depth) + 1)]
            p = [1 / levels] * levels
            for key in keys:
                found = contexts.find(key)[2]
                if found:
                    e, total = max(1, sum(c > 0 for c in found[2])), sum(found[2])
                    p = [(c + e * q) / (total + e) for c, q in zip(found[2], p)]
            if n < 100:
                yield None
            else:
                known = [i for i in range(levels) if number[i]]
                expected = x[0] + unit * math.fsum(p[i] * mean[i] for i in known) / math.fsum(p[i] for i in known)
                score = max(0.0, -math.log(max(p[level], p[near])))
                yield score, 4 * score * score, expected
            for key in keys:
                contexts.came(key, level, n)
            if not unit and value != x[0]:
                y = (value - x[0]) / abs(value - x[0])
            sketch.add(y)
            number[level] += 1 if number[level] < memory else 0
            mean[level] += (y - mean[level]) / number[level]
            past.append(level)
    return judged(rows, readings)


def art_features(window):
    x, older, mean = window[-1], window[:len(window) // 2], math.fsum(window) / len(window)
    newer = window[len(older):]
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in window) / len(window))
    return [x, x - window[-2], mean, spread, x - mean, math.fsum(newer) / len(newer) - math.fsum(older) / len(older)]


def art(rows, count, kept, memory, rate):
    def readings(x):
        mean, spread, before, moved = None, [0.0] * 6, [0.0] * 6, 0.0
        prototypes, newest = [], None  # dictionaries: weight, uses, step, steps
        for n in range(len(x)):
            row = n - count + 1
            if row < 0:
                yield None
                continue
            feature = art_features(x[row:n + 1])
            d = [f - m for f, m in zip(feature, mean or feature)]
            u = [0.5 + 0.5 * a / (s + abs(a)) if a else 0.5 for a, s in zip(d, spread)]
            code = u + [1 - v for v in u]
            limit = min(0.25, max(0.02, moved))
            alike = [math.fsum(map(min, code, one["weight"])) for one in prototypes]
            if n < count + 130:
                yield None
            else:
                score = max(0.0, 1 - max(alike) / 6)
                yield score, 49152 * (score * score) ** 2, x[n - 1] + newest["step"], limit
            if newest:
                newest["steps"] = min(20, newest["steps"] + 1)
                newest["step"] += (feature[1] - newest["step"]) / newest["steps"]
            number = min(row + 1, memory)
            if row >= 16:
                d = [max(-8 * s, min(8 * s, a)) if s else a for a, s in zip(d, spread)]
            mean = [m + a / number for m, a in zip(mean or feature, d)]
            spread = [s + (abs(a) - s) / number for a, s in zip(d, spread)]
            if row:
                moved += (math.fsum(abs(a - b) for a, b in zip(u, before)) / 6 - moved) / min(row, memory)
            before = u
            if row < 30:
                continue
            fit = [i for i in range(len(prototypes)) if alike[i] >= 6 * (1 - limit)]
            if fit:
                newest = prototypes[max(fit, key=lambda i: alike[i] / (0.001 + math.fsum(prototypes[i]["weight"])))]
                newest["weight"] = [w + rate * (min(c, w) - w) for c, w in zip(code, newest["weight"])]
                newest["uses"] += 1
            else:
                newest = {"weight": code, "uses": 1.0, "step": 0.0, "steps": 0}
                if len(prototypes) < kept:
                    prototypes.append(newest)
                else:
                    prototypes[min(range(kept), key=lambda i: prototypes[i]["uses"])] = newest
            if n % int(memory) == 0:
                for one in prototypes:
                    one["uses"] /= 2
    return judged(rows, readings, HalvedTail(4 * memory))


CASES = [
    (matrix_profile, [20, 100]), (matrix_profile, [33, 400]), (matrix_profile, [50, 2000]), (matrix_profile, [12, 16]),
    (context_novelty, [8, 4, 2048, 5000]), (context_novelty, [16, 3, 100, 100]), (context_novelty, [3, 8, 64, 1000]),
    (art, [20, 128, 2000, 0.05]), (art, [7, 8, 100, 1]), (art, [32, 20, 300, 0.3]),
    (spectral_residual, [64]), (spectral_residual, [20]),
    (knn_shingle, [23, 1000, 8, 0]), (knn_shingle, [8, 100, 2, 1]), (knn_shingle, [30, 600, 12, 1]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
