// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one operand.
#include "core/ops/unary.h"

#include <variant>

#include "core/vulkan/functions.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_unary(const Context& /*context*/, const graph::Graph& graph,
                      const graph::Node& node) {
    if (std::get<ops::Unary>(node.attributes).function.kind == ops::UnaryKind::Identity) {
        return {};
    }
    return require_float(graph, node.inputs[0]);
}

Status lower_unary(StepWriter& writer, const graph::Node& node) {
    const auto& function = std::get<ops::Unary>(node.attributes).function;
    if (function.kind == ops::UnaryKind::Identity) {
        writer.alias(node.inputs[0], node.outputs[0]);
        return {};
    }
    const graph::Graph& graph = writer.graph();
    const bool test = graph.desc(node.outputs[0]).type() == graph::DataType::Uint8;
    const ActivationWords words = to_words(function);
    struct {
        std::uint32_t count;
        float alpha, beta;
    } const push{.count = static_cast<std::uint32_t>(graph.desc(node.inputs[0]).element_count()),
                 .alpha = words.alpha,
                 .beta = words.beta};
    const graph::OperandId x = node.inputs[0];
    writer.dispatch({.shader = test ? by_type(graph, x, Shader::UnaryTest, Shader::UnaryTestHalf)
                                    : by_type(graph, x, Shader::Unary, Shader::UnaryHalf),
                     .constants = {words.kind},
                     .buffers = {{writer.region(x), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
