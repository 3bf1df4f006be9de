// SPDX-License-Identifier: Apache-2.0
// Slices of an axis picked by a tensor of indices (WebNN gather).
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

struct Gather {
    static constexpr std::string_view kName = "gather";
    std::uint32_t axis = 0;
};

// Inputs: x, indices (int32, uint32, int64). Output: x's shape with the axis replaced by the shape
// of the indices. Negative indices count from the end; those out of range are clamped.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Gather& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Gather& op);

} // namespace sluice::ops
