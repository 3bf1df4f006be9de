// SPDX-License-Identifier: Apache-2.0
// lookup, quantized_binary and quantized_conv2d. Scales are powers of two, so that products are
// exact, ties are ties and every result must be right to the bit.
#include <algorithm>
#include <cmath>
#include <format>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;
using ops::Quantization;

double bounded(const ops::Activation& activation, double value) {
    if (activation.kind == ops::UnaryKind::Relu) {
        return std::max(value, 0.0);
    }
    return activation.kind == ops::UnaryKind::Clamp
               ? std::clamp(value, activation.alpha, activation.beta)
               : value;
}

double quantized(const ops::QuantizedResult& result, double value) {
    if (result.type == DataType::Float32) {
        return value;
    }
    const bool is_signed = result.type == DataType::Int8;
    const double steps = round_even(value / static_cast<double>(result.quantization.scale)) +
                         result.quantization.zero_point;
    return std::clamp(steps, is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0);
}

CaseOperand random_bytes(Random& random, DataType type, const Shape& shape) {
    const bool is_signed = type == DataType::Int8;
    return random_operand(random, type, shape, is_signed ? -128 : 0, is_signed ? 127 : 255);
}

struct ConvRow {
    std::string_view name;
    Shape x;                        // NHWC
    std::array<std::uint32_t, 4> w; // output channels, height, width, channels of a group
    ops::QuantizedConv2d op;
    DataType x_type = DataType::Int8;
    DataType w_type = DataType::Int8;
    bool per_channel = true;
    int w_zero = 0;
};

// The sum of products behind the output element `at`.
double sum_at(const OpCase& self, const ConvRow& row, const std::vector<std::size_t>& at) {
    const auto& op = row.op;
    const std::size_t group = at[3] / (row.w[0] / op.groups);
    double sum = 0.0;
    for (std::size_t ky = 0; ky < row.w[1]; ++ky) {
        for (std::size_t kx = 0; kx < row.w[2]; ++kx) {
            const auto y =
                static_cast<std::ptrdiff_t>(at[1] * op.strides[0] + ky * op.dilations[0]) -
                op.padding[0];
            const auto x =
                static_cast<std::ptrdiff_t>(at[2] * op.strides[1] + kx * op.dilations[1]) -
                op.padding[2];
            if (y < 0 || x < 0 || y >= row.x[1] || x >= row.x[2]) {
                continue;
            }
            for (std::size_t i = 0; i < row.w[3]; ++i) {
                const double value =
                    self.operands[0]
                        .values[flat_of({at[0], static_cast<std::size_t>(y),
                                         static_cast<std::size_t>(x), group * row.w[3] + i},
                                        row.x)];
                const double weight = self.operands[1].values[flat_of(
                    {at[3], ky, kx, i}, {row.w[0], row.w[1], row.w[2], row.w[3]})];
                sum += (value - op.input.zero_point) * (weight - row.w_zero);
            }
        }
    }
    return sum;
}

OpCase conv_case(ConvRow row, const ops::QuantizedResult& result,
                 const ops::Activation& activation = {}) {
    OpCase test;
    row.op.filter_layout = ops::Conv2dFilterLayout::Ohwi;
    row.op.has_bias = true;
    row.op.activation = activation;
    row.op.result = result;
    test.name = std::format("quantized_conv2d/{}_{}_{}_to_{}", row.name, graph::name(row.x_type),
                            graph::name(row.w_type), graph::name(result.type));
    test.attributes = row.op;
    Random random(test.name);
    const Shape scales{row.per_channel ? row.w[0] : 1};
    CaseOperand scale = random_operand(random, DataType::Float32, scales, 0.0, 1.0);
    for (double& value : scale.values) {
        value = value < 0.5 ? 0.015625 : 0.03125;
    }
    CaseOperand zero{.type = row.w_type, .shape = scales, .is_constant = true, .values = {}};
    zero.values.assign(scales.element_count(), row.w_zero);
    CaseOperand bias = random_operand(random, DataType::Float32, {row.w[0]}, -64.0, 64.0);
    for (double& value : bias.values) {
        value = std::round(value * 4.0) / 4.0;
    }
    test.operands = {
        random_bytes(random, row.x_type, row.x),
        as_constant(random_bytes(random, row.w_type, {row.w[0], row.w[1], row.w[2], row.w[3]})),
        as_constant(std::move(scale)), std::move(zero), as_constant(std::move(bias))};
    test.absolute = 0.0;
    test.relative = 0.0;
    const auto size = [&](std::size_t axis) {
        const std::uint32_t padded =
            row.x[axis + 1] + row.op.padding[2 * axis] + row.op.padding[2 * axis + 1];
        return (padded - (row.w[axis + 1] - 1) * row.op.dilations[axis] - 1) /
                   row.op.strides[axis] +
               1;
    };
    const Shape y{row.x[0], size(0), size(1), row.w[0]};
    test.expected = [row, y](const OpCase& self) {
        return std::vector{for_each_position(y, [&](const auto& at) {
            const double scale_of = self.operands[2].values[row.per_channel ? at[3] : 0];
            const double value =
                sum_at(self, row, at) * scale_of * static_cast<double>(row.op.input.scale) +
                self.operands[4].values[at[3]];
            return quantized(row.op.result, bounded(row.op.activation, value));
        })};
    };
    return test;
}

