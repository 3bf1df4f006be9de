// SPDX-License-Identifier: Apache-2.0
// One step of long short-term memory.
#include "core/ops/lstm_cell.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/recurrent.h"

namespace sluice::vulkan {

Status supports_lstm_cell(const Context& context, const graph::Graph& graph,
                          const graph::Node& node) {
    return supports_recurrent(context, graph, node, 1, 4);
}

Status lower_lstm_cell(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::LstmCell>(node.attributes);
    const graph::Shape& x = writer.graph().desc(node.inputs[0]).shape();
    OptionalOperands optional(node, 5);
    LstmSteps lstm{};
    lstm.activations = op.activations;
    lstm.layout = op.layout;
    Recurrent& net = lstm.net;
    net.batches = x[0];
    net.inputs = x[1];
    net.hidden = op.hidden_size;
    net.x = node.inputs[0];
    net.weight = node.inputs[1];
    net.recurrent_weight = node.inputs[2];
    net.bias = optional.take(op.has_bias);
    net.recurrent_bias = optional.take(op.has_recurrent_bias);
    lstm.peephole = optional.take(op.has_peephole_weight);
    net.state = node.inputs[3];
    lstm.cell_state = node.inputs[4];
    net.last = node.outputs[0];
    lstm.last_cell = node.outputs[1];
    write_lstm(writer, lstm);
    return {};
}

} // namespace sluice::vulkan
