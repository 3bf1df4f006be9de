// SPDX-License-Identifier: Apache-2.0
// The constants of a quantised convolution, read from its node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/cpu/conv_shape.h"
#include "core/cpu/quantized_kernel.h"
#include "core/graph/graph.h"
#include "core/ops/quantized_conv2d.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// Sizes, the filter's values less nothing, and per output channel its zero point and how its sums
// become results.
struct QuantizedConstants {
    ConvShape shape{};
    std::vector<std::int16_t> filter; // as stored, int8 or uint8
    bool filter_is_signed = true;
    std::size_t stride_o = 0, stride_y = 0, stride_x = 0, stride_i = 0; // of the filter's elements
    std::vector<std::int16_t> zero_points;
    std::vector<float> multipliers, addends;
    bool input_is_signed = true;
    std::int32_t input_zero = 0;
    QuantizedEnd end{};

    // The weight less its zero point.
    [[nodiscard]] std::int16_t at(std::size_t o, std::size_t y, std::size_t x,
                                  std::size_t i) const {
        return static_cast<std::int16_t>(
            filter[o * stride_o + y * stride_y + x * stride_x + i * stride_i] - zero_points[o]);
    }
    // Whether int8 holds every weight less its zero point.
    [[nodiscard]] bool fits_int8() const;
};

[[nodiscard]] QuantizedConstants quantized_constants(const graph::Graph& graph,
                                                     const graph::Node& node);

// Results of 8 bits keep to these bounds before the zero point is added.
[[nodiscard]] QuantizedEnd quantized_end(const ops::QuantizedResult& result,
                                         const ops::Activation& activation);

[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_quantized_dense(const QuantizedConstants& data);
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_quantized_depthwise(const QuantizedConstants& data);

} // namespace sluice::cpu
