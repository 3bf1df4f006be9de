#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks infer, graph and bench model on a network made here, whose outputs are known by hand.

import json
import math
import os
import pathlib
import struct
import tempfile
import unittest

import cli_support

BIASES = [0.125, 0.25, 0.5, 0.75]  # of the last convolution; all its weights are 0


def write_network(path):
    """An Anime4K network whose residual is BIASES, shuffled to two by two pixels."""
    def conv(name, source, inputs, bias):
        return {"name": name, "type": "conv", "inputs": [source], "output": name,
                "weights": [0.0] * (9 * 16 * inputs), "bias": bias}
    zero = [0.0] * 4
    layers = [conv("conv2d_tf", "input_image", 1, zero), conv("conv2d_1_tf", "conv2d_tf", 2, zero),
              conv("conv2d_2_tf", "conv2d_1_tf", 2, zero),
              conv("conv2d_last_tf", "conv2d_2_tf", 2, BIASES),
              {"name": "pixel_shuffle", "type": "pixel_shuffle", "inputs": ["conv2d_last_tf"],
               "output": "canvas"}]
    path.write_text(json.dumps({"name": "anime4k/cnn-2x-s",
                                "layers": {layer["name"]: layer for layer in layers}}))


def npy(shape, values, code="<f4", letter="f"):
    """A .npy file of version 1 as numpy's documentation describes it."""
    dims = "".join(f"{dim}, " for dim in shape)
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': ({dims}), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
            + struct.pack(f"<{len(values)}{letter}", *values))


def read_npy(path):
    """(header, floats)"""
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    values = data[10 + length:]
    return data[10:10 + length].decode(), struct.unpack(f"<{len(values) // 4}f", values)


