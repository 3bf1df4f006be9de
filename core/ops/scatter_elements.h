// SPDX-License-Identifier: Apache-2.0
// A copy in which single elements of an axis are replaced (WebNN scatterElements).
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

struct ScatterElements {
    static constexpr std::string_view kName = "scatter_elements";
    std::uint32_t axis = 0;
};

// Inputs: x, indices (int32, uint32, int64) of x's shape but for the axis, updates of the indices'
// shape. Indices count and are clamped as in gather; of equal ones the last wins.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const ScatterElements& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const ScatterElements& op);

} // namespace sluice::ops
