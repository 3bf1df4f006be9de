// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of one operand.
#include "core/ops/unary.h"

#include <cmath>
#include <limits>
#include <variant>

#include "core/vulkan/any_type.h"
#include "core/vulkan/functions.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

template <typename T>
std::uint64_t saturated_bits(double value) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(value)) {
        return 0;
    }
    // max() of 64 bits rounds up to 2^63 or 2^64, which is out of range as well.
    const T number = value <= static_cast<double>(Limits::min())   ? Limits::min()
                     : value >= static_cast<double>(Limits::max()) ? Limits::max()
                                                                   : static_cast<T>(value);
    return static_cast<std::uint64_t>(number);
}

// The bits of the nearest integer of that type towards zero, widened as its tensors' elements are.
std::uint64_t integer_bits(graph::DataType type, double value) {
    switch (type) {
    case graph::DataType::Int8: return saturated_bits<std::int8_t>(value);
    case graph::DataType::Uint8: return saturated_bits<std::uint8_t>(value);
    case graph::DataType::Int32: return saturated_bits<std::int32_t>(value);
    case graph::DataType::Uint32: return saturated_bits<std::uint32_t>(value);
    case graph::DataType::Int64: return saturated_bits<std::int64_t>(value);
    case graph::DataType::Uint64: return saturated_bits<std::uint64_t>(value);
    case graph::DataType::Float32:
    case graph::DataType::Float16: break;
    }
    return 0;
}

void write_integers(StepWriter& writer, const graph::Node& node, const ops::Activation& function) {
    const graph::Graph& graph = writer.graph();
    const graph::OperandId x = node.inputs[0];
    const graph::TensorDesc& desc = graph.desc(x);
    const std::uint64_t alpha = integer_bits(desc.type(), function.alpha);
    const std::uint64_t beta = integer_bits(desc.type(), function.beta);
    struct {
        std::uint32_t count, alpha_low, alpha_high, beta_low, beta_high;
    } const push{.count = static_cast<std::uint32_t>(desc.element_count()),
                 .alpha_low = static_cast<std::uint32_t>(alpha),
                 .alpha_high = static_cast<std::uint32_t>(alpha >> 32U),
                 .beta_low = static_cast<std::uint32_t>(beta),
                 .beta_high = static_cast<std::uint32_t>(beta >> 32U)};
    writer.dispatch({.shader = is_wide(graph, x) ? Shader::UnaryIntegerWide : Shader::UnaryInteger,
                     .constants = {function_constant(function.kind), type_constant(desc.type())},
                     .buffers = {{writer.region(x), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
}

} // namespace

Status supports_unary(const Context& context, const graph::Graph& graph, const graph::Node& node) {
    if (std::get<ops::Unary>(node.attributes).function.kind == ops::UnaryKind::Identity) {
        return {};
    }
    return graph::is_float(graph.desc(node.inputs[0]).type())
               ? Status{}
               : supports_any_or_wide_type(context, graph, node.inputs[0]);
}

Status lower_unary(StepWriter& writer, const graph::Node& node) {
    const auto& function = std::get<ops::Unary>(node.attributes).function;
    if (function.kind == ops::UnaryKind::Identity) {
        writer.alias(node.inputs[0], node.outputs[0]);
        return {};
    }
    const graph::Graph& graph = writer.graph();
    if (!graph::is_float(graph.desc(node.inputs[0]).type())) {
        write_integers(writer, node, function);
        return {};
    }
    const bool test = graph.desc(node.outputs[0]).type() == graph::DataType::Uint8;
    const ActivationWords words = to_words(function);
    struct {
        std::uint32_t count;
        float alpha, beta;
    } const push{.count = static_cast<std::uint32_t>(graph.desc(node.inputs[0]).element_count()),
                 .alpha = words.alpha,
                 .beta = words.beta};
    const graph::OperandId x = node.inputs[0];
    writer.dispatch({.shader = test ? by_type(graph, x, Shader::UnaryTest, Shader::UnaryTestHalf)
                                    : by_type(graph, x, Shader::Unary, Shader::UnaryHalf),
                     .constants = {words.kind},
                     .buffers = {{writer.region(x), Access::Read},
                                 {writer.region(node.outputs[0]), Access::Write}},
                     .push = to_push(push),
                     .groups = line_of(push.count, 64, writer.context().profile)});
    return {};
}

} // namespace sluice::vulkan
