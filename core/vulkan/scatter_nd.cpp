// SPDX-License-Identifier: Apache-2.0
// A copy in which blocks are replaced by coordinates.
#include "core/ops/scatter_nd.h"

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_scatter_nd(const Context& /*context*/, const graph::Graph& /*graph*/,
                           const graph::Node& /*node*/) {
    return {};
}

Status lower_scatter_nd(StepWriter& writer, const graph::Node& node) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& indices = graph.desc(node.inputs[1]);
    const std::uint32_t axes = indices.shape()[indices.rank() - 1];
    const auto tuples = static_cast<std::uint32_t>(indices.element_count() / axes);
    const CoordinatePush push = coordinates_of(indices.shape(), x.shape(), tuples);
    const RegionId y = writer.region(node.outputs[0]);
    writer.copy(writer.region(node.inputs[0]), y);
    writer.dispatch(
        {.shader = by_size(graph::size_of(x.type()), Shader::ScatterNd8, Shader::ScatterNd16,
                           Shader::ScatterNd32, Shader::ScatterNd64),
         .constants = {type_constant(indices.type())},
         .buffers = {{writer.region(node.inputs[2]), Access::Read},
                     {writer.region(node.inputs[1]), Access::Read},
                     {y, Access::ReadWrite}},
         .push = to_push(push),
         .groups = line_of(push.block, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
