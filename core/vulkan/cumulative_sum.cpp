// SPDX-License-Identifier: Apache-2.0
// Running sums along an axis.
#include "core/ops/cumulative_sum.h"

#include <variant>

#include "core/vulkan/any_type.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_cumulative_sum(const Context& context, const graph::Graph& graph,
                               const graph::Node& node) {
    return supports_any_type(context, graph, node.inputs[0]);
}

Status lower_cumulative_sum(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::CumulativeSum>(node.attributes);
    const graph::TensorDesc& x = writer.graph().desc(node.inputs[0]);
    const std::uint32_t members = x.shape()[op.axis];
    struct {
        std::uint32_t lines, members, stride;
    } const push{.lines = static_cast<std::uint32_t>(x.element_count() / members),
                 .members = members,
                 .stride = static_cast<std::uint32_t>(graph::strides_of(x.shape())[op.axis])};
    writer.dispatch({.shader = Shader::CumulativeSum,
                     .constants = {type_constant(x.type()), std::uint32_t{op.exclusive},
                                   std::uint32_t{op.reversed}},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.lines, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
