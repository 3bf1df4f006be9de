#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Converts a .tflite network to ONNX, so that ONNX Runtime can judge it and be measured beside it.
"""tflite_to_onnx.py MODEL.tflite OUT.onnx

The interior of the graph is NCHW, which is what ONNX Runtime is fast at: a Transpose appears only
where the TFLite graph itself fixes the order of elements (its ends and its RESHAPEs). Weights are
stored as float32, zero padding is merged into the convolution behind it, and means over the whole
picture become GlobalAveragePool, so that the peer runs the graph a careful exporter would write.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tflite_reader import Model

NHWC = (0, 1, 2, 3)
NCHW = (0, 3, 1, 2)


def same_padding(size, kernel, stride, dilation):
    """TensorFlow's SAME: the odd pixel of padding comes last."""
    out = -(-size // stride)
    total = max((out - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


class Converter:
    """Walks the operators in order; every tensor knows in which dimension orders it exists."""

    def __init__(self, model):
        self.model = model
        self.nodes = []
        self.initializers = []
        self.forms = {}  # tensor index -> {permutation from the TFLite order: ONNX name}
        self.values = {}  # tensor index -> constant value
        self.counter = 0
        self.constant_names = {}
        self.uses = {}
        self.producer = {}
        for index, tensor in enumerate(model.tensors):
            if tensor.value is not None:
                self.values[index] = tensor.value
        for operator in model.operators:
            for index in operator.inputs:
                self.uses[index] = self.uses.get(index, 0) + 1
            for index in operator.outputs:
                self.producer[index] = operator
        for index in model.outputs:
            self.uses[index] = self.uses.get(index, 0) + 1

    # ---- graph building ----

    def fresh(self, kind):
        self.counter += 1
        return f"{kind.lower()}_{self.counter}"

    def emit(self, kind, inputs, **attributes):
        output = self.fresh(kind)
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, value):
        value = np.ascontiguousarray(value)
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self.constant_names:
            name = self.fresh("const")
            self.initializers.append(numpy_helper.from_array(value, name))
            self.constant_names[key] = name
        return self.constant_names[key]

    def shape(self, index):
        return self.model.tensors[index].shape

    def identity_order(self, index):
        return tuple(range(len(self.shape(index))))

    def get(self, index, order=None):
        """The ONNX name of a tensor with its dimensions in the given order."""
        order = order or self.identity_order(index)
        if index in self.values:
            return self.constant_in(index, order)
        forms = self.forms[index]
        if order in forms:
            return forms[order]
        source, name = next(iter(forms.items()))
        shape = self.shape(index)
        if moves_nothing(shape, source, order):
            target = np.array([shape[d] for d in order], np.int64)
            forms[order] = self.emit("Reshape", [name, self.constant(target)])
        else:
            perm = [source.index(dimension) for dimension in order]
            forms[order] = self.emit("Transpose", [name], perm=perm)
        return forms[order]

    def constant_in(self, index, order):
        value = self.values[index].astype(np.float32)
        if order == NCHW:
            value = value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(NCHW)
        return self.constant(value)

    def preferred_order(self, indices):
        """NCHW for pictures that exist in it already, the file's own order otherwise."""
        for index in indices:
            if index in self.forms and NCHW in self.forms[index]:
                return NCHW
        for index in indices:
            if index in self.forms and len(self.shape(index)) == 4:
                return next(iter(self.forms[index]))
        return None

    def set(self, index, name, order=None, activation=0):
        if activation == 1:
            name = self.emit("Relu", [name])
        elif activation == 3:
            zero, six = self.constant(np.float32(0)), self.constant(np.float32(6))
            name = self.emit("Clip", [name, zero, six])
        elif activation == 4:
            name = self.emit("Tanh", [name])
        elif activation:
            raise ValueError(f"fused activation {activation} is not handled")
        self.forms[index] = {order or self.identity_order(index): name}

    # ---- operators ----

    def spatial_zero_pad(self, index):
        """The PAD in front of a convolution, where the convolution can do its work."""
        operator = self.producer.get(index)
        if operator is None or operator.name != "PAD" or self.uses[index] != 1:
            return None
        pads = self.values[operator.inputs[1]]
        if pads[0].any() or pads[3].any():
            return None
        return operator.inputs[0], pads

    def convolution(self, op, weights, groups, dilation, activation):
        source, padding = op.inputs[0], op.option(0, "b")
        kernel, stride = weights.shape[2:], (op.option(2, "i", 1), op.option(1, "i", 1))
        _, height, width, _ = self.shape(source)
        if padding == 0:
            top, bottom = same_padding(height, kernel[0], stride[0], dilation[0])
            left, right = same_padding(width, kernel[1], stride[1], dilation[1])
        else:
            top = bottom = left = right = 0
            merged = self.spatial_zero_pad(source)
            if merged is not None:
                source, pads = merged
                (top, bottom), (left, right) = pads[1].tolist(), pads[2].tolist()
        inputs = [self.get(source, NCHW), self.constant(weights)]
        if len(op.inputs) > 2 and op.inputs[2] >= 0:
            inputs.append(self.constant(self.values[op.inputs[2]].astype(np.float32)))
        name = self.emit("Conv", inputs, kernel_shape=list(kernel), strides=list(stride),
                         dilations=list(dilation), group=groups, pads=[top, left, bottom, right])
        self.set(op.outputs[0], name, NCHW, activation)

    def conv_2d(self, op):
        weights = self.values[op.inputs[1]].astype(np.float32).transpose(0, 3, 1, 2)
        groups = self.shape(op.inputs[0])[3] // weights.shape[1]
        dilation = (op.option(5, "i", 1), op.option(4, "i", 1))
        self.convolution(op, weights, groups, dilation, op.option(3, "b"))

    def depthwise_conv_2d(self, op):
        weights = self.values[op.inputs[1]].astype(np.float32).transpose(3, 0, 1, 2)
        dilation = (op.option(6, "i", 1), op.option(5, "i", 1))
        self.convolution(op, weights, self.shape(op.inputs[0])[3], dilation, op.option(4, "b"))

    def deconvolution(self, op, source, weights, bias, same, stride, activation):
        pads = [0, 0, 0, 0]
        if same:
            for axis in (0, 1):
                size, out = self.shape(source)[1 + axis], self.shape(op.outputs[0])[1 + axis]
                total = max((size - 1) * stride[axis] + weights.shape[2 + axis] - out, 0)
                pads[axis], pads[2 + axis] = total // 2, total - total // 2
        inputs = [self.get(source, NCHW), self.constant(weights)]
        if bias is not None:
            inputs.append(self.constant(bias.astype(np.float32)))
        name = self.emit("ConvTranspose", inputs, kernel_shape=list(weights.shape[2:]),
                         strides=list(stride), pads=pads)
        self.set(op.outputs[0], name, NCHW, activation)

    def transpose_conv(self, op):
        weights = self.values[op.inputs[1]].astype(np.float32).transpose(3, 0, 1, 2)
        bias = self.values[op.inputs[3]] if len(op.inputs) > 3 and op.inputs[3] >= 0 else None
        stride = (op.option(2, "i", 1), op.option(1, "i", 1))
        self.deconvolution(op, op.inputs[2], weights, bias, op.option(0, "b") == 0, stride,
                           op.option(3, "b"))

    def convolution2dtransposebias(self, op):
        padding, stride_w, stride_h = np.frombuffer(op.custom_options, np.int32)[:3].tolist()
        weights = self.values[op.inputs[1]].astype(np.float32).transpose(3, 0, 1, 2)
        bias = self.values[op.inputs[2]]
        self.deconvolution(op, op.inputs[0], weights, bias, padding == 1, (stride_h, stride_w), 0)

    def pool(self, op, kind):
        _, height, width, _ = self.shape(op.inputs[0])
        stride = (op.option(2, "i", 1), op.option(1, "i", 1))
        kernel = (op.option(4, "i", 1), op.option(3, "i", 1))
        source = self.get(op.inputs[0], NCHW)
        if kind == "AveragePool" and kernel == (height, width) and op.option(0, "b") == 1:
            name = self.emit("GlobalAveragePool", [source])
        else:
            pads = [0, 0, 0, 0]
            if op.option(0, "b") == 0:
                pads[0], pads[2] = same_padding(height, kernel[0], stride[0], 1)
                pads[1], pads[3] = same_padding(width, kernel[1], stride[1], 1)
            name = self.emit(kind, [source], kernel_shape=list(kernel), strides=list(stride),
                             pads=pads)
        self.set(op.outputs[0], name, NCHW, op.option(5, "b"))

    def elementwise(self, op, kind, activation=0):
        order = self.preferred_order(op.inputs)
        names = [self.get(index, order) for index in op.inputs]
        self.set(op.outputs[0], self.emit(kind, names), order, activation)

    def concatenation(self, op):
        axis = op.option(0, "i") % len(self.shape(op.outputs[0]))
        order = self.preferred_order(op.inputs) or self.identity_order(op.outputs[0])
        names = [self.get(index, order) for index in op.inputs]
        name = self.emit("Concat", names, axis=order.index(axis))
        self.set(op.outputs[0], name, order, op.option(1, "b"))

    def reduce(self, op, kind):
        source, rank = op.inputs[0], len(self.shape(op.inputs[0]))
        axes = sorted(int(a) % rank for a in np.atleast_1d(self.values[op.inputs[1]]))
        keep = bool(op.option(0, "b"))
        order = (self.preferred_order([source]) if keep else None) or self.identity_order(source)
        name = self.get(source, order)
        if kind == "ReduceMean" and order == NCHW and axes == [1, 2]:
            name = self.emit("GlobalAveragePool", [name])
        elif kind == "ReduceMean":
            name = self.emit(kind, [name], axes=[order.index(a) for a in axes], keepdims=int(keep))
        else:
            where = self.constant(np.array([order.index(a) for a in axes], np.int64))
            name = self.emit(kind, [name, where], keepdims=int(keep))
        self.set(op.outputs[0], name, order if keep else None)

    def pad(self, op):
        uses = [o for o in self.model.operators if op.outputs[0] in o.inputs]
        if (len(uses) == 1 and uses[0].name in ("CONV_2D", "DEPTHWISE_CONV_2D")
                and uses[0].option(0, "b") == 1 and self.spatial_zero_pad(op.outputs[0])):
            return  # the convolution does it
        order = self.preferred_order([op.inputs[0]]) or self.identity_order(op.inputs[0])
        pads = self.values[op.inputs[1]].astype(np.int64)
        amounts = np.concatenate([[pads[d][0] for d in order], [pads[d][1] for d in order]])
        name = self.emit("Pad", [self.get(op.inputs[0], order), self.constant(amounts)])
        self.set(op.outputs[0], name, order)

    def resize(self, op, mode, half_pixel_field, align_field):
        _, height, width, _ = self.shape(op.outputs[0])
        _, old_height, old_width, channels = self.shape(op.inputs[0])
        half_pixel = op.option(half_pixel_field, "b")
        whole = height % old_height == 0 and width % old_width == 0
        if op.option(align_field, "b"):
            coordinates = "align_corners"
        elif mode == "nearest" and half_pixel and whole:
            coordinates = "asymmetric"  # the same picture for whole factors, and the faster path
        else:
            coordinates = "half_pixel" if half_pixel else "asymmetric"
        sizes = self.constant(np.array([1, channels, height, width], np.int64))
        extra = {"nearest_mode": "floor"} if mode == "nearest" else {}
        name = self.emit("Resize", [self.get(op.inputs[0], NCHW), "", "", sizes], mode=mode,
                         coordinate_transformation_mode=coordinates, **extra)
        self.set(op.outputs[0], name, NCHW)

    def reshape(self, op):
        source, target = op.inputs[0], self.shape(op.outputs[0])
        name = None
        for order, candidate in self.forms[source].items():
            if moves_nothing(self.shape(source), order, self.identity_order(source)):
                name = candidate
        if name is None:
            name = self.get(source)
        name = self.emit("Reshape", [name, self.constant(np.array(target, np.int64))])
        self.set(op.outputs[0], name)

    def transpose(self, op):
        """Moves no data by itself: the readers ask for the order that they need."""
        perm = self.values[op.inputs[1]].tolist()
        self.forms[op.outputs[0]] = {
            tuple(perm.index(d) for d in order): name
            for order, name in self.forms[op.inputs[0]].items()
        }

    def softmax(self, op):
        if op.option(0, "f", 1.0) not in (0.0, 1.0):
            raise ValueError("softmax with a beta other than 1 is not handled")
        name = self.emit("Softmax", [self.get(op.inputs[0])], axis=-1)
        self.set(op.outputs[0], name)

    def depth_to_space(self, op):
        name = self.emit("DepthToSpace", [self.get(op.inputs[0], NCHW)],
                         blocksize=op.option(0, "i"), mode="DCR")
        self.set(op.outputs[0], name, NCHW)

    def prelu(self, op):
        name = self.emit("PRelu", [self.get(op.inputs[0], NCHW), self.get(op.inputs[1], NCHW)])
        self.set(op.outputs[0], name, NCHW)

    def constant_copy(self, op):
        self.values[op.outputs[0]] = self.values[op.inputs[0]]

    def convert(self):
        table = {
            "CONV_2D": self.conv_2d, "DEPTHWISE_CONV_2D": self.depthwise_conv_2d,
            "TRANSPOSE_CONV": self.transpose_conv, "PRELU": self.prelu,
            "Convolution2DTransposeBias": self.convolution2dtransposebias,
            "MAX_POOL_2D": lambda op: self.pool(op, "MaxPool"),
            "AVERAGE_POOL_2D": lambda op: self.pool(op, "AveragePool"),
            "RELU": lambda op: self.elementwise(op, "Relu"),
            "LOGISTIC": lambda op: self.elementwise(op, "Sigmoid"),
            "TANH": lambda op: self.elementwise(op, "Tanh"),
            "HARD_SWISH": lambda op: self.elementwise(op, "HardSwish"),
            "ADD": lambda op: self.elementwise(op, "Add", op.option(0, "b")),
            "SUB": lambda op: self.elementwise(op, "Sub", op.option(0, "b")),
            "MUL": lambda op: self.elementwise(op, "Mul", op.option(0, "b")),
            "DIV": lambda op: self.elementwise(op, "Div", op.option(0, "b")),
            "CONCATENATION": self.concatenation, "PAD": self.pad, "RESHAPE": self.reshape,
            "SQUEEZE": self.reshape, "TRANSPOSE": self.transpose, "SOFTMAX": self.softmax,
            "MEAN": lambda op: self.reduce(op, "ReduceMean"),
            "SUM": lambda op: self.reduce(op, "ReduceSum"),
            "RESIZE_BILINEAR": lambda op: self.resize(op, "linear", 3, 2),
            "BUILTIN_97": lambda op: self.resize(op, "nearest", 1, 0),
            "DEPTH_TO_SPACE": self.depth_to_space,
            "DEQUANTIZE": self.constant_copy, "DENSIFY": self.constant_copy,
        }
        missing = sorted({op.name for op in self.model.operators} - set(table))
        if missing:
            raise ValueError("operators not handled: " + ", ".join(missing))
        for index in self.model.inputs:
            self.set(index, self.model.tensors[index].name)
        for op in self.model.operators:
            table[op.name](op)
        return self.finish()

    def finish(self):
        for index in self.model.outputs:
            name, wanted = self.get(index), self.model.tensors[index].name
            for node in self.nodes:
                node.input[:] = [wanted if n == name else n for n in node.input]
                node.output[:] = [wanted if n == name else n for n in node.output]

        def infos(indices):
            return [helper.make_tensor_value_info(self.model.tensors[i].name, TensorProto.FLOAT,
                                                  self.shape(i)) for i in indices]

        graph = helper.make_graph(self.nodes, "network", infos(self.model.inputs),
                                  infos(self.model.outputs), self.initializers)
        result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                   ir_version=8)
        onnx.checker.check_model(result)
        return result


def moves_nothing(shape, source, target):
    """Whether two orders of the same shape lie alike in memory (only dimensions of 1 differ)."""
    return [d for d in source if shape[d] != 1] == [d for d in target if shape[d] != 1]


def convert(path):
    return Converter(Model(path)).convert()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    onnx.save(convert(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
