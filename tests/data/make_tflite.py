#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes the tiny .tflite files of this folder: make_tflite.py [FOLDER]
"""Field numbers, enum values and union ids are written out here by hand, from the format's description,
so that the files judge the loader's schema instead of repeating it.

tiny.tflite      input [1,3,4,2] -> CONV_2D (float16 weights behind DEQUANTIZE, a sparse bias behind
                 DENSIFY) -> LEAKY_RELU 0.25 -> RESIZE_NEAREST_NEIGHBOR x2 (half pixel) -> GELU (exact;
                 its code is above 127) -> output [1,6,8,3]; metadata with normalisation and labels.
unknown.tflite   three operators that the engine lacks, one of them custom, one of a code without a name.
"""

import os
import struct
import sys
import zipfile
from io import BytesIO

ALIGN = 16


class Scalar:
    def __init__(self, code, value):
        self.code, self.value = code, value


class Vector:
    """Numbers of a struct code, or of objects."""

    def __init__(self, code, values):
        self.code, self.values = code, list(values)


class Writer:
    """Lays objects out front to back: offsets in FlatBuffers always lead forward."""

    def __init__(self):
        self.data = bytearray()

    def pad(self, alignment, phase=0):
        while len(self.data) % alignment != phase:
            self.data.append(0)

    def patch(self, at, target):
        struct.pack_into("<I", self.data, at, target - at)

    def write(self, item):
        """Appends an object and what it refers to; returns its position."""
        if isinstance(item, dict):
            return self.table(item)
        if isinstance(item, str):
            return self.vector(Vector("B", item.encode()), b"\0")
        return self.vector(item)

    def vector(self, vector, end=b""):
        self.pad(ALIGN, ALIGN - 4)
        position = len(self.data)
        self.data += struct.pack("<I", len(vector.values))
        if vector.code is None:
            slots = [len(self.data) + 4 * i for i in range(len(vector.values))]
            self.data += bytes(4 * len(slots))
            for slot, item in zip(slots, vector.values):
                self.patch(slot, self.write(item))
        else:
            self.data += struct.pack(f"<{len(vector.values)}{vector.code}", *vector.values) + end
        return position

    def table(self, fields):
        """{field number: Scalar, or an object}"""
        offsets, size = {}, 4
        for number, value in fields.items():
            width = struct.calcsize(value.code) if isinstance(value, Scalar) else 4
            size = (size + width - 1) // width * width
            offsets[number] = size
            size += width
        slots = max(fields, default=-1) + 1
        vtable = struct.pack("<HH", 4 + 2 * slots, size)
        vtable += b"".join(struct.pack("<H", offsets.get(i, 0)) for i in range(slots))
        self.pad(8)
        self.pad(8, -len(vtable) % 8)
        self.data += vtable
        position = len(self.data)
        self.data += struct.pack("<i", len(vtable)) + bytes(size - 4)
        for number, value in fields.items():
            if isinstance(value, Scalar):
                struct.pack_into("<" + value.code, self.data, position + offsets[number], value.value)
        for number, value in fields.items():
            if not isinstance(value, Scalar):
                self.patch(position + offsets[number], self.write(value))
        return position


def finish(root, identifier):
    writer = Writer()
    writer.data += bytes(4) + identifier
    writer.patch(0, writer.table(root))
    writer.pad(ALIGN)
    return bytes(writer.data)


FLOAT32, FLOAT16 = 0, 1
INT32 = 2


