// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the loaders share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "models/loaders/loader.h"

namespace sluice::fuzz {

// The fuzzer's bytes as a file, in memory of exactly their size.
inline models::FileBytes file_of(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto owner = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    return {.owner = owner, .bytes = *owner};
}

// What lies before the first zero byte, and what behind it: a text and its weights.
inline std::pair<models::FileBytes, models::FileBytes> split(const models::FileBytes& file) {
    const auto zero = std::ranges::find(file.bytes, std::byte{0});
    const auto text = static_cast<std::size_t>(zero - file.bytes.begin());
    const std::size_t rest = std::min(text + 1, file.bytes.size());
    return {{.owner = file.owner, .bytes = file.bytes.first(text)},
            {.owner = file.owner, .bytes = file.bytes.subspan(rest)}};
}

// Any outcome will do but a crash, an error without a sentence, or one that blames us.
inline void check(const Result<models::LoadedModel>& model) {
    if (!model && (model.error().message.empty() || model.error().code == ErrorCode::Internal)) {
        __builtin_trap();
    }
}

} // namespace sluice::fuzz
