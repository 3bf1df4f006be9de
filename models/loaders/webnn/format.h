// SPDX-License-Identifier: Apache-2.0
// What writer and reader of WebNN JSON agree on.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::models::webnn {

inline constexpr std::string_view kFormat = "webnn-json";
inline constexpr int kVersion = 1;
// Every constant begins at a multiple of it in the file of weights.
inline constexpr std::size_t kWeightAlignment = 64;
// The option under which a fused activation is written. WebNN has none: fusing is the engine's.
inline constexpr std::string_view kEpilogue = "activation";

} // namespace sluice::models::webnn
