// SPDX-License-Identifier: Apache-2.0
// Cuts an axis into pieces (WebNN split).
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

struct Split {
    static constexpr std::string_view kName = "split";
    std::vector<std::uint32_t> sizes; // of the pieces along the axis; their sum is the dimension
    std::uint32_t axis = 0;
};

// Inputs: x. One output per size.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Split& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Split& op);

} // namespace sluice::ops
