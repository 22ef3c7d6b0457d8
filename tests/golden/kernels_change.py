#!/usr/bin/env python3
"""Reference values for the detectors of changes, seasons and tails: writes kernels_change_values.csv beside itself.

By the definitions in the kernels' headers, from scratch where these allow it; only the Python library, nothing shared with the kernels.
"""
import math
import statistics

import kernels_rows
from auto_reference import Sketch, f32
from kernels import NAN, Series, Tail, over, price_ok, quiet_weights, robust_scale, weighted


def detector(rows, judge, usable=price_ok):
    """judge(time, row) gives the outputs of a row, and is called in order."""
    s = Series(rows, usable)
    out = [judge(t, r) for t, r in zip(s.time, s.rows)]
    return over(rows, s, lambda k: out[k])


def hampel(rows, count, floor):
    values, tail, sigma = [], Tail(), 0.0

    def judge(_, row):
        nonlocal sigma
        x, last = row["price"], values[-count:]
        result = (NAN, NAN, NAN, 0.0)
        if len(last) >= 16:
            centre = statistics.median(last)
            sigma = max(robust_scale(last, centre, sigma), floor)
            if sigma > 0:
                score = abs(x - centre) / sigma
                result = (score, tail.p(score), centre, 1.0)
                tail.add(score)
        values.append(x)
        return result
    return detector(rows, judge)


def adwin(rows, delta, clock, clip):
    """Buckets are the lists of their values, oldest first."""
    tail = Tail()
    buckets = []
    now = {"score": NAN, "p": NAN, "mean": NAN, "sigma": NAN, "width": NAN, "change": 0.0, "seen": 0, "run": 0}

    def insert(x):
        buckets.append([x])
        size = 1
        while True:
            row = [i for i, b in enumerate(buckets) if len(b) == size]
            if len(row) <= 5:
                return
            first, second = row[:2]
            buckets[first:second + 1] = [buckets[first] + buckets[second]]
            size *= 2

    def ratios():
        every = [v for b in buckets for v in b]
        n, sigma, older = len(every), statistics.pstdev(every), 0
        for i, bucket in enumerate(buckets):
            older += len(bucket)
            if older >= 5 and n - older >= 5 and sigma > 0:
                m = 1 / (1 / older + 1 / (n - older))
                big = math.log(2 * math.log(n) / delta)
                epsilon = sigma * (math.sqrt(2 * big / m) + 2 * big / (3 * m))
                yield abs(statistics.fmean(every[:older]) - statistics.fmean(every[older:])) / epsilon, -i

    def fold():
        every = [v for b in buckets for v in b]
        now["mean"], now["sigma"] = statistics.fmean(every), statistics.pstdev(every)

    def check():
        fold()
        best = max(ratios(), default=(0.0, 0)) if now["sigma"] > 0 else None
        now["score"], now["p"] = (best[0], tail.p(8 * best[0])) if best else (NAN, NAN)
        if not best:
            return
        tail.add(8 * best[0])
        now["change"] = float(best[0] > 1)
        while best[0] > 1:
            del buckets[:1 - best[1]]
            best = max(ratios(), default=(0.0, 0))
            fold()
        if now["change"]:
            clean = abs(now["run"]) - 3
            while 0 < clean < sum(len(b) for b in buckets):
                del buckets[0]
            fold()
            now["sigma"], now["run"] = NAN, 0

    def judge(_, row):
        x, ready = row["price"], not math.isnan(now["score"])
        width = sum(len(b) for b in buckets)
        result = (now["score"], now["p"], now["mean"], 1.0, width, now["change"]) if ready else (NAN, NAN, NAN, 0.0, NAN, NAN)
        if now["sigma"] > 0:
            reach, away = clip * now["sigma"], x - now["mean"]
            side = int(math.copysign(1, away)) if abs(away) > reach / 2 else 0
            now["run"] = side + (now["run"] if side * now["run"] > 0 else 0)
            if abs(now["run"]) <= 3:
                x = max(now["mean"] - reach, min(now["mean"] + reach, x))
        insert(x)
        now["seen"] += 1
        now["change"] = 0.0
        if now["seen"] % clock == 0 and (width + 1 >= 30 or ready):
            check()
        return result
    return detector(rows, judge)


