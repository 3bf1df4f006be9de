// SPDX-License-Identifier: Apache-2.0
// Integers to floats: (x - zero_point) * scale (WebNN dequantizeLinear).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct DequantizeLinear {
    static constexpr std::string_view kName = "dequantize_linear";
};

// Inputs: x (int8, uint8, int32, uint32), scale, zero_point, of one rank; scale and zero_point have
// one shape whose every dimension divides the dimension of x (block-wise). Output: type of scale.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const DequantizeLinear& op, std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
