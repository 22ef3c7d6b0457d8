"""The last accepted figures of a bench: tests/bench/accepted/NAME.json, {"what": number}. A measurement shows them beside its own, and
`--accept` puts its own in their place; the diff of that file is then part of a commit."""
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "accepted")


def load(name):
    path = os.path.join(FOLDER, name + ".json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(name, figures):
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1, sort_keys=True)
        file.write("\n")


def differences(before, now):
    """A sentence for each figure that is not what was accepted."""
    for what in sorted(set(before) | set(now)):
        if what not in now:
            yield f"{what}: not measured, {before[what]} accepted"
        elif what not in before:
            yield f"{what}: {now[what]}, new"
        elif before[what] != now[what]:
            yield f"{what}: {now[what]}, {before[what]} accepted"
