#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs GoogleTest programs in a virtual machine that has real dmabufs: run.py PROGRAM... [--gtest_...]

To whoever calls it, it is one GoogleTest program: it takes --gtest_output=xml:FILE and --gtest_filter=PATTERN, and
writes the cases of all programs into one file. One machine is booted for all of them. Where none can run there is one
case, skipped with the reason.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel  # noqa: E402
import machine  # noqa: E402

SECONDS = 330  # of the whole machine
FORWARDED = ("GST_PLUGIN_PATH", "SLUICE_MODEL_PATH", "SLUICE_FOOTAGE_PATH", "GST_DEBUG")
SOFTWARE_VULKAN = "/usr/share/vulkan/icd.d/lvp_icd.json"  # looking at other drivers takes seconds
# The validation layer asks for the features of a DRM modifier by VkDrmFormatModifierPropertiesList2EXT, which lavapipe
# 25.0 leaves as it is (it fills the older list), and takes what it finds there for "no features".
FALSE_ALARM = "VUID-VkImageViewCreateInfo-None-02273"
# Two webcams of the vivid driver: one gives all planes in one dmabuf, the other each in its own.
CAMERAS = "vivid n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0x0,0x0 multiplanar=1,2 no_error_inj=1"


def main():
    arguments = parse_arguments()
    try:
        machine.check()
        ready = kernel.find(cache_folder())
    except (machine.Unavailable, kernel.Unavailable) as reason:
        return skip(arguments.output, str(reason))
    # Beside the build, not in /tmp: what the machine left is looked at after a failure.
    with tempfile.TemporaryDirectory(prefix="dmabuf-vm-", dir=arguments.folder) as share:
        try:
            begun = time.monotonic()
            prepare(share, ready, arguments)
            prepared = time.monotonic() - begun
            result = machine.run(ready, share, SECONDS)
        except machine.Unavailable as reason:
            return skip(arguments.output, str(reason))
        print(f"the kernel {ready.release} ran for {result.seconds:.1f} s, after {prepared:.1f} s of preparation", flush=True)
        if result.status is None:
            print(result.log, flush=True)
        failed = merge(share, arguments, result)
    return 1 if failed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--gtest_output", dest="output", default="")
    parser.add_argument("--gtest_filter", dest="filter", default="*")
    parser.add_argument("--gtest_color", default="no")
    arguments = parser.parse_args()
    arguments.output = arguments.output.removeprefix("xml:")
    arguments.programs = [os.path.abspath(program) for program in arguments.programs]
    arguments.folder = os.path.dirname(arguments.programs[0])
    return arguments


def cache_folder():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice")


def prepare(share, ready, arguments):
    """The command for the machine, and GStreamer's registry: scanning all plugins would take a minute in there."""
    registry = os.path.join(share, "registry.bin")
    subprocess.run(["gst-inspect-1.0", "v4l2src"], env={**os.environ, "GST_REGISTRY": registry}, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    cache = cache_folder()
    lines = ["export SLUICE_DMABUF_VM=1 GST_TRACERS=leaks",
             f"export VK_DRIVER_FILES={SOFTWARE_VULKAN} VK_LAYER_MESSAGE_ID_FILTER={FALSE_ALARM}",
             "export GST_REGISTRY=/run/share/registry.bin GST_REGISTRY_UPDATE=no GST_REGISTRY_FORK=no",
             f"export SLUICE_MODEL_PATH={shlex.quote(os.path.join(cache, 'models'))}",
             f"export SLUICE_FOOTAGE_PATH={shlex.quote(os.path.join(cache, 'footage'))}"]
    lines += [f"export {name}={shlex.quote(os.environ[name])}" for name in FORWARDED if os.environ.get(name)]
    lines += [f"modprobe -d {shlex.quote(ready.modules)} {module} || exit" for module in (CAMERAS, "vgem")]
    for program in arguments.programs:
        lines.append(shlex.join([program, f"--gtest_output=xml:/run/share/{os.path.basename(program)}.xml",
                                 f"--gtest_filter={arguments.filter}", "--gtest_color=no"]))
        lines.append(f"echo $? >/run/share/{os.path.basename(program)}.status")
    lines.append("exit 0")
    with open(os.path.join(share, "command"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def merge(share, arguments, result):
    """Writes one report of all programs; the number of failures. What gave no report has failed."""
    merged = xml.Element("testsuites")
    failures = 0
    for program in arguments.programs:
        name = os.path.basename(program)
        report = read_report(os.path.join(share, name + ".xml"))
        status = read_text(os.path.join(share, name + ".status")).strip()
        for suite in report if report is not None else ():
            merged.append(suite)
            failures += sum(case.find("failure") is not None for case in suite.iter("testcase"))
        if report is None or status not in ("0", "1"):
            failures += 1
            why = f"{name} ended with status {status}" if status else f"the machine ended before {name} did\n{result.log}"
            append_case(merged, "failure", why)
    write_report(merged, arguments.output)
    return failures


def read_report(path):
    try:
        return xml.parse(path).getroot()
    except (OSError, xml.ParseError):
        return None


def read_text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def append_case(report, kind, text):
    suite = xml.SubElement(report, "testsuite", name="DmabufMachine")
    case = xml.SubElement(suite, "testcase", classname="DmabufMachine", name="runs_all_programs", status="run",
                          result="skipped" if kind == "skipped" else "completed")
    xml.SubElement(case, kind, message=text).text = text


def write_report(report, path):
    if path:
        xml.ElementTree(report).write(path, encoding="utf-8", xml_declaration=True)


def skip(path, reason):
    print(f"skipped: {reason}", flush=True)
    report = xml.Element("testsuites")
    append_case(report, "skipped", reason)
    write_report(report, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
