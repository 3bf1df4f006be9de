#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Compares the engine's outputs with ONNX Runtime's, for every network of the zoo on real frames.
"""agreement_test.py [--device cpu|reference|both] [--models NAME...]

What must agree, by kind of output:
  face scores       after the sigmoid that the task applies          1e-3
  face boxes        anchor offsets and keypoints, network pixels     1e-2
  masks             probabilities as they come                       1e-3
  multi-class       after the softmax that the task applies          1e-3
  pictures          clipped to what 8 bits hold, in code values      below 1
The CPU backend runs every case, the reference backend, which is naive loops, one frame of each
network.
"""

import support  # first: it says which Python module is missing

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

import make_cases

BOX_PIXELS = 1e-2
PROBABILITY, CODE_VALUES = 1e-3, 1.0
REFERENCE_CASES = ("cap12-300", "cap12-300-37x29", "cap12-300-64x48")
LIMIT_SECONDS = 300


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-np.clip(values.astype(np.float64), -100, 100)))


def softmax(values):
    powers = np.exp(values.astype(np.float64) - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def distance(network, got, want):
    """The largest difference in the output's own unit, its limit and its name."""
    if network.startswith("face"):
        if want.shape[-1] == 1:
            return np.abs(sigmoid(got) - sigmoid(want)).max(), PROBABILITY, "score"
        return np.abs(got.astype(np.float64) - want).max(), BOX_PIXELS, "pixels"
    if network.startswith("anime4k"):
        codes = [255.0 * np.clip(x.astype(np.float64), -1.0, 1.0) for x in (got, want)]
        return np.abs(codes[0] - codes[1]).max(), CODE_VALUES, "codes"
    if network == "selfie-multiclass":
        return np.abs(softmax(got) - softmax(want)).max(), PROBABILITY, "probability"
    return np.abs(got.astype(np.float64) - want).max(), PROBABILITY, "probability"


def run_engine(program, network, device, inputs, folder):
    """{name: array} of `sluice infer`; the program's own message where it fails."""
    command = [program, "infer", str(support.model_path(network)), "--device", device,
               "--output-dir", str(folder)]
    for name, path in inputs.items():
        command += ["--input", f"{name}={path}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS,
                              check=False)
    except subprocess.TimeoutExpired:
        return None, f"no answer within {LIMIT_SECONDS} s"
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    return {path.stem: np.load(path) for path in pathlib.Path(folder).glob("*.npy")}, ""


def compare(case, root, got):
    """Yields (output, difference, limit, unit, problem) for every expected tensor that counts."""
    compared = 0
    for name, relative in case["expected"].items():
        want = np.load(root / relative)
        key = pathlib.Path(support.file_name(name)).stem
        if key not in got:
            # Anime4K: the engine's graph may end at the residual, which the task adds.
            if not case["network"].startswith("anime4k"):
                yield name, 0.0, 0.0, "", f"no output '{name}', only {sorted(got)}"
            continue
        if got[key].shape != want.shape:
            yield name, 0.0, 0.0, "", f"shape {got[key].shape} instead of {want.shape}"
            continue
        compared += 1
        if not np.isfinite(got[key]).all():
            yield name, 0.0, 0.0, "", "not finite"
            continue
        yield (name, *distance(case["network"], got[key], want), "")
    if not compared:
        yield "-", 0.0, 0.0, "", f"nothing to compare among {sorted(got)}"


def check_case(program, case, device, root, work):
    inputs = {name: root / path for name, path in case["inputs"].items()}
    start = time.monotonic()
    got, problem = run_engine(program, case["network"], device, inputs, work)
    seconds = time.monotonic() - start
    rows = compare(case, root, got) if got is not None else [("-", 0.0, 0.0, "", problem)]
    failed = 0
    for name, value, limit, unit, message in rows:
        good = not message and value <= limit and not (unit == "codes" and value >= limit)
        failed += not good
        detail = message or f"{value:.2e} of {limit:.0e} {unit}"
        print(f"{'ok  ' if good else 'FAIL'} {device:9} {case['network']:32} {case['case']:17} "
              f"{name:26} {detail} ({seconds:.1f} s)", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "reference", "both"], default="both")
    parser.add_argument("--models", nargs="+", default=list(support.NETWORKS) + support.ANIME4K)
    options = parser.parse_args()
    judge = support.require_program("ort_run", "SLUICE_ORT_RUN")
    program = support.require_program("sluice", "SLUICE_PROGRAM")
    devices = ["cpu", "reference"] if options.device == "both" else [options.device]
    failed = total = 0
    with tempfile.TemporaryDirectory(prefix="sluice-agreement-") as folder:
        root = pathlib.Path(folder) / "cases"
        for number, case in enumerate(make_cases.make(root, judge, options.models)):
            for device in devices:
                if device == "reference" and case["case"] not in REFERENCE_CASES:
                    continue
                total += 1
                work = pathlib.Path(folder) / f"{number}-{device}"
                failed += check_case(program, case, device, root, work) > 0
    print(f"{total - failed} of {total} cases agree with ONNX Runtime")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    sys.exit(main())
