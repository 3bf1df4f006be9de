#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every header compiles alone.

A source that includes its own header first proves it by being built, so that order is checked; the other
headers are compiled here, with the flags of a source that lies near.
"""

import concurrent.futures
import json
import os
import shlex
import subprocess

import sources


def proven_by_source(header):
    """Whether a source of the same name includes the header first; and a problem if it does so later."""
    source = header[:-2] + ".cpp"
    if not os.path.exists(os.path.join(sources.REPO, source)):
        return False, []
    names = sources.includes(source)
    own = [line for line, _, name in names if name == header]
    if own and names[0][2] != header:
        return False, [f"{source}:{own[0]}: its own header must be the first include"]
    return bool(own), []


def load_commands(build):
    path = os.path.join(build, "compile_commands.json")
    if not os.path.exists(path):
        sources.finish([f"{path} is not there; build first: ./dev build"], "")
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)
    commands = {}
    for entry in entries:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), sources.REPO)
        # Sources that are compiled as one stand in the build folder, under the path of their library.
        path = path.removeprefix(os.path.relpath(build, sources.REPO) + os.sep)
        if path.endswith(".cpp"):
            commands[path] = (entry["directory"], shlex.split(entry["command"]))
    return commands


def nearest(header, commands):
    """The source whose path shares the longest beginning."""
    return max(commands, key=lambda path: len(os.path.commonprefix([path, header])))


def syntax_command(words):
    """The source's command with standard input for its input, and no output."""
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MQ", "-MT", "-c"):
            skip = True
        elif word not in ("-MD", "-MMD") and os.path.basename(word) != "ccache":
            kept.append(word)
    return [*kept, "-fdiagnostics-color=never", "-fsyntax-only", "-x", "c++", "-"]


def compile_alone(header, commands):
    folder, words = commands[nearest(header, commands)]
    done = subprocess.run(syntax_command(words), input=f'#include "{header}"\n', cwd=folder, capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        return []
    return [f"{header}: does not compile alone:\n{done.stderr.rstrip()}"]


def main():
    # Highway's *-inl.h mean something only inside a source that is compiled for each instruction set.
    headers = [header for header in sources.files(".h") if not header.endswith("-inl.h")]
    commands = load_commands(sources.build_folder())
    problems, to_compile = [], []
    for header in headers:
        proven, found = proven_by_source(header)
        problems += found
        if not proven and not found:
            to_compile.append(header)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda header: compile_alone(header, commands), to_compile):
            problems += found
    sources.finish(problems, f"{len(headers)} headers ({len(to_compile)} compiled alone)")


if __name__ == "__main__":
    main()
