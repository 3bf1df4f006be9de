// SPDX-License-Identifier: Apache-2.0
// Two-dimensional convolution.
#include "core/ops/conv2d.h"

#include <utility>
#include <variant>

#include "core/vulkan/convolution.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// Output channels of all groups lie behind each other.
FilterStrides filter_strides(const graph::Shape& filter, ops::Conv2dFilterLayout layout,
                             std::size_t group_outputs) {
    const Strides s = graph::strides_of(filter);
    const auto by_name = [&](std::size_t o, std::size_t i, std::size_t y, std::size_t x) {
        return FilterStrides{.group = group_outputs * s[o],
                             .output = s[o],
                             .input = s[i],
                             .row = s[y],
                             .column = s[x]};
    };
    switch (layout) {
    case ops::Conv2dFilterLayout::Oihw: return by_name(0, 1, 2, 3);
    case ops::Conv2dFilterLayout::Hwio: return by_name(3, 2, 0, 1);
    case ops::Conv2dFilterLayout::Ohwi: return by_name(0, 3, 1, 2);
    case ops::Conv2dFilterLayout::Ihwo: return by_name(3, 0, 1, 2);
    }
    std::unreachable();
}

Convolution convolution_of(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Conv2d>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::Shape& filter = graph.desc(node.inputs[1]).shape();
    const ops::FilterDims dims = ops::filter_dims(filter, op.filter_layout);
    Convolution c{.type = x.type(),
                  .layout = op.input_layout,
                  .batches = x.shape()[0],
                  .in = picture_size(x.shape(), op.input_layout),
                  .out = picture_size(graph.desc(node.outputs[0]).shape(), op.input_layout),
                  .groups = op.groups,
                  .kernel_height = dims.height,
                  .kernel_width = dims.width,
                  .strides = op.strides,
                  .dilations = op.dilations,
                  .top = op.padding[0],
                  .left = op.padding[2],
                  .filter_strides =
                      filter_strides(filter, op.filter_layout, dims.output_channels / op.groups),
                  .x = node.inputs[0],
                  .filter = node.inputs[1],
                  .bias = {},
                  .residual = {},
                  .activation = op.activation,
                  .y = node.outputs[0]};
    if (op.has_bias) {
        c.bias = node.inputs[2];
    }
    if (op.has_residual) {
        c.residual = node.inputs.back();
        c.residual_channels = picture_size(graph.desc(*c.residual).shape(), c.layout).channels;
    }
    return c;
}

} // namespace

Status supports_conv2d(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    return supports_convolution(context, convolution_of(graph, node));
}

Status lower_conv2d(StepWriter& writer, const graph::Node& node) {
    write_convolution(writer, convolution_of(writer.graph(), node));
    return {};
}

} // namespace sluice::vulkan
