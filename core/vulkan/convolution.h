// SPDX-License-Identifier: Apache-2.0
// Convolution: what conv2d, conv_transpose2d and matrix products by a filter come down to, and how
// their steps are written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/conv2d.h"
#include "core/ops/unary.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

struct PictureSize {
    std::uint32_t height = 1, width = 1, channels = 1;
};
[[nodiscard]] PictureSize picture_size(const graph::Shape& shape, ops::InputLayout layout);

// Element strides of a filter by name, whichever way it is laid out; `output` and `input` are
// channels within a group.
struct FilterStrides {
    std::size_t group = 0, output = 0, input = 0, row = 0, column = 0;
};

struct Convolution {
    graph::DataType type = graph::DataType::Float32;
    bool transposed = false;
    ops::InputLayout layout = ops::InputLayout::Nhwc; // of x, y and the residual
    std::uint32_t batches = 1;
    PictureSize in;
    PictureSize out;
    std::uint32_t groups = 1;
    std::uint32_t kernel_height = 1, kernel_width = 1;
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::uint32_t top = 0, left = 0; // padding
    FilterStrides filter_strides;
    graph::OperandId x{};
    graph::OperandId filter{};
    std::optional<graph::OperandId> bias;
    std::optional<graph::OperandId> residual;
    std::uint32_t residual_channels = 0;
    ops::Activation activation{};
    graph::OperandId y{};

    [[nodiscard]] std::uint32_t group_inputs() const { return in.channels / groups; }
    [[nodiscard]] std::uint32_t group_outputs() const { return out.channels / groups; }
    // Blocks of four output channels.
    [[nodiscard]] std::uint32_t group_blocks() const { return (group_outputs() + 3) / 4; }
    [[nodiscard]] std::uint32_t blocks() const { return group_blocks() * groups; }
    [[nodiscard]] std::uint32_t taps() const { return kernel_height * kernel_width; }
    // One input and one output channel a group, and whole vectors of them.
    [[nodiscard]] bool is_depthwise() const {
        return !transposed && groups > 1 && group_inputs() == 1 && group_outputs() == 1 &&
               groups % 4 == 0;
    }
};

// What the attributes of conv2d and conv_transpose2d have in common; no residual. The filters of
// the groups lie behind each other: along the output channels, of a transposed convolution along
// the input channels.
template <typename Op>
[[nodiscard]] Convolution convolution_from(const graph::Graph& graph, const graph::Node& node,
                                           const Op& op, bool transposed) {
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::Shape& filter = graph.desc(node.inputs[1]).shape();
    const ops::FilterAxes axes = ops::filter_axes(op.filter_layout);
    const auto strides = graph::strides_of(filter);
    const std::size_t grouped = transposed ? axes.input_channel : axes.output_channel;
    Convolution c{.type = x.type(),
                  .transposed = transposed,
                  .layout = op.input_layout,
                  .batches = x.shape()[0],
                  .in = picture_size(x.shape(), op.input_layout),
                  .out = picture_size(graph.desc(node.outputs[0]).shape(), op.input_layout),
                  .groups = op.groups,
                  .kernel_height = filter[axes.height],
                  .kernel_width = filter[axes.width],
                  .strides = op.strides,
                  .dilations = op.dilations,
                  .top = op.padding[0],
                  .left = op.padding[2],
                  .filter_strides = {.group = filter[grouped] / op.groups * strides[grouped],
                                     .output = strides[axes.output_channel],
                                     .input = strides[axes.input_channel],
                                     .row = strides[axes.height],
                                     .column = strides[axes.width]},
                  .x = node.inputs[0],
                  .filter = node.inputs[1],
                  .bias = {},
                  .residual = {},
                  .activation = op.activation,
                  .y = node.outputs[0]};
    if (op.has_bias) {
        c.bias = node.inputs[2];
    }
    return c;
}

// Unsupported where the packed filter or the number of blocks is beyond the device.
[[nodiscard]] Status supports_convolution(const Context& context, const Convolution& convolution);
void write_convolution(StepWriter& writer, const Convolution& convolution);

// From core/vulkan/filter.cpp: the filter and the bias as lib/convolution.glsl wants them; packed
// here where they are constants, by the device in every run where they are not.
[[nodiscard]] RegionId write_filter(StepWriter& writer, const Convolution& convolution);
[[nodiscard]] RegionId write_bias(StepWriter& writer, const Convolution& convolution);

} // namespace sluice::vulkan
