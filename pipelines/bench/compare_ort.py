#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures every network of the zoo: our CPU backend beside ONNX Runtime on the same network.
"""compare_ort.py [--rounds N] [--runs N] [--threads 1 2] [--models NAME...] [--json | --markdown]

Each round is one process of `sluice bench model` and one of `ort_run --bench`, in turn; a figure is
the median over the rounds of each process's median latency. A ratio above 1 says that ONNX Runtime
takes longer; "of the best" is the ratio of the fastest single runs, which a busy machine disturbs
least. Both get the same picture size and number of threads and all of their optimisations.
Anime4K runs at 320x180 on both sides; of ONNX Runtime's two exact spellings of CReLU the faster one
counts, round by round.
"""

import argparse
import json
import os
import pathlib
import shutil
import tempfile

import common
from common import Absent

OURS, PEER = "sluice", "onnxruntime"
TFLITE = ["face-detection-short-range", "face-detection-full-range",
          "face-detection-full-range-sparse", "selfie-segmentation-landscape",
          "selfie-segmentation", "selfie-multiclass"]
ANIME4K = ["anime4k-x2-s-rl", "anime4k-x2-m-rl", "anime4k-x2-l-rl"]
ANIME_WIDTH, ANIME_HEIGHT = 320, 180


def program(variable, name):
    path = os.environ.get(variable, "") or shutil.which(name) or ""
    if not os.path.exists(path):
        raise Absent(f"the program {name} was not built")
    return path


def convert(name, folder):
    """The ONNX files that stand for a network; the peer may use whichever is faster."""
    try:
        import anime4k_to_onnx  # with PYTHONPATH=tests/oracle, as the build sets it
        import onnx
        import tflite_to_onnx
    except ImportError as error:
        raise Absent(f"cannot convert to ONNX: {error}") from None
    if name in TFLITE:
        source = common.find("SLUICE_MODEL_PATH", "models", name + ".tflite")
        models = [tflite_to_onnx.convert(source)]
    else:
        source = common.find("SLUICE_MODEL_PATH", "models", name + ".json")
        models = [anime4k_to_onnx.convert(source, ANIME_HEIGHT, ANIME_WIDTH, form)
                  for form in ("doubled", "concat")]
    paths = []
    for number, model in enumerate(models):
        paths.append(pathlib.Path(folder) / f"{name}-{number}.onnx")
        onnx.save(model, paths[-1])
    return paths


def peer_milliseconds(judge, models, threads, runs):
    """(median, minimum) of one process, of the faster form of the network."""
    reports = [json.loads(common.run([judge, model, "--bench", runs, "--threads", threads],
                                     timeout=600)) for model in models]
    return min((report["median_ms"], report["min_ms"]) for report in reports)


def our_milliseconds(engine, name, threads, runs):
    command = [engine, "bench", "model", name, "--device", "cpu", "--threads", threads, "--runs",
               runs, "--json"]
    if name in ANIME4K:
        command += ["--size", f"{ANIME_WIDTH}x{ANIME_HEIGHT}"]
    latency = json.loads(common.run(command, timeout=600))["latency_ms"]
    return latency["p50"], latency["min"]


def contestants(name, threads, runs, folder):
    """{contestant: function} and {contestant: why absent}."""
    found, absent = {}, {}
    try:
        engine = program("SLUICE_PROGRAM", "sluice")
        found[OURS] = lambda: our_milliseconds(engine, name, threads, runs)
    except Absent as reason:
        absent[OURS] = str(reason)
    try:
        judge = program("SLUICE_ORT_RUN", "ort_run")
        models = convert(name, folder)
        found[PEER] = lambda: peer_milliseconds(judge, models, threads, runs)
    except Absent as reason:
        absent[PEER] = str(reason)
    return found, absent


def measure(name, threads, options, folder):
    found, absent = contestants(name, threads, options.runs, folder)
    figures, failed = common.measure_in_turn(found, options.rounds, f"{name}, {threads} threads")
    absent.update(failed)
    entry = {"model": name, "threads": threads, "absent": absent}
    medians = {who: [median for median, _ in values] for who, values in figures.items()}
    for who, values in figures.items():
        entry[who] = {**common.summary(medians[who]), "best": min(best for _, best in values)}
    if OURS in figures and PEER in figures:
        entry["peer_over_ours"] = common.paired_ratio(medians[PEER], medians[OURS])
        entry["peer_over_ours"]["best"] = entry[PEER]["best"] / entry[OURS]["best"]
    return entry


def milliseconds(entry):
    if entry is None:
        return "absent", ""
    return f"{entry['median']:.2f}", f"{entry['min']:.2f}–{entry['max']:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_output_options(parser)
    parser.add_argument("--runs", type=int, default=50, help="timed runs in a round (default: 50)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=TFLITE + ANIME4K)
    options = parser.parse_args()
    facts, results, rows, absent = common.machine(), [], [], {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        for threads in options.threads:
            for name in options.models:
                entry = measure(name, threads, options, folder)
                results.append(entry)
                absent.update({f"{who} on {name}": why for who, why in entry["absent"].items()})
                ratio = entry.get("peer_over_ours")
                rows.append([name, threads, *milliseconds(entry.get(OURS)),
                             *milliseconds(entry.get(PEER)),
                             f"{ratio['median']:.2f}" if ratio else "–",
                             f"{ratio['best']:.2f}" if ratio else "–"])
    header = ["network", "threads", "Sluice ms", "spread", "ONNX Runtime ms", "spread",
              "ONNX Runtime / Sluice", "of the best"]
    common.print_result(options, facts, common.table(header, rows, options.markdown),
                        {"networks": results, "absent": absent})


if __name__ == "__main__":
    main()
