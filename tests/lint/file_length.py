#!/usr/bin/python3
"""lint.file_length - files fit a mind: above 500 lines a word, above 800 a refusal. Generated tables are no reading matter."""
import source

WARN, REFUSE = 500, 800


def main():
    complaints = []
    for path in source.files(["src", "lua", "rules", "tests", "cmake", "dev", "deploy"], (".c", ".h", ".lua", ".py", ".sh", ".cmake")):
        lines = source.lines(path)
        if any("never edited by hand" in line for line in lines[:3]):
            continue
        count = len(lines) - 1
        if count > REFUSE:
            complaints.append(f"{path}: {count} lines, {REFUSE} are the most")
        elif count > WARN:
            print(f"{path}: {count} lines, more than {WARN}")
    source.finish(complaints, "file_length")


main()
