// SPDX-License-Identifier: Apache-2.0
// Copies of a tensor side by side (WebNN tile).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct Tile {
    static constexpr std::string_view kName = "tile";
    std::vector<std::uint32_t> repetitions; // one per axis, at least 1
};

// Inputs: x.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Tile& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Tile& op);

} // namespace sluice::ops
