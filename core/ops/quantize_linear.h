// SPDX-License-Identifier: Apache-2.0
// Floats to integers: round(x / scale) + zero_point, saturated (WebNN quantizeLinear).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct QuantizeLinear {
    static constexpr std::string_view kName = "quantize_linear";
};

// Inputs: x, scale of x's type, zero_point (int8, uint8, int32, uint32), of one rank; scale and
// zero_point have one shape whose every dimension divides the dimension of x (block-wise). Ties
// round to even. Output: type of zero_point.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const QuantizeLinear& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