class Model:
    def __init__(self):
        self.buffers, self.tensors, self.codes, self.operators = [{}], [], [], []

    def buffer(self, data):
        self.buffers.append({0: Vector("B", data)})
        return len(self.buffers) - 1

    def tensor(self, name, shape, kind=FLOAT32, data=None, sparsity=None):
        fields = {0: Vector("i", shape), 1: Scalar("b", kind), 3: name}
        if data is not None:
            fields[2] = Scalar("I", self.buffer(data))
        if sparsity is not None:
            fields[6] = sparsity
        self.tensors.append(fields)
        return len(self.tensors) - 1

    def operator(self, code, inputs, outputs, union=0, options=None, custom=None):
        entry = {0: Scalar("b", min(code, 127)), 3: Scalar("i", code)}
        if custom:
            entry[1] = custom
        self.codes.append(entry)
        fields = {0: Scalar("I", len(self.codes) - 1), 1: Vector("i", inputs), 2: Vector("i", outputs)}
        if options is not None:
            fields[3], fields[4] = Scalar("B", union), options
        self.operators.append(fields)

    def finish(self, inputs, outputs, description="", metadata=None):
        root = {
            0: Scalar("I", 3),
            1: Vector(None, self.codes),
            2: Vector(None, [{
                0: Vector(None, self.tensors), 1: Vector("i", inputs), 2: Vector("i", outputs),
                3: Vector(None, self.operators), 4: "main",
            }]),
            3: description,
        }
        if metadata is not None:
            root[6] = Vector(None, [{0: "TFLITE_METADATA", 1: Scalar("I", self.buffer(metadata))}])
        root[4] = Vector(None, self.buffers)
        return finish(root, b"TFL3")


def halves(values):
    return struct.pack(f"<{len(values)}e", *values)


def tiny():
    model = Model()
    x = model.tensor("input", [1, 3, 4, 2])
    # Weight i of the filter [3,1,1,2] is i / 4 - 0.5; all are exact in float16.
    stored = model.tensor("weights16", [3, 1, 1, 2], FLOAT16, halves([i / 4 - 0.5 for i in range(6)]))
    weights = model.tensor("weights", [3, 1, 1, 2])
    # The bias [0, 0, 1.5]: one compressed level.
    level = {
        0: Scalar("b", 1), 2: Scalar("B", 3), 3: {0: Vector("B", [0, 1])},
        4: Scalar("B", 3), 5: {0: Vector("B", [2])},
    }
    sparse = model.tensor("bias_sparse", [3], FLOAT32, struct.pack("<f", 1.5),
                          {0: Vector("i", [0]), 2: Vector(None, [level])})
    bias = model.tensor("bias", [3])
    convolved = model.tensor("convolved", [1, 3, 4, 3])
    leaky = model.tensor("leaky", [1, 3, 4, 3])
    size = model.tensor("size", [2], INT32, struct.pack("<2i", 6, 8))
    larger = model.tensor("larger", [1, 6, 8, 3])
    y = model.tensor("output", [1, 6, 8, 3])
    model.operator(6, [stored], [weights])
    model.operator(124, [sparse], [bias])
    model.operator(3, [x, weights, bias], [convolved], 1,
                   {0: Scalar("b", 1), 1: Scalar("i", 1), 2: Scalar("i", 1)})
    model.operator(98, [convolved], [leaky], 75, {0: Scalar("f", 0.25)})
    model.operator(97, [leaky, size], [larger], 74, {1: Scalar("B", 1)})
    model.operator(150, [larger], [y], 116, {0: Scalar("B", 0)})

    normalisation = {0: Scalar("B", 1), 1: {0: Vector("f", [127.5] * 3), 1: Vector("f", [64] * 3)}}
    metadata = finish({
        0: "Tiny", 1: "A network for tests.", 5: "Apache-2.0",
        3: Vector(None, [{
            2: Vector(None, [{0: "picture", 4: Vector(None, [normalisation])}]),
            3: Vector(None, [{0: "classes", 6: Vector(None, [
                {0: "labels-fr.txt", 2: Scalar("b", 2), 3: "fr"},
                {0: "labels.txt", 2: Scalar("b", 2)},
            ])}]),
        }]),
    }, b"M001")
    file = BytesIO(model.finish([x], [y], "made by make_tflite.py", metadata))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as members:
        for name, text in (("labels-fr.txt", "un\ndeux\ntrois\n"), ("labels.txt", "one\r\ntwo\nthree")):
            members.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


def unknown():
    model = Model()
    x = model.tensor("input", [4])
    a = model.tensor("a", [4])
    b = model.tensor("b", [4])
    c = model.tensor("c", [4])
    y = model.tensor("output", [4])
    model.operator(16, [x], [a])  # LSTM
    model.operator(32, [a], [b], custom="MaxUnpooling2D")
    model.operator(3000, [x], [c])
    model.operator(0, [b, c], [y])  # ADD, which there is
    return model.finish([x], [y])


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, data in (("tiny", tiny()), ("unknown", unknown())):
        with open(os.path.join(folder, name + ".tflite"), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
