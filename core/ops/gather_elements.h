// SPDX-License-Identifier: Apache-2.0
// One element of an axis for every index (WebNN gatherElements).
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

struct GatherElements {
    static constexpr std::string_view kName = "gather_elements";
    std::uint32_t axis = 0;
};

// Inputs: x, indices (int32, uint32, int64) of x's shape but for the axis. Output: the indices'
// shape. Indices count and are clamped as in gather.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const GatherElements& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const GatherElements& op);

} // namespace sluice::ops
