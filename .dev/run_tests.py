#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test program of a build and counts single test cases.

The programs come from meson's own list. One that meson knows as a GoogleTest program tells its cases in an
XML file; any other is one case: exit code 0 passes, 77 skips with the last line of its output as the reason,
everything else fails. Failures are shown in full as they come, skips at the end, counted by reason. The last
line is "N passed, N failed, N skipped".
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as xml

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP = 77
SECONDS_AT_LEAST = 300  # meson's default of 30 is meant for one case, not for a program of hundreds
SANITIZER_FACTOR = 4
# Under the sanitizers only GoogleTest programs run: the scripts start foreign programs, whose plugins leak, or
# judge results on paths that these programs take already.
SANITIZER_LEAVES_OUT = ("lint", "dev", "bench", "oracle", "quality")

ASKED_FOR = ("dmabuf", "nightly")  # suites that run alone, and only when asked for: --dmabuf, --nightly

Case = collections.namedtuple("Case", "name outcome detail")


class Program:
    """One entry of meson's list of tests."""

    def __init__(self, entry, build):
        self.name = entry["name"]
        self.command = entry["cmd"]
        self.suites = [suite.split(":")[-1] for suite in entry["suite"]]
        self.environment = entry.get("env") or {}
        # As meson has it: programs among the arguments are named from the build folder.
        self.folder = entry.get("workdir") or build
        self.is_parallel = entry.get("is_parallel", True)
        self.is_gtest = entry.get("protocol") == "gtest"
        self.timeout = entry.get("timeout") or 0
        self.depends = entry.get("depends") or []


def load_programs(build, kind):
    path = os.path.join(build, "meson-info", f"intro-{kind}.json")
    with open(path, encoding="utf-8") as file:
        return [Program(entry, build) for entry in json.load(file)]


def needed_files(programs, build):
    """The programs and what they need beside them, such as a library that they load, from the build folder."""
    path = os.path.join(build, "meson-info", "intro-targets.json")
    targets = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            targets = {target["id"]: target["filename"] for target in json.load(file)}
    files = []
    for program in programs:
        files += [program.command[0], *(name for target in program.depends for name in targets.get(target, []))]
    return list(dict.fromkeys(os.path.relpath(name, build) for name in files))


def sanitizer_environment():
    suppressions = os.path.join(REPO, ".dev", "lsan.supp")
    runtime = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=False)
    return {
        "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0",
        "LSAN_OPTIONS": f"suppressions={suppressions}:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        # GStreamer's scanner is a program without the sanitizer's runtime and would blacklist our plugin.
        "GST_REGISTRY_FORK": "no",
        "G_SLICE": "always-malloc",
        # For tests that start a foreign program (gst-launch-1.0) with the sanitized plugin in it.
        "SLUICE_SANITIZER_RUNTIME": os.path.realpath(runtime.stdout.strip()),
    }


def scan_plugins(programs, environment):
    """Fills the registries that the programs will use. The scan loads every plugin of the system into the process, and
    what those leak must not count as ours."""
    for registry in {program.environment.get("GST_REGISTRY") for program in programs} - {None}:
        own = next(program.environment for program in programs if program.environment.get("GST_REGISTRY") == registry)
        scan = {**environment, **own, "LD_PRELOAD": environment["SLUICE_SANITIZER_RUNTIME"],
                "ASAN_OPTIONS": environment["ASAN_OPTIONS"] + ":detect_leaks=0"}
        subprocess.run(["gst-inspect-1.0", "--plugin"], env=scan, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)


def gtest_filter(pattern):
    if not re.search(r"[*?]", pattern):
        pattern = f"*{pattern}*"
    return pattern


