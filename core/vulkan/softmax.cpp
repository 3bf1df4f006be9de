// SPDX-License-Identifier: Apache-2.0
// exp(x) over its sum along an axis.
#include "core/ops/softmax.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_softmax(const Context& /*context*/, const graph::Graph& graph,
                        const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

Status lower_softmax(StepWriter& writer, const graph::Node& node) {
    const auto axis = std::get<ops::Softmax>(node.attributes).axis;
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const std::uint32_t members = x.shape()[axis];
    struct {
        std::uint32_t lines, members, stride;
    } const push{.lines = static_cast<std::uint32_t>(x.element_count() / members),
                 .members = members,
                 .stride = static_cast<std::uint32_t>(graph::strides_of(x.shape())[axis])};
    const Context& context = writer.context();
    writer.dispatch({.shader = line_shader(context.tuning, is_half(graph, node.inputs[0]),
                                           {.shared_single = Shader::Softmax,
                                            .shared_half = Shader::SoftmaxHalf,
                                            .subgroups_single = Shader::SoftmaxSubgroups,
                                            .subgroups_half = Shader::SoftmaxSubgroupsHalf}),
                     .constants = {context.tuning.line_invocations},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.lines, 1, context.profile)});
    return {};
}

} // namespace sluice::vulkan
