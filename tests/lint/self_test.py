#!/usr/bin/python3
"""lint.self - each lint is shown a tree with one fault and must refuse it, and the same tree without and must pass."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

GOOD_C = '#include "base/a.h"\n\nint a(void)\n{\n    return 1;\n}\n'
GOOD_H = "#ifndef A_H\n#define A_H\nint a(void);\n#endif\n"
FAULTS = [
    ("layers.py", "src/base/b.c", '#include "engine/shard.h"\n'),
    ("layers.py", "src/alert/b.c", '#include "engine/alert.h"\n'),
    ("layers.py", "src/engine/b.c", "#include <hiredis/hiredis.h>\n"),
    ("layers.py", "src/net/b.c", "#include <lua.h>\n"),
    ("layers.py", "src/base/b.c", "#include <complex.h>\n"),
    ("layers.py", "src/elsewhere/b.c", "\n"),
    ("file_length.py", "src/base/b.c", "int x;\n" * 801),
    ("words.py", "src/base/b.c", "/* TO" + "DO: later */\n"),
    ("words.py", "rules/equity/b.lua", "-- FIX" + "ME\n"),
    ("words.py", "src/base/b.c", "int a; \n"),
    ("headers", "src/base/b.h", "#ifndef B_H\n#define B_H\nsize_t b(void);\n#endif\n"),
    ("headers", "src/base/b.h", "typedef struct b { int b; } b;\n"),
    ("kernels_are_pure", "src/kernels/b.c", "#include <math.h>\ndouble b(double x);\ndouble b(double x) { return exp(x); }\n"),
    ("kernels_are_pure", "src/kernels/b.c", "#include <stdlib.h>\nvoid *b(void);\nvoid *b(void) { return malloc(8); }\n"),
    ("kernels_are_pure", "src/kernels/b.c", "#include <time.h>\nlong b(void);\nlong b(void) { return time(0); }\n"),
]


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as opened:
        opened.write(text)


def passes(lint, root):
    script = os.path.join(HERE, lint)
    if lint.endswith(".py"):
        command = [sys.executable, "-B", script, root]
    elif lint == "headers":
        command = [script, "cc", os.path.join(root, "build"), root]
    else:
        command = [script, "cc", os.path.join(root, "build"), os.path.join(root, "src/kernels")]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).returncode == 0


def main():
    failed = 0
    for lint, path, text in FAULTS:
        with tempfile.TemporaryDirectory() as root:
            write(root, "src/base/a.h", GOOD_H)
            write(root, "src/base/a.c", GOOD_C)
            write(root, "src/kernels/a.c", "double a(double x);\ndouble a(double x) { return __builtin_sqrt(x); }\n")
            if not passes(lint, root):
                print(f"{lint} refuses a good tree")
                failed += 1
            write(root, path, text)
            if passes(lint, root):
                print(f"{lint} passes {path}: {text[:60]!r}")
                failed += 1
    print(f"self: {len(FAULTS)} faults shown, {failed} complaints")
    sys.exit(1 if failed else 0)


main()
