// SPDX-License-Identifier: Apache-2.0
// One step of long short-term memory.
#include "core/ops/lstm_cell.h"

#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/lstm_kernel.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_lstm_cell(const graph::Graph& graph,
                                                         const graph::Node& node) {
    const auto& op = std::get<ops::LstmCell>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    OptionalInputs optional(5);
    LstmKernel lstm{};
    lstm.shape = {.steps = 1,
                  .directions = 1,
                  .batch = x.shape()[0],
                  .input = x.shape()[1],
                  .hidden = op.hidden_size,
                  .backward = false};
    lstm.activations = op.activations;
    lstm.bias = optional.take(op.has_bias);
    lstm.recurrent_bias = optional.take(op.has_recurrent_bias);
    lstm.peephole = optional.take(op.has_peephole_weight);
    lstm.hidden_state = 3;
    lstm.cell_state = 4;
    return make_lstm(x.type(), with_gates(lstm, op.layout));
}

} // namespace sluice::reference
