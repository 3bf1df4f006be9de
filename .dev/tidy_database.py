#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the compilation database that clang-tidy reads: the build's, with an entry of its own for each source
that the build compiles together with others. Without one clang-tidy guesses the flags from a neighbour's, and
misses definitions and include folders that only this source's target has.

usage: tidy_database.py BUILD_FOLDER DATABASE_FOLDER
"""

import json
import os
import re
import shlex
import sys

INCLUDED = re.compile(r"#include\s*<(.*)>")


def sources(entry):
    """The sources that an entry compiles: those that a generated one includes, or the entry's own."""
    path = os.path.join(entry["directory"], entry["file"])
    if not re.search(r"-unity\d+\.cpp$", path):
        return [path]
    with open(path, encoding="utf-8") as file:
        return INCLUDED.findall(file.read())


def main():
    build, database = sys.argv[1:]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    # A source that several programs compile is checked once.
    alone = {}
    for entry in entries:
        words = shlex.split(entry["command"])
        for path in map(os.path.normpath, sources(entry)):
            arguments = [path if word == entry["file"] else word for word in words]
            alone.setdefault(path, {"directory": entry["directory"], "file": path, "arguments": arguments})
    os.makedirs(database, exist_ok=True)
    with open(os.path.join(database, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(list(alone.values()), file, indent=1)


if __name__ == "__main__":
    main()
