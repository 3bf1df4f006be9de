// SPDX-License-Identifier: Apache-2.0
// The arguments and options of every operator, by their names in MLGraphBuilder: the one list that
// both the writer and the reader of WebNN JSON walk.
//
// fields(visitor, op) calls, in the order of the operator's operands:
//   operand(name)                 a required operand
//   operands(name)                all operands, as a list
//   optional_operand(name, has)   an operand among the options, and the member that says it is
//   there argument(name, member)        a required argument that is no operand option(name, member)
//   an option; absent: the member's default, which is WebNN's needed_option(name, member)   an
//   option whose absence would mean something else than {} option_unless_empty(...)      an option
//   whose {} or {0, 0} stands for its absence method(member)                a member that the name
//   of the method tells parameters(member)            the options of an element-wise function
//   epilogue(member)              what fusion adds: no WebNN option, but written like one
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

#include "core/ops/attributes.h"

namespace sluice::models::webnn {

// `Op`, const or not: writers take it const, readers fill it.
template <typename T, typename Op>
concept Is = std::is_same_v<std::remove_const_t<T>, Op>;

template <typename V, Is<ops::ArgMinMax> Op>
constexpr void fields(V& v, Op& op) {
    v.method(op.is_max);
    v.operand("input");
    v.argument("axis", op.axis);
    v.option("keepDimensions", op.keep_dimensions);
    v.option("outputDataType", op.output_type);
}

template <typename V, Is<ops::BatchNormalization> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("mean");
    v.operand("variance");
    v.optional_operand("scale", op.has_scale);
    v.optional_operand("bias", op.has_bias);
    v.option("axis", op.axis);
    v.option("epsilon", op.epsilon);
}

template <typename V, Is<ops::Binary> Op>
constexpr void fields(V& v, Op& op) {
    const bool slope = op.kind == ops::BinaryKind::Prelu;
    v.method(op.kind);
    v.operand(slope ? "input" : "a");
    v.operand(slope ? "slope" : "b");
    v.epilogue(op.activation);
}

template <typename V, Is<ops::Cast> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("type", op.to);
}

template <typename V, Is<ops::Concat> Op>
constexpr void fields(V& v, Op& op) {
    v.operands("inputs");
    v.argument("axis", op.axis);
}

template <typename V, Is<ops::Conv2d> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("filter");
    v.optional_operand("bias", op.has_bias);
    v.optional_operand("residual", op.has_residual); // of the epilogue
    v.option("padding", op.padding);
    v.option("strides", op.strides);
    v.option("dilations", op.dilations);
    v.option("groups", op.groups);
    v.option("inputLayout", op.input_layout);
    v.option("filterLayout", op.filter_layout);
    v.epilogue(op.activation);
}

template <typename V, Is<ops::ConvTranspose2d> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("filter");
    v.optional_operand("bias", op.has_bias);
    v.option("padding", op.padding);
    v.option("strides", op.strides);
    v.option("dilations", op.dilations);
    v.option("outputPadding", op.output_padding);
    v.option_unless_empty("outputSizes", op.output_sizes);
    v.option("groups", op.groups);
    v.option("inputLayout", op.input_layout);
    v.option("filterLayout", op.filter_layout);
    v.epilogue(op.activation);
}

template <typename V, Is<ops::CumulativeSum> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("axis", op.axis);
    v.option("exclusive", op.exclusive);
    v.option("reversed", op.reversed);
}

template <typename V, typename Op>
    requires Is<Op, ops::DequantizeLinear> || Is<Op, ops::QuantizeLinear>
constexpr void fields(V& v, Op& /*op*/) {
    v.operand("input");
    v.operand("scale");
    v.operand("zeroPoint");
}

template <typename V, typename Op>
    requires Is<Op, ops::Expand> || Is<Op, ops::Reshape>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("newShape", op.shape);
}

template <typename V, typename Op>
    requires Is<Op, ops::Gather> || Is<Op, ops::GatherElements>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("indices");
    v.option("axis", op.axis);
}

template <typename V, Is<ops::GatherNd> Op>
constexpr void fields(V& v, Op& /*op*/) {
    v.operand("input");
    v.operand("indices");
}

