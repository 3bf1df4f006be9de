// SPDX-License-Identifier: Apache-2.0
// The table of files at the beginning of a sealed model's payload.
//
// The number of files, then for each the sizes of its name and content and the name; then the
// contents in the same order. All of these begin aligned.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "models/store/seal.h"

namespace sluice::models {

inline constexpr std::size_t kSealedAlignment = 64;
inline constexpr std::size_t kMaxSealedFiles = 4096;
inline constexpr std::size_t kMaxSealedNameBytes = 4096;

// Numbers as they are stored.
template <typename T>
void put(std::vector<std::byte>& out, T value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

template <typename T>
T number_at(std::span<const std::byte> bytes, std::size_t at) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

// Up to where the first content begins.
[[nodiscard]] std::vector<std::byte> write_file_table(std::span<const NamedBytes> files);

// The payload's files, sharing its memory. Parse where the table is malformed.
[[nodiscard]] Result<UnsealedModel> read_file_table(const std::shared_ptr<const void>& owner,
                                                    std::span<const std::byte> payload);

} // namespace sluice::models
