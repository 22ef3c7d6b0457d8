"""tests/lint/source.py - the files that lint looks at, below a root that is the repository unless an argument names another."""
import os
import sys

ROOT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", ".."))
SKIPPED = {".git", "build", "data", "__pycache__", ".cache", "corpus"}


def files(folders, suffixes):
    """Paths relative to the root, sorted; a folder may also name one file."""
    found = []
    for folder in folders:
        top = os.path.join(ROOT, folder)
        if os.path.isfile(top):
            found.append(folder)
        for path, names, leaves in os.walk(top):
            names[:] = [name for name in names if name not in SKIPPED]
            found += [os.path.relpath(os.path.join(path, leaf), ROOT) for leaf in leaves if leaf.endswith(suffixes)]
    return sorted(found)


def lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as opened:
        return opened.read().split("\n")


def finish(complaints, what):
    for complaint in complaints:
        print(complaint)
    print(f"{what}: {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)
