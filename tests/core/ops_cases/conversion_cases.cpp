// SPDX-License-Identifier: Apache-2.0
// cast, dequantize_linear and quantize_linear.
#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

// The values that a conversion to `type` keeps within its range; nothing for floats.
std::pair<double, double> range_of(DataType type) {
    switch (type) {
    case DataType::Int8: return {-128.0, 127.0};
    case DataType::Uint8: return {0.0, 255.0};
    case DataType::Int32: return {-2147483648.0, 2147483647.0};
    case DataType::Uint32: return {0.0, 4294967295.0};
    default:
        return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    }
}

OpCase cast_case(DataType from, DataType to) {
    OpCase test;
    test.name = std::format("cast/{}_to_{}", graph::name(from), graph::name(to));
    test.attributes = ops::Cast{.to = to};
    Random random(test.name);
    const bool is_unsigned = !graph::info(from).is_signed || !graph::info(to).is_signed;
    test.operands = {random_operand(random, from, {3, 7}, is_unsigned ? 0.0 : -100.0, 100.0)};
    if (graph::is_float(from) && !graph::is_float(to)) {
        // Ties, what truncates to 0, and what lies beyond the type.
        for (const double extreme : {0.5, 1.5, -0.5, -1.5, 0.999, 300.25, -300.25, 65504.0}) {
            test.operands[0].values.push_back(extreme);
        }
        test.operands[0].shape = {static_cast<std::uint32_t>(test.operands[0].values.size())};
    }
    if (from == DataType::Float32 && to == DataType::Float16) {
        // Ties to even, the last subnormals, and where infinity begins.
        for (const double edge :
             {0x1p0 + 0x1p-11, 0x1p0 + 0x3p-11, -0x1p0 - 0x1p-11, 0x1p-24, 0x1p-25, 0x1.8p-24,
              -0x1.8p-25, 0x1p-14 - 0x1p-25, 65519.0, 65520.0, -1e30}) {
            test.operands[0].values.push_back(edge);
        }
        test.operands[0].shape = {static_cast<std::uint32_t>(test.operands[0].values.size())};
    }
    test.absolute = 0.0;
    test.relative = 0.0;
    const auto narrow = [](DataType type) {
        return type != DataType::Float16 && graph::size_of(type) <= 4;
    };
    test.on_cpu = (narrow(from) && narrow(to)) ||
                  (from == DataType::Float16 && to == DataType::Float32) ||
                  (from == DataType::Float32 && to == DataType::Float16);
    test.expected = [to](const OpCase& self) {
        const CaseOperand& x = self.operands[0];
        return std::vector{for_each_position(x.shape, [&](const auto& at) {
            const double value = x.values[flat_of(at, x.shape)];
            if (graph::is_float(to)) {
                return stored(to, value);
            }
            const auto [low, high] = range_of(to);
            return std::clamp(std::trunc(value), low, high);
        })};
    };
    return test;
}

OpCase dequantize_case(std::string name, DataType type, DataType scale_type, const Shape& shape,
                       const Shape& blocks) {
    OpCase test;
    test.name = std::format("dequantize_linear/{}_{}_to_{}", name, graph::name(type),
                            graph::name(scale_type));
    test.attributes = ops::DequantizeLinear{};
    Random random(test.name);
    const bool is_signed = graph::info(type).is_signed;
    test.operands = {random_operand(random, type, shape, is_signed ? -100 : 0, 100),
                     random_operand(random, scale_type, blocks, 0.01, 2.0),
                     random_operand(random, type, blocks, is_signed ? -20 : 0, 20)};
    const bool half = scale_type == DataType::Float16;
    test.absolute = half ? 1e-3 : 1e-7;
    test.relative = half ? 1e-3 : 2e-7;
    test.on_cpu = !half && graph::size_of(type) == 1 && name != "blocks";
    test.expected = [shape, blocks](const OpCase& self) {
        return std::vector{for_each_position(shape, [&](std::vector<std::size_t> at) {
            const double x = self.operands[0].values[flat_of(at, shape)];
            for (std::size_t axis = 0; axis < at.size(); ++axis) {
                at[axis] = at[axis] * blocks[axis] / shape[axis];
            }
            const std::size_t block = flat_of(at, blocks);
            return (x - self.operands[2].values[block]) * self.operands[1].values[block];
        })};
    };
    return test;
}

