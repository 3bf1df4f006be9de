#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks models add, save, seal and keygen on a network made here, and on an npm package served by a stand-in.

import hashlib
import json
import os
import pathlib
import stat
import struct
import tarfile
import tempfile
import unittest

import cli_support


def write_network(folder):
    """y = x + 3 as WebNN JSON, written by hand as docs/models.md describes it."""
    weights = struct.pack("<4f", 3, 3, 3, 3) + bytes(48)
    (folder / "plus.weights").write_bytes(weights)
    desc = {"dataType": "float32", "shape": [1, 4]}
    (folder / "plus.json").write_text(json.dumps({
        "format": "webnn-json", "version": 1, "info": {"name": "plus three", "license": "MIT"},
        "weights": {"file": "plus.weights", "byteLength": 64, "sha256": hashlib.sha256(weights).hexdigest()},
        "operands": [{**desc, "kind": "input", "name": "x"}, {**desc, "kind": "constant", "byteOffset": 0}, desc],
        "operators": [{"method": "add", "arguments": {"a": 0, "b": 1}, "outputs": [2]}],
        "outputs": [{"name": "y", "operand": 2}]}))
    return folder / "plus.json"


def npy(values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {len(values)}), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values)


class ModelFiles(cli_support.ProgramTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {"XDG_DATA_HOME": str(self.folder / "data"), "SLUICE_MODEL_KEY": ""}
        self.network = write_network(self.folder)

    def infer(self, model, *options, **environment):
        (self.folder / "in.npy").write_bytes(npy([1, 2, 3, 4]))
        self.succeeds(*options, "infer", model, "--input", f"x={self.folder / 'in.npy'}", "--output-dir",
                      self.folder / "out", "--device", "cpu", environment={**self.environment, **environment})
        return struct.unpack("<4f", (self.folder / "out" / "y.npy").read_bytes()[-16:])

    def test_a_model_is_added_and_used_by_name(self):
        self.succeeds("models", "add", self.network, "--name", "plus", environment=self.environment)
        self.network.unlink()
        (self.folder / "plus.weights").unlink()
        self.assertEqual(self.infer("plus"), (4, 5, 6, 7))
        shown = self.json_of("models", "show", "plus", "--json", environment=self.environment)
        self.assertEqual((shown["title"], shown["licence"], shown["format"]), ("plus three", "MIT", "webnn"))
        listed = self.json_of("models", "list", "--json", environment=self.environment)["models"]
        self.assertIn("plus", [entry["name"] for entry in listed])
        report = self.json_of("models", "verify", "plus", "--json", environment=self.environment)["models"]
        self.assertEqual([entry["state"] for entry in report], ["ok"])
        self.fails("models", "add", self.folder / "in.npy", "--name", "plus", environment=self.environment,
                   says="there is a model 'plus' already")

    def test_a_model_is_added_from_a_package(self):
        package = self.folder / "served"
        (package / "package" / "nets").mkdir(parents=True)
        (package / "package" / "package.json").write_text('{"name": "@some/nets", "version": "1.2.3"}')
        write_network(package / "package" / "nets")
        with tarfile.open(self.folder / "served.tgz", "w:gz") as archive:
            archive.add(package / "package", "package")
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "npm").write_text(f"#!/bin/sh\necho \"$@\" > {self.folder}/asked\n"
                                      f"cp {self.folder}/served.tgz some-nets-1.2.3.tgz\n")
        (programs / "npm").chmod(0o755)
        environment = {**self.environment, "PATH": f"{programs}:{os.environ['PATH']}"}
        self.succeeds("models", "add", "@some/nets@^1:nets/plus.json", environment=environment)
        asked = (self.folder / "asked").read_text().split()
        self.assertEqual(asked[:2], ["pack", "@some/nets@^1"])
        self.assertIn("--ignore-scripts", asked)
        self.assertEqual(self.infer("plus"), (4, 5, 6, 7))
        shown = self.json_of("models", "show", "plus", "--json", environment=self.environment)
        self.assertEqual(shown["source"], "npm @some/nets 1.2.3, nets/plus.json")
        self.fails("models", "add", "@some/nets:../some-nets-1.2.3.tgz", environment=environment, says="leads out of")
        self.fails("models", "add", "@some/nets:none.json", environment=environment, says="has no 'none.json'")
        (programs / "npm").write_text("#!/bin/sh\necho 'npm ERR! code EAI_AGAIN' >&2\nexit 1\n")
        self.fails("models", "add", "@some/nets:x", environment=environment, says="EAI_AGAIN")

    def test_only_packages_are_asked_for(self):
        for text in ("--version:x", "../folder:x", "https://host/x.tgz:x", "a/b:x", "git+ssh:x/y", "pkg:"):
            self.assertIn("cannot open", self.fails("models", "add", "--", text, environment={**self.environment, "PATH": ""}),
                          text)

    def test_a_model_is_saved_and_runs(self):
        out = self.folder / "again.json"
        self.succeeds("models", "save", self.network, out)
        self.assertEqual(json.loads(out.read_text())["weights"]["file"], "again.weights")
        self.assertEqual((self.folder / "again.weights").read_bytes()[:16], struct.pack("<4f", 3, 3, 3, 3))
        self.assertEqual(self.infer(out), (4, 5, 6, 7))
        (self.folder / "again.weights").write_bytes(bytes(64))
        self.fails("graph", out, says="no pair")
        self.fails("models", "save", self.network, self.folder / "x.weights", says="call it .json")

    def test_a_sealed_model_needs_its_key(self):
        key, sealed = self.folder / "key", self.folder / "plus.sealed"
        self.succeeds("models", "keygen", key)
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.fails("models", "keygen", key, says="File exists")
        self.succeeds("models", "seal", self.network, sealed, "--key", key)
        self.assertNotIn(struct.pack("<4f", 3, 3, 3, 3), sealed.read_bytes())
        self.network.unlink()
        self.assertEqual(self.infer(sealed, SLUICE_MODEL_KEY=str(key)), (4, 5, 6, 7))
        self.assertEqual(self.infer(sealed, "--model-key", f"file:{key}"), (4, 5, 6, 7))
        self.assertEqual(self.infer(sealed, SLUICE_MODEL_KEY="env:SECRET", SECRET=key.read_text()), (4, 5, 6, 7))
        self.fails("graph", sealed, environment=self.environment, says="no key is given")
        other = self.folder / "other"
        self.succeeds("models", "keygen", other)
        self.fails("--model-key", other, "graph", sealed, says="sealed with the key")
        self.fails("--model-key", key, "models", "save", sealed, self.folder / "x.json", says="is sealed")
        data = bytearray(sealed.read_bytes())
        data[-20] ^= 1
        sealed.write_bytes(data)
        self.fails("--model-key", key, "graph", sealed, says="altered")

    def test_a_key_may_go_to_stdout(self):
        self.assertRegex(self.succeeds("models", "keygen", "-"), r"\A[0-9a-f]{64}\n\Z")

    def test_the_task_comes_from_the_model(self):
        self.fails("run", "x.mp4", "-o", "y.mp4", code=2, says="--task is required")
        self.fails("run", "x.mp4", "-o", "y.mp4", "--model", self.network, code=2, says="does not say what it does")
        self.succeeds("models", "add", self.network, "--name", "plus", "--task", "super-resolution",
                      environment=self.environment)
        self.fails("run", "x.mp4", "--json", "--model", "plus", code=2, environment=self.environment,
                   says="super-resolution makes pictures")


if __name__ == "__main__":
    cli_support.main()
