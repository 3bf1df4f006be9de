#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures every network of the zoo: our CPU backend beside its peers on the same network.
"""compare_networks.py [--rounds N] [--seconds S] [--threads 1 2] [--models NAME...] [--anime4k-size WxH...]
                    [--json | --markdown]

Peers: ONNX Runtime of the distribution, ONNX Runtime of npm (`npm install onnxruntime-node` in any folder,
which SLUICE_ORT_NODE then names) and OpenCV's DNN module. Who is not there is listed as absent.

Each round is one process of `sluice bench model` and one of every peer, in turn; a figure is the median over
the rounds of each process's median latency. A ratio above 1 says that the peer takes longer: the last column
is the fastest peer's, "of the best" the ratio of the fastest single runs, which a busy machine disturbs
least. All get the same picture size, number of threads, time in a round (the given seconds, but no fewer than five
runs) and all of their optimisations. Anime4K runs at 320x180 (--anime4k-size for others); of two exact spellings of
its CReLU in ONNX each peer is given the one that is faster for it. ESRGAN runs at 320x180; peers get it by way of
WebNN JSON, and only once ONNX Runtime has answered as we do.
"""

import argparse
import functools
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
ESRGAN = ["esrgan-slim-x2", "esrgan-medium-x2"]
SMALL = (320, 180)
LEAST_RUNS = 5
ESRGAN_LIMIT = 1e-3  # of the range of the answer


def program(variable, name):
    path = os.environ.get(variable, "") or shutil.which(name) or ""
    if not os.path.exists(path):
        raise Absent(f"the program {name} was not built")
    return path


@functools.cache
def lay_out(name, folder):
    """A TensorFlow.js model as its package has it: the weights beside it, under their own name."""
    model, weights = (common.find("SLUICE_TWINS_PATH", "twins", name + ending) for ending in (".json", ".bin"))
    place = pathlib.Path(folder) / name
    place.mkdir(exist_ok=True)
    (shard,) = json.loads(model.read_text(encoding="utf-8"))["weightsManifest"][0]["paths"]
    shutil.copyfile(weights, place / shard)
    return pathlib.Path(shutil.copyfile(model, place / "model.json"))


@functools.cache
def convert_tfjs(name, folder, size):
    """The network in ONNX, verified: ONNX Runtime answers as we do."""
    import numpy as np
    import onnx
    import webnn_to_onnx
    engine, judge = program("SLUICE_PROGRAM", "sluice"), program("SLUICE_ORT_RUN", "ort_run")
    source = lay_out(name, folder)
    saved, picture, answers = source.with_name("saved.json"), source.with_name("in.npy"), source.with_name("answers")
    common.run([engine, "models", "save", source, saved, "--size", f"{size[0]}x{size[1]}"])
    try:
        model = webnn_to_onnx.convert(saved)
    except webnn_to_onnx.Unsupported as reason:
        raise Absent(f"cannot convert to ONNX: {reason}") from None
    path = source.with_name("network.onnx")
    onnx.save(model, path)
    np.save(picture, np.random.default_rng(1).uniform(0, 255, (1, size[1], size[0], 3)).astype(np.float32))
    arguments = ["--input", f"{model.graph.input[0].name}={picture}", "--output-dir"]
    common.run([engine, "infer", source, "--device", "cpu", *arguments, answers / "ours"], timeout=600)
    (answers / "theirs").mkdir(parents=True, exist_ok=True)
    common.run([judge, path, *arguments, answers / "theirs"], timeout=600)
    ours, theirs = (np.load(answers / who / f"{model.graph.output[0].name}.npy") for who in ("ours", "theirs"))
    difference = float(np.abs(ours - theirs).max() / np.ptp(theirs)) if ours.shape == theirs.shape else float("nan")
    if not difference <= ESRGAN_LIMIT:
        raise Absent(f"ONNX Runtime's answer differs by {difference:.1e} of its range, more than {ESRGAN_LIMIT}")
    return model, path


def convert(name, folder, size):
    """The ONNX files that stand for a network, and their input's shape."""
    try:
        import anime4k_to_onnx  # with PYTHONPATH=tests/oracle, as the build sets it
        import onnx
        import tflite_to_onnx
    except ImportError as error:
        raise Absent(f"cannot convert to ONNX: {error}") from None
    if name in ESRGAN:
        models, paths = ([one] for one in convert_tfjs(name, folder, size))
    else:
        if name in TFLITE:
            source = common.find("SLUICE_MODEL_PATH", "models", name + ".tflite")
            models = [tflite_to_onnx.convert(source)]
        else:
            source = common.find("SLUICE_MODEL_PATH", "models", name + ".json")
            models = [anime4k_to_onnx.convert(source, size[1], size[0], form) for form in ("doubled", "concat")]
        paths = [pathlib.Path(folder) / f"{name}-{number}.onnx" for number in range(len(models))]
        for model, path in zip(models, paths):
            onnx.save(model, path)
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