template <typename V, Is<ops::Gemm> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("a");
    v.operand("b");
    v.optional_operand("c", op.has_c);
    v.option("alpha", op.alpha);
    v.option("beta", op.beta);
    v.option("aTranspose", op.a_transpose);
    v.option("bTranspose", op.b_transpose);
    v.epilogue(op.activation);
}

template <typename V, Is<ops::Gru> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("weight");
    v.operand("recurrentWeight");
    v.argument("steps", op.steps);
    v.argument("hiddenSize", op.hidden_size);
    v.optional_operand("bias", op.has_bias);
    v.optional_operand("recurrentBias", op.has_recurrent_bias);
    v.optional_operand("initialHiddenState", op.has_initial_hidden_state);
    v.option("resetAfter", op.reset_after);
    v.option("returnSequence", op.return_sequence);
    v.option("direction", op.direction);
    v.option("layout", op.layout);
    v.option("activations", op.activations);
}

template <typename V, Is<ops::GruCell> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("weight");
    v.operand("recurrentWeight");
    v.operand("hiddenState");
    v.argument("hiddenSize", op.hidden_size);
    v.optional_operand("bias", op.has_bias);
    v.optional_operand("recurrentBias", op.has_recurrent_bias);
    v.option("resetAfter", op.reset_after);
    v.option("layout", op.layout);
    v.option("activations", op.activations);
}

template <typename V, Is<ops::InstanceNormalization> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.optional_operand("scale", op.has_scale);
    v.optional_operand("bias", op.has_bias);
    v.option("epsilon", op.epsilon);
    v.option("layout", op.layout);
}

template <typename V, Is<ops::LayerNormalization> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.optional_operand("scale", op.has_scale);
    v.optional_operand("bias", op.has_bias);
    v.needed_option("axes", op.axes);
    v.option("epsilon", op.epsilon);
}

template <typename V, Is<ops::Lstm> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("weight");
    v.operand("recurrentWeight");
    v.argument("steps", op.steps);
    v.argument("hiddenSize", op.hidden_size);
    v.optional_operand("bias", op.has_bias);
    v.optional_operand("recurrentBias", op.has_recurrent_bias);
    v.optional_operand("peepholeWeight", op.has_peephole_weight);
    v.optional_operand("initialHiddenState", op.has_initial_hidden_state);
    v.optional_operand("initialCellState", op.has_initial_cell_state);
    v.option("returnSequence", op.return_sequence);
    v.option("direction", op.direction);
    v.option("layout", op.layout);
    v.option("activations", op.activations);
}

template <typename V, Is<ops::LstmCell> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("weight");
    v.operand("recurrentWeight");
    v.operand("hiddenState");
    v.operand("cellState");
    v.argument("hiddenSize", op.hidden_size);
    v.optional_operand("bias", op.has_bias);
    v.optional_operand("recurrentBias", op.has_recurrent_bias);
    v.optional_operand("peepholeWeight", op.has_peephole_weight);
    v.option("layout", op.layout);
    v.option("activations", op.activations);
}

// The quantization pass's own; WebNN has no such method, nor the two quantised ones below.
template <typename V, Is<ops::Lookup> Op>
constexpr void fields(V& v, Op& /*op*/) {
    v.operand("input");
    v.operand("table");
}

template <typename V, Is<ops::Matmul> Op>
constexpr void fields(V& v, Op& /*op*/) {
    v.operand("a");
    v.operand("b");
}

template <typename V, Is<ops::Pad> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("beginningPadding", op.beginning);
    v.argument("endingPadding", op.ending);
    v.option("mode", op.mode);
    v.option("value", op.value);
}

template <typename V, Is<ops::Pool2d> Op>
constexpr void fields(V& v, Op& op) {
    v.method(op.kind);
    v.operand("input");
    v.option_unless_empty("windowDimensions", op.window);
    v.option("padding", op.padding);
    v.option("strides", op.strides);
    v.option("dilations", op.dilations);
    v.option("layout", op.layout);
    v.option("outputShapeRounding", op.rounding);
    v.option_unless_empty("outputSizes", op.output_sizes);
}

template <typename V, Is<ops::QuantizedBinary> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("a");
    v.operand("b");
    v.argument("kind", op.kind);
    v.argument("aQuantization", op.a);
    v.argument("bQuantization", op.b);
    v.argument("result", op.result);
    v.epilogue(op.activation);
}

