// SPDX-License-Identifier: Apache-2.0
// A triangle of the last two axes, the rest zero.
#include "core/ops/triangular.h"

#include <algorithm>
#include <variant>

#include "core/vulkan/indices.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_triangular(const Context& /*context*/, const graph::Graph& /*graph*/,
                           const graph::Node& /*node*/) {
    return {};
}

Status lower_triangular(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Triangular>(node.attributes);
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    struct {
        std::uint32_t count, rows, columns;
        std::int32_t diagonal;
    } push{.count = static_cast<std::uint32_t>(x.element_count()),
           .rows = x.shape()[x.rank() - 2],
           .columns = x.shape()[x.rank() - 1],
           .diagonal = op.diagonal};
    // Further out it changes nothing, but the sum of a row and it might overflow.
    push.diagonal = std::clamp(op.diagonal, -static_cast<std::int32_t>(push.rows),
                               static_cast<std::int32_t>(push.columns));
    writer.dispatch(
        {.shader = by_size(graph::size_of(x.type()), Shader::Triangular8, Shader::Triangular16,
                           Shader::Triangular32, Shader::Triangular64),
         .constants = {std::uint32_t{op.upper}},
         .buffers = {{writer.region(node.inputs[0]), Access::Read},
                     {writer.region(node.outputs[0]), Access::Write}},
         .push = to_push(push),
         .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
