// SPDX-License-Identifier: Apache-2.0
// A triangle of the last two axes, the rest zero (WebNN triangular).
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

struct Triangular {
    static constexpr std::string_view kName = "triangular";
    bool upper = true;         // else the lower one
    std::int32_t diagonal = 0; // moves the border to the right, left where negative
};

// Inputs: x of rank 2 or more.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Triangular& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Triangular& op);

} // namespace sluice::ops