def peer_milliseconds(peer, model, shape, threads, runs):
    """(median, minimum) of one process."""
    report = json.loads(common.run(peer_command(peer, model, shape, threads, runs), timeout=600).splitlines()[-1])
    return report["median_ms"], report["min_ms"]


def fastest_form(peer, models, shape, threads):
    """The form of the network that is the fastest for this peer, and its milliseconds."""
    times = {model: peer_milliseconds(peer, model, shape, threads, LEAST_RUNS)[0] for model in models}
    model = min(times, key=times.get)
    return model, times[model]


def runs_within(seconds, milliseconds):
    """As many as fit, so that a slow contestant does not take the run for itself."""
    return max(LEAST_RUNS, round(1e3 * seconds / milliseconds))


def our_milliseconds(engine, model, key, runs, size):
    command = [engine, "bench", "model", model, "--device", "cpu", "--threads", key[1], "--runs", runs, "--json"]
    if size:
        command += ["--size", f"{size[0]}x{size[1]}"]
    report = json.loads(common.run(command, timeout=600))
    our_milliseconds.work[key] = (report["gflop"], report.get("peak_gflop_per_second"))
    return report["latency_ms"]["p50"], report["latency_ms"]["min"]


our_milliseconds.work = {}  # {(network, threads, size): (GFLOP an inference, the machine's GFLOP/s)}


def contestants(key, seconds, folder):
    """{contestant: function} and {contestant: why absent}."""
    name, threads, size = key
    found, absent = {}, {}
    try:
        engine = program("SLUICE_PROGRAM", "sluice")
        model = lay_out(name, folder) if name in ESRGAN else name
        once, _ = our_milliseconds(engine, model, key, LEAST_RUNS, size)
        runs = runs_within(seconds, once)
        found[OURS] = lambda: our_milliseconds(engine, model, key, runs, size)
    except Absent as reason:
        absent[OURS] = str(reason)
    try:
        models, shape = convert(name, folder, size)
    except Absent as reason:
        return found, {**absent, **{peer: str(reason) for peer in PEERS}}
    for peer in PEERS:
        try:
            form, once = fastest_form(peer, models, shape, threads)
            found[peer] = functools.partial(peer_milliseconds, peer, form, shape, threads, runs_within(seconds, once))
        except Absent as reason:
            absent[peer] = str(reason)
    return found, absent


def measure(name, threads, size, options, folder):
    found, absent = contestants((name, threads, size), options.seconds, folder)
    figures, failed = common.measure_in_turn(found, options.rounds, f"{name}, {threads} threads")
    absent.update(failed)
    entry = {"model": name, "size": "x".join(map(str, size or ())), "threads": threads, "absent": absent, "latency_ms": {},
             "peer_over_ours": {}}
    medians = {who: [median for median, _ in values] for who, values in figures.items()}
    for who, values in figures.items():
        entry["latency_ms"][who] = {**common.summary(medians[who]), "best": min(best for _, best in values)}
    if OURS not in figures:
        return entry
    gflop, peak = our_milliseconds.work[name, threads, size]
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
    cells = [f"{entry['model']} {entry['size']}".strip(), entry["threads"]]
    for who in [OURS, *PEERS]:
        figure = entry["latency_ms"].get(who)
        cells.append(f"{figure['median']:.2f} ({figure['min']:.2f}–{figure['max']:.2f})" if figure else "absent")
    share = entry.get("share_of_peak")
    cells.append(f"{100 * share:.0f} %" if share else "–")
    ratio = entry["peer_over_ours"].get(entry.get("fastest_peer"))
    return [*cells, f"{ratio['best']:.2f}" if ratio else "–", f"{ratio['median']:.2f}" if ratio else "–"]


HEADER = ["network", "threads", f"{OURS} ms (spread)", *(f"{peer} ms" for peer in PEERS), "of peak", "of the best",
          "fastest peer / Sluice"]


def absences(results):
    """{who on which networks: why}, a line for each reason."""
    models = {}
    for entry in results:
        for who, why in entry["absent"].items():
            models.setdefault((who, why), {})[entry["model"]] = None
    everything = len({entry["model"] for entry in results})
    return {who if len(named) == everything else f"{who} on {', '.join(named)}": why
            for (who, why), named in models.items()}


def size_of(text):
    width, _, height = text.partition("x")
    return int(width), int(height)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_output_options(parser)
    parser.add_argument("--seconds", type=float, default=1, help="of a contestant's runs in a round (default: 1)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=TFLITE + ANIME4K + ESRGAN)
    parser.add_argument("--anime4k-size", type=size_of, nargs="+", default=[SMALL], metavar="WxH")
    options = parser.parse_args()
    facts, results = common.machine(), []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        for threads in options.threads:
            for name in options.models:
                sizes = options.anime4k_size if name in ANIME4K else [SMALL] if name in ESRGAN else [None]
                for size in sizes:
                    results.append(measure(name, threads, size, options, folder))
    absent = absences(results)
    lines = common.table(HEADER, [row_of(entry) for entry in results], options.markdown)
    common.print_result(options, facts, lines, {"networks": results, "absent": absent})


if __name__ == "__main__":
    main()