class Past:
    """Faded mean and sigma of the values kept so far, each time from scratch."""

    def __init__(self, half_life):
        self.half_life, self.values, self.times, self.moved = half_life, [], [], None

    def read(self):
        if len(self.values) < 30:
            return NAN, NAN
        mean, variance = weighted(self.values, self.times, self.half_life)
        return mean, math.sqrt(variance)

    def add(self, time, x):
        self.values.append(x)
        self.times.append(time)


class Moving:
    """Faded mean and sigma, from row to row where a change makes them anew."""

    def __init__(self, half_life):
        self.half_life, self.weight, self.level, self.mean, self.square, self.time = half_life * 1e9, 0.0, 0.0, 0.0, 0.0, None

    def add(self, time, x):
        keep = max(0.5, 2.0 ** (-(time - self.time) / self.half_life)) if self.time is not None else 0.0
        self.time = time
        old = self.level * keep
        self.level = old + 1
        self.weight = self.weight * keep + 1
        self.square = self.square * keep + old / self.level * (x - self.mean) ** 2
        self.mean = (old * self.mean + x) / self.level if old else x

    def sigma(self):
        return math.sqrt(self.square / self.weight)


def cusum(rows, half_life, drift, limit, clip, floor):
    past, tail = Moving(half_life), Tail()
    now = {"seen": 0, "up": [], "down": [], "hold": 0, "last": []}  # z - drift and times of the values since each sum left 0

    def judge(time, row):
        x, result, changed = row["price"], (NAN, NAN, NAN, 0.0, NAN, NAN), False
        if now["seen"] >= 30:
            mean, sigma = past.mean, max(past.sigma(), floor)
            z = max(-clip, min(clip, (x - mean) / sigma))
            for side, sign in (("up", 1), ("down", -1)):
                terms = now[side] + [(sign * z - drift, time)]
                now[side] = terms if math.fsum(t for t, _ in terms) > 0 and not now["hold"] else []
            up, down = (math.fsum(t for t, _ in now[side]) for side in ("up", "down"))
            score, side, sign = (down, "down", -1) if down > up else (up, "up", 1)
            changed = score > limit
            since = (time - now[side][0][1]) / 1e9 if score > 0 else NAN
            result = (score, tail.p(score), mean, 1.0, float(sign * changed), since)
            tail.add(score)
            if changed:
                past.mean, past.level, past.time = statistics.median(now["last"][-2:] + [row["price"]]), 2.0, time
                now["hold"] = 8 + 1
                now.update(up=[], down=[])
            elif abs(z) == clip:
                x = mean + z * sigma
        if not changed:
            past.add(time, x)
        now["seen"] += 1
        now["hold"] = max(0, now["hold"] - 1)
        now["last"].append(row["price"])
        return result
    return detector(rows, judge)


class Nats:
    """Tail whose buckets are 4/5 nat from -8 on."""

    def __init__(self):
        self.tail = []

    @staticmethod
    def bucket(score):
        return max(0, min(63, math.floor((score + 8) * 1.25)))

    def p(self, score):
        return (1 + sum(b >= self.bucket(score) for b in self.tail)) / (1 + len(self.tail))

    def add(self, score):
        self.tail.append(self.bucket(score))


