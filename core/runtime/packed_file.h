// SPDX-License-Identifier: Apache-2.0
// The files that keep packed weights between processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/base/content_hash.h"
#include "core/base/result.h"

namespace sluice::runtime {

// Packed weights of one kernel. `layout` stands for how they are packed.
struct PackedBlob {
    std::shared_ptr<const std::byte> bytes; // aligned to kTensorAlignment
    std::uint64_t size = 0;
    std::uint64_t layout = 0;
};

// What write_packed_file() wrote under this very key, mapped read-only. Anything else (of another
// key or version, cut short, altered) is an error, NotFound where there is no file.
[[nodiscard]] Result<std::vector<PackedBlob>> read_packed_file(const std::filesystem::path& path,
                                                               const ContentHash::Value& key);

// By rename, so that readers and other writers see a whole file or none. Io.
[[nodiscard]] Status write_packed_file(const std::filesystem::path& path,
                                       const ContentHash::Value& key,
                                       std::span<const PackedBlob> blobs);

// Removes files of the folder, those first that were used longest ago, until at most `bound` bytes
// are left.
void drop_oldest(const std::filesystem::path& folder, std::uintmax_t bound);

} // namespace sluice::runtime
