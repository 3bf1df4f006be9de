// SPDX-License-Identifier: Apache-2.0
// Transposed two-dimensional convolution (WebNN convTranspose2d).
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

namespace sluice::ops {

enum class ConvTranspose2dFilterLayout : std::uint8_t { Iohw, Hwoi, Ohwi };
[[nodiscard]] FilterAxes filter_axes(ConvTranspose2dFilterLayout layout);

struct ConvTranspose2d {
    static constexpr std::string_view kName = "conv_transpose2d";
    std::array<std::uint32_t, 4> padding{0, 0, 0,
                                         0}; // top, bottom, left, right; cropped from the result
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::array<std::uint32_t, 2> output_padding{0, 0};
    // Height and width of the result; 0, 0: derived (WebNN outputSizes absent).
    std::array<std::uint32_t, 2> output_sizes{0, 0};
    std::uint32_t groups = 1;
    InputLayout input_layout = InputLayout::Nchw;
    ConvTranspose2dFilterLayout filter_layout = ConvTranspose2dFilterLayout::Iohw;
    bool has_bias = false;
    Activation activation{}; // set by the fusion pass only
};

// Inputs: x, filter, [bias of shape [output channels]]. floats only. filter_dims().output_channels
// is per group here, input_channels is all.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const ConvTranspose2d& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const ConvTranspose2d& op);

} // namespace sluice::ops
