#!/usr/bin/env python3
"""Makes src/base/fmath_tables.h: every constant of fmath, rounded from 60 decimal digits (python3-mpmath).

    tests/golden/fmath_tables.py > src/base/fmath_tables.h

The tables are in the repository so that a build needs no Python; this script is how to check them.
"""
import struct

from mpmath import cos, erfc, exp, log, mp, mpf, nint, pi

mp.dps = 60
EXP_COUNT = 128
LOG_COUNT = 128
LOG_OFFSET = 0x3FE6100000000000  # the smallest z; 1.0 lies inside an interval, not on an edge
ERFC_COUNT = 64
ERFC_DEGREE = 8


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", float(x)))[0]


def double_of(word):
    return struct.unpack("<d", struct.pack("<Q", word))[0]


def hexed(x):
    return float(x).hex() if x else "0.0"


def on_grid(x, exponent):
    """x rounded to a multiple of 2^exponent, so that sums of such numbers are exact."""
    return nint(x * mpf(2) ** -exponent) * mpf(2) ** exponent


def constants():
    ln2 = log(2)
    ln2_high = on_grid(ln2, -43)
    inverse_high = on_grid(1 / ln2, -20)
    step = ln2 / EXP_COUNT
    step_high = on_grid(step, -42)
    rows = [
        ("LN2_HIGH", ln2_high, "a multiple of 2^-43: times an exponent it is exact"),
        ("LN2_LOW", ln2 - ln2_high, ""),
        ("INVERSE_LN2_HIGH", inverse_high, "21 bits"),
        ("INVERSE_LN2_LOW", 1 / ln2 - inverse_high, ""),
        ("STEPS_PER_E", EXP_COUNT / ln2, "EXP_COUNT / ln 2"),
        ("STEP_HIGH", step_high, "ln 2 / EXP_COUNT; a multiple of 2^-42: times 18 bits it is exact"),
        ("STEP_LOW", step - step_high, ""),
        ("LN2", ln2, "and its powers over factorials: 2^r is their polynomial in r"),
        ("LN2_POW2_2", ln2**2 / 2, ""),
        ("LN2_POW3_6", ln2**3 / 6, ""),
        ("LN2_POW4_24", ln2**4 / 24, ""),
        ("LN2_POW5_120", ln2**5 / 120, ""),
    ]
    for name, value, why in rows:
        print(f"#define {name} {hexed(value)}" + (f" /* {why} */" if why else ""))


def exp_table():
    print("\n/* 2^(i/EXP_COUNT): what the double misses, relative to it; then its bits less i/EXP_COUNT in the exponent field. */")
    print("static const struct {\n    double   tail;\n    uint64_t bits;\n} exp_table[EXP_COUNT] = {")
    rows = []
    for i in range(EXP_COUNT):
        exact = mpf(2) ** (mpf(i) / EXP_COUNT)
        near = float(exact)
        word = (bits(near) - (i << 52) // EXP_COUNT) % 2**64
        rows.append(f"{{{hexed(exact / mpf(near) - 1)}, 0x{word:016x}}},")
    print_columns(rows, 2)
    print("};")


def log_table():
    print("\n/* For the i-th interval of z: 1/c to 13 bits with c near the middle, and log c, log2 c as multiples of 2^-43 and 2^-42 and the rest. */")
    print("static const struct {\n    double inverse, log_high, log_low, log2_high, log2_low;\n} log_table[LOG_COUNT] = {")
    for i in range(LOG_COUNT):
        low = mpf(double_of(LOG_OFFSET + (i << 45)))
        high = mpf(double_of(LOG_OFFSET + ((i + 1) << 45)))
        inverse = mpf(1) if low < 1 < high else on_grid(2 / (low + high), -12)
        ln, lb = -log(inverse), -log(inverse) / log(2)
        ln_high, lb_high = on_grid(ln, -43), on_grid(lb, -42)
        row = [inverse, ln_high, ln - ln_high, lb_high, lb - lb_high]
        print("    {" + ", ".join(hexed(x) for x in row) + "},")
    print("};")


def erfcx(x):
    return exp(x * x) * erfc(x)


def erfc_table():
    print("\n/* exp(x^2) erfc(x) for t = 4 / (4 + x) in the i-th of ERFC_COUNT slices of (0, 1]: Chebyshev interpolation, as powers of")
    print(" * u = (t - middle) / half width, constant first. Slices that belong to x > 28 are not used. */")
    print("static const double erfc_table[ERFC_COUNT][ERFC_DEGREE + 1] = {")
    nodes = [cos(pi * (2 * k + 1) / (2 * (ERFC_DEGREE + 1))) for k in range(ERFC_DEGREE + 1)]
    for i in range(ERFC_COUNT):
        middle, half = (mpf(2 * i) + 1) / (2 * ERFC_COUNT), mpf(1) / (2 * ERFC_COUNT)
        if middle + half <= mpf(4) / 32:
            row = [mpf(0)] * (ERFC_DEGREE + 1)
        else:
            values = [erfcx(4 / (middle + half * u) - 4) for u in nodes]
            row = newton_to_powers(nodes, values)
        text = [hexed(x) for x in row]
        print("    {" + ", ".join(text[:5]) + ",\n     " + ", ".join(text[5:]) + "},")
    print("};")


def newton_to_powers(nodes, values):
    """Divided differences, then the polynomial in powers of u; exact enough at 60 digits."""
    differences = list(values)
    count = len(nodes)
    for level in range(1, count):
        for k in range(count - 1, level - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) / (nodes[k] - nodes[k - level])
    powers = [mpf(0)] * count
    for k in range(count - 1, -1, -1):
        shifted = [mpf(0)] + powers[:-1]
        powers = [s - nodes[k] * p for s, p in zip(shifted, powers)]
        powers[0] += differences[k]
    return powers


def print_columns(rows, columns):
    for start in range(0, len(rows), columns):
        print("    " + " ".join(rows[start:start + columns]))


def main():
    print("/* base/fmath_tables.h - constants of fmath.c alone, made by tests/golden/fmath_tables.py; never edited by hand. */")
    print("/* clang-format off */")
    print("#ifndef FM_BASE_FMATH_TABLES_H\n#define FM_BASE_FMATH_TABLES_H\n\n#include <stdint.h>\n")
    print(f"enum {{ EXP_COUNT = {EXP_COUNT}, LOG_COUNT = {LOG_COUNT}, ERFC_COUNT = {ERFC_COUNT}, ERFC_DEGREE = {ERFC_DEGREE} }};\n")
    print(f"#define LOG_OFFSET 0x{LOG_OFFSET:016x}u")
    constants()
    exp_table()
    log_table()
    erfc_table()
    print("\n#endif")


if __name__ == "__main__":
    main()
