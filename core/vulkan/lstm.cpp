// SPDX-License-Identifier: Apache-2.0
// Long short-term memory over a sequence.
#include "core/ops/lstm.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/recurrent.h"

namespace sluice::vulkan {

Status supports_lstm(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    return supports_recurrent(context, graph, node, std::get<ops::Lstm>(node.attributes).steps, 4);
}

Status lower_lstm(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::Lstm>(node.attributes);
    const graph::Shape& x = writer.graph().desc(node.inputs[0]).shape();
    OptionalOperands optional(node, 3);
    LstmSteps lstm{};
    lstm.activations = op.activations;
    lstm.layout = op.layout;
    Recurrent& net = lstm.net;
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
    lstm.peephole = optional.take(op.has_peephole_weight);
    net.state = optional.take(op.has_initial_hidden_state);
    lstm.cell_state = optional.take(op.has_initial_cell_state);
    net.last = node.outputs[0];
    lstm.last_cell = node.outputs[1];
    if (op.return_sequence) {
        net.sequence = node.outputs[2];
    }
    write_lstm(writer, lstm);
    return {};
}

} // namespace sluice::vulkan
