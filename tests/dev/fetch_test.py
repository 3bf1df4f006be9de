#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetching by manifest: only files with the right hash enter the cache, and each is fetched once."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import unittest

from launcher import LauncherTest

CONTENT = b"weights"


class Fetch(LauncherTest):
    def setUp(self):
        super().setUp()
        self.archive = self.make_package({"package/a.bin": CONTENT})
        self.stand_in("npm", 'echo npm >> "$FOLDER/calls"; cp "$FOLDER/served.tgz" package.tgz')

    def make_package(self, files):
        path = os.path.join(self.folder, "served.tgz")
        with tarfile.open(path, "w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    def integrity(self):
        with open(self.archive, "rb") as file:
            return "sha512-" + base64.b64encode(hashlib.sha512(file.read()).digest()).decode()

    def manifest(self, name="a", **changes):
        manifest = {
            "name": name, "title": name, "format": "raw", "file": f"{name}.bin", "licence": "MIT",
            "source": {"npm": "some-package", "version": "1.0.0", "integrity": self.integrity(), "path": "a.bin"},
            "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(),
        }
        manifest["source"].update(changes.pop("source", {}))
        manifest.update(changes)
        self.write(f"repo/models/zoo/{name}.json", json.dumps(manifest))

    def fetch(self, *arguments):
        return subprocess.run([sys.executable, os.path.join(self.repo, ".dev", "fetch.py"), "--cache", self.cache, *arguments],
                              env=self.environment(SLUICE_FETCH_PAUSE="0"), capture_output=True, text=True, timeout=60,
                              check=False)

    def calls(self):
        try:
            with open(os.path.join(self.folder, "calls"), encoding="utf-8") as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def kept(self):
        """Everything in the cache that is a file of a model, or a piece of one."""
        return sorted(os.path.join(os.path.relpath(where, self.cache), name) for where, _, names in os.walk(self.cache)
                      for name in names if name not in ("fetch.lock", "verified.json"))

    def test_keeps_a_right_file_and_fetches_it_once(self):
        self.manifest()
        for _ in range(2):
            self.assertEqual(self.fetch().returncode, 0)
        self.assertEqual(self.kept(), ["models/a.bin"])
        with open(os.path.join(self.cache, "models", "a.bin"), "rb") as file:
            self.assertEqual(file.read(), CONTENT)
        self.assertEqual(self.calls(), 1)

    def test_two_files_of_a_package_are_one_download(self):
        self.manifest("a")
        self.manifest("b")
        self.assertEqual(self.fetch().returncode, 0)
        self.assertEqual((self.kept(), self.calls()), (["models/a.bin", "models/b.bin"], 1))

    def test_wrong_hash_is_refused_and_nothing_is_kept(self):
        self.manifest(sha256="0" * 64)
        self.assert_one_error(self.fetch(), 1, "SHA-256", "0" * 64, "nothing was kept")
        self.assertEqual(self.kept(), [])

    def test_wrong_integrity_is_refused_and_nothing_is_kept(self):
        self.manifest(source={"integrity": "sha512-" + "A" * 86 + "=="})
        self.assert_one_error(self.fetch(), 1, "integrity", "nothing was kept")
        self.assertEqual(self.kept(), [])

    def test_damaged_file_is_fetched_again(self):
        self.manifest()
        self.fetch()
        path = os.path.join(self.cache, "models", "a.bin")
        with open(path, "wb") as file:
            file.write(b"damage!")
        self.assertEqual(self.fetch().returncode, 0)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), CONTENT)
        self.assertEqual(self.calls(), 2)

    def test_leftovers_of_a_killed_fetch_are_removed(self):
        os.makedirs(os.path.join(self.cache, "models"))
        os.makedirs(os.path.join(self.cache, ".fetch-old"))
        self.write("cache/models/.partial-old", "half")
        self.write("cache/.fetch-old/half.tgz", "half")
        self.manifest()
        self.assertEqual(self.fetch().returncode, 0)
        self.assertEqual(self.kept(), ["models/a.bin"])

    def test_missing_path_is_named(self):
        self.manifest(source={"path": "b.bin"})
        self.assert_one_error(self.fetch(), 1, "'b.bin'")

    def test_no_network_is_said_after_three_tries(self):
        self.stand_in("npm", 'echo npm >> "$FOLDER/calls"; echo "npm ERR! code EAI_AGAIN" >&2; exit 1')
        self.manifest()
        self.assert_one_error(self.fetch(), 1, "network", "some-package@1.0.0")
        self.assertEqual(self.calls(), 3)

    def test_manifest_cannot_write_elsewhere(self):
        self.manifest(file="../escaped.bin")
        self.assert_one_error(self.fetch(), 1, "../escaped.bin")
        self.assertEqual(self.calls(), 0)

    def test_broken_manifest_is_named(self):
        self.write("repo/models/zoo/broken.json", '{"name": "broken"')
        self.assert_one_error(self.fetch(), 1, "broken.json")

    def test_unknown_name_lists_the_known(self):
        self.manifest()
        self.assert_one_error(self.fetch("b"), 1, "called b", "there are: a")


if __name__ == "__main__":
    unittest.main()
