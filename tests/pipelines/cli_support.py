# SPDX-License-Identifier: Apache-2.0
# What the tests of the program `sluice` share: running it, finding fetched files, making media.
"""Test protocol: exit 0 passes, exit 77 skips with the reason on the last line of stdout."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

PROGRAM = os.environ.get("SLUICE_PROGRAM") or shutil.which("sluice") or ""


def sluice(*arguments, environment=None, timeout=120):
    """Runs the program; its result has returncode, stdout and stderr."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=timeout,
                          env=None if environment is None else {**os.environ, **environment})


def find(variable, folder, name):
    """A fetched file: in the folders that the variable lists, else in the cache."""
    folders = [pathlib.Path(part) for part in os.environ.get(variable, "").split(":") if part]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folders.append(pathlib.Path(base) / "sluice" / folder)
    return next((path / name for path in folders if (path / name).exists()), None)


def model(name):
    return find("SLUICE_MODEL_PATH", "models", name)


def footage(name):
    return find("SLUICE_FOOTAGE_PATH", "footage", name)


def launch(*words):
    """Runs a gst-launch-1.0 line that makes or reads media; its stdout."""
    environment = dict(os.environ)
    if "SLUICE_SANITIZER_RUNTIME" in environment:
        # It may load our instrumented plugin, which wants the runtime to be there first.
        environment["LD_PRELOAD"] = environment["SLUICE_SANITIZER_RUNTIME"]
    return subprocess.run(["gst-launch-1.0", "-q", *map(str, words)], check=True, timeout=120,
                          stdout=subprocess.PIPE, env=environment).stdout


class ProgramTest(unittest.TestCase):
    """Assertions about a run of the program."""

    def succeeds(self, *arguments, **keywords):
        done = sluice(*arguments, **keywords)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done.stdout

    def json_of(self, *arguments, **keywords):
        return json.loads(self.succeeds(*arguments, **keywords))

    def fails(self, *arguments, code=1, says=(), **keywords):
        """One line on stderr that begins with the program's name, and nothing on stdout."""
        done = sluice(*arguments, **keywords)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stderr}")
        self.assertEqual(done.stdout, "", arguments)
        self.assertRegex(done.stderr, r"\Asluice: [^\n]+\n\Z", arguments)
        for words in [says] if isinstance(says, str) else says:
            self.assertIn(words, done.stderr, arguments)
        return done.stderr


def main():
    if not os.path.exists(PROGRAM):
        print(f"skipped: the program sluice was not built (SLUICE_PROGRAM is '{PROGRAM}')")
        sys.exit(77)
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    if result.wasSuccessful() and result.testsRun == len(result.skipped):
        print("skipped: " + (result.skipped[0][1] if result.skipped else "no test"))
        sys.exit(77)
    sys.exit(0 if result.wasSuccessful() else 1)