constexpr ops::QuantizedResult to(DataType type, float scale, std::int32_t zero) {
    return {.type = type, .quantization = {.scale = scale, .zero_point = zero}};
}

void add_convolutions(std::vector<OpCase>& cases) {
    using enum DataType;
    ops::QuantizedConv2d plain;
    plain.input = {.scale = 0.5F, .zero_point = 3};
    ops::QuantizedConv2d same = plain;
    same.padding = {1, 1, 1, 1};
    ops::QuantizedConv2d strided = plain;
    strided.padding = {0, 1, 0, 1};
    strided.strides = {2, 2};
    ops::QuantizedConv2d dilated = same;
    dilated.dilations = {2, 2};
    dilated.padding = {2, 2, 2, 2};
    ops::QuantizedConv2d grouped = same;
    grouped.groups = 3;
    const auto i8 = to(Int8, 8.0F, -5);
    const auto u8 = to(Uint8, 16.0F, 131);
    const ops::Activation relu{.kind = ops::UnaryKind::Relu};
    const ops::Activation clamp{.kind = ops::UnaryKind::Clamp, .alpha = 0.0, .beta = 6.0};
    cases.push_back(conv_case({"1x1", {2, 5, 7, 16}, {24, 1, 1, 16}, plain}, i8));
    cases.push_back(conv_case({"1x1_odd", {1, 3, 5, 7}, {5, 1, 1, 7}, plain}, i8, relu));
    cases.push_back(conv_case({"1x1", {2, 5, 7, 16}, {24, 1, 1, 16}, plain, Uint8, Int8}, u8));
    cases.push_back(
        conv_case({"1x1", {2, 5, 7, 8}, {70, 1, 1, 8}, plain, Uint8, Uint8, false, 121}, u8));
    cases.push_back(
        conv_case({"far_zero", {1, 5, 7, 8}, {10, 3, 3, 8}, same, Uint8, Uint8, false, 7}, u8));
    cases.push_back(conv_case({"3x3", {1, 9, 13, 16}, {40, 3, 3, 16}, same}, i8, relu));
    cases.push_back(conv_case({"3x3_rgb", {1, 9, 14, 3}, {16, 3, 3, 3}, strided}, i8, clamp));
    cases.push_back(conv_case({"3x3_one", {1, 5, 33, 32}, {1, 3, 3, 32}, same}, i8));
    cases.push_back(conv_case({"dilated", {1, 9, 9, 5}, {9, 3, 3, 5}, dilated}, i8));
    cases.push_back(conv_case({"groups", {1, 6, 6, 12}, {9, 3, 3, 4}, grouped}, i8));
    cases.push_back(
        conv_case({"groups", {1, 6, 6, 9}, {6, 3, 3, 3}, grouped, Uint8, Uint8, true, 128},
                  to(Float32, 1.0F, 0), relu));
    cases.push_back(conv_case({"3x3", {1, 9, 13, 16}, {19, 3, 3, 16}, same}, to(Float32, 1.0F, 0)));
    for (const std::uint32_t channels : {3U, 16U, 40U, 67U}) {
        for (const bool is_strided : {false, true}) {
            ops::QuantizedConv2d op = is_strided ? strided : same;
            op.groups = channels;
            const std::string name = std::format("depthwise{}_s{}", channels, is_strided ? 2 : 1);
            cases.push_back(conv_case({name, {2, 7, 11, channels}, {channels, 3, 3, 1}, op}, i8));
            cases.push_back(conv_case(
                {name, {1, 7, 11, channels}, {channels, 3, 3, 1}, op, Uint8, Uint8, false, 7}, u8,
                clamp));
        }
    }
    ops::QuantizedConv2d five = same;
    five.groups = 24;
    five.padding = {2, 2, 2, 2};
    cases.push_back(
        conv_case({"depthwise5x5", {1, 8, 8, 24}, {24, 5, 5, 1}, five}, to(Float32, 1.0F, 0)));
    ops::QuantizedConv2d multiplied = same;
    multiplied.groups = 6;
    cases.push_back(conv_case({"multiplier", {1, 5, 5, 6}, {12, 3, 3, 1}, multiplied}, i8));
}

