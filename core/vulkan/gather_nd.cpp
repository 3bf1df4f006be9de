// SPDX-License-Identifier: Apache-2.0
// Blocks picked by coordinates.
#include "core/ops/gather_nd.h"

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_gather_nd(const Context& /*context*/, const graph::Graph& /*graph*/,
                          const graph::Node& /*node*/) {
    return {};
}

Status lower_gather_nd(StepWriter& writer, const graph::Node& node) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& indices = graph.desc(node.inputs[1]);
    const auto count = static_cast<std::uint32_t>(graph.desc(node.outputs[0]).element_count());
    writer.dispatch({.shader = by_size(graph::size_of(x.type()), Shader::GatherNd8,
                                       Shader::GatherNd16, Shader::GatherNd32, Shader::GatherNd64),
                     .constants = {type_constant(indices.type())},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(coordinates_of(indices.shape(), x.shape(), count)),
                     .groups = line_of(count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
