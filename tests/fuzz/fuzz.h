// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the loaders share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/loaders/loader.h"

namespace sluice::fuzz {

// The fuzzer's bytes as a file, in memory of exactly their size.
inline models::FileBytes file_of(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto owner = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    return {.owner = owner, .bytes = *owner};
}

// Any outcome will do but a crash, an error without a sentence, or one that blames us.
inline void check(const Result<models::LoadedModel>& model) {
    if (!model && (model.error().message.empty() || model.error().code == ErrorCode::Internal)) {
        __builtin_trap();
    }
}

} // namespace sluice::fuzz
