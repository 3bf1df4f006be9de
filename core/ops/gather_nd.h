// SPDX-License-Identifier: Apache-2.0
// Slices picked by coordinates (WebNN gatherND).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct GatherNd {
    static constexpr std::string_view kName = "gather_nd";
};

// Inputs: x, indices (int32, uint32, int64) whose last axis holds coordinates of x's first axes.
// Output: the other axes of the indices, then the axes of x that have no coordinate. Coordinates
// count and are clamped as in gather.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const GatherNd& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
