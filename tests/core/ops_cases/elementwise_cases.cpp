// SPDX-License-Identifier: Apache-2.0
// Every row of unary.def and binary.def, broadcasting, integers and extremes.
#include <array>
#include <cmath>
#include <format>
#include <limits>

#include "tests/core/ops_cases/activations.h"
#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;
using ops::BinaryKind;
using ops::UnaryKind;

// WebNN's definitions, in double.
double expected_unary(const ops::Activation& f, double x) {
    switch (f.kind) {
    case UnaryKind::Abs: return std::fabs(x);
    case UnaryKind::Ceil: return std::ceil(x);
    case UnaryKind::Cos: return std::cos(x);
    case UnaryKind::Erf: return std::erf(x);
    case UnaryKind::Exp: return std::exp(x);
    case UnaryKind::Floor: return std::floor(x);
    case UnaryKind::Gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case UnaryKind::Identity: return x;
    case UnaryKind::IsInfinite: return std::isinf(x) ? 1.0 : 0.0;
    case UnaryKind::IsNan: return std::isnan(x) ? 1.0 : 0.0;
    case UnaryKind::Linear: return f.alpha * x + f.beta;
    case UnaryKind::Log: return std::log(x);
    case UnaryKind::LogicalNot: return x == 0.0 ? 1.0 : 0.0;
    case UnaryKind::Neg: return -x;
    case UnaryKind::Reciprocal: return 1.0 / x;
    case UnaryKind::RoundEven: return x - std::remainder(x, 1.0);
    case UnaryKind::Sign: return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0);
    case UnaryKind::Sin: return std::sin(x);
    case UnaryKind::Softplus: return std::log(1.0 + std::exp(x));
    case UnaryKind::Softsign: return x / (1.0 + std::fabs(x));
    case UnaryKind::Sqrt: return std::sqrt(x);
    case UnaryKind::Tan: return std::tan(x);
    case UnaryKind::Clamp:
    case UnaryKind::Elu:
    case UnaryKind::HardSigmoid:
    case UnaryKind::HardSwish:
    case UnaryKind::LeakyRelu:
    case UnaryKind::Relu:
    case UnaryKind::Sigmoid:
    case UnaryKind::Tanh: break;
    }
    return expected_epilogue(f, x);
}

double expected_binary(BinaryKind kind, double a, double b, bool integers) {
    switch (kind) {
    case BinaryKind::Add: return a + b;
    case BinaryKind::Div: return integers ? std::trunc(a / b) : a / b;
    case BinaryKind::Equal: return a == b ? 1.0 : 0.0;
    case BinaryKind::Greater: return a > b ? 1.0 : 0.0;
    case BinaryKind::GreaterOrEqual: return a >= b ? 1.0 : 0.0;
    case BinaryKind::Lesser: return a < b ? 1.0 : 0.0;
    case BinaryKind::LesserOrEqual: return a <= b ? 1.0 : 0.0;
    case BinaryKind::LogicalAnd: return a != 0.0 && b != 0.0 ? 1.0 : 0.0;
    case BinaryKind::LogicalOr: return a != 0.0 || b != 0.0 ? 1.0 : 0.0;
    case BinaryKind::LogicalXor: return (a != 0.0) != (b != 0.0) ? 1.0 : 0.0;
    case BinaryKind::Max: return std::fmax(a, b);
    case BinaryKind::Min: return std::fmin(a, b);
    case BinaryKind::Mul: return a * b;
    case BinaryKind::NotEqual: return a != b ? 1.0 : 0.0;
    case BinaryKind::Pow: return integers ? std::trunc(std::pow(a, b)) : std::pow(a, b);
    case BinaryKind::Prelu: return a < 0.0 ? a * b : a;
    case BinaryKind::Sub: return a - b;
    }
    return 0.0;
}

enum class Domain : std::uint8_t { Any, Float, Signed, Compare, Logical, Test };

struct UnaryRow {
    UnaryKind kind;
    Domain domain;
    double low, high;
};
constexpr std::array kUnaryRows{
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    UnaryRow{UnaryKind::Type, Domain::domain, low, high},
#include "core/ops/unary.def"
#undef SLUICE_UNARY
};

struct BinaryRow {
    BinaryKind kind;
    Domain domain;
    double low, high;
};
constexpr std::array kBinaryRows{
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    BinaryRow{BinaryKind::Type, Domain::domain, low, high},
#include "core/ops/binary.def"
#undef SLUICE_BINARY
};

constexpr bool has_cpu_kernel(UnaryKind kind) {
    constexpr std::array kKinds{
        UnaryKind::Abs,        UnaryKind::Ceil,      UnaryKind::Clamp,       UnaryKind::Elu,
        UnaryKind::Exp,        UnaryKind::Floor,     UnaryKind::HardSigmoid, UnaryKind::HardSwish,
        UnaryKind::Identity,   UnaryKind::LeakyRelu, UnaryKind::Linear,      UnaryKind::Neg,
        UnaryKind::Reciprocal, UnaryKind::Relu,      UnaryKind::RoundEven,   UnaryKind::Sigmoid,
        UnaryKind::Softsign,   UnaryKind::Sqrt,      UnaryKind::Tanh};
    return std::ranges::contains(kKinds, kind);
}

