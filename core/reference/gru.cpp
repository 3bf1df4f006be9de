// SPDX-License-Identifier: Apache-2.0
// A gated recurrent unit over a sequence.
#include "core/ops/gru.h"

#include <variant>

#include "core/reference/gru_kernel.h"
#include "core/reference/lowerings.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_gru(const graph::Graph& graph,
                                                   const graph::Node& node) {
    const auto& op = std::get<ops::Gru>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    OptionalInputs optional(3);
    const bool zrn = op.layout == ops::GruLayout::Zrn;
    return make_gru(x.type(), {.shape = {.steps = op.steps,
                                         .directions = ops::directions(op.direction),
                                         .batch = x.shape()[1],
                                         .input = x.shape()[2],
                                         .hidden = op.hidden_size,
                                         .backward = op.direction == ops::Direction::Backward},
                               .activations = op.activations,
                               .reset_after = op.reset_after,
                               .update_gate = zrn ? 0U : 1U,
                               .reset_gate = zrn ? 1U : 0U,
                               .bias = optional.take(op.has_bias),
                               .recurrent_bias = optional.take(op.has_recurrent_bias),
                               .state = optional.take(op.has_initial_hidden_state),
                               .return_sequence = op.return_sequence});
}

} // namespace sluice::reference
