// SPDX-License-Identifier: Apache-2.0
// Joins tensors along an axis (WebNN concat).
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

struct Concat {
    static constexpr std::string_view kName = "concat";
    std::uint32_t axis = 0;
};

// Inputs: one or more of one type whose shapes agree except on the axis.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Concat& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Concat& op);

} // namespace sluice::ops
