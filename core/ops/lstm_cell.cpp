// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN lstmCell.
#include "core/ops/lstm_cell.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const LstmCell& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = 5U + (op.has_bias ? 1U : 0U) + (op.has_recurrent_bias ? 1U : 0U) +
                                 (op.has_peephole_weight ? 1U : 0U);
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 2));
    SLUICE_TRY_ASSIGN(const std::uint32_t rows, rules::gate_rows(op.hidden_size, 4));
    const graph::Shape state{input.shape()[0], op.hidden_size};
    rules::RecurrentOperands operand(inputs, 1);
    SLUICE_TRY(operand.needs("weight", {rows, input.shape()[1]}));
    SLUICE_TRY(operand.needs("recurrent weight", {rows, op.hidden_size}));
    SLUICE_TRY(operand.needs("hidden state", state));
    SLUICE_TRY(operand.needs("cell state", state));
    SLUICE_TRY(operand.may_have(op.has_bias, "bias", {rows}));
    SLUICE_TRY(operand.may_have(op.has_recurrent_bias, "recurrent bias", {rows}));
    SLUICE_TRY(operand.may_have(op.has_peephole_weight, "peephole weight", {3 * op.hidden_size}));
    SLUICE_TRY_ASSIGN(auto outputs, rules::output(input.type(), state));
    outputs.push_back(outputs.front());
    return outputs;
}

std::string describe(const LstmCell& op) {
    const LstmCell defaults;
    return AttributeText()
        .add("hidden_size", op.hidden_size)
        .flag("ifgo", op.layout == LstmLayout::Ifgo)
        .add("activations", names(op.activations), names(defaults.activations))
        .flag("bias", op.has_bias)
        .flag("recurrent_bias", op.has_recurrent_bias)
        .flag("peephole_weight", op.has_peephole_weight)
        .take();
}

} // namespace sluice::ops
