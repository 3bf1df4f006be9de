// SPDX-License-Identifier: Apache-2.0
// Convolution of quantised pictures in integers. None of WebNN's operators: what the quantization
// pass makes of conv2d, gemm and matmul of dequantised operands.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/quantization.h"
#include "core/ops/unary.h"

namespace sluice::ops {

// value = activation(sum((x - zero_point) * (w - w_zero_point)) * input scale * w_scale + bias),
// the sum in 32-bit integers, which are exact: no more products a sum than kMaxQuantizedProducts.
// The result is quantised from that value. Padding stands for zero, as in conv2d.
struct QuantizedConv2d {
    static constexpr std::string_view kName = "quantized_conv2d";
    std::array<std::uint32_t, 4> padding{0, 0, 0, 0}; // top, bottom, left, right
    std::array<std::uint32_t, 2> strides{1, 1};       // height, width
    std::array<std::uint32_t, 2> dilations{1, 1};     // height, width
    std::uint32_t groups = 1;
    Conv2dFilterLayout filter_layout = Conv2dFilterLayout::Oihw;
    bool has_bias = false;
    Quantization input{};
    Activation activation{}; // identity, relu or clamp
    QuantizedResult result{};

    // The convolution of floats that it stands for.
    [[nodiscard]] Conv2d of_floats() const;
};

// 255 * 255 times this is below 2^31.
inline constexpr std::uint64_t kMaxQuantizedProducts = 33'000;

// Inputs: x NHWC, filter (int8 or uint8 each), filter scale (float32) and filter zero point (the
// filter's type), both of shape [1] or [output channels], [bias float32 [output channels]].
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const QuantizedConv2d& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const QuantizedConv2d& op);

} // namespace sluice::ops
