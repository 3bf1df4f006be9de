// SPDX-License-Identifier: Apache-2.0
// A gated recurrent unit over a sequence.
#include "core/ops/gru.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/recurrent.h"

namespace sluice::vulkan {

Status supports_gru(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    return supports_recurrent(context, graph, node, std::get<ops::Gru>(node.attributes).steps, 3);
}

Status lower_gru(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Gru>(node.attributes);
    const graph::Shape& x = writer.graph().desc(node.inputs[0]).shape();
    OptionalOperands optional(node, 3);
    GruSteps gru{};
    gru.activations = op.activations;
    gru.layout = op.layout;
    gru.reset_after = op.reset_after;
    Recurrent& net = gru.net;
    net.steps = op.steps;
    net.directions = ops::directions(op.direction);
    net.batches = x[1];
    net.inputs = x[2];
    net.backward = op.direction == ops::Direction::Backward;
    net.hidden = op.hidden_size;
    net.x = node.inputs[0];
    net.weight = node.inputs[1];
    net.recurrent_weight = node.inputs[2];
    net.bias = optional.take(op.has_bias);
    net.recurrent_bias = optional.take(op.has_recurrent_bias);
    net.state = optional.take(op.has_initial_hidden_state);
    net.last = node.outputs[0];
    if (op.return_sequence) {
        net.sequence = node.outputs[1];
    }
    write_gru(writer, gru);
    return {};
}

} // namespace sluice::vulkan