constexpr bool has_cpu_kernel(BinaryKind kind) {
    constexpr std::array kKinds{BinaryKind::Add, BinaryKind::Sub, BinaryKind::Mul,  BinaryKind::Div,
                                BinaryKind::Max, BinaryKind::Min, BinaryKind::Prelu};
    return std::ranges::contains(kKinds, kind);
}

ops::Activation with_parameters(UnaryKind kind) {
    switch (kind) {
    case UnaryKind::Clamp: return {.kind = kind, .alpha = -2.0, .beta = 3.0};
    case UnaryKind::Elu:
    case UnaryKind::LeakyRelu: return {.kind = kind, .alpha = 0.25, .beta = 0.0};
    case UnaryKind::HardSigmoid: return {.kind = kind, .alpha = 0.25, .beta = 0.5};
    case UnaryKind::Linear: return {.kind = kind, .alpha = 1.5, .beta = -0.75};
    default: return {.kind = kind, .alpha = 0.0, .beta = 0.0};
    }
}

// Zero, ones, the ends of the range, halves, and numbers near nothing.
void put_extremes(CaseOperand& x, const UnaryRow& row) {
    std::vector<double> extremes{0.0, 1.0, -1.0, 0.5, 2.5, -1.5, 1e-6, -1e-6, row.low, row.high};
    if (row.domain == Domain::Test) {
        extremes = {std::numeric_limits<double>::infinity(), 0.0,
                    -std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::quiet_NaN()};
    }
    for (std::size_t i = 0; i < extremes.size() && i < x.values.size(); ++i) {
        const bool inside =
            row.domain == Domain::Test || (extremes[i] >= row.low && extremes[i] <= row.high);
        x.values[i] = inside ? stored(x.type, extremes[i]) : x.values[i];
    }
}

OpCase unary_case(const UnaryRow& row, DataType type, const Shape& shape) {
    OpCase test;
    test.name = std::format("unary/{}_{}_{}", ops::name(row.kind), graph::name(type),
                            graph::to_string(shape));
    const ops::Activation function = with_parameters(row.kind);
    test.attributes = ops::Unary{.function = function};
    Random random(test.name);
    test.operands = {random_operand(random, type, shape, row.low, row.high)};
    put_extremes(test.operands[0], row);
    const bool half = type == DataType::Float16;
    // sin, cos and tan of numbers near their zeros, and erf and gelu far out, lose digits.
    test.absolute = !graph::is_float(type) ? 0.0 : (half ? 2e-3 : 2e-6);
    test.relative = !graph::is_float(type) ? 0.0 : (half ? 2e-3 : 2e-6);
    test.on_cpu = type == DataType::Float32 && has_cpu_kernel(row.kind);
    test.expected = [function](const OpCase& self) {
        const CaseOperand& x = self.operands[0];
        return std::vector{for_each_position(x.shape, [&](const auto& at) {
            return expected_unary(function, x.values[flat_of(at, x.shape)]);
        })};
    };
    return test;
}

OpCase binary_case(const BinaryRow& row, DataType type, const Shape& a, const Shape& b,
                   const ops::Activation& activation = {}) {
    OpCase test;
    test.name = std::format("binary/{}_{}_{}_{}_{}", ops::name(row.kind), graph::name(type),
                            graph::to_string(a), graph::to_string(b), ops::name(activation.kind));
    test.attributes = ops::Binary{.kind = row.kind, .activation = activation};
    Random random(test.name);
    const bool integers = !graph::is_float(type);
    const double low = integers && !graph::info(type).is_signed ? std::fmax(row.low, 0) : row.low;
    // Differences of unsigned numbers stay above 0.
    const double lift =
        row.kind == BinaryKind::Sub && !graph::info(type).is_signed ? row.high : 0.0;
    test.operands = {random_operand(random, type, a, low + lift, row.high + lift),
                     random_operand(random, type, b, low, row.high)};
    const bool half = type == DataType::Float16;
    test.absolute = integers ? 0.0 : (half ? 2e-3 : 1e-6);
    test.relative = integers ? 0.0 : (half ? 2e-3 : 1e-6);
    test.on_cpu = type == DataType::Float32 && has_cpu_kernel(row.kind);
    const auto broadcast = graph::broadcast(a, b);
    const Shape shape = broadcast ? *broadcast : a;
    test.expected = [=, kind = row.kind](const OpCase& self) {
        Expected out = for_each_position(shape, [&](const auto& at) {
            const double value = expected_binary(kind, broadcast_value(self.operands[0], at),
                                                 broadcast_value(self.operands[1], at), integers);
            return expected_epilogue(activation, value);
        });
        for (std::size_t i = 0; i < out.magnitudes.size(); ++i) {
            const auto at = position_of(i, shape);
            out.magnitudes[i] += std::fabs(broadcast_value(self.operands[0], at)) +
                                 std::fabs(broadcast_value(self.operands[1], at));
        }
        return std::vector{out};
    };
    return test;
}