OpCase quantize_case(std::string name, DataType float_type, DataType type, const Shape& shape,
                     const Shape& blocks) {
    OpCase test;
    test.name = std::format("quantize_linear/{}_{}_to_{}", name, graph::name(float_type),
                            graph::name(type));
    test.attributes = ops::QuantizeLinear{};
    Random random(test.name);
    const bool is_signed = graph::info(type).is_signed;
    test.operands = {random_operand(random, float_type, shape, -300.0, 300.0),
                     random_operand(random, float_type, blocks, 0.01, 2.0),
                     random_operand(random, type, blocks, is_signed ? -20 : 0, 20)};
    for (double& scale : test.operands[1].values) {
        scale = std::exp2(std::round(std::log2(scale))); // exact quotients, so that ties are ties
    }
    for (std::size_t i = 0; i < test.operands[0].values.size(); i += 2) {
        double& x = test.operands[0].values[i];
        x = stored(float_type, std::round(x * 4.0) / 4.0);
    }
    test.absolute = 0.0;
    test.relative = 0.0;
    test.on_cpu = float_type == DataType::Float32 && graph::size_of(type) == 1 && name != "blocks";
    test.expected = [shape, blocks, type](const OpCase& self) {
        return std::vector{for_each_position(shape, [&](std::vector<std::size_t> at) {
            const double x = self.operands[0].values[flat_of(at, shape)];
            for (std::size_t axis = 0; axis < at.size(); ++axis) {
                at[axis] = at[axis] * blocks[axis] / shape[axis];
            }
            const std::size_t block = flat_of(at, blocks);
            const auto [low, high] = range_of(type);
            return std::clamp(round_even(x / self.operands[1].values[block]) +
                                  self.operands[2].values[block],
                              low, high);
        })};
    };
    return test;
}

} // namespace

std::vector<OpCase> conversion_cases() {
    std::vector<OpCase> cases;
    constexpr std::array kTypes{DataType::Float32, DataType::Float16, DataType::Int32,
                                DataType::Uint32,  DataType::Int64,   DataType::Uint64,
                                DataType::Int8,    DataType::Uint8};
    for (const DataType from : kTypes) {
        for (const DataType to : kTypes) {
            // Negative floats saturate at 0 for unsigned types; 64 bits have no exact double.
            if (graph::is_float(from) && to == DataType::Uint64) {
                continue;
            }
            cases.push_back(cast_case(from, to));
        }
    }
    using enum DataType;
    cases.push_back(dequantize_case("scalar", Uint8, Float32, {}, {}));
    cases.push_back(dequantize_case("whole", Int8, Float32, {5, 7}, {1, 1}));
    cases.push_back(dequantize_case("per_channel", Int8, Float32, {3, 4, 5}, {1, 1, 5}));
    cases.push_back(dequantize_case("per_channel", Uint8, Float32, {3, 37}, {1, 37}));
    cases.push_back(dequantize_case("per_plane", Int8, Float32, {2, 3, 5, 7}, {1, 3, 1, 1}));
    cases.push_back(dequantize_case("per_row", Uint8, Float32, {3, 4, 5}, {3, 1, 1}));
    cases.push_back(dequantize_case("blocks", Int8, Float32, {6, 8}, {2, 4}));
    cases.push_back(dequantize_case("blocks", Int32, Float32, {6, 8}, {3, 2}));
    cases.push_back(dequantize_case("blocks", Uint8, Float16, {6, 8}, {3, 2}));
    cases.push_back(dequantize_case("blocks", Uint32, Float32, {6, 8}, {3, 2}));
    cases.push_back(quantize_case("scalar", Float32, Int8, {}, {}));
    cases.push_back(quantize_case("whole", Float32, Uint8, {15, 17}, {1, 1}));
    cases.push_back(quantize_case("per_channel", Float32, Int8, {3, 4, 5}, {1, 1, 5}));
    cases.push_back(quantize_case("per_channel", Float32, Uint8, {3, 37}, {1, 37}));
    cases.push_back(quantize_case("per_plane", Float32, Int8, {2, 3, 5, 7}, {1, 3, 1, 1}));
    cases.push_back(quantize_case("per_row", Float16, Uint8, {3, 4, 5}, {3, 1, 1}));
    cases.push_back(quantize_case("blocks", Float32, Int32, {6, 8}, {3, 2}));
    cases.push_back(quantize_case("blocks", Float16, Int8, {6, 8}, {2, 4}));
    cases.push_back(quantize_case("blocks", Float32, Uint32, {6, 8}, {6, 1}));
    return cases;
}

} // namespace sluice::testing
