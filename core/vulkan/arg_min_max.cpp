// SPDX-License-Identifier: Apache-2.0
// Index of the smallest or largest element along an axis.
#include "core/ops/arg_min_max.h"

#include <utility>
#include <variant>
#include <vector>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_arg_min_max(const Context& /*context*/, const graph::Graph& graph,
                            const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

Status lower_arg_min_max(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::ArgMinMax>(node.attributes);
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const std::uint32_t members = x.shape()[op.axis];
    struct {
        std::uint32_t lines, members, stride;
    } const push{.lines = static_cast<std::uint32_t>(x.element_count() / members),
                 .members = members,
                 .stride = static_cast<std::uint32_t>(graph::strides_of(x.shape())[op.axis])};
    const Context& context = writer.context();
    const std::uint32_t line = context.tuning.line_invocations;
    // A workgroup a line where lines are long and too few to keep a device busy.
    const bool by_subgroups =
        context.tuning.subgroups && members >= 2 * line && push.lines < members;
    std::vector<std::uint32_t> constants{std::uint32_t{op.is_max},
                                         std::uint32_t{op.output_type == graph::DataType::Int64}};
    if (by_subgroups) {
        constants.insert(constants.begin(), line);
    }
    const graph::OperandId from = node.inputs[0];
    writer.dispatch({.shader = by_subgroups
                                   ? by_type(graph, from, Shader::ArgLine, Shader::ArgLineHalf)
                                   : by_type(graph, from, Shader::ArgMinMax, Shader::ArgMinMaxHalf),
                     .constants = std::move(constants),
                     .buffers = {{writer.region(from), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.lines, by_subgroups ? 1 : 64, context.profile)});
    return {};
}

} // namespace sluice::vulkan
