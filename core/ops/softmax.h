// SPDX-License-Identifier: Apache-2.0
// exp(x) over its sum along an axis (WebNN softmax).
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

struct Softmax {
    static constexpr std::string_view kName = "softmax";
    std::uint32_t axis = 0;
};

// Inputs: x, floats.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Softmax& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Softmax& op);

} // namespace sluice::ops
