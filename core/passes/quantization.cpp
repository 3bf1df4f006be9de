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

namespace sluice::passes {

namespace {

using graph::DataType;
using graph::index;
using graph::OperandId;

// An operand as the integers that stand for it.
struct Stored {
    OperandId id;
    ops::Quantization quantization;
};

// Constant weights, their scales one for all or one an output channel.
struct Weights {
    OperandId stored;
    OperandId scale, zero_point; // of shape [1] or [channels]
};

// A constant's bytes as one value, or as many.
template <typename T>
std::vector<T> values_of(const graph::Operand& constant) {
    std::vector<T> values(constant.desc.element_count());
    std::memcpy(values.data(), constant.data.bytes.data(), values.size() * sizeof(T));
    return values;
}

class Quantizer {
public:
    Quantizer(graph::GraphParts parts, const PassContext& context)
        : parts_(std::move(parts)), context_(context) {}

    Result<graph::GraphParts> run() && {
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

private:
    void count_uses() {
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

    [[nodiscard]] const graph::TensorDesc& desc(OperandId id) const {
        return parts_.operand(id).desc;
    }
    [[nodiscard]] bool is_constant(OperandId id) const {
        return parts_.operand(id).kind == graph::OperandKind::Constant;
    }

    void emit(graph::Node node) {
        producer_.resize(parts_.operands.size());
        for (const OperandId id : node.outputs) {
            producer_[index(id)] = parts_.nodes.size();
        }
        parts_.nodes.push_back(std::move(node));
    }

    [[nodiscard]] graph::Node* producer_of(OperandId id) {
        return index(id) < producer_.size() && producer_[index(id)]
                   ? &parts_.nodes[*producer_[index(id)]]
                   : nullptr;
    }
    // The node that makes this operand, where nothing but the node at hand reads the operand.
    [[nodiscard]] graph::Node* sole_producer_of(OperandId id) {
        return index(id) < uses_.size() && uses_[index(id)] == 1 ? producer_of(id) : nullptr;
    }

    OperandId add_result(const graph::TensorDesc& of) {
        return parts_.add({.desc = of, .kind = graph::OperandKind::Result, .name = {}, .data = {}});
    }
    OperandId add_constant(const graph::TensorDesc& of, graph::ConstantData data) {
        return parts_.add({.desc = of,
                           .kind = graph::OperandKind::Constant,
                           .name = {},
                           .data = std::move(data)});
    }
    template <typename T>
    Result<OperandId> add_values(DataType type, const graph::Shape& shape,
                                 const std::vector<T>& values) {
        SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(type, shape));
        return add_constant(of, graph::ConstantData::copy(std::span<const T>(values)));
    }

    // Scale and zero point of a (de)quantisation, where both are constants of one element.
    [[nodiscard]] std::optional<ops::Quantization> quantization_of(const graph::Node& node) const {
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

    // The integers behind a float operand: what dequantizeLinear reads.
    std::optional<Stored> stored(OperandId id) {
        const graph::Node* node = producer_of(id);
        if (node == nullptr || !std::holds_alternative<ops::DequantizeLinear>(node->attributes) ||
            !ops::is_byte(desc(node->inputs[0]).type())) {
            return std::nullopt;
        }
        const auto quantization = quantization_of(*node);
        return quantization ? std::optional(Stored{node->inputs[0], *quantization}) : std::nullopt;
    }

    Result<bool> rewrite(graph::Node& node) {
        if (std::holds_alternative<ops::Conv2d>(node.attributes)) {
            return rewrite_conv(node);
        }
        if (const auto* gemm = std::get_if<ops::Gemm>(&node.attributes)) {
            const bool plain = gemm->alpha == 1.0 && gemm->beta == 1.0 && !gemm->a_transpose &&
                               gemm->activation.kind == ops::UnaryKind::Identity;
            return plain ? rewrite_product(node, gemm->b_transpose, gemm->has_c)
                         : Result<bool>(false);
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

    // Weights whose scales belong to axis `channel_axis`, which has `channels` indices.
    Result<std::optional<Weights>> weights_of(OperandId id, std::size_t channel_axis) {
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
        SLUICE_TRY_ASSIGN(const auto scale_desc,
                          graph::TensorDesc::create(DataType::Float32, flat));
        SLUICE_TRY_ASSIGN(const auto zero_desc,
                          graph::TensorDesc::create(desc(inputs[2]).type(), flat));
        return Weights{
            .stored = inputs[0],
            .scale = add_constant(scale_desc, graph::ConstantData(parts_.operand(inputs[1]).data)),
            .zero_point =
                add_constant(zero_desc, graph::ConstantData(parts_.operand(inputs[2]).data))};
    }

    // A bias as float32 [channels], or nothing where it is no constant of that sort.
    Result<std::optional<OperandId>> bias_of(OperandId id, std::uint32_t channels) {
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

    static bool sums_fit(const ops::FilterDims& filter) {
        return std::uint64_t{filter.height} * filter.width * filter.input_channels <=
               ops::kMaxQuantizedProducts;
    }

    Result<bool> rewrite_conv(const graph::Node& node) {
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

    void emit_conv(const ops::QuantizedConv2d& op, OperandId x, const Weights& weights,
                   std::optional<OperandId> bias, OperandId y, const std::string& label) {
        std::vector<OperandId> inputs{x, weights.stored, weights.scale, weights.zero_point};
        if (bias) {
            inputs.push_back(*bias);
        }
        emit({.attributes = op, .inputs = std::move(inputs), .outputs = {y}, .label = label});
    }

    // A matrix product is a 1x1 convolution of the rows of A, which are pixels.
    Result<bool> rewrite_product(const graph::Node& node, bool b_transposed, bool has_c) {
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
        SLUICE_TRY_ASSIGN(auto weights,
                          weights_of(node.inputs[1], b.rank() - (b_transposed ? 2 : 1)));
        std::optional<OperandId> bias;
        if (weights && has_c) {
            SLUICE_TRY_ASSIGN(bias, bias_of(node.inputs[2], n));
        }
        if (!weights || bias.has_value() != has_c) {
            return false;
        }
        const graph::Shape filter =
            b_transposed ? graph::Shape{n, 1, 1, k} : graph::Shape{k, 1, 1, n};
        SLUICE_TRY_ASSIGN(const auto filter_desc,
                          graph::TensorDesc::create(desc(weights->stored).type(), filter));
        weights->stored =
            add_constant(filter_desc, graph::ConstantData(parts_.operand(weights->stored).data));
        const auto rows = static_cast<std::uint32_t>(desc(node.inputs[0]).element_count() / k);
        SLUICE_TRY_ASSIGN(const OperandId x,
                          reshape(a->id, graph::Shape{1, 1, rows, k}, node.label));
        ops::QuantizedConv2d op;
        op.filter_layout =
            b_transposed ? ops::Conv2dFilterLayout::Ohwi : ops::Conv2dFilterLayout::Ihwo;
        op.has_bias = has_c;
        op.input = a->quantization;
        SLUICE_TRY_ASSIGN(const auto pixels, graph::TensorDesc::create(
                                                 DataType::Float32, graph::Shape{1, 1, rows, n}));
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

    Result<OperandId> reshape(OperandId x, const graph::Shape& shape, const std::string& label) {
        SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(desc(x).type(), shape));
        const OperandId y = add_result(of);
        emit({.attributes = ops::Reshape{.shape = shape},
              .inputs = {x},
              .outputs = {y},
              .label = label});
        return y;
    }

    Result<bool> rewrite_binary(const graph::Node& node, const ops::Binary& binary) {
        const bool known = binary.kind == ops::BinaryKind::Add ||
                           binary.kind == ops::BinaryKind::Sub ||
                           binary.kind == ops::BinaryKind::Mul;
        const auto a = stored(node.inputs[0]);
        const auto b = stored(node.inputs[1]);
        if (!known || !a || !b || desc(a->id).shape() != desc(b->id).shape() ||
            binary.activation.kind != ops::UnaryKind::Identity) {
            return false;
        }
        emit({.attributes = ops::QuantizedBinary{.kind = binary.kind,
                                                 .a = a->quantization,
                                                 .b = b->quantization},
              .inputs = {a->id, b->id},
              .outputs = node.outputs,
              .label = node.label});
        return true;
    }

    // A quantised node whose result is still float, nobody but the node at hand reading it; also
    // through the reshape behind a matrix product, whose operand `through` then is.
    struct Open {
        graph::Node* node = nullptr;
        graph::Node* through = nullptr;
        ops::Activation* activation = nullptr;
        ops::QuantizedResult* result = nullptr;
    };
    std::optional<Open> open_producer(OperandId id) {
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

    // The open node writes what `node` would have.
    void absorb(const Open& open, const graph::Node& node) {
        graph::Node& last = open.through != nullptr ? *open.through : *open.node;
        if (open.through != nullptr) {
            graph::Operand& inner = parts_.operands[index(open.through->inputs[0])];
            inner.desc =
                *graph::TensorDesc::create(desc(node.outputs[0]).type(), inner.desc.shape());
        }
        last.outputs = node.outputs;
        producer_.resize(parts_.operands.size());
        producer_[index(node.outputs[0])] = static_cast<std::size_t>(&last - parts_.nodes.data());
    }

    Result<bool> rewrite_unary(const graph::Node& node, const ops::Activation& function) {
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

    // All 256 bytes as what dequantizeLinear of this result makes of them.
    Result<OperandId> dequantized_table(OperandId dequantized) {
        graph::Node node = *producer_of(dequantized);
        std::vector<std::uint8_t> bytes(256);
        std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
        SLUICE_TRY_ASSIGN(const OperandId all,
                          add_values(desc(node.inputs[0]).type(), graph::Shape{256}, bytes));
        SLUICE_TRY_ASSIGN(node.inputs[1], reshaped_scalar(node.inputs[1]));
        SLUICE_TRY_ASSIGN(node.inputs[2], reshaped_scalar(node.inputs[2]));
        return applied(node, all);
    }

    // A constant of one element with one dimension.
    Result<OperandId> reshaped_scalar(OperandId id) {
        SLUICE_TRY_ASSIGN(const auto of,
                          graph::TensorDesc::create(desc(id).type(), graph::Shape{1}));
        return add_constant(of, graph::ConstantData(parts_.operand(id).data));
    }

    // What the node makes of a table in place of its first input, as a constant.
    Result<OperandId> applied(graph::Node node, OperandId table) {
        node.inputs[0] = table;
        SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(desc(node.outputs[0]).type(),
                                                                   graph::Shape{256}));
        node.outputs = {add_result(of)};
        SLUICE_TRY_ASSIGN(auto values, context_.evaluate(parts_, node));
        graph::Operand& operand = parts_.operands[index(node.outputs[0])];
        operand.kind = graph::OperandKind::Constant;
        operand.data = std::move(values[0]);
        return node.outputs[0];
    }

    void emit_lookup(OperandId x, OperandId table, const graph::Node& node) {
        emit({.attributes = ops::Lookup{},
              .inputs = {x, table},
              .outputs = node.outputs,
              .label = node.label});
    }

    // A function of nothing but a table's result is another table.
    Result<bool> append_to_lookup(graph::Node node) {
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

    Result<bool> rewrite_quantize(const graph::Node& node) {
        const auto quantization = quantization_of(node);
        const DataType type = desc(node.outputs[0]).type();
        if (!quantization || !ops::is_byte(type) ||
            desc(node.inputs[0]).type() != DataType::Float32) {
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

    // Whether the node only moves its first input's elements, zeros of padding aside.
    static bool is_movement(const graph::Node& node) {
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

    // The node on the integers, and dequantizeLinear behind it.
    Result<bool> rewrite_movement(graph::Node& node) {
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

    // A node like `like` for other operands, whose ranks may differ.
    Status emit_dequantize(const graph::Node& like, OperandId x, OperandId y) {
        graph::Node node = like;
        node.inputs[0] = x;
        node.outputs = {y};
        const std::vector<std::uint32_t> ones(desc(x).rank(), 1);
        for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
            SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(desc(like.inputs[i]).type(),
                                                                       graph::Shape(ones)));
            node.inputs[i] =
                add_constant(of, graph::ConstantData(parts_.operand(like.inputs[i]).data));
        }
        emit(std::move(node));
        return {};
    }

    graph::GraphParts parts_; // nodes: those that were emitted
    const PassContext& context_;
    std::vector<int> uses_;                            // readers of an operand, outputs included
    std::vector<std::optional<std::size_t>> producer_; // index of the node that makes an operand
};

} // namespace

Result<graph::GraphParts> quantization(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> quantization(graph::GraphParts parts, const PassContext& context) {
    const auto dequantizes = [](const graph::Node& node) {
        return std::holds_alternative<ops::DequantizeLinear>(node.attributes);
    };
    if (!context.quantized || std::ranges::none_of(parts.nodes, dequantizes)) {
        return parts;
    }
    // Scales and weights may be reshaped or transposed constants.
    SLUICE_TRY_ASSIGN(parts,
                      fold_constants(std::move(parts), context,
                                     [&](const graph::Node& node) { return !dequantizes(node); }));
    return Quantizer(std::move(parts), context).run();
}

} // namespace sluice::passes
