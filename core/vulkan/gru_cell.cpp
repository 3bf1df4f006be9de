// SPDX-License-Identifier: Apache-2.0
// One step of a gated recurrent unit.
#include "core/ops/gru_cell.h"

#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/recurrent.h"

namespace sluice::vulkan {

Status supports_gru_cell(const Context& context, const graph::Graph& graph,
                         const graph::Node& node) {
    return supports_recurrent(context, graph, node, 1, 3);
}

Status lower_gru_cell(StepWriter& writer, const graph::Node& node) {
    const auto& op = std::get<ops::GruCell>(node.attributes);
    const graph::Shape& x = writer.graph().desc(node.inputs[0]).shape();
    OptionalOperands optional(node, 4);
    GruSteps gru{};
    gru.activations = op.activations;
    gru.layout = op.layout;
    gru.reset_after = op.reset_after;
    Recurrent& net = gru.net;
    net.batches = x[0];
    net.inputs = x[1];
    net.hidden = op.hidden_size;
    net.x = node.inputs[0];
    net.weight = node.inputs[1];
    net.recurrent_weight = node.inputs[2];
    net.bias = optional.take(op.has_bias);
    net.recurrent_bias = optional.take(op.has_recurrent_bias);
    net.state = node.inputs[3];
    net.last = node.outputs[0];
    write_gru(writer, gru);
    return {};
}

} // namespace sluice::vulkan
