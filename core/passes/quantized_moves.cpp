// SPDX-License-Identifier: Apache-2.0
// Quantization of what only moves elements: the integers are moved instead.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/quantizer.h"

namespace sluice::passes {

using graph::OperandId;

bool Quantizer::is_movement(const graph::Node& node) {
    if (const auto* pool = std::get_if<ops::Pool2d>(&node.attributes)) {
        // A window that lies wholly in the padding would give 0, not what stands for it.
        return pool->kind == ops::PoolKind::Max && pool->layout == ops::InputLayout::Nhwc &&
               (pool->padding == std::array<std::uint32_t, 4>{} ||
                std::ranges::max(pool->padding) < std::ranges::min(pool->window));
    }
    if (const auto* pad = std::get_if<ops::Pad>(&node.attributes)) {
        return pad->mode == ops::PaddingMode::Constant && pad->value == 0.0;
    }
    return std::holds_alternative<ops::Reshape>(node.attributes) ||
           std::holds_alternative<ops::Transpose>(node.attributes) ||
           std::holds_alternative<ops::Slice>(node.attributes) ||
           std::holds_alternative<ops::Split>(node.attributes) ||
           std::holds_alternative<ops::Concat>(node.attributes);
}

Result<bool> Quantizer::rewrite_movement(graph::Node& node) {
    const auto first = is_movement(node) ? stored(node.inputs[0]) : std::nullopt;
    if (!first) {
        return false;
    }
    std::vector<OperandId> inputs;
    for (const OperandId id : node.inputs) {
        const auto x = stored(id);
        if (!x || x->quantization != first->quantization ||
            desc(x->id).type() != desc(first->id).type()) {
            return false;
        }
        inputs.push_back(x->id);
    }
    const graph::Node dequantize = *producer_of(node.inputs[0]);
    node.inputs = std::move(inputs);
    if (auto* pad = std::get_if<ops::Pad>(&node.attributes)) {
        pad->value = first->quantization.zero_point;
    }
    const std::vector<OperandId> floats = std::exchange(node.outputs, {});
    for (const OperandId id : floats) {
        SLUICE_TRY_ASSIGN(const auto of,
                          graph::TensorDesc::create(desc(first->id).type(), desc(id).shape()));
        node.outputs.push_back(add_result(of));
    }
    const std::vector<OperandId> moved = node.outputs;
    emit(std::move(node));
    for (std::size_t i = 0; i < floats.size(); ++i) {
        SLUICE_TRY(emit_dequantize(dequantize, moved[i], floats[i]));
    }
    return true;
}

Status Quantizer::emit_dequantize(const graph::Node& like, OperandId x, OperandId y) {
    graph::Node node = like;
    node.inputs[0] = x;
    node.outputs = {y};
    const std::vector<std::uint32_t> ones(desc(x).rank(), 1);
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
        SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(desc(like.inputs[i]).type(),
                                                                   graph::Shape(ones)));
        node.inputs[i] = add_constant(of, graph::ConstantData(parts_.operand(like.inputs[i]).data));
    }
    emit(std::move(node));
    return {};
}

} // namespace sluice::passes