def bocpd(rows, half_life, gap, run, recent):
    past, tail, hazard = Past(half_life), Nats(), 1 / gap
    ages = []  # [values, weight, mean, beta], oldest first

    def density(age, x):
        values, _, mean, beta = age
        kappa, alpha = 0.1 + values, 1 + values / 2
        q = 2 * beta * (kappa + 1) / kappa
        log = math.lgamma(alpha + 0.5) - math.lgamma(alpha) - 0.5 * math.log(math.pi * q)
        return math.exp(log - (alpha + 0.5) * math.log1p((x - mean) ** 2 / q))

    def joined(age, x):
        values, weight, mean, beta = age
        if values + 1 >= run:
            beta *= (1 + values / 2 - 0.5) / (1 + values / 2)
            values -= 1
        kappa = 0.1 + values
        return [values + 1, weight, (kappa * mean + x) / (kappa + 1), beta + kappa * (x - mean) ** 2 / (2 * (kappa + 1))]

    def grow(x):
        joint = [age[1] * density(age, x) for age in ages]
        total = math.fsum(joint)
        older = []
        for age, value in zip(ages, joint):
            age = joined([age[0], value / total * (1 - hazard), age[2], age[3]], x)
            if len(older) == 1 and age[0] >= run - 1 and older[0][0] >= run - 1:
                age[1] += older.pop()[1]
            if age[1] >= min(0.03 * hazard, 3e-4):
                older.append(age)
        kept = math.fsum(age[1] for age in older) + hazard
        ages[:] = [[v, w / kept, m, b] for v, w, m, b in older]
        return hazard / kept

    def judge(time, row):
        x, result = row["price"], (NAN, NAN, NAN, 0.0, NAN, NAN)
        mean, sigma = past.read()
        if ages:
            joint = [age[1] * density(age, x) for age in ages]
            total = math.fsum(joint)
            share = [value / total * (1 - hazard) for value in joint]
            older = [min(age[0] + 1, run - 1) for age in ages]
            score = -math.log(total * sigma)
            change = hazard + math.fsum(w for w, n in zip(share, older) if n <= recent)
            result = (score, tail.p(score), math.fsum(age[1] * age[2] for age in ages), 1.0, change,
                      math.fsum(w * n for w, n in zip(share, older)))
            tail.add(score)
        weight = grow(x) if ages else 1.0
        kept = x if math.isnan(sigma) or abs(x - mean) <= 8 * sigma else mean + math.copysign(8 * sigma, x - mean)
        past.add(time, kept)
        mean, sigma = past.read()
        if not math.isnan(sigma):
            ages.append([0, weight, mean, sigma ** 2])
        return result
    return detector(rows, judge)


def faded_mean(values, times, half_life):
    w = quiet_weights(times, half_life)
    return math.fsum(a * v for a, v in zip(w, values)) / math.fsum(w)


def cut(residual, reach):
    return residual if math.isnan(reach) else max(-reach, min(reach, residual))


def holt_winters(rows, period, buckets, alpha, beta, gamma, half_life, clip):
    buckets, width, tail = int(buckets), int(period * 1e9) // int(buckets), Tail()
    season = {}
    now = {"whole": False, "level": NAN, "trend": 0.0, "first": None, "last": None, "open": None, "inside": []}
    kept, squares = [], []  # (time, value)

    def faded(pairs):
        return faded_mean([v for _, v in pairs], [t for t, _ in pairs], half_life)

    def sigma():
        return math.sqrt(faded(squares)) if len(kept) >= 30 else NAN

    def close():
        number, y = now["open"], statistics.fmean(now["inside"])
        b = number % buckets
        if now["whole"]:
            h = min(number - now["last"], buckets)
            base = now["level"] + h * now["trend"]
            season.setdefault(b, y - base)
            e = cut(y - base - season[b], clip * sigma())
            now["level"] = base + alpha * e
            now["trend"] += alpha * beta * e / h
            season[b] += gamma * (1 - alpha) * e
        else:
            season[b] = y
        now["last"] = number

    def judge(time, row):
        x, number = row["price"], time // width
        if now["open"] != number:
            if now["open"] is None:
                now["first"] = number
            else:
                close()
                if not now["whole"] and number - now["first"] >= buckets:
                    now["level"] = statistics.median(season.values())
                    season.update({b: y - now["level"] for b, y in season.items()})
                    now["whole"] = True
            now.update(open=number, inside=[])
        expected = faded(kept) if kept else NAN
        if now["whole"]:
            h = min(number - now["last"], buckets)
            expected = now["level"] + h * now["trend"] + season.get(number % buckets, 0.0)
        spread, result, residual = sigma(), (NAN, NAN, NAN, 0.0, NAN, NAN), x - expected
        if not math.isnan(spread):
            score = abs(residual) / spread
            own = season.get(number % buckets, NAN) if now["whole"] else NAN
            result = (score, tail.p(score), expected, 1.0, own, now["trend"] if now["whole"] else NAN)
            tail.add(score)
            residual = cut(residual, clip * (1 if now["whole"] else 4) * spread)
            x = expected + residual
        if kept:
            squares.append((time, residual ** 2))
        kept.append((time, x))
        now["inside"].append(x)
        return result
    return detector(rows, judge)


