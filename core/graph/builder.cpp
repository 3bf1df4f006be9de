// SPDX-License-Identifier: Apache-2.0
// GraphBuilder: checks operands, asks infer(), appends the node, and names it in errors.
#include "core/graph/builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <limits>
#include <numeric>
#include <type_traits>

#include "core/base/float16.h"

namespace sluice::graph {
namespace {

// What an error calls the node: "conv2d 'stem'", or "conv2d #3" without a label.
std::string title(const ops::Attributes& attributes, std::string_view label, std::size_t place) {
    const std::string_view name = ops::name_of(attributes);
    return label.empty() ? std::format("{} #{}", name, place) : std::format("{} '{}'", name, label);
}

template <typename T>
std::vector<std::byte> bytes_of(T value) {
    std::vector<std::byte> bytes(sizeof(T));
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

// Saturates and truncates; NaN becomes 0.
template <std::integral T>
T to_integer(double value) {
    if (std::isnan(value)) {
        return 0;
    }
    // 2^digits is exact in double where the maximum of a 64-bit type is not.
    if (value >= std::ldexp(1.0, std::numeric_limits<T>::digits)) {
        return std::numeric_limits<T>::max();
    }
    if (value <= static_cast<double>(std::numeric_limits<T>::lowest())) {
        return std::numeric_limits<T>::lowest();
    }
    return static_cast<T>(value);
}

std::vector<std::byte> scalar_bytes(DataType type, double value) {
    switch (type) {
    case DataType::Float32: return bytes_of(static_cast<float>(value));
    case DataType::Float16: return bytes_of(float_to_float16(static_cast<float>(value)));
    case DataType::Int32: return bytes_of(to_integer<std::int32_t>(value));
    case DataType::Uint32: return bytes_of(to_integer<std::uint32_t>(value));
    case DataType::Int64: return bytes_of(to_integer<std::int64_t>(value));
    case DataType::Uint64: return bytes_of(to_integer<std::uint64_t>(value));
    case DataType::Int8: return bytes_of(to_integer<std::int8_t>(value));
    case DataType::Uint8: return bytes_of(to_integer<std::uint8_t>(value));
    }
    std::unreachable();
}

// Epilogues are the fusion pass's to set.
Status reject_epilogue(const ops::Activation& activation, bool residual = false) {
    if (activation == ops::Activation{} && !residual) {
        return {};
    }
    return fail(ErrorCode::InvalidArgument,
                "an epilogue is set in the options; add the activation as a node of its own");
}

} // namespace

Result<OperandId> GraphBuilder::input(std::string_view name, const TensorDesc& desc) {
    if (auto status = check_open(); !status) {
        return std::unexpected(std::move(status).error().within(std::format("input '{}'", name)));
    }
    if (name.empty()) {
        return fail(ErrorCode::InvalidArgument, "input: the name is empty");
    }
    if (std::ranges::contains(parts_.inputs, name, &NamedOperand::name)) {
        return fail(ErrorCode::InvalidArgument, "input '{}': the name is used already", name);
    }
    const OperandId id = parts_.add(
        {.desc = desc, .kind = OperandKind::Input, .name = std::string(name), .data = {}});
    parts_.inputs.push_back({.name = std::string(name), .id = id});
    return id;
}

Result<OperandId> GraphBuilder::constant(const TensorDesc& desc, ConstantData data,
                                         std::string_view name) {
    if (auto status = check_open(); !status) {
        return std::unexpected(
            std::move(status).error().within(std::format("constant '{}'", name)));
    }
    if (data.bytes.size() != desc.byte_size()) {
        return fail(ErrorCode::InvalidArgument, "constant '{}': {} bytes given, {} has {}", name,
                    data.bytes.size(), to_string(desc), desc.byte_size());
    }
    return parts_.add({.desc = desc,
                       .kind = OperandKind::Constant,
                       .name = std::string(name),
                       .data = std::move(data)});
}

Result<OperandId> GraphBuilder::constant(DataType type, double value) {
    SLUICE_TRY_ASSIGN(const TensorDesc desc, TensorDesc::create(type, Shape{}));
    return constant(desc, ConstantData::own(scalar_bytes(type, value)));
}

Result<std::vector<OperandId>> GraphBuilder::add_node(ops::Attributes attributes,
                                                      std::vector<OperandId> inputs,
                                                      std::string_view label) {
    if (auto status = check_open(); !status) {
        return std::unexpected(
            std::move(status).error().within(title(attributes, label, parts_.nodes.size())));
    }
    std::vector<TensorDesc> descs;
    descs.reserve(inputs.size());
    for (const OperandId id : inputs) {
        if (index(id) >= parts_.operands.size()) {
            return fail(ErrorCode::InvalidArgument,
                        "{}: operand %{} does not belong to this builder, which has {}",
                        title(attributes, label, parts_.nodes.size()), index(id),
                        parts_.operands.size());
        }
        descs.push_back(desc(id));
    }
    auto inferred = ops::infer(attributes, descs);
    if (!inferred) {
        return std::unexpected(
            std::move(inferred).error().within(title(attributes, label, parts_.nodes.size())));
    }
    std::vector<OperandId> outputs;
    outputs.reserve(inferred->size());
    for (const TensorDesc& out : *inferred) {
        outputs.push_back(
            parts_.add({.desc = out, .kind = OperandKind::Result, .name = {}, .data = {}}));
    }
    parts_.nodes.push_back({.attributes = std::move(attributes),
                            .inputs = std::move(inputs),
                            .outputs = outputs,
                            .label = std::string(label)});
    return outputs;
}

Result<OperandId> GraphBuilder::add_single(ops::Attributes attributes,
                                           std::vector<OperandId> inputs, std::string_view label) {
    SLUICE_TRY_ASSIGN(const auto outputs,
                      add_node(std::move(attributes), std::move(inputs), label));
    return outputs.front();
}

Result<OperandId> GraphBuilder::unary(const ops::Activation& function, OperandId x,
                                      std::string_view label) {
    return add_single(ops::Unary{.function = function}, {x}, label);
}

Result<OperandId> GraphBuilder::binary(ops::BinaryKind kind, OperandId a, OperandId b,
                                       std::string_view label) {
    return add_single(ops::Binary{.kind = kind, .activation = {}}, {a, b}, label);
}

Result<OperandId> GraphBuilder::arg_min_max(OperandId x, const ops::ArgMinMax& options,
                                            std::string_view label) {
    return add_single(options, {x}, label);
}

Result<OperandId> GraphBuilder::cast(OperandId x, DataType to, std::string_view label) {
    return add_single(ops::Cast{.to = to}, {x}, label);
}

Result<OperandId> GraphBuilder::concat(std::span<const OperandId> inputs, std::uint32_t axis,
                                       std::string_view label) {
    return add_single(ops::Concat{.axis = axis}, {inputs.begin(), inputs.end()}, label);
}

Result<OperandId> GraphBuilder::conv2d(OperandId x, OperandId filter, ops::Conv2d options,
                                       std::optional<OperandId> bias, std::string_view label) {
    if (auto status = reject_epilogue(options.activation, options.has_residual); !status) {
        return std::unexpected(
            std::move(status).error().within(title(options, label, parts_.nodes.size())));
    }
    options.has_bias = bias.has_value();
    std::vector<OperandId> inputs{x, filter};
    if (bias) {
        inputs.push_back(*bias);
    }
    return add_single(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::conv_transpose2d(OperandId x, OperandId filter,
                                                 ops::ConvTranspose2d options,
                                                 std::optional<OperandId> bias,
                                                 std::string_view label) {
    if (auto status = reject_epilogue(options.activation); !status) {
        return std::unexpected(
            std::move(status).error().within(title(options, label, parts_.nodes.size())));
    }
    options.has_bias = bias.has_value();
    std::vector<OperandId> inputs{x, filter};
    if (bias) {
        inputs.push_back(*bias);
    }
    return add_single(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::dequantize_linear(OperandId x, OperandId scale,
                                                  OperandId zero_point, std::string_view label) {
    return add_single(ops::DequantizeLinear{}, {x, scale, zero_point}, label);
}

Result<OperandId> GraphBuilder::expand(OperandId x, const Shape& shape, std::string_view label) {
    return add_single(ops::Expand{.shape = shape}, {x}, label);
}

Result<OperandId> GraphBuilder::gemm(OperandId a, OperandId b, ops::Gemm options,
                                     std::optional<OperandId> c, std::string_view label) {
    if (auto status = reject_epilogue(options.activation); !status) {
        return std::unexpected(
            std::move(status).error().within(title(options, label, parts_.nodes.size())));
    }
    options.has_c = c.has_value();
    std::vector<OperandId> inputs{a, b};
    if (c) {
        inputs.push_back(*c);
    }
    return add_single(options, std::move(inputs), label);
}

Result<OperandId> GraphBuilder::matmul(OperandId a, OperandId b, std::string_view label) {
    return add_single(ops::Matmul{}, {a, b}, label);
}

Result<OperandId> GraphBuilder::pad(OperandId x, ops::Pad options, std::string_view label) {
    return add_single(std::move(options), {x}, label);
}

Result<OperandId> GraphBuilder::pool2d(OperandId x, const ops::Pool2d& options,
                                       std::string_view label) {
    return add_single(options, {x}, label);
}

Result<OperandId> GraphBuilder::reduce(ops::ReduceKind kind, OperandId x,
                                       std::optional<std::vector<std::uint32_t>> axes,
                                       bool keep_dimensions, std::string_view label) {
    ops::Reduce options{.kind = kind, .axes = {}, .keep_dimensions = keep_dimensions};
    if (axes) {
        options.axes = std::move(*axes);
    } else if (index(x) < parts_.operands.size()) {
        options.axes.resize(desc(x).rank());
        std::ranges::iota(options.axes, 0U);
    }
    return add_single(std::move(options), {x}, label);
}

Result<OperandId> GraphBuilder::resample2d(OperandId x, const ops::Resample2d& options,
                                           std::string_view label) {
    return add_single(options, {x}, label);
}

Result<OperandId> GraphBuilder::reshape(OperandId x, const Shape& shape, std::string_view label) {
    return add_single(ops::Reshape{.shape = shape}, {x}, label);
}

Result<OperandId> GraphBuilder::slice(OperandId x, ops::Slice options, std::string_view label) {
    return add_single(std::move(options), {x}, label);
}

Result<OperandId> GraphBuilder::softmax(OperandId x, std::uint32_t axis, std::string_view label) {
    return add_single(ops::Softmax{.axis = axis}, {x}, label);
}

Result<std::vector<OperandId>> GraphBuilder::split(OperandId x, ops::Split options,
                                                   std::string_view label) {
    return add_node(std::move(options), {x}, label);
}

Result<OperandId> GraphBuilder::transpose(OperandId x, std::vector<std::uint32_t> permutation,
                                          std::string_view label) {
    if (permutation.empty() && index(x) < parts_.operands.size()) {
        permutation.resize(desc(x).rank());
        std::iota(permutation.rbegin(), permutation.rend(), 0U);
    }
    return add_single(ops::Transpose{.permutation = std::move(permutation)}, {x}, label);
}

Result<OperandId> GraphBuilder::where(OperandId condition, OperandId true_value,
                                      OperandId false_value, std::string_view label) {
    return add_single(ops::Where{}, {condition, true_value, false_value}, label);
}

Status GraphBuilder::check_open() const {
    if (built_) {
        return fail(ErrorCode::InvalidArgument,
                    "the builder has built its graph already; make a new builder");
    }
    return {};
}

Status GraphBuilder::check_outputs(std::span<const NamedOperand> outputs) const {
    if (outputs.empty()) {
        return fail(ErrorCode::InvalidArgument, "the graph has no output");
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const NamedOperand& output = outputs[i];
        if (index(output.id) >= parts_.operands.size()) {
            return fail(ErrorCode::InvalidArgument,
                        "output '{}': operand %{} does not belong to this builder, which has {}",
                        output.name, index(output.id), parts_.operands.size());
        }
        if (parts_.operand(output.id).kind != OperandKind::Result) {
            return fail(ErrorCode::InvalidArgument,
                        "output '{}' is an input or a constant; pass it through identity",
                        output.name);
        }
        if (output.name.empty()) {
            return fail(ErrorCode::InvalidArgument, "an output has an empty name");
        }
        if (std::ranges::contains(outputs.first(i), output.name, &NamedOperand::name)) {
            return fail(ErrorCode::InvalidArgument, "output name '{}' is used twice", output.name);
        }
    }
    return {};
}

Result<Graph> GraphBuilder::build(std::vector<NamedOperand> outputs) {
    SLUICE_TRY(check_open());
    SLUICE_TRY(check_outputs(outputs));
    built_ = true;
    GraphParts parts = std::exchange(parts_, {});
    for (const NamedOperand& output : outputs) {
        Operand& operand = parts.operands[index(output.id)];
        if (operand.name.empty()) {
            operand.name = output.name;
        }
    }
    parts.outputs = std::move(outputs);
    return Graph::create(std::move(parts));
}

} // namespace sluice::graph
