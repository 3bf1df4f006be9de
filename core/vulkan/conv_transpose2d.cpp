// SPDX-License-Identifier: Apache-2.0
// Transposed two-dimensional convolution, as a gather.
#include "core/ops/conv_transpose2d.h"

#include <utility>
#include <variant>

#include "core/vulkan/convolution.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// Input channels of all groups lie behind each other.
FilterStrides filter_strides(const graph::Shape& filter, ops::ConvTranspose2dFilterLayout layout,
                             std::size_t group_inputs) {
    const Strides s = graph::strides_of(filter);
    const auto by_name = [&](std::size_t i, std::size_t o, std::size_t y, std::size_t x) {
        return FilterStrides{.group = group_inputs * s[i],
                             .output = s[o],
                             .input = s[i],
                             .row = s[y],
                             .column = s[x]};
    };
    switch (layout) {
    case ops::ConvTranspose2dFilterLayout::Iohw: return by_name(0, 1, 2, 3);
    case ops::ConvTranspose2dFilterLayout::Hwoi: return by_name(3, 2, 0, 1);
    case ops::ConvTranspose2dFilterLayout::Ohwi: return by_name(3, 0, 1, 2);
    }
    std::unreachable();
}

Convolution transposed_convolution_of(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::ConvTranspose2d>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::Shape& filter = graph.desc(node.inputs[1]).shape();
    const ops::FilterDims dims = ops::filter_dims(filter, op.filter_layout);
    Convolution c{.type = x.type(),
                  .transposed = true,
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
                      filter_strides(filter, op.filter_layout, dims.input_channels / op.groups),
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

} // namespace

Status supports_conv_transpose2d(const Context& context, const graph::Graph& graph,
                                 const graph::Node& node) {
    return supports_convolution(context, transposed_convolution_of(graph, node));
}

Status lower_conv_transpose2d(StepWriter& writer, const graph::Node& node) {
    write_convolution(writer, transposed_convolution_of(writer.graph(), node));
    return {};
}

} // namespace sluice::vulkan
