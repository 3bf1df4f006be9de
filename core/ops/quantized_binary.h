// SPDX-License-Identifier: Apache-2.0
// Sums, differences and products of quantised operands. None of WebNN's operators: what the
// quantization pass makes of them between dequantizeLinear and quantizeLinear.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/binary.h"
#include "core/ops/quantization.h"
#include "core/ops/unary.h"

namespace sluice::ops {

struct QuantizedBinary {
    static constexpr std::string_view kName = "quantized_binary";
    BinaryKind kind = BinaryKind::Add; // Add, Sub or Mul
    Quantization a{};
    Quantization b{};
    Activation activation{}; // identity, relu or clamp, of the value before it is quantised
    QuantizedResult result{};
};

// Inputs: a, b (int8 or uint8) of one shape.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const QuantizedBinary& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const QuantizedBinary& op);

} // namespace sluice::ops
