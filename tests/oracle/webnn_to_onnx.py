#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Converts a network that was saved as WebNN JSON to ONNX, so that other engines can run it.
"""webnn_to_onnx.py SAVED.json OUT.onnx

`sluice models save MODEL SAVED.json` writes any network that loads in this form. Pictures are channels last on
the outside, as they are here, and channels first inside, as the engines that read ONNX want them: one
transposition at each input and output. Operators: conv2d, concat, add, relu, resample2d to the nearest pixel;
anything else is an error that names it.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17  # what every peer reads
TO_FIRST, TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
FILTER_TO_OIHW = {"hwio": (3, 2, 0, 1), "ohwi": (0, 3, 1, 2), "ihwo": (3, 0, 1, 2), "oihw": (0, 1, 2, 3)}


class Unsupported(Exception):
    """What of the network has no counterpart here."""


class Conversion:
    def __init__(self, description, weights):
        self.operands, self.weights = description["operands"], weights
        self.nodes, self.initializers = [], []
        self.names = {}  # {operand: its name in ONNX}, channels first

    def constant(self, value):
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def emit(self, kind, inputs, output=None, **attributes):
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"node_{len(self.nodes)}", **attributes))
        return output

    def picture(self, index):
        """The name of an operand that is a picture; only those that were computed have one."""
        if index not in self.names:
            raise Unsupported(f"operand {index} is a {self.operands[index].get('kind', 'result')} where a picture is wanted")
        return self.names[index]

    def values(self, index):
        operand = self.operands[index]
        if operand.get("kind") != "constant" or operand["dataType"] != "float32":
            raise Unsupported(f"operand {index} is no float32 constant")
        count = int(np.prod(operand["shape"]))
        return np.frombuffer(self.weights, "<f4", count, operand["byteOffset"]).reshape(operand["shape"])

    def conv2d(self, arguments, options):
        if options.get("inputLayout", "nchw") != "nhwc":
            raise Unsupported("conv2d with the input layout nchw: this converts networks of channels last")
        layout = options.get("filterLayout", "oihw")
        kernel = self.values(arguments["filter"]).transpose(FILTER_TO_OIHW[layout])
        inputs = [self.picture(arguments["input"]), self.constant(kernel)]
        if "bias" in options:
            inputs.append(self.constant(self.values(options["bias"])))
        top, bottom, left, right = options.get("padding", [0, 0, 0, 0])
        return self.emit("Conv", inputs, kernel_shape=kernel.shape[2:], pads=[top, left, bottom, right],
                         strides=options.get("strides", [1, 1]), dilations=options.get("dilations", [1, 1]),
                         group=options.get("groups", 1))

    def concat(self, arguments, _):
        inputs = [self.picture(index) for index in arguments["inputs"]]
        return self.emit("Concat", inputs, axis=TO_FIRST.index(arguments["axis"]))

    def add(self, arguments, _):
        shapes = {tuple(self.operands[arguments[side]]["shape"]) for side in "ab"}
        if len(shapes) > 1:
            raise Unsupported(f"add of the shapes {sorted(shapes)}: only equal ones")
        return self.emit("Add", [self.picture(arguments["a"]), self.picture(arguments["b"])])

    def relu(self, arguments, _):
        return self.emit("Relu", [self.picture(arguments["input"])])

    def resample2d(self, arguments, options):
        before = self.operands[arguments["input"]]["shape"]
        if options["axes"] != [1, 2] or options.get("mode", "nearest-neighbor") != "nearest-neighbor":
            raise Unsupported(f"resample2d of the axes {options['axes']} in the mode '{options.get('mode')}'")
        after = options.get("sizes") or [round(size * scale) for size, scale in zip(before[1:3], options["scales"])]
        scales = [new / old for new, old in zip(after, before[1:3])]
        if any(scale != int(scale) for scale in scales):
            raise Unsupported(f"resample2d by {scales}: only whole factors, which all engines take alike")
        return self.emit("Resize", [self.picture(arguments["input"]), "", self.constant(np.array([1, 1, *scales], np.float32))],
                         mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    CONVERTED = {function.__name__: function for function in (conv2d, concat, add, relu, resample2d)}

    def convert(self, operator):
        method = operator["method"]
        if method not in self.CONVERTED:
            raise Unsupported(f"the operator {method}; this converts {', '.join(sorted(self.CONVERTED))}")
        fused = {"activation", "residual"} & operator["options"].keys()
        if fused:
            raise Unsupported(f"{method} with {' and '.join(sorted(fused))}: save the network without passes")
        (output,) = operator["outputs"]
        self.names[output] = self.CONVERTED[method](self, operator["arguments"], operator["options"])


def value_info(name, operand):
    if len(operand["shape"]) != 4 or operand["dataType"] != "float32":
        raise Unsupported(f"'{name}' is {operand['dataType']} of {len(operand['shape'])} dimensions: only float32 pictures")
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, operand["shape"])


def convert(path):
    """An ONNX model whose inputs and outputs have the names and shapes that the saved network has."""
    path = pathlib.Path(path)
    description = json.loads(path.read_text(encoding="utf-8"))
    if description.get("format") != "webnn-json":
        raise Unsupported(f"{path.name} is no WebNN JSON")
    conversion = Conversion(description, (path.parent / description["weights"]["file"]).read_bytes())
    inputs, outputs = [], []
    for index, operand in enumerate(conversion.operands):
        if operand.get("kind") == "input":
            inputs.append(value_info(operand["name"], operand))
            conversion.names[index] = conversion.emit("Transpose", [operand["name"]], perm=TO_FIRST)
    for operator in description["operators"]:
        try:
            conversion.convert(operator)
        except Unsupported as reason:
            raise Unsupported(f"{path.name}: '{operator.get('label', '')}': {reason}") from None
    for output in description["outputs"]:
        outputs.append(value_info(output["name"], conversion.operands[output["operand"]]))
        conversion.emit("Transpose", [conversion.picture(output["operand"])], output["name"], perm=TO_LAST)
    graph = helper.make_graph(conversion.nodes, path.stem, inputs, outputs, conversion.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved")
    parser.add_argument("out")
    options = parser.parse_args()
    try:
        onnx.save(convert(options.saved), options.out)
    except Unsupported as reason:
        sys.exit(f"webnn_to_onnx: {reason}")


if __name__ == "__main__":
    main()
