#!/usr/bin/python3
"""lint.words - what is not done has no place in the source: it is finished, or it is an issue. Tabs and trailing spaces neither."""
import re

import source

WORDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|W" r"IP|TB" r"D)\b")
SUFFIXES = (".c", ".h", ".def", ".lua", ".py", ".sh", ".cmake", ".yml")


def main():
    complaints = []
    for path in source.files(["src", "lua", "rules", "tests", "cmake", "deploy", "dev", ".ci/run", ".github"], SUFFIXES):
        for number, line in enumerate(source.lines(path), 1):
            word = WORDS.search(line)
            if word:
                complaints.append(f"{path}:{number}: {word.group()}")
            if line != line.rstrip():
                complaints.append(f"{path}:{number}: space at the end of the line")
            if "\t" in line:
                complaints.append(f"{path}:{number}: tab")
    source.finish(complaints, "words")


main()
