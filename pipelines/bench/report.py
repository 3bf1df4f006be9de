#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Writes docs/performance.md from one run of everything.
"""report.py [--quick] [--rounds N] [--seconds S] [--output FILE] [--keep FILE.json | --from FILE.json]

Runs the machine's limits, the networks and the pipelines beside their peers, and writes the page. --keep also
saves what was measured; --from writes the page from what was kept, without measuring. Nothing is typed in by
hand: a figure that is not in the run is not in the page. --quick takes one round of little: it shows that
everything runs, and its page says that its figures are not to be quoted.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import common
import compare_networks
import compare_pipelines

REPO = pathlib.Path(__file__).resolve().parents[2]
# What we set ourselves, as least ratio of speeds against the fastest peer.
GOALS = {"face-detection-short-range": 1.5, "face-detection-full-range": 1.5, "face-detection-full-range-sparse": 1.5,
         "selfie-segmentation-landscape": 1.5, "selfie-segmentation": 1.5, "selfie-multiclass": 1.3,
         "anime4k-x2-s-rl": 4.0, "anime4k-x2-m-rl": 4.0, "anime4k-x2-l-rl": 4.0,
         "esrgan-slim-x2": 1.5, "esrgan-medium-x2": 1.5}


def script(name, *arguments):
    command = [sys.executable, pathlib.Path(__file__).with_name(name), "--json", *arguments]
    print(" ".join(map(str, command[1:])), file=sys.stderr)
    return json.loads(subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True).stdout)


def versions():
    """{what: version} of what took part, as far as it can be asked."""
    found = {}
    for what, command in {"GCC": ["g++", "-dumpfullversion"], "GStreamer": ["gst-launch-1.0", "--version"],
                          "Sluice": [compare_networks.program("SLUICE_PROGRAM", "sluice"), "--version"]}.items():
        if shutil.which(command[0]):
            text = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0]
            found[what] = text.split()[-1] if text.split() else "unknown"
    return found


QUICK_MODELS = ["face-detection-short-range", "anime4k-x2-s-rl"]


def measure(options):
    program = compare_networks.program("SLUICE_PROGRAM", "sluice")
    rounds = ["--rounds", options.rounds]
    networks = [*rounds, "--seconds", options.seconds]
    models = ["--models", *QUICK_MODELS] if options.quick else []
    large = QUICK_MODELS[-1:] if options.quick else compare_networks.ANIME4K
    sizes = ("640x360",) if options.quick else ("1280x720", "1920x1080")
    short = ["--frames", 60, "--growth", "320x180", "640x360"] if options.quick else []
    started = time.monotonic()
    run = {
        "facts": common.machine(),
        "versions": versions(),
        "quick": options.quick,
        "limits": json.loads(common.run([program, "bench", "machine", "--json"])),
        "networks": script("compare_networks.py", *networks, *models),
        "large": script("compare_networks.py", *networks, "--anime4k-size",
                        "640x360" if options.quick else "1280x720", "--models", *large),
        # Growth once: it does not depend on the size of the clip.
        "pipelines": [script("compare_pipelines.py", *rounds, "--size", size, *(short or ["--growth"] if number else short))
                      for number, size in enumerate(sizes)],
    }
    run["minutes"] = (time.monotonic() - started) / 60
    return run


def limits_part(limits):
    reads = limits["limits"][0]["reads"]
    header = ["threads", "fp32 GFLOP/s", "int8 GOP/s", *(f"GB/s, {read['buffer_bytes'] // 1024} KiB" for read in reads)]
    rows = [[entry["threads"], entry["fp32_gflop_per_second"], entry["int8_gop_per_second"],
             *(read["gigabytes_per_second"] for read in entry["reads"])] for entry in limits["limits"]]
    return ["## The machine's limits", "", f"`sluice bench machine`: {limits['cpu']}", "",
            *common.table(header, rows, markdown=True), ""]


def chart(title, names, values, unit="times the fastest peer's speed"):
    """A bar chart that renders where Mermaid does, and reads as a list elsewhere."""
    labels = ", ".join(f'"{name}"' for name in names)
    bars = ", ".join(f"{value:.2f}" for value in values)
    return ["```mermaid", "xychart-beta horizontal", f'  title "{title}"', f"  x-axis [{labels}]",
            f'  y-axis "{unit}" 0 --> ' + f"{max([*values, 1.0]) * 1.1:.1f}", f"  bar [{bars}]",
            "```", ""]


def verdicts(entries):
    """Lines about what misses its goal."""
    lines = []
    for entry in entries:
        ratio = entry["peer_over_ours"].get(entry.get("fastest_peer"))
        goal = GOALS.get(entry["model"])
        if ratio and goal and ratio["median"] < goal:
            word = "slower than" if ratio["median"] < 1 else "below the goal against"
            lines.append(f"- {entry['model']}, {entry['threads']} thread(s): {word} {entry['fastest_peer']}: "
                         f"{ratio['median']:.2f} times its speed (goal {goal})")
    return lines


def networks_part(result, title, charted):
    entries = result["networks"]
    lines = [f"## {title}", "",
             *common.table(compare_networks.HEADER, [compare_networks.row_of(entry) for entry in entries], True), ""]
    for threads in charted:
        shown = [(entry["model"], entry["peer_over_ours"][entry["fastest_peer"]]["median"]) for entry in entries
                 if entry["threads"] == threads and entry.get("fastest_peer")]
        if shown:
            lines += chart(f"{threads} thread(s)", *zip(*shown))
    lines += [f"- absent: {who}: {why}" for who, why in result["absent"].items()]
    return lines + ([""] if result["absent"] else [])


def pipelines_part(results):
    lines = ["## Pipelines", "", "From an H.264 file, `decodebin` first; the lines are in "
             "`pipelines/bench/compare_pipelines.py`.", ""]
    for result in results:
        header = [f"{result['size']}, {result['frames']} frames", "frames/s (spread)", "CPU ms a frame",
                  "above decoding", "times decoding alone", "times the peer"]
        rows = [compare_pipelines.row_of(name, entry) for name, entry in result["pipelines"].items()]
        lines += [*common.table(header, rows, markdown=True), ""]
        shown = {name: entry["fps"]["median"] for name, entry in result["pipelines"].items()}
        if shown:
            lines += chart(f"Frames a second at {result['size']}", list(shown), list(shown.values()), "frames/s")
        lines += [*compare_pipelines.goal_lines(compare_pipelines.judge(result), markdown=True), ""]
        if result.get("growth"):
            rows = [[row["size"], f"{row['ms']:.2f}", f"{row['ns_per_pixel']:.2f}",
                     *(f"{row[key] / 2**20:.1f}" if key in row else "–" for key in ("end_bytes", "inner_bytes"))]
                    for row in result["growth"]]
            lines += ["Anime4K S by the size of its input:", "",
                      *common.table(["size", "ms", "ns a pixel", "MiB of input and output", "MiB of all between them"], rows,
                                    markdown=True), ""]
        lines += [f"- absent: {who}: {why}" for who, why in result["absent"].items()]
        lines += [""] if result["absent"] else []
    return lines


def missed_goals(result):
    return [f"- {result['size']}: {goal['what']}: {goal['value']:.2f} "
            f"(goal {'at least' if goal['at_least'] else 'at most'} {goal['goal']}"
            + (f"; the processors' time allows {goal['bound']:.2f}" if goal.get("bound") else "") + ")"
            for goal in compare_pipelines.judge(result) if not goal["reached"]]


def commands(run):
    """What to type for the same."""
    return ["## Commands", "", "```sh", "./dev bench report" + (" -- --quick" if run.get("quick") else ""),
            "```", "", "Its parts are `./dev bench networks`, `./dev bench pipelines` and `sluice bench machine`"
            + (f"; this run took {run['minutes']:.0f} minutes" if "minutes" in run else "") + ".", ""]


def page(run):
    missed = verdicts(run["networks"]["networks"]) + verdicts(run["large"]["networks"])
    missed += [line for result in run["pipelines"] for line in missed_goals(result)]
    facts = ", ".join(f"{what} {version}" for what, version in run["versions"].items())
    return "\n".join([
        "# Performance", "",
        "Written by `./dev bench report`; every table is of one run, contestants in turn, medians over the rounds with the "
        "smallest and largest. Ratios are medians of the rounds' own ratios; above 1, Sluice is faster.", "",
        f"Machine: {common.machine_line(run['facts'])}. {facts}.", "",
        *(["**A quick look, of one round: it shows that everything runs. Do not quote it.**", ""] if run.get("quick") else []),
        *commands(run),
        *limits_part(run["limits"]),
        *networks_part(run["networks"], "Networks, Anime4K and ESRGAN at 320x180", (1, 2)),
        *networks_part(run["large"], "Anime4K at 640x360" if run.get("quick") else "Anime4K at 1280x720", (1,)),
        *pipelines_part(run["pipelines"]),
        "## What we lose, or have not reached", "",
        *(missed or ["Nothing of the goals that this run can judge."]), "",
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of our runs of each network in a round")
    parser.add_argument("--output", type=pathlib.Path, default=REPO / "docs/performance.md")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--from", dest="source", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 0.1
    try:
        run = json.loads(options.source.read_text()) if options.source else measure(options)
    except common.Absent as reason:
        sys.exit(f"report: {reason}")
    if options.keep:
        options.keep.write_text(json.dumps(run, indent=1))
    options.output.write_text(page(run), encoding="utf-8")
    print(f"wrote {os.path.relpath(options.output)}")


if __name__ == "__main__":
    main()
