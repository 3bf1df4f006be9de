// SPDX-License-Identifier: Apache-2.0
// A copy in which slices are replaced by coordinates (WebNN scatterND).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct ScatterNd {
    static constexpr std::string_view kName = "scatter_nd";
};

// Inputs: x, indices (int32, uint32, int64) as in gather_nd, updates of the shape that gather_nd
// would have. Coordinates count and are clamped as in gather; of equal ones the last wins.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const ScatterNd& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
