#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Converts Anime4K x2 weights (JSON of 4x4 matrices) to ONNX, independently of the engine's loader.
"""anime4k_to_onnx.py WEIGHTS.json OUT.onnx --height H --width W [--form concat|doubled]

Input `input` f32[1,H,W,3] in 0..1; outputs `output` f32[1,2H,2W,3] (the half-pixel bilinear x2 plus
the residual, not clamped) and `residual` f32[1,2H,2W,1 or 3].

CReLU has two exact spellings. `concat` is Concat(Relu(x), Relu(-x)); `doubled` computes x and -x by
one convolution of twice the channels, whose Relu ONNX Runtime fuses. They differ in speed only, and
the benchmark takes whichever is faster on the machine at hand.
"""

import argparse
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def matrices(layer):
    """The layer's matrices as [count, output, input]; the file stores them column by column."""
    flat = np.array(layer["weights"], np.float32)
    return flat.reshape(-1, 4, 4).transpose(0, 2, 1)


def kernel_3x3(layer):
    """A 3x3 kernel OIHW; tap t = 3 * dx + dy, nine taps for each group of four input channels."""
    m = matrices(layer).reshape(-1, 3, 3, 4, 4)  # group, dx, dy, out, in
    return m.transpose(3, 0, 4, 2, 1).reshape(4, -1, 3, 3)


def kernel_1x1(layer):
    m = matrices(layer)  # group, out, in
    return m.transpose(1, 0, 2).reshape(4, -1)[:, :, None, None]


class Builder:
    def __init__(self, form):
        self.form = form
        self.nodes = []
        self.initializers = []

    def constant(self, value):
        name = f"const_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def emit(self, kind, inputs, output=None, **attributes):
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv(self, source, kernel, bias):
        pad = kernel.shape[2] // 2
        return self.emit("Conv", [source, self.constant(kernel), self.constant(bias)],
                         kernel_shape=list(kernel.shape[2:]), pads=[pad] * 4)

    def conv_crelu(self, source, kernel, bias):
        """A convolution and its CReLU: channels relu(x), then relu(-x)."""
        if self.form == "doubled":
            both = self.conv(source, np.concatenate([kernel, -kernel]),
                             np.concatenate([bias, -bias]))
            return self.emit("Relu", [both])
        x = self.conv(source, kernel, bias)
        negative = self.emit("Neg", [x])
        return self.emit("Concat", [self.emit("Relu", [x]), self.emit("Relu", [negative])], axis=1)


def bias_of(*layers):
    return np.concatenate([np.array(layer["bias"], np.float32) for layer in layers])


def last_names(layers):
    stem = "conv2d_last_tf" if "conv2d_last_tf" in layers else "conv2d_7_tf"
    return [name for name in (stem, stem + "1", stem + "2") if name in layers]


def build_residual(builder, layers, picture):
    """The network up to its 4 (luma) or 12 (R, G, B) sub-pixel channels."""
    stems = ["conv2d_tf"] + [f"conv2d_{i}_tf" for i in range(1, 7) if f"conv2d_{i}_tf" in layers]
    finals = last_names(layers)
    features, source = [], picture
    for stem in stems:
        parallel = [layers[n] for n in (stem, stem + "1") if n in layers]
        kernel = np.concatenate([kernel_3x3(layer) for layer in parallel])
        if source == picture:
            kernel = kernel[:, :3]  # the fourth column of the first layer meets no colour
        source = builder.conv_crelu(source, kernel, bias_of(*parallel))
        features.append(source)
    if len(finals) == 1:
        return builder.conv(source, kernel_3x3(layers[finals[0]]), bias_of(layers[finals[0]]))
    everything = builder.emit("Concat", features, axis=1)
    kernel = np.concatenate([kernel_1x1(layers[name]) for name in finals])
    # DepthToSpace in CRD order wants each colour's four sub-pixels side by side, as they come.
    return builder.conv(everything, kernel, bias_of(*(layers[name] for name in finals)))


def convert(path, height, width, form="concat"):
    with open(path, encoding="utf-8") as file:
        layers = json.load(file)["layers"]
    builder = Builder(form)
    picture = builder.emit("Transpose", ["input"], perm=[0, 3, 1, 2])
    subpixels = build_residual(builder, layers, picture)
    residual = builder.emit("DepthToSpace", [subpixels], blocksize=2, mode="CRD")
    scales = builder.constant(np.array([1, 1, 2, 2], np.float32))
    larger = builder.emit("Resize", [picture, "", scales], mode="linear",
                          coordinate_transformation_mode="half_pixel")
    total = builder.emit("Add", [larger, residual])
    builder.emit("Transpose", [total], "output", perm=[0, 2, 3, 1])
    builder.emit("Transpose", [residual], "residual", perm=[0, 2, 3, 1])

    def info(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    colours = len(last_names(layers))
    graph = helper.make_graph(
        builder.nodes, "anime4k", [info("input", [1, height, width, 3])],
        [info("output", [1, 2 * height, 2 * width, 3]),
         info("residual", [1, 2 * height, 2 * width, colours])], builder.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("out")
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--form", choices=["concat", "doubled"], default="concat")
    options = parser.parse_args()
    onnx.save(convert(options.weights, options.height, options.width, options.form), options.out)


if __name__ == "__main__":
    main()
