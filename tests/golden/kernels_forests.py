#!/usr/bin/env python3
"""Reference values for forests and projections of several series: python3 tests/golden/kernels_forests.py writes kernels_forests_values.csv.

Written from the headers of the kernels: the same random numbers, the same scale, the same windows, but plain lists, one node at a time.
"""
import ctypes
import math
import statistics

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


def below(mixed, bound):
    return (mixed >> 32) * bound >> 32


def f32(x):
    return ctypes.c_float(x).value


class Scaling:
    """kernels/common/scaling.h"""

    def __init__(self, dims, memory):
        self.dims, self.memory, self.count = dims, memory, 0.0
        self.centre, self.spread, self.inverse = [0.0] * dims, [0.0] * dims, [1e300] * dims

    def z(self, x):
        return [max(min((v - c) * i, 16.0), -16.0) for v, c, i in zip(x, self.centre, self.inverse)]

    def point(self, x):
        return [min(int(z * 1024.0 + 16384.0), 32767) for z in self.z(x)]

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


def shares(part):
    total = 0.0
    for v in part:
        total += v
    return tuple(v / total if total > 0 else NAN for v in part) + (NAN,) * (8 - len(part))


class Cut:
    """A node of a random cut tree: a leaf has a mass, others an input, a cut and two halves."""

    def __init__(self, low, high, mass=0, j=None, cut=None, halves=None):
        self.low, self.high, self.mass, self.j, self.cut, self.halves, self.above = low, high, mass, j, cut, halves, None

    def outside(self, v):
        return [max(a - x, 0) + max(x - b, 0) for a, x, b in zip(self.low, v, self.high)]

    def width(self):
        return sum(b - a for a, b in zip(self.low, self.high))

    def grow(self, v):
        self.low, self.high = list(map(min, self.low, v)), list(map(max, self.high, v))


class CutTree:
    def __init__(self):
        self.root, self.slots = None, {}

    def hang(self, old, new):
        new.above = old.above
        if old.above is None:
            self.root = new
        else:
            old.above.halves[old.above.halves.index(old)] = new

    def insert(self, v, b):
        leaf = Cut(list(v), list(v), 1)
        if self.root is None:
            self.root = leaf
            return leaf
        node, i = self.root, 0
        while True:
            out = node.outside(v)
            if node.mass and sum(out) == 0:
                node.mass += 1
                return node
            i += 1
            r = below(mix(b + i & MASK), sum(out) + node.width())
            if r < sum(out):
                j = 0
                while r >= out[j]:
                    r -= out[j]
                    j += 1
                up = v[j] > node.high[j]
                new = Cut(node.low, node.high, 0, j, (node.high[j] if up else v[j]) + r, [node, leaf] if up else [leaf, node])
                new.grow(v)
                self.hang(node, new)
                node.above = leaf.above = new
                return leaf
            node.grow(v)
            node = node.halves[v[node.j] > node.cut]

    def take_out(self, leaf):
        leaf.mass -= 1
        if leaf.mass:
            return
        node = leaf.above
        self.hang(node, node.halves[node.halves[0] is leaf])
        node = node.above
        while node is not None:
            one, two = node.halves
            node.low, node.high = list(map(min, one.low, two.low)), list(map(max, one.high, two.high))
            node = node.above

    def score(self, v, sample):
        way = [self.root]
        while not way[-1].mass:
            way.append(way[-1].halves[v[way[-1].j] > way[-1].cut])
        leaf, depth = way[-1], len(way) - 1
        out, part = leaf.outside(v), [0.0] * len(v)
        if sum(out) == 0:
            score = f32((1 - leaf.mass / (2 * sample)) / (depth + math.log2(leaf.mass + 1)))
        else:
            score = f32(1 / (depth + 1))
            part = [f32(e * f32(score / sum(out))) for e in out]
        for depth in range(depth - 1, -1, -1):
            out, width = way[depth].outside(v), way[depth].width()
            if sum(out) == 0:
                break
            unit = f32(1 / (sum(out) + width))
            keep, here = f32(width * unit), f32(unit / (depth + 1))
            score = f32(f32(sum(out) * here) + f32(keep * score))
            part = [f32(f32(e * here) + f32(a * keep)) for e, a in zip(out, part)]
        return score, part


