// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN lstm.
#include "core/ops/lstm.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Lstm& op,
                                             std::span<const graph::TensorDesc> inputs) {
    const std::size_t operands = 3U + (op.has_bias ? 1U : 0U) + (op.has_recurrent_bias ? 1U : 0U) +
                                 (op.has_peephole_weight ? 1U : 0U) +
                                 (op.has_initial_hidden_state ? 1U : 0U) +
                                 (op.has_initial_cell_state ? 1U : 0U);
    SLUICE_TRY(rules::count(inputs, operands, operands));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::floats(input, "input"));
    SLUICE_TRY(rules::rank(input, "input", 3));
    SLUICE_TRY(rules::steps_of(input, op.steps));
    SLUICE_TRY_ASSIGN(const std::uint32_t rows, rules::gate_rows(op.hidden_size, 4));
    const std::uint32_t count = directions(op.direction);
    const std::uint32_t batch = input.shape()[1];
    const graph::Shape state{count, batch, op.hidden_size};
    rules::RecurrentOperands operand(inputs, 1);
    SLUICE_TRY(operand.needs("weight", {count, rows, input.shape()[2]}));
    SLUICE_TRY(operand.needs("recurrent weight", {count, rows, op.hidden_size}));
    SLUICE_TRY(operand.may_have(op.has_bias, "bias", {count, rows}));
    SLUICE_TRY(operand.may_have(op.has_recurrent_bias, "recurrent bias", {count, rows}));
    SLUICE_TRY(
        operand.may_have(op.has_peephole_weight, "peephole weight", {count, 3 * op.hidden_size}));
    SLUICE_TRY(operand.may_have(op.has_initial_hidden_state, "initial hidden state", state));
    SLUICE_TRY(operand.may_have(op.has_initial_cell_state, "initial cell state", state));
    SLUICE_TRY_ASSIGN(auto outputs, rules::output(input.type(), state));
    outputs.push_back(outputs.front());
    if (op.return_sequence) {
        SLUICE_TRY_ASSIGN(
            const auto sequence,
            rules::output(input.type(), graph::Shape{op.steps, count, batch, op.hidden_size}));
        outputs.push_back(sequence.front());
    }
    return outputs;
}

std::string describe(const Lstm& op) {
    const Lstm defaults;
    return AttributeText()
        .add("steps", op.steps)
        .add("hidden_size", op.hidden_size)
        .flag("return_sequence", op.return_sequence)
        .add("direction", name(op.direction), name(defaults.direction))
        .flag("ifgo", op.layout == LstmLayout::Ifgo)
        .add("activations", names(op.activations), names(defaults.activations))
        .flag("bias", op.has_bias)
        .flag("recurrent_bias", op.has_recurrent_bias)
        .flag("peephole_weight", op.has_peephole_weight)
        .flag("initial_hidden_state", op.has_initial_hidden_state)
        .flag("initial_cell_state", op.has_initial_cell_state)
        .take();
}

} // namespace sluice::ops
