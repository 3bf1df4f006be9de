// SPDX-License-Identifier: Apache-2.0
// Chooses between two tensors by a condition, all broadcast (WebNN where).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct Where {
    static constexpr std::string_view kName = "where";
};

// Inputs: condition (uint8), true value, false value.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Where& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