def seasonal_residual(rows, period, buckets, half_life, clip, floor):
    buckets, width, tail = int(buckets), int(period * 1e9) // int(buckets), Tail()
    visits = {b: [] for b in range(buckets)}  # (end, mean, mean distance)
    now = {"open": None, "inside": [], "away": []}
    kept, distances = [], []

    def faded(pairs):
        return faded_mean([v for _, v in pairs], [t for t, _ in pairs], half_life)

    def usual(mine, i):
        w = [2.0 ** (-(mine[-1][0] - visit[0]) / (half_life * 1e9)) for visit in mine]
        return math.fsum(a * visit[i] for a, visit in zip(w, mine)) / math.fsum(w)

    def judge(time, row):
        x, number = row["price"], time // width
        if now["open"] != number:
            if now["open"] is not None:
                inside, away = now["inside"], now["away"]
                end = (now["open"] + 1) * width
                visits[now["open"] % buckets].append((end, statistics.fmean(inside), statistics.fmean(away)))
            now.update(open=number, inside=[], away=[])
        mine = visits[number % buckets]
        expected = spread = NAN
        if len(mine) >= 2:
            expected, spread = usual(mine, 1), usual(mine, 2)
        elif kept:
            expected = faded(kept)
            spread = faded(distances) if distances else NAN
        sigma = max(math.sqrt(math.pi / 2) * spread, floor) if len(kept) >= 30 else NAN
        residual, result = x - expected, (NAN, NAN, NAN, 0.0, NAN, NAN)
        if not math.isnan(sigma):
            score = abs(residual) / sigma
            result = (score, tail.p(score), expected, 1.0, residual, float(len(mine)))
            tail.add(score)
            residual = cut(residual, clip * sigma)
            x = expected + residual
        now["inside"].append(x)
        now["away"].append(abs(residual) if kept else 0.0)
        if kept:
            distances.append((time, abs(residual)))
        kept.append((time, x))
        return result
    return detector(rows, judge)


class Excess:
    """The generalised Pareto tail of the centroids of a sketch, sign +1 above, -1 below."""

    def __init__(self, sketch, level, sign):
        line = sorted(((sign * mean, weight) for mean, weight, _ in sketch.centroids), reverse=True)
        need, weight, peaks = max(level * sketch.total, 10.0), 0.0, 0
        while peaks < len(line) and weight < need:
            weight += line[peaks][1]
            peaks += 1
        self.threshold = NAN
        if weight < need or peaks >= len(line):
            return
        edges = [(a * wb + b * wa) / (wa + wb) for (b, wb), (a, wa) in zip(line, line[1:])]  # edges[i] lies below line[i]
        self.threshold = edges[peaks - 1]
        y = [(mean - self.threshold, w) for mean, w in line[:peaks]]
        above = [math.fsum(w for _, w in y[:i]) for i in range(peaks)]
        median = next(v for (v, w), a in zip(y, above) if a + w >= weight / 2)
        reach = 5 * math.sqrt(weight) * median
        edge = [min(reach, e - self.threshold) for e in edges]
        y = [(min(reach, v), w) for v, w in y]
        width = [0.0] + [edge[i - 1] - edge[i] if y[i][1] > 1 else 0.0 for i in range(1, peaks)]
        a0 = math.fsum(w * v for v, w in y) / weight
        a1 = math.fsum(w * v * max(0.0, a + (w - 1) / 2) - b * (w * w - 1) / 12 for (v, w), a, b in zip(y, above, width))
        a1 /= (weight - 1) * weight
        shape = max(-0.5, 2 - a0 / (a0 - 2 * a1)) if a0 - 2 * a1 > 0 else -0.5
        self.shape = max(0.0, min(0.9, (weight * shape + 10) / (weight + 50)))
        self.scale = a0 * (1 - self.shape)
        self.share = (weight + 1) / (sketch.total + 1)

    def p(self, x):
        y = (x - self.threshold) / self.scale
        return max(1e-15, self.share * ((1 + self.shape * y) ** (-1 / self.shape) if self.shape > 0 else math.exp(-y)))

    def told(self, x, conformal, largest):
        """p of x, whose rank says `conformal`; the fit beyond all values if it is smaller."""
        return min(self.p(x), conformal) if largest and x > self.threshold else conformal

    def quantile(self, p):
        times = math.log(self.share / p)
        return self.threshold + self.scale * (math.expm1(times * self.shape) / self.shape if self.shape > 0 else times)