class Infer(cli_support.ProgramTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.network = self.folder / "network.json"
        write_network(self.network)
        graph = self.json_of("graph", self.network, "--size", "4x3", "--json")
        self.input = graph["inputs"][0]["name"]
        self.assertIn("residual", [output["name"] for output in graph["outputs"]])

    def test_graph_has_the_size_that_was_asked_for(self):
        graph = self.json_of("graph", self.network, "--size", "4x3", "--json")
        self.assertEqual(graph["inputs"][0]["shape"], [1, 3, 4, 3])
        self.assertEqual([node["op"] for node in graph["nodes"]].count("conv2d"), 4)
        self.assertIn("conv2d(", self.succeeds("graph", self.network))
        dot = self.succeeds("graph", self.network, "--format", "dot")
        self.assertTrue(dot.startswith("digraph"))
        self.assertEqual(dot.count("{"), dot.count("}"))
        optimized = self.succeeds("graph", self.network, "--optimized", "--device", "cpu")
        self.assertRegex(optimized, r"(?m)^device +step +why not an earlier device$")
        plan = self.json_of("graph", self.network, "--optimized", "--device", "cpu", "--json")
        # Every node is in one step, but for reshapes that move nothing.
        planned = [node.split()[0] for step in plan["steps"] for node in step["nodes"]]
        self.assertEqual([op for op in planned if op != "reshape"],
                         [node["op"] for node in plan["nodes"] if node["op"] != "reshape"])

    def test_outputs_are_what_the_weights_say(self):
        tensor = self.folder / "in.npy"
        tensor.write_bytes(npy([1, 3, 4, 3], [i / 36 for i in range(36)]))
        for device in ("cpu", "reference", "auto"):
            out = self.folder / device
            told = self.json_of("infer", self.network, "--input", f"{self.input}={tensor}",
                                "--output-dir", out, "--device", device, "--json")
            (entry,) = (entry for entry in told["outputs"] if entry["name"] == "residual")
            self.assertEqual(entry["file"], str(out / "residual.npy"))
            header, values = read_npy(out / "residual.npy")
            shape = entry["shape"]
            self.assertEqual(shape[1:3], [6, 8])
            self.assertIn(str(tuple(shape)), header)
            # Every two by two block of a channel has each bias once.
            channels = shape[3]
            for y in range(0, 6, 2):
                for x in range(0, 8, 2):
                    block = sorted(values[((y + dy) * 8 + x + dx) * channels]
                                   for dy in (0, 1) for dx in (0, 1))
                    self.assertEqual(block, BIASES, (device, y, x))

    def test_numbers_stand_for_tensors(self):
        out = self.folder / "out"
        tensor = self.folder / "in.npy"
        tensor.write_bytes(npy([1, 3, 4, 3], [0.25] * 36))
        def fails(*arguments, says, code=1):
            self.fails("infer", self.network, *arguments, "--output-dir", out, says=says, code=code)
        fails("--input", f"{self.input}={tensor}", "--value", f"{self.input}=1",
              says="is given twice")
        fails("--value", f"{self.input}=1,x", says=["--value", "'x' is no number"])
        fails("--value", f"{self.input}=", says="0 numbers for float32[1,")
        fails("--value", f"{self.input}=nan", says="'nan' is no number")
        fails("--value", "=1", says="not of the form NAME=NUMBER", code=2)
        fails("--input", f"{self.input}={tensor}", "--value", f"{self.input}x=1",
              says=f"did you mean '{self.input}'?")
        fails("--value", f"{self.input}=1,2", says=["2 numbers for float32[1,", "one for all"])
        def outputs(*arguments):
            self.succeeds("infer", self.network, *arguments, "--output-dir", out)
            return read_npy(out / "output.npy")[1]
        # All pixels alike: at any size, the result has the values that a tensor of them gives.
        self.assertEqual(set(outputs("--value", f"{self.input}=0.25")),
                         set(outputs("--input", f"{self.input}={tensor}")))

    def test_wrong_tensors_are_sentences(self):
        def infer(name, data, says):
            path = self.folder / "wrong.npy"
            path.write_bytes(data)
            self.fails("infer", self.network, "--input", f"{name}={path}", "--output-dir",
                       self.folder / "out", says=says)
        good = npy([1, 3, 4, 3], [0.0] * 36)
        infer("nothing", good, ["nothing", self.input])
        infer(self.input + "x", good, f"did you mean '{self.input}'?")
        infer(self.input, good[:-1], ["wrong.npy", "needs 144 bytes of data"])
        infer(self.input, b"", "too few for a .npy file")
        infer(self.input, npy([1, 3, 4, 3], [0] * 36, "<i4", "i"), ["float32", "int32[1,3,4,3]"])
        infer(self.input, npy([1, 3, 4, 3], [0] * 36, "<f8", "d"), "astype('float32')")
        self.fails("infer", self.network, "--output-dir", self.folder / "out", says="is missing")
        path = self.folder / "good.npy"
        path.write_bytes(good)
        self.fails("infer", self.network, "--input", f"{self.input}={path}", "--output-dir", path,
                   says=str(path))

    def test_truncated_networks_are_sentences(self):
        whole = self.network.read_bytes()
        part = self.folder / "part.json"
        for length in (0, 1, 10, len(whole) // 2, len(whole) - 2):
            part.write_bytes(whole[:length])
            self.fails("graph", part, says="part.json")

    def test_bench_measures(self):
        report = self.json_of("bench", "model", self.network, "--size", "64x32", "--runs", "20",
                              "--threads", "1", "--device", "cpu", "--profile", "--json")
        latency = report["latency_ms"]
        order = [latency[key] for key in ("min", "p50", "p95", "p99", "max")]
        self.assertEqual(order, sorted(order))
        self.assertGreater(order[0], 0)
        self.assertEqual(report["runs"], 20)
        self.assertEqual(report["threads"], 1)
        # A multiplication and an addition for each of the nine taps of every channel.
        graph = self.json_of("graph", self.network, "--size", "64x32", "--json")
        taps = sum(math.prod(node["outputs"][0]["shape"]) * 9 * node["inputs"][0]["shape"][3]
                   for node in graph["nodes"] if node["op"] == "conv2d")
        self.assertAlmostEqual(report["gflop"], 2 * taps / 1e9, places=6)
        self.assertGreater(report["arena_bytes"], 0)
        self.assertLessEqual(report["arena_bytes"], report["unshared_bytes"])
        self.assertLessEqual(report["end_bytes"], report["arena_bytes"])
        self.assertGreater(report["end_bytes"], 4 * 64 * 32)
        self.assertGreater(report["scratch_bytes"], 0)  # a chain's rows
        self.assertEqual(len(report["profile"]), report["steps"])
        self.assertAlmostEqual(sum(step["share"] for step in report["profile"]), 1.0, places=2)
        text = self.succeeds("bench", "model", self.network, "--runs", "2", "--profile")
        self.assertIn("p95", text)

    def test_full_disks_and_closed_pipes_are_told(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        import subprocess  # the helper captures stdout, this needs another one
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([cli_support.PROGRAM, "devices"], stdout=full, check=False,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    cli_support.main()
