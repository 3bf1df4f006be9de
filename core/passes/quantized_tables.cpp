// SPDX-License-Identifier: Apache-2.0
// Quantization of functions of one operand: a table of 256 results.
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/quantizer.h"

namespace sluice::passes {

using graph::DataType;
using graph::index;
using graph::OperandId;

Result<bool> Quantizer::rewrite_unary(const graph::Node& node, const ops::Activation& function) {
    const bool is_bound =
        function.kind == ops::UnaryKind::Relu || function.kind == ops::UnaryKind::Clamp;
    if (const auto open = open_producer(node.inputs[0]);
        open && is_bound && open->activation->kind == ops::UnaryKind::Identity) {
        *open->activation = function;
        absorb(*open, node);
        return true;
    }
    if (desc(node.outputs[0]).type() != DataType::Float32 || !context_.evaluate) {
        return false;
    }
    if (const auto x = stored(node.inputs[0])) {
        SLUICE_TRY_ASSIGN(OperandId table, dequantized_table(node.inputs[0]));
        SLUICE_TRY_ASSIGN(table, applied(node, table));
        emit_lookup(x->id, table, node);
        return true;
    }
    return append_to_lookup(node);
}

Result<OperandId> Quantizer::dequantized_table(OperandId dequantized) {
    graph::Node node = *producer_of(dequantized);
    std::vector<std::uint8_t> bytes(256);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    SLUICE_TRY_ASSIGN(const OperandId all,
                      add_values(desc(node.inputs[0]).type(), graph::Shape{256}, bytes));
    SLUICE_TRY_ASSIGN(node.inputs[1], reshaped_scalar(node.inputs[1]));
    SLUICE_TRY_ASSIGN(node.inputs[2], reshaped_scalar(node.inputs[2]));
    return applied(node, all);
}

Result<OperandId> Quantizer::reshaped_scalar(OperandId id) {
    SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(desc(id).type(), graph::Shape{1}));
    return add_constant(of, graph::ConstantData(parts_.operand(id).data));
}

Result<OperandId> Quantizer::applied(graph::Node node, OperandId table) {
    node.inputs[0] = table;
    SLUICE_TRY_ASSIGN(const auto of,
                      graph::TensorDesc::create(desc(node.outputs[0]).type(), graph::Shape{256}));
    node.outputs = {add_result(of)};
    SLUICE_TRY_ASSIGN(auto values, context_.evaluate(parts_, node));
    graph::Operand& operand = parts_.operands[index(node.outputs[0])];
    operand.kind = graph::OperandKind::Constant;
    operand.data = std::move(values[0]);
    return node.outputs[0];
}

void Quantizer::emit_lookup(OperandId x, OperandId table, const graph::Node& node) {
    emit({.attributes = ops::Lookup{},
          .inputs = {x, table},
          .outputs = node.outputs,
          .label = node.label});
}

Result<bool> Quantizer::append_to_lookup(graph::Node node) {
    graph::Node* const lookup = sole_producer_of(node.inputs[0]);
    if (lookup == nullptr || !std::holds_alternative<ops::Lookup>(lookup->attributes)) {
        return false;
    }
    const std::size_t place = static_cast<std::size_t>(lookup - parts_.nodes.data());
    const OperandId old_table = lookup->inputs[1];
    graph::Node on_table = node;
    for (OperandId& id : std::span(on_table.inputs).subspan(1)) {
        SLUICE_TRY_ASSIGN(id, reshaped_scalar(id));
    }
    SLUICE_TRY_ASSIGN(const OperandId table, applied(std::move(on_table), old_table));
    parts_.nodes[place].inputs[1] = table;
    parts_.nodes[place].outputs = node.outputs;
    producer_.resize(parts_.operands.size());
    producer_[index(node.outputs[0])] = place;
    return true;
}

} // namespace sluice::passes
