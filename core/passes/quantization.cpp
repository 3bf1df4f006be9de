// SPDX-License-Identifier: Apache-2.0
// Quantization: what lies between dequantizeLinear and quantizeLinear is computed in integers.
//
//   conv2d, gemm, matmul of a dequantised operand and dequantised constants    quantized_conv2d
//   add, sub, mul of two dequantised operands                                  quantized_binary
//   functions of one dequantised operand                                       lookup
//   relu or clamp behind the first two, and quantizeLinear behind all          become part of them
//   reshape, transpose, slice, split, max_pool2d, pad, concat                  move the integers
//   dequantizeLinear, quantizeLinear by the same                               nothing
//
// All where one scale holds for the whole operand, that of weights for an output channel. Sums are
// exact; the results may differ from those of the floats by one step of their scale, where a value
// lies so near the middle of two steps that the roundings of the floats decide.
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/constant_folding.h"
#include "core/passes/pass_manager.h"
#include "core/passes/quantizer.h"

namespace sluice::passes {

using graph::DataType;
using graph::index;
using graph::OperandId;

Result<graph::GraphParts> Quantizer::run() && {
    count_uses();
    std::vector<graph::Node> nodes = std::move(parts_.nodes);
    parts_.nodes.clear();
    for (graph::Node& node : nodes) {
        SLUICE_TRY_ASSIGN(const bool rewritten, rewrite(node));
        if (!rewritten) {
            emit(std::move(node));
        }
    }
    return std::move(parts_);
}

void Quantizer::count_uses() {
    uses_.assign(parts_.operands.size(), 0);
    for (const graph::Node& node : parts_.nodes) {
        for (const OperandId id : node.inputs) {
            ++uses_[index(id)];
        }
    }
    for (const auto& output : parts_.outputs) {
        ++uses_[index(output.id)];
    }
}

std::optional<ops::Quantization> Quantizer::quantization_of(const graph::Node& node) const {
    const graph::Operand& scale = parts_.operand(node.inputs[1]);
    const graph::Operand& zero = parts_.operand(node.inputs[2]);
    if (!is_constant(node.inputs[1]) || !is_constant(node.inputs[2]) ||
        scale.desc.type() != DataType::Float32 || scale.desc.element_count() != 1 ||
        !ops::is_byte(zero.desc.type())) {
        return std::nullopt;
    }
    const auto bits = static_cast<std::uint8_t>(zero.data.bytes[0]);
    const float factor = values_of<float>(scale)[0];
    if (!(factor > 0.0F)) {
        return std::nullopt;
    }
    return ops::Quantization{.scale = factor,
                             .zero_point = zero.desc.type() == DataType::Int8
                                               ? std::int32_t{static_cast<std::int8_t>(bits)}
                                               : std::int32_t{bits}};
}

std::optional<Stored> Quantizer::stored(OperandId id) {
    const graph::Node* node = producer_of(id);
    if (node == nullptr || !std::holds_alternative<ops::DequantizeLinear>(node->attributes) ||
        !ops::is_byte(desc(node->inputs[0]).type())) {
        return std::nullopt;
    }
    const auto quantization = quantization_of(*node);
    return quantization ? std::optional(Stored{node->inputs[0], *quantization}) : std::nullopt;
}

Result<bool> Quantizer::rewrite(graph::Node& node) {
    if (std::holds_alternative<ops::Conv2d>(node.attributes)) {
        return rewrite_conv(node);
    }
    if (const auto* gemm = std::get_if<ops::Gemm>(&node.attributes)) {
        const bool plain = gemm->alpha == 1.0 && gemm->beta == 1.0 && !gemm->a_transpose &&
                           gemm->activation.kind == ops::UnaryKind::Identity;
        return plain ? rewrite_product(node, gemm->b_transpose, gemm->has_c) : Result<bool>(false);
    }
    if (std::holds_alternative<ops::Matmul>(node.attributes)) {
        return rewrite_product(node, false, false);
    }
    if (const auto* binary = std::get_if<ops::Binary>(&node.attributes)) {
        return rewrite_binary(node, *binary);
    }
    if (const auto* unary = std::get_if<ops::Unary>(&node.attributes)) {
        return rewrite_unary(node, unary->function);
    }
    if (std::holds_alternative<ops::QuantizeLinear>(node.attributes)) {
        return rewrite_quantize(node);
    }
    return rewrite_movement(node);
}

Result<bool> Quantizer::rewrite_binary(const graph::Node& node, const ops::Binary& binary) {
    const bool known = binary.kind == ops::BinaryKind::Add || binary.kind == ops::BinaryKind::Sub ||
                       binary.kind == ops::BinaryKind::Mul;
    const auto a = stored(node.inputs[0]);
    const auto b = stored(node.inputs[1]);
    if (!known || !a || !b || desc(a->id).shape() != desc(b->id).shape() ||
        binary.activation.kind != ops::UnaryKind::Identity) {
        return false;
    }
    emit({.attributes =
              ops::QuantizedBinary{.kind = binary.kind, .a = a->quantization, .b = b->quantization},
          .inputs = {a->id, b->id},
          .outputs = node.outputs,
          .label = node.label});
    return true;
}

std::optional<Quantizer::Open> Quantizer::open_producer(OperandId id) {
    Open open;
    open.node = sole_producer_of(id);
    if (open.node != nullptr && std::holds_alternative<ops::Reshape>(open.node->attributes)) {
        open.through = open.node;
        open.node = sole_producer_of(open.through->inputs[0]);
    }
    if (open.node == nullptr) {
        return std::nullopt;
    }
    if (auto* conv = std::get_if<ops::QuantizedConv2d>(&open.node->attributes)) {
        open.activation = &conv->activation;
        open.result = &conv->result;
    } else if (auto* binary = std::get_if<ops::QuantizedBinary>(&open.node->attributes)) {
        open.activation = &binary->activation;
        open.result = &binary->result;
    } else {
        return std::nullopt;
    }
    return open.result->type == DataType::Float32 ? std::optional(open) : std::nullopt;
}

void Quantizer::absorb(const Open& open, const graph::Node& node) {
    graph::Node& last = open.through != nullptr ? *open.through : *open.node;
    if (open.through != nullptr) {
        graph::Operand& inner = parts_.operands[index(open.through->inputs[0])];
        inner.desc = *graph::TensorDesc::create(desc(node.outputs[0]).type(), inner.desc.shape());
    }
    last.outputs = node.outputs;
    producer_.resize(parts_.operands.size());
    producer_[index(node.outputs[0])] = static_cast<std::size_t>(&last - parts_.nodes.data());
}

Result<bool> Quantizer::rewrite_quantize(const graph::Node& node) {
    const auto quantization = quantization_of(node);
    const DataType type = desc(node.outputs[0]).type();
    if (!quantization || !ops::is_byte(type) || desc(node.inputs[0]).type() != DataType::Float32) {
        return false;
    }
    if (const auto open = open_producer(node.inputs[0])) {
        *open->result = {.type = type, .quantization = *quantization};
        absorb(*open, node);
        return true;
    }
    if (const auto x = stored(node.inputs[0])) {
        if (x->quantization == *quantization && desc(x->id).type() == type) {
            emit({.attributes = ops::Reshape{.shape = desc(x->id).shape()},
                  .inputs = {x->id},
                  .outputs = node.outputs,
                  .label = node.label});
            return true;
        }
        if (!context_.evaluate) {
            return false;
        }
        SLUICE_TRY_ASSIGN(OperandId table, dequantized_table(node.inputs[0]));
        graph::Node on_table = node;
        SLUICE_TRY_ASSIGN(on_table.inputs[1], reshaped_scalar(node.inputs[1]));
        SLUICE_TRY_ASSIGN(on_table.inputs[2], reshaped_scalar(node.inputs[2]));
        SLUICE_TRY_ASSIGN(table, applied(std::move(on_table), table));
        emit_lookup(x->id, table, node);
        return true;
    }
    return append_to_lookup(node);
}

Result<graph::GraphParts> quantization(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> quantization(graph::GraphParts parts, const PassContext& context) {
    const auto dequantizes = [](const graph::Node& node) {
        return std::holds_alternative<ops::DequantizeLinear>(node.attributes);
    };
    if (!context.on_host || std::ranges::none_of(parts.nodes, dequantizes)) {
        return parts;
    }
    // Scales and weights may be reshaped or transposed constants.
    SLUICE_TRY_ASSIGN(parts,
                      fold_constants(std::move(parts), context,
                                     [&](const graph::Node& node) { return !dequantizes(node); }));
    return Quantizer(std::move(parts), context).run();
}

} // namespace sluice::passes
