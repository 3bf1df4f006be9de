// SPDX-License-Identifier: Apache-2.0
// Two-dimensional convolution (WebNN conv2d).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/unary.h"

namespace sluice::ops {

enum class InputLayout : std::uint8_t { Nchw, Nhwc };
// o: output channels, i: input channels / groups, h and w: kernel. Depthwise in NHWC uses Ihwo.
enum class Conv2dFilterLayout : std::uint8_t { Oihw, Hwio, Ohwi, Ihwo };

// Which of a filter's four axes is what.
struct FilterAxes {
    std::size_t output_channel, input_channel, height, width;
};
[[nodiscard]] FilterAxes filter_axes(Conv2dFilterLayout layout);

struct FilterDims {
    std::uint32_t output_channels;
    std::uint32_t input_channels; // per group
    std::uint32_t height;
    std::uint32_t width;
};
// `layout` is that of either convolution.
template <typename Layout>
[[nodiscard]] FilterDims filter_dims(const graph::Shape& filter, Layout layout) {
    const FilterAxes axes = filter_axes(layout);
    return {.output_channels = filter[axes.output_channel],
            .input_channels = filter[axes.input_channel],
            .height = filter[axes.height],
            .width = filter[axes.width]};
}

struct Conv2d {
    static constexpr std::string_view kName = "conv2d";
    std::array<std::uint32_t, 4> padding{0, 0, 0, 0}; // top, bottom, left, right
    std::array<std::uint32_t, 2> strides{1, 1};       // height, width
    std::array<std::uint32_t, 2> dilations{1, 1};     // height, width
    std::uint32_t groups = 1;
    InputLayout input_layout = InputLayout::Nchw;
    Conv2dFilterLayout filter_layout = Conv2dFilterLayout::Oihw;
    bool has_bias = false;
    // The epilogue, set by the fusion pass only: y = activation(conv + bias + residual). The
    // residual has the output's shape, or fewer channels, the missing ones being zero.
    bool has_residual = false;
    Activation activation{};
};

// Inputs: x, filter, [bias of shape [output channels]], [residual]. floats only.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Conv2d& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Conv2d& op);

} // namespace sluice::ops
