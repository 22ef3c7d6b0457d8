#!/usr/bin/env python3
"""Reference values for the detectors of windows and contexts: python3 tests/golden/kernels_contexts.py writes kernels_contexts_values.csv.

By the definitions in the headers, in plain Python, every row from all the rows before it. No code is shared with the kernels.
"""
import cmath
import math

import kernels
import kernels_rows

NAN = float("nan")


def judged(rows, readings):
    """readings(values) gives, value by value, None until ready, else (score, what the tail ranks, expected, further outputs...)."""
    s = kernels.Series(rows, kernels.price_ok)
    tail, out, width = kernels.Tail(), [], 4
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


CASES = [
    (matrix_profile, [20, 100]), (matrix_profile, [33, 400]), (matrix_profile, [50, 2000]), (matrix_profile, [12, 16]),
    (spectral_residual, [64]), (spectral_residual, [20]),
    (knn_shingle, [23, 1000, 8, 0]), (knn_shingle, [8, 100, 2, 1]), (knn_shingle, [30, 600, 12, 1]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
