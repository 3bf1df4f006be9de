// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files: one dense tensor each, versions 1 to 3 of the format.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::pipelines {

struct NpyArray {
    graph::TensorDesc desc;
    std::vector<std::byte> bytes; // dense, row-major, little endian
};

// Reads what `bytes` hold. Parse: truncated, trailing or malformed bytes. Unsupported: big endian,
// column-major or a type that WebNN lacks; the sentence tells how to convert.
[[nodiscard]] Result<NpyArray> parse_npy(std::span<const std::byte> bytes);
// The same from a file; the error names it. NotFound, Io.
[[nodiscard]] Result<NpyArray> read_npy(const std::filesystem::path& path);

// Version 1.0, header padded to 64 bytes. `bytes` holds desc.byte_size() bytes.
[[nodiscard]] std::vector<std::byte> encode_npy(const graph::TensorDesc& desc,
                                                std::span<const std::byte> bytes);
[[nodiscard]] Status write_npy(const std::filesystem::path& path, const graph::TensorDesc& desc,
                               std::span<const std::byte> bytes);

} // namespace sluice::pipelines
