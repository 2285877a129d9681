#!/usr/bin/env python3
"""Tidiness of the tree's files, whose names come on standard input, each ended by a NUL byte (git ls-files -z).

    No source over 600 lines, no space at a line's end, no tab in C, no note of work left undone, a newline at the end.
    Prints each fault; exit code 1 if there is any.
"""
import os
import re
import sys

LINES = 600
LONG = []  # sources that may be longer, each with its reason; none so far
SOURCE = (".c", ".h", ".py", ".sh", ".cmake")
TEXT = SOURCE + (".md", ".txt", ".yml", ".yaml", ".json", ".xml", ".in", ".properties", ".sql", ".avsc")
UNTOUCHED = ("tests/golden/",)  # bytes that must stay as they are
UNDONE = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")


def is_text(path):
    return not path.startswith(UNTOUCHED) and (path.endswith(TEXT) or path in ("dev", ".ci/run"))


def faults_of(path, text):
    lines = text.split("\n")
    if path.endswith(SOURCE) and len(lines) - 1 > LINES and path not in LONG:
        yield "%s: %d lines; at most %d" % (path, len(lines) - 1, LINES)
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield "%s:%d: space at the end of the line" % (path, number)
        if "\t" in line and path.endswith((".c", ".h")):
            yield "%s:%d: a tab" % (path, number)
        if UNDONE.search(line):
            yield "%s:%d: a note of work left undone" % (path, number)
    if text and not text.endswith("\n"):
        yield "%s: no newline at the end" % path


def main():
    code = 0
    for path in sys.stdin.buffer.read().decode().split("\0"):
        if not is_text(path) or not os.path.isfile(path):
            continue
        try:
            with open(path, encoding="utf-8", newline="") as file:
                faults = list(faults_of(path, file.read()))
        except UnicodeDecodeError:
            faults = ["%s: not UTF-8" % path]
        for line in faults:
            print(line)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
