#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills a folder with seeds for onnx_fuzz: the small models of ONNX's backend tests, each once.

  make_onnx_corpus.py OUTPUT_FOLDER [TESTDATA_FOLDER]
"""

import hashlib
import pathlib
import sys

LIMIT = 16 << 10  # bytes; larger seeds slow the fuzzer down


def main():
    output = pathlib.Path(sys.argv[1])
    data = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share/libonnx-testdata/data")
    models = sorted(data.glob("**/*.onnx"))
    if not models:
        sys.exit(f"{data} holds no .onnx files; install libonnx-testdata or name another folder")
    output.mkdir(parents=True, exist_ok=True)
    seeds = 0
    for path in models:
        content = path.read_bytes()
        if len(content) <= LIMIT:
            (output / (hashlib.sha256(content).hexdigest()[:16] + ".onnx")).write_bytes(content)
            seeds += 1
    print(f"{seeds} of {len(models)} models in {output}")


if __name__ == "__main__":
    main()
