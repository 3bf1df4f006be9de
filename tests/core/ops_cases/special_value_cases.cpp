// SPDX-License-Identifier: Apache-2.0
// round_even, is_nan and is_infinite value by value, as no outsider's table of them exists; sigmoid
// where it is next to its limits.
#include <array>
#include <format>
#include <limits>
#include <span>
#include <utility>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using ops::UnaryKind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct SpecialRow {
    double x;
    double y;
};

// Ties go to the even neighbour; everything else to the nearest.
constexpr auto kRoundEven = std::to_array<SpecialRow>({
    {0.0, 0.0},
    {0.25, 0.0},
    {0.5, 0.0},
    {0.75, 1.0},
    {1.0, 1.0},
    {1.25, 1.0},
    {1.5, 2.0},
    {1.75, 2.0},
    {2.5, 2.0},
    {3.5, 4.0},
    {4.5, 4.0},
    {5.5, 6.0},
    {-0.25, 0.0},
    {-0.5, 0.0},
    {-0.75, -1.0},
    {-1.5, -2.0},
    {-2.5, -2.0},
    {-3.5, -4.0},
    {-4.5, -4.0},
    {0.49951171875, 0.0},
    {0.50048828125, 1.0},
    {1.4990234375, 1.0},
    {2.501953125, 3.0},
    {1023.5, 1024.0},
    {1022.5, 1022.0},
    {2047.0, 2047.0},
    {2048.0, 2048.0},
    {65504.0, 65504.0},
    {-65504.0, -65504.0},
    {kInfinity, kInfinity},
    {-kInfinity, -kInfinity},
    {kNan, kNan},
});
// Too large for float16: where every second float has a fraction, and where none has.
constexpr auto kRoundEvenWide = std::to_array<SpecialRow>({
    {4194303.5, 4194304.0},
    {4194302.5, 4194302.0},
    {-4194303.5, -4194304.0},
    {8388607.5, 8388608.0},
    {8388606.5, 8388606.0},
    {8388609.0, 8388609.0},
    {16777216.0, 16777216.0},
    {0x1p100, 0x1p100},
    {-0x1p100, -0x1p100},
    {0x1p-149, 0.0},
    {0x1.fffffep-2, 0.0},
    {0x1.000002p-1, 1.0},
});
constexpr auto kIsNan = std::to_array<SpecialRow>({
    {0.0, 0},
    {-0.0, 0},
    {1.0, 0},
    {-65504.0, 0},
    {65504.0, 0},
    {0x1p-24, 0},
    {kNan, 1},
    {-kNan, 1},
    {kInfinity, 0},
    {-kInfinity, 0},
});
constexpr auto kIsInfinite = std::to_array<SpecialRow>({
    {0.0, 0},
    {-0.0, 0},
    {1.0, 0},
    {-65504.0, 0},
    {65504.0, 0},
    {0x1p-24, 0},
    {kNan, 0},
    {-kNan, 0},
    {kInfinity, 1},
    {-kInfinity, 1},
});
// Far from zero: subnormal results may count as 0.
constexpr auto kSigmoidFar = std::to_array<SpecialRow>({
    {kInfinity, 1.0},
    {1000.0, 1.0},
    {88.0, 1.0},
    {40.0, 1.0},
    {-87.5, 0.0},
    {-90.0, 0.0},
    {-110.0, 0.0},
    {-1000.0, 0.0},
    {-kInfinity, 0.0},
    {kNan, kNan},
});
// What is not a number is not lost, so that a network that went wrong is seen. These have kernels
// of their own on the CPU.
constexpr auto kNanStaysNan = std::to_array<SpecialRow>({{kNan, kNan}, {-kNan, kNan}});
constexpr std::array kKeepNan{UnaryKind::Abs,         UnaryKind::Ceil,      UnaryKind::Clamp,
                              UnaryKind::Elu,         UnaryKind::Exp,       UnaryKind::Floor,
                              UnaryKind::HardSigmoid, UnaryKind::HardSwish, UnaryKind::LeakyRelu,
                              UnaryKind::Linear,      UnaryKind::Neg,       UnaryKind::Reciprocal,
                              UnaryKind::Relu,        UnaryKind::RoundEven, UnaryKind::Sigmoid,
                              UnaryKind::Softsign,    UnaryKind::Sqrt,      UnaryKind::Tanh};

OpCase table_case(std::string_view name, UnaryKind kind, std::span<const SpecialRow> rows,
                  DataType type) {
    OpCase test;
    test.name = std::format("{}/{}_{}", ops::name(kind), name, graph::name(type));
    test.attributes = ops::Unary{.function = {.kind = kind}};
    CaseOperand x{.type = type, .shape = {static_cast<std::uint32_t>(rows.size())}};
    Expected y;
    for (const SpecialRow& row : rows) {
        x.values.push_back(row.x);
        y.values.push_back(row.y);
    }
    y.magnitudes.assign(rows.size(), 0.0);
    test.operands = {x};
    test.absolute = 0.0;
    test.relative = 0.0;
    test.on_cpu = false;
    test.expected = [y](const OpCase&) { return std::vector{y}; };
    return test;
}

} // namespace

std::vector<OpCase> special_value_cases() {
    std::vector<OpCase> cases;
    for (const DataType type : {DataType::Float32, DataType::Float16}) {
        cases.push_back(table_case("table", UnaryKind::RoundEven, kRoundEven, type));
        cases.push_back(table_case("table", UnaryKind::IsNan, kIsNan, type));
        cases.push_back(table_case("table", UnaryKind::IsInfinite, kIsInfinite, type));
    }
    cases.push_back(table_case("wide", UnaryKind::RoundEven, kRoundEvenWide, DataType::Float32));
    for (const UnaryKind kind : kKeepNan) {
        OpCase nan = table_case("nan", kind, kNanStaysNan, DataType::Float32);
        nan.on_cpu = true;
        cases.push_back(std::move(nan));
    }
    OpCase far = table_case("far", UnaryKind::Sigmoid, kSigmoidFar, DataType::Float32);
    far.absolute = static_cast<double>(std::numeric_limits<float>::min());
    far.on_cpu = true;
    cases.push_back(std::move(far));
    return cases;
}

} // namespace sluice::testing
