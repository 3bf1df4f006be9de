// SPDX-License-Identifier: Apache-2.0
// The calls of WebNN's MLGraphBuilder, by name, on our builder.
#include "tests/support/vector_graph.h"

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/graph/builder.h"
#include "tests/support/vector_call.h"

namespace sluice::testing {
namespace {

using graph::GraphBuilder;
using graph::OperandId;
using nlohmann::json;

// "hard_swish" to "hardSwish".
std::string camel_case(std::string_view name) {
    std::string out;
    bool upper = false;
    for (const char c : name) {
        if (c == '_') {
            upper = true;
            continue;
        }
        out += upper ? static_cast<char>(std::toupper(c)) : c;
        upper = false;
    }
    return out;
}

std::unexpected<Error> unknown(std::string_view what, const std::string& value) {
    return fail(ErrorCode::Unsupported, "{} {} is not in the builder", what, value);
}

std::optional<ops::UnaryKind> unary_kind(const std::string& name) {
    static const std::map<std::string, ops::UnaryKind> kinds{
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    {camel_case(#name), ops::UnaryKind::Type},
#include "core/ops/unary.def"
#undef SLUICE_UNARY
    };
    const auto found = kinds.find(name);
    return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ops::BinaryKind> binary_kind(const std::string& name) {
    static const std::map<std::string, ops::BinaryKind> kinds{
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    {camel_case(#name), ops::BinaryKind::Type},
#include "core/ops/binary.def"
#undef SLUICE_BINARY
    };
    const auto found = kinds.find(name);
    return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ops::ReduceKind> reduce_kind(const std::string& name) {
    static const std::map<std::string, ops::ReduceKind> kinds{
#define SLUICE_REDUCE(name, Type) {"reduce" #Type, ops::ReduceKind::Type},
#include "core/ops/reduce.def"
#undef SLUICE_REDUCE
    };
    const auto found = kinds.find(name);
    return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

Operands unary(const Call& call, ops::UnaryKind kind) {
    ops::Activation function{.kind = kind, .alpha = 0.0, .beta = 0.0};
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    switch (kind) {
    case ops::UnaryKind::Clamp:
        function.alpha = call.get("minValue", -kInfinity);
        function.beta = call.get("maxValue", kInfinity);
        break;
    case ops::UnaryKind::Elu: function.alpha = call.get("alpha", 1.0); break;
    case ops::UnaryKind::LeakyRelu: function.alpha = call.get("alpha", 0.01); break;
    case ops::UnaryKind::HardSigmoid:
        function.alpha = call.get("alpha", 0.2);
        function.beta = call.get("beta", 0.5);
        break;
    case ops::UnaryKind::Linear:
        function.alpha = call.get("alpha", 1.0);
        function.beta = call.get("beta", 0.0);
        break;
    default: break;
    }
    return single(call.builder.unary(function, call.operand(call.has("a") ? "a" : "input")));
}

Operands arg_min_max(const Call& call, bool is_max) {
    ops::ArgMinMax options;
    options.is_max = is_max;
    options.axis = call.get("axis", 0U);
    options.keep_dimensions = call.get("keepDimensions", false);
    options.output_type = call.get<std::string>("outputDataType", "int32") == "int64"
                              ? graph::DataType::Int64
                              : graph::DataType::Int32;
    return single(call.builder.arg_min_max(call.operand("input"), options));
}

Operands cast(const Call& call) {
    const auto name = call.get<std::string>("type", "");
    const auto type = graph::data_type_from_name(name);
    if (!type) {
        return unknown("data type", name);
    }
    return single(call.builder.cast(call.operand("input"), *type));
}

Operands concat(const Call& call) {
    std::vector<OperandId> inputs;
    for (const auto& name : call.arguments.at("inputs")) {
        inputs.push_back(call.operands.at(name.get<std::string>()));
    }
    return single(call.builder.concat(inputs, call.get("axis", 0U)));
}

Operands conv2d(const Call& call) {
    static const std::map<std::string, ops::Conv2dFilterLayout> layouts{
        {"oihw", ops::Conv2dFilterLayout::Oihw},
        {"hwio", ops::Conv2dFilterLayout::Hwio},
        {"ohwi", ops::Conv2dFilterLayout::Ohwi},
        {"ihwo", ops::Conv2dFilterLayout::Ihwo}};
    ops::Conv2d options;
    options.padding = numbers<4>(call, "padding", 0);
    options.strides = numbers<2>(call, "strides", 1);
    options.dilations = numbers<2>(call, "dilations", 1);
    options.groups = call.get("groups", 1U);
    options.input_layout = layout_of(call, "inputLayout");
    options.filter_layout = layouts.at(call.get<std::string>("filterLayout", "oihw"));
    return single(call.builder.conv2d(call.operand("input"), call.operand("filter"), options,
                                      call.optional_operand("bias")));
}

Operands conv_transpose2d(const Call& call) {
    static const std::map<std::string, ops::ConvTranspose2dFilterLayout> layouts{
        {"iohw", ops::ConvTranspose2dFilterLayout::Iohw},
        {"hwoi", ops::ConvTranspose2dFilterLayout::Hwoi},
        {"ohwi", ops::ConvTranspose2dFilterLayout::Ohwi}};
    ops::ConvTranspose2d options;
    options.padding = numbers<4>(call, "padding", 0);
    options.strides = numbers<2>(call, "strides", 1);
    options.dilations = numbers<2>(call, "dilations", 1);
    options.output_padding = numbers<2>(call, "outputPadding", 0);
    options.output_sizes = numbers<2>(call, "outputSizes", 0);
    options.groups = call.get("groups", 1U);
    options.input_layout = layout_of(call, "inputLayout");
    options.filter_layout = layouts.at(call.get<std::string>("filterLayout", "iohw"));
    return single(call.builder.conv_transpose2d(call.operand("input"), call.operand("filter"),
                                                options, call.optional_operand("bias")));
}

Operands dequantize_linear(const Call& call) {
    const OperandId x = call.operand("input");
    const OperandId scale = call.operand("scale");
    if (const auto zero_point = call.optional_operand("zeroPoint")) {
        return single(call.builder.dequantize_linear(x, scale, *zero_point));
    }
    SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(call.builder.desc(x).type(),
                                                                 call.builder.desc(scale).shape()));
    SLUICE_TRY_ASSIGN(const OperandId zero,
                      call.builder.constant(desc, graph::ConstantData::own(
                                                      std::vector<std::byte>(desc.byte_size()))));
    return single(call.builder.dequantize_linear(x, scale, zero));
}

Operands gemm(const Call& call) {
    ops::Gemm options;
    options.alpha = call.get("alpha", 1.0);
    options.beta = call.get("beta", 1.0);
    options.a_transpose = call.get("aTranspose", false);
    options.b_transpose = call.get("bTranspose", false);
    return single(call.builder.gemm(call.operand("a"), call.operand("b"), options,
                                    call.optional_operand("c")));
}

Operands pad(const Call& call) {
    static const std::map<std::string, ops::PaddingMode> modes{
        {"constant", ops::PaddingMode::Constant},
        {"edge", ops::PaddingMode::Edge},
        {"reflection", ops::PaddingMode::Reflection}};
    const auto mode = modes.find(call.get<std::string>("mode", "constant"));
    if (mode == modes.end()) {
        return unknown("padding mode", call.get<std::string>("mode", ""));
    }
    ops::Pad options;
    options.beginning = call.get("beginningPadding", options.beginning);
    options.ending = call.get("endingPadding", options.ending);
    options.mode = mode->second;
    options.value = call.get("value", 0.0);
    return single(call.builder.pad(call.operand("input"), options));
}

Operands pool2d(const Call& call, ops::PoolKind kind) {
    ops::Pool2d options;
    options.kind = kind;
    options.window = numbers<2>(call, "windowDimensions", 0);
    options.padding = numbers<4>(call, "padding", 0);
    options.strides = numbers<2>(call, "strides", 1);
    options.dilations = numbers<2>(call, "dilations", 1);
    options.layout = layout_of(call, "layout");
    options.rounding = call.get<std::string>("roundingType", "floor") == "ceil"
                           ? ops::OutputRounding::Ceil
                           : ops::OutputRounding::Floor;
    options.output_sizes = numbers<2>(call, "outputSizes", 0);
    return single(call.builder.pool2d(call.operand("input"), options));
}

Operands reduce(const Call& call, ops::ReduceKind kind) {
    std::optional<std::vector<std::uint32_t>> axes;
    if (call.has("axes")) {
        axes = call.get("axes", std::vector<std::uint32_t>{});
    }
    return single(call.builder.reduce(kind, call.operand("input"), std::move(axes),
                                      call.get("keepDimensions", false)));
}

Operands resample2d(const Call& call) {
    ops::Resample2d options;
    options.mode = call.get<std::string>("mode", "nearest-neighbor") == "linear"
                       ? ops::Interpolation::Linear
                       : ops::Interpolation::Nearest;
    options.axes = call.get("axes", options.axes);
    options.sizes = call.get("sizes", options.sizes);
    options.scales = call.get("scales", options.scales);
    return single(call.builder.resample2d(call.operand("input"), options));
}

Operands slice(const Call& call) {
    ops::Slice options;
    options.starts = call.get("starts", options.starts);
    options.sizes = call.get("sizes", options.sizes);
    options.strides = call.get("strides", options.strides);
    return single(call.builder.slice(call.operand("input"), options));
}

Operands softmax(const Call& call) {
    const OperandId x = call.operand("input");
    // Calls without an axis date from when softmax took matrices only, row by row.
    return single(call.builder.softmax(x, call.get("axis", 1U)));
}

Operands split(const Call& call) {
    ops::Split options;
    options.axis = call.get("axis", 0U);
    const json& splits = call.arguments.at("splits");
    if (splits.is_array()) {
        options.sizes = splits.get<std::vector<std::uint32_t>>();
    } else {
        const auto pieces = splits.get<std::uint32_t>();
        const auto size = call.builder.desc(call.operand("input")).shape()[options.axis];
        options.sizes.assign(pieces, size / pieces);
    }
    return call.builder.split(call.operand("input"), options);
}

const std::map<std::string, BuildFunction>& build_functions() {
    using enum ops::PoolKind;
    static const std::map<std::string, BuildFunction> functions{
        {"argMax", [](const Call& call) { return arg_min_max(call, true); }},
        {"argMin", [](const Call& call) { return arg_min_max(call, false); }},
        {"averagePool2d", [](const Call& call) { return pool2d(call, Average); }},
        {"cast", cast},
        {"concat", concat},
        {"conv2d", conv2d},
        {"convTranspose2d", conv_transpose2d},
        {"dequantizeLinear", dequantize_linear},
        {"expand",
         [](const Call& call) {
             return single(call.builder.expand(call.operand("input"), shape_of(call, "newShape")));
         }},
        {"gemm", gemm},
        {"l2Pool2d", [](const Call& call) { return pool2d(call, L2); }},
        {"matmul",
         [](const Call& call) {
             return single(call.builder.matmul(call.operand("a"), call.operand("b")));
         }},
        {"maxPool2d", [](const Call& call) { return pool2d(call, Max); }},
        {"pad", pad},
        {"prelu",
         [](const Call& call) {
             return single(call.builder.prelu(call.operand("input"), call.operand("slope")));
         }},
        {"resample2d", resample2d},
        {"reshape",
         [](const Call& call) {
             return single(call.builder.reshape(call.operand("input"), shape_of(call, "newShape")));
         }},
        {"slice", slice},
        {"softmax", softmax},
        {"split", split},
        {"transpose",
         [](const Call& call) {
             return single(call.builder.transpose(
                 call.operand("input"), call.get("permutation", std::vector<std::uint32_t>{})));
         }},
        {"where",
         [](const Call& call) {
             return single(call.builder.where(call.operand("condition"), call.operand("trueValue"),
                                              call.operand("falseValue")));
         }},
    };
    return functions;
}

// The function that makes this call, or null.
BuildFunction find_function(const std::string& name) {
    for (const auto* functions : {&build_functions(), &network_functions()}) {
        if (const auto found = functions->find(name); found != functions->end()) {
            return found->second;
        }
    }
    return nullptr;
}

Operands build_call(const std::string& name, const Call& call) {
    if (const BuildFunction function = find_function(name)) {
        return function(call);
    }
    if (const auto kind = unary_kind(name)) {
        return unary(call, *kind);
    }
    if (const auto kind = binary_kind(name)) {
        return single(call.builder.binary(*kind, call.operand("a"), call.operand("b")));
    }
    if (const auto kind = reduce_kind(name)) {
        return reduce(call, *kind);
    }
    return unknown("operator", name);
}

// [{input: "x"}, {options: {...}}] as one object.
json merged(const json& arguments) {
    json out = json::object();
    for (const json& argument : arguments) {
        if (!argument.is_object()) {
            continue;
        }
        for (const auto& [name, value] : argument.items()) {
            if (name == "options") {
                out.update(value);
            } else {
                out[name] = value;
            }
        }
    }
    return out;
}

Result<OperandId> add_input(GraphBuilder& builder, const std::string& name,
                            const VectorTensor& tensor) {
    const auto type = graph::data_type_from_name(tensor.type);
    if (!type) {
        return unknown("data type", tensor.type);
    }
    SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(*type, tensor.dims));
    if (!tensor.is_constant) {
        return builder.input(name, desc);
    }
    return builder.constant(
        desc, graph::ConstantData::copy(std::span<const std::byte>(tensor.bytes)), name);
}

} // namespace

Result<graph::Graph> build_vector_graph(const VectorTest& test) {
    GraphBuilder builder;
    std::map<std::string, OperandId> operands;
    for (const json& node : test.operators) { // before anything is built: a clear reason
        const std::string name = node.at("name");
        if (find_function(name) == nullptr && !unary_kind(name) && !binary_kind(name) &&
            !reduce_kind(name)) {
            return unknown("operator", name);
        }
    }
    for (const auto& [name, tensor] : test.inputs) {
        SLUICE_TRY_ASSIGN(operands[name], add_input(builder, name, tensor));
    }
    for (const json& node : test.operators) {
        const Call call{
            .builder = builder, .operands = operands, .arguments = merged(node.at("arguments"))};
        SLUICE_TRY_ASSIGN(const auto results, build_call(node.at("name"), call));
        const json& names = node.at("outputs");
        for (std::size_t i = 0; i < results.size(); ++i) {
            operands[names.is_array() ? names.at(i) : names] = results[i];
        }
    }
    std::vector<graph::NamedOperand> outputs;
    for (const auto& [name, tensor] : test.outputs) {
        outputs.push_back({.name = name, .id = operands.at(name)});
    }
    return builder.build(std::move(outputs));
}

} // namespace sluice::testing