std::vector<DataType> integer_types(Domain domain, bool prelu) {
    using enum DataType;
    switch (domain) {
    case Domain::Logical: return {Uint8};
    case Domain::Signed: return {Int8, Int32, Int64};
    case Domain::Any:
    case Domain::Compare:
        return prelu ? std::vector{Int8, Int32, Int64}
                     : std::vector{Int8, Uint8, Int32, Uint32, Int64, Uint64};
    case Domain::Float:
    case Domain::Test: return {};
    }
    return {};
}

void add_broadcasts(std::vector<OpCase>& cases) {
    const BinaryRow add{BinaryKind::Add, Domain::Any, -8, 8};
    const BinaryRow mul{BinaryKind::Mul, Domain::Any, -8, 8};
    const BinaryRow sub{BinaryKind::Sub, Domain::Any, -8, 8};
    const std::vector<std::pair<Shape, Shape>> shapes{
        {{}, {}},
        {{1}, {37}},
        {{37}, {1}},
        {{7, 5}, {}},
        {{1, 9, 11, 24}, {1, 1, 1, 24}}, // per channel
        {{1, 1, 1, 24}, {1, 9, 11, 24}},
        {{1, 9, 11, 17}, {1, 17}},       // a row of channels over a picture
        {{1, 9, 11, 17}, {1, 9, 11, 1}}, // one number a pixel
        {{1, 9, 11, 1}, {1, 9, 11, 17}},
        {{3, 1, 5}, {1, 4, 1}}, // both repeat
        {{2, 1, 3, 1, 5}, {1, 4, 1, 6, 5}},
        {{2, 3, 4}, {3, 1}},
        {{1, 61, 67, 16}, {1, 61, 67, 16}}, // several threads
        {{1, 61, 67, 16}, {1, 1, 1, 16}},
        {{1, 61, 67, 16}, {1}},
        {{2, 61, 67, 16}, {2, 1, 1, 16}}, // another row for each image
        {{2, 1, 1, 9}, {2, 61, 67, 9}},
    };
    for (const auto& [a, b] : shapes) {
        for (const BinaryRow& row : {add, mul, sub}) {
            cases.push_back(binary_case(row, DataType::Float32, a, b));
        }
    }
    for (const ops::Activation& activation : kEpilogues) {
        cases.push_back(
            binary_case(add, DataType::Float32, {1, 13, 7, 24}, {1, 13, 7, 24}, activation));
        cases.push_back(
            binary_case(mul, DataType::Float32, {1, 61, 67, 9}, {1, 1, 1, 9}, activation));
    }
}

} // namespace

std::vector<OpCase> elementwise_cases() {
    std::vector<OpCase> cases;
    for (const UnaryRow& row : kUnaryRows) {
        for (const DataType type : integer_types(row.domain, false)) {
            UnaryRow narrowed = row;
            narrowed.low = graph::info(type).is_signed ? row.low : std::fmax(0.0, row.low);
            OpCase test = unary_case(narrowed, type, {5, 7});
            if (row.kind == UnaryKind::Clamp && !graph::info(type).is_signed) {
                continue; // the table's minimum of -2 means nothing there
            }
            cases.push_back(std::move(test));
        }
        if (row.domain == Domain::Logical) {
            continue;
        }
        cases.push_back(unary_case(row, DataType::Float32, {}));
        cases.push_back(unary_case(row, DataType::Float32, {1}));
        cases.push_back(unary_case(row, DataType::Float32, {31}));
        cases.push_back(unary_case(row, DataType::Float32, {3, 5, 7, 11}));
        cases.push_back(unary_case(row, DataType::Float16, {3, 17}));
        if (has_cpu_kernel(row.kind)) {
            cases.push_back(unary_case(row, DataType::Float32, {1, 53, 71, 19}));
        }
    }
    for (const BinaryRow& row : kBinaryRows) {
        for (const DataType type : integer_types(row.domain, row.kind == BinaryKind::Prelu)) {
            BinaryRow narrowed = row;
            narrowed.low = row.kind == BinaryKind::Pow ? 1.0 : row.low;
            cases.push_back(binary_case(narrowed, type, {3, 5, 7}, {5, 1}));
        }
        if (row.domain == Domain::Logical) {
            continue;
        }
        cases.push_back(binary_case(row, DataType::Float32, {29}, {29}));
        cases.push_back(binary_case(row, DataType::Float32, {3, 5, 7}, {5, 1}));
        cases.push_back(binary_case(row, DataType::Float16, {3, 5, 7}, {7}));
    }
    add_broadcasts(cases);
    return cases;
}

} // namespace sluice::testing
