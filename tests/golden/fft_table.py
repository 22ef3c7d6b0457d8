#!/usr/bin/env python3
"""Makes src/kernels/common/fft_table.h: cosines of a quarter turn, rounded from 60 decimal digits (python3-mpmath).

    tests/golden/fft_table.py > src/kernels/common/fft_table.h

The table is in the repository so that a build needs no Python; this script is how to check it.
"""
from mpmath import cos, mp, pi

mp.dps = 60
TURN = 1024


def main():
    print("/* kernels/common/fft_table.h - constants of fft.h alone, made by tests/golden/fft_table.py; never edited by hand. */")
    print("#ifndef FM_KERNELS_COMMON_FFT_TABLE_H\n#define FM_KERNELS_COMMON_FFT_TABLE_H\n")
    print("/* clang-format off */")
    print(f"static const double fm_fft_cosine[{TURN // 4 + 1}] = {{ /* cos(2 pi k / {TURN}) */")
    values = [float(cos(2 * pi * k / TURN)).hex() if k < TURN // 4 else "0.0" for k in range(TURN // 4 + 1)]
    for i in range(0, len(values), 4):
        print("    " + ", ".join(values[i:i + 4]) + ",")
    print("};\n/* clang-format on */\n\n#endif")


main()