class Runner:
    def __init__(self, arguments):
        self.arguments = arguments
        # Tests leave nothing in the user's cache.
        self.environment = {"SLUICE_PACKED_CACHE": "off", **os.environ}
        self.factor = 1
        if arguments.sanitize:
            self.environment.update(sanitizer_environment())
            self.factor = SANITIZER_FACTOR
        self.running = set()
        self.lock = threading.Lock()
        self.stopped = False

    def execute(self, command, program, environment):
        """(exit code or None for a timeout, output)"""
        with self.lock:
            if self.stopped:
                return None, "not started: interrupted"
            process = subprocess.Popen(command, cwd=program.folder, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
            self.running.add(process)
        limit = max(program.timeout, SECONDS_AT_LEAST) * self.factor
        try:
            output, _ = process.communicate(timeout=limit)
            code = process.returncode
        except subprocess.TimeoutExpired:
            kill_group(process)
            output, _ = process.communicate()
            code = None
            output += f"\nstopped after {limit} s without an end\n".encode()
        finally:
            with self.lock:
                self.running.discard(process)
        return code, output.decode("utf-8", "replace")

    def run(self, program):
        """All cases of one program."""
        environment = {**self.environment, **program.environment}
        pattern = self.arguments.filter
        if not program.is_gtest:
            if pattern and not fnmatch.fnmatchcase(program.name, gtest_filter(pattern)):
                return []
            code, output = self.execute(program.command, program, environment)
            return [script_case(program, code, output)]
        with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
            report = os.path.join(folder, "report.xml")
            command = [*program.command, f"--gtest_output=xml:{report}", "--gtest_color=no"]
            if pattern:
                command.append(f"--gtest_filter={gtest_filter(pattern)}")
            code, output = self.execute(command, program, environment)
            return gtest_cases(program, code, output, report)

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                kill_group(process)


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def describe_exit(code):
    if code is None:
        return "did not end in time"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def script_case(program, code, output):
    if code == 0:
        return Case(program.name, "passed", "")
    if code == SKIP:
        lines = output.strip().splitlines()
        return Case(program.name, "skipped", lines[-1].strip() if lines else "no reason given")
    return Case(program.name, "failed", f"{output}\n{program.name} {describe_exit(code)}")


def gtest_cases(program, code, output, report):
    cases = []
    try:
        root = xml.parse(report).getroot()
    except (OSError, xml.ParseError):
        root = None
    if root is not None:
        for element in root.iter("testcase"):
            name = f"{element.get('classname')}.{element.get('name')}"
            failures = [node.text or node.get("message") or "" for node in element.findall("failure")]
            skip = element.find("skipped")
            if element.get("status") == "notrun":
                if element.get("result") == "suppressed" and name_is_disabled(name):
                    cases.append(Case(name, "skipped", "disabled in the source"))
            elif failures:
                cases.append(Case(name, "failed", "\n".join(failures)))
            elif skip is not None or element.get("result") == "skipped":
                cases.append(Case(name, "skipped", skip_reason(skip)))
            else:
                cases.append(Case(name, "passed", ""))
    if root is None or (code != 0 and not any(case.outcome == "failed" for case in cases)):
        # It died, or a sanitizer spoke at its end. What ran before is known from its output only.
        if root is None:
            cases = [Case(name, "passed", "") for name in re.findall(r"^\[       OK \] (\S+)", output, re.M)]
        started = re.findall(r"^\[ RUN      \] (\S+)", output, re.M)
        where = f", last in {started[-1]}" if root is None and started else ""
        cases.append(Case(program.name, "failed", f"{output}\n{program.name} {describe_exit(code)}{where}"))
    return cases


def name_is_disabled(name):
    return any(part.startswith("DISABLED_") for part in re.split(r"[./]", name))


def skip_reason(element):
    """GoogleTest writes FILE:LINE, then the message."""
    text = "" if element is None else (element.text or element.get("message") or "")
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines and re.fullmatch(r"\S+:\d+", lines[0]):
        lines = lines[1:]
    return " ".join(line for line in lines if line) or "no reason given"


def report_program(index, total, program, cases, seconds):
    count = collections.Counter(case.outcome for case in cases)
    told = ", ".join(f"{count[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped") if count[outcome])
    print(f"[{index:3}/{total}] {program.name}: {told} ({seconds:.1f} s)", flush=True)
    for case in cases:
        if case.outcome == "failed":
            print(f"--- FAILED {case.name}\n{case.detail.rstrip()}\n---", flush=True)