OpCase binary_case(ops::BinaryKind kind, DataType a_type, DataType b_type,
                   const ops::QuantizedResult& result, const ops::Activation& activation = {}) {
    const ops::QuantizedBinary op{.kind = kind,
                                  .a = {.scale = 0.25F, .zero_point = 4},
                                  .b = {.scale = 0.125F, .zero_point = 9},
                                  .activation = activation,
                                  .result = result};
    OpCase test;
    test.name = std::format("quantized_binary/{}_{}_{}_to_{}", ops::name(kind), graph::name(a_type),
                            graph::name(b_type), graph::name(result.type));
    test.attributes = op;
    Random random(test.name);
    const Shape shape{3, 5, 23};
    test.operands = {random_bytes(random, a_type, shape), random_bytes(random, b_type, shape)};
    test.absolute = 0.0;
    test.relative = 0.0;
    test.expected = [op, shape](const OpCase& self) {
        return std::vector{for_each_position(shape, [&](const auto& at) {
            const auto value = [&](std::size_t n, const Quantization& q) {
                return (self.operands[n].values[flat_of(at, shape)] - q.zero_point) *
                       static_cast<double>(q.scale);
            };
            const double a = value(0, op.a);
            const double b = value(1, op.b);
            const double made = op.kind == ops::BinaryKind::Mul   ? a * b
                                : op.kind == ops::BinaryKind::Add ? a + b
                                                                  : a - b;
            return quantized(op.result, bounded(op.activation, made));
        })};
    };
    return test;
}

OpCase lookup_case(DataType type, DataType table_type) {
    OpCase test;
    test.name = std::format("lookup/{}_to_{}", graph::name(type), graph::name(table_type));
    test.attributes = ops::Lookup{};
    Random random(test.name);
    const bool is_signed = graph::info(table_type).is_signed;
    test.operands = {random_bytes(random, type, {7, 41}),
                     random_operand(random, table_type, {256}, is_signed ? -100 : 0, 100)};
    test.absolute = 0.0;
    test.relative = 0.0;
    test.expected = [](const OpCase& self) {
        return std::vector{for_each_position({7, 41}, [&](const auto& at) {
            const double x = self.operands[0].values[flat_of(at, {7, 41})];
            return self.operands[1].values[static_cast<std::size_t>(x < 0 ? x + 256 : x)];
        })};
    };
    return test;
}

} // namespace

std::vector<OpCase> quantized_cases() {
    using enum DataType;
    std::vector<OpCase> cases;
    add_convolutions(cases);
    for (const auto kind : {ops::BinaryKind::Add, ops::BinaryKind::Sub, ops::BinaryKind::Mul}) {
        cases.push_back(binary_case(kind, Int8, Int8, to(Int8, 0.5F, -3)));
        cases.push_back(
            binary_case(kind, Uint8, Int8, to(Uint8, 0.5F, 120), {.kind = ops::UnaryKind::Relu}));
        cases.push_back(binary_case(kind, Int8, Uint8, to(Float32, 1.0F, 0)));
    }
    for (const DataType type : {Int8, Uint8}) {
        for (const DataType table : {Int8, Uint8, Float16, Float32, Int64}) {
            cases.push_back(lookup_case(type, table));
        }
    }
    return cases;
}

} // namespace sluice::testing