template <typename V, Is<ops::QuantizedConv2d> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("filter");
    v.operand("filterScale");
    v.operand("filterZeroPoint");
    v.optional_operand("bias", op.has_bias);
    v.argument("inputQuantization", op.input);
    v.argument("result", op.result);
    v.option("padding", op.padding);
    v.option("strides", op.strides);
    v.option("dilations", op.dilations);
    v.option("groups", op.groups);
    v.option("filterLayout", op.filter_layout);
    v.epilogue(op.activation);
}

template <typename V, Is<ops::Reduce> Op>
constexpr void fields(V& v, Op& op) {
    v.method(op.kind);
    v.operand("input");
    v.needed_option("axes", op.axes);
    v.option("keepDimensions", op.keep_dimensions);
}

template <typename V, Is<ops::Resample2d> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.option("mode", op.mode);
    v.option("scales", op.scales);
    v.option_unless_empty("sizes", op.sizes);
    v.option("axes", op.axes);
}

template <typename V, Is<ops::Reverse> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.needed_option("axes", op.axes);
}

template <typename V, Is<ops::ScatterElements> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.operand("indices");
    v.operand("updates");
    v.option("axis", op.axis);
}

template <typename V, Is<ops::ScatterNd> Op>
constexpr void fields(V& v, Op& /*op*/) {
    v.operand("input");
    v.operand("indices");
    v.operand("updates");
}

template <typename V, Is<ops::Slice> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("starts", op.starts);
    v.argument("sizes", op.sizes);
    v.option_unless_empty("strides", op.strides);
}

template <typename V, Is<ops::Softmax> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("axis", op.axis);
}

template <typename V, Is<ops::Split> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("splits", op.sizes);
    v.option("axis", op.axis);
}

template <typename V, Is<ops::Tile> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.argument("repetitions", op.repetitions);
}

template <typename V, Is<ops::Transpose> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.needed_option("permutation", op.permutation);
}

template <typename V, Is<ops::Triangular> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.option("upper", op.upper);
    v.option("diagonal", op.diagonal);
}

template <typename V, Is<ops::Unary> Op>
constexpr void fields(V& v, Op& op) {
    v.operand("input");
    v.parameters(op.function);
}

template <typename V, Is<ops::Where> Op>
constexpr void fields(V& v, Op& /*op*/) {
    v.operand("condition");
    v.operand("trueValue");
    v.operand("falseValue");
}

// Counts the members that a field list names.
struct MemberCounter {
    std::size_t members = 0;

    constexpr void operand(std::string_view /*name*/) {}
    constexpr void operands(std::string_view /*name*/) {}
    constexpr void optional_operand(std::string_view /*name*/, const bool& /*has*/) { ++members; }
    constexpr void argument(std::string_view /*name*/, const auto& /*member*/) { ++members; }
    constexpr void option(std::string_view /*name*/, const auto& /*member*/) { ++members; }
    constexpr void needed_option(std::string_view /*name*/, const auto& /*member*/) { ++members; }
    constexpr void option_unless_empty(std::string_view /*name*/, const auto& /*member*/) {
        ++members;
    }
    constexpr void method(const auto& /*member*/) { ++members; }
    constexpr void parameters(const ops::Activation& /*member*/) { ++members; }
    constexpr void epilogue(const ops::Activation& /*member*/) { ++members; }
};

template <typename Op>
consteval std::size_t listed_members() {
    MemberCounter counter;
    const Op op{};
    fields(counter, op);
    return counter.members;
}

// Converts to anything, so that initialising an aggregate with n of them compiles for n <= members.
struct Anything {
    template <typename T>
    operator T() const; // NOLINT(google-explicit-constructor)
};

template <typename Op, typename... Given>
consteval std::size_t member_count() {
    if constexpr (requires { Op{Given{}..., Anything{}}; }) {
        return member_count<Op, Given..., Anything>();
    } else {
        return sizeof...(Given);
    }
}

// An attribute without its field would be lost in files.
#define SLUICE_OP(file, Type, cpu, vulkan)                                                         \
    static_assert(listed_members<ops::Type>() == member_count<ops::Type>(),                        \
                  "fields() of " #Type " lacks a member, or names one twice");
#include "core/ops/ops.def"
#undef SLUICE_OP

} // namespace sluice::models::webnn