def random_cut_forest(rows, dims, trees, sample, count):
    count = max(count, sample)
    scaling, tail, forest = Scaling(dims, float(count)), Tail(), [CutTree() for _ in range(trees)]

    def step(x):
        v, out, n = scaling.point(x), (NAN, NAN, NAN, 0.0) + (NAN,) * 8, step.n
        if n >= sample:
            total, parts = 0.0, [0.0] * dims
            for tree in forest:
                one, part = tree.score(v, sample)
                total += one
                parts = [f32(a + b) for a, b in zip(parts, part)]
            score = total * (math.log2(sample + 1) / trees)
            out = (score, tail.p(score ** 4), NAN, 1.0) + shares(parts)
            tail.add(score * score * (score * score))
        for t, tree in enumerate(forest):
            chance = 65536 if n < sample else 65536 * sample // min(n + 1, count)
            if mix_at(1, 32 * n + t // 4) >> 16 * (t % 4) & 65535 < chance:
                b, slot = mix_at(t + 2, n), n
                if n >= sample:
                    slot = below(mix(b), sample)
                    tree.take_out(tree.slots[slot])
                tree.slots[slot] = tree.insert(v, b)
        scaling.add(x)
        step.n += 1
        return out

    step.n = 0
    return over(rows, dims, step)


def loda(rows, dims, cuts, count):
    scaling, tail, weights = Scaling(dims, 4.0 * count), Tail(), []
    for k in range(cuts):
        used = math.floor(math.sqrt(dims) + 0.5) if dims != 2 else 1 if k % 4 == 3 else 2
        chosen, w = list(range(dims)), [0.0] * dims
        for i in range(used):
            other = i + below(mix_at(1, 16 * k + i), dims - i)
            chosen[i], chosen[other] = chosen[other], chosen[i]
        normal = [statistics.NormalDist().inv_cdf(((mix_at(2, 16 * k + i) >> 11) + 0.5) / 2 ** 53) for i in range(used)]
        for j, v in zip(chosen, normal):
            w[j] = f32(v / math.sqrt(sum(n * n for n in normal)))
        weights.append(w)
    bits = [f32(math.log2((count + 16) / (c + 1 / 32))) for c in range(count + 1)]
    windows, scales = [[[] for _ in range(cuts)]], [[(0.0, 3.0)] * cuts]  # projections of a window, a list a cut

    def bin_of(y, scale):
        return int(min(max(f32(f32(f32(y - scale[0]) * scale[1]) + 16), 0.0), 31.0))

    def total(values):
        start = 0.0
        for v in values:
            start = f32(start + v)
        return start

    def lanes(values):
        lane = [total(values[i::4]) for i in range(4)]
        return (lane[0] + lane[1]) + (lane[2] + lane[3])

    def shares_of(f):
        part = []
        for j in range(dims):
            n = sum(w[j] != 0 for w in weights)
            of = lanes([v if w[j] != 0 else 0.0 for v, w in zip(f, weights)])
            error = math.sqrt(1 / n + 1 / (cuts - n)) if 0 < n < cuts else 1.0
            part.append(max(of / n - (lanes(f) - of) / (cuts - n), 0.0) / error if 0 < n < cuts else of if n else 0.0)
        return shares(part)

    def step(x):
        z = [f32(v) for v in scaling.z(x)]
        y = [total(f32(a * b) for a, b in zip(w, z)) for w in weights]
        out = (NAN, NAN, NAN, 0.0) + (NAN,) * 8
        if len(scales) > 1:
            f = [bits[sum(bin_of(v, s) == bin_of(yk, s) for v in past)] for yk, s, past in zip(y, scales[-2], windows[-2])]
            score = lanes(f) / cuts
            out = (score, tail.p((score / 2) ** 4), NAN, 1.0) + shares_of(f)
            tail.add((score / 2) ** 4)
        for past, v in zip(windows[-1], y):
            past.append(v)
        if len(windows[-1][0]) == count:
            one_of, new = f32(1 / count), []
            for past, (centre, _) in zip(windows[-1], scales[-1]):
                distance = max(f32(total(abs(f32(v - centre)) for v in past) * one_of), f32(1e-3))
                new.append((f32(total(past) * one_of), f32(3 / distance)))
            scales.append(new)
            windows.append([[] for _ in range(cuts)])
        scaling.add(x)
        return out

    return over(rows, dims, step)


def isolation_forest(rows, dims, trees, sample, count):
    count, levels = max(count, sample), math.ceil(math.log2(sample))
    scaling, tail, made, ring = Scaling(dims, float(count)), Tail(), [], []

    def c(n):
        return 0.0 if n < 2 else 1.0 if n == 2 else f32(2 * (math.log(n - 1) + 0.5772156649) - 2 * (n - 1) / n)

    class Making:
        """A tree, one step an event; nodes by number: a length, or (input, cut)."""

        def __init__(self):
            self.points, self.next, self.nodes, self.waiting = [], 1, {}, {}

        def work(self):
            b = len(made)
            if len(self.points) < sample:
                for _ in range(min(64, sample - len(self.points))):
                    self.points.append(ring[below(mix_at(1, 512 * b + len(self.points)), len(ring))])
                self.waiting = {1: self.points}
                return
            done = 0
            while done < 64 and self.next < 1 << levels:
                done += self.make(self.next, mix_at(2, 512 * b + self.next)) + 1
                self.next += 1
            if self.next == 1 << levels:
                for n, points in self.waiting.items():
                    self.nodes[n] = f32(levels + c(len(points)))
                made.append(self.nodes)
                self.__init__()

        def make(self, n, r):
            if n not in self.waiting:
                return 0
            points, first = self.waiting.pop(n), below(r, dims)
            for j in [(first + i) % dims for i in range(dims)] if len(points) > 1 else []:
                low, high = min(v[j] for v in points), max(v[j] for v in points)
                if low < high:
                    cut = low + ((r & 0xFFFFFFFF) * (high - low) >> 32)
                    self.nodes[n] = (j, cut)
                    self.waiting[2 * n] = [v for v in points if v[j] <= cut]
                    self.waiting[2 * n + 1] = [v for v in points if v[j] > cut]
                    return len(points)
            self.nodes[n] = f32(n.bit_length() - 1 + c(len(points)))
            return len(points)

    def length(nodes, v):
        n = 1
        while isinstance(nodes[n], tuple):
            n = 2 * n + (v[nodes[n][0]] > nodes[n][1])
        return nodes[n]

    making = Making()

    def step(x):
        v, out = scaling.point(x), (NAN, NAN, NAN, 0.0)
        if len(made) >= min(10, trees):
            lengths = [length(nodes, v) for nodes in made[-trees:]]
            score = 2.0 ** (math.fsum(lengths) / len(lengths) * (-1.0 / c(sample)))
            out = (score, tail.p((2 * score) ** 8), NAN, 1.0)
            tail.add((2 * score) ** 8)
        if len(ring) < count:
            ring.append(v)
        else:
            ring[step.events % count] = v
        step.events += 1
        scaling.add(x)
        if step.events >= sample:
            making.work()
        return out

    step.events = 0
    return over(rows, dims, step)


def xstream(rows, dims, chains, depth, count):
    scaling, sums, tail = Scaling(dims, 4.0 * count), Scaling(dims, 4.0 * count), Tail()
    drawn = [[mix_at(1, 8 * k + j) % 6 for j in range(dims)] for k in range(dims)]
    signs = [[1.0 if j == k or drawn[k][j] == 0 else -1.0 if drawn[k][j] == 1 else 0.0 for j in range(dims)] for k in range(dims)]
    windows = [{}]

    def cells(c, u):
        """(chain, level, cell) down the chain; the latest bin of each feature it has divided, weighed, is kept in `parts`."""
        parts, turns = {}, {}
        for level in range(1, depth + 1):
            r = mix_at(2, 16 * c + level)
            feature = below(r, 2 * dims)
            turn = turns[feature] = turns.get(feature, -1) + 1
            bin_ = ((u[feature] * 2 ** turn + (mix_at(4, 16 * c + feature) >> 48)) % 2 ** 32) >> 16
            parts[feature] = bin_ * (r & 0xFFFFFFFF | 1)
            yield c, level, sum(parts.values()) * (mix_at(3, 16 * c + level) & 0xFFFFFFFF | 1) % 2 ** 32 // 2 ** 26

    def step(x):
        z = scaling.z(x)
        y = [sum(s * v for s, v in zip(sign, z)) for sign in signs]
        u = [int(16384.0 * v + 262144.0) for v in z + sums.z(y)]
        ways, out = [list(cells(c, u)) for c in range(chains)], (NAN, NAN, NAN, 0.0)
        if len(windows) > 1:
            least = [min(math.log2(1 + windows[-2].get(key, 0)) + key[1] for key in way) for way in ways]
            score = max(math.log2(count + 1) + 1 - math.fsum(least) / chains, 0.0)
            out = (score, tail.p((0.75 * score) ** 4), NAN, 1.0)
            tail.add((0.75 * score) ** 4)
        for way in ways:
            for key in way:
                windows[-1][key] = windows[-1].get(key, 0) + 1
        scaling.add(x)
        sums.add(y)
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
    (random_cut_forest, [8, 10, 32, 100]), (random_cut_forest, [3, 5, 64, 64]), (random_cut_forest, [1, 9, 16, 5000]),
    (loda, [8, 50, 60]), (loda, [2, 9, 100]), (loda, [1, 6, 20]),
    (isolation_forest, [8, 20, 64, 100]), (isolation_forest, [3, 12, 20, 300]), (isolation_forest, [1, 5, 16, 16]),
    (xstream, [8, 40, 15, 60]), (xstream, [3, 7, 8, 100]), (xstream, [1, 5, 16, 16]),
]

if __name__ == "__main__":
    kernels_rows.write_values(__file__, CASES)
