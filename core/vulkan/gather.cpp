// SPDX-License-Identifier: Apache-2.0
// Slices of an axis picked by a tensor of indices.
#include "core/ops/gather.h"

#include <variant>

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_gather(const Context& /*context*/, const graph::Graph& /*graph*/,
                       const graph::Node& /*node*/) {
    return {};
}

Status lower_gather(StepWriter& writer, const graph::Node& node) {
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& indices = graph.desc(node.inputs[1]);
    const auto axis = std::get<ops::Gather>(node.attributes).axis;
    const IndexedAxis indexed = indexed_axis(x.shape(), axis);
    struct {
        std::uint32_t count, size, block, picks;
    } const push{.count = static_cast<std::uint32_t>(graph.desc(node.outputs[0]).element_count()),
                 .size = indexed.size,
                 .block = indexed.block,
                 .picks = static_cast<std::uint32_t>(indices.element_count())};
    writer.dispatch({.shader = by_size(graph::size_of(x.type()), Shader::Gather8, Shader::Gather16,
                                       Shader::Gather32, Shader::Gather64),
                     .constants = {type_constant(indices.type()), std::uint32_t{false}},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
