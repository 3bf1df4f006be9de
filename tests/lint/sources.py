# SPDX-License-Identifier: Apache-2.0
"""What the lint rules share: the source files and their include lines."""

import argparse
import os
import re
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("core", "zero_copy", "models", "gst-plugins", "pipelines", "tests")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def files(*endings, folders=FOLDERS):
    """Paths relative to the repository, sorted."""
    found = []
    for folder in folders:
        for where, below, names in os.walk(os.path.join(REPO, folder)):
            below[:] = [name for name in below if not name.startswith((".", "__"))]
            found += [os.path.relpath(os.path.join(where, name), REPO) for name in names if name.endswith(endings)]
    return sorted(found)


def read(path):
    with open(os.path.join(REPO, path), encoding="utf-8") as file:
        return file.read()


def includes(path):
    """(line number, is it <system>, name) for every include line."""
    text = read(path)
    return [(text.count("\n", 0, match.start(2)) + 1, match.group(1) == "<", match.group(2))
            for match in INCLUDE.finditer(text)]


def build_folder():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(REPO, "build"))
    return parser.parse_args().build


def finish(problems, checked):
    """Prints one problem a line, or how much was found in order; the exit code is the test's."""
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{checked}: in order")
    sys.exit(1 if problems else 0)
