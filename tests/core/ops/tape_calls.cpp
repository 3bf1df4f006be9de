// SPDX-License-Identifier: Apache-2.0
// The table from WebNN's methods to GraphBuilder's.
#include "tests/core/ops/tape_calls.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

namespace sluice::testing {
namespace {

using graph::OperandId;
using nlohmann::json;

template <std::size_t N>
void read(const json& options, const char* key, std::array<std::uint32_t, N>& out) {
    if (!options.contains(key)) {
        return;
    }
    const auto list = numbers(options[key]);
    if (list.size() != N) {
        throw Obstacle::NotExpressible;
    }
    std::ranges::copy(list, out.begin());
}

// The same for lists whose value [0,0] means "absent" to us and an error to WebNN.
void read_sizes(const json& options, const char* key, std::array<std::uint32_t, 2>& out) {
    read(options, key, out);
    if (options.contains(key) && out == std::array<std::uint32_t, 2>{0, 0}) {
        throw Obstacle::NotExpressible;
    }
}

const std::map<std::string, ops::InputLayout> kLayouts{{"nchw", ops::InputLayout::Nchw},
                                                       {"nhwc", ops::InputLayout::Nhwc}};

Made conv2d(const CallContext& call) {
    ops::Conv2d op;
    read(call.options, "padding", op.padding);
    read(call.options, "strides", op.strides);
    read(call.options, "dilations", op.dilations);
    op.groups = call.options.contains("groups") ? number(call.options["groups"]) : 1;
    read_layout(call.options, "inputLayout", op.input_layout, kLayouts);
    using Layout = ops::Conv2dFilterLayout;
    read_layout(call.options, "filterLayout", op.filter_layout,
                {{"oihw", Layout::Oihw},
                 {"hwio", Layout::Hwio},
                 {"ohwi", Layout::Ohwi},
                 {"ihwo", Layout::Ihwo}});
    return single(
        call.builder.conv2d(arg(call, 0), arg(call, 1), op, operand(call, "bias"), call.label));
}

Made conv_transpose2d(const CallContext& call) {
    ops::ConvTranspose2d op;
    read(call.options, "padding", op.padding);
    read(call.options, "strides", op.strides);
    read(call.options, "dilations", op.dilations);
    read(call.options, "outputPadding", op.output_padding);
    read_sizes(call.options, "outputSizes", op.output_sizes);
    op.groups = call.options.contains("groups") ? number(call.options["groups"]) : 1;
    read_layout(call.options, "inputLayout", op.input_layout, kLayouts);
    using Layout = ops::ConvTranspose2dFilterLayout;
    read_layout(call.options, "filterLayout", op.filter_layout,
                {{"iohw", Layout::Iohw}, {"hwoi", Layout::Hwoi}, {"ohwi", Layout::Ohwi}});
    return single(call.builder.conv_transpose2d(arg(call, 0), arg(call, 1), op,
                                                operand(call, "bias"), call.label));
}

Made pool2d(const CallContext& call, ops::PoolKind kind) {
    ops::Pool2d op{.kind = kind};
    read_sizes(call.options, "windowDimensions", op.window);
    read(call.options, "padding", op.padding);
    read(call.options, "strides", op.strides);
    read(call.options, "dilations", op.dilations);
    read_sizes(call.options, "outputSizes", op.output_sizes);
    read_layout(call.options, "layout", op.layout, kLayouts);
    read_layout(call.options, "roundingType", op.rounding,
                {{"floor", ops::OutputRounding::Floor}, {"ceil", ops::OutputRounding::Ceil}});
    return single(call.builder.pool2d(arg(call, 0), op, call.label));
}

Made resample2d(const CallContext& call) {
    ops::Resample2d op;
    read(call.options, "axes", op.axes);
    read_sizes(call.options, "sizes", op.sizes);
    if (call.options.contains("scales")) {
        const auto scales = call.options["scales"].get<std::vector<float>>();
        if (scales.size() != 2) {
            throw Obstacle::NotExpressible;
        }
        op.scales = {scales[0], scales[1]};
    }
    return single(call.builder.resample2d(arg(call, 0), op, call.label));
}

Made gemm(const CallContext& call) {
    const ops::Gemm op{.alpha = call.options.value("alpha", 1.0),
                       .beta = call.options.value("beta", 1.0),
                       .a_transpose = call.options.value("aTranspose", false),
                       .b_transpose = call.options.value("bTranspose", false)};
    return single(
        call.builder.gemm(arg(call, 0), arg(call, 1), op, operand(call, "c"), call.label));
}

Made pad(const CallContext& call) {
    ops::Pad op{.beginning = numbers(call.args.at(1)),
                .ending = numbers(call.args.at(2)),
                .value = call.options.value("value", 0.0)};
    using Mode = ops::PaddingMode;
    read_layout(
        call.options, "mode", op.mode,
        {{"constant", Mode::Constant}, {"edge", Mode::Edge}, {"reflection", Mode::Reflection}});
    return single(call.builder.pad(arg(call, 0), std::move(op), call.label));
}

Made split(const CallContext& call) {
    ops::Split op;
    op.axis = call.options.contains("axis") ? number(call.options["axis"]) : 0;
    if (call.args.at(1).is_array()) {
        op.sizes = numbers(call.args[1]);
        return call.builder.split(arg(call, 0), std::move(op), call.label);
    }
    // A number of equal pieces is the caller's division with us.
    const std::uint32_t pieces = number(call.args[1]);
    const graph::TensorDesc& input = call.builder.desc(arg(call, 0));
    if (op.axis >= input.rank() || pieces == 0 || input.shape()[op.axis] % pieces != 0) {
        throw Obstacle::NotExpressible;
    }
    op.sizes.assign(pieces, input.shape()[op.axis] / pieces);
    return call.builder.split(arg(call, 0), std::move(op), call.label);
}

Made reduce(const CallContext& call, ops::ReduceKind kind) {
    std::optional<std::vector<std::uint32_t>> axes;
    if (call.options.contains("axes")) {
        axes = numbers(call.options["axes"]);
    }
    return single(call.builder.reduce(kind, arg(call, 0), std::move(axes),
                                      call.options.value("keepDimensions", false), call.label));
}

Made arg_min_max(const CallContext& call, bool is_max) {
    ops::ArgMinMax op{.is_max = is_max, .axis = number(call.args.at(1))};
    op.keep_dimensions = call.options.value("keepDimensions", false);
    const auto type =
        graph::data_type_from_name(call.options.value("outputDataType", std::string("int32")));
    if (!type) {
        throw Obstacle::WebIdlThrows;
    }
    op.output_type = *type;
    return single(call.builder.arg_min_max(arg(call, 0), op, call.label));
}

Made cast(const CallContext& call) {
    const auto type = graph::data_type_from_name(call.args.at(1).get<std::string>());
    if (!type) {
        throw Obstacle::WebIdlThrows;
    }
    return single(call.builder.cast(arg(call, 0), *type, call.label));
}

Made concat(const CallContext& call) {
    if (!call.args.at(0).is_array()) {
        throw Obstacle::WebIdlThrows;
    }
    std::vector<OperandId> inputs;
    for (const json& input : call.args.at(0)) {
        inputs.push_back(call.resolve(input));
    }
    return single(call.builder.concat(inputs, number(call.args.at(1)), call.label));
}

graph::Shape shape_of(const json& list) {
    const auto dims = numbers(list);
    if (dims.size() > graph::kMaxRank) {
        throw Obstacle::NotExpressible;
    }
    return graph::Shape(dims);
}

Made slice(const CallContext& call) {
    ops::Slice op{
        .starts = numbers(call.args.at(1)), .sizes = numbers(call.args.at(2)), .strides = {}};
    if (call.options.contains("strides")) {
        op.strides = numbers(call.options["strides"]);
        if (op.strides.empty()) {
            throw Obstacle::NotExpressible; // empty is "absent" to us
        }
    }
    return single(call.builder.slice(arg(call, 0), std::move(op), call.label));
}

Made transpose(const CallContext& call) {
    std::vector<std::uint32_t> permutation;
    if (call.options.contains("permutation")) {
        permutation = numbers(call.options["permutation"]);
    }
    return single(call.builder.transpose(arg(call, 0), std::move(permutation), call.label));
}

Made unary(const CallContext& call, ops::UnaryKind kind) {
    ops::Activation function{.kind = kind};
    using Kind = ops::UnaryKind;
    const auto real = [&](const char* key, double fallback, bool finite = true) {
        if (!call.options.contains(key) || call.options[key].is_number()) {
            return call.options.value(key, fallback);
        }
        if (finite) {
            throw Obstacle::WebIdlThrows; // a Web IDL double is finite
        }
        return std::stod(call.options[key].at("$f").get<std::string>());
    };
    if (kind == Kind::Clamp) {
        function.alpha = real("minValue", -std::numeric_limits<double>::infinity(), false);
        function.beta = real("maxValue", std::numeric_limits<double>::infinity(), false);
    } else if (kind == Kind::Elu || kind == Kind::Linear) {
        function.alpha = real("alpha", 1.0);
        function.beta = real("beta", 0.0);
    } else if (kind == Kind::LeakyRelu) {
        function.alpha = real("alpha", 0.01);
    } else if (kind == Kind::HardSigmoid) {
        function.alpha = real("alpha", 0.2);
        function.beta = real("beta", 0.5);
    }
    return single(call.builder.unary(function, arg(call, 0), call.label));
}

// "hard_swish" is WebNN's "hardSwish".
std::string camel(std::string_view snake) {
    std::string out;
    bool up = false;
    for (const char c : snake) {
        if (c == '_') {
            up = true;
        } else {
            out += up ? static_cast<char>(c - 'a' + 'A') : c;
            up = false;
        }
    }
    return out;
}

std::map<std::string, MakeCall> make_table() {
    std::map<std::string, MakeCall> table{
        {"argMin", [](const CallContext& call) { return arg_min_max(call, false); }},
        {"argMax", [](const CallContext& call) { return arg_min_max(call, true); }},
        {"cast", cast},
        {"concat", concat},
        {"conv2d", conv2d},
        {"convTranspose2d", conv_transpose2d},
        {"dequantizeLinear",
         [](const CallContext& call) {
             return single(call.builder.dequantize_linear(arg(call, 0), arg(call, 1), arg(call, 2),
                                                          call.label));
         }},
        {"expand",
         [](const CallContext& call) {
             return single(
                 call.builder.expand(arg(call, 0), shape_of(call.args.at(1)), call.label));
         }},
        {"gemm", gemm},
        {"matmul",
         [](const CallContext& call) {
             return single(call.builder.matmul(arg(call, 0), arg(call, 1), call.label));
         }},
        {"pad", pad},
        {"resample2d", resample2d},
        {"reshape",
         [](const CallContext& call) {
             return single(
                 call.builder.reshape(arg(call, 0), shape_of(call.args.at(1)), call.label));
         }},
        {"slice", slice},
        {"softmax",
         [](const CallContext& call) {
             if (call.args.size() < 2 || !call.args[1].is_number()) {
                 throw Obstacle::NotExpressible; // the axis was optional once
             }
             return single(call.builder.softmax(arg(call, 0), number(call.args[1]), call.label));
         }},
        {"split", split},
        {"transpose", transpose},
        {"where",
         [](const CallContext& call) {
             return single(
                 call.builder.where(arg(call, 0), arg(call, 1), arg(call, 2), call.label));
         }},
    };
    for (const auto kind : {ops::PoolKind::Average, ops::PoolKind::L2, ops::PoolKind::Max}) {
        table[camel(ops::name(kind))] = [kind](const CallContext& call) {
            return pool2d(call, kind);
        };
    }
#define SLUICE_REDUCE(name_, Type)                                                                 \
    table[camel(ops::name(ops::ReduceKind::Type))] = [](const CallContext& call) {                 \
        return reduce(call, ops::ReduceKind::Type);                                                \
    };
#define SLUICE_UNARY(name_, Type, domain, expression, low, high)                                   \
    table[camel(#name_)] = [](const CallContext& call) {                                           \
        return unary(call, ops::UnaryKind::Type);                                                  \
    };
#define SLUICE_BINARY(name_, Type, domain, expression, low, high)                                  \
    table[camel(#name_)] = [](const CallContext& call) {                                           \
        return single(                                                                             \
            call.builder.binary(ops::BinaryKind::Type, arg(call, 0), arg(call, 1), call.label));   \
    };
#include "core/ops/binary.def"
#include "core/ops/reduce.def"
#include "core/ops/unary.def"
#undef SLUICE_REDUCE
#undef SLUICE_UNARY
#undef SLUICE_BINARY
    add_network_calls(table);
    return table;
}

} // namespace

std::uint32_t number(const json& value) {
    if (!value.is_number() || value.get<double>() != std::floor(value.get<double>()) ||
        value.get<double>() < 0 ||
        value.get<double>() > std::numeric_limits<std::uint32_t>::max()) {
        throw Obstacle::WebIdlThrows;
    }
    return static_cast<std::uint32_t>(value.get<double>());
}

std::vector<std::uint32_t> numbers(const json& list) {
    if (!list.is_array()) {
        throw Obstacle::WebIdlThrows;
    }
    std::vector<std::uint32_t> out;
    for (const json& value : list) {
        out.push_back(number(value));
    }
    return out;
}

const MakeCall* find_call(const std::string& method) {
    static const std::map<std::string, MakeCall> kTable = make_table();
    const auto found = kTable.find(method);
    return found == kTable.end() ? nullptr : &found->second;
}

} // namespace sluice::testing
