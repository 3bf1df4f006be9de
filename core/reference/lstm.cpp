// SPDX-License-Identifier: Apache-2.0
// Long short-term memory over a sequence.
#include "core/ops/lstm.h"

#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/lstm_kernel.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_lstm(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const auto& op = std::get<ops::Lstm>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    OptionalInputs optional(3);
    LstmKernel lstm{};
    lstm.shape = {.steps = op.steps,
                  .directions = ops::directions(op.direction),
                  .batch = x.shape()[1],
                  .input = x.shape()[2],
                  .hidden = op.hidden_size,
                  .backward = op.direction == ops::Direction::Backward};
    lstm.activations = op.activations;
    lstm.bias = optional.take(op.has_bias);
    lstm.recurrent_bias = optional.take(op.has_recurrent_bias);
    lstm.peephole = optional.take(op.has_peephole_weight);
    lstm.hidden_state = optional.take(op.has_initial_hidden_state);
    lstm.cell_state = optional.take(op.has_initial_cell_state);
    lstm.return_sequence = op.return_sequence;
    return make_lstm(x.type(), with_gates(lstm, op.layout));
}

} // namespace sluice::reference
