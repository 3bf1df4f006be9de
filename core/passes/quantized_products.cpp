// SPDX-License-Identifier: Apache-2.0
// Quantization of convolutions and matrix products by constant weights.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/quantizer.h"

namespace sluice::passes {

using graph::DataType;
using graph::index;
using graph::OperandId;

Result<std::optional<Weights>> Quantizer::weights_of(OperandId id, std::size_t channel_axis) {
    const graph::Node* node = producer_of(id);
    if (node == nullptr || !std::holds_alternative<ops::DequantizeLinear>(node->attributes)) {
        return std::nullopt;
    }
    const std::vector<OperandId> inputs = node->inputs;
    const graph::Shape scale = desc(inputs[1]).shape();
    if (!std::ranges::all_of(inputs, [&](OperandId i) { return is_constant(i); }) ||
        !ops::is_byte(desc(inputs[0]).type()) || desc(inputs[1]).type() != DataType::Float32) {
        return std::nullopt;
    }
    const std::uint32_t channels = desc(inputs[0]).shape()[channel_axis];
    const std::size_t count = scale.element_count();
    if (count != 1 && (count != channels || scale[channel_axis] != channels)) {
        return std::nullopt;
    }
    // The same bytes under the shape that quantized_conv2d wants.
    const graph::Shape flat{static_cast<std::uint32_t>(count)};
    SLUICE_TRY_ASSIGN(const auto scale_desc, graph::TensorDesc::create(DataType::Float32, flat));
    SLUICE_TRY_ASSIGN(const auto zero_desc,
                      graph::TensorDesc::create(desc(inputs[2]).type(), flat));
    return Weights{
        .stored = inputs[0],
        .scale = add_constant(scale_desc, graph::ConstantData(parts_.operand(inputs[1]).data)),
        .zero_point = add_constant(zero_desc, graph::ConstantData(parts_.operand(inputs[2]).data))};
}

Result<std::optional<OperandId>> Quantizer::bias_of(OperandId id, std::uint32_t channels) {
    graph::Operand constant = parts_.operand(id);
    if (const graph::Node* node = producer_of(id);
        node != nullptr && std::holds_alternative<ops::DequantizeLinear>(node->attributes) &&
        context_.evaluate &&
        std::ranges::all_of(node->inputs, [&](OperandId i) { return is_constant(i); })) {
        SLUICE_TRY_ASSIGN(auto values, context_.evaluate(parts_, *node));
        constant.kind = graph::OperandKind::Constant;
        constant.data = std::move(values[0]);
    }
    const std::size_t count = constant.desc.element_count();
    const graph::Shape& shape = constant.desc.shape();
    if (constant.kind != graph::OperandKind::Constant ||
        constant.desc.type() != DataType::Float32 ||
        (count != 1 && (count != channels || shape[shape.rank() - 1] != channels))) {
        return std::nullopt;
    }
    std::vector<float> values = values_of<float>(constant);
    values.resize(channels, values[0]);
    SLUICE_TRY_ASSIGN(const OperandId bias,
                      add_values(DataType::Float32, graph::Shape{channels}, values));
    return bias;
}

bool Quantizer::sums_fit(const ops::FilterDims& filter) {
    return std::uint64_t{filter.height} * filter.width * filter.input_channels <=
           ops::kMaxQuantizedProducts;
}

Result<bool> Quantizer::rewrite_conv(const graph::Node& node) {
    const auto& conv = std::get<ops::Conv2d>(node.attributes);
    const auto x = stored(node.inputs[0]);
    const ops::FilterDims filter =
        ops::filter_dims(desc(node.inputs[1]).shape(), conv.filter_layout);
    if (!x || conv.input_layout != ops::InputLayout::Nhwc || conv.has_residual ||
        conv.activation.kind != ops::UnaryKind::Identity || !sums_fit(filter)) {
        return false;
    }
    SLUICE_TRY_ASSIGN(
        const auto weights,
        weights_of(node.inputs[1], ops::filter_axes(conv.filter_layout).output_channel));
    std::optional<OperandId> bias;
    if (weights && conv.has_bias) {
        SLUICE_TRY_ASSIGN(bias, bias_of(node.inputs[2], filter.output_channels));
    }
    if (!weights || bias.has_value() != conv.has_bias) {
        return false;
    }
    ops::QuantizedConv2d op;
    op.padding = conv.padding;
    op.strides = conv.strides;
    op.dilations = conv.dilations;
    op.groups = conv.groups;
    op.filter_layout = conv.filter_layout;
    op.has_bias = conv.has_bias;
    op.input = x->quantization;
    emit_conv(op, x->id, *weights, bias, node.outputs[0], node.label);
    return true;
}

void Quantizer::emit_conv(const ops::QuantizedConv2d& op, OperandId x, const Weights& weights,
                          std::optional<OperandId> bias, OperandId y, const std::string& label) {
    std::vector<OperandId> inputs{x, weights.stored, weights.scale, weights.zero_point};
    if (bias) {
        inputs.push_back(*bias);
    }
    emit({.attributes = op, .inputs = std::move(inputs), .outputs = {y}, .label = label});
}

Result<bool> Quantizer::rewrite_product(const graph::Node& node, bool b_transposed, bool has_c) {
    const auto a = stored(node.inputs[0]);
    const graph::Shape b = desc(node.inputs[1]).shape();
    if (!a || b.element_count() != std::size_t{b[b.rank() - 1]} * b[b.rank() - 2]) {
        return false;
    }
    const std::uint32_t k = b[b.rank() - (b_transposed ? 1 : 2)];
    const std::uint32_t n = b[b.rank() - (b_transposed ? 2 : 1)];
    if (k > ops::kMaxQuantizedProducts) {
        return false;
    }
    SLUICE_TRY_ASSIGN(auto weights, weights_of(node.inputs[1], b.rank() - (b_transposed ? 2 : 1)));
    std::optional<OperandId> bias;
    if (weights && has_c) {
        SLUICE_TRY_ASSIGN(bias, bias_of(node.inputs[2], n));
    }
    if (!weights || bias.has_value() != has_c) {
        return false;
    }
    const graph::Shape filter = b_transposed ? graph::Shape{n, 1, 1, k} : graph::Shape{k, 1, 1, n};
    SLUICE_TRY_ASSIGN(const auto filter_desc,
                      graph::TensorDesc::create(desc(weights->stored).type(), filter));
    weights->stored =
        add_constant(filter_desc, graph::ConstantData(parts_.operand(weights->stored).data));
    const auto rows = static_cast<std::uint32_t>(desc(node.inputs[0]).element_count() / k);
    SLUICE_TRY_ASSIGN(const OperandId x, reshape(a->id, graph::Shape{1, 1, rows, k}, node.label));
    ops::QuantizedConv2d op;
    op.filter_layout = b_transposed ? ops::Conv2dFilterLayout::Ohwi : ops::Conv2dFilterLayout::Ihwo;
    op.has_bias = has_c;
    op.input = a->quantization;
    SLUICE_TRY_ASSIGN(const auto pixels,
                      graph::TensorDesc::create(DataType::Float32, graph::Shape{1, 1, rows, n}));
    const OperandId y = add_result(pixels);
    emit_conv(op, x, *weights, bias, y, node.label);
    // The one reader of y: what follows may become part of the convolution through it.
    uses_.resize(parts_.operands.size(), 0);
    uses_[index(y)] = 1;
    emit({.attributes = ops::Reshape{.shape = desc(node.outputs[0]).shape()},
          .inputs = {y},
          .outputs = node.outputs,
          .label = node.label});
    return true;
}

Result<OperandId> Quantizer::reshape(OperandId x, const graph::Shape& shape,
                                     const std::string& label) {
    SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(desc(x).type(), shape));
    const OperandId y = add_result(of);
    emit({.attributes = ops::Reshape{.shape = shape},
          .inputs = {x},
          .outputs = {y},
          .label = label});
    return y;
}

} // namespace sluice::passes