def run_all(programs, runner, jobs):
    results, index = [], 0

    def timed(program):
        start = time.monotonic()
        cases = runner.run(program)
        return program, cases, time.monotonic() - start

    def take(outcome):
        nonlocal index
        program, cases, seconds = outcome
        index += 1
        if cases:
            report_program(index, len(programs), program, cases, seconds)
        results.extend(cases)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(timed, program) for program in programs if program.is_parallel]
        try:
            for future in concurrent.futures.as_completed(futures):
                take(future.result())
        except KeyboardInterrupt:
            runner.stop()
            raise
    for program in programs:
        if not program.is_parallel:
            take(timed(program))
    return results


def summarize(cases):
    count = collections.Counter(case.outcome for case in cases)
    reasons = collections.Counter(case.detail for case in cases if case.outcome == "skipped")
    if reasons:
        print("\nskipped:")
        for reason, number in reasons.most_common():
            print(f"  {number:4} x {reason}")
    failed = [case.name for case in cases if case.outcome == "failed"]
    if failed:
        print("\nfailed:")
        for name in failed:
            print(f"  {name}")
    print(f"\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped", flush=True)
    return 1 if failed else 0


def run_benchmarks(programs, names, rest):
    known = [program.name for program in programs]
    for name in names:
        if name not in known:
            print(f"error: there is no benchmark '{name}'; there are: {', '.join(known) or 'none'}", file=sys.stderr)
            return 2
    worst = 0
    for program in programs:
        if program.name in names or (not names and "bench" in program.suites):
            print(f"== {program.name}", flush=True)
            environment = {**os.environ, **program.environment}
            # In the caller's folder, which relative paths among the arguments mean.
            done = subprocess.run([*program.command, *rest], env=environment, check=False)
            worst = max(worst, abs(done.returncode))
    return 1 if worst else 0


def parse_arguments(argv):
    rest = []
    if "--" in argv:
        cut = argv.index("--")
        argv, rest = argv[:cut], argv[cut + 1:]
    parser = argparse.ArgumentParser(description="Run the tests of a build.", allow_abbrev=False)
    parser.add_argument("--build", required=True)
    parser.add_argument("--sanitize", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-suite", action="append", default=[])
    parser.add_argument("--dmabuf", action="store_const", const="dmabuf", dest="alone")
    parser.add_argument("--nightly", action="store_const", const="nightly", dest="alone")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--executables", action="store_true", help="print what ninja must build for these tests")
    parser.add_argument("--benchmarks", nargs="*", metavar="NAME")
    arguments = parser.parse_args(argv)
    arguments.rest = rest
    return arguments


def main():
    arguments = parse_arguments(sys.argv[1:])
    if arguments.benchmarks is not None:
        return run_benchmarks(load_programs(arguments.build, "benchmarks"), arguments.benchmarks, arguments.rest)
    programs = load_programs(arguments.build, "tests")
    left_out = set(arguments.no_suite) | (set(SANITIZER_LEAVES_OUT) if arguments.sanitize else set())
    programs = [program for program in programs if not left_out & set(program.suites)]
    # The one has a machine of its own, which takes both processors for minutes; the other takes an hour.
    programs = [program for program in programs
                if next((suite for suite in ASKED_FOR if suite in program.suites), None) == arguments.alone]
    if arguments.sanitize:
        programs = [program for program in programs if program.is_gtest]
    if arguments.executables:
        print("\n".join(needed_files(programs, arguments.build)))
        return 0
    if arguments.list:
        for program in programs:
            print(f"{program.name:40} {' '.join(program.suites)}")
        return 0
    runner = Runner(arguments)
    # The scan of the plugins must not fall into the first test's time, nor a stale scan into any.
    for registry in glob.glob(os.path.join(arguments.build, "gst-registry.bin*")):
        os.unlink(registry)
    if arguments.sanitize:
        scan_plugins(programs, runner.environment)
    cases = run_all(programs, runner, arguments.jobs)
    if not cases:
        print(f"error: no test case matches '{arguments.filter}'; ./dev test --list lists the programs" if arguments.filter
              else "error: this build has no tests; remove it with ./dev clean and run again", file=sys.stderr)
        summarize(cases)
        return 1
    return summarize(cases)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