def middle(sketch):
    return [mean for mean, _, below in sketch.centroids if below <= sketch.total / 2][-1]


def calibrate(rows, memory, method, warm):
    sketch = Sketch(memory, 16)
    now = {"median": NAN, "tail": None, "seen": 0}

    def judge(_, row):
        now["first"] = now.get("first", row["price"])
        x, result, tail = row["price"] - now["first"], (NAN, NAN, NAN, 0.0, NAN), now["tail"]
        limit = tail.threshold if tail else NAN
        if now["seen"] >= warm:
            below, _, every = sketch.rank(x)
            p = (f32(every - below) + 1) / (every + 1)
            p = tail.told(x, p, below == every) if tail else p
            result = (-math.log10(p), p, now["first"] + now["median"], 1.0, now["first"] + limit)
        now["seen"] += 1
        sketch.add(min(x, tail.quantile(0.1 / memory)) if limit == limit else x)
        if not sketch.waiting:
            now["median"] = middle(sketch)
            now["tail"] = Excess(sketch, 0.02, 1) if method else None
        return result
    return detector(rows, judge)


def spot(rows, depth, risk, side, memory, warm):
    depth = int(depth)
    sketch, taken = Sketch(memory, 16), []
    now = {"median": 0.0, "upper": None, "lower": None, "high": NAN, "low": NAN}

    def known():
        return (side < 0 or now["high"] == now["high"]) and (side > 0 or now["low"] == now["low"])

    def p_of(v):
        below, equal, every = sketch.rank(v)
        up, down = (f32(every - below) + 1) / (every + 1), (f32(below + equal) + 1) / (every + 1)
        up = now["upper"].told(v, up, below == every) if now["upper"] else up
        down = now["lower"].told(-v, down, below + equal == 0) if now["lower"] else down
        return min(1.0, 2 * min(up, down)) if side == 0 else up if side > 0 else down

    def judge(_, row):
        x, result = row["price"], (NAN, NAN, NAN, 0.0, NAN, NAN)
        drift = statistics.fmean(taken[-depth:]) if depth and taken else 0.0
        v = x - drift
        if known():
            middle_v = now["median"]
            limit = now["high"] if side > 0 or (side == 0 and v > middle_v) else now["low"]
            score = (v - middle_v) / (limit - middle_v)
            if len(taken) >= depth + warm:
                result = (score, p_of(v), drift + middle_v, 1.0, drift + now["high"], drift + now["low"])
            v = middle_v + 2 * (limit - middle_v) if score > 2 else v
        if len(taken) >= depth:
            sketch.add(v)
            if not sketch.waiting:
                now["median"] = middle(sketch)
                part = risk / 2 if side == 0 else risk
                if side >= 0:
                    now["upper"] = Excess(sketch, 0.02, 1)
                    now["high"] = now["upper"].quantile(part) if now["upper"].threshold == now["upper"].threshold else NAN
                if side <= 0:
                    now["lower"] = Excess(sketch, 0.02, -1)
                    now["low"] = -now["lower"].quantile(part) if now["lower"].threshold == now["lower"].threshold else NAN
        taken.append(drift + v)
        return result
    return detector(rows, judge)


def several(dims):
    """The names of the series, and whether a row has them all."""
    names = ["price"] + [f"x{k}" for k in range(2, int(dims) + 1)]
    return names, lambda row: not any(math.isnan(row[name]) for name in names)


def parts(shares):
    return tuple(shares) + (NAN,) * (8 - len(shares))


class EvenNats(Nats):
    @staticmethod
    def bucket(score):
        return min(63, math.floor(1.25 * score))


