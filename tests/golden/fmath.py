#!/usr/bin/env python3
"""Makes tests/golden/fmath.txt: function, argument(s), and the exact result as the nearest double and what is left (python3-mpmath).

    tests/golden/fmath.py > tests/golden/fmath.txt
"""
import math
import random
import struct

from mpmath import erfc, exp, log, mp, mpf

mp.dps = 60
COUNT = 600  # random points a function, beside the hard ones
RNG = random.Random(20240601)


def double_of(word):
    return struct.unpack("<d", struct.pack("<Q", word))[0]


def nearest(value):
    """The nearest double, subnormals too: an integer of at most 53 bits times a power of two."""
    if value == 0:
        return 0.0
    exponent = max(int(mp.floor(log(abs(value), 2))), -1022) - 52
    return math.ldexp(int(mp.nint(value / mpf(2) ** exponent)), exponent)


def line(name, arguments, exact):
    high = nearest(exact)
    low = float(exact - mpf(high))
    print(name, *(a.hex() for a in arguments), high.hex(), low.hex())


def uniform(low, high):
    return RNG.uniform(low, high)


def any_positive():
    return double_of(RNG.randrange(1, 0x7FF0000000000000))


def tiny_or_one():
    return RNG.choice([-1, 1]) * 2.0 ** uniform(-60, 0)


def near_one():
    return 1.0 + RNG.choice([-1, 1]) * 2.0 ** uniform(-52, -6)


HARD = [1.0, 2.0, 0.5, 10.0, 1.0 - 2.0**-53, 1.0 + 2.0**-52, 0.75, 1.5, 2.0**-1074, 2.0**-1022, 1.7976931348623157e308, 1 / 3,
        2.718281828459045]


def points(ranges):
    for i in range(COUNT):
        yield ranges[i % len(ranges)]()


def main():
    print("# exact values of exp, exp2, log, log2, pow, erfc; made by tests/golden/fmath.py; never edited by hand")
    exponents = [lambda: uniform(-745, 709.7), lambda: uniform(-1, 1), tiny_or_one, lambda: uniform(-745.1, -708)]
    for x in [0.0, 1.0, -1.0, 709.782712893384, -745.1332191019411, -708.3964185322641, 1e-300, 2.0**-54] + list(points(exponents)):
        line("exp", [x], exp(mpf(x)))
    exponents = [lambda: uniform(-1074, 1023.9), lambda: uniform(-1, 1), tiny_or_one, lambda: uniform(-1074.9, -1022)]
    for x in [0.0, 1.0, -1.0, 1023.0, -1074.0, -1022.0, 0.5, -0.5] + list(points(exponents)):
        line("exp2", [x], mpf(2) ** mpf(x))
    arguments = [any_positive, near_one, lambda: uniform(0.5, 2), lambda: uniform(0, 1000), lambda: uniform(0.96, 1.04)]
    for x in HARD + list(points(arguments)):
        line("log", [x], log(mpf(x)))
    for x in HARD + list(points(arguments)):
        line("log2", [x], log(mpf(x)) / log(2))
    made = 0
    while made < COUNT:
        x = arguments[made % len(arguments)]()
        y = RNG.choice([lambda: uniform(-3, 3), lambda: uniform(-300, 300), lambda: float(RNG.randrange(-20, 20)),
                        lambda: uniform(-740, 709) / float(log(mpf(x)) or 1)])()
        exact = mpf(x) ** mpf(y)
        if mpf(2) ** -1074 < exact < mpf(2) ** 1023:
            line("pow", [x, y], exact)
            made += 1
    arguments = [lambda: uniform(-6, 26), lambda: uniform(-1, 3), tiny_or_one]
    for x in [0.0, -0.0, 0.5, 1.0, -1.0, 26.0, -6.0, 0.84375, 1.25] + list(points(arguments)):
        line("erfc", [x], erfc(mpf(x)))


if __name__ == "__main__":
    main()
