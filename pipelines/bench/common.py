# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: paired runs, their statistics, tables and the machine's description.
"""Contestants run in turn (A B A B), so that a slow minute of the machine falls on all of them; the
figure of each is the median over the rounds, its spread the smallest and largest round. A ratio is
the median of the rounds' own ratios. A contestant that cannot run is listed as absent, with why.
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time


class Absent(Exception):
    """Why a contestant cannot run."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "sluice"


def find(variable, folder, name):
    """A fetched file: in the folders that the variable lists, else in the cache."""
    folders = [pathlib.Path(part) for part in os.environ.get(variable, "").split(":") if part]
    folders.append(cache_dir() / folder)
    for candidate in folders:
        if (candidate / name).exists():
            return candidate / name
    raise Absent(f"{name} is not in {folders[-1]}; ./dev bench fetches it")


def run(command, **keywords):
    """A program's stdout; Absent with its last words where it fails."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              errors="replace", check=False, **keywords)
    except FileNotFoundError:
        raise Absent(f"there is no program {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise Absent(f"{command[0]} did not end in time") from None
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Absent(words[-1] if words else f"{command[0]} ended with {done.returncode}")
    return done.stdout


def measure_in_turn(contestants, rounds, progress=""):
    """{name: [figure of each round]} and {name: why absent} of {name: function}."""
    figures, absent = {name: [] for name in contestants}, {}
    progress = progress if sys.stderr.isatty() else ""
    for number in range(rounds):
        for name, function in contestants.items():
            if name in absent:
                continue
            if progress:
                print(f"\r\033[K{progress}: round {number + 1} of {rounds}, {name}", end="",
                      file=sys.stderr, flush=True)
            try:
                figures[name].append(function())
            except Absent as reason:
                absent[name] = str(reason)
    if progress:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return {name: values for name, values in figures.items() if name not in absent}, absent


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "rounds": len(values)}


def paired_ratio(values, base):
    """Median, smallest and largest of value / base, round by round."""
    return summary([value / other for value, other in zip(values, base)])


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    model = line.split(":", 1)[1].strip()
                    break
    except OSError:
        pass
    return {"cpu": model, "processors": len(os.sched_getaffinity(0)),
            "load": os.getloadavg()[0], "date": time.strftime("%Y-%m-%d")}


def machine_line(facts):
    return (f"{facts['cpu']}, {facts['processors']} processors, load {facts['load']:.2f} at the "
            f"start, {facts['date']}")


def table(header, rows, markdown=False):
    """Lines of a plain or a Markdown table; the first column is left-aligned."""
    cells = [header] + [[str(cell) for cell in row] for row in rows]
    if markdown:
        lines = ["| " + " | ".join(line) + " |" for line in cells]
        lines.insert(1, "|---|" + "---:|" * (len(header) - 1))
        return lines
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    return ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(line, widths)))
            for line in cells]


def add_output_options(parser):
    parser.add_argument("--rounds", type=int, default=3, help="rounds of A B A B (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")


def print_result(options, facts, lines, result):
    if options.json:
        print(json.dumps({"machine": facts, **result}, indent=1))
        return
    print(machine_line(facts))
    print()
    print("\n".join(lines))
    for name, reason in result.get("absent", {}).items():
        print(f"{'' if not options.markdown else '- '}absent: {name}: {reason}")
