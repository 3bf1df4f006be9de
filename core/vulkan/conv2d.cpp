// SPDX-License-Identifier: Apache-2.0
// Two-dimensional convolution.
#include "core/ops/conv2d.h"

#include <variant>

#include "core/vulkan/convolution.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {
namespace {

Convolution convolution_of(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Conv2d>(node.attributes);
    Convolution c = convolution_from(graph, node, op, false);
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
