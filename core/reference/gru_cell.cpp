// SPDX-License-Identifier: Apache-2.0
// One step of a gated recurrent unit.
#include "core/ops/gru_cell.h"

#include <variant>

#include "core/reference/gru_kernel.h"
#include "core/reference/lowerings.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_gru_cell(const graph::Graph& graph,
                                                        const graph::Node& node) {
    const auto& op = std::get<ops::GruCell>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    OptionalInputs optional(4);
    const bool zrn = op.layout == ops::GruLayout::Zrn;
    return make_gru(x.type(), {.shape = {.steps = 1,
                                         .directions = 1,
                                         .batch = x.shape()[0],
                                         .input = x.shape()[1],
                                         .hidden = op.hidden_size,
                                         .backward = false},
                               .activations = op.activations,
                               .reset_after = op.reset_after,
                               .update_gate = zrn ? 0U : 1U,
                               .reset_gate = zrn ? 1U : 0U,
                               .bias = optional.take(op.has_bias),
                               .recurrent_bias = optional.take(op.has_recurrent_bias),
                               .state = 3,
                               .return_sequence = false});
}

} // namespace sluice::reference
