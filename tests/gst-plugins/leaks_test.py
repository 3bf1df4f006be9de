#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a test program under GStreamer's leaks tracer: leaks_test.py PROGRAM [ARGUMENT...]. Anything alive is a fault."""

import os
import re
import subprocess
import sys
import tempfile


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "tracer.log")
        environment = dict(os.environ, GST_TRACERS="leaks", GST_DEBUG="GST_TRACER:7", GST_DEBUG_FILE=log,
                           GST_DEBUG_NO_COLOR="1")
        done = subprocess.run(sys.argv[1:], env=environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
    # The first line only declares the form of the others.
    alive = [line for line in re.findall(r"object-alive, (.*)", text) if "(string)%s" not in line]
    for line in alive[:40]:
        print("alive:", line)
    if done.returncode != 0:
        print(done.stdout[-4000:])
    print(f"exit status {done.returncode}, {len(alive)} objects alive at the end")
    return 1 if alive or done.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
