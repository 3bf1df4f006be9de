// SPDX-License-Identifier: Apache-2.0
// The rewriter behind the pass `quantization`, which its sources share: what they match lies in
// quantization.cpp (both conversions, sums), quantized_products.cpp, quantized_tables.cpp
// (functions of one operand) and quantized_moves.cpp.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/passes/pass_manager.h"

namespace sluice::passes {

// An operand as the integers that stand for it.
struct Stored {
    graph::OperandId id;
    ops::Quantization quantization;
};

// Constant weights, their scales one for all or one an output channel.
struct Weights {
    graph::OperandId stored;
    graph::OperandId scale, zero_point; // of shape [1] or [channels]
};

// A constant's bytes as one value, or as many.
template <typename T>
[[nodiscard]] std::vector<T> values_of(const graph::Operand& constant) {
    std::vector<T> values(constant.desc.element_count());
    std::memcpy(values.data(), constant.data.bytes.data(), values.size() * sizeof(T));
    return values;
}

// Walks the nodes in order and emits them, or others in their place.
class Quantizer {
public:
    Quantizer(graph::GraphParts parts, const PassContext& context)
        : parts_(std::move(parts)), context_(context) {}

    Result<graph::GraphParts> run() &&;

private:
    void count_uses();

    [[nodiscard]] const graph::TensorDesc& desc(graph::OperandId id) const {
        return parts_.operand(id).desc;
    }
    [[nodiscard]] bool is_constant(graph::OperandId id) const {
        return parts_.operand(id).kind == graph::OperandKind::Constant;
    }

    void emit(graph::Node node) {
        producer_.resize(parts_.operands.size());
        for (const graph::OperandId id : node.outputs) {
            producer_[graph::index(id)] = parts_.nodes.size();
        }
        parts_.nodes.push_back(std::move(node));
    }

    [[nodiscard]] graph::Node* producer_of(graph::OperandId id) {
        return graph::index(id) < producer_.size() && producer_[graph::index(id)]
                   ? &parts_.nodes[*producer_[graph::index(id)]]
                   : nullptr;
    }
    // The node that makes this operand, where nothing but the node at hand reads the operand.
    [[nodiscard]] graph::Node* sole_producer_of(graph::OperandId id) {
        return graph::index(id) < uses_.size() && uses_[graph::index(id)] == 1 ? producer_of(id)
                                                                               : nullptr;
    }

    graph::OperandId add_result(const graph::TensorDesc& of) {
        return parts_.add({.desc = of, .kind = graph::OperandKind::Result, .name = {}, .data = {}});
    }
    graph::OperandId add_constant(const graph::TensorDesc& of, graph::ConstantData data) {
        return parts_.add({.desc = of,
                           .kind = graph::OperandKind::Constant,
                           .name = {},
                           .data = std::move(data)});
    }
    template <typename T>
    Result<graph::OperandId> add_values(graph::DataType type, const graph::Shape& shape,
                                        const std::vector<T>& values) {
        SLUICE_TRY_ASSIGN(const auto of, graph::TensorDesc::create(type, shape));
        return add_constant(of, graph::ConstantData::copy(std::span<const T>(values)));
    }

    // Scale and zero point of a (de)quantisation, where both are constants of one element.
    [[nodiscard]] std::optional<ops::Quantization> quantization_of(const graph::Node& node) const;

    // The integers behind a float operand: what dequantizeLinear reads.
    std::optional<Stored> stored(graph::OperandId id);

    Result<bool> rewrite(graph::Node& node);

    // Weights whose scales belong to axis `channel_axis`, which has `channels` indices.
    Result<std::optional<Weights>> weights_of(graph::OperandId id, std::size_t channel_axis);

    // A bias as float32 [channels], or nothing where it is no constant of that sort.
    Result<std::optional<graph::OperandId>> bias_of(graph::OperandId id, std::uint32_t channels);

    static bool sums_fit(const ops::FilterDims& filter);

    Result<bool> rewrite_conv(const graph::Node& node);

    void emit_conv(const ops::QuantizedConv2d& op, graph::OperandId x, const Weights& weights,
                   std::optional<graph::OperandId> bias, graph::OperandId y,
                   const std::string& label);

    // A matrix product is a 1x1 convolution of the rows of A, which are pixels.
    Result<bool> rewrite_product(const graph::Node& node, bool b_transposed, bool has_c);

    Result<graph::OperandId> reshape(graph::OperandId x, const graph::Shape& shape,
                                     const std::string& label);

    Result<bool> rewrite_binary(const graph::Node& node, const ops::Binary& binary);

    // A quantised node whose result is still float, nobody but the node at hand reading it; also
    // through the reshape behind a matrix product, whose operand `through` then is.
    struct Open {
        graph::Node* node = nullptr;
        graph::Node* through = nullptr;
        ops::Activation* activation = nullptr;
        ops::QuantizedResult* result = nullptr;
    };
    std::optional<Open> open_producer(graph::OperandId id);

    // The open node writes what `node` would have.
    void absorb(const Open& open, const graph::Node& node);

    Result<bool> rewrite_unary(const graph::Node& node, const ops::Activation& function);

    // All 256 bytes as what dequantizeLinear of this result makes of them.
    Result<graph::OperandId> dequantized_table(graph::OperandId dequantized);

    // A constant of one element with one dimension.
    Result<graph::OperandId> reshaped_scalar(graph::OperandId id);

    // What the node makes of a table in place of its first input, as a constant.
    Result<graph::OperandId> applied(graph::Node node, graph::OperandId table);

    void emit_lookup(graph::OperandId x, graph::OperandId table, const graph::Node& node);

    // A function of nothing but a table's result is another table.
    Result<bool> append_to_lookup(graph::Node node);

    Result<bool> rewrite_quantize(const graph::Node& node);

    // Whether the node only moves its first input's elements, zeros of padding aside.
    static bool is_movement(const graph::Node& node);

    // The node on the integers, and dequantizeLinear behind it.
    Result<bool> rewrite_movement(graph::Node& node);

    // A node like `like` for other operands, whose ranks may differ.
    Status emit_dequantize(const graph::Node& like, graph::OperandId x, graph::OperandId y);

    graph::GraphParts parts_; // nodes: those that were emitted
    const PassContext& context_;
    std::vector<int> uses_;                            // readers of an operand, outputs included
    std::vector<std::optional<std::size_t>> producer_; // index of the node that makes an operand
};

} // namespace sluice::passes
