// SPDX-License-Identifier: Apache-2.0
// A copy in which single elements of an axis are replaced.
#include "core/ops/scatter_elements.h"

#include <variant>

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_scatter_elements(const Context& /*context*/, const graph::Graph& /*graph*/,
                                 const graph::Node& /*node*/) {
    return {};
}

Status lower_scatter_elements(StepWriter& writer, const graph::Node& node) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& indices = graph.desc(node.inputs[1]);
    const auto axis = std::get<ops::ScatterElements>(node.attributes).axis;
    const IndexedAxis indexed = indexed_axis(x.shape(), axis);
    const std::uint32_t picks = indices.shape()[axis];
    struct {
        std::uint32_t lines, size, block, picks;
    } const push{.lines = static_cast<std::uint32_t>(indices.element_count() / picks),
                 .size = indexed.size,
                 .block = indexed.block,
                 .picks = picks};
    const RegionId y = writer.region(node.outputs[0]);
    writer.copy(writer.region(node.inputs[0]), y);
    writer.dispatch({.shader = by_size(graph::size_of(x.type()), Shader::ScatterElements8,
                                       Shader::ScatterElements16, Shader::ScatterElements32,
                                       Shader::ScatterElements64),
                     .constants = {type_constant(indices.type())},
                     .buffers = {{writer.region(node.inputs[2]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {y, Access::ReadWrite}},
                     .push = to_push(push),
                     .groups = line_of(push.lines, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
