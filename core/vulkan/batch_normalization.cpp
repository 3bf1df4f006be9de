// SPDX-License-Identifier: Apache-2.0
// Normalisation by given means and variances, one pair a channel.
#include "core/ops/batch_normalization.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

Status supports_batch_normalization(const Context& /*context*/, const graph::Graph& graph,
                                    const graph::Node& node) {
    return require_float(graph, node.inputs[0]);
}

Status lower_batch_normalization(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::BatchNormalization>(node.attributes);
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    struct {
        std::uint32_t count, channels, stride;
        float epsilon;
    } const push{.count = static_cast<std::uint32_t>(x.element_count()),
                 .channels = x.shape()[op.axis],
                 .stride = static_cast<std::uint32_t>(graph::strides_of(x.shape())[op.axis]),
                 .epsilon = static_cast<float>(op.epsilon)};
    // An operand that is not there is not read either: the mean stands for it.
    const graph::OperandId scale = node.inputs[op.has_scale ? 3 : 1];
    const graph::OperandId bias = op.has_bias ? node.inputs.back() : node.inputs[1];
    writer.dispatch({.shader = by_type(graph, node.inputs[0], Shader::BatchNormalization,
                                       Shader::BatchNormalizationHalf),
                     .constants = {std::uint32_t{op.has_scale}, std::uint32_t{op.has_bias}},
                     .buffers = {{writer.region(node.inputs[0]), Access::Read},
                                 {writer.region(node.inputs[1]), Access::Read},
                                 {writer.region(node.inputs[2]), Access::Read},
                                 {writer.region(scale), Access::Read},
                                 {writer.region(bias), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
