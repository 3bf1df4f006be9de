#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the form of every source file: its first lines, its length, and words that mean unfinished work."""

import re

import sources

LONGEST = 700  # lines; a table (*.def) may be longer
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|TB" r"D|HA" r"CK)\b|not implemented" r" yet|coming" r" soon")
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def check_form(path, lines):
    problems = []
    if not any(LICENCE in line for line in lines[:2]):
        problems.append(f"{path}:1: the first line must be the licence: {LICENCE}")
    if path.endswith((".h", ".cpp")):
        if len(lines) < 2 or not lines[1].startswith("// "):
            problems.append(f"{path}:2: the second line must be a comment that says the file's subject")
        if len(lines) > LONGEST:
            problems.append(f"{path}: {len(lines)} lines, more than {LONGEST}; split it by subject")
    # Highway's *-inl.h are included once for each instruction set, with a guard of another kind.
    if path.endswith(".h") and not path.endswith("-inl.h") and "#pragma once" not in lines:
        problems.append(f"{path}: a header needs #pragma once")
    return problems


def main():
    code = sources.files(".h", ".cpp", ".def", ".py")
    code += sources.files(".py", ".sh", folders=(".dev",)) + ["dev"]
    problems = []
    for path in code:
        problems += check_form(path, sources.read(path).splitlines())
    texts = code + sources.files(".md", ".build", ".json", folders=(*sources.FOLDERS, ".dev"))
    for path in texts:
        for number, line in enumerate(sources.read(path).splitlines(), 1):
            found = UNFINISHED.search(line)
            if found:
                problems.append(f"{path}:{number}: '{found.group()}': finish it, or open an issue and say what holds today")
    sources.finish(problems, f"the form of {len(texts)} files")


if __name__ == "__main__":
    main()
