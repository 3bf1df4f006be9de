// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN gruCell.
#include "core/ops/gru_cell.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const GruCell& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = 4U + (op.has_bias ? 1U : 0U) + (op.has_recurrent_bias ? 1U : 0U);
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 2));
    SLUICE_TRY_ASSIGN(const std::uint32_t rows, rules::gate_rows(op.hidden_size, 3));
    const graph::Shape state{input.shape()[0], op.hidden_size};
    rules::RecurrentOperands operand(inputs, 1);
    SLUICE_TRY(operand.needs("weight", {rows, input.shape()[1]}));
    SLUICE_TRY(operand.needs("recurrent weight", {rows, op.hidden_size}));
    SLUICE_TRY(operand.needs("hidden state", state));
    SLUICE_TRY(operand.may_have(op.has_bias, "bias", {rows}));
    SLUICE_TRY(operand.may_have(op.has_recurrent_bias, "recurrent bias", {rows}));
    return rules::output(input.type(), state);
}

std::string describe(const GruCell& op) {
    const GruCell defaults;
    return AttributeText()
        .add("hidden_size", op.hidden_size)
        .flag("reset_before", !op.reset_after)
        .flag("rzn", op.layout == GruLayout::Rzn)
        .add("activations", names(op.activations), names(defaults.activations))
        .flag("bias", op.has_bias)
        .flag("recurrent_bias", op.has_recurrent_bias)
        .take();
}

} // namespace sluice::ops
