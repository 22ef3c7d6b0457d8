"""The detector `market` by the definition in its header, for points and bars without spread: bars are made first, then every mean and every tail anew from all of them.

Python's own math, lists of every past value in place of histograms that are kept; shares no code with the kernel. Valid while no silence
is judged in a busy hour and a bar has fewer records than 8 times the mean, as in kernels_input.csv.
"""
import math
import struct

WEIGHT = [0.40, 0.10, 0.07, 0.12, 0.08, 0.30, 0.20]
USUAL = [0.80, 0.83, 0.60, 0.83, 0.60, 0.60, 0.90]
KIND = [1, 1, 1, 2, 2, 3, 4]
FROM = 14.0371


def place_of(x):
    return (math.log2(x) + FROM) * 10


def to_float(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def own_share(values, half_bars, x):
    """P(X > x) by the faded values, oldest first, and how many they are; bins are floats, in units of the oldest."""
    weight, step, count = [0.0] * 256, 1.0, 0.0
    for value in values:
        i = min(max(int(place_of(value)), 0), 255)
        weight[i] = to_float(weight[i] + to_float(step))
        count += step
        step *= 2 ** (1 / half_bars)
    weight, count = [w / step for w in weight], count / step
    edge = max([i for i in range(256) if sum(weight[i:]) >= max(0.01 * count, 4)], default=0)
    inside = sum(weight[max(edge, 1):])
    if place_of(x) > edge:
        excess = sum(weight[i] * (i + 0.5 - edge) / 10 for i in range(max(edge, 1), 256)) * math.log(2)
        exponent = (inside + 10) / (excess + 10 / 3)
        return inside / count * 2 ** (-exponent * (place_of(x) - edge) / 10), count
    here = int(place_of(x))
    return (sum(weight[here + 1:]) + (here + 1 - place_of(x)) * weight[here]) / count, count


def surprise(values, half_bars, prior_bars, stream, x):
    if x <= USUAL[stream]:
        return 0.0
    prior = 1 / (1 + (x / USUAL[stream]) ** 3)
    if values:
        own, count = own_share(values, half_bars, x)
        if count >= 8:
            prior = (prior_bars * prior + count * own) / (prior_bars + count)
    return -math.log10(prior)


def agreed(times, records, window_ns):
    """Points are the middle one of three within a window; bars pass."""
    seen = []
    for t, record in zip(times, records):
        if len(set(record)) == 1:
            seen.append((t, record[0]))
            if len(seen) >= 3 and t - seen[-3][0] < window_ns:
                record = (sorted(x for _, x in seen[-3:])[1],) * 4
        yield record


def market(times, records, window, slow_bars, middle_bars, memory, prior_bars, cut):
    """-> (score, expected, ready, kind) for every record (open, high, low, close)."""
    window_ns, nan = int(window * 1e9), float("nan")
    clock, newest = [], -(1 << 63)
    for t in times:
        newest = max(newest, t)
        clock.append(newest)
    bars, out = [], []
    past = [[] for _ in WEIGHT]
    scale = {"slow": 0.0, "middle": 0.0, "energy": 0.0, "interval": 0.0, "per_bar": 0.0, "moved": 0}
    gaps, openings = {}, {}

    def close(bar):
        n, before = len(bars), bars[-1]["close"] if bars else bar["open"]
        range_ = math.log(max(bar["high"], before) / min(bar["low"], before))
        scale["moved"] += range_ > 1e-9
        warm, plain = scale["moved"] >= 10, range_ / bar["gap_scale"]
        taken = min(plain, cut * scale["slow"]) if warm else plain
        for name, half in (("middle", middle_bars), ("slow", slow_bars)):
            scale[name] += (taken - scale[name]) * max(1 - 2 ** (-1 / half), 1 / (n + 1))
        scale["per_bar"] += (min(bar["records"], 8 * max(scale["per_bar"], 1)) - scale["per_bar"]) * max(1 - 2 ** (-1 / slow_bars), 1 / (n + 1))
        z = math.log(bar["close"] / before) / bar["expected"] if warm else 0.0
        scale["energy"] += (min(z * z, 400) - scale["energy"]) * (1 - 2 ** (-1 / 15))
        if warm:
            if bar["gap"]:
                mean, count = gaps.get(bar["gap"], (0.0, 0))
                count = min(count + 1, 60)
                gaps[bar["gap"]] = (mean + (min(range_ / scale["slow"], cut * bar["gap_scale"]) - mean) / count, count)
            for k, x in enumerate(bar["most"]):
                if x > 1e-6:
                    past[k].append(x)
        if bars and bar["high"] > bar["low"]:
            mean, count = openings.get(bar["gap"], (0.0, 0))
            jump = abs(math.log(bar["open"] / before))
            if count > 20 and mean > 0:
                jump = min(jump, cut * mean)
            openings[bar["gap"]] = (mean + (jump - mean) / (count + 1), count + 1)
        bars.append(bar)

    def begin(t, record):
        bar = {"slot": t // window_ns, "open": record[0], "high": record[1], "low": record[2], "gap": 0, "gap_scale": 1.0, "records": 0, "most": [0.0] * len(WEIGHT)}
        if bars:
            elapsed, interval = t - bars[-1]["newest"], scale["interval"]
            if interval == 0:
                interval = elapsed
            elif elapsed < interval * 0.98:
                interval -= min(interval - elapsed, interval * 0.1)
            elif elapsed > interval * 1.02:
                interval += min(elapsed - interval, interval * 0.02)
            scale["interval"] = interval
            if elapsed / interval >= 1.5:
                bar["gap"] = max(1 + math.floor(math.log2(elapsed / interval)), 1)
                mean, count = gaps.get(bar["gap"], (0.0, 0))
                bar["gap_scale"] = (mean * count + 5 * 2 ** (0.25 * min(bar["gap"], 8))) / (count + 5)
        return bar

    def ratios(bar):
        warm = scale["moved"] >= 10
        young = 1 + 5 / scale["moved"] if warm else 1.0
        slow, middle, gap = max(scale["slow"], 1e-9) * young, max(scale["middle"], 1e-9) * young, bar["gap_scale"]
        bar["expected"] = slow * gap
        if not warm:
            return [None] * 7, 0.0, 0.0
        before = bars[-1]["close"]
        range_, move = math.log(max(bar["high"], before) / min(bar["low"], before)), math.log(bar["close"] / before)
        five, start = bars[-4:] + [bar], bars[-5]["close"]
        top, bottom = max([start] + [b["high"] for b in five]), min([start] + [b["low"] for b in five])
        z = move / bar["expected"]
        rate = 1 - 2 ** (-1 / 15)
        x = [range_ / (gap * slow), range_ / (gap * middle), abs(move) / (gap * middle),
             math.log(top / bottom) / math.sqrt(sum(b["expected"] ** 2 for b in five)),
             math.sqrt(scale["energy"] + (min(z * z, 400) - scale["energy"]) * rate), None, None]
        usual = openings.get(0, (0.0, 0))[0]
        if scale["per_bar"] < 1.5 and usual > 0.2 * slow:
            mean, count = openings.get(bar["gap"], (0.0, 0))
            prior = 2 * usual if bar["gap"] else 0.3 * slow
            x[6] = abs(math.log(bar["open"] / before)) / ((count * mean + 10 * prior) / (count + 10))
        return x, range_, abs(move)

    bar = None
    for t, record in zip(clock, agreed(clock, records, window_ns)):
        if bar is None or bar["slot"] != t // window_ns:
            if bar is not None:
                close(bar)
            bar = begin(t, record)
        bar.update(high=max(bar["high"], record[1]), low=min(bar["low"], record[2]), close=record[3], newest=t, records=bar["records"] + 1)
        seen, range_, move = ratios(bar)
        if seen[0] is None:
            out.append((nan, nan, 0, nan))
            continue
        part = [0.0 if v is None else WEIGHT[k] * surprise(past[k], memory, prior_bars, k, v) for k, v in enumerate(seen)]
        bar["most"] = [max(a, v or 0.0) for a, v in zip(bar["most"], seen)]
        best = max(range(len(part)), key=lambda k: part[k])
        kind = 5 if range_ > 12 * bar["expected"] and move < 0.05 * range_ else KIND[best] if part[best] > 0 else 0
        out.append((sum(part) / sum(w for w, v in zip(WEIGHT, seen) if v is not None), bars[-1]["close"], 1, kind))
    return out
