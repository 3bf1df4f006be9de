# SPDX-License-Identifier: Apache-2.0
# Reads a .tflite file into plain Python objects, independently of the engine's own loader.
"""The judge's view of a TFLite file: a flatbuffer walker written from the schema, numpy only.

Fields are addressed by their index in the schema's tables, so no generated code is needed.
"""

import struct

import numpy as np

TENSOR_TYPES = {
    0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_,
    7: np.int16, 9: np.int8, 10: np.float64,
}

OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D",
    5: "DEPTH_TO_SPACE", 6: "DEQUANTIZE", 14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL",
    19: "RELU", 21: "RELU6", 22: "RESHAPE", 23: "RESIZE_BILINEAR", 25: "SOFTMAX", 28: "TANH",
    32: "CUSTOM", 34: "PAD", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB", 42: "DIV", 43: "SQUEEZE",
    54: "PRELU", 67: "TRANSPOSE_CONV", 74: "SUM", 98: "LEAKY_RELU", 117: "HARD_SWISH",
    124: "DENSIFY",
}


class Table:
    """A flatbuffer table at an absolute position."""

    def __init__(self, data, position):
        self.data = data
        self.position = position
        self.vtable = position - struct.unpack_from("<i", data, position)[0]
        self.vtable_size = struct.unpack_from("<H", data, self.vtable)[0]

    def _offset(self, field):
        slot = 4 + 2 * field
        if slot >= self.vtable_size:
            return 0
        return struct.unpack_from("<H", self.data, self.vtable + slot)[0]

    def scalar(self, field, code, default=0):
        offset = self._offset(field)
        if not offset:
            return default
        return struct.unpack_from("<" + code, self.data, self.position + offset)[0]

    def _target(self, field):
        offset = self._offset(field)
        if not offset:
            return None
        position = self.position + offset
        return position + struct.unpack_from("<I", self.data, position)[0]

    def table(self, field):
        target = self._target(field)
        return None if target is None else Table(self.data, target)

    def tables(self, field):
        start = self._target(field)
        if start is None:
            return []
        count = struct.unpack_from("<I", self.data, start)[0]
        result = []
        for index in range(count):
            slot = start + 4 + 4 * index
            result.append(Table(self.data, slot + struct.unpack_from("<I", self.data, slot)[0]))
        return result

    def array(self, field, dtype):
        start = self._target(field)
        if start is None:
            return np.zeros(0, dtype)
        count = struct.unpack_from("<I", self.data, start)[0]
        return np.frombuffer(self.data, dtype, count, start + 4)

    def string(self, field):
        return self.array(field, np.uint8).tobytes().decode("utf-8")


class Tensor:
    """A tensor's description and, where it is constant, its (densified) values."""

    def __init__(self, table, buffers):
        self.shape = [int(d) for d in table.array(0, np.int32)]
        code = table.scalar(1, "b")
        if code not in TENSOR_TYPES:
            raise ValueError(f"tensor '{table.string(3)}' has the unhandled type {code}")
        self.dtype = TENSOR_TYPES[code]
        self.name = table.string(3)
        raw = buffers[table.scalar(2, "I")]
        sparsity = table.table(6)
        self.is_sparse = sparsity is not None
        self.value = None
        if len(raw):
            values = np.frombuffer(raw.tobytes(), self.dtype)
            if sparsity is not None:
                self.value = densify(values, self.shape, sparsity)
            else:
                self.value = values.reshape(self.shape)


class Operator:
    """One operator: its name, the indices of its tensors and its options table."""

    def __init__(self, table, codes):
        self.name = codes[table.scalar(0, "I")]
        self.inputs = [int(i) for i in table.array(1, np.int32)]
        self.outputs = [int(i) for i in table.array(2, np.int32)]
        self.options = table.table(4)
        self.custom_options = table.array(5, np.uint8).tobytes()

    def option(self, field, code, default=0):
        return default if self.options is None else self.options.scalar(field, code, default)


class Model:
    """The main subgraph of a .tflite file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        if data[4:8] != b"TFL3":
            raise ValueError(f"{path} is no TFLite file")
        root = Table(data, struct.unpack_from("<I", data, 0)[0])
        codes = []
        for code in root.tables(1):
            # Newer files keep the operator in field 3; field 0 is a byte and stops at 127.
            number = max(code.scalar(0, "b"), code.scalar(3, "i"))
            name = OPERATORS.get(number, f"BUILTIN_{number}")
            codes.append(code.string(1) if name == "CUSTOM" else name)
        buffers = [b.array(0, np.uint8) for b in root.tables(4)]
        graph = root.tables(2)[0]
        self.tensors = [Tensor(t, buffers) for t in graph.tables(0)]
        self.inputs = [int(i) for i in graph.array(1, np.int32)]
        self.outputs = [int(i) for i in graph.array(2, np.int32)]
        self.operators = [Operator(o, codes) for o in graph.tables(3)]


def _index_vector(dim, kind_field):
    dtypes = {1: np.int32, 2: np.uint16, 3: np.uint8}
    return dim.table(kind_field + 1).array(0, dtypes[dim.scalar(kind_field, "B")]).astype(np.int64)


def densify(values, shape, sparsity):
    """Expands a sparse tensor: levels in traversal order, dense or compressed, blocks last."""
    order = [int(i) for i in sparsity.array(0, np.int32)]
    block_map = [int(i) for i in sparsity.array(1, np.int32)]
    levels = []
    for dim in sparsity.tables(2):
        if dim.scalar(0, "b") == 0:
            levels.append(("dense", dim.scalar(1, "i")))
        else:
            levels.append(("sparse", _index_vector(dim, 2), _index_vector(dim, 4)))
    rank = len(shape)
    block_size = [1] * rank
    for position, dimension in enumerate(block_map):
        block_size[dimension] = levels[order.index(rank + position)][1]

    # Every level maps the parents found so far to children; coordinates grow by one column.
    parents = np.zeros(1, np.int64)
    coordinates = np.zeros((1, 0), np.int64)
    for level in levels:
        if level[0] == "dense":
            size = level[1]
            child = np.tile(np.arange(size), len(parents))
            coordinates = np.repeat(coordinates, size, axis=0)
            parents = np.repeat(parents, size) * size + child
        else:
            segments, indices = level[1], level[2]
            counts = segments[parents + 1] - segments[parents]
            starts = np.repeat(segments[parents], counts)
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            coordinates = np.repeat(coordinates, counts, axis=0)
            parents = starts + within
            child = indices[parents]
        coordinates = np.concatenate([coordinates, child[:, None]], axis=1)

    position = np.zeros((len(parents), rank), np.int64)
    for column, dimension in enumerate(order):
        if dimension < rank:
            position[:, dimension] += coordinates[:, column] * block_size[dimension]
        else:
            position[:, block_map[dimension - rank]] += coordinates[:, column]
    dense = np.zeros(shape, values.dtype)
    dense[tuple(position.T)] = values[parents]
    return dense
