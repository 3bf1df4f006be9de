#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gst-inspect-1.0 must show every element on a bare machine: inspect_test.py PLUGIN_FOLDER ELEMENT..."""

import os
import re
import subprocess
import sys
import tempfile


def inspect(name, plugins, home):
    # Vulkan's loader, if anything opened it, would speak on stderr, which must stay empty: the drivers are no
    # business of somebody who lists plugins.
    environment = {"PATH": os.environ["PATH"], "HOME": home, "GST_PLUGIN_PATH": plugins,
                   "GST_REGISTRY": os.path.join(home, "registry.bin"), "VK_LOADER_DEBUG": "all"}
    for name_of_loader in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name_of_loader in os.environ:
            environment[name_of_loader] = os.environ[name_of_loader]
    return subprocess.run(["gst-inspect-1.0", "--no-colors", name], env=environment, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def faults(name, shown):
    if shown.returncode != 0:
        yield f"exit status {shown.returncode}"
    if shown.stderr:
        yield f"stderr: {shown.stderr.strip()}"
    for wanted in ("Long-name", "Klass", "Author", "SINK template: 'sink'", "SRC template: 'src'",
                   "NV12", "P010_10LE", "stats ", "require-zero-copy", "GstBaseTransform"):
        if wanted not in shown.stdout:
            yield f"'{wanted}' is not shown"
    klass = re.search(r"Klass\s+(\S+)", shown.stdout)
    if klass and not klass[1].startswith("Filter/"):
        yield f"Klass is {klass[1]}"
    # Every property of ours says when it may change; where we have no `qos`, it is GstBaseTransform's.
    properties = shown.stdout.split("Element Properties:", 1)[-1]
    for name_of_property, flags in re.findall(r"^  ([a-z-]+) +: .*\n +flags: (.*)$", properties, re.MULTILINE):
        if "changeable" not in flags and name_of_property not in ("name", "parent", "stats", "qos"):
            yield f"property {name_of_property}: flags are '{flags}'"


def main():
    plugins, names = sys.argv[1], sys.argv[2:]
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        inspect(names[0], plugins, home)  # the scan of the machine's own plugins may warn; ours must not
        for name in [*names, "sluice"]:
            shown = inspect(name, plugins, home)
            wrong = list(faults(name, shown)) if name != "sluice" else (
                [] if shown.returncode == 0 and not shown.stderr and all(n in shown.stdout for n in names)
                else [shown.stdout + shown.stderr])
            for fault in wrong:
                print(f"{name}: {fault}")
            failures += len(wrong)
    print(f"{len(names)} elements inspected, {failures} faults")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
