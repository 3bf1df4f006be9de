#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures every network of the zoo: our CPU backend beside its peers on the same network.
"""compare_networks.py [--rounds N] [--runs N] [--threads 1 2] [--models NAME...] [--json | --markdown]

Peers: ONNX Runtime of the distribution, ONNX Runtime of npm (`npm install onnxruntime-node` in any folder,
which SLUICE_ORT_NODE then names) and OpenCV's DNN module. Who is not there is listed as absent.

Each round is one process of `sluice bench model` and one of every peer, in turn; a figure is the median over
the rounds of each process's median latency. A ratio above 1 says that the peer takes longer: the last column
is the fastest peer's, "of the best" the ratio of the fastest single runs, which a busy machine disturbs
least. All get the same picture size and number of threads and all of their optimisations. Anime4K runs at
320x180 (--anime4k-size for others); of two exact spellings of its CReLU in ONNX each peer is given the one
that is faster for it, round by round.
"""

import argparse
import json
import os
import pathlib
import shutil
import tempfile

import common
from common import Absent

OURS = "Sluice"
DISTRIBUTION, NODE, OPENCV = "ONNX Runtime", "ONNX Runtime (npm)", "OpenCV DNN"
PEERS = [DISTRIBUTION, NODE, OPENCV]
TFLITE = ["face-detection-short-range", "face-detection-full-range",
          "face-detection-full-range-sparse", "selfie-segmentation-landscape",
          "selfie-segmentation", "selfie-multiclass"]
ANIME4K = ["anime4k-x2-s-rl", "anime4k-x2-m-rl", "anime4k-x2-l-rl"]


def program(variable, name):
    path = os.environ.get(variable, "") or shutil.which(name) or ""
    if not os.path.exists(path):
        raise Absent(f"the program {name} was not built")
    return path


def convert(name, folder, size):
    """The ONNX files that stand for a network, and their input's shape."""
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
        models = [anime4k_to_onnx.convert(source, size[1], size[0], form) for form in ("doubled", "concat")]
    paths = []
    for number, model in enumerate(models):
        paths.append(pathlib.Path(folder) / f"{name}-{number}.onnx")
        onnx.save(model, paths[-1])
    dims = models[0].graph.input[0].type.tensor_type.shape.dim
    return paths, ",".join(str(dim.dim_value) for dim in dims)


def peer_command(peer, model, shape, threads, runs):
    if peer == DISTRIBUTION:
        return [program("SLUICE_ORT_RUN", "ort_run"), model, "--bench", runs, "--threads", threads]
    if peer == OPENCV:
        return [program("SLUICE_OPENCV_RUN", "opencv_run"), model, shape, runs, threads]
    folder = os.environ.get("SLUICE_ORT_NODE", "")
    if not (pathlib.Path(folder) / "node_modules/onnxruntime-node").exists() or not folder:
        raise Absent("set SLUICE_ORT_NODE to a folder in which npm installed onnxruntime-node")
    script = pathlib.Path(__file__).with_name("ort_node.mjs")
    return ["node", script, folder, model, shape, runs, threads]


def peer_milliseconds(peer, models, shape, threads, runs):
    """(median, minimum) of one process, of the form of the network that is faster for this peer."""
    reports = [json.loads(common.run(peer_command(peer, model, shape, threads, runs), timeout=600).splitlines()[-1])
               for model in models]
    return min((report["median_ms"], report["min_ms"]) for report in reports)


def our_milliseconds(engine, name, threads, runs, size):
    command = [engine, "bench", "model", name, "--device", "cpu", "--threads", threads, "--runs", runs, "--json"]
    if name in ANIME4K:
        command += ["--size", f"{size[0]}x{size[1]}"]
    report = json.loads(common.run(command, timeout=600))
    our_milliseconds.work[name, threads] = (report["gflop"], report.get("peak_gflop_per_second"))
    return report["latency_ms"]["p50"], report["latency_ms"]["min"]


