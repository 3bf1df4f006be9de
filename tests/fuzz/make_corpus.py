#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills folders with seeds for the fuzz targets: webnn, tfjs, tflite, metadata, npy, seal.

  make_corpus.py OUTPUT_FOLDER [SLUICE_PROGRAM [TESTDATA_FOLDER]]

With the program, small ONNX models of libonnx-testdata are saved as WebNN JSON, one a kind of node; and
the .tflite files that the tests of its build write are kept, if those are built.
"""

import base64
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy

LIMIT = 8 << 10  # bytes; larger seeds slow the fuzzer down


def put(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def make_webnn(folder, program, data):
    operand = {"dataType": "float32", "shape": [1, 2, 4, 4]}
    document = {
        "format": "webnn-json", "version": 1, "info": {"name": "seed", "labels": ["a", "b"], "mean": 1.5, "std": 2},
        "operands": [{**operand, "kind": "input", "name": "x"},
                     {"dataType": "float32", "shape": [2, 2, 1, 1], "kind": "constant", "byteOffset": 0}, operand, operand],
        "operators": [
            {"method": "conv2d", "label": "stem", "arguments": {"input": 0, "filter": 1},
             "options": {"padding": [0, 0, 0, 0], "inputLayout": "nchw", "groups": 1,
                         "activation": {"method": "clamp", "minValue": 0, "maxValue": "Infinity"}}, "outputs": [2]},
            {"method": "softmax", "arguments": {"input": 2, "axis": 1}, "outputs": [3]}],
        "outputs": [{"name": "y", "operand": 3}],
    }
    put(folder, json.dumps(document).encode() + b"\0" + numpy.arange(4, dtype="<f4").tobytes())
    if program is None:
        return
    seen = set()
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / "m.json"
        for model in sorted(data.glob("**/node/*/model.onnx")):
            kind = model.parent.name.split("_")[1]
            if model.stat().st_size > LIMIT or kind in seen:
                continue
            done = subprocess.run([program, "models", "save", model, out], capture_output=True, check=False)
            if done.returncode == 0 and out.stat().st_size <= LIMIT:
                weights = out.with_suffix(".weights")
                put(folder, out.read_bytes() + b"\0" + (weights.read_bytes() if weights.exists() else b""))
                weights.unlink(missing_ok=True)
                seen.add(kind)


def tfjs_node(name, op, inputs=(), **attributes):
    return {"name": name, "op": op, "input": list(inputs), "attr": {"T": {"type": "DT_FLOAT"}, **attributes}}


def shape(*dims):
    return {"shape": {"dim": [{"size": str(dim)} for dim in dims]}}


def make_tfjs(folder):
    def text(value):
        return {"s": base64.b64encode(value.encode()).decode()}

    ints = {"list": {"i": ["1", "2", "2", "1"]}}
    placeholder = tfjs_node("x", "Placeholder", dtype={"type": "DT_FLOAT"}, shape=shape(1, 8, 8, 3))
    constant = tfjs_node("w", "Const", dtype={"type": "DT_FLOAT"}, value={"tensor": {}})
    weights = {"name": "w", "shape": [3, 3, 3, 4], "dtype": "float32"}
    heads = [
        tfjs_node("y", "Conv2D", ("x", "w"), strides=ints, padding=text("SAME"), data_format=text("NHWC")),
        tfjs_node("y", "_FusedConv2D", ("x", "w", "b"), strides=ints, padding=text("VALID"), num_args={"i": "1"},
                  fused_ops={"list": {"s": [base64.b64encode(op).decode() for op in (b"BiasAdd", b"Relu6")]}}),
        tfjs_node("y", "MaxPool", ("x",), ksize=ints, strides=ints, padding=text("SAME")),
        tfjs_node("y", "ResizeBilinear", ("x", "s"), half_pixel_centers={"b": True}),
        tfjs_node("y", "Reshape", ("x", "s")), tfjs_node("y", "Pad", ("x", "p")), tfjs_node("y", "Mean", ("x", "s")),
        tfjs_node("y", "Softmax", ("x",)), tfjs_node("y", "ConcatV2", ("x", "x", "axis"), N={"i": "2"}),
        tfjs_node("y", "StridedSlice", ("x", "s", "s", "s"), begin_mask={"i": "1"}), tfjs_node("y", "Relu6", ("x",)),
    ]
    extra = [({"name": "b", "shape": [4], "dtype": "float32"}, 4), ({"name": "s", "shape": [2], "dtype": "int32"}, 2),
             ({"name": "p", "shape": [4, 2], "dtype": "int32"}, 8), ({"name": "axis", "shape": [], "dtype": "int32"}, 1),
             ({"name": "q", "shape": [4], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}}, 1)]
    for head in heads:
        entries = [weights] + [entry for entry, _ in extra]
        consts = [constant] + [tfjs_node(entry["name"], "Const", value={"tensor": {}},
                                         dtype={"type": "DT_INT32" if entry["dtype"] == "int32" else "DT_FLOAT"})
                               for entry, _ in extra]
        model = {"format": "graph-model", "modelTopology": {"node": [placeholder, *consts, head], "versions": {}},
                 "weightsManifest": [{"paths": ["s.bin"], "weights": entries}]}
        shard = numpy.arange(108, dtype="<f4").tobytes() + b"".join(struct.pack(f"<{n}i", *range(n)) for _, n in extra)
        put(folder, json.dumps(model).encode() + b"\0" + shard)
    layers = [("Conv2D", {"filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "activation": "relu",
                          "use_bias": True}), ("Dense", {"units": 4, "activation": "softmax", "use_bias": True}),
              ("Flatten", {}), ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}),
              ("UpSampling2D", {"size": [2, 2], "interpolation": "nearest"}), ("Activation", {"activation": "tanh"})]
    for kind, config in layers:
        config = {"name": "l", "trainable": True, **config}
        if kind != "Flatten":
            config["batch_input_shape"] = [None, 8, 8, 3]
        first = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 8, 8, 3], "dtype": "float32"}}
        topology = {"model_config": {"class_name": "Sequential", "config": {
            "name": "m", "layers": [first, {"class_name": kind, "config": config}]}}}
        kernel = [3, 3, 3, 4] if kind == "Conv2D" else [3, 4]
        model = {"format": "layers-model", "modelTopology": topology, "weightsManifest": [
            {"paths": ["s.bin"], "weights": [{"name": "l/kernel", "shape": kernel, "dtype": "float32"},
                                             {"name": "l/bias", "shape": [4], "dtype": "float32"}]}]}
        put(folder, json.dumps(model).encode() + b"\0" + bytes(4 * (int(numpy.prod(kernel)) + 4)))


def make_metadata(folder):
    put(folder, b"[modelinfo]\nversion=1.0\ngroup-id=g\n\n[x]\nid=x\ntype=float32\ndims=-1,3\ndir=input\n"
                b"ranges=0.0,255.0;0.0,255.0\n[y]\ndir=output\n")
    for path in sorted((pathlib.Path(__file__).parent.parent / "data").glob("*.tflite")):
        put(folder, path.read_bytes())
    try:
        import onnx  # noqa: PLC0415; the other seeds do without
    except ImportError:
        return
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    model = onnx.helper.make_model(onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y]))
    onnx.helper.set_model_props(model, {"names": "{0: 'a', 1: \"b\"}", "mean": "127.5", "std": "127.5", "license": "MIT"})
    put(folder, model.SerializeToString())
    onnx.helper.set_model_props(model, {"labels": "a, b\nc", "std": "0", "task": "detect"})
    put(folder, model.SerializeToString())


def make_npy(folder):
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "a.npy"
        for dtype in ("<f4", "<f2", "|u1", "<i8", ">f4", "<f8"):
            for dims in ((), (3,), (2, 3)):
                numpy.save(path, numpy.ones(dims, dtype=dtype))
                put(folder, path.read_bytes())


def make_tflite(folder, program):
    folder.mkdir(parents=True, exist_ok=True)
    for path in (pathlib.Path(__file__).parents[1] / "data").glob("*.tflite"):
        put(folder, path.read_bytes())
    test = program and pathlib.Path(program).parents[2] / "tests/models/models_tflite_test"
    if test and test.exists():
        environment = os.environ | {"SLUICE_FUZZ_SEEDS": str(folder.resolve())}
        root = pathlib.Path(__file__).parents[2]
        subprocess.run([test], env=environment, cwd=root, stdout=subprocess.DEVNULL, check=True)


def make_seal(folder):
    def payload(files):
        table = struct.pack("<I", len(files))
        table += b"".join(struct.pack("<IQ", len(name), len(content)) + name for name, content in files)
        out = table + bytes(-len(table) % 64)
        for _, content in files:
            out += content + bytes(-len(content) % 64)
        return out

    put(folder, payload([(b"model.onnx", b"content")]))
    put(folder, payload([(b"model.json", b"{}"), (b"w.bin", bytes(100)), (b"empty", b"")]))
    put(folder, b"SLUSEAL\x01" + bytes(60))


def main():
    output = pathlib.Path(sys.argv[1])
    program = sys.argv[2] if len(sys.argv) > 2 else None
    data = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else "/usr/share/libonnx-testdata/data")
    make_webnn(output / "webnn", program, data)
    make_tfjs(output / "tfjs")
    make_tflite(output / "tflite", program)
    make_metadata(output / "metadata")
    make_npy(output / "npy")
    make_seal(output / "seal")
    for folder in sorted(output.iterdir()):
        print(f"{folder.name}: {len(list(folder.iterdir()))} seeds")


if __name__ == "__main__":
    main()
