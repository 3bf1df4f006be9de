# SPDX-License-Identifier: Apache-2.0
"""Writes SPIR-V files as one C++ source: embed_shaders.py OUTPUT.cpp NAME.spv...

The files' order is that of shaders.def, thus of the enumerators of sluice::vulkan::Shader.
"""

import array
import pathlib
import sys

MAGIC = 0x07230203


def words_of(path):
    data = pathlib.Path(path).read_bytes()
    if len(data) % 4:
        sys.exit(f"{path}: {len(data)} bytes are no SPIR-V")
    words = array.array("I", data)
    if not words or words[0] != MAGIC:
        sys.exit(f"{path}: no SPIR-V of this machine's byte order")
    return words


def main():
    output, *paths = sys.argv[1:]
    lines = ['#include "core/vulkan/shader_code.h"', "namespace sluice::vulkan {", "namespace {"]
    names = []
    for path in paths:
        name = "k" + pathlib.Path(path).stem
        names.append(name)
        words = words_of(path)
        lines.append(f"constexpr std::uint32_t {name}[] = {{")
        lines += [",".join(map(hex, words[i:i + 12])) + "," for i in range(0, len(words), 12)]
        lines.append("};")
    lines.append("constexpr std::span<const std::uint32_t> kAll[] = {")
    lines += [f"{name}," for name in names]
    lines += ["};", "}", "const std::span<const std::span<const std::uint32_t>> kShaderCode = kAll;", "}"]
    pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