our_milliseconds.work = {}  # {(network, threads): (GFLOP an inference, the machine's GFLOP/s)}


def contestants(name, threads, options, folder):
    """{contestant: function} and {contestant: why absent}."""
    found, absent = {}, {}
    try:
        engine = program("SLUICE_PROGRAM", "sluice")
        found[OURS] = lambda: our_milliseconds(engine, name, threads, options.runs, options.anime4k_size)
    except Absent as reason:
        absent[OURS] = str(reason)
    try:
        models, shape = convert(name, folder, options.anime4k_size)
    except Absent as reason:
        return found, {**absent, **{peer: str(reason) for peer in PEERS}}
    for peer in PEERS:
        try:
            peer_command(peer, models[0], shape, threads, options.runs)
            found[peer] = lambda peer=peer: peer_milliseconds(peer, models, shape, threads, options.runs)
        except Absent as reason:
            absent[peer] = str(reason)
    return found, absent


def measure(name, threads, options, folder):
    found, absent = contestants(name, threads, options, folder)
    figures, failed = common.measure_in_turn(found, options.rounds, f"{name}, {threads} threads")
    absent.update(failed)
    entry = {"model": name, "threads": threads, "absent": absent, "latency_ms": {}, "peer_over_ours": {}}
    medians = {who: [median for median, _ in values] for who, values in figures.items()}
    for who, values in figures.items():
        entry["latency_ms"][who] = {**common.summary(medians[who]), "best": min(best for _, best in values)}
    if OURS not in figures:
        return entry
    gflop, peak = our_milliseconds.work[name, threads]
    entry["gflop"] = gflop
    if peak:
        entry["share_of_peak"] = gflop / (1e-3 * entry["latency_ms"][OURS]["median"]) / peak
    for peer in PEERS:
        if peer in figures:
            entry["peer_over_ours"][peer] = {
                **common.paired_ratio(medians[peer], medians[OURS]),
                "best": entry["latency_ms"][peer]["best"] / entry["latency_ms"][OURS]["best"]}
    if entry["peer_over_ours"]:
        entry["fastest_peer"] = min(entry["peer_over_ours"], key=lambda who: entry["peer_over_ours"][who]["median"])
    return entry


def row_of(entry):
    cells = [entry["model"], entry["threads"]]
    for who in [OURS, *PEERS]:
        figure = entry["latency_ms"].get(who)
        cells.append(f"{figure['median']:.2f} ({figure['min']:.2f}–{figure['max']:.2f})" if figure else "absent")
    share = entry.get("share_of_peak")
    cells.append(f"{100 * share:.0f} %" if share else "–")
    ratio = entry["peer_over_ours"].get(entry.get("fastest_peer"))
    return [*cells, f"{ratio['best']:.2f}" if ratio else "–", f"{ratio['median']:.2f}" if ratio else "–"]


HEADER = ["network", "threads", f"{OURS} ms (spread)", *(f"{peer} ms" for peer in PEERS), "of peak", "of the best",
          "fastest peer / Sluice"]


def size_of(text):
    width, _, height = text.partition("x")
    return int(width), int(height)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_output_options(parser)
    parser.add_argument("--runs", type=int, default=50, help="timed runs in a round (default: 50)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=TFLITE + ANIME4K)
    parser.add_argument("--anime4k-size", type=size_of, default=(320, 180), metavar="WxH")
    options = parser.parse_args()
    facts, results, absent = common.machine(), [], {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        for threads in options.threads:
            for name in options.models:
                results.append(measure(name, threads, options, folder))
                absent.update({f"{who} on {name}": why for who, why in results[-1]["absent"].items()})
    lines = common.table(HEADER, [row_of(entry) for entry in results], options.markdown)
    common.print_result(options, facts, lines, {"networks": results, "absent": absent})


if __name__ == "__main__":
    main()