def ecod(rows, dims, memory):
    names, usable = several(dims)
    sketches = [Sketch(memory, 32 - 4 * i) for i in range(len(names))]
    moments = [{"mean": 0.0, "variance": 0.0, "third": 0.0} for _ in names]
    tail, seen, first = EvenNats(), [], []

    def judge(_, row):
        if not first:
            first.extend(row[name] for name in names)
        x, result = [row[name] for name in names], (NAN, NAN, NAN, 0.0) + parts([])
        if len(seen) >= 30:
            left, right = [], []
            for sketch, value, origin in zip(sketches, x, first):
                below, equal, every = sketch.rank(value - origin)
                left.append(-math.log((f32(below + equal) + 1) / (every + 1)))
                right.append(-math.log((f32(every - below) + 1) / (every + 1)))
            skewed = [one if m["third"] < 0 else other for one, other, m in zip(left, right, moments)]
            most = max((left, right, skewed), key=math.fsum)
            score = math.fsum(most)
            result = (score, tail.p(score), moments[0]["mean"], 1.0) + parts([v / score if score > 0 else NAN for v in most])
            tail.add(score)
        seen.append(1)
        weight = min(len(seen), memory)
        for sketch, value, origin, m in zip(sketches, x, first, moments):
            d, sigma = value - m["mean"], math.sqrt(m["variance"])
            if m["variance"] > 1e-280:
                d = max(-8 * sigma, min(8 * sigma, d))
                m["third"] += ((d / sigma) ** 3 - m["third"]) / weight
            else:
                m["third"] -= m["third"] / weight
            m["mean"] += d / weight
            m["variance"] += (d * d * (1 - 1 / weight) - m["variance"]) / weight
            sketch.add(value - origin)
        return result
    return detector(rows, judge, usable)


def solve(matrix, vector):
    """Gauss with pivots."""
    a = [list(row) + [v] for row, v in zip(matrix, vector)]
    n = len(a)
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(a[k][i]))
        a[i], a[pivot] = a[pivot], a[i]
        for k in range(i + 1, n):
            times = a[k][i] / a[i][i]
            a[k] = [v - times * w for v, w in zip(a[k], a[i])]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (a[i][n] - math.fsum(a[i][k] * x[k] for k in range(i + 1, n))) / a[i][i]
    return x


def chi_square(x, freedom):
    """By the recursion Q(a + 1, h) = Q(a, h) + h^a e^-h / Gamma(a + 1)."""
    h = x / 2
    a, q = (1.0, math.exp(-h)) if freedom % 2 == 0 else (0.5, math.erfc(math.sqrt(h)))
    while a < freedom / 2:
        q += math.exp(a * math.log(h) - h - math.lgamma(a + 1)) if h > 0 else 0.0
        a += 1
    return max(1e-300, min(1.0, q))


def mahalanobis(rows, dims, half_life, shrink, clip, method):
    names, usable = several(dims)
    n = len(names)
    kept, times, tail = [], [], Tail()

    def judge(time, row):
        x, result = [row[name] for name in names], (NAN, NAN, NAN, 0.0) + parts([])
        if len(kept) >= 30 + 2 * n:
            w = quiet_weights(times, half_life)
            total = math.fsum(w)
            mean = [math.fsum(a * v[i] for a, v in zip(w, kept)) / total for i in range(n)]
            cov = [[math.fsum(a * (v[i] - mean[i]) * (v[j] - mean[j]) for a, v in zip(w, kept)) / total for j in range(n)] for i in range(n)]
            sigma = [math.sqrt(cov[i][i]) for i in range(n)]
            r = [[1.0 if i == j else (1 - shrink) * cov[i][j] / sigma[i] / sigma[j] for j in range(n)] for i in range(n)]
            v = [(x[i] - mean[i]) / sigma[i] for i in range(n)]
            square = math.fsum(a * b for a, b in zip(v, solve(r, v)))
            score = math.sqrt(square)
            lost = []  # what the square loses without each
            for k in range(n):
                rest = [i for i in range(n) if i != k]
                u = [v[i] for i in rest]
                lost.append(square - math.fsum(a * b for a, b in zip(u, solve([[r[i][j] for j in rest] for i in rest], u))))
            p = chi_square(square, n) if method else tail.p(score)
            result = (score, p, mean[0], 1.0) + parts([value / math.fsum(lost) for value in lost])
            tail.add(score)
            reach = clip * math.sqrt(n)
            if score > reach:
                x = [m + reach / score * (a - m) for a, m in zip(x, mean)]
        kept.append(x)
        times.append(time)
        return result
    return detector(rows, judge, usable)


