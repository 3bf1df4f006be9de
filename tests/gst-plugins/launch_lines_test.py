#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every gst-launch-1.0 line of the documentation: launch_lines_test.py MARKDOWN_FILE...

A line stands in a fenced block and may go on after a backslash. It runs in a folder with the footage in it, which is
also $SLUICE_FOOTAGE_PATH. There is no screen in a test: autovideosink is a fakesink."""

import os
import re
import subprocess
import sys
import tempfile

SECONDS_PER_LINE = 300


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("gst-launch-1.0"):
                yield " ".join(line.split())


def footage_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("SLUICE_FOOTAGE_PATH") or os.path.join(cache, "sluice", "footage")


def run(line, folder):
    # By the shell, as a reader does, who has the variables of `./dev shell`.
    command = ["bash", "-c", "set -f; exec " + line.replace("autovideosink", "fakesink sync=false")]
    environment = dict(os.environ, SLUICE_FOOTAGE_PATH=footage_folder())
    done = subprocess.run(command, cwd=folder, env=environment, text=True, timeout=SECONDS_PER_LINE, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    bad = done.returncode != 0 or re.search(r"^ERROR|CRITICAL", done.stdout, re.MULTILINE)
    return done.stdout if bad else None


def main():
    footage = footage_folder()
    files = sorted(os.listdir(footage)) if os.path.isdir(footage) else []
    ran, failed, skipped = 0, 0, []
    # Makes the registry: what other plugins complain of while they are scanned is not ours.
    subprocess.run(["gst-inspect-1.0", "-b"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    for document in filter(os.path.exists, sys.argv[1:]):
        for line in lines_of(document):
            wanted = re.findall(r"(?:location|picture)=(?:\$SLUICE_FOOTAGE_PATH/)?([\w./-]+)", line)
            made = re.findall(r"filesink location=([\w./-]+)", line)
            missing = [name for name in wanted if name not in made and name not in files]
            if missing:
                skipped.append(f"{line}: not in the cache: {', '.join(missing)}")
                continue
            with tempfile.TemporaryDirectory() as folder:
                for name in files:
                    os.symlink(os.path.join(footage, name), os.path.join(folder, name))
                print(line, flush=True)
                output = run(line, folder)
                empty = [name for name in made if not os.path.exists(os.path.join(folder, name))
                         or os.path.getsize(os.path.join(folder, name)) == 0]
            ran += 1
            if output is not None or empty:
                failed += 1
                print(f"FAILED\n{output or ''}" + "".join(f"nothing in {name}\n" for name in empty))
    for line in skipped:
        print("skipped:", line)
    print(f"{ran} launch lines run, {failed} failed, {len(skipped)} skipped for want of footage")
    if failed:
        return 1
    return 77 if ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
