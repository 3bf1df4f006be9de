// SPDX-License-Identifier: Apache-2.0
// Transposed two-dimensional convolution, as a gather.
#include "core/ops/conv_transpose2d.h"

#include <variant>

#include "core/vulkan/convolution.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {
namespace {

Convolution transposed_convolution_of(const graph::Graph& graph, const graph::Node& node) {
    return convolution_from(graph, node, std::get<ops::ConvTranspose2d>(node.attributes), true);
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