def ensemble(rows, dims, method, given, budget, silence, memory, warm):
    names, _ = several(dims)
    sketches = [Sketch(memory, 32 - 4 * i) for i in range(len(names))]
    firsts = [None] * len(names)
    now = {"wealth": budget / 24, "spent": 0.0, "until": -math.inf, "level": 0.0, "time": None, "seen": 0}

    def p_of(sketch, first, value):
        if not given:
            return min(0.99, max(1e-15, value))
        below, _, every = sketch.rank(value - (value if first is None else first))
        return min(0.99, max(1e-15, (f32(every - below) + 1) / (every + 1)))

    def combined(p):
        n = len(p)
        if method == 0:
            nats = -math.fsum(math.log(v) for v in p)
            return math.exp(-nats) * math.fsum(nats ** k / math.factorial(k) for k in range(n))
        if method == 1:
            return 0.5 - math.atan(math.fsum(math.tan(math.pi * (0.5 - v)) for v in p) / n) / math.pi
        return n * min(p)

    def judge(time, row):
        x, result, alpha = [row[name] for name in names], (NAN, NAN, NAN, 0.0) + (NAN,) * 5, 0.0
        present = [i for i, v in enumerate(x) if not math.isnan(v)]
        wealth = now["wealth"]
        if now["time"] is not None:
            wealth += budget * (time - now["time"]) / 86400e9
        wealth = min(wealth, budget / 24)
        if now["seen"] >= warm:
            p = [p_of(sketches[i], firsts[i], x[i]) for i in present]
            evidence = [-math.log(v) if method == 0 else 1 / v for v in p]
            total = min(1.0, combined(p))
            silent = time < now["until"]
            alpha = 0.0 if silent else wealth / 64
            alarm = not silent and total <= alpha
            now["level"] = alpha if alarm else now["level"]
            if alarm or (silent and total <= now["level"]):
                now["until"] = time + int(silence * 1e9)
            result = (-math.log10(total), total, alpha, 1.0, float(alarm), now["spent"] + alpha,
                      1.0 + present[evidence.index(max(evidence))], max(evidence) / math.fsum(evidence), float(len(p)))
        now.update(wealth=wealth - alpha, spent=now["spent"] + alpha, time=time, seen=now["seen"] + 1)
        for i in present:
            firsts[i] = x[i] if firsts[i] is None else firsts[i]
            sketches[i].add(x[i] - firsts[i])
        return result
    return detector(rows, judge, lambda row: not all(math.isnan(row[name]) for name in names))


CASES = [
    (adwin, [0.002, 32, 5]), (adwin, [0.1, 5, 3]),
    (hampel, [100, 0]), (hampel, [21, 0.02]),
    (cusum, [10, 0.45, 10, 5, 0]), (cusum, [2, 0.3, 5, 3, 0.05]),
    (holt_winters, [8, 6, 0.2, 0.1, 0.3, 10, 5]), (holt_winters, [30, 40, 0.5, 0.5, 0.5, 3, 1.5]),
    (seasonal_residual, [8, 6, 60, 5, 0]), (seasonal_residual, [20, 50, 30, 1.5, 0.02]),
    (spot, [13, 1e-3, 0, 10000, 60]), (spot, [0, 1e-4, 1, 100, 100]), (spot, [0, 0.01, -1, 150, 30]),
    (calibrate, [1000, 0, 50]), (calibrate, [100, 1, 30]),
    (ecod, [1, 5000]), (ecod, [4, 150]), (ecod, [8, 1000]),
    (mahalanobis, [3, 30, 0.05, 5, 0]), (mahalanobis, [8, 60, 0.2, 2, 1]), (mahalanobis, [1, 30, 0.5, 3, 1]),
    (ensemble, [3, 0, 1, 200, 5, 1000, 30]), (ensemble, [5, 1, 1, 24, 3, 100, 60]), (ensemble, [8, 2, 1, 1000, 0.5, 300, 30]),
    (ensemble, [2, 1, 0, 5, 300, 10000, 10]),
    (bocpd, [10, 100, 50, 5]), (bocpd, [1800, 1000, 200, 10]),
]


if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
